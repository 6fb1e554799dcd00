//! Reference Lua as a test oracle: runs one generated script in one `lua5.1` process.
//!
//! One process for thousands of cases, because starting one takes longer than a case. The script
//! prints one line for each case; [`PRELUDE`] gives it `show`, which writes any value in plain
//! ASCII, and [`show_bytes`] writes our own answers the same way.

#![cfg(test)]

use std::io::Write;
use std::process::Command;

/// Lua helpers for the generated scripts: `show(...)` prints one line for one case.
const PRELUDE: &str = r##"
local function text(v)
  if type(v) == "string" then
    return '"' .. (v:gsub("[^%w ]", function(c) return ("\\%03d"):format(c:byte()) end)) .. '"'
  end
  return tostring(v)
end
function without_place(fine, value)
  return fine, fine and value or (value:gsub("^.-:%d+: ", ""))
end
function show(...)
  local line = {}
  for i = 1, select("#", ...) do line[i] = text((select(i, ...))) end
  print(table.concat(line, " "))
end
"##;

/// Runs `body` after the prelude with the time zone `zone` and returns the lines it printed, or
/// nothing when this machine has no `lua5.1`.
pub(crate) fn reference_lines(body: &str, zone: &str) -> Option<Vec<String>> {
    let mut script = tempfile::NamedTempFile::new().unwrap();
    script.write_all(PRELUDE.as_bytes()).unwrap();
    script.write_all(body.as_bytes()).unwrap();
    let output = match Command::new("lua5.1").arg(script.path()).env("TZ", zone).env("LC_ALL", "C").output() {
        Ok(output) => output,
        Err(error) => {
            skipped(&error);
            return None;
        }
    };
    assert!(output.status.success(), "lua5.1 failed: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[expect(clippy::print_stderr, reason = "a skipped test has to say so to whoever reads its output")]
fn skipped(error: &std::io::Error) {
    eprintln!("skipped: the comparison with reference Lua needs `lua5.1` on PATH ({error})");
}

/// Writes a string as the prelude's `show` does.
pub(crate) fn show_bytes(bytes: &[u8]) -> String {
    let mut shown = String::from("\"");
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || byte == b' ' {
            shown.push(char::from(byte));
        } else {
            shown.push_str(&format!("\\{byte:03}"));
        }
    }
    shown.push('"');
    shown
}

/// Writes a string as a Lua literal.
pub(crate) fn literal(bytes: &[u8]) -> String {
    show_bytes(bytes)
}

/// Compares the two sides line by line and names the first cases that differ.
pub(crate) fn assert_same(cases: &[String], ours: &[String], reference: &[String]) {
    assert_eq!(ours.len(), reference.len(), "lua5.1 printed another number of lines");
    let differing: Vec<_> = cases
        .iter()
        .zip(ours.iter().zip(reference))
        .filter(|(_, (ours, reference))| ours != reference)
        .map(|(case, (ours, reference))| format!("{case}\n     ours: {ours}\n  lua5.1: {reference}"))
        .collect();
    let shown = differing.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(differing.is_empty(), "{} of {} cases differ:\n{shown}", differing.len(), cases.len());
}
