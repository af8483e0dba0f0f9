//! Tests of the hybrid logical clock.

use std::time::Duration;

use base::region::RegionId;

use super::{AHEAD_MAX, Hlc, HybridClock, Version};
use crate::time::WallTime;

#[test]
fn stamps_rise_while_the_wall_clock_jumps_back() {
    let mut clock = HybridClock::default();
    let first = clock.tick(WallTime::from_micros(5_000_000), Hlc(0));
    let second = clock.tick(WallTime::from_micros(1_000_000), Hlc(0));
    assert_eq!(first, Hlc(5_000_000));
    assert_eq!(second, Hlc(5_000_002));
}

#[test]
fn a_write_is_later_than_the_version_it_has_seen() {
    let mut clock = HybridClock::default();
    assert_eq!(clock.tick(WallTime::from_micros(10), Hlc(70)), Hlc(72));
    assert_eq!(clock.tick(WallTime::from_micros(81), Hlc(0)), Hlc(82));
    assert!(
        Hlc(82) < Hlc(82).end() && Hlc(82).end() < clock.tick(WallTime::from_micros(0), Hlc(82))
    );
}

#[test]
fn a_stamp_from_the_future_is_refused_and_changes_nothing() {
    let mut clock = HybridClock::after(Hlc(7));
    let now = WallTime::from_micros(1_000_000);
    let limit = i64::try_from(AHEAD_MAX.as_micros()).expect("half a second fits");
    let error = clock
        .observe(now, Hlc(1_000_000 + limit + 1))
        .expect_err("too far ahead");
    assert_eq!(error.ahead, AHEAD_MAX + Duration::from_micros(1));
    assert_eq!(clock.last(), Hlc(7));
    assert_eq!(clock.observe(now, Hlc(1_000_000 + limit)), Ok(()));
    assert_eq!(clock.last(), Hlc(1_000_000 + limit));
}

#[test]
fn later_stamps_lie_above_a_promised_horizon() {
    let mut clock = HybridClock::default();
    let horizon = clock.horizon(WallTime::from_micros(500));
    assert!(clock.tick(WallTime::from_micros(100), Hlc(0)) > horizon);
}

#[test]
fn an_end_comes_right_after_what_it_ends() {
    let version = |micros, region| Version {
        hlc: Hlc(micros),
        origin: RegionId(region),
    };
    // In this order: a write of a higher region with the same stamp is not ended.
    let order = [
        version(998, 9),
        version(1_000, 1),
        version(1_000, 2),
        version(1_000, 2).end(),
        version(1_000, 3),
        version(1_000, 3).end(),
        version(1_002, 1),
    ];
    assert!(order.is_sorted_by(|one, next| one < next), "{order:?}");
    // Stamps of the first data directories may be odd.
    assert!(version(1_001, 2) < version(1_001, 2).end());
}
