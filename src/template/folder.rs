//! A template's files from a folder on disk.
//!
//! The limits are kept while reading, not after: the folder may be a home directory that somebody named
//! by mistake. A crate that walks folders would add options for links and order that must all be off here.

use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::bundle::{
    BundleError, Content, MAX_BUNDLE_BYTES, MAX_DEPTH, Size, bundle_name, check_name, is_hidden,
};

/// Reads every file below `root` that is not hidden. Links are refused and not followed, because a
/// template that somebody else packed could link to the owner's keys and have them served.
pub(super) fn read_folder(root: &Path) -> Result<Vec<(String, Content)>, BundleError> {
    let mut files = Vec::new();
    let mut size = Size::default();
    let mut folders = vec![(root.to_owned(), 1)];
    while let Some((folder, depth)) = folders.pop() {
        let failed = |source| BundleError::Read { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(failed)?;
            if entry.file_name().to_str().is_some_and(is_hidden) {
                continue;
            }
            size.add_entry()?;
            let name = bundle_name(path.strip_prefix(root).unwrap_or(&path))?;
            if kind.is_dir() && depth <= MAX_DEPTH {
                folders.push((path, depth + 1));
            } else if kind.is_file() {
                let content = read_file(&path, MAX_BUNDLE_BYTES - size.bytes)?;
                size.add_bytes(content.len() as u64)?;
                files.push((name, Cow::Owned(content)));
            } else if kind.is_dir() {
                check_name(&name)?;
            } else {
                return Err(BundleError::NotAFile { path });
            }
        }
    }
    Ok(files)
}

/// Reads one byte more than `room` at most, so that a file that grows meanwhile is noticed as too large.
fn read_file(path: &Path, room: u64) -> Result<Vec<u8>, BundleError> {
    let mut content = Vec::new();
    let file = fs::File::open(path).and_then(|file| file.take(room + 1).read_to_end(&mut content));
    match file {
        Ok(_) => Ok(content),
        Err(source) => Err(BundleError::Read { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Bundle;

    const MANIFEST: &[u8] = br#"{"name": "A"}"#;
    const MANIFEST_NAME: &str = "manifest.json";

    #[test]
    fn a_folder_reads_as_its_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("lua/.state")).unwrap();
        for (name, content) in [
            ("manifest.json", MANIFEST),
            ("schema.sql", b"--"),
            ("lua/a.lua", b"--- A"),
            ("lua/.state/a.json", b"{}"),
        ] {
            fs::write(dir.path().join(name), content).unwrap();
        }
        let bundle = Bundle::from_folder(dir.path()).unwrap();
        assert_eq!(bundle.schema(), Some("--"));
        assert_eq!(bundle.site_files().collect::<Vec<_>>(), [("lua/a.lua", &b"--- A"[..])]);
    }

    #[test]
    fn a_folder_without_a_manifest_is_no_template() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Bundle::from_folder(dir.path()), Err(BundleError::NoManifest)));
        let missing = Bundle::from_folder(&dir.path().join("nothing")).unwrap_err();
        assert!(missing.to_string().contains("nothing: can't be read"), "{missing}");
    }

    #[test]
    fn a_folder_that_is_too_deep_ends_with_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(MANIFEST_NAME), MANIFEST).unwrap();
        fs::create_dir_all(dir.path().join(["d"; MAX_DEPTH + 2].join("/"))).unwrap();
        assert!(matches!(Bundle::from_folder(dir.path()), Err(BundleError::Name { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_and_folders_are_refused() {
        for target in ["/etc/hosts", "/etc", "missing"] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(MANIFEST_NAME), MANIFEST).unwrap();
            std::os::unix::fs::symlink(target, dir.path().join("link")).unwrap();
            let error = Bundle::from_folder(dir.path()).unwrap_err();
            assert!(matches!(&error, BundleError::NotAFile { path } if path.ends_with("link")), "{error}");
        }
    }
}
