//! The pattern language of Lua 5.1, matched in steps so that no pattern can hold up the machine.
//!
//! Reference Lua matches by recursion and does not return before it knows the answer: 30 bytes of
//! pattern can keep it busy for hours. [`Matcher`] keeps its backtracking points on a stack of its
//! own, bounded by [`MAX_DEPTH`], counts every byte it looks at, and can be left and entered again
//! at any step. Translating patterns to a regular-expression library was rejected: `%b`, `%f`,
//! back references and 5.1's late error messages have no counterpart there.
//!
//! A zero byte is an ordinary byte in patterns, where reference Lua 5.1 takes it for the end.

mod byte_set;
mod captures;
mod error;
mod kept_sets;
mod matcher;
mod plain;
mod replacement;
mod search;
mod single;

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;

pub use captures::{Capture, MAX_CAPTURES};
pub use error::PatternError;
pub use matcher::{MAX_DEPTH, Matcher, Progress};
pub use plain::{find_plain, has_specials};
pub use replacement::{append_replacement, replacement_len};
pub use search::{Caret, Search};
