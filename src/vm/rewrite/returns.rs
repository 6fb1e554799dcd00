//! Puts the caller's mark back wherever a function returns.
//!
//! What is returned is computed first, while the function's own mark holds. A tail call must stay
//! one, so the callee and its arguments are computed, the mark is put back, and then the call is
//! made. A callee that is nil or false fails under the function's own mark; that one is a number,
//! say, is found under its caller's, which is the one error whose line may be wrong. Calls whose
//! last argument is another call, with any number of values, go through a native, and so do calls
//! of what may itself be a native, because only the run can tell: a native must find the function
//! that calls it, while a function of the script must not. Of what looks like a table, too, only the
//! run can tell whether it can be called.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    Block, CallSuffix, Expression, FieldSuffix, HeadExpression, IfStatement, LineAnnotated,
    PrimaryExpression, ReturnStatement, SimpleExpression, Statement, SuffixPart, SuffixedExpression,
};

use super::build::{assign, at, call, empty_block, local_statement, suffixed, variable};
use super::edit::blocks_inside;
use super::library::Facts;
use super::locals::{Type, local};
use super::look;
use super::marks::{CALLERS_MARK, MARK};
use super::operations::Collector;
use super::operators::{HiddenNative, is_hidden};
use super::types::{calls_native, may_call_native, may_call_other, type_of};
use crate::vm::program::Text;

/// Values that are kept in variables while the mark is put back; more go through a native.
const MAX_KEPT: usize = 4;
/// Arguments of a tail call that are kept in variables.
const MAX_ARGUMENTS: usize = 3;

/// Puts the caller's mark back before every `return` of this function, its nested blocks
/// included, its nested functions not.
pub(super) fn put_back_before_returns(
    block: &mut Block<Text>,
    facts: &Facts<'_>,
    natives: &mut Vec<HiddenNative>,
) {
    for statement in &mut block.statements {
        blocks_inside(&mut statement.inner, |block| put_back_before_returns(block, facts, natives));
    }
    if let Some(statement) = &mut block.return_statement {
        let line = statement.line_number;
        let mut leaving = Leaving { line, facts, natives, mark: CALLERS_MARK, before: Vec::new() };
        leaving.rewrite(&mut statement.inner);
        block.statements.append(&mut leaving.before);
    }
}

/// Turns tail calls of natives into calls, in a function that puts no mark back. One that calls what may be a
/// native does so only if it is the main chunk, which need not make room for what it calls.
pub(super) fn stay_for_natives(block: &mut Block<Text>, facts: &Facts<'_>, natives: &mut Vec<HiddenNative>) {
    for statement in &mut block.statements {
        blocks_inside(&mut statement.inner, |block| stay_for_natives(block, facts, natives));
    }
    if let Some(statement) = &mut block.return_statement
        && let [only] = &*statement.inner.returns
        && (calls_native(facts, only) || may_call_native(facts, only))
    {
        let line = statement.line_number;
        // Its own mark is its caller's.
        let mut leaving = Leaving { line, facts, natives, mark: MARK, before: Vec::new() };
        let returns = std::mem::take(&mut statement.inner.returns);
        statement.inner.returns = vec![leaving.through(HiddenNative::LeaveWith, returns)];
    }
}

/// `mark = callers mark`
pub(super) fn put_back() -> Statement<Text> {
    assign(MARK, variable(CALLERS_MARK))
}

struct Leaving<'a, 'b> {
    line: LineNumber,
    facts: &'a Facts<'b>,
    natives: &'a mut Vec<HiddenNative>,
    /// The variable with the mark to be put back.
    mark: &'static [u8],
    /// Statements to stand before the `return`.
    before: Vec<LineAnnotated<Statement<Text>>>,
}

impl Leaving<'_, '_> {
    fn rewrite(&mut self, statement: &mut ReturnStatement<Text>) {
        let mut returns = std::mem::take(&mut statement.returns);
        statement.returns = match &mut *returns {
            [only] if calls_native(self.facts, only) => vec![self.through(HiddenNative::LeaveWith, returns)],
            [only] if is_call(only) => vec![self.tail_call(returns)],
            _ => self.return_values(returns),
        };
    }

    fn return_values(&mut self, mut values: Vec<Expression<Text>>) -> Vec<Expression<Text>> {
        let many = values.last().is_some_and(is_call);
        if many || (values.len() > MAX_KEPT && !values.iter().all(|value| self.is_safe(value))) {
            return vec![self.through(HiddenNative::LeaveWith, values)];
        }
        self.keep_unsafe(&mut values);
        self.before.push(at(self.line, put_back()));
        values
    }

    /// Whether evaluating it can neither fail in the VM nor run any function of the script.
    fn is_safe(&self, value: &Expression<Text>) -> bool {
        let mut collector = Collector::new(self.facts, 0, self.line).with_all_calls();
        collector.expression(value);
        collector.operations.is_empty()
    }

