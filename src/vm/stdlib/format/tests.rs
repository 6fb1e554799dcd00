//! Formats against tables, and thousands of made-up ones against reference Lua.

use super::*;
use crate::vm::stdlib::number::Number;
use crate::vm::stdlib::oracle;
use crate::vm::stdlib::random::Random;

fn number(format: &str, value: Number) -> String {
    let (directive, length) = Directive::parse(&format.as_bytes()[1..]).unwrap();
    assert_eq!(length, format.len() - 1, "{format}");
    let bytes = directive.format_number(value);
    assert!(bytes.len() <= MAX_FORMATTED_NUMBER_BYTES, "{format} gave {} bytes", bytes.len());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn float(format: &str, value: f64) -> String {
    number(format, Number::Float(value))
}

fn text(format: &str, value: &[u8]) -> Vec<u8> {
    let (directive, _) = Directive::parse(&format.as_bytes()[1..]).unwrap();
    let mut out = Vec::new();
    directive.append_bytes(value, &mut out);
    assert_eq!(out.len(), directive.formatted_len(value), "formatted_len promised another length");
    out
}

#[test]
fn formats_integers_as_c_does() {
    for (format, value, expected) in [
        ("%d", 42, "42"),
        ("%05d", -42, "-0042"),
        ("%-6d|", -42, "-42   "),
        ("%+d", 42, "+42"),
        ("% d", 42, " 42"),
        ("%.5d", -42, "-00042"),
        ("%08.5d", 42, "   00042"),
        ("%.0d", 0, ""),
        ("%x", -1, "ffffffffffffffff"),
        ("%#x", 255, "0xff"),
        ("%#X", 255, "0XFF"),
        ("%#x", 0, "0"),
        ("%#06x", 255, "0x00ff"),
        ("%o", 8, "10"),
        ("%#o", 8, "010"),
        ("%u", -1, "18446744073709551615"),
        ("%i", i64::MIN, "-9223372036854775808"),
        ("%c", 65, "A"),
        ("%c", 0, "\0"),
        ("%3c", 65, "  A"),
        ("%s", 7, "7"),
        ("%.1f", 1, "1.0"),
    ] {
        assert_eq!(number(format.trim_end_matches('|'), Number::Integer(value)), expected, "{format}");
    }
}

#[test]
fn formats_floats_as_c_does() {
    let (inf, nan) = (f64::INFINITY, f64::NAN.copysign(1.0));
    for (format, value, expected) in [
        ("%5.1f", 3.0625, "  3.1"),
        ("%+.3e", 12345.678, "+1.235e+04"),
        ("%.0f", 0.5, "0"),
        ("%.0f", 2.5, "2"),
        ("%#.0f", 3.0, "3."),
        ("%.20f", 0.1, "0.10000000000000000555"),
        ("%g", 0.0001, "0.0001"),
        ("%g", 0.00001, "1e-05"),
        ("%g", 100000.0, "100000"),
        ("%g", 1e6, "1e+06"),
        ("%#g", 1.0, "1.00000"),
        ("%#.1g", 1e10, "1.e+10"),
        ("%.3g", 0.00012345, "0.000123"),
        ("%g", 0.001, "0.001"),
        ("%G", 1e-10, "1E-10"),
        ("%e", 0.0, "0.000000e+00"),
        ("%g", -0.0, "-0"),
        ("%f", inf, "inf"),
        ("%05f", -inf, " -inf"),
        ("%+E", inf, "+INF"),
        ("%f", nan, "nan"),
        ("%G", -nan, "-NAN"),
        ("%d", 3.99, "3"),
        ("%d", -3.99, "-3"),
        ("%d", nan, "-9223372036854775808"),
        ("%x", 18_446_744_073_709_549_568.0, "fffffffffffff800"),
        ("%a", 1.0, "0x1p+0"),
        ("%a", 0.0, "0x0p+0"),
        ("%a", -0.1, "-0x1.999999999999ap-4"),
        ("%A", 0.1, "0X1.999999999999AP-4"),
        ("%.0a", 1.5, "0x2p+0"),
        ("%.0a", 2.5, "0x1p+1"),
        ("%.3a", 0.1, "0x1.99ap-4"),
        ("%.15a", 1.0, "0x1.000000000000000p+0"),
        ("%.13a", 5e-324, "0x0.0000000000001p-1022"),
        ("%#a", 1.0, "0x1.p+0"),
        ("%010a", 1.0, "0x00001p+0"),
    ] {
        assert_eq!(float(format, value), expected, "{format} of {value}");
    }
}

#[test]
fn the_longest_numbers_stay_within_the_bound() {
    assert_eq!(float("%+#99.99f", -1e308).len(), 410);
    assert!(float("%.99f", f64::MAX).starts_with("17976931348623157081452742373170435679807056752584"));
    for letter in ["e", "g", "a", "f", "d", "x", "o", "c"] {
        for value in [f64::MAX, f64::MIN_POSITIVE, 5e-324, -1.0] {
            float(&format!("%-+ #099.99{letter}")[..], value);
            float(&format!("%+# 099.99{letter}")[..], value);
        }
    }
}

#[test]
fn formats_strings() {
    assert_eq!(text("%s", b"a\0b"), b"a\0b");
    assert_eq!(text("%5s", b"ab"), b"   ab");
    assert_eq!(text("%-5s", b"ab"), b"ab   ");
    assert_eq!(text("%.1s", b"ab"), b"a");
    assert_eq!(text("%4.1s", b"ab"), b"   a");
    assert_eq!(text("%.s", b"ab"), b"");
    assert_eq!(text("%q", b"a\"\\\n\r\0\xff"), b"\"a\\\"\\\\\\\n\\r\\000\xff\"");
    assert_eq!(text("%5s", &[b'x'; 1_000]), [b'x'; 1_000]);
}

#[test]
fn refuses_what_reference_lua_refuses() {
    for (format, expected) in [
        ("------d", "invalid format (repeated flags)"),
        ("123d", "invalid format (width or precision too long)"),
        (".123d", "invalid format (width or precision too long)"),
        ("y", "invalid option '%y' to 'format'"),
        ("F", "invalid option '%F' to 'format'"),
        ("*d", "invalid option '%*' to 'format'"),
        ("", "invalid option '%' to 'format'"),
        ("5", "invalid option '%' to 'format'"),
    ] {
        assert_eq!(Directive::parse(format.as_bytes()).unwrap_err().to_string(), expected, "{format}");
    }
    assert_eq!(Directive::parse(b"+5.2f rest").unwrap().1, 5);
    assert!(Directive::parse(b"q").is_ok_and(|(directive, _)| !directive.conversion.takes_number()));
}

#[test]
fn numbers_read_as_in_lua_5_1() {
    for (value, expected) in [
        (10.0 / 2.0, "5"),
        (1e15, "1e+15"),
        (1e14, "1e+14"),
        (99_999_999_999_999.0, "99999999999999"),
        (99_999_999_999_999.5, "1e+14"),
        (9_007_199_254_740_992.0, "9.007199254741e+15"),
        (0.1, "0.1"),
        (-0.0, "-0"),
        (-12.5, "-12.5"),
        (1.0 / 3.0, "0.33333333333333"),
        (1e-5, "1e-05"),
        (f64::MAX, "1.7976931348623e+308"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN.copysign(1.0), "nan"),
        (f64::NAN.copysign(-1.0), "-nan"),
    ] {
        assert_eq!(number_to_string(value), expected);
        assert_eq!(appended(|out| append_number(value, out)), expected);
    }
    for value in [0, -7, 99_999_999_999_999, 100_000_000_000_000, 1 << 53, i64::MIN, i64::MAX] {
        assert_eq!(integer_to_string(value), number_to_string(value as f64));
        assert_eq!(appended(|out| append_integer(value, out)), integer_to_string(value));
    }
}

fn appended(append: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"x".to_vec();
    append(&mut out);
    String::from_utf8(out.split_off(1)).unwrap()
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.range(0, from.len() as i64 - 1).unwrap() as usize]
}

