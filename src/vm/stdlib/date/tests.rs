//! Dates against tables, and made-up ones against reference Lua.

use jiff::tz::TimeZone;

use super::*;
use crate::vm::stdlib::oracle;
use crate::vm::stdlib::random::Random;

fn text(format: &str, time: i64, zone: &TimeZone) -> String {
    match date(format.as_bytes(), time, zone).unwrap() {
        DateResult::Text(bytes) => String::from_utf8(bytes).unwrap(),
        DateResult::Fields(_) => panic!("{format} gave fields"),
    }
}

fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

fn fields(year: i64, month: i64, day: i64, hour: i64) -> TimeFields {
    TimeFields {
        year: Some(year),
        month: Some(month),
        day: Some(day),
        hour: Some(hour),
        ..Default::default()
    }
}

/// 2024-02-29 13:05:09 UTC, a Thursday.
const LEAP_DAY: i64 = 1_709_211_909;

#[test]
fn writes_every_conversion() {
    for (format, expected) in [
        ("!%Y-%m-%d %H:%M:%S UTC", "2024-02-29 13:05:09 UTC"),
        ("!%a %A %b %B %h", "Thu Thursday Feb February Feb"),
        ("!%c", "Thu Feb 29 13:05:09 2024"),
        ("!%x|%X|%D|%T|%F|%R|%r", "02/29/24|13:05:09|02/29/24|13:05:09|2024-02-29|13:05|01:05:09 PM"),
        ("!%I %j %p %P %U %W %V %w %u", "01 060 PM pm 08 09 09 4 4"),
        ("!%y %C %g %G %e %k %l", "24 20 24 2024 29 13  1"),
        ("!%s %z %Z %n%t%%", "1709211909 +0000 GMT \n\t%"),
        ("!%E %O %- %N %Q %", "%E %O %- %N %Q %"),
        ("%H:%M %z %Z", "14:05 +0100 CET"),
        ("", ""),
    ] {
        assert_eq!(text(format, LEAP_DAY, &berlin()), expected, "{format}");
    }
    assert_eq!(date(b"!\xff%Y\0%\xff", 0, &TimeZone::UTC), Ok(DateResult::Text(b"\xff1970\0%\xff".to_vec())));
}

#[test]
fn gives_the_fields_of_a_time() {
    let expected = DateFields {
        year: 2024,
        month: 2,
        day: 29,
        hour: 13,
        min: 5,
        sec: 9,
        wday: 5,
        yday: 60,
        isdst: false,
    };
    assert_eq!(date(b"!*t", LEAP_DAY, &berlin()), Ok(DateResult::Fields(expected)));
    let july = time(&fields(2024, 7, 1, 0), &berlin()).unwrap();
    let Ok(DateResult::Fields(found)) = date(b"*t", july, &berlin()) else { panic!("no fields") };
    assert_eq!((found.hour, found.isdst), (0, true));
    assert_eq!(text("*t!", LEAP_DAY, &berlin()), "*t!");
}

#[test]
fn bounds_the_format_and_the_calendar() {
    let long = [b'x'; MAX_DATE_FORMAT_BYTES + 1];
    assert_eq!(date(&long, 0, &TimeZone::UTC), Err(DateError::FormatTooLong { found: long.len() }));
    for time in [i64::MIN, i64::MAX, 1 << 40] {
        assert_eq!(date(b"%c", time, &TimeZone::UTC), Err(DateError::OutOfRange));
    }
    let format = format!("!{}", "%c".repeat(MAX_DATE_FORMAT_BYTES / 2 - 1));
    assert!(text(&format, -377_000_000_000, &TimeZone::UTC).len() <= MAX_DATE_TEXT_BYTES);
}

#[test]
fn fields_out_of_range_carry_over() {
    let utc = TimeZone::UTC;
    for (given, expected) in [
        (fields(2024, 2, 29, 13), "2024-02-29 13:00:00"),
        (fields(2024, 13, 1, 0), "2025-01-01 00:00:00"),
        (fields(2024, 0, 1, 0), "2023-12-01 00:00:00"),
        (fields(2024, -12, 1, 0), "2022-12-01 00:00:00"),
        (fields(2024, 3, 0, 0), "2024-02-29 00:00:00"),
        (fields(2023, 2, 29, 0), "2023-03-01 00:00:00"),
        (fields(2024, 1, 1, -1), "2023-12-31 23:00:00"),
        (TimeFields { sec: Some(120), ..fields(2024, 1, 1, 0) }, "2024-01-01 00:02:00"),
        (TimeFields { min: Some(-1), ..fields(2024, 1, 1, 0) }, "2023-12-31 23:59:00"),
        (TimeFields { hour: None, ..fields(2024, 1, 1, 0) }, "2024-01-01 12:00:00"),
    ] {
        assert_eq!(text("!%F %T", time(&given, &utc).unwrap(), &utc), expected, "{given:?}");
    }
    assert_eq!(time(&TimeFields { sec: Some(-1), ..fields(1970, 1, 1, 0) }, &utc), Ok(-1));
}

