//! `goop.commands()` and `goop.help()`.

use piccolo::{Table, Value};

use crate::script::api::Invocation;
use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome};
use crate::vm::{Mark, set_mark};

pub(super) static COMMANDS: Native = Native { name: "goop.commands", fuel: 16, run: commands };

/// Fuel for a text; each command that is looked at is charged besides.
const HELP_CALL: i32 = 64;

/// Fuel for looking at a command: its description, or how far its name is from the one that is asked for.
const COMMAND: usize = 16;

pub(super) static HELP: Native = Native { name: "goop.help", fuel: HELP_CALL, run: help };

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

/// What the built-in `!help` replies to the text that follows it.
fn help<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let asked = match call.value(1) {
        Value::Nil => String::new(),
        _ => String::from_utf8_lossy(call.text(1)?.as_bytes()).into_owned(),
    };
    let invocation = call.host::<Invocation>()?;
    let (commands, text) = (invocation.commands.len(), invocation.help.text(asked.trim()));
    call.charge_bytes(asked.len() + text.len());
    call.charge_units(COMMAND * commands);
    call.give_bytes(text.as_bytes())
}
