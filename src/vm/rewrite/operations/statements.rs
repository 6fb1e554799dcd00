//! The operations of statements.

use piccolo::MetaMethod;
use piccolo::compiler::parser::{
    AssignmentTarget, Block, CallSuffix, Expression, FieldSuffix, ForStatement, PrimaryExpression, Statement,
    SuffixPart,
};

use super::Collector;
use crate::vm::places::{Kind, Operand, Variable};
use crate::vm::program::Text;
use crate::vm::rewrite::locals::Type;
use crate::vm::rewrite::look;
use crate::vm::rewrite::types::{Holds, native};

impl Collector<'_> {
    /// Everything in the block, functions inside it not counted.
    pub(in super::super) fn block(&mut self, block: &Block<Text>) {
        for statement in &block.statements {
            self.line = statement.line_number;
            self.own(&statement.inner);
            self.blocks_inside(&statement.inner);
        }
        if let Some(statement) = &block.return_statement {
            self.line = statement.line_number;
            self.expressions(&statement.inner.returns);
        }
    }

    /// Everything in a statement, the blocks inside it included.
    pub(in super::super) fn whole(&mut self, statement: &Statement<Text>) {
        self.own(statement);
        self.blocks_inside(statement);
    }

    fn blocks_inside(&mut self, statement: &Statement<Text>) {
        look::blocks_inside(statement).into_iter().for_each(|block| self.block(block));
        if let Statement::Repeat(s) = statement {
            self.line = s.body.closed_on;
            self.expression(&s.until);
        }
    }

    /// The statement itself without the blocks inside it.
    pub(in super::super) fn own(&mut self, statement: &Statement<Text>) {
        match statement {
            Statement::If(s) => {
                for (condition, _) in std::iter::once(&s.if_part).chain(&s.else_if_parts) {
                    self.expression(condition);
                }
            }
            Statement::While(s) => {
                self.expression(&s.condition);
            }
            Statement::For(s) => self.for_statement(s),
            Statement::FunctionCall(s) => {
                self.suffixed(&s.head, Some(&s.call));
            }
            Statement::Function(s) => self.function_target(&s.name, &s.fields),
            Statement::LocalStatement(s) => self.expressions(&s.values),
            Statement::Assignment(s) => {
                s.targets.iter().for_each(|target| self.target(target));
                self.expressions(&s.values);
            }
            Statement::Do(_)
            | Statement::Repeat(_)
            | Statement::LocalFunction(_)
            | Statement::Label(_)
            | Statement::Goto(_)
            | Statement::Break => {}
        }
    }

    fn for_statement(&mut self, statement: &ForStatement<Text>) {
        match statement {
            ForStatement::Numeric { initial, limit, step, .. } => {
                let mut numbers = true;
                for bound in [Some(initial), Some(limit), step.as_ref()].into_iter().flatten() {
                    numbers &= self.expression(bound) == Holds::Only(Type::Number);
                }
                if !numbers {
                    self.add(Kind::Loop, Vec::new());
                }
            }
            ForStatement::Generic { arguments, .. } => {
                self.expressions(arguments);
                if !self.is_native_iteration(arguments) {
                    self.add_operator(MetaMethod::Call, vec![Operand::default()]);
                }
            }
        }
    }

    /// `pairs(t)` and the like, whose iterators are natives.
    fn is_native_iteration(&self, arguments: &[Expression<Text>]) -> bool {
        let [only] = arguments else { return false };
        let Some((primary, callee, CallSuffix::Function(_))) = look::call(only) else { return false };
        let PrimaryExpression::Name(name) = primary else { return false };
        let is_native = native(self.facts, primary, callee).is_some();
        let iterates = match callee {
            [] => matches!(&**name, b"pairs" | b"ipairs"),
            [SuffixPart::Field(FieldSuffix::Named(field))] => &**field == b"gmatch",
            _ => false,
        };
        is_native && iterates
    }

    fn target(&mut self, target: &AssignmentTarget<Text>) {
        let (table, field) = match target {
            AssignmentTarget::Field(table, field) => (table, field),
            AssignmentTarget::Name(name) => return self.global(name, MetaMethod::NewIndex),
        };
        let base = self.suffixed(table, None);
        self.new_index(base);
        if let FieldSuffix::Indexed(key) = field {
            self.key(key);
        }
    }

    /// `function a.b.c() … end` assigns a field.
    fn function_target(&mut self, name: &Text, fields: &[Text]) {
        let Some((_, path)) = fields.split_last() else { return self.global(name, MetaMethod::NewIndex) };
        self.global(name, MetaMethod::Index);
        let mut base = self.variable(name);
        for field in path {
            self.index(base);
            base = Operand { holds: None, name: Some(Variable { what: "field", name: field.clone() }) };
        }
        self.new_index(base);
    }

    /// A field of `base` is assigned to.
    fn new_index(&mut self, base: Operand) {
        if base.holds != Some(Type::Table) || self.facts.is_caller(MetaMethod::NewIndex) {
            self.add_operator(MetaMethod::NewIndex, vec![base]);
        }
    }
}
