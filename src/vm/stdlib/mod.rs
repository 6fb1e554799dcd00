//! Our own standard library: Lua 5.1 for scripts that nobody trusts.
//!
//! The modules of this folder come in two kinds. `base`, `string`, `table`, `math` and
//! `os` are natives: they know the VM, charge fuel and ask for memory. The others are the
//! algorithms behind them, on bytes and numbers alone, so that they can be tested and fuzzed
//! against the reference interpreter without a VM.

mod base;
mod comparator;
mod concat;
pub mod date;
pub mod format;
mod leave;
mod math;
mod metamethod;
pub mod number;
#[cfg(test)]
mod oracle;
mod ordering;
mod os;
pub mod pattern;
mod protected_call;
pub mod random;
mod sort;
mod string;
mod string_format;
mod string_gsub;
mod string_match;
mod table;
pub(crate) mod text;

use crate::vm::installer::Installer;
use crate::vm::native::Native;
use crate::vm::rewrite::HiddenNative;

/// Registers what the program can reach.
pub(crate) fn install(installer: &Installer<'_, '_>) {
    base::install(installer);
    string::install(installer);
    installer.global("table", |i| i.library("table", table::NATIVES).into());
    math::install(installer);
    installer.global("os", |i| i.library("os", os::NATIVES).into());
}

/// The native behind a rewritten operator.
pub(crate) fn hidden_native(native: HiddenNative) -> &'static Native {
    match native {
        HiddenNative::Concat => &concat::CONCAT,
        HiddenNative::Modulo => &math::MODULO,
        HiddenNative::LessEqual => &ordering::LESS_EQUAL,
        HiddenNative::GreaterEqual => &ordering::GREATER_EQUAL,
        HiddenNative::LimitValues => &base::LIMIT_VALUES,
        HiddenNative::TrackMark => &leave::TRACK_MARK,
        HiddenNative::LeaveTo => &leave::LEAVE_TO,
        HiddenNative::LeaveWith => &leave::LEAVE_WITH,
    }
}
