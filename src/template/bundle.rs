//! A template as files in memory, from the program itself or from a folder on disk.
//!
//! Everything is read and checked before anything is written: a bundle that exists has only names that
//! stay inside the site, a manifest that holds, and a size that fits. The alternative, checking while
//! copying, would leave half a site behind when the last file is the bad one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::folder::read_folder;
use super::manifest::{Manifest, ManifestError};

/// The templates that are part of the program.
static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The most files and folders in one bundle.
pub const MAX_BUNDLE_ENTRIES: usize = 1000;

/// The most bytes in all files of one bundle: 50 MiB.
pub const MAX_BUNDLE_BYTES: u64 = 50 * 1024 * 1024;

/// The longest `schema.sql`, in bytes: 1 MiB.
pub const MAX_SCHEMA_BYTES: usize = 1024 * 1024;

/// The longest name of a file, folders included, in bytes. File systems allow 255 bytes for each part.
const MAX_NAME_BYTES: usize = 255;

/// The deepest folder inside a bundle.
pub(super) const MAX_DEPTH: usize = 16;

pub(super) const MANIFEST_NAME: &str = "manifest.json";
const SCHEMA_NAME: &str = "schema.sql";

pub(super) type Content = Cow<'static, [u8]>;

/// A checked template: its manifest, its schema, and the files of the site.
///
/// Hidden files (a part of the name starts with a dot) are left out, `.well-known` excepted: they are the
/// author's version control and the author's script state, keys included, not the site.
#[derive(Debug, Clone)]
pub struct Bundle {
    manifest: Manifest,
    schema: Option<String>,
    /// By name: relative, parts separated by `/`.
    site: BTreeMap<String, Content>,
}

impl Bundle {
    /// The names of the built-in templates, sorted.
    pub fn built_in_names() -> Vec<&'static str> {
        let mut names: Vec<_> = BUILT_IN.dirs().filter_map(|dir| dir.path().to_str()).collect();
        names.sort_unstable();
        names
    }

    /// The built-in template `name`.
    ///
    /// # Errors
    /// When there is none of that name; the error lists those that there are.
    pub fn built_in(name: &str) -> Result<Self, BundleError> {
        let dir = BUILT_IN
            .dirs()
            .find(|dir| dir.path() == Path::new(name))
            .ok_or_else(|| BundleError::UnknownName { found: name.chars().take(MAX_NAME_BYTES).collect() })?;
        let mut files = Vec::new();
        collect_built_in(dir, dir.path(), &mut files)?;
        Self::from_files(files)
    }

    /// Reads the template in the folder `dir`.
    ///
    /// # Errors
    /// When the folder can't be read, holds a symbolic link or another thing that is no file, is over a
    /// limit of this module, or is no valid bundle.
    pub fn from_folder(dir: &Path) -> Result<Self, BundleError> {
        Self::from_files(read_folder(dir)?)
    }

    /// Makes a bundle of files by name, whatever they were read from.
    ///
    /// # Errors
    /// When a name could leave the site, occurs twice or is too long; when there are too many files or
    /// bytes; when `manifest.json` is missing or invalid; when `schema.sql` is too long or not UTF-8.
    pub fn from_files(files: impl IntoIterator<Item = (String, Content)>) -> Result<Self, BundleError> {
        let mut site = BTreeMap::new();
        let mut size = Size::default();
        for (name, content) in files {
            check_name(&name)?;
            size.add_entry()?;
            size.add_bytes(content.len() as u64)?;
            if name.split('/').any(is_hidden) {
                continue;
            }
            if site.contains_key(&name) {
                return Err(BundleError::Twice { name });
            }
            site.insert(name, content);
        }
        let manifest = site.remove(MANIFEST_NAME).ok_or(BundleError::NoManifest)?;
        Ok(Self {
            manifest: Manifest::parse(&manifest)?,
            schema: site.remove(SCHEMA_NAME).map(schema_text).transpose()?,
            site,
        })
    }

    /// What the template says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The content of `schema.sql`, if the template has one. It is a stranger's SQL: give it only to the
    /// function of the database that is made for it.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The insert policy of each table of the manifest.
    pub fn policies(&self) -> BTreeMap<String, String> {
        let pair =
            |(name, table): (&String, &super::TableManifest)| (name.clone(), table.insert_policy.clone());
        self.manifest.tables.iter().map(pair).collect()
    }

    /// The files of the site, sorted by name: relative to the site folder, parts separated by `/`.
    pub fn site_files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.site.iter().map(|(name, content)| (name.as_str(), content.as_ref()))
    }
}

