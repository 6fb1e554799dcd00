//! Why a command did not do what was asked, and the exit code for it.

use std::path::Path;

/// The thing asked for failed.
pub(crate) const FAILED: u8 = 1;

/// Wrong usage, or input that can't be read.
const USAGE: u8 = 2;

/// What a command ends with.
pub(crate) type CommandResult<T = ()> = Result<T, Failure>;

/// A command's failure. Any error turns into one with exit code 1.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: u8,
    /// `None` when the command has said all there is to say.
    pub(crate) error: Option<anyhow::Error>,
}

impl Failure {
    /// Wrong usage, or input that can't be read: exit code 2.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: USAGE, error: Some(error.into()) }
    }

    /// The input `path` can't be read: exit code 2.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::usage(anyhow::anyhow!("{}: can't be read: {error}", path.display()))
    }

    /// The thing asked for failed, and the output says how: exit code 1.
    pub(crate) fn reported() -> Self {
        Self { exit: FAILED, error: None }
    }

    /// Whether it is the thing asked for that failed, and not the asking.
    pub(crate) fn is_failed(&self) -> bool {
        self.exit == FAILED
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: FAILED, error: Some(error.into()) }
    }
}
