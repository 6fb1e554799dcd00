//! The numbers that bound a script, in one place, each with its reason.

use std::time::Duration;

/// The largest source of a script, in bytes. Some compiler passes are quadratic; at this size the
/// worst of them takes milliseconds.
pub const MAX_SOURCE_BYTES: usize = 64 * 1024;

/// The longest string a script can make, in bytes. One step of the VM runs 64 instructions
/// whatever the fuel, and each may go over a whole string.
pub const MAX_STRING_BYTES: usize = 4 * 1024 * 1024;

/// The longest string that spells a number, in bytes. The VM reads it anew in every instruction that uses it as a
/// number, at up to 2 ns a byte, and one step can do so a hundred times. Whoever calculates with that
/// many digits does so in pieces.
pub const MAX_NUMERAL_STRING_BYTES: usize = 128 * 1024;

/// The most values that one call takes or gives, as in reference Lua 5.1 (`LUAI_MAXCSTACK`).
pub const MAX_CALL_VALUES: usize = 8_000;

/// The most that leaves a VM of what `handle` returned, in bytes. It is copied while the script may hold all its memory,
/// and whoever sends it as a message sends less.
pub const MAX_REPLY_TEXT_BYTES: usize = 256 * 1024;

/// The most memory that the tree of a result may take while it is built, in bytes. It comes on top of what the
/// script holds.
pub const MAX_RESULT_TREE_BYTES: usize = 10 * 1024 * 1024;

/// The deepest nesting of a JSON document that enters or leaves a VM.
pub const MAX_RESULT_DEPTH: usize = 64;

/// The largest JSON result of a data function, in bytes.
pub const MAX_RESULT_BYTES: usize = 1024 * 1024;

/// The most values in one JSON document that enters or leaves a VM. A value of one byte in JSON
/// (`0`) costs 16 bytes and more inside.
pub const MAX_JSON_VALUES: usize = 100_000;

/// The most fields in one JSON object that enters a VM. The VM hashes strings without a secret,
/// so a stranger could choose names that all collide, and each pair of those is compared.
pub const MAX_JSON_FIELDS: usize = 10_000;

/// The longest text of an error that is kept, in bytes.
pub const MAX_ERROR_BYTES: usize = 4 * 1024;

/// What one invocation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall time from the start of the invocation.
    pub time: Duration,
    /// Memory held by the VM, in bytes.
    pub memory_bytes: usize,
}

impl Default for Limits {
    /// The specification's defaults: 5 s and 10 MiB.
    fn default() -> Self {
        Self { time: Duration::from_secs(5), memory_bytes: 10 * 1024 * 1024 }
    }
}
