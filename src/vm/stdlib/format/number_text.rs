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

/// Appends what [`number_to_string`] gives.
pub fn append_number(value: f64, out: &mut Vec<u8>) {
    let is_whole = value.abs() < FIRST_WITH_EXPONENT as f64 && value.fract() == 0.0;
    // -0 has a sign that no integer has.
    if is_whole && (value != 0.0 || value.is_sign_positive()) {
        append_digits(value as i64, out);
    } else {
        out.extend_from_slice(number_to_string(value).as_bytes());
    }
}

/// Appends what [`integer_to_string`] gives.
pub fn append_integer(value: i64, out: &mut Vec<u8>) {
    if value.unsigned_abs() < FIRST_WITH_EXPONENT {
        append_digits(value, out);
    } else {
        out.extend_from_slice(number_to_string(value as f64).as_bytes());
    }
}

/// Appends an integer of at most [`SIGNIFICANT_DIGITS`] digits.
fn append_digits(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0; SIGNIFICANT_DIGITS];
    let mut rest = value.unsigned_abs();
    let mut first = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        first = at;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}
