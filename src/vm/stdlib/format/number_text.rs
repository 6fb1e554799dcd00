//! Numbers as `tostring`, `print` and `..` write them.

use super::float;

/// The significant digits that Lua 5.1 writes: `%.14g`.
const SIGNIFICANT_DIGITS: usize = 14;

/// The first integer that takes more digits than that: it is written `1e+14`.
const FIRST_WITH_EXPONENT: u64 = 100_000_000_000_000;

/// A float as Lua 5.1 on Linux writes it, which is `%.14g`: `5` for 5.0, `1e+15`, `-0`, `inf`,
/// `-nan`. At most 22 bytes.
pub fn number_to_string(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let magnitude = value.abs();
    if value.is_nan() {
        return format!("{sign}nan");
    }
    if magnitude.is_infinite() {
        return format!("{sign}inf");
    }
    // The most frequent numbers need no more than this.
    if magnitude < FIRST_WITH_EXPONENT as f64 && magnitude.fract() == 0.0 {
        return format!("{sign}{}", magnitude as u64);
    }
    format!("{sign}{}", float::general(magnitude, SIGNIFICANT_DIGITS, false))
}

/// An integer as Lua 5.1 writes the double nearest to it: `99999999999999` in full, but
/// 100000000000000 as `1e+14`, so that a script can't tell the two kinds of number apart.
pub fn integer_to_string(value: i64) -> String {
    if value.unsigned_abs() < FIRST_WITH_EXPONENT {
        return value.to_string();
    }
    number_to_string(value as f64)
}
