//! `goop.log` and `print`: lines for the owner.
//!
//! A stranger can make a script log, so what a line may hold and how many there may be is bounded,
//! and control characters are escaped: a log is read in a terminal.

use piccolo::Value;

use crate::script::api::Invocation;
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
    let text = if logged == MAX_LINES { "further lines are left out".to_owned() } else { escaped(line) };
    let (script, caller, reference) = (&invocation.script, &invocation.caller.peer, &invocation.reference);
    match level {
        Level::Info => tracing::info!(target: "goop2::lua", %script, %caller, %reference, "{text}"),
        Level::Warn => tracing::warn!(target: "goop2::lua", %script, %caller, %reference, "{text}"),
        Level::Error => tracing::error!(target: "goop2::lua", %script, %caller, %reference, "{text}"),
    }
}

/// The line as text that can't do anything to a terminal.
fn escaped(line: &[u8]) -> String {
    let kept = line.get(..MAX_LINE_BYTES).unwrap_or(line);
    let mut text = String::with_capacity(kept.len());
    for c in String::from_utf8_lossy(kept).chars() {
        if c.is_control() && c != '\t' { text.extend(c.escape_default()) } else { text.push(c) }
    }
    if kept.len() < line.len() {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_lines_cut() {
        assert_eq!(escaped(b"a\x1b[2Jb\nc\td"), "a\\u{1b}[2Jb\\nc\td");
        let long = escaped(&[b'x'; 5_000]);
        assert_eq!(long.len(), MAX_LINE_BYTES + 3);
    }
}
