//! The VM's instructions, read from what they print.
//!
//! The VM has a function for this, and it must stay the only one who calls it: the compiler puts a
//! function with one caller into that caller, here the VM's loop. With a second caller every program
//! was slower, by a tenth to a half. So an instruction is read from its debug text, and encoded again:
//! when that prints the same, it was read right, whatever a later version of the VM prints.

use piccolo::opcode::{OpCode, Operation, RCIndex};
use piccolo::types::{ConstantIndex8, ConstantIndex16, Opt254, RegisterIndex, UpValueIndex, VarCount};

use Operation as Op;

/// What `code` does, if it is one of the instructions that are followed.
pub(super) fn decode(code: OpCode) -> Option<Operation> {
    let text = format!("{code:?}");
    let operation = read(&text)?;
    (format!("{:?}", OpCode::encode(operation)) == text).then_some(operation)
}

/// Reads `OpCode(GetTableC { dest: RegisterIndex(2), table: RegisterIndex(0), key: ConstantIndex8(1) })`.
fn read(text: &str) -> Option<Operation> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let [_, name, fields @ ..] = &*words else { return None };
    let f = Fields(fields);
    let (dest, source) = (f.register("dest"), f.register("source"));
    let (left, right) = (f.operand("left"), f.operand("right"));
    // The letters behind a name say where the operands are, as their types do.
    Some(match name.trim_end_matches(['R', 'C']) {
        "Move" => Op::Move { dest: dest?, source: source? },
        "LoadConstant" => Op::LoadConstant { dest: dest?, constant: ConstantIndex16(f.number("constant")?) },
        "LoadBool" => Op::LoadBool { dest: dest?, value: f.flag("value")?, skip_next: f.flag("skip_next")? },
        "LoadNil" => Op::LoadNil { dest: dest?, count: f.number("count")? },
        "GetUpValue" => Op::GetUpValue { dest: dest?, source: f.upvalue("source")? },
        "SetUpValue" => Op::SetUpValue { dest: f.upvalue("dest")?, source: source? },
        "GetTable" => Op::GetTable { dest: dest?, table: f.register("table")?, key: f.operand("key")? },
        "GetUpTable" => Op::GetUpTable { dest: dest?, table: f.upvalue("table")?, key: f.operand("key")? },
        // One that closes upvalues, of functions that the comparator makes, prints something else.
        "Jump" => Op::Jump { offset: f.number("offset")?, close_upvalues: Opt254::none() },
        "Test" => Op::Test { value: f.register("value")?, is_true: f.flag("is_true")? },
        "TestSet" => Op::TestSet { dest: dest?, value: f.register("value")?, is_true: f.flag("is_true")? },
        "Return" => Op::Return { start: f.register("start")?, count: f.count("count") },
        "Eq" => Op::Eq { skip_if: f.flag("skip_if")?, left: left?, right: right? },
        "Less" => Op::Less { skip_if: f.flag("skip_if")?, left: left?, right: right? },
        "LessEq" => Op::LessEq { skip_if: f.flag("skip_if")?, left: left?, right: right? },
        "Add" => Op::Add { dest: dest?, left: left?, right: right? },
        "Sub" => Op::Sub { dest: dest?, left: left?, right: right? },
        "Mul" => Op::Mul { dest: dest?, left: left?, right: right? },
        "Div" => Op::Div { dest: dest?, left: left?, right: right? },
        "BitOr" => Op::BitOr { dest: dest?, left: left?, right: right? },
        "ShiftLeft" => Op::ShiftLeft { dest: dest?, left: left?, right: right? },
        "Minus" => Op::Minus { dest: dest?, source: source? },
        "Not" => Op::Not { dest: dest?, source: source? },
        "Length" => Op::Length { dest: dest?, source: source? },
        _ => return None,
    })
}

