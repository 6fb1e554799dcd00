//! Everything that can go wrong with a script, as data; the wording is made here and only here.
//!
//! Two enums, because they reach different people at different times: [`LoadError`] tells the
//! owner why a file is not a usable script, [`RunError`] tells why one invocation gave no result.

use std::fmt;
use std::time::Duration;

/// A place in a script: `score-quiz.lua:14`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The script's file name, without a folder.
    pub script: String,
    /// The line, counted from 1.
    pub line: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.script, self.line)
    }
}

/// One line of a traceback: `score-quiz.lua:14: in function 'grade'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where in the function.
    pub at: Position,
    /// `function 'name'`, `function <file:line>` or `main chunk`.
    pub function: String,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: in {}", self.at, self.function)
    }
}

/// Why a source text can't be used as a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The source is larger than a script may be.
    #[error("{script}: the source has {} bytes; the limit is {limit}", source_size(*.found, *.limit))]
    TooLarge {
        /// The script.
        script: String,
        /// Its size in bytes, or one over the limit: whoever reads a file need not read more.
        found: usize,
        /// The largest allowed.
        limit: usize,
    },
    /// The source starts like compiled Lua, which is never loaded: nothing checks it.
    #[error("{script}: this is compiled Lua; only source text is loaded")]
    Bytecode {
        /// The script.
        script: String,
    },
    /// The source is not Lua.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Position,
        /// What, in reference Lua's words.
        message: String,
    },
    /// The program is Lua, but of a shape that the compiler can't be trusted with.
    #[error("{at}: {what}: found {found}, the limit is {limit}")]
    Shape {
        /// Where.
        at: Position,
        /// What there is too much of.
        what: &'static str,
        /// How much was found.
        found: usize,
        /// The most allowed.
        limit: usize,
    },
    /// A bug of ours: the compiler panicked.
    #[error("{script}: internal error while loading: {detail}")]
    Internal {
        /// The script.
        script: String,
        /// The panic's message.
        detail: String,
    },
}

impl LoadError {
    /// The line the error is at, when it is at one.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Syntax { at, .. } | Self::Shape { at, .. } => Some(at.line),
            Self::TooLarge { .. } | Self::Bytecode { .. } | Self::Internal { .. } => None,
        }
    }
}

/// Why an invocation gave no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RunError {
    /// The script raised an error, or one of its operations did.
    #[error("{message}")]
    Script {
        /// The error value as text, with the position where there is one.
        message: String,
        /// The text the script itself passed to `error`, without the position: what a visitor
        /// may read. `None` for errors that the script did not choose.
        chosen: Option<String>,
        /// Where, when it is known.
        at: Option<Position>,
        /// The script's functions it went through, innermost first.
        traceback: Vec<Frame>,
    },
    /// The invocation took too long.
    #[error("the script ran longer than {} s and was stopped", .limit.as_secs_f64())]
    Timeout {
        /// The longest allowed.
        limit: Duration,
    },
    /// The invocation wanted too much memory.
    #[error("the script needed {wanted} bytes of memory and was stopped; the limit is {limit}")]
    Memory {
        /// What it held together with what it asked for, in bytes.
        wanted: usize,
        /// The most allowed.
        limit: usize,
    },
    /// The script made a value that is over a limit.
    #[error("{}a {what} of {found} {unit}; the limit is {limit}", prefix(.at.as_ref()))]
    Value {
        /// What it made.
        what: &'static str,
        /// How large it would be.
        found: usize,
        /// The largest allowed.
        limit: usize,
        /// Of what.
        unit: &'static str,
        /// Where, when it is known.
        at: Option<Position>,
    },
    /// The script has no such entry point: it defines no function of that name.
    #[error("{script}: the function {entry} is not defined")]
    NoEntry {
        /// The script.
        script: String,
        /// `handle` or `call`.
        entry: &'static str,
    },
    /// What a data function is called with is over a limit.
    #[error("the request holds {problem}")]
    Request {
        /// What is wrong with it.
        problem: String,
    },
    /// The result can't leave the script.
    #[error("{entry} returned {problem}")]
    Result {
        /// `handle` or `call`.
        entry: &'static str,
        /// What is wrong with what it returned.
        problem: ConvertError,
    },
    /// The script ran to its end, and what it did could not be made to last: a disk that is full, say.
    #[error("{library}: {problem}")]
    NotKept {
        /// What the script used for it: `goop.kv`.
        library: &'static str,
        /// What could not be kept, why, and what its owner can do.
        problem: String,
    },
    /// A bug of ours. It ends this invocation and nothing else.
    #[error("internal error: {detail}")]
    Internal {
        /// The panic's message.
        detail: String,
    },
}

