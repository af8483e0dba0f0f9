//! The numbers that answers carry, so that a user and a log can speak of one request.
//!
//! They are unique, not secret.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use clock::port::Entropy;
use http::HeaderValue;

/// The number of one request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u64; 4]);

impl RequestId {
    /// Makes a number from 256 bits.
    pub const fn from_bits(bits: [u64; 4]) -> Self {
        Self(bits)
    }

    /// Returns the number as DynamoDB writes it.
    ///
    /// Shape: 52 characters of `0-9 A-V`.
    pub fn as_base32(&self) -> [u8; 52] {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
        std::array::from_fn(|at| {
            let bit = at * 5;
            let (word, shift) = (bit / 64, bit % 64);
            let low = self.0.get(word).copied().unwrap_or(0) >> shift;
            let high = match self.0.get(word + 1) {
                Some(next) if 59 < shift => next << (64 - shift),
                Some(_) | None => 0,
            };
            let digit = usize::try_from((low | high) & 31).unwrap_or(0);
            ALPHABET.get(digit).copied().unwrap_or(b'0')
        })
    }

    /// Returns the number as the other services write it, a version 4 UUID.
    pub fn as_uuid(&self) -> String {
        let [a, b, _, _] = self.0;
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// Returns the number as a header's value, as DynamoDB writes it.
    pub fn base32_header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.as_base32()).expect("letters and digits make a header value")
    }

    /// Returns the number as a header's value, as the other services write it.
    pub fn uuid_header(&self) -> HeaderValue {
        HeaderValue::try_from(self.as_uuid()).expect("hex and dashes make a header value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_uuid())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_uuid())
    }
}

/// Gives out request numbers: random from the start, then counted and mixed, with no system call.
#[derive(Debug)]
pub struct RequestIds {
    seed: [u64; 4],
    given: AtomicU64,
}

impl RequestIds {
    /// Makes a source of numbers that no other process gives out.
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self {
            seed: std::array::from_fn(|_| entropy.random()),
            given: AtomicU64::new(0),
        }
    }

    /// Returns a number that was not given out before.
    pub fn next(&self) -> RequestId {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        // A bijection of the counter in every word, so that no two numbers are equal.
        RequestId(self.seed.map(|seed| mixed(seed.wrapping_add(count))))
    }
}

/// SplitMix64's finaliser: a bijection that spreads neighbours apart.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;