/// The words of an instruction's fields: of each its name, then types and the value.
struct Fields<'a>(&'a [&'a str]);

impl Fields<'_> {
    fn after(&self, field: &str) -> impl Iterator<Item = &str> {
        self.0.iter().copied().skip_while(move |word| *word != field).skip(1)
    }

    fn number<N: std::str::FromStr>(&self, field: &str) -> Option<N> {
        self.after(field).find_map(|word| word.parse().ok())
    }

    fn flag(&self, field: &str) -> Option<bool> {
        self.after(field).next()?.parse().ok()
    }

    fn register(&self, field: &str) -> Option<RegisterIndex> {
        self.number(field).map(RegisterIndex)
    }

    fn upvalue(&self, field: &str) -> Option<UpValueIndex> {
        self.number(field).map(UpValueIndex)
    }

    fn operand(&self, field: &str) -> Option<RCIndex> {
        match self.after(field).next()? {
            "RegisterIndex" => self.register(field).map(RCIndex::Register),
            _ => self.number(field).map(|index| RCIndex::Constant(ConstantIndex8(index))),
        }
    }

    fn count(&self, field: &str) -> VarCount {
        self.number(field).and_then(VarCount::try_constant).unwrap_or_else(VarCount::variable)
    }
}

#[cfg(test)]
mod tests {
    use piccolo::types::PrototypeIndex;

    use super::*;

    #[test]
    fn what_is_followed_is_read_as_it_was_written() {
        let (dest, source, table) = (RegisterIndex(7), RegisterIndex(0), RegisterIndex(254));
        let register = RCIndex::Register(RegisterIndex(9));
        let constant = RCIndex::Constant(ConstantIndex8(255));
        let operations = [
            Op::Move { dest, source },
            Op::LoadConstant { dest, constant: ConstantIndex16(65_535) },
            Op::LoadBool { dest, value: true, skip_next: false },
            Op::LoadNil { dest, count: 3 },
            Op::GetUpValue { dest, source: UpValueIndex(2) },
            Op::SetUpValue { dest: UpValueIndex(2), source },
            Op::GetTable { dest, table, key: constant },
            Op::GetUpTable { dest, table: UpValueIndex(1), key: register },
            Op::Jump { offset: -12, close_upvalues: Opt254::none() },
            Op::Test { value: source, is_true: false },
            Op::TestSet { dest, value: source, is_true: true },
            Op::Return { start: source, count: VarCount::constant(1) },
            Op::Return { start: source, count: VarCount::variable() },
            Op::Eq { skip_if: true, left: register, right: constant },
            Op::Less { skip_if: false, left: constant, right: register },
            Op::LessEq { skip_if: true, left: constant, right: constant },
            Op::Add { dest, left: register, right: register },
            Op::Sub { dest, left: register, right: constant },
            Op::Mul { dest, left: constant, right: register },
            Op::Div { dest, left: constant, right: constant },
            Op::BitOr { dest, left: register, right: constant },
            Op::ShiftLeft { dest, left: register, right: constant },
            Op::Minus { dest, source },
            Op::Not { dest, source },
            Op::Length { dest, source },
        ];
        for operation in operations {
            let decoded = decode(OpCode::encode(operation));
            assert_eq!(format!("{decoded:?}"), format!("{:?}", Some(operation)));
        }
    }

    #[test]
    fn what_is_not_followed_is_nothing() {
        let dest = RegisterIndex(1);
        let one = VarCount::constant(1);
        let operations = [
            Op::Call { func: dest, args: one, returns: one },
            Op::TailCall { func: dest, args: one },
            Op::Closure { dest, proto: PrototypeIndex(0) },
            Op::Concat { dest, source: dest, count: 2 },
            Op::VarArgs { dest, count: one },
            Op::Jump { offset: 1, close_upvalues: Opt254::some(1) },
        ];
        for operation in operations {
            assert!(decode(OpCode::encode(operation)).is_none(), "{operation:?}");
        }
    }
}
