//! The types of expressions, as far as the tree tells them.
//!
//! Nothing that keeps scripts in their bounds relies on these types: a wrong one could only make
//! a script's own error name a wrong line. They serve speed, since a sum of two numbers can't fail
//! and needs no note of the line it is on.

use piccolo::compiler::parser::{
    BinaryOperator, CallSuffix, Expression, FieldSuffix, HeadExpression, PrimaryExpression, SimpleExpression,
    SuffixPart, SuffixedExpression, UnaryOperator,
};

use super::library::{Facts, Known};
use super::locals::{Type, local};
use super::look;
use crate::vm::program::Text;

/// What is known of the values of an expression or a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// No value has been seen yet.
    Nothing,
    /// All values are of this type.
    Only(Type),
    /// Anything.
    Any,
}

impl Holds {
    pub(super) fn from(known: Option<Type>) -> Self {
        known.map_or(Self::Any, Self::Only)
    }

    pub(super) fn certain(self) -> Option<Type> {
        match self {
            Self::Only(only) => Some(only),
            Self::Nothing | Self::Any => None,
        }
    }

    /// What holds both this and `other`.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, known) | (known, Self::Nothing) => known,
            (a, b) if a == b => a,
            _ => Self::Any,
        }
    }
}

/// Tells what variables hold.
pub(super) trait Scope {
    fn variable(&self, name: &Text) -> Holds;
    /// What a call of the variable gives first.
    fn call(&self, name: &Text) -> Holds;
}

/// The scope of a tree whose locals are named by what they hold.
struct Named;

impl Scope for Named {
    fn variable(&self, name: &Text) -> Holds {
        Holds::from(local(name).and_then(|local| local.holds))
    }

    fn call(&self, name: &Text) -> Holds {
        Holds::from(local(name).and_then(|local| local.gives.flatten()))
    }
}

/// The type of an expression whose locals are named by what they hold.
pub(super) fn type_of(facts: &Facts<'_>, expression: &Expression<Text>) -> Option<Type> {
    holds(facts, &Named, expression).certain()
}

/// What an expression holds.
pub(super) fn holds(facts: &Facts<'_>, scope: &dyn Scope, expression: &Expression<Text>) -> Holds {
    let head = match &*expression.head {
        HeadExpression::Simple(simple) => simple_holds(facts, scope, simple),
        HeadExpression::UnaryOperator(operator, operand) => {
            unary(facts, *operator, holds(facts, scope, operand))
        }
    };
    expression
        .tail
        .iter()
        .fold(head, |left, (operator, right)| binary(facts, *operator, left, holds(facts, scope, right)))
}

pub(super) fn unary(facts: &Facts<'_>, operator: UnaryOperator, operand: Holds) -> Holds {
    match operator {
        UnaryOperator::Not => Holds::Any,
        UnaryOperator::Len => length(facts, operand),
        UnaryOperator::Minus | UnaryOperator::BitNot => arithmetic(facts, operand, Holds::Only(Type::Number)),
    }
}

fn length(facts: &Facts<'_>, operand: Holds) -> Holds {
    if facts.metatables && operand != Holds::Only(Type::String) {
        return Holds::Any;
    }
    Holds::Only(Type::Number)
}

pub(super) fn binary(facts: &Facts<'_>, operator: BinaryOperator, left: Holds, right: Holds) -> Holds {
    match operator {
        BinaryOperator::Add
        | BinaryOperator::Sub
        | BinaryOperator::Mul
        | BinaryOperator::Mod
        | BinaryOperator::Pow
        | BinaryOperator::Div
        | BinaryOperator::IDiv
        | BinaryOperator::BitAnd
        | BinaryOperator::BitOr
        | BinaryOperator::BitXor
        | BinaryOperator::ShiftLeft
        | BinaryOperator::ShiftRight => arithmetic(facts, left, right),
        BinaryOperator::Concat => {
            let simple = |holds| matches!(holds, Holds::Only(Type::Number | Type::String) | Holds::Nothing);
            if !facts.metatables || (simple(left) && simple(right)) {
                Holds::Only(Type::String)
            } else {
                Holds::Any
            }
        }
        // The types here are all true values: `a or b` is `a`, `a and b` is `b`.
        BinaryOperator::Or => match left {
            Holds::Only(_) | Holds::Nothing => left,
            Holds::Any => Holds::Any,
        },
        BinaryOperator::And => match left {
            Holds::Only(_) => right,
            Holds::Nothing | Holds::Any => left,
        },
        BinaryOperator::NotEqual
        | BinaryOperator::Equal
        | BinaryOperator::LessThan
        | BinaryOperator::LessEqual
        | BinaryOperator::GreaterThan
        | BinaryOperator::GreaterEqual => Holds::Any,
    }
}

/// Arithmetic gives a number or fails, unless a metamethod may be asked.
fn arithmetic(facts: &Facts<'_>, left: Holds, right: Holds) -> Holds {
    match (left, right) {
        _ if !facts.metatables => Holds::Only(Type::Number),
        (Holds::Only(Type::Number), Holds::Only(Type::Number)) => Holds::Only(Type::Number),
        (Holds::Nothing, Holds::Only(Type::Number) | Holds::Nothing)
        | (Holds::Only(Type::Number), Holds::Nothing) => Holds::Nothing,
        _ => Holds::Any,
    }
}

