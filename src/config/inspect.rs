//! Reads a `goop.json` field by field: what holds, where it comes from, what is wrong with it.
//!
//! The file is read as plain JSON first, so that every problem is found and named, and not only the
//! first that a typed reader stumbles over.

use std::path::{Component, Path};

use serde_json::{Map, Value};

use super::fields::{FIELDS, FIELDS_OF_DEPLOYED_PEERS, Field, Rule};
use super::{Config, ConfigError};

/// How much of a name that somebody wrote is shown, in characters; longer ones resemble no field.
const MAX_NAME_CHARS: usize = 64;

/// The most unknown fields that are listed.
const MAX_UNKNOWN: usize = 50;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The owner wrote it.
    File,
    /// Nothing was written, so the default holds.
    Default,
}

/// One field as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The field.
    pub field: Field,
    /// Its value.
    pub value: Value,
    /// Where the value comes from.
    pub source: Source,
}

/// A field that nobody knows, and that has no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config: unknown field {name} has no effect{}", nearest.map(|known| format!("; did you mean {known}?")).unwrap_or_default())]
pub struct UnknownField {
    /// Its full name, as far as it can be shown.
    pub name: String,
    /// The field that it resembles most, if there is one.
    pub nearest: Option<&'static str>,
}

/// What a `goop.json` says.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Every field of this program, in the order of [`FIELDS`].
    pub settings: Vec<Setting>,
    /// What is wrong; a configuration with any of these is not used.
    pub problems: Vec<ConfigError>,
    /// What has no effect; at most fifty of them.
    pub unknown: Vec<UnknownField>,
}

impl Inspection {
    /// Looks at a whole configuration.
    pub(super) fn of(root: &Map<String, Value>) -> Self {
        let mut found = Self::default();
        for (section, value) in root {
            match value {
                Value::Object(fields) => found.note_unknown(section, fields),
                _ if is_section(section) => found.problems.push(ConfigError::WrongType {
                    field: section.clone(),
                    expected: "an object of fields".to_owned(),
                    found: kind(value),
                }),
                _ => found.note_unknown_field(section),
            }
        }
        let defaults = default_values();
        for field in FIELDS {
            let (section, name) = field.name.split_once('.').unwrap_or((field.name, ""));
            let written = root.get(section).and_then(|fields| fields.get(name));
            found.problems.extend(written.and_then(|value| field.problem(value)));
            let (value, source) = match written {
                Some(value) => (value.clone(), Source::File),
                None => (
                    defaults.pointer(&format!("/{section}/{name}")).cloned().unwrap_or_default(),
                    Source::Default,
                ),
            };
            found.settings.push(Setting { field: *field, value, source });
        }
        found
    }

    fn note_unknown(&mut self, section: &str, fields: &Map<String, Value>) {
        for name in fields.keys() {
            let full = format!("{section}.{name}");
            let known = FIELDS.iter().any(|field| field.name == full)
                || FIELDS_OF_DEPLOYED_PEERS.contains(&full.as_str());
            if !known {
                self.note_unknown_field(&full);
            }
        }
        if fields.is_empty() && !is_section(section) {
            self.note_unknown_field(section);
        }
    }

    fn note_unknown_field(&mut self, name: &str) {
        if self.unknown.len() < MAX_UNKNOWN {
            let shown = name.chars().take(MAX_NAME_CHARS).flat_map(char::escape_debug).collect();
            self.unknown.push(UnknownField { name: shown, nearest: nearest(name) });
        }
    }
}

/// The defaults as JSON; they are plain values, which can always be written so.
fn default_values() -> Value {
    serde_json::to_value(Config::default()).unwrap_or_default()
}

fn is_section(name: &str) -> bool {
    let all = FIELDS.iter().map(|field| field.name).chain(FIELDS_OF_DEPLOYED_PEERS.iter().copied());
    all.filter_map(|field| field.split_once('.')).any(|(section, _)| section == name)
}

impl Field {
    /// What is wrong with `value` in this field.
    pub(super) fn problem(&self, value: &Value) -> Option<ConfigError> {
        let outside =
            |found: String, min, max| Some(ConfigError::OutOfRange { field: self.name, found, min, max });
        match (self.rule, value) {
            (Rule::Flag, Value::Bool(_)) => None,
            (Rule::Number { min, max }, Value::Number(number)) => match number.as_u64() {
                Some(whole) if (min..=max).contains(&whole) => None,
                _ => outside(number.to_string(), min, max),
            },
            (Rule::Text { min_bytes, max_bytes }, Value::String(text)) => {
                let found = text.len() as u64;
                let fits = (min_bytes..=max_bytes).contains(&found);
                (!fits).then_some(ConfigError::TextLength { field: self.name, found, min_bytes, max_bytes })
            }
            (Rule::Path, Value::String(text)) => (!is_inside(Path::new(text)))
                .then(|| ConfigError::OutsidePeerFolder { field: self.name, found: text.into() }),
            _ => Some(ConfigError::WrongType {
                field: self.name.to_owned(),
                expected: self.allowed(),
                found: kind(value),
            }),
        }
    }
}

/// A path that leaves the peer folder would let a configuration that somebody shared read or
/// write anywhere.
fn is_inside(path: &Path) -> bool {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    !path.as_os_str().is_empty() && path.components().all(plain)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The field whose name is written most like `name`, if any is.
fn nearest(name: &str) -> Option<&'static str> {
    if name.chars().count() > MAX_NAME_CHARS {
        return None;
    }
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_lowercase();
    let distance = |field: &&Field| {
        // The right name in the wrong section, or without one.
        if last(field.name) == last(name) { 0 } else { edits(field.name, &name.to_lowercase()) }
    };
    let closest = FIELDS.iter().min_by_key(distance)?;
    // A third of the letters wrong is another word.
    (distance(&closest) <= name.chars().count().div_ceil(3).min(6)).then_some(closest.name)
}

/// How many letters have to be put in, left out, exchanged or swapped with their neighbour to make
/// one word the other.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&row, j) + usize::from(a != b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if i > 0 && j > 0 && from.get(i - 1) == Some(b) && to.get(j - 1) == Some(a) {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognized_and_another_word_is_not() {
        for (written, meant) in [
            ("lua.timeout_second", Some("lua.timeout_seconds")),
            ("lua.tiemout_seconds", Some("lua.timeout_seconds")),
            ("Lua.Enabled", Some("lua.enabled")),
            ("timeout_seconds", Some("lua.timeout_seconds")),
            ("profile.lable", Some("profile.label")),
            ("p2p.port", None),
            ("weather.city", None),
            ("", None),
        ] {
            assert_eq!(nearest(written), meant, "{written}");
        }
        assert_eq!(edits("abc", "acb"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(nearest(&"x".repeat(1_000_000)), None);
    }
}
