//! The functions that the page lists are those that scripts find, and each is in an example.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use goop2::vm::{Entry, Limits};
use serde_json::json;

use super::examples::run_as_script;
use super::page::{code, examples, rows};
use super::ran::run_plain;

/// Prints the path of every value that a program finds, tables taken apart.
const WALK: &str = r#"
local function walk(path, t)
    for key, value in pairs(t) do
        if type(value) == "table" and value ~= _G then
            walk(path .. key .. ".", value)
        else
            print(path .. key)
        end
    end
end
walk("", _G)
"#;

/// Whether this build has what the page documents under `name`.
fn is_built(name: &str) -> bool {
    (cfg!(feature = "db") || !name.starts_with("goop.db."))
        && (cfg!(feature = "http") || !name.starts_with("goop.http."))
}

/// The first cells of the tables of functions, without parameters.
fn documented() -> BTreeSet<String> {
    let signatures = rows("Functions").into_iter().filter_map(|row| code(&row.cells[0]));
    let names: Vec<String> =
        signatures.map(|signature| signature.split('(').next().unwrap_or_default().to_owned()).collect();
    let distinct: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(names.len(), distinct.len(), "a function is listed twice: {names:?}");
    distinct
}

/// The natives of the `goop` table by the sources that declare them. A script can't list them: what it is
/// given depends on the call and the features.
fn declared_in_goop() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/script/api");
    let sources =
        fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let mut names = BTreeSet::new();
    for source in sources {
        let declared = source.split("name: \"goop.").skip(1);
        names.extend(declared.map(|rest| format!("goop.{}", rest.split('"').next().unwrap_or_default())));
    }
    assert!(names.contains("goop.json.encode"), "natives are declared in another way now: {names:?}");
    names
}

#[test]
fn the_standard_library_is_the_documented_one() {
    let ran = run_plain(WALK, Limits::default());
    let found: BTreeSet<String> = ran.printed.lines().map(str::to_owned).collect();
    let documented: BTreeSet<String> =
        documented().into_iter().filter(|name| !name.starts_with("goop.")).collect();
    let missing: Vec<_> = found.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&found).collect();
    assert!(missing.is_empty() && gone.is_empty(), "docs/lua.md lacks {missing:?} and has {gone:?} too much");
}

#[test]
fn the_goop_table_is_the_documented_one() {
    let documented = documented();
    let undocumented: Vec<_> = declared_in_goop().difference(&documented).cloned().collect();
    assert!(undocumented.is_empty(), "docs/lua.md lacks {undocumented:?}");

    let names: Vec<String> =
        documented.into_iter().filter(|name| name.starts_with("goop.") && is_built(name)).collect();
    let lines: String =
        names.iter().map(|name| format!("try('{name}', function() return {name} end)\n")).collect();
    let script = format!(
        "local gone = {{}}
        local function try(name, read)
            local ok, value = pcall(read)
            if not ok or value == nil then gone[#gone + 1] = name end
        end
        function call() {lines} return table.concat(gone, ' ') end"
    );
    let ran = run_as_script("names", &script, Entry::Call(json!({})));
    assert_eq!((ran.error, ran.printed.as_str()), (None, "\"\""), "documented, but not there");
}

#[test]
fn every_function_is_in_an_example() {
    let texts: String = examples().iter().map(|example| example.text.clone()).collect();
    let words: BTreeSet<&str> =
        texts.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    // There is no network to ask in a test of the page; the engine's own tests have one.
    let runs = |name: &&String| is_built(name) && !name.starts_with("goop.http.");
    for name in documented().iter().filter(runs) {
        let last = name.rsplit('.').next().unwrap_or_default();
        assert!(words.contains(last), "{name} is in no example of docs/lua.md that runs");
    }
}