/// A double that is short to write, on a tie, or anything at all.
fn made_up_float(random: &mut Random) -> f64 {
    let small = random.range(-2_000, 2_000).unwrap() as f64;
    match random.range(0, 4).unwrap() {
        0 => small,
        1 => small / 16.0,
        2 => small * 10f64.powi(random.range(-30, 30).unwrap() as i32),
        3 => random.range(-(1 << 53), 1 << 53).unwrap() as f64,
        _ => {
            let float = f64::from_bits(random.next_u64());
            if float.is_nan() { 0.1 } else { float }
        }
    }
}

/// A Lua expression for exactly this double.
fn exact(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "(1/0)" } else { "(-1/0)" }.to_owned();
    }
    format!("tonumber('{value:.17e}')")
}

fn made_up_directive(random: &mut Random, letters: &[&str]) -> String {
    let flags: String =
        (0..random.range(0, 3).unwrap()).map(|_| pick(random, &["-", "+", " ", "#", "0"])).collect();
    let width = pick(random, &["", "", "1", "8", "25"]);
    let precision = pick(random, &["", "", ".", ".0", ".1", ".3", ".17", ".40"]);
    format!("%{flags}{width}{precision}{}", pick(random, letters))
}

#[test]
fn numbers_are_formatted_as_reference_lua_does() {
    let mut random = Random::new(11);
    let (mut cases, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..6_000 {
        let format =
            made_up_directive(&mut random, &["d", "i", "u", "x", "X", "o", "e", "E", "f", "g", "G", "c"]);
        let mut value = made_up_float(&mut random);
        if format.ends_with(['d', 'i', 'u', 'x', 'X', 'o']) {
            value = value.clamp(-9e15, 9e15);
        } else if format.ends_with('c') {
            value = value.abs() % 254.0 + 1.0;
        }
        cases.push(format!("show(('{format}'):format({}))", exact(value)));
        let (directive, _) = Directive::parse(&format.as_bytes()[1..]).unwrap();
        ours.push(oracle::show_bytes(&directive.format_number(Number::Float(value))));
    }
    if let Some(reference) = oracle::reference_lines(&cases.join("\n"), "UTC") {
        oracle::assert_same(&cases, &ours, &reference);
    }
}

#[test]
fn numbers_turn_into_text_as_in_reference_lua() {
    let mut random = Random::new(12);
    let values: Vec<f64> = (0..4_000).map(|_| made_up_float(&mut random)).collect();
    let cases: Vec<String> = values.iter().map(|value| format!("print({})", exact(*value))).collect();
    let ours: Vec<String> = values.iter().map(|value| number_to_string(*value)).collect();
    for (value, text) in values.iter().zip(&ours) {
        assert_eq!(appended(|out| append_number(*value, out)), *text);
    }
    if let Some(reference) = oracle::reference_lines(&cases.join("\n"), "UTC") {
        oracle::assert_same(&cases, &ours, &reference);
    }
}

#[test]
fn strings_are_formatted_as_reference_lua_does() {
    let mut random = Random::new(13);
    let (mut cases, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..1_000 {
        let format = match random.range(0, 3).unwrap() {
            0 => "%q".to_owned(),
            _ => made_up_directive(&mut random, &["s"]),
        };
        let length = random.range(0, 30).unwrap();
        let bytes: Vec<u8> = (0..length).map(|_| pick(&mut random, b"ab\"\\\n\r\t\xe9\x01 %")).collect();
        cases.push(format!("show(('{format}'):format({}))", oracle::literal(&bytes)));
        ours.push(oracle::show_bytes(&text(&format, &bytes)));
    }
    if let Some(reference) = oracle::reference_lines(&cases.join("\n"), "UTC") {
        oracle::assert_same(&cases, &ours, &reference);
    }
}
