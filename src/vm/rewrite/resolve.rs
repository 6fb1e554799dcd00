//! Finds out which variable each name means and what it can hold, and writes both into the name
//! (see [`super::locals`]).
//!
//! A variable holds one type when every value it is ever given has that type; what an expression
//! gives depends on its variables in turn. So the tree is walked until nothing changes, starting
//! with "no value seen": variables that only feed each other with numbers are numbers. Each walk
//! declares the variables in the same order, which identifies them.
//!
//! The parameters of a local function hold what its calls give them, as long as the function is
//! only ever called: as a value it may end up anywhere.

use std::collections::HashMap;
use std::ops::Range;

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentTarget, Block, CallSuffix, Chunk, Expression, ForStatement, FunctionDefinition,
    FunctionStatement, PrimaryExpression, Statement, SuffixPart, SuffixedExpression,
};

use super::edit::{Edit, edit_block, edit_statement, edit_suffixed, edit_target};
use super::library::Facts;
use super::locals::{Local, Type};
use super::types::{Holds, Scope, holds};
use crate::vm::program::Text;

/// Walks before the search for types is given up. Programs by people need two or three; one made
/// for it could need as many as it has variables.
const MAX_WALKS: usize = 8;

/// Renames all local variables of the program.
pub(super) fn name_locals(chunk: &mut Chunk<Text>, facts: &Facts<'_>) {
    let mut resolver = Resolver {
        facts,
        held: Vec::new(),
        functions: HashMap::new(),
        names: Vec::new(),
        changed: false,
        walk: Walk::default(),
    };
    for _ in 0..MAX_WALKS {
        resolver.changed = false;
        resolver.walk_chunk(chunk);
        resolver.open_escaped();
        if !resolver.changed {
            break;
        }
    }
    if resolver.changed {
        resolver.held.fill(Holds::Any);
        resolver.functions.clear();
    }
    resolver.names.resize(resolver.held.len(), None);
    resolver.walk.renames = true;
    resolver.walk_chunk(chunk);
}

struct Resolver<'a> {
    facts: &'a Facts<'a>,
    /// What each variable holds, by the order of declaration.
    held: Vec<Holds>,
    /// The local functions, by the variables they are declared as.
    functions: HashMap<usize, Function>,
    /// What each variable is called from now on.
    names: Vec<Option<Text>>,
    changed: bool,
    walk: Walk,
}

/// A local function.
struct Function {
    /// The variables that are its parameters.
    parameters: Range<usize>,
    /// What it returns first.
    returns: Holds,
    /// Whether it is used as a value, and so may be called by anyone.
    escapes: bool,
    /// Whether its variable is given another value.
    replaced: bool,
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
    /// What each function around here returns.
    returns: Vec<Holds>,
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
            let function = self.functions.get(&variable).filter(|function| !function.replaced);
            let gives = function.map(|function| function.returns.certain());
            let text = Local { holds, gives, depth: self.walk.depth, name }.text();
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
        if self.walk.renames
            && let Some(variable) = self.find(name)
            && let Some(Some(text)) = self.names.get(variable)
        {
            *name = text.clone();
        }
    }

    fn holds(&self, expression: &Expression<Text>) -> Holds {
        holds(self.facts, self, expression)
    }

    /// A local function is called here, with these arguments.
    fn called(&mut self, name: &Text, arguments: &[Expression<Text>]) {
        let Some(function) = self.find(name).and_then(|variable| self.functions.get(&variable)) else {
            return;
        };
        if self.walk.renames {
            return;
        }
        for (at, parameter) in function.parameters.clone().enumerate() {
            // The last argument may be a call or `...`, and give values to the parameters behind.
            let given = arguments.get(at).map_or(Holds::Any, |argument| self.holds(argument));
            self.give(parameter, given);
        }
    }

    /// A variable is used as a value.
    fn used(&mut self, name: &Text) {
        let function = self.find(name).and_then(|variable| self.functions.get_mut(&variable));
        if let Some(function) = function {
            self.changed |= !function.escapes;
            function.escapes = true;
        }
    }

    /// A variable is given another value than where it was declared.
    fn replaced(&mut self, variable: usize) {
        if let Some(function) = self.functions.get_mut(&variable) {
            self.changed |= !function.replaced;
            function.replaced = true;
        }
    }

    /// The parameters of functions that anyone may call hold anything.
    fn open_escaped(&mut self) {
        let escaped = self.functions.values().filter(|function| function.escapes);
        let parameters: Vec<usize> = escaped.flat_map(|function| function.parameters.clone()).collect();
        for parameter in parameters {
            self.give(parameter, Holds::Any);
        }
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

    fn returns(&mut self, returned: Holds) {
        if let Some(returns) = self.walk.returns.last_mut() {
            *returns = returns.and(returned);
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
                edit_block(self, body);
                self.leave();
            }
            ForStatement::Generic { names, arguments, body } => {
                self.expressions(arguments);
                self.enter();
                for name in names {
                    let given = self.any();
                    self.declare(name, given);
                }
                edit_block(self, body);
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
            self.replaced(variable);
        }
        let is_global = statement.fields.is_empty() && self.find(&statement.name).is_none();
        let given = match self.facts.entry_argument(&statement.name) {
            Some(argument) if is_global => self.only(argument),
            _ => self.any(),
        };
        self.rename(&mut statement.name);
        self.function_given(&mut statement.definition, given);
    }

    /// A function that is declared as a local variable.
    fn local_function(&mut self, variable: usize, definition: &mut FunctionDefinition<Text>) {
        let start = self.walk.declared;
        let parameters = start..start + definition.parameters.len();
        self.functions.entry(variable).or_insert(Function {
            parameters,
            returns: Holds::Nothing,
            escapes: false,
            replaced: false,
        });
        let returns = self.function_given(definition, Holds::Nothing);
        if let Some(function) = self.functions.get_mut(&variable)
            && !self.walk.renames
        {
            let now = function.returns.and(returns);
            self.changed |= now != function.returns;
            function.returns = now;
        }
    }

    /// Walks a function whose parameters are `given` this by callers that are not seen. Returns
    /// what it returns first.
    fn function_given(&mut self, definition: &mut FunctionDefinition<Text>, given: Holds) -> Holds {
        self.enter();
        self.walk.depth = self.walk.depth.saturating_add(1);
        for parameter in &mut definition.parameters {
            self.declare(parameter, given);
        }
        self.walk.returns.push(Holds::Nothing);
        self.block(&mut definition.body);
        if definition.body.return_statement.is_none() {
            self.returns(Holds::Any);
        }
        self.walk.depth = self.walk.depth.saturating_sub(1);
        self.leave();
        self.walk.returns.pop().unwrap_or(Holds::Any)
    }

    fn suffixed_start(&mut self, expression: &SuffixedExpression<Text>) {
        match (&expression.primary, expression.suffixes.first()) {
            (PrimaryExpression::Name(name), Some(SuffixPart::Call(CallSuffix::Function(arguments)))) => {
                self.called(name, arguments);
            }
            (PrimaryExpression::Name(name), _) => self.used(name),
            (PrimaryExpression::GroupedExpression(_), _) => {}
        }
    }

    fn suffixes(&mut self, expression: &mut SuffixedExpression<Text>) {
        if let PrimaryExpression::Name(name) = &mut expression.primary {
            self.rename(name);
        }
        edit_suffixed(self, expression);
    }

    /// A variable is assigned to.
    fn assigned(&mut self, target: &AssignmentTarget<Text>, given: Holds) {
        if let AssignmentTarget::Name(name) = target
            && let Some(variable) = self.find(name)
        {
            self.give(variable, given);
            self.replaced(variable);
        }
    }
}