fn simple_holds(facts: &Facts<'_>, scope: &dyn Scope, expression: &SimpleExpression<Text>) -> Holds {
    match expression {
        SimpleExpression::Float(_) | SimpleExpression::Integer(_) => Holds::Only(Type::Number),
        SimpleExpression::String(_) => Holds::Only(Type::String),
        SimpleExpression::TableConstructor(_) => Holds::Only(Type::Table),
        SimpleExpression::Function(_) => Holds::Only(Type::Function),
        SimpleExpression::Suffixed(suffixed) => suffixed_holds(facts, scope, suffixed),
        SimpleExpression::Nil
        | SimpleExpression::True
        | SimpleExpression::False
        | SimpleExpression::VarArgs => Holds::Any,
    }
}

fn suffixed_holds(facts: &Facts<'_>, scope: &dyn Scope, expression: &SuffixedExpression<Text>) -> Holds {
    match (&expression.primary, &*expression.suffixes) {
        (PrimaryExpression::Name(name), []) => scope.variable(name),
        (PrimaryExpression::GroupedExpression(inner), []) => holds(facts, scope, inner),
        (PrimaryExpression::Name(library), [SuffixPart::Field(FieldSuffix::Named(field))])
            if facts.is_number(library, field) =>
        {
            Holds::Only(Type::Number)
        }
        (PrimaryExpression::Name(name), [SuffixPart::Call(CallSuffix::Function(_))])
            if facts.function(name).is_none() =>
        {
            scope.call(name)
        }
        (_, [callee @ .., SuffixPart::Call(CallSuffix::Function(_))]) => {
            Holds::from(native(facts, &expression.primary, callee).and_then(|known| known.gives))
        }
        _ => Holds::Any,
    }
}

/// The native that is certainly called by `primary` and the suffixes behind it.
pub(super) fn native(
    facts: &Facts<'_>,
    primary: &PrimaryExpression<Text>,
    suffixes: &[SuffixPart<Text>],
) -> Option<Known> {
    match (primary, suffixes) {
        (PrimaryExpression::Name(name), []) => facts.function(name),
        (PrimaryExpression::Name(library), [SuffixPart::Field(FieldSuffix::Named(field))]) => {
            facts.method(library, field)
        }
        _ => None,
    }
}

/// The native that the expression certainly is a call of. `error` is one here: it never returns.
pub(super) fn native_called(facts: &Facts<'_>, expression: &Expression<Text>) -> Option<Known> {
    let (primary, callee, call) = look::call(expression)?;
    if let CallSuffix::Method(name, _) = call {
        let object = SuffixedExpression { primary: primary.clone(), suffixes: callee.to_vec() };
        let is_text = suffixed_holds(facts, &Named, &object) == Holds::Only(Type::String);
        return if is_text { facts.method(b"string", name) } else { None };
    }
    match (primary, callee) {
        (PrimaryExpression::Name(name), []) if facts.raises(name) => {
            Some(Known { gives: None, single: true })
        }
        (primary, callee) => native(facts, primary, callee),
    }
}

/// Whether the expression is a call of a native, as far as its names tell. A native that is tail-called could not tell
/// its caller's line: that function would be gone.
pub(super) fn calls_native(facts: &Facts<'_>, expression: &Expression<Text>) -> bool {
    let Some(called) = look::call(expression) else { return false };
    match called {
        (_, _, CallSuffix::Method(name, _)) => facts.is_text_method(name),
        (PrimaryExpression::Name(name), [], _) => facts.is_native(name) || facts.raises(name),
        (PrimaryExpression::Name(name), [SuffixPart::Field(_)], _) => facts.holds_natives(name),
        (PrimaryExpression::Name(name), [SuffixPart::Field(_), SuffixPart::Field(_)], _) => {
            &**name == b"goop" && facts.holds_natives(name)
        }
        _ => false,
    }
}

/// Whether the expression is a call of what certainly is no function, or looks like a table.
pub(super) fn may_call_other(facts: &Facts<'_>, expression: &Expression<Text>) -> bool {
    let Some((primary, suffixes, CallSuffix::Function(_))) = look::call(expression) else { return false };
    match (primary, suffixes) {
        (PrimaryExpression::Name(name), []) => match local(name) {
            Some(local) => local.holds.is_some_and(|holds| holds != Type::Function),
            None => facts.may_be_called_table(name),
        },
        (_, [.., SuffixPart::Field(FieldSuffix::Named(name))]) => facts.may_be_called_table(name),
        _ => false,
    }
}

/// Whether the expression is a call of what may be a native, for all that is known.
pub(super) fn may_call_native(facts: &Facts<'_>, expression: &Expression<Text>) -> bool {
    let Some(called) = look::call(expression) else { return false };
    match called {
        // The object may be a string all the same.
        (_, _, CallSuffix::Method(name, _)) => facts.has_text_method(name) || facts.may_be_native(Some(name)),
        (PrimaryExpression::Name(name), [], _) => match local(name) {
            Some(local) => local.holds != Some(Type::Function) && facts.may_be_native(None),
            None => facts.may_be_native(Some(name)),
        },
        (PrimaryExpression::GroupedExpression(inner), [], _) => {
            type_of(facts, inner) != Some(Type::Function) && facts.may_be_native(None)
        }
        (_, [.., SuffixPart::Field(FieldSuffix::Named(name))], _) => facts.may_be_native(Some(name)),
        _ => facts.may_be_native(None),
    }
}
