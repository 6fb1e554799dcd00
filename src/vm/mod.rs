//! The sandboxed interpreter: loads, checks, compiles and runs one script under exact limits.
//!
//! The compiler, values, collector and executor are those of the piccolo stackless VM; the
//! standard library, the limits and the checks around them are ours, because the published
//! library trusts its scripts. This layer knows nothing of files, the network or any runtime:
//! whoever steps a [`Machine`] decides when and on which thread.

mod budget;
pub(crate) mod call;
mod chosen;
mod compile_error;
pub(crate) mod counted;
mod error;
mod from_json;
mod installer;
mod json_marks;
mod json_room;
mod json_tree;
mod large_stack;
mod limits;
mod lines;
mod machine;
mod mark;
mod names;
pub(crate) mod native;
mod panics;
mod places;
mod program;
mod read_only;
mod rewrite;
pub mod stdlib;
mod syntax_error;
mod task;
mod to_json;
mod vm_error;

pub use error::{ConvertError, Frame, LoadError, Position, RunError};
#[cfg(feature = "db")]
pub(crate) use from_json::exact_integer;
pub(crate) use from_json::import_integer;
pub(crate) use from_json::json_text_to_value;
pub(crate) use installer::Installer;
pub(crate) use json_marks::{Mark, mark_of, null_value, set_mark};
pub use json_tree::json_tree_bytes;
pub use limits::{
    Limits, MAX_CALL_VALUES, MAX_ERROR_BYTES, MAX_JSON_FIELDS, MAX_JSON_VALUES, MAX_NUMERAL_STRING_BYTES,
    MAX_REPLY_TEXT_BYTES, MAX_RESULT_BYTES, MAX_RESULT_DEPTH, MAX_RESULT_TREE_BYTES, MAX_SOURCE_BYTES,
    MAX_STRING_BYTES,
};

pub use machine::{Answered, Entry, Machine, Outcome, Slice, Stats, Waiting};
pub(crate) use panics::panic_text;
pub use program::{Entries, Program};
pub(crate) use to_json::value_to_json_text;
