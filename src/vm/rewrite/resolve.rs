//! Finds out which variable each name means and what it can hold, and writes both into the name
//! (see [`super::locals`]).
//!
//! A variable holds one type when every value it is ever given has that type; what an expression
//! gives depends on its variables in turn. So the tree is walked until nothing changes, starting
//! with "no value seen": variables that only feed each other with numbers are numbers. Each walk
//! declares the variables in the same order, which identifies them.

use std::collections::HashMap;

use piccolo::compiler::parser::{
    AssignmentTarget, Block, CallSuffix, Chunk, ConstructorField, Expression, FieldSuffix, ForStatement,
    FunctionDefinition, FunctionStatement, HeadExpression, PrimaryExpression, RecordKey, SimpleExpression,
    Statement, SuffixPart, SuffixedExpression,
};

use super::library::Facts;
use super::locals::{Local, Type};
use super::types::{Holds, holds};
use crate::vm::program::Text;

/// Walks before the search for types is given up. Programs by people need two or three; one made
/// for it could need as many as it has variables.
const MAX_WALKS: usize = 8;

/// Renames all local variables of the program.
pub(super) fn name_locals(chunk: &mut Chunk<Text>, facts: &Facts<'_>) {
    let mut resolver =
        Resolver { facts, held: Vec::new(), names: Vec::new(), changed: false, walk: Walk::default() };
    for _ in 0..MAX_WALKS {
        resolver.changed = false;
        resolver.walk_chunk(chunk);
        if !resolver.changed {
            break;
        }
    }
    if resolver.changed {
        resolver.held.fill(Holds::Any);
    }
    resolver.names.resize(resolver.held.len(), None);
    resolver.walk.renames = true;
    resolver.walk_chunk(chunk);
}

struct Resolver<'a> {
    facts: &'a Facts<'a>,
    /// What each variable holds, by the order of declaration.
    held: Vec<Holds>,
    /// What each variable is called from now on.
    names: Vec<Option<Text>>,
    changed: bool,
    walk: Walk,
}

/// Where a walk is.
#[derive(Default)]
struct Walk {
    renames: bool,
    declared: usize,
    depth: u8,
    /// The variables of each name that are in scope, innermost last.
    scope: HashMap<Text, Vec<usize>>,
    /// The names declared in each block around here.
    blocks: Vec<Vec<Text>>,
}

