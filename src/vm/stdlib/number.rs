//! Reading numbers as `tonumber` does: reference Lua 5.1 on `strtod` and `strtoul`, in linear time.
//!
//! The grammar is checked here and only then is the text given to Rust's own exact float reader,
//! which alone would also take `inf`, `nan` and their like. Against reference Lua 5.1 on Linux:
//! `inf`, `nan` and hexadecimal fractions are refused; a minus before digits of another base
//! negates (there it wraps round 2⁶⁴), and such digits may go beyond 2⁶⁴.

/// A number as scripts hold it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number within 64 bits, exact.
    Integer(i64),
    /// Any other number.
    Float(f64),
}

impl Number {
    /// The number as a double, the nearest one when there is none for it.
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// Reads a decimal number, or a hexadecimal integer behind `0x`, with blanks around it allowed.
///
/// Digits alone give an integer where 64 bits suffice; a fraction, an exponent, more digits and
/// `-0`, which 5.1 keeps apart from 0, give a float. Nothing when the text is anything else.
pub fn to_number(text: &[u8]) -> Option<Number> {
    let text = trim(text);
    let (negative, digits) = split_sign(text);
    if let [b'0', b'x' | b'X', hex @ ..] = digits {
        return hex_integer(hex).map(|value| with_sign(value, negative));
    }
    if !is_decimal(digits) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    match text.parse::<i64>() {
        Ok(0) if negative => Some(Number::Float(-0.0)),
        Ok(value) => Some(Number::Integer(value)),
        Err(_) => text.parse().ok().map(Number::Float),
    }
}

/// Reads an integer written in `base`, with blanks around it, a sign, and `0x` in base 16 allowed.
///
/// Base 10 reads as [`to_number`] does, as in reference Lua. What 64 bits can't hold becomes a
/// float near it. Nothing when the text is anything else, or `base` is not in `2..=36`.
pub fn to_number_in_base(text: &[u8], base: u32) -> Option<Number> {
    if base == 10 {
        return to_number(text);
    }
    if !(2..=36).contains(&base) {
        return None;
    }
    let (negative, mut digits) = split_sign(trim(text));
    if base == 16
        && let [b'0', b'x' | b'X', hex @ ..] = digits
    {
        digits = hex;
    }
    if digits.is_empty() {
        return None;
    }
    let mut exact = Some(0i64);
    let mut float = 0f64;
    for &byte in digits {
        let digit = char::from(byte).to_digit(base)?;
        exact = exact.and_then(|value| value.checked_mul(i64::from(base))?.checked_add(i64::from(digit)));
        float = float * f64::from(base) + f64::from(digit);
    }
    Some(with_sign(exact.map_or(Number::Float(float), Number::Integer), negative))
}

/// Without the blanks of the C locale around it.
fn trim(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | 9..=13);
    let start = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn with_sign(value: Number, negative: bool) -> Number {
    match value {
        _ if !negative => value,
        Number::Integer(0) => Number::Float(-0.0),
        Number::Integer(value) => Number::Integer(-value),
        Number::Float(value) => Number::Float(-value),
    }
}

/// Digits with at most one point among or beside them, and perhaps an exponent.
fn is_decimal(text: &[u8]) -> bool {
    let after_digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = after_digits(text);
    let mut rest = text.get(whole..).unwrap_or_default();
    let mut count = whole;
    if let [b'.', fraction @ ..] = rest {
        let width = after_digits(fraction);
        count += width;
        rest = fraction.get(width..).unwrap_or_default();
    }
    let exponent_is_fine = match rest {
        [] => true,
        [b'e' | b'E', exponent @ ..] => {
            let (_, digits) = split_sign(exponent);
            !digits.is_empty() && after_digits(digits) == digits.len()
        }
        _ => false,
    };
    count > 0 && exponent_is_fine
}

/// The value of hexadecimal digits: beyond 64 bits the nearest double, correctly rounded.
fn hex_integer(digits: &[u8]) -> Option<Number> {
    if digits.is_empty() {
        return None;
    }
    let mut leading = 0u64;
    let mut dropped_digits = 0i32;
    let mut dropped_any = false;
    for &byte in digits {
        let digit = u64::from(char::from(byte).to_digit(16)?);
        if leading >> 60 == 0 {
            leading = leading << 4 | digit;
        } else {
            dropped_digits = dropped_digits.saturating_add(1);
            dropped_any |= digit != 0;
        }
    }
    if dropped_digits == 0
        && let Ok(value) = i64::try_from(leading)
    {
        return Some(Number::Integer(value));
    }
    // The lowest of at least 61 bits only has to say on which side of the middle the rest lies.
    let rounded = (leading | u64::from(dropped_any)) as f64;
    Some(Number::Float(rounded * 16f64.powi(dropped_digits.min(1_000))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::stdlib::format::number_to_string;
    use crate::vm::stdlib::oracle;
    use crate::vm::stdlib::random::Random;

    fn integer(value: i64) -> Option<Number> {
        Some(Number::Integer(value))
    }

    fn float(value: f64) -> Option<Number> {
        Some(Number::Float(value))
    }

    #[test]
    fn reads_decimal_and_hexadecimal_text() {
        for (text, expected) in [
            ("10", integer(10)),
            (" \t\n\x0b\x0c\r-7 \n", integer(-7)),
            ("+5", integer(5)),
            ("007", integer(7)),
            ("9223372036854775807", integer(i64::MAX)),
            ("-9223372036854775808", integer(i64::MIN)),
            ("9223372036854775808", float(9_223_372_036_854_775_808.0)),
            ("10.0", float(10.0)),
            ("1e2", float(100.0)),
            (".5", float(0.5)),
            ("5.", float(5.0)),
            ("-1E-3", float(-0.001)),
            ("1e400", float(f64::INFINITY)),
            ("1e99999999999999999999", float(f64::INFINITY)),
            ("0x1F", integer(31)),
            ("-0XfF", integer(-255)),
            ("0x7fffffffffffffff", integer(i64::MAX)),
            ("0x8000000000000000", float(9_223_372_036_854_775_808.0)),
            ("0x10000000000000000", float(18_446_744_073_709_551_616.0)),
            ("0x20000000000001000000000000000001", float(2f64.powi(125) + 2f64.powi(73))),
        ] {
            assert_eq!(to_number(text.as_bytes()), expected, "{text:?}");
        }
        assert!(matches!(to_number(b"-0"), Some(Number::Float(zero)) if zero.is_sign_negative()));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "", " ", "-", "+", ".", "1e", "1e+", "e5", "0x", "0xg", "-0x", "0x-1", "0x1.8", "0x1p4", "inf",
            "nan", "-inf", "infinity", "1 2", "1_000", "--1", "1..2", "1.2.3", "١", "10\0", "5f", "NaN",
        ] {
            assert_eq!(to_number(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(to_number(b"\xff1"), None);
    }

    #[test]
    fn reads_other_bases() {
        for (text, base, expected) in [
            ("ff", 16, integer(255)),
            ("0xff", 16, integer(255)),
            ("0x", 16, None),
            (" zZ ", 36, integer(35 * 36 + 35)),
            ("-101", 2, integer(-5)),
            ("12", 2, None),
            ("", 2, None),
            ("-", 8, None),
            ("1e2", 10, float(100.0)),
            ("8", 8, None),
            ("7", 1, None),
            ("7", 37, None),
        ] {
            assert_eq!(to_number_in_base(text.as_bytes(), base), expected, "{text:?} in base {base}");
        }
        assert_eq!(to_number_in_base(&[b'1'; 200], 2), float(2f64.powi(200)));
        assert_eq!(to_number_in_base(&[b'z'; 2_000], 36), float(f64::INFINITY));
    }

    #[test]
    fn long_digit_strings_are_read_to_the_end() {
        let digits = vec![b'9'; 1 << 20];
        assert_eq!(to_number(&digits), float(f64::INFINITY));
        let mut hex = b"0x".to_vec();
        hex.extend_from_slice(&vec![b'f'; 1 << 20]);
        assert_eq!(to_number(&hex), float(f64::INFINITY));
        hex.push(b'g');
        assert_eq!(to_number(&hex), None);
    }

    #[test]
    fn reads_as_reference_lua_does() {
        let mut random = Random::new(3);
        let mut pick =
            |from: &[&str]| from[random.range(0, from.len() as i64 - 1).unwrap() as usize].to_owned();
        let (mut cases, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..3_000 {
            let length = pick(&["1", "2", "3", "4", "5", "6"]).parse().unwrap();
            let pieces =
                ["0", "1", "9", "25", "123456789", "a", "f", ".", "e", "E", "+", "-", " ", "\t", "_", "0x"];
            let text: String = (0..length).map(|_| pick(&pieces)).collect();
            if is_left_out(&text) {
                continue;
            }
            let base: u32 = pick(&["10", "10", "2", "8", "16", "36"]).parse().unwrap();
            cases.push(format!("show(tonumber({}, {base}))", oracle::literal(text.as_bytes())));
            let number = to_number_in_base(text.as_bytes(), base);
            ours.push(number.map_or("nil".to_owned(), |number| number_to_string(number.to_f64())));
        }
        if let Some(reference) = oracle::reference_lines(&cases.join("\n"), "UTC") {
            oracle::assert_same(&cases, &ours, &reference);
        }
    }

    /// What this module's head says to read differently: a minus in another base, numbers beyond
    /// 2⁶⁴ there, and hexadecimal fractions.
    fn is_left_out(text: &str) -> bool {
        text.contains('-') || text.len() > 12 || (text.contains('x') && text.contains('.'))
    }
}