impl RunError {
    /// A word for the kind of failure, as `goop2 run --json` prints it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Script { .. } | Self::NoEntry { .. } | Self::NotKept { .. } => "runtime",
            // A reply of the wrong type is an ordinary mistake; no limit is involved.
            Self::Result { problem: ConvertError::Unexpected { .. }, .. } => "runtime",
            Self::Timeout { .. } => "timeout",
            Self::Memory { .. } => "memory",
            Self::Value { .. } | Self::Request { .. } | Self::Result { .. } => "limit",
            Self::Internal { .. } => "internal",
        }
    }

    /// The script's functions that the error went through, innermost first; empty for errors
    /// that are none of the script's, and of functions that the limit on frames left out.
    pub fn traceback(&self) -> &[Frame] {
        match self {
            Self::Script { traceback, .. } => traceback,
            _ => &[],
        }
    }

    /// The line the error is at, when it is at a known one.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Script { at: Some(at), .. } | Self::Value { at: Some(at), .. } => Some(at.line),
            _ => None,
        }
    }
}

/// A size over `limit`: when it is by one, the rest was probably not read.
fn source_size(found: usize, limit: usize) -> String {
    if found == limit + 1 { format!("more than {limit}") } else { found.to_string() }
}

/// `file:line: `, or nothing.
fn prefix(at: Option<&Position>) -> String {
    at.map(|at| format!("{at}: ")).unwrap_or_default()
}

/// Why a value can't be turned into JSON, or JSON into a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConvertError {
    /// A value of a type that JSON does not have.
    #[error("a {found} at {path}, which has no form in JSON")]
    Type {
        /// The Lua type.
        found: &'static str,
        /// The place inside the result, e.g. `result.rows[3].name`.
        path: String,
    },
    /// A value where another type is needed.
    #[error("a {found}; {expected} is needed")]
    Unexpected {
        /// The Lua type found.
        found: &'static str,
        /// What is needed.
        expected: &'static str,
    },
    /// NaN or an infinity.
    #[error("{found} at {path}, which has no form in JSON")]
    NotFinite {
        /// The number as Lua prints it.
        found: String,
        /// The place inside the result.
        path: String,
    },
    /// Text that is not UTF-8.
    #[error("a string at {path} that is not UTF-8")]
    NotUtf8 {
        /// The place inside the result.
        path: String,
    },
    /// A table that has both a list and named fields, or a list with holes.
    #[error("a table at {path} that is neither a list nor a set of named fields: {detail}")]
    MixedTable {
        /// The place inside the result.
        path: String,
        /// What does not fit.
        detail: String,
    },
    /// A table that contains itself.
    #[error("a table at {path} that contains itself")]
    Cycle {
        /// The place inside the result.
        path: String,
    },
    /// Too many levels of nesting.
    #[error("a value nested deeper than {limit} levels")]
    TooDeep {
        /// The most allowed.
        limit: usize,
    },
    /// Too much of it.
    #[error("a value of more than {limit} {unit}")]
    TooLarge {
        /// The most allowed.
        limit: usize,
        /// Of what: bytes or values.
        unit: &'static str,
    },
}
