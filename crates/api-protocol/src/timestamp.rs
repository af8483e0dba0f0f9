//! AWS's date formats, to and from wall time.
//!
//! It reads no clock. Sources: Smithy 2.0, "timestampFormat trait"; RFC 9110 §5.6.7; the
//! calendar arithmetic follows the proleptic Gregorian calendar with years of 400-year cycles.

use clock::time::WallTime;
use serde_json::Number;

/// A point in the calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

/// Writes the form of `X-Amz-Date`, `20150830T123600Z`.
pub fn basic(time: WallTime) -> String {
    let civil = Civil::of(time.as_secs());
    let (hour, minute, second) = civil.hms();
    let Civil {
        year, month, day, ..
    } = civil;
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Writes ISO 8601 with milliseconds, `2015-08-30T12:36:00.000Z`.
pub fn iso_millis(time: WallTime) -> String {
    let millis = time.as_millis().rem_euclid(1_000);
    format!("{}.{millis:03}Z", extended(time))
}

/// Writes ISO 8601 in whole seconds, `2015-08-30T12:36:00Z`.
pub fn iso_seconds(time: WallTime) -> String {
    format!("{}Z", extended(time))
}

/// Writes ISO 8601 as Lambda's `LastModified` does, `2015-08-30T12:36:00.000+0000`.
pub fn iso_offset(time: WallTime) -> String {
    let millis = time.as_millis().rem_euclid(1_000);
    format!("{}.{millis:03}+0000", extended(time))
}

/// Writes an HTTP date, `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http_date(time: WallTime) -> String {
    let civil = Civil::of(time.as_secs());
    let (hour, minute, second) = civil.hms();
    let days = time.as_secs().div_euclid(DAY_SECS);
    let weekday = named(&WEEKDAYS, days + 4);
    let month = named(&MONTHS, civil.month - 1);
    let Civil { year, day, .. } = civil;
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Returns the JSON form, seconds since 1970 with milliseconds as a fraction.
pub fn epoch(time: WallTime) -> Number {
    let millis = time.as_millis();
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of any date fit in 53 bits"
    )]
    let seconds = millis as f64 / 1e3;
    if millis.rem_euclid(1_000) == 0 {
        Number::from(millis.div_euclid(1_000))
    } else {
        Number::from_f64(seconds).unwrap_or_else(|| Number::from(millis.div_euclid(1_000)))
    }
}

/// Reads the form of `X-Amz-Date`, `20150830T123600Z`, and nothing else.
pub fn parse_basic(text: &str) -> Option<WallTime> {
    let rest = text.strip_suffix('Z')?;
    let (date, time) = rest.split_once('T')?;
    let (year, rest) = digits(date, 4)?;
    let (month, rest) = digits(rest, 2)?;
    let day = all_digits(rest, 2)?;
    let (hour, rest) = digits(time, 2)?;
    let (minute, rest) = digits(rest, 2)?;
    let second = all_digits(rest, 2)?;
    wall([year, month, day], [hour, minute, second], 0)
}

/// Reads ISO 8601 with or without a fraction, ending in `Z` or an offset.
pub fn parse_iso(text: &str) -> Option<WallTime> {
    let (date, rest) = text.split_once('T')?;
    let (year, rest_of_date) = digits(date, 4)?;
    let (month, rest_of_date) = digits(rest_of_date.strip_prefix('-')?, 2)?;
    let day = all_digits(rest_of_date.strip_prefix('-')?, 2)?;
    let zone_at = rest.find(['Z', '+', '-'])?;
    let (time, zone) = rest.split_at_checked(zone_at)?;
    let (hour, time) = digits(time, 2)?;
    let (minute, time) = digits(time.strip_prefix(':')?, 2)?;
    let (second, fraction) = digits(time.strip_prefix(':')?, 2)?;
    let micros = match fraction.strip_prefix('.') {
        Some(fraction) => fraction_micros(fraction)?,
        None if fraction.is_empty() => 0,
        None => return None,
    };
    let local = wall([year, month, day], [hour, minute, second], micros)?;
    let offset_secs = offset_secs(zone)?;
    Some(WallTime::from_micros(
        local.as_micros().checked_sub(offset_secs * 1_000_000)?,
    ))
}

