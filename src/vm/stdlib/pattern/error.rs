//! What can be wrong with a pattern, in reference Lua's words.

/// Why matching stopped with an error.
///
/// As in reference Lua, a fault is reported when matching reaches it, so that a faulty pattern may
/// fail to match without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A `%` with nothing behind it.
    #[error("malformed pattern (ends with '%')")]
    EndsWithPercent,
    /// A `[` without its `]`.
    #[error("malformed pattern (missing ']')")]
    MissingBracket,
    /// A `)` without its `(`.
    #[error("invalid pattern capture")]
    InvalidCapture,
    /// A `(` without its `)`, found when the capture is asked for.
    #[error("unfinished capture")]
    UnfinishedCapture,
    /// A `%f` that no set follows.
    #[error("missing '[' after '%f' in pattern")]
    FrontierWithoutSet,
    /// `%1` to `%9`, in a pattern or a replacement, for a capture that is not there or still open.
    #[error("invalid capture index")]
    InvalidCaptureIndex,
    /// A `%b` that two bytes don't follow.
    #[error("unbalanced pattern")]
    Unbalanced,
    /// More than [`MAX_CAPTURES`](super::MAX_CAPTURES) captures.
    #[error("too many captures")]
    TooManyCaptures,
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) points to come back to at once.
    #[error("pattern too complex")]
    TooComplex,
}