impl Edit for Resolver<'_> {
    fn block(&mut self, block: &mut Block<Text>) {
        self.enter();
        edit_block(self, block);
        self.leave();
    }

    fn returned(&mut self, values: &mut [Expression<Text>], _: LineNumber) {
        if !self.walk.renames {
            let returned = values.first().map_or(Holds::Any, |first| self.holds(first));
            self.returns(returned);
        }
        self.expressions(values);
    }

    fn statement(&mut self, statement: &mut Statement<Text>, _: LineNumber) {
        match statement {
            Statement::For(s) => self.for_statement(s),
            Statement::Repeat(s) => {
                // The condition sees the variables of the body.
                self.enter();
                edit_block(self, &mut s.body);
                self.expression(&mut s.until);
                self.leave();
            }
            Statement::Function(s) => self.function_statement(s),
            Statement::LocalFunction(s) => {
                let variable = self.walk.declared;
                let given = self.only(Type::Function);
                self.declare(&mut s.name, given);
                self.local_function(variable, &mut s.definition);
            }
            Statement::LocalStatement(s) => {
                let given = self.given(&s.values, s.names.len());
                self.expressions(&mut s.values);
                for ((name, _), given) in s.names.iter_mut().zip(given) {
                    self.declare(name, given);
                }
            }
            Statement::FunctionCall(s) => {
                match (&s.head.primary, &*s.head.suffixes, &s.call) {
                    (PrimaryExpression::Name(name), [], CallSuffix::Function(arguments)) => {
                        self.called(name, arguments);
                    }
                    _ => self.suffixed_start(&s.head),
                }
                self.suffixes(&mut s.head);
                self.call(&mut s.call);
            }
            Statement::Assignment(s) => {
                let given = self.given(&s.values, s.targets.len());
                for (target, given) in s.targets.iter_mut().zip(given) {
                    self.assigned(target, given);
                    self.target(target);
                }
                self.expressions(&mut s.values);
            }
            _ => edit_statement(self, statement),
        }
    }

    fn target(&mut self, target: &mut AssignmentTarget<Text>) {
        match target {
            AssignmentTarget::Name(name) => self.rename(name),
            AssignmentTarget::Field(..) => edit_target(self, target),
        }
    }

    fn function(&mut self, definition: &mut FunctionDefinition<Text>) {
        let given = self.any();
        self.function_given(definition, given);
    }

    fn suffixed(&mut self, expression: &mut SuffixedExpression<Text>) {
        self.suffixed_start(expression);
        self.suffixes(expression);
    }
}

impl Scope for Resolver<'_> {
    fn variable(&self, name: &Text) -> Holds {
        let variable = self.find(name);
        variable.and_then(|variable| self.held.get(variable)).copied().unwrap_or(Holds::Any)
    }

    fn call(&self, name: &Text) -> Holds {
        let function = self.find(name).and_then(|variable| self.functions.get(&variable));
        match function {
            Some(function) if !function.replaced => function.returns,
            _ => Holds::Any,
        }
    }
}
