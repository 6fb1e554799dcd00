//! The log, on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::failure::{CommandResult, Failure};
use super::output::colour_is_welcome;

/// Chooses what is logged, in the syntax of `RUST_LOG`: `debug`, `goop2=debug,libp2p=info`.
pub(crate) const LOG_VARIABLE: &str = "GOOP2_LOG";

/// Starts logging what `GOOP2_LOG` asks for, or else `default`.
pub(crate) fn start(default: &str) -> CommandResult {
    let asked = std::env::var(LOG_VARIABLE).ok().filter(|filter| !filter.trim().is_empty());
    let filter = asked.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::usage(anyhow::anyhow!("{LOG_VARIABLE}={filter:?}: {error}")))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && colour_is_welcome())
        // Reports of a stderr that can't be written would go to that stderr, and panic.
        .log_internal_errors(false);
    // Fails only when a log is running already.
    let _ = subscriber.try_init();
    Ok(())
}
