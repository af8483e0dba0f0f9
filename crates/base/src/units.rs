//! Units as types, so that a number cannot mean two things.

use std::fmt;
use std::time::Duration;

/// A count of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(u64);

impl ByteCount {
    /// Makes a count from bytes.
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// Makes a count from binary kilobytes (1,024 bytes).
    pub const fn kib(count: u64) -> Self {
        Self(count * 1024)
    }

    /// Makes a count from binary megabytes (1,024 KiB).
    pub const fn mib(count: u64) -> Self {
        Self::kib(count * 1024)
    }

    /// Returns the count in bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Returns the count in bytes as a length; saturates where memory cannot be that large.
    pub fn as_len(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n >= 1 << 20 && n % (1 << 20) == 0 => write!(f, "{} MiB", n >> 20),
            n if n >= 1 << 10 && n % (1 << 10) == 0 => write!(f, "{} KiB", n >> 10),
            n => write!(f, "{n} bytes"),
        }
    }
}

/// Seconds that a DNS answer may be kept. 0..=2,147,483,647.
/// Source: RFC 2181 §8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u32);

impl Ttl {
    /// Makes a time to live from seconds; larger values than RFC 2181 allows become the largest.
    pub const fn seconds(seconds: u32) -> Self {
        if seconds > 0x7fff_ffff {
            Self(0x7fff_ffff)
        } else {
            Self(seconds)
        }
    }

    /// Returns the seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

/// Returns a duration as fractional milliseconds, the unit in which people compare regions.
pub fn as_millis_f64(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
