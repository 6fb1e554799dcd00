//! Reads a `goop.json` field by field: what holds, where it comes from, what is wrong with it.
//!
//! The file is read as plain JSON first, so that every problem is found and named, and not only the
//! first that a typed reader stumbles over.

use std::path::{Component, Path};

use serde_json::{Map, Value};

use super::fields::{FIELDS, FIELDS_OF_DEPLOYED_PEERS, Field, Rule};
use super::{Config, ConfigError, MAX_EMAIL_BYTES, MAX_PATH_BYTES, is_email};

/// How much of a name or text that somebody wrote is shown, in characters; longer ones resemble no field.
const MAX_NAME_CHARS: usize = 64;

/// The longest name of a file or folder, in bytes, as most systems have it.
const MAX_NAME_BYTES: usize = 255;

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
                    found: described(value),
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
        found.note_contradictions();
        found
    }

    /// Adds what is right by itself and wrong beside another field that is right by itself.
    fn note_contradictions(&mut self) {
        let number = |name: &str| {
            let is_wrong = self.problems.iter().any(|problem| problem.field() == Some(name));
            let setting = self.settings.iter().find(|setting| setting.field.name == name && !is_wrong)?;
            Some((setting.value.as_u64()?, setting.source))
        };
        let mut found = Vec::new();
        if let (Some((heartbeat, _)), Some((ttl, _))) =
            (number("presence.heartbeat_seconds"), number("presence.ttl_seconds"))
            && heartbeat >= ttl
        {
            let problem = format!("must be less than presence.ttl_seconds ({ttl}), found {heartbeat}");
            found.push(ConfigError::Unfit { field: "presence.heartbeat_seconds", problem });
        }
        // Who only lowers the one means the other too.
        if let (Some((all, _)), Some((of_one, Source::File))) =
            (number("p2p.max_connections"), number("p2p.max_connections_per_address"))
            && of_one > all
        {
            let problem = format!("must be at most p2p.max_connections ({all}), found {of_one}");
            found.push(ConfigError::Unfit { field: "p2p.max_connections_per_address", problem });
        }
        self.problems.append(&mut found);
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
            let shown = if name.is_empty() { "\"\"".to_owned() } else { shown };
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
        let wrong_type = |found: String| {
            Some(ConfigError::WrongType { field: self.name.to_owned(), expected: self.allowed(), found })
        };
        match (self.rule, value) {
            (Rule::Flag, Value::Bool(_)) => None,
            (Rule::Number { .. }, Value::Number(number)) if number.is_f64() => wrong_type(number.to_string()),
            (Rule::Number { min, max }, Value::Number(number)) => match number.as_u64() {
                Some(whole) if (min..=max).contains(&whole) => None,
                _ => Some(ConfigError::OutOfRange { field: self.name, found: number.to_string(), min, max }),
            },
            (Rule::Text { min_bytes, max_bytes }, Value::String(text)) => {
                let found = text.len() as u64;
                if !(min_bytes..=max_bytes).contains(&found) {
                    return Some(ConfigError::TextLength { field: self.name, found, min_bytes, max_bytes });
                }
                self.control_character(text)
            }
            (Rule::Email, Value::String(text)) => self.email_problem(text),
            (Rule::Path, Value::String(text)) => self.path_problem(text),
            (Rule::Relay, Value::String(text)) => relay_problem(text),
            _ => wrong_type(described(value)),
        }
    }

    /// Labels and topics are shown in terminals and logs, and a file's name can't hold a NUL.
    fn control_character(&self, text: &str) -> Option<ConfigError> {
        let found = text.chars().find(|c| c.is_control())?;
        let problem = format!("must be without control characters, found {found:?}");
        Some(ConfigError::Unfit { field: self.name, problem })
    }

    fn email_problem(&self, text: &str) -> Option<ConfigError> {
        if text.is_empty() || is_email(text) {
            return None;
        }
        let (found, max_bytes) = (text.len() as u64, MAX_EMAIL_BYTES as u64);
        if found > max_bytes {
            return Some(ConfigError::TextLength { field: self.name, found, min_bytes: 0, max_bytes });
        }
        let problem = format!("must be {}, found {}", self.allowed(), shown(text));
        self.control_character(text).or(Some(ConfigError::Unfit { field: self.name, problem }))
    }

    fn path_problem(&self, text: &str) -> Option<ConfigError> {
        let path = Path::new(text);
        if !is_inside(path) {
            return Some(ConfigError::OutsidePeerFolder { field: self.name, found: text.into() });
        }
        let is_long = |part: Component<'_>| part.as_os_str().len() > MAX_NAME_BYTES;
        if text.len() > MAX_PATH_BYTES || path.components().any(is_long) {
            let problem =
                format!("must have at most {MAX_PATH_BYTES} bytes, and each name in it {MAX_NAME_BYTES}");
            return Some(ConfigError::Unfit { field: self.name, problem });
        }
        if !path.components().any(|part| matches!(part, Component::Normal(_))) {
            let problem = "must name something in the peer folder, found the folder itself".to_owned();
            return Some(ConfigError::Unfit { field: self.name, problem });
        }
        self.control_character(text)
    }
}

#[cfg(feature = "peer")]
fn relay_problem(text: &str) -> Option<ConfigError> {
    if text.is_empty() { None } else { super::relay::address(text).err() }
}

/// Without a node nobody dials it.
#[cfg(not(feature = "peer"))]
fn relay_problem(_text: &str) -> Option<ConfigError> {
    None
}

/// A path that leaves the peer folder would let a configuration that somebody shared read or
/// write anywhere.
fn is_inside(path: &Path) -> bool {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    !path.as_os_str().is_empty() && path.components().all(plain)
}

/// A value of the wrong kind: which it is, and what it says as far as that is short.
fn described(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Null => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", shown(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The beginning of a text, in quotes.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_NAME_CHARS) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// The field whose name is written most like `name`, if any is.
fn nearest(name: &str) -> Option<&'static str> {
    if name.chars().count() > MAX_NAME_CHARS {
        return None;
    }
    let name = name.to_lowercase();
    let (section, last) = split(&name);
    let length = last.chars().count();
    // A third of the letters wrong is another word; and in another section, where only a slip can be
    // meant, a fifth.
    let distance = |field: &&'static str| {
        let (known_section, known) = split(field);
        let wrong = edits(known, last);
        let (limit, far) = match edits(known_section, section) {
            0 => (length.div_ceil(3).min(6), 0),
            1 | 2 => (length.div_ceil(3).min(6), 1),
            _ => (length / 5, 2),
        };
        (wrong <= limit).then_some((wrong, far))
    };
    let known = FIELDS.iter().map(|field| field.name).chain(FIELDS_OF_DEPLOYED_PEERS.iter().copied());
    let near = known.filter_map(|field| Some((distance(&field)?, field)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, field)| field)
}

/// Section and field; what has no section is a field.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
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
            ("viewer.theem", Some("viewer.theme")),
            ("p2p.mdns_tg", Some("p2p.mdns_tag")),
            ("p2p.mdsn", Some("p2p.mdns")),
            ("lua.lable", Some("profile.label")),
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
