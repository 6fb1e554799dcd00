//! Loading any bytes: a program or a typed error, soon.

use std::time::Duration;

use goop2::vm::{LoadError, Program};

use crate::sandbox::{self, Entry, Surroundings, process_time};

/// The most processor time for 64 KB of source, in a fuzz build.
const MAX_TIME: Duration = Duration::from_secs(2);

/// Loads `source` if it is a program.
///
/// # Panics
/// When loading it is an internal error or takes long.
pub fn load(source: &[u8]) -> Option<Program> {
    let before = process_time();
    let loaded = Program::compile("fuzz.lua", source);
    let took = process_time().saturating_sub(before);
    assert!(took < MAX_TIME, "loading {} bytes took {took:?}", source.len());
    match loaded {
        Ok(program) => Some(program),
        Err(error) => {
            assert!(!matches!(error, LoadError::Internal { .. }), "{error}");
            let text = error.to_string();
            assert!(text.len() < 16 * 1024, "an error of {} bytes", text.len());
            if let Some(line) = error.line() {
                let lines = 1 + source.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
                assert!((1..=lines as u64).contains(&line), "line {line} of {lines}: {error}");
            }
            None
        }
    }
}

/// Loads `source` and, if it is a program, runs it for a moment.
///
/// # Panics
/// When something that must hold does not.
pub fn check(source: &[u8]) {
    sandbox::run(source, Entry::Chunk, Surroundings::Bare, sandbox::limits(300_000));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_load_and_other_bytes_do_not() {
        assert!(load(b"return 1").is_some());
        for refused in [&b"return return"[..], b"\x1bLua", b"\xFF\xFE", b"x = '"] {
            assert!(load(refused).is_none());
        }
    }
}
