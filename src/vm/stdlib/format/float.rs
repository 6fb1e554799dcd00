//! The float conversions `%e %f %g %a`.

use super::directive::{Conversion, Directive};

/// The precision when none is given, but for `%a`.
const DEFAULT_PRECISION: usize = 6;

/// Formats a float, infinities and not-a-number as the C library on Linux does.
pub(super) fn format(directive: &Directive, value: f64) -> Vec<u8> {
    let sign = directive.sign(value.is_sign_negative());
    if !value.is_finite() {
        let name = if value.is_nan() { "nan" } else { "inf" };
        return directive.pad(sign.as_bytes(), cased(directive, name.to_owned()).as_bytes(), false);
    }
    let magnitude = value.abs();
    let precision = directive.precision.unwrap_or(DEFAULT_PRECISION);
    let (prefix, body) = match directive.conversion {
        Conversion::Fixed => ("", fixed(magnitude, precision, directive.alternative)),
        Conversion::Exponent => ("", exponent(magnitude, precision, directive.alternative)),
        Conversion::HexFloat => ("0x", hexadecimal(magnitude, directive.precision, directive.alternative)),
        _ => ("", general(magnitude, precision, directive.alternative)),
    };
    let prefix = cased(directive, format!("{sign}{prefix}"));
    directive.pad(prefix.as_bytes(), cased(directive, body).as_bytes(), true)
}

fn cased(directive: &Directive, text: String) -> String {
    if directive.upper { text.to_ascii_uppercase() } else { text }
}

fn fixed(magnitude: f64, precision: usize, point: bool) -> String {
    let mut text = format!("{magnitude:.precision$}");
    if precision == 0 && point {
        text.push('.');
    }
    text
}

fn exponent(magnitude: f64, precision: usize, point: bool) -> String {
    let (mut digits, exponent) = scientific(magnitude, precision);
    if precision == 0 && point {
        digits.push('.');
    }
    with_exponent(&digits, exponent)
}

/// `%g`: the shorter of the two forms, by the exponent that `%e` would show.
pub(super) fn general(magnitude: f64, precision: usize, keep_zeros: bool) -> String {
    let significant = precision.max(1);
    let (digits, exponent) = scientific(magnitude, significant - 1);
    let decimals = i64::try_from(significant).unwrap_or(i64::MAX) - 1 - i64::from(exponent);
    match usize::try_from(decimals) {
        Ok(decimals) if exponent >= -4 => trimmed(fixed(magnitude, decimals, keep_zeros), keep_zeros),
        _ => {
            let point = if keep_zeros && significant == 1 { "." } else { "" };
            with_exponent(&trimmed(digits + point, keep_zeros), exponent)
        }
    }
}

/// The digits `d.ddd` with `precision` decimals, and the power of ten.
fn scientific(magnitude: f64, precision: usize) -> (String, i32) {
    let text = format!("{magnitude:.precision$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or(0)),
        None => (text, 0),
    }
}

fn with_exponent(digits: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// Without the zeros at the end of a fraction, unless they are to stay.
fn trimmed(mut text: String, keep_zeros: bool) -> String {
    if !keep_zeros && text.contains('.') {
        let length = text.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(length);
    }
    text
}

/// Bits of a double's fraction, which are 13 hexadecimal digits.
const FRACTION_BITS: u32 = 52;
const FRACTION_DIGITS: usize = 13;

/// `%a` behind its `0x`: one digit, the fraction, and the power of two; ties round to even.
fn hexadecimal(magnitude: f64, precision: Option<usize>, point: bool) -> String {
    let bits = magnitude.to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let (significand, exponent) = match (bits >> FRACTION_BITS) as i32 {
        0 if fraction == 0 => (0, 0),
        0 => (fraction, -1022),
        biased => (fraction | 1 << FRACTION_BITS, biased - 1023),
    };
    let shown = precision.unwrap_or(FRACTION_DIGITS).min(FRACTION_DIGITS);
    let rounded = round_off(significand, 4 * (FRACTION_DIGITS - shown) as u32);
    let lead = rounded >> (4 * shown);
    let mut digits = match shown {
        0 => String::new(),
        _ => format!("{:0shown$x}", rounded & ((1 << (4 * shown)) - 1)),
    };
    match precision {
        Some(precision) => digits.extend(std::iter::repeat_n('0', precision - shown)),
        None => digits.truncate(digits.trim_end_matches('0').len()),
    }
    let point = if digits.is_empty() && !point { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{lead:x}{point}{digits}p{sign}{}", exponent.unsigned_abs())
}

/// `value` without its lowest `bits`, rounded to the nearest, to the even one of two.
fn round_off(value: u64, bits: u32) -> u64 {
    if bits == 0 {
        return value;
    }
    let kept = value >> bits;
    let rest = value & ((1 << bits) - 1);
    let half = 1 << (bits - 1);
    kept + u64::from(rest > half || (rest == half && kept & 1 == 1))
}
