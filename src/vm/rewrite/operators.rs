//! Turns the operators that the interpreter can't bound into calls of natives.
//!
//! * `a .. b .. c` allocates its whole result inside one instruction, whatever the fuel: fifteen
//!   doublings end the process. The native asks the memory budget first.
//! * `...` in a function may hold any number of values, since each call can add to those it was
//!   given, and `{...}` copies them in one instruction. A native looks at their number first.
//! * `a % b` panics for `math.mininteger % -1`, is wrong near the ends of the integers, and loses
//!   digits for floats (`0.1 % 1000`).
//! * `a <= b` does not ask `__lt` in the VM. A native does, in programs that name `__lt` and not `__le`.
//!
//! Number literals become floats on the way: in Lua 5.1 all numbers are, while the VM's integers
//! wrap round at 64 bits without a word, and a factorial would be silently wrong. Integers remain
//! where programs and natives count, and where JSON and the database bring ones that a float
//! can't hold. Only a product of such counters can still wrap.
//!
//! The natives are named by variables whose names hold a NUL byte and so can't be written in Lua:
//! a script can neither see nor replace them. A global or a field of a hidden table could be
//! found with `pairs`.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    BinaryOperator, Block, CallSuffix, Chunk, Expression, ForStatement, FunctionCallStatement,
    FunctionDefinition, HeadExpression, LineAnnotated, SimpleExpression, Statement, SuffixPart,
    SuffixedExpression,
};

use super::build::{grouped, simple, suffixed};
use super::edit::{Edit, edit_head, edit_simple, edit_statement};
use super::library::Facts;
use super::locals::Type;
use super::look;
use super::types::{native_called, type_of};
use crate::vm::program::Text;

/// A native that rewritten programs call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HiddenNative {
    /// `..` over all its arguments.
    Concat,
    /// `%`.
    Modulo,
    /// `<=` by `__lt`.
    LessEqual,
    /// `>=` by `__lt`.
    GreaterEqual,
    /// Bounds the number of values in `...`.
    LimitValues,
    /// Learns where the chunk keeps its mark.
    TrackMark,
    /// Puts the mark back and makes a tail call.
    LeaveTo,
    /// Puts the mark back and returns its arguments.
    LeaveWith,
}

impl HiddenNative {
    pub(super) fn variable(self) -> Text {
        let name: &[u8] = match self {
            Self::Concat => b"\0concat",
            Self::Modulo => b"\0modulo",
            Self::LessEqual => b"\0less equal",
            Self::GreaterEqual => b"\0greater equal",
            Self::LimitValues => b"\0limit values",
            Self::TrackMark => b"\0track mark",
            Self::LeaveTo => b"\0leave to",
            Self::LeaveWith => b"\0leave with",
        };
        name.into()
    }
}

/// Whether a variable is one that rewriting made.
pub(super) fn is_hidden(name: &Text) -> bool {
    name.first() == Some(&0)
}

/// Rewrites the chunk in place. Returns the natives it now needs.
///
/// The names of locals tell what they hold.
pub(super) fn bind_operators(chunk: &mut Chunk<Text>, facts: &Facts<'_>) -> Vec<HiddenNative> {
    let mut rewriter = Rewriter { used: Vec::new(), facts };
    rewriter.block(&mut chunk.block);
    rewriter.used
}

struct Rewriter<'a> {
    used: Vec<HiddenNative>,
    facts: &'a Facts<'a>,
}

