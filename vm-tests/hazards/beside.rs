//! What the host holds for a script comes beside the memory of the script, which may be full.

use goop2::vm::Entry;

use super::check::{Hazard, check_all_asked, chunk};

/// Nearly all of the memory, in strings that stay.
const FULL: &str = "local full = {} for i = 1, 90 do full[i] = ('x'):rep(100000) .. i end ";

fn beside_full_memory(name: &str, ends: &str, source: &str) -> Hazard {
    chunk(name, ends, format!("{FULL}{source}"))
}

/// To name the line of the first error, the source is read once more.
#[test]
fn an_error_needs_little_memory() {
    let statement = |before: &str, operation: &str, count: usize| {
        format!("local x = {{ {} }}", [before, &operation.repeat(count)].concat())
    };
    check_all_asked(vec![
        beside_full_memory("in a statement of many fields", "runtime", &statement("", "a.b,", 12_000)),
        beside_full_memory("in a statement of many operators", "runtime", &statement("", "a.b+a.c,", 6_500)),
        beside_full_memory("in a statement of many lines", "runtime", &statement("", "#a,\n", 16_000)),
        beside_full_memory(
            "behind many signs",
            "runtime",
            &statement("f(),", &["-~".repeat(45), "a,".to_owned()].concat(), 400),
        ),
    ]);
}

/// A reply is copied out of the script's memory.
#[test]
fn a_long_reply_needs_little_memory() {
    let source = format!("{FULL}function handle() full = nil return ('y'):rep(4194304) end");
    let held =
        "local long, full = ('x'):rep(4194304), {} for i = 1, 28 do full[i] = ('y'):rep(200000) .. i end
        function handle() return full and long end";
    let entry = Entry::Handle(String::new());
    check_all_asked(vec![
        Hazard { entry: entry.clone(), ..chunk("beside garbage", "reply", source) },
        Hazard { entry, ..chunk("beside what is held", "reply", held) },
    ]);
}