impl Resolver<'_> {
    fn walk_chunk(&mut self, chunk: &mut Chunk<Text>) {
        self.walk = Walk { renames: self.walk.renames, ..Walk::default() };
        self.block(&mut chunk.block);
    }

    // ---- scopes ---------------------------------------------------------------------------

    fn enter(&mut self) {
        self.walk.blocks.push(Vec::new());
    }

    fn leave(&mut self) {
        for name in self.walk.blocks.pop().unwrap_or_default() {
            if let Some(variables) = self.walk.scope.get_mut(&name) {
                variables.pop();
            }
        }
    }

    /// Declares a variable that is given values of `given` where it is declared.
    fn declare(&mut self, name: &mut Text, given: Holds) {
        let variable = self.walk.declared;
        self.walk.declared += 1;
        if variable == self.held.len() {
            self.held.push(Holds::Nothing);
        }
        self.give(variable, given);
        self.walk.scope.entry(name.clone()).or_default().push(variable);
        if let Some(block) = self.walk.blocks.last_mut() {
            block.push(name.clone());
        }
        if self.walk.renames {
            let holds = self.held.get(variable).and_then(|held| held.certain());
            let text = Local { holds, depth: self.walk.depth, name }.text();
            if let Some(slot) = self.names.get_mut(variable) {
                *slot = Some(text.clone());
            }
            *name = text;
        }
    }

    fn give(&mut self, variable: usize, given: Holds) {
        let Some(held) = self.held.get_mut(variable) else { return };
        let now = held.and(given);
        self.changed |= now != *held;
        *held = now;
    }

    /// The local variable that a name means here.
    fn find(&self, name: &Text) -> Option<usize> {
        self.walk.scope.get(name)?.last().copied()
    }

    fn rename(&self, name: &mut Text) {
        if let Some(variable) = self.find(name)
            && let Some(Some(text)) = self.names.get(variable)
        {
            *name = text.clone();
        }
    }

    fn holds(&self, expression: &Expression<Text>) -> Holds {
        let variable = |name: &Text| match self.find(name) {
            Some(variable) => self.held.get(variable).copied().unwrap_or(Holds::Any),
            None => Holds::Any,
        };
        holds(self.facts, &variable, expression)
    }

    /// What each of `count` targets is given. Looked at before the values are renamed.
    fn given(&self, values: &[Expression<Text>], count: usize) -> Vec<Holds> {
        if self.walk.renames {
            return vec![Holds::Nothing; count];
        }
        (0..count).map(|at| values.get(at).map_or(Holds::Any, |value| self.holds(value))).collect()
    }

    fn only(&self, one: Type) -> Holds {
        if self.walk.renames { Holds::Nothing } else { Holds::Only(one) }
    }

    fn any(&self) -> Holds {
        if self.walk.renames { Holds::Nothing } else { Holds::Any }
    }

    // ---- statements -----------------------------------------------------------------------

    fn block(&mut self, block: &mut Block<Text>) {
        self.enter();
        self.inside(block);
        self.leave();
    }

    fn inside(&mut self, block: &mut Block<Text>) {
        for statement in &mut block.statements {
            self.statement(&mut statement.inner);
        }
        if let Some(statement) = &mut block.return_statement {
            self.expressions(&mut statement.inner.returns);
        }
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
            Statement::Do(block) => self.block(block),
            Statement::For(s) => self.for_statement(s),
            Statement::Repeat(s) => {
                self.enter();
                self.inside(&mut s.body);
                self.expression(&mut s.until);
                self.leave();
            }
            Statement::Function(s) => self.function_statement(s),
            Statement::LocalFunction(s) => {
                let given = self.only(Type::Function);
                self.declare(&mut s.name, given);
                self.function(&mut s.definition);
            }
            Statement::LocalStatement(s) => {
                let given = self.given(&s.values, s.names.len());
                self.expressions(&mut s.values);
                for ((name, _), given) in s.names.iter_mut().zip(given) {
                    self.declare(name, given);
                }
            }
            Statement::FunctionCall(s) => {
                self.suffixed(&mut s.head);
                self.call(&mut s.call);
            }
            Statement::Assignment(s) => {
                let given = self.given(&s.values, s.targets.len());
                for (target, given) in s.targets.iter_mut().zip(given) {
                    self.target(target, given);
                }
                self.expressions(&mut s.values);
            }
            Statement::Label(_) | Statement::Goto(_) | Statement::Break => {}
        }
    }

    fn for_statement(&mut self, statement: &mut ForStatement<Text>) {
        match statement {
            ForStatement::Numeric { name, initial, limit, step, body } => {
                self.expression(initial);
                self.expression(limit);
                step.iter_mut().for_each(|step| self.expression(step));
                self.enter();
                let given = self.only(Type::Number);
                self.declare(name, given);
                self.inside(body);
                self.leave();
            }
            ForStatement::Generic { names, arguments, body } => {
                self.expressions(arguments);
                self.enter();
                for name in names {
                    let given = self.any();
                    self.declare(name, given);
                }
                self.inside(body);
                self.leave();
            }
        }
    }

    /// `function a.b:c() … end` becomes `function a.b.c(self) … end`, so that `self` is a variable
    /// like any other.
    fn function_statement(&mut self, statement: &mut FunctionStatement<Text>) {
        if let Some(method) = statement.method.take() {
            statement.fields.push(method);
            statement.definition.parameters.insert(0, Text::from(&b"self"[..]));
        }
        if statement.fields.is_empty()
            && let Some(variable) = self.find(&statement.name)
        {
            let given = self.only(Type::Function);
            self.give(variable, given);
        }
        if self.walk.renames {
            self.rename(&mut statement.name);
        }
        self.function(&mut statement.definition);
    }

    fn function(&mut self, definition: &mut FunctionDefinition<Text>) {
        self.enter();
        self.walk.depth = self.walk.depth.saturating_add(1);
        for parameter in &mut definition.parameters {
            let given = self.any();
            self.declare(parameter, given);
        }
        self.block(&mut definition.body);
        self.walk.depth = self.walk.depth.saturating_sub(1);
        self.leave();
    }

    fn target(&mut self, target: &mut AssignmentTarget<Text>, given: Holds) {
        match target {
            AssignmentTarget::Name(name) => {
                if let Some(variable) = self.find(name) {
                    self.give(variable, given);
                }
                if self.walk.renames {
                    self.rename(name);
                }
            }
            AssignmentTarget::Field(table, field) => {
                self.suffixed(table);
                self.field(field);
            }
        }
    }

    // ---- expressions ----------------------------------------------------------------------

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
            SimpleExpression::TableConstructor(table) => {
                for field in &mut table.fields {
                    match field {
                        ConstructorField::Array(value)
                        | ConstructorField::Record(RecordKey::Named(_), value) => self.expression(value),
                        ConstructorField::Record(RecordKey::Indexed(key), value) => {
                            self.expression(key);
                            self.expression(value);
                        }
                    }
                }
            }
            SimpleExpression::Function(definition) => self.function(definition),
            SimpleExpression::Suffixed(suffixed) => self.suffixed(suffixed),
            _ => {}
        }
    }

    fn suffixed(&mut self, expression: &mut SuffixedExpression<Text>) {
        match &mut expression.primary {
            PrimaryExpression::Name(name) if self.walk.renames => self.rename(name),
            PrimaryExpression::Name(_) => {}
            PrimaryExpression::GroupedExpression(inner) => self.expression(inner),
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
