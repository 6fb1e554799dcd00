//! Turns the operators that the interpreter can't bound into calls of natives.
//!
//! * `a .. b .. c` allocates its whole result inside one instruction, whatever the fuel: fifteen
//!   doublings end the process. The native asks the memory budget first.
//! * `...` in a function may hold any number of values, since each call can add to those it was
//!   given, and `{...}` copies them in one instruction. A native looks at their number first.
//! * `a % b` panics for `math.mininteger % -1` and is wrong near the ends of the integers. A
//!   literal divisor between 1 and 2^31 has neither problem and stays an instruction.
//!
//! The natives are named by variables whose names hold a NUL byte and so can't be written in Lua:
//! a script can neither see nor replace them. A global or a field of a hidden table could be
//! found with `pairs`.

use piccolo::compiler::parser::{
    AssignmentTarget, BinaryOperator, Block, CallSuffix, Chunk, ConstructorField, Expression, FieldSuffix,
    ForStatement, FunctionCallStatement, FunctionDefinition, HeadExpression, LineAnnotated,
    PrimaryExpression, RecordKey, SimpleExpression, Statement, SuffixPart, SuffixedExpression,
};

use crate::vm::program::Text;

/// Largest literal divisor for which the `%` instruction is exact for every integer dividend.
const MAX_LITERAL_DIVISOR: i64 = 1 << 31;

/// A native that rewritten programs call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HiddenNative {
    /// `..` over all its arguments.
    Concat,
    /// `%`.
    Modulo,
    /// Bounds the number of values in `...`.
    LimitValues,
    /// Learns where the chunk keeps its line.
    TrackLines,
}

impl HiddenNative {
    pub(super) fn variable(self) -> Text {
        let name: &[u8] = match self {
            Self::Concat => b"\0concat",
            Self::Modulo => b"\0modulo",
            Self::LimitValues => b"\0limit values",
            Self::TrackLines => b"\0track lines",
        };
        name.into()
    }
}

/// Whether a variable is one that rewriting made.
pub(super) fn is_hidden(name: &Text) -> bool {
    name.first() == Some(&0)
}

/// Rewrites the chunk in place. Returns the natives it now needs.
pub(super) fn bind_operators(chunk: &mut Chunk<Text>) -> Vec<HiddenNative> {
    let mut rewriter = Rewriter { used: Vec::new() };
    rewriter.block(&mut chunk.block);
    rewriter.used
}

struct Rewriter {
    used: Vec<HiddenNative>,
}

impl Rewriter {
    fn block(&mut self, block: &mut Block<Text>) {
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
                self.block(&mut s.body);
                self.expression(&mut s.until);
            }
            Statement::Function(s) => self.function(&mut s.definition),
            Statement::LocalFunction(s) => self.function(&mut s.definition),
            Statement::LocalStatement(s) => self.expressions(&mut s.values),
            Statement::FunctionCall(s) => {
                self.suffixed(&mut s.head);
                self.call(&mut s.call);
            }
            Statement::Assignment(s) => {
                for target in &mut s.targets {
                    if let AssignmentTarget::Field(table, field) = target {
                        self.suffixed(table);
                        self.field(field);
                    }
                }
                self.expressions(&mut s.values);
            }
            Statement::Label(_) | Statement::Goto(_) | Statement::Break => {}
        }
    }

    fn for_statement(&mut self, statement: &mut ForStatement<Text>) {
        match statement {
            ForStatement::Numeric { initial, limit, step, body, .. } => {
                self.expression(initial);
                self.expression(limit);
                step.iter_mut().for_each(|step| self.expression(step));
                self.block(body);
            }
            ForStatement::Generic { arguments, body, .. } => {
                self.expressions(arguments);
                self.block(body);
            }
        }
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

    fn expressions(&mut self, expressions: &mut [Expression<Text>]) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    /// Rewrites inside the expression first, then its own chain of operators. The tail is
    /// a left fold: `((head op1 e1) op2 e2) …`; what binds tighter is nested in the `e`s.
    fn expression(&mut self, expression: &mut Expression<Text>) {
        match &mut *expression.head {
            HeadExpression::Simple(simple) => self.simple(simple),
            HeadExpression::UnaryOperator(_, operand) => self.expression(operand),
        }
        let mut tail = Vec::with_capacity(expression.tail.len());
        for (operator, mut right) in std::mem::take(&mut expression.tail) {
            match operator {
                BinaryOperator::Concat => {
                    let left = take_left(&mut expression.head, &mut tail);
                    let operands = self.concat_operands(left, right);
                    *expression.head = self.native_call(HiddenNative::Concat, operands);
                }
                BinaryOperator::Mod if !is_safe_divisor(&right) => {
                    self.expression(&mut right);
                    let left = take_left(&mut expression.head, &mut tail);
                    *expression.head = self.native_call(HiddenNative::Modulo, vec![left, right]);
                }
                _ => {
                    self.expression(&mut right);
                    tail.push((operator, right));
                }
            }
        }
        expression.tail = tail;
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
        operands.push(single_value(rest));
        operands
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
            SimpleExpression::VarArgs
            | SimpleExpression::Float(_)
            | SimpleExpression::Integer(_)
            | SimpleExpression::String(_)
            | SimpleExpression::Nil
            | SimpleExpression::True
            | SimpleExpression::False => {}
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

    fn native_call(
        &mut self,
        native: HiddenNative,
        arguments: Vec<Expression<Text>>,
    ) -> HeadExpression<Text> {
        // In brackets, or `return a .. b` would be a tail call, and an error in it without a line.
        let call = simple(SimpleExpression::Suffixed(self.native_suffixed(native, arguments)));
        let primary = PrimaryExpression::GroupedExpression(call);
        HeadExpression::Simple(SimpleExpression::Suffixed(SuffixedExpression {
            primary,
            suffixes: Vec::new(),
        }))
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
        SuffixedExpression { primary: PrimaryExpression::Name(native.variable()), suffixes: Vec::new() }
    }
}

pub(super) fn simple(expression: SimpleExpression<Text>) -> Expression<Text> {
    Expression { head: Box::new(HeadExpression::Simple(expression)), tail: Vec::new() }
}

/// Takes what stands left of an operator out of the expression being rebuilt.
fn take_left(
    head: &mut Box<HeadExpression<Text>>,
    tail: &mut Vec<(BinaryOperator, Expression<Text>)>,
) -> Expression<Text> {
    let empty = Box::new(HeadExpression::Simple(SimpleExpression::Nil));
    Expression { head: std::mem::replace(head, empty), tail: std::mem::take(tail) }
}

/// As the last argument of a call, `f()` and `...` would pass on all their values; as an operand
/// they pass on one.
fn single_value(expression: Expression<Text>) -> Expression<Text> {
    let primary = PrimaryExpression::GroupedExpression(expression);
    simple(SimpleExpression::Suffixed(SuffixedExpression { primary, suffixes: Vec::new() }))
}

fn is_safe_divisor(expression: &Expression<Text>) -> bool {
    match (&*expression.head, expression.tail.is_empty()) {
        (HeadExpression::Simple(SimpleExpression::Integer(n)), true) => (1..=MAX_LITERAL_DIVISOR).contains(n),
        _ => false,
    }
}
