//! The integer conversions `%d %i %u %o %x %X`.

use super::directive::{Conversion, Directive};

/// `%d` and `%i`.
pub(super) fn signed(directive: &Directive, value: i64) -> Vec<u8> {
    let digits = with_precision(directive, value.unsigned_abs().to_string(), value == 0);
    finish(directive, directive.sign(value < 0), &digits)
}

/// `%u`, `%o`, `%x`, `%X`: the sign flags mean nothing here.
pub(super) fn unsigned(directive: &Directive, value: u64) -> Vec<u8> {
    let (digits, prefix) = match (directive.conversion, directive.upper) {
        (Conversion::Octal, _) => (format!("{value:o}"), ""),
        (Conversion::Hex, false) => (format!("{value:x}"), "0x"),
        (Conversion::Hex, true) => (format!("{value:X}"), "0X"),
        _ => (value.to_string(), ""),
    };
    let mut digits = with_precision(directive, digits, value == 0);
    let alternative = directive.alternative;
    if alternative && directive.conversion == Conversion::Octal && !digits.starts_with('0') {
        digits.insert(0, '0');
    }
    finish(directive, if alternative && value != 0 { prefix } else { "" }, &digits)
}

/// At least as many digits as the precision says; a zero with the precision 0 has none.
fn with_precision(directive: &Directive, digits: String, is_zero: bool) -> String {
    match directive.precision {
        Some(0) if is_zero => String::new(),
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    }
}

fn finish(directive: &Directive, prefix: &str, digits: &str) -> Vec<u8> {
    directive.pad(prefix.as_bytes(), digits.as_bytes(), directive.precision.is_none())
}
