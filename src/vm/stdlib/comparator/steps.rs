//! The steps of a comparator, made of its instructions.
//!
//! All values lie in one list, wherever an instruction finds them, so that few kinds of steps are
//! left; and each step says which one follows, so that a jump is none.

use piccolo::opcode::{Operation, RCIndex};
use piccolo::types::{RegisterIndex, UpValueIndex};
use piccolo::{Closure, Value};

/// Where one of a comparator's values is.
pub(super) type Place = u16;

/// The number of a step.
pub(super) type Target = u16;

#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) action: Action,
    /// The step after it; of a question, when the answer is yes.
    pub(super) next: Target,
    /// The step after a question whose answer is no.
    pub(super) otherwise: Target,
}

#[derive(Clone, Copy)]
pub(super) enum Action {
    Copy {
        dest: Place,
        source: Place,
    },
    Clear {
        first: Place,
        count: u8,
    },
    /// By a key that is a constant, which is short.
    Field {
        dest: Place,
        table: Place,
        key: Place,
    },
    Index {
        dest: Place,
        table: Place,
        key: Place,
    },
    Calculate {
        dest: Place,
        left: Place,
        right: Place,
        calculation: Calculation,
    },
    Not {
        dest: Place,
        source: Place,
    },
    Length {
        dest: Place,
        source: Place,
    },
    IsTrue {
        value: Place,
    },
    Holds {
        left: Place,
        right: Place,
        relation: Relation,
    },
    Return {
        value: Place,
    },
    /// What only a call does.
    Call,
}

#[derive(Clone, Copy)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
}

#[derive(Clone, Copy)]
pub(super) enum Calculation {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// How a program whose traceback is wanted puts its mark together.
    Or,
    ShiftLeft,
}

impl Relation {
    pub(super) fn holds<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}

/// Values that every comparator has, after its own.
pub(super) fn fixed_values<'gc>() -> [Value<'gc>; 4] {
    [Value::Boolean(false), Value::Boolean(true), Value::Nil, Value::Integer(-1)]
}

/// How a comparator's values lie one after another.
pub(super) struct Layout {
    pub(super) registers: usize,
    pub(super) upvalues: usize,
    constants: usize,
}

impl Layout {
    pub(super) fn of(closure: Closure<'_>) -> Self {
        let prototype = closure.prototype();
        Self {
            registers: prototype.stack_size.into(),
            upvalues: closure.upvalues().len(),
            constants: prototype.constants.len(),
        }
    }

    pub(super) fn values(&self) -> usize {
        self.fixed(fixed_values().len())
    }

    fn upvalue(&self, upvalue: UpValueIndex) -> usize {
        self.registers + usize::from(upvalue.0)
    }

    fn constant(&self, constant: impl Into<usize>) -> usize {
        self.registers + self.upvalues + constant.into()
    }

    fn fixed(&self, fixed: usize) -> usize {
        self.constant(self.constants + fixed)
    }

    fn boolean(&self, value: bool) -> usize {
        self.fixed(value.into())
    }

    fn nil(&self) -> usize {
        self.fixed(2)
    }

    fn minus_one(&self) -> usize {
        self.fixed(3)
    }
}