/// Reads an HTTP date, `Sun, 06 Nov 1994 08:49:37 GMT`, and nothing else.
pub fn parse_http_date(text: &str) -> Option<WallTime> {
    let (weekday, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day = all_digits(parts.next()?, 2)?;
    let month_name = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month_name)?;
    let year = all_digits(parts.next()?, 4)?;
    let mut time = parts.next()?.split(':');
    let mut part = || all_digits(time.next()?, 2);
    let (hour, minute, second) = (part()?, part()?, part()?);
    let ends = time.next().is_none() && parts.next() == Some("GMT") && parts.next().is_none();
    let month = i64::try_from(month).ok()? + 1;
    (ends && WEEKDAYS.contains(&weekday))
        .then(|| wall([year, month, day], [hour, minute, second], 0))
        .flatten()
}

/// Reads the JSON form, seconds since 1970 as a number with an optional fraction.
///
/// Units: exact to the millisecond for any date of this millennium.
pub fn parse_epoch(number: &Number) -> Option<WallTime> {
    if let Some(seconds) = number.as_i64() {
        return Some(WallTime::from_micros(seconds.checked_mul(1_000_000)?));
    }
    let seconds = number.as_f64()?;
    let (whole, fraction) = (seconds.floor(), seconds - seconds.floor());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked, and a fraction of a microsecond means nothing"
    )]
    (seconds.abs() < 9e12)
        .then(|| WallTime::from_micros(whole as i64 * 1_000_000 + (fraction * 1e6).round() as i64))
}

fn extended(time: WallTime) -> String {
    let civil = Civil::of(time.as_secs());
    let (hour, minute, second) = civil.hms();
    let Civil {
        year, month, day, ..
    } = civil;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

impl Civil {
    /// Counts from 0000-03-01, so that the leap day is the last of its year.
    fn of(epoch_secs: i64) -> Self {
        let days = epoch_secs.div_euclid(DAY_SECS) + EPOCH_DAY;
        let cycle = days.div_euclid(CYCLE_DAYS);
        let day_of_cycle = days.rem_euclid(CYCLE_DAYS);
        let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
            - day_of_cycle / 146_096)
            / 365;
        let day_of_year =
            day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: year_of_cycle + cycle * 400 + i64::from(month <= 2),
            month,
            day,
            second_of_day: epoch_secs.rem_euclid(DAY_SECS),
        }
    }

    fn epoch_secs(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let cycle = year.div_euclid(400);
        let year_of_cycle = year.rem_euclid(400);
        let month_from_march = (self.month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + self.day - 1;
        let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100;
        let days = cycle * CYCLE_DAYS + day_of_cycle + day_of_year - EPOCH_DAY;
        days * DAY_SECS + self.second_of_day
    }

    fn hms(self) -> (i64, i64, i64) {
        let second = self.second_of_day;
        (second / 3_600, second / 60 % 60, second % 60)
    }
}

fn wall(date: [i64; 3], time: [i64; 3], micros: i64) -> Option<WallTime> {
    let ([year, month, day], [hour, minute, second]) = (date, time);
    let civil = Civil {
        year,
        month,
        day,
        second_of_day: hour * 3_600 + minute * 60 + second.min(59),
    };
    let shaped = (1..=12).contains(&month)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    let secs = shaped.then(|| civil.epoch_secs())?;
    // A day that its month does not have comes back as another date.
    (Civil::of(secs) == civil).then(|| WallTime::from_micros(secs * 1_000_000 + micros))
}

/// Splits off exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let (head, rest) = text.split_at_checked(count)?;
    let shaped = head.bytes().all(|byte| byte.is_ascii_digit());
    Some((shaped.then(|| head.parse().ok()).flatten()?, rest))
}

fn all_digits(text: &str, count: usize) -> Option<i64> {
    digits(text, count).and_then(|(value, rest)| rest.is_empty().then_some(value))
}

fn fraction_micros(fraction: &str) -> Option<i64> {
    let shaped = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let head = fraction.get(..fraction.len().min(6))?;
    shaped.then(|| format!("{head:0<6}").parse().ok()).flatten()
}

fn offset_secs(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hour, rest) = digits(zone.strip_prefix(['+', '-'])?, 2)?;
    let minute = all_digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    (hour < 24 && minute < 60).then_some(sign * (hour * 3_600 + minute * 60))
}

fn named(names: &[&'static str], at: i64) -> &'static str {
    let length = i64::try_from(names.len()).unwrap_or(1);
    usize::try_from(at.rem_euclid(length))
        .ok()
        .and_then(|at| names.get(at))
        .copied()
        .unwrap_or_default()
}

const DAY_SECS: i64 = 86_400;
/// Days of 400 years.
const CYCLE_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAY: i64 = 719_468;
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests;
