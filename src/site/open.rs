//! Opens the file that a request names, and no other that took its place.
//!
//! `path` judges a path; between its judgement and the opening somebody may put a link, a pipe or
//! another file there: a page that is being replaced, or an attack from a folder that others write
//! to. So the file is opened without following or waiting for anything, and then the system is
//! asked where the *open* file lies. Rejected: judging again after opening, which two well-timed
//! swaps get past.
//!
//! A place says nothing of a file that has two: a hard link in the site may be the peer's key under
//! another name. So the open file is compared with the private ones by identity too. Rejected:
//! refusing every file with several names, which sites have that are copied by hard links.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::path::{SCRIPTS, has_other_names, identity, locate};
use super::serve::Refusal;

/// How often a file that changes its place while it is opened is looked for.
const OPEN_ATTEMPTS: usize = 4;

/// How deep below the script folder a script or its store may lie.
const SCRIPT_DEPTH: usize = 3;

/// Where the site lies, and what is not part of it wherever it lies.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The served folder.
    pub(super) site_root: PathBuf,
    /// The folder of scripts.
    pub(super) script_dir: PathBuf,
    /// Files that are never served, under no name.
    pub(super) private: Vec<PathBuf>,
}

impl Places {
    /// Whether the open file is one that is never served, by another name.
    fn is_private(&self, opened: &Metadata) -> bool {
        let Some(wanted) = identity(opened) else { return false };
        self.private.iter().any(|path| is_at(path, wanted))
            // A script's own name is refused already.
            || has_other_names(opened)
                && (lies_below(&self.script_dir, wanted, SCRIPT_DEPTH)
                    || lies_below(&self.site_root.join(SCRIPTS), wanted, SCRIPT_DEPTH))
    }
}

fn is_at(path: &Path, wanted: (u64, u64)) -> bool {
    path.metadata().is_ok_and(|found| identity(&found) == Some(wanted))
}

/// Whether a file in `folder`, or `depth` folders below it, is the wanted one.
fn lies_below(folder: &Path, wanted: (u64, u64), depth: usize) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    entries.flatten().any(|entry| {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        match depth.checked_sub(1) {
            Some(depth) if is_folder => lies_below(&entry.path(), wanted, depth),
            _ => is_at(&entry.path(), wanted),
        }
    })
}

/// An open file of the site.
#[derive(Debug)]
pub(super) struct OpenFile {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// The file, at its start.
    pub(super) file: File,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// Opens the file that `relative` leads to. Blocking: call it where blocking is allowed.
pub(super) fn open(places: &Places, relative: &Path) -> Result<OpenFile, Refusal> {
    for _ in 0..OPEN_ATTEMPTS {
        let path = locate(&places.site_root, &places.script_dir, relative)?;
        if let Some(opened) = open_located(places, path)? {
            return Ok(opened);
        }
    }
    Err(Refusal::NotFound)
}

/// Opens the file at a judged path; `None` when another is there by now.
fn open_located(places: &Places, path: PathBuf) -> Result<Option<OpenFile>, Refusal> {
    let from_open = |error: io::Error| Refusal::from_open(&error);
    // Asked before opening too: to open a device can be an act of its own.
    if !path.symlink_metadata().map_err(from_open)?.is_file() {
        return Err(Refusal::NotFound);
    }
    let Ok(file) = open_without_waiting(&path) else {
        // Not there any more, or not to be read; looking again tells which.
        return if path.symlink_metadata().is_ok_and(|found| found.is_file()) {
            Err(Refusal::Forbidden)
        } else {
            Ok(None)
        };
    };
    let metadata = file.metadata().map_err(from_open)?;
    if !metadata.is_file() || !lies_at(&file, &path) {
        return Ok(None);
    }
    if places.is_private(&metadata) {
        return Err(Refusal::Forbidden);
    }
    Ok(Some(OpenFile { path, size: metadata.len(), file }))
}

/// Opens a file for reading; a pipe or a device that took its place is opened without waiting for
/// it, and a link not at all.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether the open file is the one at `path`, which is canonical.
#[cfg(target_os = "linux")]
fn lies_at(file: &File, path: &Path) -> bool {
    use std::os::fd::AsRawFd;
    match std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
        Ok(place) => place == path,
        // No /proc here.
        Err(_) => is_still_at(file, path),
    }
}

#[cfg(not(target_os = "linux"))]
fn lies_at(file: &File, path: &Path) -> bool {
    is_still_at(file, path)
}

/// Whether `path` leads, still without any link, to the open file.
fn is_still_at(file: &File, path: &Path) -> bool {
    let same = match (file.metadata(), path.symlink_metadata()) {
        (Ok(opened), Ok(found)) => identity(&opened) == identity(&found),
        _ => false,
    };
    same && path.canonicalize().is_ok_and(|place| place == path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A file is judged, and then somebody puts something else in its place before it is opened.
    #[test]
    fn what_takes_the_place_of_a_judged_file_is_not_opened() {
        use std::os::unix::fs::symlink;
        let temp = tempfile::tempdir().unwrap();
        let base = temp.path().canonicalize().unwrap();
        let (site, scripts, relative) = (base.join("site"), base.join("site/lua"), Path::new("a/x.txt"));
        let places =
            Places { site_root: site.clone(), script_dir: scripts.clone(), private: vec![base.join("key")] };
        std::fs::create_dir_all(base.join("secret")).unwrap();
        std::fs::write(base.join("secret/x.txt"), "secret").unwrap();
        let judged = || {
            let _ = std::fs::remove_file(site.join("a"));
            let _ = std::fs::remove_dir_all(&site);
            std::fs::create_dir_all(site.join("a")).unwrap();
            std::fs::write(site.join("a/x.txt"), "public").unwrap();
            locate(&site, &scripts, relative).unwrap()
        };
        let swaps: [(&str, &dyn Fn()); 4] = [
            ("a link in place of the folder", &|| {
                std::fs::remove_dir_all(site.join("a")).unwrap();
                symlink(base.join("secret"), site.join("a")).unwrap();
            }),
            ("a link in place of the file", &|| {
                std::fs::remove_file(site.join("a/x.txt")).unwrap();
                symlink(base.join("secret/x.txt"), site.join("a/x.txt")).unwrap();
            }),
            ("a pipe", &|| {
                std::fs::remove_file(site.join("a/x.txt")).unwrap();
                let made = std::process::Command::new("mkfifo").arg(site.join("a/x.txt")).status();
                assert!(made.unwrap().success());
            }),
            ("nothing", &|| std::fs::remove_dir_all(site.join("a")).unwrap()),
        ];
        for (name, swap) in swaps {
            let path = judged();
            swap();
            let opened = open_located(&places, path);
            assert!(!matches!(opened, Ok(Some(_))), "{name}: {opened:?}");
            assert!(open(&places, relative).is_err(), "{name}");
            // Between the judgement and the opening, without the look before it.
            let path = judged();
            let file = open_without_waiting(&path).unwrap();
            assert!(lies_at(&file, &path) && is_still_at(&file, &path));
            swap();
            match open_without_waiting(&path) {
                Ok(file) if file.metadata().unwrap().is_file() => {
                    assert!(!lies_at(&file, &path) && !is_still_at(&file, &path), "{name}");
                }
                _ => {}
            }
        }
        judged();
        assert_eq!(open(&places, relative).unwrap().size, 6);
    }
}
