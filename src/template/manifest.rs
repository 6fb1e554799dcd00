//! `manifest.json`: what a template says about itself, and who may write to its tables.
//!
//! Templates come from strangers, so every field has a bound, and a policy must be one that exists. The
//! database takes an unknown policy for `owner`, which is safe there; here the same rule would turn a slip
//! of the pen into a site that silently refuses its visitors, so the author is told instead. Fields that
//! only other peers know are ignored, because deployed templates have some.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The longest `manifest.json` that is read, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;

/// The insert policies that exist: only the host; peers with an e-mail address; anyone, each reading their
/// own rows; anyone, all rows readable by all.
pub const POLICIES: [&str; 4] = ["owner", "email", "open", "public"];

/// The most tables of one template.
const MAX_TABLES: usize = 64;
/// The longest table name in bytes.
const MAX_TABLE_NAME_BYTES: usize = 64;
/// The longest `name`, `category` and `icon`, in bytes.
const MAX_WORD_BYTES: usize = 100;
/// The longest `description`, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 2000;

/// What a template says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The title shown to people. 1 to 100 bytes.
    pub name: String,
    /// What the template is for, or empty. At most 2,000 bytes.
    #[serde(default)]
    pub description: String,
    /// The group that it is listed under, or empty. At most 100 bytes.
    #[serde(default)]
    pub category: String,
    /// An emoji or an image's path, or empty. At most 100 bytes.
    #[serde(default)]
    pub icon: String,
    /// Whether its scripts should run: a new peer made from it has them switched on.
    #[serde(default)]
    pub lua: bool,
    /// The tables that `schema.sql` makes, by name. At most 64.
    #[serde(default)]
    pub tables: BTreeMap<String, TableManifest>,
}

/// What a template says about one of its tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableManifest {
    /// Who may add rows: one of [`POLICIES`]; `owner` when it is left out.
    #[serde(default = "owner_policy")]
    pub insert_policy: String,
}

fn owner_policy() -> String {
    "owner".to_owned()
}

impl Manifest {
    /// Reads and checks the content of a `manifest.json`.
    ///
    /// # Errors
    /// When it is longer than [`MAX_MANIFEST_BYTES`], is not JSON of the right shape, or holds a value out
    /// of bounds; the error names the field.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        if json.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge { found: json.len() });
        }
        let manifest: Self = serde_json::from_slice(json)?;
        manifest.validate()?;
        Ok(manifest)
    }

    fn validate(&self) -> Result<(), ManifestError> {
        length("name", &self.name, 1, MAX_WORD_BYTES)?;
        length("description", &self.description, 0, MAX_DESCRIPTION_BYTES)?;
        length("category", &self.category, 0, MAX_WORD_BYTES)?;
        length("icon", &self.icon, 0, MAX_WORD_BYTES)?;
        if self.tables.len() > MAX_TABLES {
            return Err(ManifestError::TooManyTables { found: self.tables.len() });
        }
        self.tables.iter().try_for_each(|(name, table)| validate_table(name, table))
    }
}

fn length(field: &'static str, text: &str, min: usize, max: usize) -> Result<(), ManifestError> {
    if (min..=max).contains(&text.len()) {
        Ok(())
    } else {
        Err(ManifestError::Length { field, found: text.len(), min, max })
    }
}

fn validate_table(name: &str, table: &TableManifest) -> Result<(), ManifestError> {
    if !is_table_name(name) {
        return Err(ManifestError::TableName { found: name.chars().take(MAX_TABLE_NAME_BYTES).collect() });
    }
    if !POLICIES.contains(&table.insert_policy.as_str()) {
        let found = table.insert_policy.chars().take(MAX_WORD_BYTES).collect();
        return Err(ManifestError::UnknownPolicy { table: name.to_owned(), found });
    }
    Ok(())
}

