//! One traversal of the syntax tree for the passes that change it; [`super::walk`] is that of those that only look.
//!
//! A pass says what it does otherwise, and leaves the rest to the `edit_*` function of the same name, which goes on
//! to the parts in the order of the source. The recursion is bounded as in `walk`.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentTarget, Block, CallSuffix, ConstructorField, Expression, FieldSuffix, ForStatement,
    FunctionDefinition, HeadExpression, PrimaryExpression, RecordKey, SimpleExpression, Statement,
    SuffixPart, SuffixedExpression,
};

use crate::vm::program::Text;

/// A pass that changes the tree.
pub(super) trait Edit: Sized {
    fn block(&mut self, block: &mut Block<Text>) {
        edit_block(self, block);
    }

    fn statement(&mut self, statement: &mut Statement<Text>, _line: LineNumber) {
        edit_statement(self, statement);
    }

    /// The values of a `return`.
    fn returned(&mut self, values: &mut [Expression<Text>], _line: LineNumber) {
        self.expressions(values);
    }

    fn target(&mut self, target: &mut AssignmentTarget<Text>) {
        edit_target(self, target);
    }

    fn expressions(&mut self, expressions: &mut [Expression<Text>]) {
        expressions.iter_mut().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &mut Expression<Text>) {
        edit_expression(self, expression);
    }

    /// A bound or the step of a numeric `for`.
    fn bound(&mut self, bound: &mut Expression<Text>) {
        self.expression(bound);
    }

    /// What stands between `[` and `]`.
    fn index(&mut self, index: &mut Expression<Text>) {
        self.expression(index);
    }

    /// A field of a table constructor.
    fn constructor_field(&mut self, field: &mut ConstructorField<Text>) {
        edit_constructor_field(self, field);
    }

    fn simple(&mut self, expression: &mut SimpleExpression<Text>) {
        edit_simple(self, expression);
    }

    fn function(&mut self, definition: &mut FunctionDefinition<Text>) {
        self.block(&mut definition.body);
    }

    fn suffixed(&mut self, expression: &mut SuffixedExpression<Text>) {
        edit_suffixed(self, expression);
    }

    fn call(&mut self, call: &mut CallSuffix<Text>) {
        match call {
            CallSuffix::Method(_, arguments) | CallSuffix::Function(arguments) => self.expressions(arguments),
        }
    }
}

pub(super) fn edit_block<E: Edit>(e: &mut E, block: &mut Block<Text>) {
    for statement in &mut block.statements {
        e.statement(&mut statement.inner, statement.line_number);
    }
    if let Some(statement) = &mut block.return_statement {
        e.returned(&mut statement.inner.returns, statement.line_number);
    }
}

pub(super) fn edit_statement<E: Edit>(e: &mut E, statement: &mut Statement<Text>) {
    match statement {
        Statement::If(s) => {
            for (condition, block) in std::iter::once(&mut s.if_part).chain(&mut s.else_if_parts) {
                e.expression(condition);
                e.block(block);
            }
            s.else_part.iter_mut().for_each(|block| e.block(block));
        }
        Statement::While(s) => {
            e.expression(&mut s.condition);
            e.block(&mut s.block);
        }
        Statement::Do(block) => e.block(block),
        Statement::For(ForStatement::Numeric { initial, limit, step, body, .. }) => {
            e.bound(initial);
            e.bound(limit);
            step.iter_mut().for_each(|step| e.bound(step));
            e.block(body);
        }
        Statement::For(ForStatement::Generic { arguments, body, .. }) => {
            e.expressions(arguments);
            e.block(body);
        }
        Statement::Repeat(s) => {
            e.block(&mut s.body);
            e.expression(&mut s.until);
        }
        Statement::Function(s) => e.function(&mut s.definition),
        Statement::LocalFunction(s) => e.function(&mut s.definition),
        Statement::LocalStatement(s) => e.expressions(&mut s.values),
        Statement::FunctionCall(s) => {
            e.suffixed(&mut s.head);
            e.call(&mut s.call);
        }
        Statement::Assignment(s) => {
            s.targets.iter_mut().for_each(|target| e.target(target));
            e.expressions(&mut s.values);
        }
        Statement::Label(_) | Statement::Goto(_) | Statement::Break => {}
    }
}

pub(super) fn edit_target<E: Edit>(e: &mut E, target: &mut AssignmentTarget<Text>) {
    if let AssignmentTarget::Field(table, field) = target {
        e.suffixed(table);
        edit_field(e, field);
    }
}

pub(super) fn edit_expression<E: Edit>(e: &mut E, expression: &mut Expression<Text>) {
    edit_head(e, &mut expression.head);
    expression.tail.iter_mut().for_each(|(_, right)| e.expression(right));
}

pub(super) fn edit_head<E: Edit>(e: &mut E, head: &mut HeadExpression<Text>) {
    match head {
        HeadExpression::Simple(simple) => e.simple(simple),
        HeadExpression::UnaryOperator(_, operand) => e.expression(operand),
    }
}

pub(super) fn edit_simple<E: Edit>(e: &mut E, expression: &mut SimpleExpression<Text>) {
    match expression {
        SimpleExpression::TableConstructor(table) => {
            table.fields.iter_mut().for_each(|field| e.constructor_field(field));
        }
        SimpleExpression::Function(definition) => e.function(definition),
        SimpleExpression::Suffixed(suffixed) => e.suffixed(suffixed),
        SimpleExpression::VarArgs
        | SimpleExpression::Integer(_)
        | SimpleExpression::Float(_)
        | SimpleExpression::String(_)
        | SimpleExpression::Nil
        | SimpleExpression::True
        | SimpleExpression::False => {}
    }
}

pub(super) fn edit_constructor_field<E: Edit>(e: &mut E, field: &mut ConstructorField<Text>) {
    match field {
        ConstructorField::Array(value) | ConstructorField::Record(RecordKey::Named(_), value) => {
            e.expression(value);
        }
        ConstructorField::Record(RecordKey::Indexed(key), value) => {
            e.expression(key);
            e.expression(value);
        }
    }
}

pub(super) fn edit_suffixed<E: Edit>(e: &mut E, expression: &mut SuffixedExpression<Text>) {
    if let PrimaryExpression::GroupedExpression(inner) = &mut expression.primary {
        e.expression(inner);
    }
    for suffix in &mut expression.suffixes {
        match suffix {
            SuffixPart::Field(field) => edit_field(e, field),
            SuffixPart::Call(call) => e.call(call),
        }
    }
}

fn edit_field<E: Edit>(e: &mut E, field: &mut FieldSuffix<Text>) {
    if let FieldSuffix::Indexed(index) = field {
        e.index(index);
    }
}

/// Gives the blocks that are directly in a statement, those of functions in it not counted.
pub(super) fn blocks_inside(statement: &mut Statement<Text>, mut take: impl FnMut(&mut Block<Text>)) {
    match statement {
        Statement::If(s) => {
            let conditional = std::iter::once(&mut s.if_part).chain(&mut s.else_if_parts);
            conditional.map(|(_, block)| block).chain(&mut s.else_part).for_each(take);
        }
        Statement::While(s) => take(&mut s.block),
        Statement::Repeat(s) => take(&mut s.body),
        Statement::Do(block) => take(block),
        Statement::For(ForStatement::Numeric { body, .. } | ForStatement::Generic { body, .. }) => take(body),
        _ => {}
    }
}
