//! Opens the file that a request names, and no other that took its place.
//!
//! `path` judges a path; between its judgement and the opening somebody may put a link, a pipe or
//! another file there: a page that is being replaced, or an attack from a folder that others write
//! to. So the file is opened without following or waiting for anything, and then the system is
//! asked where the *open* file lies. Rejected: judging again after opening, which two well-timed
//! swaps get past.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::path::{identity, locate};
use super::serve::Refusal;

/// How often a file that changes its place while it is opened is looked for.
const OPEN_ATTEMPTS: usize = 4;

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
pub(super) fn open(site_root: &Path, script_dir: &Path, relative: &Path) -> Result<OpenFile, Refusal> {
    for _ in 0..OPEN_ATTEMPTS {
        let path = locate(site_root, script_dir, relative)?;
        if let Some(opened) = open_located(path)? {
            return Ok(opened);
        }
    }
    Err(Refusal::NotFound)
}

/// Opens the file at a judged path; `None` when another is there by now.
fn open_located(path: PathBuf) -> Result<Option<OpenFile>, Refusal> {
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
            let opened = open_located(path);
            assert!(!matches!(opened, Ok(Some(_))), "{name}: {opened:?}");
            assert!(open(&site, &scripts, relative).is_err(), "{name}");
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
        assert_eq!(open(&site, &scripts, relative).unwrap().size, 6);
    }
}
