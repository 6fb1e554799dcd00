//! What expressions and statements are on the face of it.

use piccolo::compiler::parser::{
    Block, CallSuffix, Expression, ForStatement, HeadExpression, PrimaryExpression, SimpleExpression,
    Statement, SuffixPart, SuffixedExpression,
};

use crate::vm::program::Text;

/// The expression, if it has no operators.
pub(super) fn simple(expression: &Expression<Text>) -> Option<&SimpleExpression<Text>> {
    match &*expression.head {
        HeadExpression::Simple(simple) if expression.tail.is_empty() => Some(simple),
        _ => None,
    }
}

/// The expression, if it is a variable or one in brackets, with what follows it.
pub(super) fn suffixed(expression: &Expression<Text>) -> Option<&SuffixedExpression<Text>> {
    match simple(expression)? {
        SimpleExpression::Suffixed(suffixed) => Some(suffixed),
        _ => None,
    }
}

/// A call, taken apart: what its callee begins with, what follows that, and the call itself.
type Call<'a> = (&'a PrimaryExpression<Text>, &'a [SuffixPart<Text>], &'a CallSuffix<Text>);

/// The expression, if it is a call. It may give other than one value then.
pub(crate) fn call(expression: &Expression<Text>) -> Option<Call<'_>> {
    let suffixed = suffixed(expression)?;
    match &*suffixed.suffixes {
        [callee @ .., SuffixPart::Call(call)] => Some((&suffixed.primary, callee, call)),
        _ => None,
    }
}

/// The expression, if it is a variable and nothing else.
pub(super) fn variable(expression: &Expression<Text>) -> Option<&Text> {
    match suffixed(expression)? {
        SuffixedExpression { primary: PrimaryExpression::Name(name), suffixes } if suffixes.is_empty() => {
            Some(name)
        }
        _ => None,
    }
}

/// The text of an expression that is a string literal.
pub(super) fn text(expression: &Expression<Text>) -> Option<&Text> {
    match simple(expression)? {
        SimpleExpression::String(text) => Some(text),
        _ => None,
    }
}

/// Whether the expression is a function that is written there.
pub(super) fn is_function(expression: &Expression<Text>) -> bool {
    matches!(simple(expression), Some(SimpleExpression::Function(_)))
}

/// Whether the expression is a literal that stands for the same value each time.
pub(super) fn is_constant(expression: &Expression<Text>) -> bool {
    matches!(
        simple(expression),
        Some(
            SimpleExpression::Float(_)
                | SimpleExpression::Integer(_)
                | SimpleExpression::String(_)
                | SimpleExpression::Nil
                | SimpleExpression::True
                | SimpleExpression::False
        )
    )
}

/// The blocks that are directly in a statement, those of functions in it not counted.
pub(super) fn blocks_inside(statement: &Statement<Text>) -> Vec<&Block<Text>> {
    match statement {
        Statement::If(s) => {
            let conditional = std::iter::once(&s.if_part).chain(&s.else_if_parts).map(|(_, block)| block);
            conditional.chain(&s.else_part).collect()
        }
        Statement::While(s) => vec![&s.block],
        Statement::Do(block) => vec![block],
        Statement::For(ForStatement::Numeric { body, .. } | ForStatement::Generic { body, .. }) => vec![body],
        Statement::Repeat(s) => vec![&s.body],
        _ => Vec::new(),
    }
}