/// A leading underscore is kept for the peer's own tables.
fn is_table_name(name: &str) -> bool {
    name.len() <= MAX_TABLE_NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.to_ascii_lowercase().starts_with("sqlite_")
}

/// Why a `manifest.json` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file is too large to be a manifest.
    #[error("manifest.json: has {found} bytes; a manifest has at most {MAX_MANIFEST_BYTES}")]
    TooLarge {
        /// Its size in bytes.
        found: usize,
    },
    /// Not JSON, or a field has the wrong type or is missing.
    #[error("manifest.json: {0}")]
    Parse(#[from] serde_json::Error),
    /// A text is too long, or empty where it may not be.
    #[error("manifest.json: {field} must have {min} to {max} bytes, found {found}")]
    Length {
        /// The field.
        field: &'static str,
        /// Its length in bytes.
        found: usize,
        /// The shortest allowed.
        min: usize,
        /// The longest allowed.
        max: usize,
    },
    /// More tables than a template may have.
    #[error("manifest.json: tables must have at most {MAX_TABLES} entries, found {found}")]
    TooManyTables {
        /// How many there are.
        found: usize,
    },
    /// A name that a table can't have.
    #[error(
        "manifest.json: a table's name must start with a letter, have only letters, digits and \
         underscores, at most {MAX_TABLE_NAME_BYTES} of them, and not start with sqlite_; found {found:?}"
    )]
    TableName {
        /// The name, cut if it is long.
        found: String,
    },
    /// A policy that does not exist.
    #[error(
        "manifest.json: tables.{table}.insert_policy must be owner, email, open or public, found {found:?}"
    )]
    UnknownPolicy {
        /// The table.
        table: String,
        /// The policy, cut if it is long.
        found: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> String {
        Manifest::parse(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_minimal_manifest_has_cautious_defaults() {
        let manifest = Manifest::parse(br#"{"name": "A", "tables": {"notes": {}}, "author": "x"}"#).unwrap();
        assert!(!manifest.lua);
        assert_eq!(manifest.tables["notes"].insert_policy, "owner");
    }

    #[test]
    fn an_unknown_policy_is_named_with_its_table() {
        let message = problem(r#"{"name": "A", "tables": {"scores": {"insert_policy": "opne"}}}"#);
        assert_eq!(
            message,
            "manifest.json: tables.scores.insert_policy must be owner, email, open or public, found \"opne\""
        );
    }

    #[test]
    fn names_that_could_be_sql_or_a_table_of_the_peer_are_refused() {
        for name in ["", "_tables", "a b", "a;drop", "1st", "sqlite_master", "SQLite_x", "é", &"a".repeat(65)]
        {
            let json = serde_json::json!({"name": "A", "tables": {name: {}}}).to_string();
            assert!(problem(&json).contains("a table's name"), "{name:?}");
        }
    }

    #[test]
    fn every_text_has_a_bound() {
        assert_eq!(problem(r#"{"name": ""}"#), "manifest.json: name must have 1 to 100 bytes, found 0");
        for field in ["name", "description", "category", "icon"] {
            let mut json = serde_json::json!({"name": "A"});
            json[field] = "x".repeat(2001).into();
            let message = problem(&json.to_string());
            assert!(message.contains(&format!("{field} must have")), "{message}");
        }
        let tables: serde_json::Map<_, _> =
            (0..65).map(|n| (format!("t{n}"), serde_json::json!({}))).collect();
        let many = serde_json::json!({"name": "A", "tables": tables});
        assert!(problem(&many.to_string()).contains("at most 64 entries, found 65"));
        assert!(problem(&" ".repeat(MAX_MANIFEST_BYTES + 1)).contains("at most 65536"));
    }

    #[test]
    fn broken_json_is_reported_with_its_place() {
        assert!(problem("{\n  \"name\": 3}").contains("line 2"));
        let deep = format!("{{\"name\": \"A\", \"other\": {}", "[".repeat(60_000));
        assert!(problem(&deep).contains("line 1"));
    }
}
