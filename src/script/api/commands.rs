//! `goop.commands()`.

use piccolo::{Table, Value};

use crate::script::api::Invocation;
use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome};
use crate::vm::{Mark, set_mark};

pub(super) static COMMANDS: Native = Native { name: "goop.commands", fuel: 16, run: commands };

/// The names of all commands, sorted, as a list.
fn commands<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let commands = call.host::<Invocation>()?.commands.clone();
    let list = Table::new(&call.ctx);
    if commands.is_empty() {
        set_mark(call.ctx, list, Mark::List);
    }
    for (index, command) in (1_i64..).zip(commands.iter()) {
        let name = call.new_string(command.as_bytes())?;
        let set = list.set_raw(&call.ctx, Value::Integer(index), name.into());
        debug_assert!(set.is_ok(), "an integer is always a valid key");
    }
    call.give(list)
}
