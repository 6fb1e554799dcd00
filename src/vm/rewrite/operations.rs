//! Lists the operations of a statement that the VM may fail in, or that call a script's function.
//!
//! What can't fail is left out: sums of numbers, fields of tables, natives of the library. The
//! tree is looked at after its operators have been bound, so that `..` is a call of a native.

mod statements;

use piccolo::MetaMethod;
use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    BinaryOperator, CallSuffix, ConstructorField, Expression, FieldSuffix, HeadExpression, PrimaryExpression,
    RecordKey, SimpleExpression, SuffixPart, SuffixedExpression, UnaryOperator,
};

use super::library::Facts;
use super::locals::{Type, local};
use super::look;
use super::operators::{HiddenNative, is_hidden};
use super::targets::kept_name;
use super::types::{Holds, binary, native, unary};
use crate::vm::places::{Kind, Operand, Operation, Variable};
use crate::vm::program::Text;

/// Collects the operations of one function.
pub(super) struct Collector<'a> {
    facts: &'a Facts<'a>,
    /// How many functions are around the code.
    depth: u8,
    /// The line of the statement being looked at.
    line: LineNumber,
    /// The variable of the function itself: calls of itself fail in nothing it does not.
    own: Option<&'a Text>,
    /// Whether calls of what certainly is a function are operations too. They can't fail, but their lines are
    /// those of callers.
    all_calls: bool,
    pub(super) operations: Vec<Operation>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(facts: &'a Facts<'a>, depth: u8, line: LineNumber) -> Self {
        Self { facts, depth, line, own: None, all_calls: facts.callers, operations: Vec::new() }
    }

    /// Takes in every call of a script's function, whether it can fail or not.
    pub(super) fn with_all_calls(mut self) -> Self {
        self.all_calls = true;
        self
    }

    /// Leaves calls of this variable out.
    pub(super) fn without_calls_of(mut self, own: Option<&'a Text>) -> Self {
        self.own = own;
        self
    }

    fn add(&mut self, kind: Kind, operands: Vec<Operand>) {
        let line = self.line.0.saturating_add(1);
        let calls = match kind {
            Kind::Operator(MetaMethod::Call) => true,
            Kind::Operator(method) => self.facts.is_caller(method),
            Kind::Key | Kind::Loop => false,
        };
        self.operations.push(Operation { kind, line, operands, calls });
    }

    fn add_operator(&mut self, method: MetaMethod, operands: Vec<Operand>) {
        self.add(Kind::Operator(method), operands);
    }

    fn key(&mut self, key: &Expression<Text>) {
        let operand = self.operand(key);
        let literal = matches!(
            &*key.head,
            HeadExpression::Simple(SimpleExpression::Integer(_) | SimpleExpression::Float(_))
        ) && key.tail.is_empty();
        // Of these types, only a number may be no key.
        if matches!(operand.holds, None | Some(Type::Number)) && !literal {
            self.add(Kind::Key, vec![operand]);
        }
    }

    pub(super) fn expressions(&mut self, expressions: &[Expression<Text>]) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    pub(super) fn expression(&mut self, expression: &Expression<Text>) -> Holds {
        Holds::from(self.operand(expression).holds)
    }

    fn operand(&mut self, expression: &Expression<Text>) -> Operand {
        let mut left = match &*expression.head {
            HeadExpression::Simple(simple) => self.simple(simple),
            HeadExpression::UnaryOperator(operator, operand) => self.unary(*operator, operand),
        };
        for (operator, right) in &expression.tail {
            let right = self.operand(right);
            left = self.binary(*operator, left, right);
        }
        left
    }

    fn unary(&mut self, operator: UnaryOperator, operand: &Expression<Text>) -> Operand {
        let operand = self.operand(operand);
        let holds = unary(self.facts, operator, Holds::from(operand.holds)).certain();
        match operator {
            UnaryOperator::Not => {}
            UnaryOperator::Len if operand.holds == Some(Type::String) => {}
            UnaryOperator::Len
                if operand.holds == Some(Type::Table) && !self.facts.is_caller(MetaMethod::Len) => {}
            UnaryOperator::Len => self.add_operator(MetaMethod::Len, vec![operand]),
            UnaryOperator::Minus if operand.holds == Some(Type::Number) => {}
            UnaryOperator::Minus => self.add_operator(MetaMethod::Unm, vec![operand]),
            UnaryOperator::BitNot => self.add_operator(MetaMethod::BNot, vec![operand]),
        }
        Operand { holds, name: None }
    }

    fn binary(&mut self, operator: BinaryOperator, left: Operand, right: Operand) -> Operand {
        let holds = binary(self.facts, operator, Holds::from(left.holds), Holds::from(right.holds)).certain();
        let both = |wanted: Type| left.holds == Some(wanted) && right.holds == Some(wanted);
        let ordered = both(Type::Number) || both(Type::String);
        let arithmetic = match operator {
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Equal | BinaryOperator::NotEqual => {
                None
            }
            BinaryOperator::LessThan | BinaryOperator::GreaterThan => (!ordered).then_some(MetaMethod::Lt),
            BinaryOperator::LessEqual | BinaryOperator::GreaterEqual => (!ordered).then_some(MetaMethod::Le),
            BinaryOperator::Add => (!both(Type::Number)).then_some(MetaMethod::Add),
            BinaryOperator::Sub => (!both(Type::Number)).then_some(MetaMethod::Sub),
            BinaryOperator::Mul => (!both(Type::Number)).then_some(MetaMethod::Mul),
            BinaryOperator::Div => (!both(Type::Number)).then_some(MetaMethod::Div),
            BinaryOperator::Pow => (!both(Type::Number)).then_some(MetaMethod::Pow),
            // These can fail on numbers too.
            BinaryOperator::IDiv => Some(MetaMethod::IDiv),
            BinaryOperator::Mod => Some(MetaMethod::Mod),
            BinaryOperator::BitAnd => Some(MetaMethod::BAnd),
            BinaryOperator::BitOr => Some(MetaMethod::BOr),
            BinaryOperator::BitXor => Some(MetaMethod::BXor),
            BinaryOperator::ShiftLeft => Some(MetaMethod::Shl),
            BinaryOperator::ShiftRight => Some(MetaMethod::Shr),
            BinaryOperator::Concat => Some(MetaMethod::Concat),
        };
        if let Some(method) = arithmetic {
            let swapped = matches!(operator, BinaryOperator::GreaterThan | BinaryOperator::GreaterEqual);
            self.add_operator(method, if swapped { vec![right, left] } else { vec![left, right] });
        }
        Operand { holds, name: None }
    }

    fn simple(&mut self, expression: &SimpleExpression<Text>) -> Operand {
        let holds = match expression {
            SimpleExpression::Float(_) | SimpleExpression::Integer(_) => Some(Type::Number),
            SimpleExpression::String(_) => Some(Type::String),
            SimpleExpression::Function(_) => Some(Type::Function),
            SimpleExpression::TableConstructor(table) => {
                for field in &table.fields {
                    match field {
                        ConstructorField::Array(value)
                        | ConstructorField::Record(RecordKey::Named(_), value) => {
                            self.expression(value);
                        }
                        ConstructorField::Record(RecordKey::Indexed(key), value) => {
                            self.key(key);
                            self.expression(value);
                        }
                    }
                }
                Some(Type::Table)
            }
            SimpleExpression::Suffixed(suffixed) => return self.suffixed(suffixed, None),
            SimpleExpression::Nil
            | SimpleExpression::True
            | SimpleExpression::False
            | SimpleExpression::VarArgs => None,
        };
        Operand { holds, name: None }
    }

    /// A variable is looked up, or assigned to, in the table of globals, if it is one of these.
    fn global(&mut self, name: &Text, method: MetaMethod) {
        if self.facts.globals_call(method) && local(name).is_none() {
            self.add_operator(method, vec![Operand { holds: Some(Type::Table), name: None }]);
        }
    }

    fn variable(&self, text: &Text) -> Operand {
        match local(text) {
            Some(local) => {
                let what = if local.depth == self.depth { "local" } else { "upvalue" };
                Operand { holds: local.holds, name: Some(Variable { what, name: local.name.into() }) }
            }
            None if self.facts.keeps_library(text) => Operand {
                holds: Some(Type::Table),
                name: Some(Variable { what: "global", name: text.clone() }),
            },
            None => Operand { holds: None, name: Some(Variable { what: "global", name: text.clone() }) },
        }
    }

    /// A variable or an expression in brackets, with what follows it, and then `call`.
    fn suffixed(
        &mut self,
        expression: &SuffixedExpression<Text>,
        call: Option<&CallSuffix<Text>>,
    ) -> Operand {
        let mut value = match &expression.primary {
            PrimaryExpression::Name(name) if is_hidden(name) => return self.hidden(name, expression),
            PrimaryExpression::Name(name) => {
                self.global(name, MetaMethod::Index);
                self.variable(name)
            }
            PrimaryExpression::GroupedExpression(inner) => self.operand(inner),
        };
        for (at, suffix) in expression.suffixes.iter().enumerate() {
            let before = expression.suffixes.get(..at).unwrap_or_default();
            value = match suffix {
                SuffixPart::Field(field) => self.field(expression, before, value, field),
                SuffixPart::Call(call) => self.call(expression, before, value, call),
            };
        }
        match call {
            Some(call) => self.call(expression, &expression.suffixes, value, call),
            None => value,
        }
    }

    fn field(
        &mut self,
        expression: &SuffixedExpression<Text>,
        before: &[SuffixPart<Text>],
        base: Operand,
        field: &FieldSuffix<Text>,
    ) -> Operand {
        self.index(base);
        let name = match field {
            FieldSuffix::Named(name) => Some(name),
            FieldSuffix::Indexed(key) => {
                self.expression(key);
                look::text(key)
            }
        };
        let holds = match (&expression.primary, before, name) {
            (PrimaryExpression::Name(library), [], Some(field)) if self.facts.is_number(library, field) => {
                Some(Type::Number)
            }
            _ => None,
        };
        // As in the reference, a key that only the run knows is a question mark.
        let name = name.cloned().unwrap_or_else(|| Text::from(&b"?"[..]));
        Operand { holds, name: Some(Variable { what: "field", name }) }
    }

    fn index(&mut self, base: Operand) {
        let can_not_fail = match base.holds {
            Some(Type::String) => true,
            Some(Type::Table) => !self.facts.is_caller(MetaMethod::Index),
            _ => false,
        };
        if !can_not_fail {
            self.add_operator(MetaMethod::Index, vec![base]);
        }
    }

    fn call(
        &mut self,
        expression: &SuffixedExpression<Text>,
        before: &[SuffixPart<Text>],
        callee: Operand,
        call: &CallSuffix<Text>,
    ) -> Operand {
        let (known, callee, arguments) = match call {
            CallSuffix::Function(arguments) => {
                (native(self.facts, &expression.primary, before), callee, arguments)
            }
            CallSuffix::Method(name, arguments) => {
                let text = callee.holds == Some(Type::String);
                let known = if text { self.facts.method(b"string", name) } else { None };
                self.index(callee);
                let method = Variable { what: "method", name: name.clone() };
                (known, Operand { holds: None, name: Some(method) }, arguments)
            }
        };
        self.expressions(arguments);
        let called = match (&expression.primary, before, call) {
            (PrimaryExpression::Name(name), [], CallSuffix::Function(_)) => Some(name),
            _ => None,
        };
        let is_native = known.is_some();
        let is_own = called.is_some() && called == self.own;
        let can_not_fail = callee.holds == Some(Type::Function) && !self.all_calls;
        if !is_native && !is_own && !can_not_fail {
            // A native that calls back can be called, whatever then fails in it.
            let is_function = called.is_some_and(|name| self.facts.is_function(name));
            let holds = if is_function { Some(Type::Function) } else { callee.holds };
            self.add_operator(MetaMethod::Call, vec![Operand { holds, ..callee }]);
        }
        let given = called.and_then(|name| local(name)?.gives.flatten());
        Operand { holds: known.and_then(|known| known.gives).or(given), name: None }
    }

    /// A native in the place of an operator. It fails by itself, and asks for the names here.
    fn hidden(&mut self, name: &Text, expression: &SuffixedExpression<Text>) -> Operand {
        const OPERATORS: [(HiddenNative, MetaMethod); 4] = [
            (HiddenNative::Concat, MetaMethod::Concat),
            (HiddenNative::Modulo, MetaMethod::Mod),
            (HiddenNative::LessEqual, MetaMethod::Le),
            (HiddenNative::GreaterEqual, MetaMethod::Le),
        ];
        let method =
            OPERATORS.into_iter().find_map(|(native, method)| (native.variable() == *name).then_some(method));
        let (Some(method), [SuffixPart::Call(CallSuffix::Function(arguments))]) =
            (method, &*expression.suffixes)
        else {
            return Operand { holds: None, name: kept_name(name) };
        };
        let operands: Vec<Operand> = arguments.iter().map(|argument| self.operand(argument)).collect();
        let concat = method == MetaMethod::Concat;
        let safe = |operand: &Operand| match operand.holds {
            Some(Type::Number) => true,
            Some(Type::String) => concat,
            _ => false,
        };
        let all_safe = operands.iter().all(safe);
        let gives = match method {
            MetaMethod::Concat => Some(Type::String),
            MetaMethod::Mod => Some(Type::Number),
            _ => None,
        };
        if !all_safe {
            self.add_operator(method, operands);
        }
        Operand { holds: gives.filter(|_| all_safe || !self.facts.metatables), name: None }
    }
}
