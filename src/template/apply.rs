//! A new peer folder, all of it or nothing.
//!
//! The folder is built beside its final place and renamed there in one step, so that an error, a full
//! disk or a pulled plug leaves no half-made peer that a later run would take for a whole one. In a
//! folder that exists already the parts are built inside it and moved up one by one, `goop.json` last:
//! renaming over an existing folder fails where it is a mount point, and loses the owner and mode that
//! somebody gave it.
//!
//! The tables are not made here: the database belongs to another layer, which the caller asks with
//! [`Bundle::schema`] and [`Bundle::policies`] once the folder stands.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::bundle::{Bundle, BundleError};
use crate::config::{self, Config, ConfigError, SITE_DIR};

/// The template of a peer that was made without one.
const DEFAULT_TEMPLATE: &str = "blank";

/// Makes the peer folder `dir`, with the site of `bundle`, or with a first page when there is none, and
/// gives back the configuration that was written to it. Folders above `dir` are made where missing.
///
/// Scripts are switched on exactly when the template says that it needs them. A folder that is made here
/// is readable by its owner only, because it will hold the peer's key.
///
/// # Errors
/// When `dir` is not empty or not a folder, when `label` is no valid `profile.label`, or when the system
/// refuses a file. Nothing is left behind then, except folders above `dir`.
pub fn create_peer(dir: &Path, bundle: Option<&Bundle>, label: Option<&str>) -> Result<Config, CreateError> {
    let exists = is_empty_folder(dir)?;
    let default;
    let bundle = match bundle {
        Some(bundle) => bundle,
        None => {
            default = Bundle::built_in(DEFAULT_TEMPLATE)?;
            &default
        }
    };
    let config = configuration(bundle, label)?;
    if exists {
        fill(dir, bundle, &config)?;
    } else {
        create(dir, bundle, &config)?;
    }
    Ok(config)
}

/// Whether `dir` exists, and an error if something is in it already.
fn is_empty_folder(dir: &Path) -> Result<bool, CreateError> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(true),
        Ok(false) => Err(CreateError::NotEmpty { dir: dir.to_owned() }),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(failed(dir)(source)),
    }
}

fn configuration(bundle: &Bundle, label: Option<&str>) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    config.lua.enabled = bundle.manifest().lua;
    if let Some(label) = label {
        label.clone_into(&mut config.profile.label);
    }
    config.validate()?;
    Ok(config)
}

/// For a `dir` that does not exist: a folder beside it, renamed.
fn create(dir: &Path, bundle: &Bundle, config: &Config) -> Result<(), CreateError> {
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(failed(parent))?;
    let staging = staging_in(parent)?;
    write_peer(staging.path(), bundle, config)?;
    fs::rename(staging.path(), dir).map_err(failed(dir))?;
    // Under its new name it is no longer the staging folder's to remove.
    let _ = staging.keep();
    Ok(())
}

/// For a `dir` that exists and is empty: a folder inside it, whose parts move up.
fn fill(dir: &Path, bundle: &Bundle, config: &Config) -> Result<(), CreateError> {
    let staging = staging_in(dir)?;
    write_peer(staging.path(), bundle, config)?;
    let site = dir.join(SITE_DIR);
    fs::rename(staging.path().join(SITE_DIR), &site).map_err(failed(&site))?;
    let file = dir.join(config::FILE_NAME);
    fs::rename(staging.path().join(config::FILE_NAME), &file).map_err(|source| {
        // Best effort: the first error is the one that the owner must read.
        let _ = fs::remove_dir_all(&site);
        failed(&file)(source)
    })
}

/// Removed when dropped.
fn staging_in(parent: &Path) -> Result<tempfile::TempDir, CreateError> {
    tempfile::Builder::new().prefix(".goop2-new-").tempdir_in(parent).map_err(failed(parent))
}

fn write_peer(dir: &Path, bundle: &Bundle, config: &Config) -> Result<(), CreateError> {
    let site = dir.join(SITE_DIR);
    fs::create_dir(&site).map_err(failed(&site))?;
    for (name, content) in bundle.site_files() {
        write_new(&site.join(name), content)?;
    }
    let mut json = serde_json::to_vec_pretty(config)?;
    json.push(b'\n');
    write_new(&dir.join(config::FILE_NAME), &json)
}