/// Makes the steps of a comparator: one for each instruction, so that they have the same numbers, and
/// behind them what an instruction does besides.
pub(super) struct Steps<'a> {
    pub(super) layout: &'a Layout,
    /// The instructions; nothing for those that are not followed.
    pub(super) operations: &'a [Option<Operation>],
    /// Which upvalue is the program's mark (see [`crate::vm::places`]). A function that returns has put it
    /// back, so nothing is lost when it is not set at all.
    pub(super) mark: Option<usize>,
    behind: Vec<Step>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(layout: &'a Layout, operations: &'a [Option<Operation>], mark: Option<usize>) -> Self {
        Self { layout, operations, mark, behind: Vec::new() }
    }

    pub(super) fn make(mut self) -> Vec<Step> {
        let mut steps: Vec<_> =
            (0..).zip(self.operations).map(|(at, operation)| self.step(at, *operation)).collect();
        steps.append(&mut self.behind);
        steps
    }

    /// The step of the instruction `operation`, whose number is `at`.
    fn step(&mut self, at: usize, operation: Option<Operation>) -> Step {
        use Operation as Op;
        match operation {
            Some(Op::Eq { skip_if, left, right }) => self.relation(at, Relation::Equal, skip_if, left, right),
            Some(Op::Less { skip_if, left, right }) => {
                self.relation(at, Relation::Less, skip_if, left, right)
            }
            Some(Op::LessEq { skip_if, left, right }) => {
                self.relation(at, Relation::LessOrEqual, skip_if, left, right)
            }
            Some(Op::Test { value, is_true }) => {
                self.question(at, is_true, Action::IsTrue { value: value.0.into() })
            }
            Some(Op::TestSet { dest, value, is_true }) => self.test_set(at, dest, value, is_true),
            Some(Op::LoadBool { dest, value, skip_next }) => {
                let action = copy(dest, self.layout.boolean(value));
                self.and_then(action, at + 1 + usize::from(skip_next))
            }
            operation => self.and_then(operation.map_or(Action::Call, |known| self.action(known)), at + 1),
        }
    }

    /// What an instruction does that the next one always follows.
    fn action(&self, operation: Operation) -> Action {
        use Operation as Op;
        let layout = self.layout;
        match operation {
            Op::Move { dest, source } => copy(dest, source.0.into()),
            Op::LoadConstant { dest, constant } => copy(dest, layout.constant(constant.0)),
            Op::GetUpValue { dest, source } => copy(dest, layout.upvalue(source)),
            Op::LoadNil { dest, count } => Action::Clear { first: dest.0.into(), count },
            Op::GetTable { dest, table, key } => self.index(dest, table.0.into(), key),
            Op::GetUpTable { dest, table, key } => self.index(dest, layout.upvalue(table), key),
            Op::Add { dest, left, right } => self.calculate(Calculation::Add, dest, left, right),
            Op::Sub { dest, left, right } => self.calculate(Calculation::Subtract, dest, left, right),
            Op::Mul { dest, left, right } => self.calculate(Calculation::Multiply, dest, left, right),
            Op::Div { dest, left, right } => self.calculate(Calculation::Divide, dest, left, right),
            Op::BitOr { dest, left, right } => self.calculate(Calculation::Or, dest, left, right),
            Op::ShiftLeft { dest, left, right } => self.calculate(Calculation::ShiftLeft, dest, left, right),
            Op::Minus { dest, source } => Action::Calculate {
                dest: dest.0.into(),
                left: source.0.into(),
                right: place(layout.minus_one()),
                calculation: Calculation::Multiply,
            },
            Op::Not { dest, source } => Action::Not { dest: dest.0.into(), source: source.0.into() },
            Op::Length { dest, source } => Action::Length { dest: dest.0.into(), source: source.0.into() },
            Op::Return { start, count } => match count.to_constant() {
                Some(0) => Action::Return { value: place(layout.nil()) },
                Some(_) => Action::Return { value: start.0.into() },
                None => Action::Call,
            },
            _ => Action::Call,
        }
    }

    fn and_then(&self, action: Action, at: usize) -> Step {
        let next = self.target(at);
        Step { action, next, otherwise: next }
    }

    /// The number of the step that does what the instruction `at` begins with. Jumps, and what is done with the
    /// mark, are left out.
    pub(super) fn target(&self, mut at: usize) -> Target {
        for _ in self.operations {
            at = match (self.operation(at), self.operation(at + 1)) {
                (Some(Operation::Jump { offset, .. }), _) => (at + 1).saturating_add_signed(offset.into()),
                (Some(Operation::LoadConstant { dest, .. }), Some(set))
                    if self.sets_mark(set, Some(dest)) =>
                {
                    at + 2
                }
                (Some(set), _) if self.sets_mark(set, None) => at + 1,
                (Some(Operation::GetUpValue { source, .. }), _) if self.keeps_mark(source) => at + 1,
                _ => break,
            };
        }
        place(at)
    }

    fn operation(&self, at: usize) -> Option<Operation> {
        *self.operations.get(at)?
    }

    /// Whether the mark is set, to the value of that register if one is given.
    fn sets_mark(&self, operation: Operation, to: Option<RegisterIndex>) -> bool {
        let Operation::SetUpValue { dest, source } = operation else { return false };
        self.mark == Some(dest.0.into()) && to.is_none_or(|register| register == source)
    }

    /// Whether this is the mark, read to be put back and, as there are no operations on bits, for nothing else.
    fn keeps_mark(&self, upvalue: UpValueIndex) -> bool {
        let on_bits = |operation: &Option<Operation>| {
            matches!(operation, Some(Operation::BitOr { .. } | Operation::ShiftLeft { .. }))
        };
        self.mark == Some(upvalue.0.into()) && !self.operations.iter().any(on_bits)
    }

    fn relation(&self, at: usize, relation: Relation, skip_if: bool, left: RCIndex, right: RCIndex) -> Step {
        let (left, right) = (self.operand(left), self.operand(right));
        self.question(at, skip_if, Action::Holds { left, right, relation })
    }

    /// A question that skips the next instruction when its answer is `skip_if`.
    fn question(&self, at: usize, skip_if: bool, action: Action) -> Step {
        let next = self.target(at + 1 + usize::from(skip_if));
        Step { action, next, otherwise: self.target(at + 1 + usize::from(!skip_if)) }
    }

    /// Skips the next instruction when `value` is as true as `is_true`, and else keeps it in `dest`.
    fn test_set(&mut self, at: usize, dest: RegisterIndex, value: RegisterIndex, is_true: bool) -> Step {
        let keep = place(self.operations.len() + self.behind.len());
        self.behind.push(self.and_then(copy(dest, value.0.into()), at + 1));
        let skip = self.target(at + 2);
        let (next, otherwise) = if is_true { (skip, keep) } else { (keep, skip) };
        Step { action: Action::IsTrue { value: value.0.into() }, next, otherwise }
    }

    fn index(&self, dest: RegisterIndex, table: usize, key: RCIndex) -> Action {
        let (dest, table, place) = (dest.0.into(), place(table), self.operand(key));
        match key {
            RCIndex::Constant(_) => Action::Field { dest, table, key: place },
            RCIndex::Register(_) => Action::Index { dest, table, key: place },
        }
    }

    fn calculate(
        &self,
        calculation: Calculation,
        dest: RegisterIndex,
        left: RCIndex,
        right: RCIndex,
    ) -> Action {
        let (left, right) = (self.operand(left), self.operand(right));
        Action::Calculate { dest: dest.0.into(), left, right, calculation }
    }

    fn operand(&self, operand: RCIndex) -> Place {
        place(match operand {
            RCIndex::Register(register) => register.0.into(),
            RCIndex::Constant(constant) => self.layout.constant(constant.0),
        })
    }
}

fn copy(dest: RegisterIndex, source: usize) -> Action {
    Action::Copy { dest: dest.0.into(), source: place(source) }
}

/// A place or target that no comparator has is none, and met as such when it is come to.
fn place(index: usize) -> Place {
    Place::try_from(index).unwrap_or(Place::MAX)
}