impl Edit for Rewriter<'_> {
    fn statement(&mut self, statement: &mut Statement<Text>, line: LineNumber) {
        edit_statement(self, statement);
        enclose_if_left_by_goto(statement, line);
    }

    fn returned(&mut self, values: &mut [Expression<Text>], _: LineNumber) {
        self.expressions(values);
        if let [only] = values {
            self.return_one_value(only);
        }
    }

    fn bound(&mut self, bound: &mut Expression<Text>) {
        self.counting(bound);
    }

    fn index(&mut self, index: &mut Expression<Text>) {
        self.counting(index);
    }

    /// A function that takes `...` first has their number looked at.
    fn function(&mut self, definition: &mut FunctionDefinition<Text>) {
        self.block(&mut definition.body);
        if definition.has_varargs {
            let call = CallSuffix::Function(vec![simple(SimpleExpression::VarArgs)]);
            let head = self.native_variable(HiddenNative::LimitValues);
            let check = Statement::FunctionCall(FunctionCallStatement { head, call });
            let statements = &mut definition.body.statements;
            let line = statements.first().map_or(definition.body.closed_on, |first| first.line_number);
            statements.insert(0, LineAnnotated::new(line, check));
        }
    }

    /// Rewrites inside the expression first, then its own chain of operators. The tail is
    /// a left fold: `((head op1 e1) op2 e2) …`; what binds tighter is nested in the `e`s.
    fn expression(&mut self, expression: &mut Expression<Text>) {
        edit_head(self, &mut expression.head);
        let mut tail = Vec::with_capacity(expression.tail.len());
        for (operator, mut right) in std::mem::take(&mut expression.tail) {
            match operator {
                BinaryOperator::Concat => {
                    let left = take_left(&mut expression.head, &mut tail);
                    let operands = self.concat_operands(left, right);
                    *expression.head = self.native_call(HiddenNative::Concat, operands);
                }
                BinaryOperator::Mod => {
                    self.counting(&mut right);
                    let left = take_left(&mut expression.head, &mut tail);
                    *expression.head = self.modulo(left, right);
                }
                BinaryOperator::LessEqual | BinaryOperator::GreaterEqual if self.facts.orders_by_less() => {
                    self.expression(&mut right);
                    let left = take_left(&mut expression.head, &mut tail);
                    if self.are_ordered(&left, &right) {
                        (expression.head, tail) = (left.head, left.tail);
                        tail.push((operator, right));
                    } else {
                        let is_less = operator == BinaryOperator::LessEqual;
                        let native =
                            if is_less { HiddenNative::LessEqual } else { HiddenNative::GreaterEqual };
                        *expression.head = self.native_call(native, vec![left, right]);
                    }
                }
                BinaryOperator::Add | BinaryOperator::Sub => {
                    self.counting(&mut right);
                    tail.push((operator, right));
                }
                _ => {
                    self.expression(&mut right);
                    tail.push((operator, right));
                }
            }
        }
        expression.tail = tail;
    }

    fn simple(&mut self, expression: &mut SimpleExpression<Text>) {
        match expression {
            SimpleExpression::Integer(integer) => *expression = SimpleExpression::Float(*integer as f64),
            _ => edit_simple(self, expression),
        }
    }
}

