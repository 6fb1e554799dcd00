//! Formats, and numbers from text and to text, against reference Lua.

use goop2::vm::stdlib::format::{Conversion, Directive, MAX_FORMATTED_NUMBER_BYTES, number_to_string};
use goop2::vm::stdlib::number::{Number, to_number, to_number_in_base};

use crate::choices::Choices;
use crate::reference::{self, Plain};

/// Integers up to here are exact in reference Lua, which has only doubles.
const EXACT: i64 = 1 << 53;

/// One value and one way to write it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The directive behind its `%`.
    directive: Vec<u8>,
    number: f64,
    text: Vec<u8>,
    base: u32,
}

/// The case that `data` stands for.
pub fn case(data: &[u8]) -> Case {
    let mut choices = Choices::new(data);
    let base = choices.below(40) as u32;
    let number = match choices.below(4) {
        0 => f64::from_bits(choices.word()),
        1 => (choices.word() as i64 >> 10) as f64,
        2 => [f64::NAN, f64::INFINITY, -0.0, 1e15, 1e16, 0.5, 1e-4, 99999.5, f64::MAX, 5e-324]
            [choices.below(10)],
        _ => f64::from(choices.byte()) / f64::from(1u32 << choices.below(8)),
    };
    let directive =
        if choices.chance(220) { made_directive(&mut choices) } else { choices.bytes(12).to_vec() };
    let mut text = choices.rest().to_vec();
    text.truncate(300);
    Case { directive, number, text, base }
}

fn made_directive(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut directive = Vec::new();
    for _ in 0..choices.below(4) {
        directive.push(*choices.pick(b"-+ #0"));
    }
    if choices.chance(128) {
        directive.extend(choices.below(100).to_string().bytes());
    }
    if choices.chance(128) {
        directive.push(b'.');
        directive.extend(choices.below(100).to_string().bytes());
    }
    directive.push(*choices.pick(b"dfgsxeiuoXEGcq"));
    directive
}

/// Compares a formatted number, a formatted text, and a text read as a number.
///
/// # Panics
/// When ours differs from reference Lua where it should not.
pub fn check(case: &Case) {
    check_format(case);
    check_number_text(case.number);
    check_reading(&case.text, case.base);
}

fn check_format(case: &Case) {
    // The caller of `parse` looks for `%%` first; the reference takes a zero byte for the end.
    if case.directive.first() == Some(&b'%') || case.directive.contains(&0) {
        return;
    }
    let format = [b"%", &case.directive[..], b"|"].concat();
    let (directive, used) = match Directive::parse(&format[1..]) {
        Ok(parsed) => parsed,
        Err(error) => {
            let reference =
                reference::call("string.format", &[Plain::Text(format.clone()), Plain::Number(0.0)]);
            let message = reference.expect_err("ours refuses what the reference takes");
            if message.is_ascii() && error.to_string().is_ascii() {
                assert_eq!(error.to_string(), message, "{:?}", String::from_utf8_lossy(&format));
            }
            return;
        }
    };
    // Not in 5.1.
    if directive.conversion == Conversion::HexFloat {
        return;
    }
    // What follows may hold another directive.
    let format = [&format[..=used], b"|"].concat();
    let (value, ours) = if directive.conversion.takes_number() {
        let ours = directive.format_number(Number::Float(case.number));
        assert!(ours.len() <= MAX_FORMATTED_NUMBER_BYTES, "{} bytes", ours.len());
        if case.number.fract() == 0.0
            && case.number.abs() < EXACT as f64
            && case.number.to_bits() != (-0.0f64).to_bits()
        {
            let exact = directive.format_number(Number::Integer(case.number as i64));
            assert_eq!(exact, ours, "an integer is formatted in another way: {format:?}");
        }
        (Plain::Number(case.number), ours)
    } else {
        let mut ours = Vec::new();
        directive.append_bytes(&case.text, &mut ours);
        assert_eq!(ours.len(), directive.formatted_len(&case.text), "formatted_len promised another length");
        (Plain::from(&case.text[..]), ours)
    };
    let ends_early = match directive.conversion {
        Conversion::Text => case.text.contains(&0),
        Conversion::Char => ours.contains(&0),
        _ => false,
    };
    // What C leaves undefined: a number that the integer does not hold, which for `%c` is an `int`.
    let undefined = match directive.conversion {
        Conversion::Char => case.number.is_nan() || case.number.abs() >= 2e9,
        Conversion::Unsigned | Conversion::Octal | Conversion::Hex | Conversion::Signed => {
            case.number.is_nan() || case.number.abs() >= 9.2e18
        }
        _ => false,
    };
    if ends_early || undefined || glibc_drops_zeros(&format, case.number) {
        return;
    }
    let reference = reference::call("string.format", &[Plain::Text(format.clone()), value]);
    let ours = [&ours[..], b"|"].concat();
    assert_eq!(Ok(vec![Plain::Text(ours)]), reference, "{:?} of {case:?}", String::from_utf8_lossy(&format));
}

