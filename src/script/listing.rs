//! What a peer's scripts are, for those who may call them: `!help`, `lua-list`, and the answer to a
//! command that is none.

use serde::Serialize;

use crate::script::header::{Header, Param};
use crate::script::name::MAX_SCRIPT_NAME_CHARS;
use crate::script::registry::{Loaded, Script};
use crate::script::replies::cut;

/// The longest description in the list of all commands, in characters; `!help name` shows all of it.
const MAX_LISTED_CHARS: usize = 80;

/// What a visitor learns of a data function.
///
/// Fields that a script says nothing about are left out of the JSON, so that a bare script is listed as
/// the specification has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionInfo {
    /// The name to call it by.
    pub name: String,
    /// The script's own description, or empty.
    pub description: String,
    /// What it takes, as far as it says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param>,
    /// What it gives, as far as it says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub returns: String,
    /// Parameters to try, as far as it says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub example: String,
    /// How often one peer may call it in a minute, if it has a limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u32>,
}

/// All data functions, sorted by name.
pub(crate) fn functions(loaded: &Loaded) -> Vec<FunctionInfo> {
    let functions = loaded.scripts.values().filter(|script| script.is_function());
    functions
        .map(|script| {
            let Header { description, rate_limit, params, returns, example, .. } = script.header.clone();
            FunctionInfo { name: script.name.to_string(), description, params, returns, example, rate_limit }
        })
        .collect()
}

/// The built-in `!help`, for owners without a `help.lua`: all commands, or the one that is asked for.
pub(crate) fn help(loaded: &Loaded, asked: &str) -> String {
    let asked = asked.strip_prefix('!').unwrap_or(asked);
    if asked.is_empty() {
        return list(loaded);
    }
    match commands(loaded).find(|script| script.name.as_str() == asked) {
        Some(script) => details(script),
        None if asked == "help" => {
            "!help: Lists the commands of this peer; !help NAME explains one".to_owned()
        }
        None => unknown_command(loaded, asked),
    }
}

fn commands(loaded: &Loaded) -> impl Iterator<Item = &Script> {
    loaded.scripts.values().map(|script| &**script).filter(|script| script.is_command())
}

fn list(loaded: &Loaded) -> String {
    let mut text = "Available commands:".to_owned();
    for script in commands(loaded) {
        text.push_str(&format!("\n  !{}", script.name));
        let mut description = script.header.description.chars();
        let shown: String = description.by_ref().take(MAX_LISTED_CHARS).collect();
        if !shown.is_empty() {
            let more = if description.next().is_some() { "…" } else { "" };
            text.push_str(&format!(": {shown}{more}"));
        }
    }
    if commands(loaded).next().is_some() {
        text.push_str("\n!help NAME tells more about one");
    }
    cut(text)
}

fn details(script: &Script) -> String {
    let Header { description, rate_limit, params, returns, example, .. } = &script.header;
    let mut text = format!("!{}", script.name);
    if !description.is_empty() {
        text.push_str(&format!(": {description}"));
    }
    for Param { name, kind, description } in params {
        text.push_str(format!("\n  {name} ({kind}) {description}").trim_end());
    }
    if !returns.is_empty() {
        text.push_str(&format!("\nReturns: {returns}"));
    }
    if !example.is_empty() {
        text.push_str(&format!("\nExample: {example}"));
    }
    if let Some(limit) = rate_limit {
        text.push_str(&format!("\nLimit: {limit} a minute for each peer"));
    }
    cut(text)
}

/// The answer to `!command` where there is none. What is added comes after the specified text.
pub(crate) fn unknown_command(loaded: &Loaded, command: &str) -> String {
    /// A stranger's text is sent back to the stranger, but not a book of it.
    const MAX_SHOWN_CHARS: usize = 100;
    let shown: String = command.chars().filter(|c| !c.is_control()).take(MAX_SHOWN_CHARS).collect();
    let text = format!("Unknown command: !{shown}. Try !help");
    let names = loaded.commands.iter().map(String::as_str).chain(["help"]);
    match nearest(command, names) {
        Some(name) => format!("{text} (did you mean !{name}?)"),
        None => text,
    }
}

/// The name that `typed` is most likely a slip for.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// A shorter name is near everything.
    const MIN_CHARS: usize = 3;
    /// More slips than this are another word.
    const MAX_SLIPS: usize = 2;
    if !(MIN_CHARS..=MAX_SCRIPT_NAME_CHARS).contains(&typed.len()) {
        return None;
    }
    let typed = typed.to_ascii_lowercase();
    let slips_allowed = MAX_SLIPS.min(typed.len() / MIN_CHARS);
    let near =
        names.filter(|name| name.len() >= MIN_CHARS && name.len().abs_diff(typed.len()) <= slips_allowed);
    let slips = near.map(|name| (slips(typed.as_bytes(), name.to_ascii_lowercase().as_bytes()), name));
    slips.filter(|(slips, _)| *slips <= slips_allowed).min().map(|(_, name)| name)
}

/// How many letters must be put in, left out, changed or swapped with their neighbour to make `from` into `to`.
fn slips(from: &[u8], to: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut last = None;
    for (row, letter) in (1..).zip(from) {
        let mut diagonal = row - 1;
        let mut left = row;
        let mut current = vec![row];
        let mut last_wanted = None;
        for (column, (wanted, up)) in to.iter().zip(above.iter().skip(1)).enumerate() {
            let change = diagonal + usize::from(letter != wanted);
            left = change.min(left + 1).min(up + 1);
            // The two rows and columns before the swapped pair.
            let swapped = column.checked_sub(1).and_then(|column| before.get(column));
            if let Some(swapped) = swapped
                && (last, Some(letter)) == (Some(wanted), last_wanted)
            {
                left = left.min(swapped + 1);
            }
            current.push(left);
            diagonal = *up;
            last_wanted = Some(wanted);
        }
        before = above;
        above = current;
        last = Some(letter);
    }
    above.last().copied().unwrap_or(from.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (from, to, expected) in [
            ("wether", "weather", 1),
            ("weather", "weather", 0),
            ("tiem", "time", 1),
            ("pnig", "ping", 1),
            ("abcd", "badc", 2),
            ("", "ab", 2),
            ("abc", "", 3),
        ] {
            assert_eq!(slips(from.as_bytes(), to.as_bytes()), expected, "{from} {to}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = || ["weather", "time", "go", "score-quiz"].into_iter();
        assert_eq!(nearest("wether", names()), Some("weather"));
        assert_eq!(nearest("TIME", names()), Some("time"));
        assert_eq!(nearest("tmie", names()), Some("time"));
        assert_eq!(nearest("leather", names()), Some("weather"));
        for far in ["", "g", "gg", "tea", "winter", "../../etc", "ä"] {
            assert_eq!(nearest(far, names()), None, "{far}");
        }
    }
}
