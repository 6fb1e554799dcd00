//! `os.date` and `os.time` on the calendar and the time zones of jiff, without any C library.
//!
//! The conversions are those of `strftime` in the C locale, as glibc has them and reference Lua
//! 5.1 passes them on: one letter at a time, so that the modifiers `E`, `O`, `-` and widths mean
//! nothing. A conversion that is unknown stays in the text as it stands. jiff's own `strftime` was
//! rejected: its letters differ, and it fails as a whole on an unknown one.
//!
//! jiff's calendar ends with the years -9999 and 9999, and so do these functions: beyond is an
//! error, where reference Lua goes on. The zone is the caller's, so that tests need not change the
//! process's environment.

mod civil_time;
mod strftime;
#[cfg(test)]
mod tests;

pub use civil_time::{DateFields, TimeFields, time};
pub use strftime::{DateResult, MAX_DATE_FORMAT_BYTES, MAX_DATE_TEXT_BYTES, date};

/// The time zone of this machine, or UTC when it can't be found out.
pub fn local_zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::system()
}

/// Why a date is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// A table for `os.time` lacks a field that has no default.
    #[error("field '{field}' missing in date table")]
    MissingField {
        /// The field's name.
        field: &'static str,
    },
    /// The calendar does not go so far.
    #[error("the time is outside the years -9999 to 9999")]
    OutOfRange,
    /// The format for `os.date` is too long.
    #[error("the date format has {found} bytes, at most {MAX_DATE_FORMAT_BYTES} are allowed")]
    FormatTooLong {
        /// Its length.
        found: usize,
    },
}