    /// Computes now what can fail, and what stands before it, since that may be changed by it.
    fn keep_unsafe(&mut self, values: &mut [Expression<Text>]) {
        let unsafe_until = values.iter().rposition(|value| !self.is_safe(value)).map_or(0, |last| last + 1);
        for value in values.iter_mut().take(unsafe_until) {
            if !look::is_constant(value) {
                *value = self.keep(std::mem::replace(value, variable(CALLERS_MARK)));
            }
        }
    }

    /// Computes a value now, for use after the mark has been put back.
    fn keep(&mut self, value: Expression<Text>) -> Expression<Text> {
        let name: Text = format!("\0kept {}", self.before.len()).into_bytes().into();
        self.before.push(at(self.line, local_statement(std::slice::from_ref(&name), vec![value])));
        variable(&name)
    }

    fn tail_call(&mut self, mut returns: Vec<Expression<Text>>) -> Expression<Text> {
        let only = returns.pop().unwrap_or_else(|| variable(CALLERS_MARK));
        let is_function = callee_is_function(self.facts, &only);
        let may_be_other = may_call_native(self.facts, &only) || may_call_other(self.facts, &only);
        let Some((callee, arguments)) = split_call(only) else { return variable(CALLERS_MARK) };
        let mut parts = match callee {
            Callee::Plain(callee) => vec![callee],
            Callee::Method(object, name) => {
                let stays = is_local(&object) && arguments.iter().all(|argument| self.is_safe(argument));
                let object = if stays { object } else { self.keep(object) };
                let mut method = one_suffixed(object.clone());
                method.suffixes.push(SuffixPart::Field(FieldSuffix::Named(name)));
                vec![super::build::simple(SimpleExpression::Suffixed(method)), object]
            }
        };
        parts.extend(arguments);
        let many = parts.len() > MAX_ARGUMENTS + 1 || (parts.len() > 1 && parts.last().is_some_and(is_call));
        if many || may_be_other {
            return self.through(HiddenNative::LeaveTo, parts);
        }
        self.keep_unsafe(&mut parts);
        let arguments = parts.split_off(1);
        let mut callee = parts.pop().unwrap_or_else(|| variable(CALLERS_MARK));
        if is_function {
            self.before.push(at(self.line, put_back()));
        } else {
            if !is_local(&callee) {
                callee = self.keep(callee);
            }
            let mut block = empty_block(self.line);
            block.statements.push(at(self.line, put_back()));
            let if_part = (callee.clone(), block);
            let statement =
                Statement::If(IfStatement { if_part, else_if_parts: Vec::new(), else_part: None });
            self.before.push(at(self.line, statement));
        }
        call(one_suffixed(callee), arguments)
    }

    /// `native(mark, values…)`
    fn through(&mut self, through: HiddenNative, mut values: Vec<Expression<Text>>) -> Expression<Text> {
        if !self.natives.contains(&through) {
            self.natives.push(through);
        }
        values.insert(0, variable(self.mark));
        call(suffixed(&through.variable()), values)
    }
}

/// Takes the last call of an expression apart.
fn split_call(expression: Expression<Text>) -> Option<(Callee, Vec<Expression<Text>>)> {
    let HeadExpression::Simple(SimpleExpression::Suffixed(mut suffixed)) = *expression.head else {
        return None;
    };
    let Some(SuffixPart::Call(last)) = suffixed.suffixes.pop() else { return None };
    let callee = super::build::simple(SimpleExpression::Suffixed(suffixed));
    Some(match last {
        CallSuffix::Function(arguments) => (Callee::Plain(callee), arguments),
        CallSuffix::Method(name, arguments) => (Callee::Method(callee, name), arguments),
    })
}

enum Callee {
    Plain(Expression<Text>),
    /// An object and the name of its method.
    Method(Expression<Text>, Text),
}

/// The expression as what a suffix can follow.
fn one_suffixed(expression: Expression<Text>) -> SuffixedExpression<Text> {
    match *expression.head {
        HeadExpression::Simple(SimpleExpression::Suffixed(suffixed)) if expression.tail.is_empty() => {
            suffixed
        }
        head => {
            let inner = Expression { head: Box::new(head), tail: expression.tail };
            SuffixedExpression { primary: PrimaryExpression::GroupedExpression(inner), suffixes: Vec::new() }
        }
    }
}

fn callee_is_function(facts: &Facts<'_>, expression: &Expression<Text>) -> bool {
    match look::call(expression) {
        Some((primary, [], CallSuffix::Function(_))) => {
            let callee = SuffixedExpression { primary: primary.clone(), suffixes: Vec::new() };
            let callee = super::build::simple(SimpleExpression::Suffixed(callee));
            type_of(facts, &callee) == Some(Type::Function)
        }
        _ => false,
    }
}

fn is_call(expression: &Expression<Text>) -> bool {
    look::call(expression).is_some()
}

/// Whether the expression is a local variable and nothing else.
fn is_local(expression: &Expression<Text>) -> bool {
    look::variable(expression).is_some_and(|name| is_hidden(name) || local(name).is_some())
}
