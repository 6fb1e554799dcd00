//! Times broken down into calendar fields, and back as C's `mktime` does.

use jiff::tz::{Dst, TimeZone};
use jiff::{SignedDuration, Timestamp, civil};

use super::DateError;

/// The fields of the table that `os.date("*t")` returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateFields {
    /// The year, in full.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub min: i64,
    /// 0 to 59: leap seconds are not counted.
    pub sec: i64,
    /// 1 to 7, from Sunday on.
    pub wday: i64,
    /// 1 to 366.
    pub yday: i64,
    /// Whether it is summer time.
    pub isdst: bool,
}

impl DateFields {
    pub(super) fn new(at: civil::DateTime, dst: Dst) -> Self {
        Self {
            year: at.year().into(),
            month: at.month().into(),
            day: at.day().into(),
            hour: at.hour().into(),
            min: at.minute().into(),
            sec: at.second().into(),
            wday: at.weekday().to_sunday_one_offset().into(),
            yday: at.day_of_year().into(),
            isdst: dst.is_dst(),
        }
    }
}

/// The fields of the table that `os.time` is given; nothing for a field that is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeFields {
    /// The year, in full. Required.
    pub year: Option<i64>,
    /// From 1 on. Required.
    pub month: Option<i64>,
    /// From 1 on. Required.
    pub day: Option<i64>,
    /// From 0 on, 12 when it is not there.
    pub hour: Option<i64>,
    /// From 0 on, 0 when it is not there.
    pub min: Option<i64>,
    /// From 0 on, 0 when it is not there.
    pub sec: Option<i64>,
    /// Whether summer time is meant; the zone decides when it is not there.
    pub isdst: Option<bool>,
}

/// The Unix time in seconds of the local time `fields` in `zone`.
///
/// Fields beyond their usual range carry over, as in C's `mktime`: month 13 is the next year's
/// January, day 0 the last of the month before. All carry on the clock's face; glibc counts surplus
/// seconds as time that passes, which differs where the clocks change in between. A local time that a change of the clocks skips
/// counts on from before the change, one that comes twice is the first of the two. `isdst` against
/// what the zone says shifts the time by the difference between summer and standard time.
///
/// # Errors
/// When the day, month or year is not there, asked for in this order, or the calendar does not go
/// so far.
pub fn time(fields: &TimeFields, zone: &TimeZone) -> Result<i64, DateError> {
    let required = |value: Option<i64>, field| value.ok_or(DateError::MissingField { field });
    let day = required(fields.day, "day")?;
    let month = required(fields.month, "month")?;
    let year = required(fields.year, "year")?;
    let at = normalise(year, month, day, fields).ok_or(DateError::OutOfRange)?;
    let found = zone.to_ambiguous_timestamp(at).compatible().map_err(|_| DateError::OutOfRange)?;
    let found = match fields.isdst {
        Some(wanted) => with_dst(at, found, Dst::from(wanted), zone),
        None => found,
    };
    Ok(found.as_second())
}

/// The date and time that the fields come to when each carries over into the next larger one.
fn normalise(year: i64, month: i64, day: i64, fields: &TimeFields) -> Option<civil::DateTime> {
    let months = month.checked_sub(1)?;
    let year = year.checked_add(months.div_euclid(12))?;
    let first = civil::Date::new(i16::try_from(year).ok()?, months.rem_euclid(12) as i8 + 1, 1).ok()?;
    let hours = day.checked_sub(1)?.checked_mul(24)?.checked_add(fields.hour.unwrap_or(12))?;
    let minutes = hours.checked_mul(60)?.checked_add(fields.min.unwrap_or(0))?;
    let seconds = minutes.checked_mul(60)?.checked_add(fields.sec.unwrap_or(0))?;
    first.at(0, 0, 0, 0).checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// How many changes of the clocks to look at on each side for one to summer time or back.
const CHANGES_LOOKED_AT: usize = 4;

/// The time at which clocks that show `wanted` summer or standard time show `at`; `found` itself
/// where the zone has no such time near it.
fn with_dst(at: civil::DateTime, found: Timestamp, wanted: Dst, zone: &TimeZone) -> Timestamp {
    if zone.to_offset_info(found).dst() == wanted {
        return found;
    }
    let before = zone.preceding(found).take(CHANGES_LOOKED_AT);
    let after = zone.following(found).take(CHANGES_LOOKED_AT);
    let change = before.chain(after).find(|change| change.dst() == wanted);
    change.and_then(|change| change.offset().to_timestamp(at).ok()).unwrap_or(found)
}
