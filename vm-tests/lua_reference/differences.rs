//! The tables of differences: `| what | code | here | Lua 5.1 |`.
//!
//! Code in back quotes is run by both; so a row that no longer tells a difference fails, as one that was never
//! true. A result in back quotes is compared, with `⏎` for a line end and without the place of a message. Other
//! words are `does not load` and `ends the run` (a final limit), or in the last column a description.

use std::process::Command;
use std::time::Duration;

use goop2::vm::Limits;

use super::page::{Row, code, rows};
use super::ran::{Ran, run_plain, run_reference};

const HEADING: &str = "Differences from Lua 5.1";

/// What no program of the tables needs, unless it is to be stopped.
const LIMITS: Limits = Limits { time: Duration::from_millis(1_000), memory_bytes: 10 * 1024 * 1024 };

/// The rows with code, and that code.
fn programs() -> Vec<(Row, String)> {
    let rows = rows(HEADING).into_iter().inspect(|row| {
        assert_eq!(row.cells.len(), 4, "docs/lua.md:{}: a row has four cells", row.line);
    });
    rows.filter_map(|row| code(&row.cells[1]).map(|source| (row, source))).collect()
}

/// Whether the program ran as the cell says; nothing when the cell describes it in words.
fn agrees(cell: &str, ran: &Ran) -> Option<bool> {
    match (code(cell), cell) {
        (Some(text), _) => Some(!ran.stopped && ran.text().trim_end() == text.trim_end()),
        (None, "does not load") => Some(!ran.loaded),
        (None, "ends the run") => Some(ran.stopped),
        (None, _) => None,
    }
}

#[test]
fn every_difference_is_as_described_here() {
    let mut report = String::new();
    for (row, source) in programs() {
        let ran = run_plain(&source, LIMITS);
        if agrees(&row.cells[2], &ran) != Some(true) {
            report += &format!("docs/lua.md:{}: says {}, gives {ran:?}\n", row.line, row.cells[2]);
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that compares nothing must say so")]
fn every_difference_is_one_from_the_reference_interpreter() {
    if let Err(error) = Command::new("lua5.1").arg("-v").output() {
        eprintln!("skipped: lua5.1 does not start ({error}), so differences are not compared with it");
        return;
    }
    let mut report = String::new();
    for (row, source) in programs() {
        let (ours, theirs) = (run_plain(&source, LIMITS), run_reference(&source));
        if agrees(&row.cells[3], &theirs) == Some(false) {
            report += &format!("docs/lua.md:{}: says {}, gives {theirs:?}\n", row.line, row.cells[3]);
        }
        if !ours.stopped && ours.loaded == theirs.loaded && ours.text() == theirs.text() {
            report += &format!("docs/lua.md:{}: no difference any more: {ours:?}\n", row.line);
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
