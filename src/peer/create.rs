//! A new peer folder with everything in it: site, configuration, key and tables.
//!
//! The template layer makes the files and knows no database; this adds the key and the tables, and
//! keeps the promise of all or nothing over both: the folder is finished beside its final place and
//! renamed there. In an empty folder that exists already it is finished in place, and emptied again
//! if something fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::p2p::{IdentityError, load_or_create, own_id};
use crate::peer_id::{PeerId, PeerIdError};
use crate::store::{Database, Policy, SchemaError, StoreError, TableName};
use crate::template::{Bundle, CreateError, create_peer};

/// What was made.
#[derive(Debug, Clone)]
pub struct NewPeer {
    /// The new peer's id.
    pub id: PeerId,
    /// The configuration that was written.
    pub config: Config,
    /// The tables that were made.
    pub tables: Vec<TableName>,
}

/// Why a peer was not made.
#[derive(Debug, thiserror::Error)]
pub enum NewPeerError {
    /// The files can't be made.
    #[error(transparent)]
    Files(#[from] CreateError),
    /// The key can't be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The key has no id.
    #[error("the new identity key has no usable id: {0}")]
    Id(#[from] PeerIdError),
    /// The database can't be made.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// The template's tables can't be made.
    #[error("the template can't be applied: {0}")]
    Schema(#[from] SchemaError),
    /// The finished folder can't be put in its place.
    #[error("{}: can't be made: {source}", .dir.display())]
    Place {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Makes the peer folder `dir` from `bundle`, or with one page and no tables without one.
///
/// # Errors
/// As [`create_peer`], and when the key or the tables can't be made. Nothing is left behind then,
/// except folders above `dir`.
pub fn create(dir: &Path, bundle: Option<&Bundle>, label: Option<&str>) -> Result<NewPeer, NewPeerError> {
    if dir.exists() {
        // Refuses a folder that is not empty, so all that is in it afterwards is new.
        let config = create_peer(dir, bundle, label)?;
        return furnish(dir, config, bundle).inspect_err(|_| remove_contents(dir));
    }
    let placing = |source| NewPeerError::Place { dir: dir.to_owned(), source };
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(placing)?;
    let staging = tempfile::Builder::new().prefix(".goop2-new-").tempdir_in(parent).map_err(placing)?;
    let unfinished = staging.path().join("peer");
    let config = create_peer(&unfinished, bundle, label)?;
    let made = furnish(&unfinished, config, bundle)?;
    fs::rename(&unfinished, dir).map_err(placing)?;
    Ok(made)
}

/// Adds the key and the tables.
fn furnish(dir: &Path, config: Config, bundle: Option<&Bundle>) -> Result<NewPeer, NewPeerError> {
    let id = own_id(&load_or_create(&dir.join(&config.identity.key_file))?)?;
    let database = Database::open(dir)?;
    let tables = match bundle.and_then(|bundle| bundle.schema().map(|schema| (schema, bundle.policies()))) {
        Some((schema, policies)) => {
            let policies: BTreeMap<_, _> =
                policies.into_iter().map(|(table, policy)| (table, Policy::from_name(&policy))).collect();
            database.apply_schema(&id, schema, &policies)?.created
        }
        None => Vec::new(),
    };
    Ok(NewPeer { id, config, tables })
}

/// Best effort: the error that led here is the one that the owner must read.
fn remove_contents(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let _ = if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Its files are fine; its tables fail after the key is made.
    fn bundle_with_a_bad_schema() -> Bundle {
        let files = [("manifest.json", &br#"{"name": "A"}"#[..]), ("schema.sql", b"CREATE TABLE t (a")];
        Bundle::from_files(files.map(|(name, text)| (name.to_owned(), Cow::Borrowed(text)))).unwrap()
    }

    #[test]
    fn a_peer_has_its_key_and_its_templates_tables() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("peers/quiz");
        let quiz = Bundle::built_in("quiz").unwrap();
        let made = create(&dir, Some(&quiz), None).unwrap();
        let tables: Vec<_> = made.tables.iter().map(TableName::as_str).collect();
        assert_eq!(tables, ["quiz_questions", "quiz_answers", "scores"]);
        assert_eq!(own_id(&load_or_create(&dir.join("data/identity.key")).unwrap()).unwrap(), made.id);
        assert_eq!(Database::open(&dir).unwrap().policy(&made.tables[1]).unwrap(), Policy::Open);
        assert_eq!(names(&temp.path().join("peers")), ["quiz"]);
    }

    #[test]
    fn tables_that_fail_leave_nothing_behind() {
        let temp = tempfile::tempdir().unwrap();
        let bad = bundle_with_a_bad_schema();
        let error = create(&temp.path().join("peer"), Some(&bad), None).unwrap_err();
        assert!(matches!(error, NewPeerError::Schema(_)), "{error}");
        assert!(names(temp.path()).is_empty());
        assert!(create(temp.path(), Some(&bad), None).is_err());
        assert!(temp.path().is_dir() && names(temp.path()).is_empty());
    }
}
