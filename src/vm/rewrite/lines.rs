//! Makes programs keep track of the line they are at, for the errors of the VM's own operations.
//!
//! Natives see the line of their caller, but when the VM itself fails (an index of nil, a call of
//! nil, arithmetic on text) it says what and not where, and the frame is gone before anyone could
//! look. So the program writes its line down: a hidden variable of the chunk, set before each
//! statement that can fail and is on another line than the last.
//!
//! A function puts the caller's line back when it returns, so that after a call the variable is
//! right again without being set. Two cases keep the callee's line for the rest of the caller's
//! statement: a function that ends in a tail call, and one that returns all values of a call
//! behind others. Setting the line after every call instead would cost more than the calls.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentStatement, AssignmentTarget, BinaryOperator, Block, CallSuffix, Chunk, ConstructorField,
    Expression, FieldSuffix, ForStatement, FunctionDefinition, HeadExpression, LineAnnotated,
    LocalAttributes, LocalStatement, PrimaryExpression, RecordKey, ReturnStatement, SimpleExpression,
    Statement, SuffixPart, SuffixedExpression, UnaryOperator,
};

use super::operators::{is_hidden, simple};
use crate::vm::program::Text;

/// The chunk's variable that holds the line.
const LINE: &[u8] = b"\0line";
/// A function's copy of its caller's line.
const CALLERS_LINE: &[u8] = b"\0callers line";
/// What a function returns, computed before the caller's line is put back.
const RESULTS: [&[u8]; 4] = [b"\0result 1", b"\0result 2", b"\0result 3", b"\0result 4"];

/// The name of the variable that holds the line, to be declared around the chunk.
pub(super) fn line_variable() -> Text {
    LINE.into()
}

/// Rewrites the chunk so that it sets the line variable.
pub(super) fn track_lines(chunk: &mut Chunk<Text>) {
    track_body(&mut chunk.block, false);
}

/// Rewrites the body of a function, or the chunk, which has no caller to put back.
fn track_body(body: &mut Block<Text>, has_caller: bool) {
    let mut tracker = Tracker { sets_line: false };
    tracker.block(body, None);
    if has_caller && tracker.sets_line {
        put_back_before_returns(body);
        body.statements.insert(0, at(body_line(body), local(&[CALLERS_LINE], vec![variable(LINE)])));
        push_last(body, body.closed_on, put_back());
    }
}

fn body_line(body: &Block<Text>) -> LineNumber {
    body.statements.first().map_or(body.closed_on, |statement| statement.line_number)
}

struct Tracker {
    /// Whether the function sets the line anywhere.
    sets_line: bool,
}

impl Tracker {
    /// Rewrites a block. `known` is the line that the variable holds on entry, if it is certain.
    /// Returns the line that it holds at the end.
    fn block(&mut self, block: &mut Block<Text>, mut known: Option<LineNumber>) -> Option<LineNumber> {
        let mut tracked = Vec::with_capacity(block.statements.len());
        for mut statement in std::mem::take(&mut block.statements) {
            let line = statement.line_number;
            if can_fail(&statement.inner) && known != Some(line) {
                tracked.push(at(line, self.set(line)));
                known = Some(line);
            }
            known = self.inside(&mut statement.inner, line, known);
            tracked.push(statement);
        }
        if let Some(statement) = &mut block.return_statement {
            let line = statement.line_number;
            if statement.inner.returns.iter().any(expression_can_fail) && known != Some(line) {
                tracked.push(at(line, self.set(line)));
                known = Some(line);
            }
            functions_in_all(&mut statement.inner.returns);
        }
        block.statements = tracked;
        known
    }

    fn set(&mut self, line: LineNumber) -> Statement<Text> {
        self.sets_line = true;
        let number = i64::try_from(line.0).unwrap_or(i64::MAX).saturating_add(1);
        assign(LINE, simple(SimpleExpression::Integer(number)))
    }

