//! What strangers are told: every text that leaves the engine is made here.
//!
//! A visitor never sees a path, a line, a traceback or a query. A text that the script chose with
//! `error("…")` is passed on as written; anything else becomes a reference, which the owner finds
//! in the log beside the whole story.

use std::time::Duration;

use crate::vm::RunError;

/// The longest chat reply in bytes, the mark of a cut one included.
pub(crate) const MAX_REPLY_BYTES: usize = 4 * 1024;

/// Ends a reply that was cut.
const CUT_MARK: &str = "…";

/// The reply to a peer that calls too often, as the specification has it.
pub(crate) const RATE_LIMITED: &str = "Rate limited, try again later";

/// The reply when there are too many invocations under way.
pub(crate) const BUSY: &str = "Busy, try again later";

/// Why a data function gave no result. Its text is what the visitor reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No script of that name defines `call`.
    #[error("function not found: {function}")]
    NotFound {
        /// What was asked for.
        function: String,
    },
    /// The caller, or everybody together, calls too often.
    #[error("rate limited, try again in {} s", .retry_after.as_secs_f64().ceil())]
    RateLimited {
        /// How long until a call would be admitted.
        retry_after: Duration,
    },
    /// As many invocations are under way as there may be.
    #[error("busy, try again later")]
    Busy,
    /// The script failed.
    #[error("{message}")]
    Script {
        /// What the script chose to say, or a reference into the owner's log.
        message: String,
    },
}

/// What a stranger is told of a failure.
pub(crate) fn failure(error: &RunError, reference: &str) -> String {
    match error {
        RunError::Script { chosen: Some(text), .. } => cut(text.clone()),
        _ => format!("Script error (ref {reference})"),
    }
}

/// What `handle` returned, as it is sent: text of at most 4 KiB, a longer one cut and marked.
pub fn reply(bytes: &[u8]) -> String {
    // Two limits of bytes in are more than one limit of characters out.
    let kept = bytes.get(..2 * MAX_REPLY_BYTES).unwrap_or(bytes);
    let text = String::from_utf8_lossy(kept).into_owned();
    cut(text)
}

/// At most [`MAX_REPLY_BYTES`] of a text, cut between characters and marked.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() > MAX_REPLY_BYTES {
        let mut end = MAX_REPLY_BYTES - CUT_MARK.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(CUT_MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reply_is_cut_between_characters() {
        let text = reply("ä".repeat(4_000).as_bytes());
        assert!(text.len() <= MAX_REPLY_BYTES && text.len() > MAX_REPLY_BYTES - 8, "{}", text.len());
        assert!(text.ends_with("ä…"));
        assert_eq!(reply(b"short"), "short");
    }

    #[test]
    fn strangers_read_only_what_the_script_chose() {
        let chosen = RunError::Script {
            message: "proxy.lua:5: city parameter required".into(),
            chosen: Some("city parameter required".into()),
            at: None,
            traceback: Vec::new(),
        };
        assert_eq!(failure(&chosen, "3f9a2c"), "city parameter required");
        let other = RunError::Script {
            message: "secret.lua:5: no such table".into(),
            chosen: None,
            at: None,
            traceback: Vec::new(),
        };
        assert_eq!(failure(&other, "3f9a2c"), "Script error (ref 3f9a2c)");
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let error = CallError::RateLimited { retry_after: Duration::from_millis(10_001) };
        assert_eq!(error.to_string(), "rate limited, try again in 11 s");
    }
}
