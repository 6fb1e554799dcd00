//! `os.date`: the fields of a time, or a text by `strftime`'s letters.

use std::fmt::Write;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::{DateError, DateFields};

/// The longest format in bytes.
pub const MAX_DATE_FORMAT_BYTES: usize = 4_096;

/// The longest text in bytes: two bytes of format come to at most 48 (`%Z` in a zone that calls
/// itself so; `%c` takes 25).
pub const MAX_DATE_TEXT_BYTES: usize = MAX_DATE_FORMAT_BYTES * 24;

/// The longest zone name that `%Z` shows, in bytes. jiff allows some 30.
const MAX_ZONE_NAME_BYTES: usize = 48;

/// What `os.date` returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateResult {
    /// The text, of at most [`MAX_DATE_TEXT_BYTES`].
    Text(Vec<u8>),
    /// The fields, when the format is `*t`.
    Fields(DateFields),
}

/// Writes the Unix time `time` in seconds as `format` says, in UTC when that begins with `!`,
/// otherwise in the zone `local`.
///
/// # Errors
/// When the format is too long, or the calendar does not go so far.
pub fn date(format: &[u8], time: i64, local: &TimeZone) -> Result<DateResult, DateError> {
    if format.len() > MAX_DATE_FORMAT_BYTES {
        return Err(DateError::FormatTooLong { found: format.len() });
    }
    let timestamp = Timestamp::from_second(time).map_err(|_| DateError::OutOfRange)?;
    let (format, moment) = match format {
        [b'!', format @ ..] => (format, Moment::new(timestamp, &TimeZone::UTC, Some("GMT"))),
        _ => (format, Moment::new(timestamp, local, None)),
    };
    if format == b"*t" {
        return Ok(DateResult::Fields(moment.fields));
    }
    Ok(DateResult::Text(moment.text(format).into_bytes()))
}

/// Bytes under construction. Formatting goes through [`Write`], which wants text; the bytes of the
/// format need not be any.
#[derive(Default)]
struct Text(Vec<u8>);

impl Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Text {
    fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A time as the clocks of one zone show it.
struct Moment {
    time: i64,
    at: civil::DateTime,
    fields: DateFields,
    /// East of Greenwich.
    offset_minutes: i32,
    zone: String,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The letters that a short name has.
const SHORT: usize = 3;

impl Moment {
    fn new(timestamp: Timestamp, zone: &TimeZone, name: Option<&str>) -> Self {
        let info = zone.to_offset_info(timestamp);
        let at = info.offset().to_datetime(timestamp);
        let mut zone_name = name.unwrap_or(info.abbreviation()).to_owned();
        if zone_name.len() > MAX_ZONE_NAME_BYTES {
            zone_name.clear();
        }
        Self {
            time: timestamp.as_second(),
            at,
            fields: DateFields::new(at, info.dst()),
            offset_minutes: info.offset().seconds() / 60,
            zone: zone_name,
        }
    }

    fn text(&self, format: &[u8]) -> Text {
        let mut out = Text::default();
        // Writing to memory does not fail.
        let _ = self.compose(format, &mut out);
        out
    }

    /// Appends what `format` says. The compound letters come here again, with formats of simple
    /// letters, so that this goes no deeper.
    fn compose(&self, format: impl AsRef<[u8]>, out: &mut Text) -> std::fmt::Result {
        let mut rest = format.as_ref();
        loop {
            rest = match rest {
                [] => return Ok(()),
                [b'%', letter, rest @ ..] => {
                    self.convert(*letter, out)?;
                    rest
                }
                [byte, rest @ ..] => {
                    out.0.push(*byte);
                    rest
                }
            };
        }
    }

    fn convert(&self, letter: u8, out: &mut Text) -> std::fmt::Result {
        let fields = &self.fields;
        match letter {
            b'a' => out.write_str(short(self.day_name())),
            b'A' => out.write_str(self.day_name()),
            b'b' | b'h' => out.write_str(short(self.month_name())),
            b'B' => out.write_str(self.month_name()),
            b'c' => self.compose("%a %b %e %H:%M:%S %Y", out),
            b'C' => write!(out, "{}", fields.year.div_euclid(100)),
            b'd' => write!(out, "{:02}", fields.day),
            b'D' | b'x' => self.compose("%m/%d/%y", out),
            b'e' => write!(out, "{:2}", fields.day),
            b'F' => self.compose("%Y-%m-%d", out),
            b'g' => write!(out, "{:02}", self.week_year().rem_euclid(100)),
            b'G' => write!(out, "{}", self.week_year()),
            b'H' => write!(out, "{:02}", fields.hour),
            b'I' => write!(out, "{:02}", self.hour_of_twelve()),
            b'j' => write!(out, "{:03}", fields.yday),
            b'k' => write!(out, "{:2}", fields.hour),
            b'l' => write!(out, "{:2}", self.hour_of_twelve()),
            b'm' => write!(out, "{:02}", fields.month),
            b'M' => write!(out, "{:02}", fields.min),
            b'n' => out.write_str("\n"),
            b'p' => out.write_str(if fields.hour < 12 { "AM" } else { "PM" }),
            b'P' => out.write_str(if fields.hour < 12 { "am" } else { "pm" }),
            b'r' => self.compose("%I:%M:%S %p", out),
            b'R' => self.compose("%H:%M", out),
            b's' => write!(out, "{}", self.time),
            b'S' => write!(out, "{:02}", fields.sec),
            b't' => out.write_str("\t"),
            b'T' | b'X' => self.compose("%H:%M:%S", out),
            b'u' => write!(out, "{}", if fields.wday == 1 { 7 } else { fields.wday - 1 }),
            b'U' => write!(out, "{:02}", (fields.yday + 7 - fields.wday) / 7),
            b'V' => write!(out, "{:02}", self.at.date().iso_week_date().week()),
            b'w' => write!(out, "{}", fields.wday - 1),
            b'W' => write!(out, "{:02}", (fields.yday + 6 - (fields.wday + 5) % 7) / 7),
            b'y' => write!(out, "{:02}", fields.year.rem_euclid(100)),
            b'Y' => write!(out, "{}", fields.year),
            b'z' => self.offset(out),
            b'Z' => out.write_str(&self.zone),
            b'%' => out.write_str("%"),
            unknown => {
                out.0.extend_from_slice(&[b'%', unknown]);
                Ok(())
            }
        }
    }

    fn day_name(&self) -> &'static str {
        name_at(&DAYS, self.fields.wday)
    }

    fn month_name(&self) -> &'static str {
        name_at(&MONTHS, self.fields.month)
    }

    /// The year that the ISO week belongs to.
    fn week_year(&self) -> i64 {
        self.at.date().iso_week_date().year().into()
    }

    fn hour_of_twelve(&self) -> i64 {
        match self.fields.hour % 12 {
            0 => 12,
            hour => hour,
        }
    }

    fn offset(&self, out: &mut Text) -> std::fmt::Result {
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.abs();
        write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
    }
}

/// The name of the day or month `number`, counted from 1.
fn name_at(names: &[&'static str], number: i64) -> &'static str {
    usize::try_from(number - 1).ok().and_then(|index| names.get(index)).copied().unwrap_or("?")
}

fn short(name: &'static str) -> &'static str {
    name.get(..SHORT).unwrap_or(name)
}