/// Whether glibc (seen in 2.36) forgets that `#` keeps the zeros of a `%g`: where rounding carries into one more
/// digit than the precision has before the point, it writes 99999.5 by `%#.5g` as `1.e+05` and not `1.0000e+05`.
fn glibc_drops_zeros(format: &[u8], number: f64) -> bool {
    let letter = format.iter().rev().nth(1);
    if !format.contains(&b'#') || !matches!(letter, Some(b'g' | b'G')) || !number.is_finite() {
        return false;
    }
    let precision = match format.iter().position(|byte| *byte == b'.') {
        Some(point) => {
            let digits = format[point + 1..].iter().take_while(|byte| byte.is_ascii_digit());
            digits.fold(0, |all, digit| all * 10 + usize::from(digit - b'0')).max(1)
        }
        None => 6,
    };
    let rounded = format!("{:.*e}", precision - 1, number.abs());
    rounded.ends_with(&format!("e{precision}")) && number.abs() < 10f64.powi(precision as i32)
}

fn check_number_text(number: f64) {
    let ours = number_to_string(number);
    let reference = reference::call("tostring", &[Plain::Number(number)]);
    assert_eq!(Ok(vec![Plain::Text(ours.clone().into_bytes())]), reference, "tostring of {number:e}");
    if number.is_finite() {
        let read = to_number(ours.as_bytes()).expect("what we write we read").to_f64();
        assert!((read - number).abs() <= number.abs() * 1e-13, "{ours} read as {read}");
    }
}

fn check_reading(text: &[u8], base: u32) {
    let decimal = to_number(text).map(Number::to_f64);
    assert_eq!(decimal.map(f64::is_nan), decimal.map(|_| false), "a text was read as NaN");
    // Documented: no `inf`, `nan` and hexadecimal fractions here; a zero byte ends the reference's text.
    let odd = |byte: &u8| matches!(byte, b'n' | b'N' | b'x' | b'X' | b'p' | b'P' | 0);
    if !text.iter().any(odd) {
        let reference = reference::call("tonumber", &[Plain::from(text)]);
        assert_same_number(decimal, reference, text, 10);
    }
    let in_base = to_number_in_base(text, base).map(Number::to_f64);
    let signed = text.contains(&b'-');
    let large = in_base.is_some_and(|number| number.abs() >= EXACT as f64);
    if (2..=36).contains(&base) && base != 10 && !signed && !large && !text.contains(&0) {
        let reference = reference::call("tonumber", &[Plain::from(text), Plain::Number(f64::from(base))]);
        assert_same_number(in_base, reference, text, base);
    }
}

fn assert_same_number(ours: Option<f64>, reference: Result<Vec<Plain>, String>, text: &[u8], base: u32) {
    let reference = match reference.as_deref() {
        Ok([Plain::Number(number)]) => Some(number.to_bits()),
        Ok([Plain::Nil]) => None,
        other => panic!("tonumber gave {other:?}"),
    };
    assert_eq!(
        ours.map(f64::to_bits),
        reference,
        "tonumber of {:?} in {base}",
        String::from_utf8_lossy(text)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_formats_agree() {
        for directive in ["d", "5.1f", "-8s", "+.3e", "q", "x", "y", "100d", "", "c", ".0f", "#o"] {
            for number in [0.0, 1.5, -7.0, 1e100, f64::NAN, 65.0] {
                let text = b"12 a\n\r\"\\".to_vec();
                check(&Case { directive: directive.into(), number, text, base: 16 });
            }
        }
        for text in ["10", " 1e3 ", ".5", "5.", "zz", "", " ", "+7", "-0", "1e", "1 2"] {
            for base in [2, 8, 10, 36] {
                check(&Case { directive: b"d".to_vec(), number: 1.0, text: text.into(), base });
            }
        }
    }

    /// Found by the target; the text of ours is the one that C asks for.
    #[test]
    fn a_fault_of_glibc_is_not_ours() {
        let case = |number| Case { directive: b"#-11.5G".to_vec(), number, text: Vec::new(), base: 10 };
        check(&case(99999.5));
        assert!(glibc_drops_zeros(b"%#-11.5G|", 99999.5));
        for number in [99999.0, 100_000.0, 9.9999995, 999_995.0] {
            assert!(!glibc_drops_zeros(b"%#-11.5G|", number), "{number} is to be compared");
            check(&case(number));
        }
        let directive = goop2::vm::stdlib::format::Directive::parse(b"#.5G").unwrap().0;
        assert_eq!(directive.format_number(Number::Float(99999.5)), b"1.0000E+05");
    }

    #[test]
    #[should_panic(expected = "tonumber of")]
    fn a_difference_is_seen() {
        assert_same_number(Some(1.0), Ok(vec![Plain::Number(2.0)]), b"2", 10);
    }
}