fn schema_text(content: Content) -> Result<String, BundleError> {
    if content.len() > MAX_SCHEMA_BYTES {
        return Err(BundleError::SchemaTooLarge { found: content.len() });
    }
    String::from_utf8(content.into_owned()).map_err(|_| BundleError::SchemaNotText)
}

/// How much of a bundle was taken in so far, while it is read and once more when it is checked.
#[derive(Default)]
pub(super) struct Size {
    entries: usize,
    pub(super) bytes: u64,
}

impl Size {
    pub(super) fn add_entry(&mut self) -> Result<(), BundleError> {
        self.entries += 1;
        if self.entries > MAX_BUNDLE_ENTRIES { Err(BundleError::TooManyEntries) } else { Ok(()) }
    }

    pub(super) fn add_bytes(&mut self, more: u64) -> Result<(), BundleError> {
        self.bytes = self.bytes.saturating_add(more);
        if self.bytes > MAX_BUNDLE_BYTES { Err(BundleError::TooLarge) } else { Ok(()) }
    }
}

pub(super) fn is_hidden(part: &str) -> bool {
    part.starts_with('.') && part != ".well-known"
}

/// A colon is refused with the rest because it names a drive or a stream on Windows, where a template
/// made elsewhere must mean the same.
pub(super) fn check_name(name: &str) -> Result<(), BundleError> {
    let problem = if name.is_empty() || name.len() > MAX_NAME_BYTES {
        "must have 1 to 255 bytes"
    } else if name.contains(|c: char| c.is_control() || matches!(c, '\\' | ':')) {
        "must not contain control characters, backslashes or colons"
    } else if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        "must be relative, without empty parts, . and .."
    } else if name.split('/').count() > MAX_DEPTH {
        "must be at most 16 folders deep"
    } else {
        return Ok(());
    };
    Err(BundleError::Name { found: name.chars().take(MAX_NAME_BYTES).collect(), problem })
}

fn collect_built_in(
    dir: &Dir<'static>,
    root: &Path,
    files: &mut Vec<(String, Content)>,
) -> Result<(), BundleError> {
    for file in dir.files() {
        let path = file.path().strip_prefix(root).unwrap_or(file.path());
        files.push((bundle_name(path)?, Cow::Borrowed(file.contents())));
    }
    dir.dirs().try_for_each(|inner| collect_built_in(inner, root, files))
}

/// The name of a relative path: its parts with `/` between them on every system.
pub(super) fn bundle_name(path: &Path) -> Result<String, BundleError> {
    let parts: Option<Vec<_>> = path.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| BundleError::NotText { path: path.to_owned() })
}

