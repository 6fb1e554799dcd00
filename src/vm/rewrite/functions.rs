//! Finds the functions that are written directly in a function's body.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentTarget, Block, CallSuffix, ConstructorField, Expression, FieldSuffix, ForStatement,
    FunctionDefinition, HeadExpression, PrimaryExpression, RecordKey, SimpleExpression, Statement,
    SuffixPart, SuffixedExpression,
};

use super::locals::local;
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
    for statement in &mut block.statements {
        let line = statement.line_number;
        Finder { line, take }.statement(&mut statement.inner);
    }
    if let Some(statement) = &mut block.return_statement {
        let line = statement.line_number;
        Finder { line, take }.expressions(&mut statement.inner.returns);
    }
}

struct Finder<'a, 'b> {
    line: LineNumber,
    take: &'a mut Take<'b>,
}

impl Finder<'_, '_> {
    fn found(&self, name: Option<String>) -> Found {
        Found { name, variable: None, line: self.line }
    }

    fn block(&mut self, block: &mut Block<Text>) {
        each_function(block, self.take);
    }

    fn statement(&mut self, statement: &mut Statement<Text>) {
        match statement {
            Statement::If(s) => {
                for (condition, block) in std::iter::once(&mut s.if_part).chain(&mut s.else_if_parts) {
                    self.expression(condition);
                    self.block(block);
                }
                s.else_part.iter_mut().for_each(|block| self.block(block));
            }
            Statement::While(s) => {
                self.expression(&mut s.condition);
                self.block(&mut s.block);
            }
            Statement::Repeat(s) => {
                self.block(&mut s.body);
                self.expression(&mut s.until);
            }
            Statement::Do(block) => self.block(block),
            Statement::For(ForStatement::Numeric { initial, limit, step, body, .. }) => {
                self.expression(initial);
                self.expression(limit);
                step.iter_mut().for_each(|step| self.expression(step));
                self.block(body);
            }
            Statement::For(ForStatement::Generic { arguments, body, .. }) => {
                self.expressions(arguments);
                self.block(body);
            }
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
            Statement::FunctionCall(s) => {
                self.suffixed(&mut s.head);
                self.call(&mut s.call);
            }
            Statement::Assignment(s) => {
                let names: Vec<Option<String>> =
                    s.targets.iter_mut().map(|target| self.target(target)).collect();
                let mut names = names.into_iter().flatten();
                for value in &mut s.values {
                    self.value(value, names.next());
                }
            }
            Statement::Label(_) | Statement::Goto(_) | Statement::Break => {}
        }
    }

    /// Looks into an assignment's target. Returns what a function in it would be called.
    fn target(&mut self, target: &mut AssignmentTarget<Text>) -> Option<String> {
        match target {
            AssignmentTarget::Name(name) => Some(shown(name)),
            AssignmentTarget::Field(table, field) => {
                self.suffixed(table);
                self.field(field);
                match field {
                    FieldSuffix::Named(name) => Some(shown(name)),
                    FieldSuffix::Indexed(_) => None,
                }
            }
        }
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

    fn expressions(&mut self, expressions: &mut [Expression<Text>]) {
        expressions.iter_mut().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &mut Expression<Text>) {
        match &mut *expression.head {
            HeadExpression::Simple(simple) => self.simple(simple),
            HeadExpression::UnaryOperator(_, operand) => self.expression(operand),
        }
        expression.tail.iter_mut().for_each(|(_, right)| self.expression(right));
    }

    fn simple(&mut self, expression: &mut SimpleExpression<Text>) {
        match expression {
            SimpleExpression::Function(definition) => {
                let found = self.found(None);
                (self.take)(definition, found);
            }
            SimpleExpression::TableConstructor(table) => {
                for field in &mut table.fields {
                    match field {
                        ConstructorField::Array(value) => self.expression(value),
                        ConstructorField::Record(RecordKey::Named(name), value) => {
                            let name = shown(name);
                            self.value(value, Some(name));
                        }
                        ConstructorField::Record(RecordKey::Indexed(key), value) => {
                            self.expression(key);
                            self.expression(value);
                        }
                    }
                }
            }
            SimpleExpression::Suffixed(suffixed) => self.suffixed(suffixed),
            _ => {}
        }
    }

    fn suffixed(&mut self, expression: &mut SuffixedExpression<Text>) {
        if let PrimaryExpression::GroupedExpression(inner) = &mut expression.primary {
            self.expression(inner);
        }
        for suffix in &mut expression.suffixes {
            match suffix {
                SuffixPart::Field(field) => self.field(field),
                SuffixPart::Call(call) => self.call(call),
            }
        }
    }

    fn field(&mut self, field: &mut FieldSuffix<Text>) {
        if let FieldSuffix::Indexed(key) = field {
            self.expression(key);
        }
    }

    fn call(&mut self, call: &mut CallSuffix<Text>) {
        match call {
            CallSuffix::Method(_, arguments) | CallSuffix::Function(arguments) => self.expressions(arguments),
        }
    }
}

fn shown(name: &Text) -> String {
    String::from_utf8_lossy(local(name).map_or(name, |local| local.name)).into_owned()
}
