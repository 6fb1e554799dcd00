//! The log, on stderr.
//!
//! A peer's log is written by a thread of its own: strangers can make scripts log, and nobody may be reading (a
//! terminal that is held, a pager). Each worker would then wait in the middle of a script, and the owner's wish
//! to stop would not be heard. All other commands do one thing for somebody who waits for it.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::background::BackgroundLines;
use super::failure::{CommandResult, Failure};
use super::output::colour_is_welcome;

/// Chooses what is logged, in the syntax of `RUST_LOG`: `debug`, `goop2=debug,libp2p=info`.
pub(crate) const LOG_VARIABLE: &str = "GOOP2_LOG";

/// How lines get to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// When they are logged.
    AtOnce,
    /// When they can; those for which there is no room are left out.
    InBackground,
}

/// The running log.
pub(crate) struct Log(Option<Lines>);

/// The lines on their way, until the log is finished.
type Lines = Arc<Mutex<Option<BackgroundLines>>>;

/// Starts logging what `GOOP2_LOG` asks for, or else `default`.
pub(crate) fn start(default: &str, writing: Writing) -> CommandResult<Log> {
    let asked = std::env::var(LOG_VARIABLE).ok().filter(|filter| !filter.trim().is_empty());
    let filter = asked.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::usage(anyhow::anyhow!("{LOG_VARIABLE}={filter:?}: {error}")))?;
    let lines = (writing == Writing::InBackground).then(in_background);
    let writer = match lines.clone() {
        Some(lines) => BoxMakeWriter::new(move || Background(lines.clone())),
        None => BoxMakeWriter::new(io::stderr),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal() && colour_is_welcome())
        // Reports of a stderr that can't be written would go to that stderr, and panic.
        .log_internal_errors(false);
    // Fails only when a log is running already.
    let _ = subscriber.try_init();
    Ok(Log(lines))
}

fn in_background() -> Lines {
    let write = |line: &str| {
        // There is nowhere to say that stderr can't be written.
        let _ = io::stderr().write_all(line.as_bytes());
    };
    let say_left_out = |lines| format!("the log was read too slowly; {lines} lines were left out here\n");
    Arc::new(Mutex::new(Some(BackgroundLines::start(write, say_left_out))))
}

impl Log {
    /// Gives the lines that wait a moment to be written. Nothing is logged afterwards.
    pub(crate) fn finish(self) {
        let lines = self.0.and_then(|lines| lines.lock().take());
        if let Some(lines) = lines {
            lines.finish();
        }
    }
}

/// Takes a line of the log.
struct Background(Lines);

impl Write for Background {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(lines) = &mut *self.0.lock() {
            lines.write(String::from_utf8_lossy(line).into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
