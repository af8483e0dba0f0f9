//! Values as policies write them: moments, addresses with prefixes, truth, numbers.
//!
//! It compares nothing.
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators"; the W3C's note on date
//! and time formats, a part of ISO 8601.

use std::net::IpAddr;

use clock::time::WallTime;
use item::number::Number;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads an address, or one with the length of its prefix.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let widest = width(address);
        let prefix = match prefix {
            None => widest,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(_) => return None,
        };
        (prefix <= widest).then_some(Self { address, prefix })
    }

    /// Returns whether an address lies in the range. An IPv4 address that is written as IPv6 is
    /// one of IPv4.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (own, other) = (self.address, address.to_canonical());
        width(own) == width(other) && head(own, self.prefix) == head(other, self.prefix)
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Returns the first bits of an address.
fn head(address: IpAddr, bits: u8) -> u128 {
    let all = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    // A shift by the whole width is none in Rust.
    all.checked_shr(128 - u32::from(bits)).unwrap_or(0)
}

/// Reads yes or no.
pub(crate) fn truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Reads a decimal number, exactly.
pub(crate) fn number(text: &str) -> Option<Number> {
    Number::parse(text.trim()).ok()
}

/// Reads a moment: a date with or without a time and a zone, or seconds since 1970.
///
/// Units: microseconds since 1970.
pub(crate) fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_year && let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(MICROS);
    }
    let (date, clock) = match text.split_once(['T', 't']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let days = days(date)?;
    let within = match clock {
        Some(clock) => clock_micros(clock)?,
        None => 0,
    };
    days.checked_mul(86_400 * MICROS)?.checked_add(within)
}

/// Writes a moment as AWS does, in whole seconds.
pub(crate) fn write_time(time: WallTime) -> String {
    let seconds = time.as_secs();
    let (days, within) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (within / 3_600, within / 60 % 60, within % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

const MICROS: i64 = 1_000_000;

/// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or `YYYYMMDD` as days since 1970.
fn days(date: &str) -> Option<i64> {
    let compact = date.len() == 8 && !date.contains('-');
    let mut parts = if compact {
        vec![date.get(..4)?, date.get(4..6)?, date.get(6..)?].into_iter()
    } else {
        date.split('-').collect::<Vec<_>>().into_iter()
    };
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let day = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let is_date = parts.next().is_none() && (1..=12).contains(&month) && 1 <= day;
    (is_date && day <= month_days(year, month)).then(|| from_civil(year, month, day))
}

/// Reads `hh:mm`, `hh:mm:ss`, `hh:mm:ss.f` and the compact forms, with their zone, as
/// microseconds after midnight in UTC.
fn clock_micros(text: &str) -> Option<i64> {
    let zone = text.find(['Z', 'z', '+', '-']);
    let (clock, zone) = match zone {
        Some(at) => (text.get(..at)?, text.get(at..)?),
        None => (text, "Z"),
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let compact: String = whole.split(':').collect();
    if whole.contains(':') && whole.split(':').any(|part| part.len() != 2) {
        return None;
    }
    let (hour, minute) = (
        digits(compact.get(..2)?, 2)?,
        digits(compact.get(2..4)?, 2)?,
    );
    let second = match compact.get(4..)? {
        "" => 0,
        second => digits(second, 2)?,
    };
    if 23 < hour || 59 < minute || 60 < second {
        return None;
    }
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micros = digits(&fraction, 6).filter(|_| is_fraction)?;
    let seconds = hour * 3_600 + minute * 60 + second - zone_secs(zone)?;
    Some(seconds * MICROS + micros)
}

fn zone_secs(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let compact: String = rest.split(':').collect();
    let (hours, minutes) = (digits(compact.get(..2)?, 2)?, compact.get(2..)?);
    let minutes = if minutes.is_empty() {
        0
    } else {
        digits(minutes, 2)?
    };
    let seconds = hours * 3_600 + minutes * 60;
    let is_zone = hours <= 23 && minutes <= 59;
    is_zone.then_some(if sign == "-" { -seconds } else { seconds })
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let are_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| are_digits)
}

fn month_days(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms" (`days_from_civil`).
fn from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms" (`civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