/// Never overwrites: two names that differ on the author's system can be one here, as `Index.html` and
/// `index.html` are on most laptops.
fn write_new(path: &Path, content: &[u8]) -> Result<(), CreateError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    fs::File::create_new(path).and_then(|mut file| file.write_all(content)).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> CreateError {
    let path = path.to_owned();
    move |source| CreateError::Write { path, source }
}

/// Why a peer folder was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The folder has something in it.
    #[error("{}: is not empty; a new peer needs a new or an empty folder", .dir.display())]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// The system refused a file or folder.
    #[error("{}: can't be made: {source}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A value of the configuration is out of bounds.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration can't be written as JSON: a path in it is not Unicode.
    #[error("goop.json: can't be written: {0}")]
    Json(#[from] serde_json::Error),
    /// The built-in first page is not usable.
    #[error(transparent)]
    Template(#[from] BundleError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn entries(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_quiz_peer_opens_with_its_scripts_on_and_its_answers_off_the_site() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("peers/quiz");
        let quiz = Bundle::built_in("quiz").unwrap();
        let config = create_peer(&dir, Some(&quiz), Some("Ada's quiz")).unwrap();
        assert_eq!(Config::load(&dir).unwrap(), config);
        assert!(config.lua.enabled);
        assert_eq!(config.profile.label, "Ada's quiz");
        assert_eq!(entries(&dir), ["goop.json", "site"]);
        let site = dir.join("site");
        assert_eq!(entries(&site), ["README.md", "app.js", "index.html", "lua", "style.css"]);
        assert_eq!(entries(&site.join("lua")), ["help.lua", "leaderboard.lua", "score-quiz.lua"]);
        assert_eq!(entries(&temp.path().join("peers")), ["quiz"], "nothing but the peer is left");
    }

    #[test]
    fn without_a_template_a_peer_has_a_page_and_scripts_stay_off() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("peer");
        let config = create_peer(&dir, None, None).unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(entries(&dir.join("site")), ["index.html", "lua", "style.css"]);
    }

    #[test]
    fn an_existing_empty_folder_is_filled_and_keeps_its_identity() {
        let dir = tempfile::tempdir().unwrap();
        let before = fs::metadata(dir.path()).unwrap().created().ok();
        create_peer(dir.path(), None, None).unwrap();
        assert_eq!(entries(dir.path()), ["goop.json", "site"]);
        assert_eq!(fs::metadata(dir.path()).unwrap().created().ok(), before);
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.txt"), "ten years").unwrap();
        let error = create_peer(dir.path(), None, None).unwrap_err();
        assert!(matches!(error, CreateError::NotEmpty { .. }), "{error}");
        assert_eq!(entries(dir.path()), ["thesis.txt"]);
        let error = create_peer(&dir.path().join("thesis.txt"), None, None).unwrap_err();
        assert!(matches!(error, CreateError::Write { .. }), "{error}");
    }

    /// A file and a folder of the same name: the second can't be written, after the first was.
    fn bundle_that_fails_midway() -> Bundle {
        let files = [("manifest.json", &br#"{"name": "A"}"#[..]), ("a", b""), ("a/b", b"")];
        Bundle::from_files(files.map(|(name, content)| (name.to_owned(), Cow::Borrowed(content)))).unwrap()
    }

    #[test]
    fn an_error_midway_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let bundle = bundle_that_fails_midway();
        assert!(matches!(
            create_peer(&temp.path().join("new"), Some(&bundle), None),
            Err(CreateError::Write { .. })
        ));
        assert!(entries(temp.path()).is_empty());
        assert!(create_peer(temp.path(), Some(&bundle), None).is_err());
        assert!(entries(temp.path()).is_empty());
    }

    #[test]
    fn a_label_that_no_peer_could_load_is_refused_before_anything_is_made() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("peer");
        let error = create_peer(&dir, None, Some(&"x".repeat(201))).unwrap_err();
        assert!(error.to_string().contains("profile.label"), "{error}");
        assert!(!dir.exists());
    }
}
