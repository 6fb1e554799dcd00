//! Pieces of syntax tree.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentStatement, AssignmentTarget, Block, CallSuffix, Expression, HeadExpression, LineAnnotated,
    LocalAttributes, LocalStatement, PrimaryExpression, ReturnStatement, SimpleExpression, Statement,
    SuffixPart, SuffixedExpression,
};

use crate::vm::program::Text;

pub(super) fn at<T>(line: LineNumber, inner: T) -> LineAnnotated<T> {
    LineAnnotated::new(line, inner)
}

pub(super) fn empty_block(closed_on: LineNumber) -> Block<Text> {
    Block { statements: Vec::new(), return_statement: None, closed_on }
}

pub(super) fn simple(expression: SimpleExpression<Text>) -> Expression<Text> {
    Expression { head: Box::new(HeadExpression::Simple(expression)), tail: Vec::new() }
}

pub(super) fn variable(name: &[u8]) -> Expression<Text> {
    simple(SimpleExpression::Suffixed(suffixed(name)))
}

pub(super) fn suffixed(name: &[u8]) -> SuffixedExpression<Text> {
    SuffixedExpression { primary: PrimaryExpression::Name(name.into()), suffixes: Vec::new() }
}

/// `(expression)`, which gives one value.
pub(super) fn grouped(expression: Expression<Text>) -> Expression<Text> {
    let primary = PrimaryExpression::GroupedExpression(expression);
    simple(SimpleExpression::Suffixed(SuffixedExpression { primary, suffixes: Vec::new() }))
}

/// `callee(arguments)`
pub(super) fn call(
    mut callee: SuffixedExpression<Text>,
    arguments: Vec<Expression<Text>>,
) -> Expression<Text> {
    callee.suffixes.push(SuffixPart::Call(CallSuffix::Function(arguments)));
    simple(SimpleExpression::Suffixed(callee))
}

pub(super) fn assign(name: &[u8], value: Expression<Text>) -> Statement<Text> {
    let targets = vec![AssignmentTarget::Name(name.into())];
    Statement::Assignment(AssignmentStatement { targets, values: vec![value] })
}

pub(super) fn local_statement(names: &[Text], values: Vec<Expression<Text>>) -> Statement<Text> {
    let names = names.iter().map(|name| (name.clone(), LocalAttributes::NONE)).collect();
    Statement::LocalStatement(LocalStatement { names, values })
}

pub(super) fn returning(returns: Vec<Expression<Text>>) -> ReturnStatement<Text> {
    ReturnStatement { returns }
}