    /// Rewrites the blocks and functions of a statement. Returns the line known behind it.
    fn inside(
        &mut self,
        statement: &mut Statement<Text>,
        line: LineNumber,
        known: Option<LineNumber>,
    ) -> Option<LineNumber> {
        match statement {
            Statement::If(s) => {
                let mut parts: Vec<_> = std::iter::once(&mut s.if_part).chain(&mut s.else_if_parts).collect();
                for (condition, block) in &mut parts {
                    functions_in(condition);
                    self.block(block, known);
                }
                s.else_part.iter_mut().for_each(|block| {
                    self.block(block, known);
                });
                None
            }
            Statement::While(s) => {
                functions_in(&mut s.condition);
                self.loop_body(&mut s.block, expression_can_fail(&s.condition).then_some(line));
                None
            }
            Statement::Repeat(s) => {
                functions_in(&mut s.until);
                let until = s.body.closed_on;
                self.loop_body(&mut s.body, expression_can_fail(&s.until).then_some(until));
                None
            }
            Statement::Do(block) => {
                self.block(block, known);
                None
            }
            Statement::For(ForStatement::Numeric { initial, limit, step, body, .. }) => {
                functions_in(initial);
                functions_in(limit);
                step.iter_mut().for_each(functions_in);
                self.loop_body(body, None);
                None
            }
            Statement::For(ForStatement::Generic { arguments, body, .. }) => {
                functions_in_all(arguments);
                // The iterator is called again after each round.
                self.loop_body(body, Some(line));
                None
            }
            // A `goto` may come here from anywhere.
            Statement::Label(_) => None,
            Statement::Goto(_) | Statement::Break => known,
            Statement::Function(s) => {
                track_body(&mut s.definition.body, true);
                known
            }
            Statement::LocalFunction(s) => {
                track_body(&mut s.definition.body, true);
                known
            }
            Statement::LocalStatement(s) => {
                functions_in_all(&mut s.values);
                known
            }
            Statement::FunctionCall(s) => {
                functions_in_suffixed(&mut s.head);
                functions_in_call(&mut s.call);
                known
            }
            Statement::Assignment(s) => {
                functions_in_targets(s);
                known
            }
        }
    }

    /// Rewrites a loop's body. What is evaluated between two rounds is on the line `between`.
    fn loop_body(&mut self, body: &mut Block<Text>, between: Option<LineNumber>) {
        let known = self.block(body, None);
        if let Some(line) = between
            && known != Some(line)
        {
            let set = self.set(line);
            push_last(body, line, set);
        }
    }
}

/// Adds a statement to the end of a block, unless it is not reached there, or a label ends the
/// block: a `goto` may jump to such a label over local variables, and to no other.
fn push_last(block: &mut Block<Text>, line: LineNumber, statement: Statement<Text>) {
    let label = block.statements.last().is_some_and(|last| matches!(last.inner, Statement::Label(_)));
    if block.return_statement.is_none() && !label {
        block.statements.push(at(line, statement));
    }
}

// ---- the caller's line ----------------------------------------------------------------------

/// Puts the caller's line back before every `return` of this function, its nested blocks
/// included, its nested functions not.
fn put_back_before_returns(block: &mut Block<Text>) {
    for statement in &mut block.statements {
        match &mut statement.inner {
            Statement::If(s) => {
                put_back_before_returns(&mut s.if_part.1);
                s.else_if_parts.iter_mut().for_each(|(_, block)| put_back_before_returns(block));
                s.else_part.iter_mut().for_each(put_back_before_returns);
            }
            Statement::While(s) => put_back_before_returns(&mut s.block),
            Statement::Repeat(s) => put_back_before_returns(&mut s.body),
            Statement::Do(block) => put_back_before_returns(block),
            Statement::For(ForStatement::Numeric { body, .. } | ForStatement::Generic { body, .. }) => {
                put_back_before_returns(body);
            }
            _ => {}
        }
    }
    let Some(statement) = &mut block.return_statement else { return };
    let line = statement.line_number;
    let ReturnStatement { returns } = &mut statement.inner;
    if !returns.iter().any(expression_can_fail) {
        block.statements.push(at(line, put_back()));
        return;
    }
    let all_single = returns.last().is_none_or(|last| !gives_many(last));
    if let (true, Some(names)) = (all_single, RESULTS.get(..returns.len())) {
        let values = std::mem::take(returns);
        *returns = names.iter().map(|name| variable(name)).collect();
        block.statements.push(at(line, local(names, values)));
        block.statements.push(at(line, put_back()));
    }
}

