//! How and when a request reached the gateway, and the ids it was given.
//!
//! It reads no clock and no random generator: both are arguments.

use std::fmt;
use std::net::IpAddr;

use clock::time::WallTime;

use crate::uri::Security;

/// How and when a request reached the first gateway that saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The client's address.
    pub client: IpAddr,
    /// Whether the client came by TLS.
    pub security: Security,
    /// The port that the client connected to.
    pub port: u16,
    /// The request's id.
    pub id: RequestId,
    /// When it came.
    pub at: WallTime,
}

impl Arrival {
    /// Returns the scheme of the request's URI.
    pub fn scheme(&self) -> &'static str {
        match self.security {
            Security::Plain => "http",
            Security::Tls => "https",
        }
    }
}

/// The id of a request, as the header `apigw-requestid` shows it.
///
/// Shape: 15 characters of `A-Z a-z 0-9 - _` and a `=`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; RequestId::LENGTH]);

impl RequestId {
    /// The length of an id.
    pub const LENGTH: usize = 16;

    /// Makes an id from 128 random bits.
    pub fn new(high: u64, low: u64) -> Self {
        let mut bits = u128::from(high) << 64 | u128::from(low);
        let mut id = [b'='; Self::LENGTH];
        for place in id.iter_mut().take(Self::LENGTH - 1) {
            let digit = u8::try_from(bits & 63).expect("six bits fit a byte");
            *place = digit_character(digit);
            bits >>= 6;
        }
        Self(id)
    }

    /// Reads an id that another gateway gave.
    pub fn parse(text: &str) -> Option<Self> {
        let id: [u8; Self::LENGTH] = text.as_bytes().try_into().ok()?;
        let shaped = id
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='));
        shaped.then_some(Self(id))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id is made of ASCII characters only")
    }
}

fn digit_character(digit: u8) -> u8 {
    match digit {
        0..=25 => b'A' + digit,
        26..=51 => b'a' + (digit - 26),
        52..=61 => b'0' + (digit - 52),
        62 => b'-',
        _ => b'_',
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns a time as access logs write it, `12/Mar/2020:19:03:58 +0000`.
/// Source: the civil calendar from days, by Howard Hinnant's published method.
pub fn log_time(at: WallTime) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, seconds) = (
        at.as_secs().div_euclid(86_400),
        at.as_secs().rem_euclid(86_400),
    );
    // Years begin in March here, so that the leap day is a year's last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = era * 400 + year_of_era + i64::from(month < 2);
    let month = usize::try_from(month).ok().and_then(|at| MONTHS.get(at));
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!(
        "{day:02}/{}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000",
        month.unwrap_or(&"Jan")
    )
}

#[cfg(test)]
mod tests;