#[test]
fn refuses_missing_and_impossible_fields() {
    let missing = |fields: TimeFields| time(&fields, &TimeZone::UTC).unwrap_err().to_string();
    assert_eq!(missing(TimeFields::default()), "field 'day' missing in date table");
    assert_eq!(
        missing(TimeFields { month: None, ..fields(1, 1, 1, 1) }),
        "field 'month' missing in date table"
    );
    assert_eq!(
        missing(TimeFields { year: None, ..fields(1, 1, 1, 1) }),
        "field 'year' missing in date table"
    );
    for extreme in [i64::MIN, i64::MAX, 40_000, -40_000] {
        assert_eq!(time(&fields(extreme, 1, 1, 1), &TimeZone::UTC), Err(DateError::OutOfRange));
    }
    for extreme in [i64::MIN, i64::MAX] {
        for given in [fields(2024, extreme, 1, 1), fields(2024, 1, extreme, 1), fields(2024, 1, 1, extreme)] {
            assert_eq!(time(&given, &TimeZone::UTC), Err(DateError::OutOfRange), "{given:?}");
        }
        let given = TimeFields { sec: Some(extreme), min: Some(extreme), ..fields(2024, 1, 1, 1) };
        assert_eq!(time(&given, &berlin()), Err(DateError::OutOfRange));
    }
}

#[test]
fn summer_time_follows_the_zone_and_the_flag() {
    let zone = berlin();
    let with = |given: TimeFields, isdst| time(&TimeFields { isdst, ..given }, &zone).unwrap();
    let (winter, summer) = (fields(2024, 1, 15, 12), fields(2024, 7, 15, 12));
    assert_eq!(text("%T %Z", with(summer, None), &zone), "12:00:00 CEST");
    assert_eq!(with(winter, Some(true)), with(winter, None) - 3_600);
    assert_eq!(with(winter, Some(false)), with(winter, None));
    assert_eq!(with(summer, Some(false)), with(summer, None) + 3_600);
    // 2:30 comes twice on 27 October 2024, and not at all on 31 March.
    let twice = TimeFields { min: Some(30), ..fields(2024, 10, 27, 2) };
    assert_eq!(text("%Z", with(twice, None), &zone), "CEST");
    assert_eq!(text("%T %Z", with(twice, Some(false)), &zone), "02:30:00 CET");
    let never = TimeFields { min: Some(30), ..fields(2024, 3, 31, 2) };
    assert_eq!(text("%T %Z", with(never, None), &zone), "03:30:00 CEST");
    // A zone without summer time has nothing to shift to.
    let given = TimeFields { isdst: Some(true), ..winter };
    assert_eq!(time(&given, &TimeZone::UTC), time(&winter, &TimeZone::UTC));
}

#[test]
fn the_local_zone_is_there() {
    assert!(date(b"*t", 0, &local_zone()).is_ok());
}

#[test]
fn dates_agree_with_reference_lua() {
    let letters = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%EOfiJKLNQ";
    let format: String = letters.chars().map(|letter| format!("%{letter}|")).collect();
    let mut random = Random::new(21);
    let (mut cases, mut ours) = (Vec::new(), Vec::new());
    for turn in 0..2_000 {
        // The years 1000 to 9999: C libraries differ in how they write others.
        let time = random.range(-30_600_000_000, 253_402_300_799 - 86_400).unwrap();
        let format = if turn % 2 == 0 { format.clone() } else { format!("!{format}") };
        cases.push(format!("show(os.date('{format}', {time}))"));
        ours.push(oracle::show_bytes(text(&format, time, &TimeZone::UTC).as_bytes()));
    }
    if let Some(reference) = oracle::reference_lines(&cases.join("\n"), "UTC") {
        oracle::assert_same(&cases, &ours, &reference);
    }
}

#[test]
fn times_agree_with_reference_lua() {
    let mut random = Random::new(22);
    let (mut cases, mut ours) = (Vec::new(), Vec::new());
    for turn in 0..3_000 {
        let mut between = |low, high| Some(random.range(low, high).unwrap());
        let mut given = TimeFields {
            // glibc applies the rules of a zone given like this one from 1970 on only.
            year: between(1974, 2037),
            month: between(-20, 40),
            day: between(-50, 80),
            hour: between(-30, 60),
            min: between(-100, 200),
            sec: between(-100, 200),
            isdst: None,
        };
        // With the flag, only at noon, when no clock changes.
        if turn % 3 == 0 {
            given = TimeFields { hour: Some(12), min: Some(0), sec: Some(0), day: Some(15), ..given };
            given.isdst = between(0, 1).map(|flag| flag == 1);
        }
        let ours_says = time(&given, &berlin()).unwrap();
        if given.isdst.is_none() && clocks_change_near(ours_says) {
            continue;
        }
        let isdst = given.isdst.map_or("nil".to_owned(), |flag| flag.to_string());
        let [year, month, day, hour, min, sec] =
            [given.year, given.month, given.day, given.hour, given.min, given.sec].map(Option::unwrap);
        cases.push(format!(
            "print(string.format('%.0f', os.time{{year={year}, month={month}, day={day}, hour={hour}, min={min}, \
             sec={sec}, isdst={isdst}}}))"
        ));
        ours.push(ours_says.to_string());
    }
    if let Some(reference) = oracle::reference_lines(&cases.join("\n"), "CET-1CEST,M3.5.0,M10.5.0/3") {
        oracle::assert_same(&cases, &ours, &reference);
    }
}

/// Whether a local time near this one is skipped or comes twice. What the C library makes of it
/// then depends on the times it was asked for before.
fn clocks_change_near(time: i64) -> bool {
    text("%z", time - 7_200, &berlin()) != text("%z", time + 7_200, &berlin())
}