/// Whether an expression may give other than one value.
fn gives_many(expression: &Expression<Text>) -> bool {
    match (&*expression.head, expression.tail.is_empty()) {
        (HeadExpression::Simple(SimpleExpression::VarArgs), true) => true,
        (HeadExpression::Simple(SimpleExpression::Suffixed(suffixed)), true) => {
            matches!(suffixed.suffixes.last(), Some(SuffixPart::Call(_)))
        }
        _ => false,
    }
}

// ---- what can fail --------------------------------------------------------------------------

/// Whether the statement itself, not the blocks inside it, can fail in an operation of the VM.
fn can_fail(statement: &Statement<Text>) -> bool {
    match statement {
        Statement::If(s) => {
            let conditions = std::iter::once(&s.if_part).chain(&s.else_if_parts);
            conditions.into_iter().any(|(condition, _)| expression_can_fail(condition))
        }
        Statement::While(s) => expression_can_fail(&s.condition),
        Statement::For(ForStatement::Numeric { initial, limit, step, .. }) => {
            let bounds = [Some(initial), Some(limit), step.as_ref()];
            !bounds.into_iter().flatten().all(is_number)
        }
        Statement::FunctionCall(s) => {
            !matches!(&s.head.primary, PrimaryExpression::Name(name) if is_hidden(name))
        }
        Statement::For(ForStatement::Generic { .. }) => true,
        Statement::Function(s) => !s.fields.is_empty() || s.method.is_some(),
        Statement::LocalStatement(s) => s.values.iter().any(expression_can_fail),
        Statement::Assignment(s) => {
            let indexes = s.targets.iter().any(|target| matches!(target, AssignmentTarget::Field(..)));
            indexes || s.values.iter().any(expression_can_fail)
        }
        Statement::Do(_)
        | Statement::Repeat(_)
        | Statement::LocalFunction(_)
        | Statement::Label(_)
        | Statement::Goto(_)
        | Statement::Break => false,
    }
}

fn is_number(expression: &Expression<Text>) -> bool {
    let number = matches!(
        &*expression.head,
        HeadExpression::Simple(SimpleExpression::Integer(_) | SimpleExpression::Float(_))
    );
    number && expression.tail.is_empty()
}

fn expression_can_fail(expression: &Expression<Text>) -> bool {
    let harmless = |operator: &BinaryOperator| matches!(operator, BinaryOperator::And | BinaryOperator::Or);
    let head_can_fail = match &*expression.head {
        HeadExpression::Simple(simple) => simple_can_fail(simple),
        HeadExpression::UnaryOperator(UnaryOperator::Not, operand) => expression_can_fail(operand),
        HeadExpression::UnaryOperator(..) => true,
    };
    head_can_fail
        || expression.tail.iter().any(|(operator, right)| !harmless(operator) || expression_can_fail(right))
}