/// Why files are not a usable template.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// No built-in template has this name.
    #[error("there is no template named {found:?}; there are: {}", Bundle::built_in_names().join(", "))]
    UnknownName {
        /// The name asked for, cut if it is long.
        found: String,
    },
    /// A file or folder can't be read.
    #[error("{}: can't be read: {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A symbolic link, a device or the like.
    #[error("{}: is neither a file nor a folder; a template can't hold links or devices", .path.display())]
    NotAFile {
        /// What was found.
        path: PathBuf,
    },
    /// A file name that is not Unicode.
    #[error("{}: has a name that is not Unicode; rename it", .path.display())]
    NotText {
        /// The file, inside the bundle.
        path: PathBuf,
    },
    /// A name that could leave the site, or that not every system can write.
    #[error("template file {found:?}: the name {problem}")]
    Name {
        /// The name, cut if it is long.
        found: String,
        /// The rule that it breaks.
        problem: &'static str,
    },
    /// Two files have the same name.
    #[error("template file {name:?}: occurs twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// Too many files and folders.
    #[error("a template has at most {MAX_BUNDLE_ENTRIES} files and folders; this one has more")]
    TooManyEntries,
    /// Too many bytes.
    #[error("a template has at most {MAX_BUNDLE_BYTES} bytes in all files; this one has more")]
    TooLarge,
    /// There is no `manifest.json`.
    #[error("there is no manifest.json, so this is not a template")]
    NoManifest,
    /// The manifest can't be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// `schema.sql` is too long.
    #[error("schema.sql: has {found} bytes; a schema has at most {MAX_SCHEMA_BYTES}")]
    SchemaTooLarge {
        /// Its size in bytes.
        found: usize,
    },
    /// `schema.sql` is not text.
    #[error("schema.sql: is not UTF-8 text")]
    SchemaNotText,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &[u8] = br#"{"name": "A"}"#;

    fn bundle(files: &[(&str, &'static [u8])]) -> Result<Bundle, BundleError> {
        let all = files.iter().map(|(name, content)| ((*name).to_owned(), Cow::Borrowed(*content)));
        Bundle::from_files(all.chain([(MANIFEST_NAME.to_owned(), Cow::Borrowed(MANIFEST))]))
    }

    fn names(bundle: &Bundle) -> Vec<&str> {
        bundle.site_files().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_built_in_template_is_a_valid_bundle_with_a_page() {
        assert_eq!(Bundle::built_in_names(), ["blank", "quiz"]);
        for name in Bundle::built_in_names() {
            let bundle = Bundle::built_in(name).unwrap();
            assert!(names(&bundle).contains(&"index.html"), "{name}");
        }
    }

    #[test]
    fn the_quiz_keeps_its_answers_from_visitors() {
        let quiz = Bundle::built_in("quiz").unwrap();
        assert!(quiz.manifest().lua);
        assert_eq!(quiz.policies()["quiz_answers"], "open", "an owner or public table is readable by all");
        assert!(quiz.schema().is_some_and(|sql| sql.contains("CREATE TABLE quiz_answers")));
        assert!(!names(&quiz).contains(&SCHEMA_NAME), "the answers are in it");
        assert!(names(&quiz).contains(&"lua/score-quiz.lua"));
    }

    #[test]
    fn the_pass_share_can_be_changed_at_one_place() {
        let quiz = Bundle::built_in("quiz").unwrap();
        let (_, script) = quiz.site_files().find(|(name, _)| *name == "lua/score-quiz.lua").unwrap();
        assert_eq!(std::str::from_utf8(script).unwrap().matches("0.7").count(), 1);
    }

    #[test]
    fn an_unknown_built_in_name_lists_the_known_ones() {
        let message = Bundle::built_in("quizz").unwrap_err().to_string();
        assert_eq!(message, "there is no template named \"quizz\"; there are: blank, quiz");
        assert!(Bundle::built_in("quiz/lua").is_err() && Bundle::built_in("../src").is_err());
    }

    #[test]
    fn names_that_could_leave_the_site_are_refused() {
        let long = "x".repeat(256);
        let deep = ["d"; 17].join("/");
        for name in [
            "../x",
            "a/../../x",
            "/etc/x",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "c:x",
            "a\0b",
            "a\nb",
            "",
            &long,
            &deep,
        ] {
            let error = bundle(&[(name, b"")]).unwrap_err();
            assert!(matches!(error, BundleError::Name { .. }), "{name:?}: {error}");
        }
    }

    #[test]
    fn hidden_files_and_script_state_are_left_out() {
        let files: &[(&str, &[u8])] =
            &[(".git/config", b""), ("lua/.state/a.json", b""), (".well-known/x", b""), ("index.html", b"")];
        assert_eq!(names(&bundle(files).unwrap()), [".well-known/x", "index.html"]);
    }

    #[test]
    fn a_bundle_over_a_limit_is_refused() {
        let many = (0..=MAX_BUNDLE_ENTRIES).map(|n| (n.to_string(), Cow::Borrowed(&b""[..])));
        assert!(matches!(Bundle::from_files(many), Err(BundleError::TooManyEntries)));
        let mut size = Size::default();
        assert!(size.add_bytes(MAX_BUNDLE_BYTES).is_ok());
        assert!(matches!(size.add_bytes(1), Err(BundleError::TooLarge)));
        static LONG: [u8; MAX_SCHEMA_BYTES + 1] = [b' '; MAX_SCHEMA_BYTES + 1];
        assert!(matches!(bundle(&[(SCHEMA_NAME, &LONG)]), Err(BundleError::SchemaTooLarge { .. })));
        assert!(matches!(bundle(&[(SCHEMA_NAME, b"\xff")]), Err(BundleError::SchemaNotText)));
        assert!(matches!(bundle(&[("a", b""), ("a", b"")]), Err(BundleError::Twice { .. })));
    }
}