impl Rewriter<'_> {
    /// A native that gives one value is not tail-called, so that its errors name the line.
    fn return_one_value(&self, returned: &mut Expression<Text>) {
        if native_called(self.facts, returned).is_some_and(|native| native.single) {
            let call = std::mem::replace(returned, simple(SimpleExpression::Nil));
            *returned = grouped(call);
        }
    }

    /// `left % right`: reference Lua's own formula, `a - floor(a / b) * b`, where `a` is
    /// a variable that holds numbers and `b` a positive literal; a native for all others.
    fn modulo(&mut self, left: Expression<Text>, right: Expression<Text>) -> HeadExpression<Text> {
        let number = type_of(self.facts, &left) == Some(Type::Number);
        if !number || look::variable(&left).is_none() || !is_positive_literal(&right) {
            return self.native_call(HiddenNative::Modulo, vec![left, right]);
        }
        let chain = |head: Expression<Text>, tail| Expression { head: head.head, tail };
        let floor = chain(left.clone(), vec![(BinaryOperator::IDiv, right.clone())]);
        let multiple = chain(grouped(floor), vec![(BinaryOperator::Mul, right)]);
        *grouped(chain(left, vec![(BinaryOperator::Sub, multiple)])).head
    }

    /// Whether the operands certainly need no metamethod to be compared.
    fn are_ordered(&self, left: &Expression<Text>, right: &Expression<Text>) -> bool {
        match (type_of(self.facts, left), type_of(self.facts, right)) {
            (Some(left), Some(right)) => left == right && matches!(left, Type::Number | Type::String),
            _ => false,
        }
    }

    /// An expression where a literal only counts: an index, a loop's bound, what is added or
    /// taken away. It may stay an integer, which the VM is faster with.
    fn counting(&mut self, expression: &mut Expression<Text>) {
        let integer = matches!(&*expression.head, HeadExpression::Simple(SimpleExpression::Integer(_)));
        if !integer || !expression.tail.is_empty() {
            self.expression(expression);
        }
    }

    /// `left .. right`, where `right` may itself be `b .. c`: one call for the whole chain, which
    /// joins the operands in one allocation as the instruction would have.
    fn concat_operands(&mut self, left: Expression<Text>, right: Expression<Text>) -> Vec<Expression<Text>> {
        let mut operands = vec![left];
        let mut rest = right;
        loop {
            let concat = rest.tail.iter().position(|(operator, _)| *operator == BinaryOperator::Concat);
            let Some(at) = concat else { break };
            let mut after = rest.tail.split_off(at);
            // `..` is right associative, so a chain on the right is one nested expression, and
            // nothing of the same level follows it.
            let Some((_, next)) = after.pop() else { break };
            self.expression(&mut rest);
            operands.push(std::mem::replace(&mut rest, next));
        }
        self.expression(&mut rest);
        // As the last argument `f()` and `...` would pass on all their values; an operand is one.
        operands.push(grouped(rest));
        operands
    }

    fn native_call(
        &mut self,
        native: HiddenNative,
        arguments: Vec<Expression<Text>>,
    ) -> HeadExpression<Text> {
        // In brackets, or `return a .. b` would be a tail call, and an error in it without a line.
        let call = simple(SimpleExpression::Suffixed(self.native_suffixed(native, arguments)));
        *grouped(call).head
    }

    fn native_suffixed(
        &mut self,
        native: HiddenNative,
        arguments: Vec<Expression<Text>>,
    ) -> SuffixedExpression<Text> {
        let mut call = self.native_variable(native);
        call.suffixes.push(SuffixPart::Call(CallSuffix::Function(arguments)));
        call
    }

    fn native_variable(&mut self, native: HiddenNative) -> SuffixedExpression<Text> {
        if !self.used.contains(&native) {
            self.used.push(native);
        }
        suffixed(&native.variable())
    }
}

/// Puts `do` and `end` around a `for` that holds a `goto`. The code generator panics over a jump
/// from such a loop to a label behind it: it takes the loop's hidden variables to be still there.
fn enclose_if_left_by_goto(statement: &mut Statement<Text>, line: LineNumber) {
    let Statement::For(ForStatement::Numeric { body, .. } | ForStatement::Generic { body, .. }) = statement
    else {
        return;
    };
    if !holds_goto(body) {
        return;
    }
    let closed_on = body.closed_on;
    let empty = Block { statements: Vec::new(), return_statement: None, closed_on };
    let inner = std::mem::replace(statement, Statement::Do(empty));
    if let Statement::Do(block) = statement {
        block.statements.push(LineAnnotated::new(line, inner));
    }
}

/// Whether a `goto` stands in the block, functions inside it not counted.
fn holds_goto(block: &Block<Text>) -> bool {
    block.statements.iter().any(|statement| match &statement.inner {
        Statement::Goto(_) => true,
        other => look::blocks_inside(other).into_iter().any(holds_goto),
    })
}

fn is_positive_literal(expression: &Expression<Text>) -> bool {
    let positive = match &*expression.head {
        HeadExpression::Simple(SimpleExpression::Integer(integer)) => *integer > 0,
        HeadExpression::Simple(SimpleExpression::Float(float)) => *float > 0.0,
        _ => false,
    };
    positive && expression.tail.is_empty()
}

/// Takes what stands left of an operator out of the expression being rebuilt.
fn take_left(
    head: &mut Box<HeadExpression<Text>>,
    tail: &mut Vec<(BinaryOperator, Expression<Text>)>,
) -> Expression<Text> {
    let empty = Box::new(HeadExpression::Simple(SimpleExpression::Nil));
    Expression { head: std::mem::replace(head, empty), tail: std::mem::take(tail) }
}