fn simple_can_fail(expression: &SimpleExpression<Text>) -> bool {
    match expression {
        SimpleExpression::TableConstructor(table) => table.fields.iter().any(|field| match field {
            ConstructorField::Array(value) | ConstructorField::Record(RecordKey::Named(_), value) => {
                expression_can_fail(value)
            }
            // A key may be nil.
            ConstructorField::Record(RecordKey::Indexed(_), _) => true,
        }),
        SimpleExpression::Suffixed(suffixed) => match &suffixed.primary {
            PrimaryExpression::GroupedExpression(inner) => {
                !suffixed.suffixes.is_empty() || expression_can_fail(inner)
            }
            // Natives behind operators know the line themselves; their operands may not.
            PrimaryExpression::Name(name) if is_hidden(name) => suffixed.suffixes.iter().any(|suffix| {
                matches!(suffix, SuffixPart::Call(CallSuffix::Function(operands))
                    if operands.iter().any(expression_can_fail))
            }),
            PrimaryExpression::Name(_) => !suffixed.suffixes.is_empty(),
        },
        SimpleExpression::Function(_)
        | SimpleExpression::Float(_)
        | SimpleExpression::Integer(_)
        | SimpleExpression::String(_)
        | SimpleExpression::Nil
        | SimpleExpression::True
        | SimpleExpression::False
        | SimpleExpression::VarArgs => false,
    }
}

// ---- functions inside expressions -----------------------------------------------------------

fn functions_in_all(expressions: &mut [Expression<Text>]) {
    expressions.iter_mut().for_each(functions_in);
}

fn functions_in(expression: &mut Expression<Text>) {
    match &mut *expression.head {
        HeadExpression::Simple(SimpleExpression::Function(FunctionDefinition { body, .. })) => {
            track_body(body, true);
        }
        HeadExpression::Simple(SimpleExpression::TableConstructor(table)) => {
            for field in &mut table.fields {
                match field {
                    ConstructorField::Array(value) | ConstructorField::Record(RecordKey::Named(_), value) => {
                        functions_in(value);
                    }
                    ConstructorField::Record(RecordKey::Indexed(key), value) => {
                        functions_in(key);
                        functions_in(value);
                    }
                }
            }
        }
        HeadExpression::Simple(SimpleExpression::Suffixed(suffixed)) => functions_in_suffixed(suffixed),
        HeadExpression::Simple(_) => {}
        HeadExpression::UnaryOperator(_, operand) => functions_in(operand),
    }
    expression.tail.iter_mut().for_each(|(_, right)| functions_in(right));
}

fn functions_in_suffixed(expression: &mut SuffixedExpression<Text>) {
    if let PrimaryExpression::GroupedExpression(inner) = &mut expression.primary {
        functions_in(inner);
    }
    for suffix in &mut expression.suffixes {
        match suffix {
            SuffixPart::Field(FieldSuffix::Indexed(key)) => functions_in(key),
            SuffixPart::Field(FieldSuffix::Named(_)) => {}
            SuffixPart::Call(call) => functions_in_call(call),
        }
    }
}

fn functions_in_call(call: &mut CallSuffix<Text>) {
    match call {
        CallSuffix::Method(_, arguments) | CallSuffix::Function(arguments) => functions_in_all(arguments),
    }
}

fn functions_in_targets(statement: &mut AssignmentStatement<Text>) {
    for target in &mut statement.targets {
        if let AssignmentTarget::Field(table, field) = target {
            functions_in_suffixed(table);
            if let FieldSuffix::Indexed(key) = field {
                functions_in(key);
            }
        }
    }
    functions_in_all(&mut statement.values);
}

// ---- building -------------------------------------------------------------------------------

fn at(line: LineNumber, statement: Statement<Text>) -> LineAnnotated<Statement<Text>> {
    LineAnnotated::new(line, statement)
}

fn variable(name: &[u8]) -> Expression<Text> {
    let primary = PrimaryExpression::Name(name.into());
    simple(SimpleExpression::Suffixed(SuffixedExpression { primary, suffixes: Vec::new() }))
}

fn assign(name: &[u8], value: Expression<Text>) -> Statement<Text> {
    let targets = vec![AssignmentTarget::Name(name.into())];
    Statement::Assignment(AssignmentStatement { targets, values: vec![value] })
}

fn local(names: &[&[u8]], values: Vec<Expression<Text>>) -> Statement<Text> {
    let names = names.iter().map(|name| (Text::from(*name), LocalAttributes::NONE)).collect();
    Statement::LocalStatement(LocalStatement { names, values })
}

fn put_back() -> Statement<Text> {
    assign(LINE, variable(CALLERS_LINE))
}
