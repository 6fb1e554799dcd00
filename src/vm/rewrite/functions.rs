//! Finds the functions that are written directly in a function's body.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentTarget, Block, ConstructorField, Expression, FieldSuffix, FunctionDefinition, HeadExpression,
    RecordKey, SimpleExpression, Statement,
};

use super::edit::{Edit, edit_block, edit_constructor_field, edit_statement};
use super::locals::script_name;
use crate::vm::program::Text;

/// What is known of a function where it is written.
pub(super) struct Found {
    /// What the script calls it, if anything.
    pub(super) name: Option<String>,
    /// The local variable that it is declared as.
    pub(super) variable: Option<Text>,
    pub(super) line: LineNumber,
}

/// Takes a function.
pub(super) type Take<'a> = dyn FnMut(&mut FunctionDefinition<Text>, Found) + 'a;

/// Gives all functions in the block, in blocks and expressions inside it, but not those inside
/// other functions.
pub(super) fn each_function(block: &mut Block<Text>, take: &mut Take<'_>) {
    Finder { line: block.closed_on, take }.block(block);
}

struct Finder<'a, 'b> {
    line: LineNumber,
    take: &'a mut Take<'b>,
}

impl Finder<'_, '_> {
    fn found(&self, name: Option<String>) -> Found {
        Found { name, variable: None, line: self.line }
    }

    /// A value that is given to a variable or a field of this name.
    fn value(&mut self, value: &mut Expression<Text>, name: Option<String>) {
        if value.tail.is_empty()
            && let HeadExpression::Simple(SimpleExpression::Function(definition)) = &mut *value.head
        {
            let found = self.found(name);
            (self.take)(definition, found);
        } else {
            self.expression(value);
        }
    }
}

impl Edit for Finder<'_, '_> {
    fn block(&mut self, block: &mut Block<Text>) {
        let line = self.line;
        edit_block(self, block);
        self.line = line;
    }

    fn statement(&mut self, statement: &mut Statement<Text>, line: LineNumber) {
        self.line = line;
        match statement {
            Statement::Function(s) => {
                let path: Vec<String> = std::iter::once(&s.name).chain(&s.fields).map(shown).collect();
                let found = self.found(Some(path.join(".")));
                (self.take)(&mut s.definition, found);
            }
            Statement::LocalFunction(s) => {
                let found = Found { variable: Some(s.name.clone()), ..self.found(Some(shown(&s.name))) };
                (self.take)(&mut s.definition, found);
            }
            Statement::LocalStatement(s) => {
                let mut names = s.names.iter().map(|(name, _)| shown(name));
                for value in &mut s.values {
                    self.value(value, names.next());
                }
            }
            Statement::Assignment(s) => {
                s.targets.iter_mut().for_each(|target| self.target(target));
                let mut names = s.targets.iter().map(target_name);
                for value in &mut s.values {
                    self.value(value, names.next().flatten());
                }
            }
            _ => edit_statement(self, statement),
        }
    }

    fn returned(&mut self, values: &mut [Expression<Text>], line: LineNumber) {
        self.line = line;
        self.expressions(values);
    }

    fn constructor_field(&mut self, field: &mut ConstructorField<Text>) {
        match field {
            ConstructorField::Record(RecordKey::Named(name), value) => {
                let name = shown(name);
                self.value(value, Some(name));
            }
            _ => edit_constructor_field(self, field),
        }
    }

    fn function(&mut self, definition: &mut FunctionDefinition<Text>) {
        let found = self.found(None);
        (self.take)(definition, found);
    }
}

/// What a function that is assigned to the target would be called.
fn target_name(target: &AssignmentTarget<Text>) -> Option<String> {
    match target {
        AssignmentTarget::Name(name) | AssignmentTarget::Field(_, FieldSuffix::Named(name)) => {
            Some(shown(name))
        }
        AssignmentTarget::Field(_, FieldSuffix::Indexed(_)) => None,
    }
}

fn shown(name: &Text) -> String {
    String::from_utf8_lossy(script_name(name)).into_owned()
}
