//! `goop.log` and `print`: lines for the owner.
//!
//! Each line carries the script, the caller and the invocation's reference, which a visitor may have been
//! told. How many lines an invocation and a script may log is bounded, and what is in them is escaped.

use piccolo::Value;
use tokio::time::Instant;

use crate::script::api::Invocation;
use crate::script::log_text::{Line, escaped};
use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome};

/// Fuel for a line: writing it out costs far more than an instruction.
const LINE: i32 = 256;

/// The longest line, in bytes; the rest is cut.
const MAX_LINE_BYTES: usize = 1_024;

/// The most lines of one invocation.
const MAX_LINES: usize = 100;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "goop.log.info", fuel: LINE, run: |call| log(call, Level::Info) },
    Native { name: "goop.log.warn", fuel: LINE, run: |call| log(call, Level::Warn) },
    Native { name: "goop.log.error", fuel: LINE, run: |call| log(call, Level::Error) },
];

/// How much a line matters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    Info,
    Warn,
    Error,
}

fn log<'gc>(call: &mut Call<'gc, '_>, level: Level) -> Outcome<'gc> {
    match call.any(1)? {
        Value::String(text) => write(call.host()?, level, text.as_bytes()),
        Value::Nil => write(call.host()?, level, b"nil"),
        Value::Boolean(flag) => write(call.host()?, level, flag.to_string().as_bytes()),
        _ => {
            let text = call.text(1)?;
            write(call.host()?, level, text.as_bytes());
        }
    }
    call.give_nothing()
}

/// Writes a line to the owner's log.
pub(super) fn write(invocation: &Invocation, level: Level, line: &[u8]) {
    let logged = invocation.logged.get();
    invocation.logged.set(logged.saturating_add(1));
    if logged > MAX_LINES {
        return;
    }
    let text = match invocation.lines.take(Instant::now()) {
        Line::LeaveOut => return,
        Line::SayThatMoreIsLeftOut => "further lines of this script in this minute are left out".to_owned(),
        Line::Log if logged == MAX_LINES => "further lines of this invocation are left out".to_owned(),
        Line::Log => escaped(line, MAX_LINE_BYTES),
    };
    let (script, caller, reference) = (&invocation.script, &invocation.caller.peer, &invocation.reference);
    match level {
        Level::Info => tracing::info!(target: "goop2::lua", %script, %caller, %reference, "{text}"),
        Level::Warn => tracing::warn!(target: "goop2::lua", %script, %caller, %reference, "{text}"),
        Level::Error => tracing::error!(target: "goop2::lua", %script, %caller, %reference, "{text}"),
    }
}
