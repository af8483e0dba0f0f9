//! Ids of requests: unique within a gateway, and very likely so among all.
//!
//! They are no secrets: one can be guessed from another.

use std::sync::atomic::{AtomicU64, Ordering};

use clock::port::Entropy;
use gateway_core::arrival::RequestId;

/// Gives each request an id, without asking the system for randomness each time.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: [u64; 2],
    given: AtomicU64,
}

impl Ids {
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        Self {
            seed: [entropy.random(), entropy.random()],
            given: AtomicU64::new(0),
        }
    }

    pub(crate) fn next(&self) -> RequestId {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let [high, low] = self.seed;
        RequestId::new(scatter(high ^ number), scatter(low.wrapping_add(number)))
    }
}

/// Spreads a number over all bits; two numbers never give the same.
/// Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn scatter(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
