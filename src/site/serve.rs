//! Answers one request of `/goop/site/1.0.0`: a line in, a head line and a file out.
//!
//! A file is streamed in pieces and never held whole, so what a visitor costs is one piece. The
//! size in the head is a promise: a file that grows meanwhile is cut there, and one that shrinks
//! ends the stream early, which the fetcher sees as a truncated answer. Rejected: reading the file
//! first to be sure of its size, which gives every visitor 50 MiB of our memory.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures::io::{AsyncWrite, AsyncWriteExt};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::open::{OpenFile, Places, open};
use super::{mime, path};

/// The longest request line in bytes, newline not counted. Paths of real sites stay far below it.
pub const MAX_REQUEST_LINE_BYTES: usize = 4 * 1024;

/// The largest file that is served, in bytes: deployed fetchers refuse anything larger.
pub const MAX_FILE_BYTES: u64 = 50 * 1024 * 1024;

/// How much of a file is in memory at a time, per answer.
const PIECE_BYTES: usize = 64 * 1024;

/// Why a request is not answered with a file. `Display` is the reason on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name is private, leads out of the site, or the file is over [`MAX_FILE_BYTES`].
    #[error("forbidden")]
    Forbidden,
    /// There is no such file.
    #[error("not found")]
    NotFound,
    /// The line is not a request.
    #[error("bad request")]
    BadRequest,
    /// This peer has no site.
    #[error("site disabled")]
    SiteDisabled,
}

impl Refusal {
    /// The answer for a file that can't be opened.
    pub(super) fn from_open(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            _ => Self::NotFound,
        }
    }

    /// The line that tells a fetcher.
    pub fn line(self) -> String {
        format!("ERR {self}\n")
    }
}

/// A file to be sent.
#[derive(Debug)]
pub struct FoundFile {
    /// The media type by the file's extension; may contain spaces.
    pub mime: &'static str,
    /// How many bytes are announced and at most sent.
    pub size: u64,
    /// The file, at its start.
    pub file: File,
}

/// What a request gets.
#[derive(Debug)]
pub enum Answer {
    /// This file.
    Found(FoundFile),
    /// Nothing, for this reason.
    Refused(Refusal),
}

/// An answer could not be sent whole.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The stream failed.
    #[error("the answer could not be written: {0}")]
    Write(#[source] io::Error),
    /// The file could not be read on.
    #[error("the file could not be read after {sent} of {size} bytes: {source}")]
    Read {
        /// Bytes sent before.
        sent: u64,
        /// Bytes announced.
        size: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The file became shorter while it was sent.
    #[error("the file ended after {sent} of {size} announced bytes")]
    Shrunk {
        /// Bytes sent.
        sent: u64,
        /// Bytes announced.
        size: u64,
    },
}

/// Serves the files of one site folder.
#[derive(Debug, Clone)]
pub struct SiteServer {
    places: Arc<Places>,
}

impl SiteServer {
    /// A server for `site_root` that never serves anything inside `script_dir`. Both are looked
    /// up anew at each request, so either may be created later.
    pub fn new(site_root: impl Into<PathBuf>, script_dir: impl Into<PathBuf>) -> Self {
        let (site_root, script_dir) = (site_root.into(), script_dir.into());
        Self { places: Arc::new(Places { site_root, script_dir, private: Vec::new() }) }
    }

    /// Never serves the files at these paths, not even by another name that they have in the site.
    /// They too are looked up at each request.
    #[must_use]
    pub fn with_private(self, private: Vec<PathBuf>) -> Self {
        Self { places: Arc::new(Places { private, ..Arc::unwrap_or_clone(self.places) }) }
    }

    /// Answers one request line (`GET /path`, with or without its newline).
    pub async fn answer(&self, line: &[u8]) -> Answer {
        match self.find(line).await {
            Ok(found) => Answer::Found(found),
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    async fn find(&self, line: &[u8]) -> Result<FoundFile, Refusal> {
        let relative = path::relative(requested_path(line)?)?;
        let places = self.places.clone();
        let opened = tokio::task::spawn_blocking(move || open(&places, &relative));
        let OpenFile { path, file, size } = opened.await.map_err(|_| Refusal::NotFound)??;
        if size > MAX_FILE_BYTES {
            return Err(Refusal::Forbidden);
        }
        Ok(FoundFile { mime: mime::of(&path), size, file: File::from_std(file) })
    }
}

fn requested_path(line: &[u8]) -> Result<&str, Refusal> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > MAX_REQUEST_LINE_BYTES {
        return Err(Refusal::BadRequest);
    }
    let line = std::str::from_utf8(line).map_err(|_| Refusal::BadRequest)?;
    match line.strip_prefix("GET") {
        Some("") => Ok(""),
        Some(rest) => rest.strip_prefix(' ').ok_or(Refusal::BadRequest),
        None => Err(Refusal::BadRequest),
    }
}

impl Answer {
    /// Writes the head line and, for a file, exactly the announced bytes. Closing the stream and
    /// bounding the time are the caller's, who knows the stream.
    ///
    /// # Errors
    /// When the stream fails, or the file ends or fails before the announced size.
    pub async fn write_to<S: AsyncWrite + Unpin>(self, stream: &mut S) -> Result<(), ServeError> {
        let found = match self {
            Self::Found(found) => found,
            Self::Refused(refusal) => {
                return stream.write_all(refusal.line().as_bytes()).await.map_err(ServeError::Write);
            }
        };
        let FoundFile { mime, size, mut file } = found;
        let head = format!("OK {mime} {size}\n");
        stream.write_all(head.as_bytes()).await.map_err(ServeError::Write)?;
        let mut piece = vec![0; PIECE_BYTES];
        let mut sent = 0;
        while sent < size {
            let wanted = usize::try_from(size - sent).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            let room = piece.get_mut(..wanted).unwrap_or_default();
            let read = file.read(room).await.map_err(|source| ServeError::Read { sent, size, source })?;
            if read == 0 {
                return Err(ServeError::Shrunk { sent, size });
            }
            stream.write_all(piece.get(..read).unwrap_or_default()).await.map_err(ServeError::Write)?;
            sent += read as u64;
        }
        Ok(())
    }
}
