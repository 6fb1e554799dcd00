//! What a comparator sees of the functions around it.

use allocator_api2::vec::Vec as ArenaVec;
use ottavino_gc_arena::Gc;
use ottavino_gc_arena::allocator_api::MetricsAlloc;
use piccolo::closure::{UpValue, UpValueState};
use piccolo::compiler::{CompiledPrototype, FunctionRef};
use piccolo::opcode::{OpCode, Operation};
use piccolo::types::{RegisterIndex, UpValueIndex, VarCount};
use piccolo::{Closure, Context, FunctionPrototype, String as LuaString, Value};

/// The values of `closure`'s upvalues, unless one is a variable of a function that still runs.
pub(in crate::vm::stdlib) fn closed_upvalues<'gc>(closure: Closure<'gc>) -> Option<Vec<Value<'gc>>> {
    let closed = |upvalue: &UpValue<'gc>| match upvalue.get() {
        UpValueState::Closed(value) => Some(value),
        UpValueState::Open(_) => None,
    };
    closure.upvalues().iter().map(closed).collect()
}

/// A function that returns the values of `closure`'s upvalues, whoever holds them: what lies on the
/// stack below a native, only the VM can read.
pub(in crate::vm::stdlib) fn upvalue_reader<'gc>(
    ctx: Context<'gc>,
    closure: Closure<'gc>,
) -> Option<Closure<'gc>> {
    let prototype = closure.prototype();
    let upvalues = closure.upvalues();
    let count = u8::try_from(upvalues.len()).ok()?;
    let read = |index| Operation::GetUpValue { dest: RegisterIndex(index), source: UpValueIndex(index) };
    let end = Operation::Return { start: RegisterIndex(0), count: VarCount::try_constant(count)? };
    let compiled = CompiledPrototype::<LuaString<'gc>> {
        reference: FunctionRef::Chunk,
        fixed_params: 0,
        has_varargs: false,
        stack_size: count.into(),
        constants: Vec::new(),
        opcodes: (0..count).map(read).chain([end]).map(OpCode::encode).collect(),
        opcode_line_numbers: Vec::new(),
        upvalues: prototype.upvalues.to_vec(),
        prototypes: Vec::new(),
    };
    let reader = FunctionPrototype::from_compiled(&ctx, prototype.chunk_name, &compiled);
    let mut shared = ArenaVec::new_in(MetricsAlloc::new(&ctx));
    shared.extend_from_slice(upvalues);
    Some(Closure::from_parts(&ctx, Gc::new(&ctx, reader), shared))
}
