//! Delay and offset from echoes whose truth is known.

use std::time::Duration;

use clock::time::{Moment, WallTime};

use super::{ClockOffset, Samples};

/// A heartbeat out by `out`, held for `held`, and back by `back`, with the peer `skew` ahead.
fn take(samples: &mut Samples, out: u64, held: u64, back: u64, skew: i64) {
    let sent = Moment::from_micros(5_000_000);
    let now = sent + Duration::from_micros(out + held + back);
    let wall = WallTime::from_micros(1_000_000_000_000);
    let back_signed = i64::try_from(back).expect("small");
    let peer_wall = WallTime::from_micros(wall.as_micros() - back_signed + skew);
    samples.take(now, wall, sent + Duration::from_micros(held), peer_wall);
}

#[test]
fn equal_ways_give_the_exact_offset() {
    for skew in [0, 250_000, -7_000_000] {
        let mut samples = Samples::default();
        take(&mut samples, 40_000, 150_000, 40_000, skew);
        let estimate = samples.estimate().expect("one sample");
        assert_eq!(estimate.rtt, Duration::from_millis(80));
        assert_eq!(estimate.offset, ClockOffset(skew));
    }
}

#[test]
fn unequal_ways_err_by_half_the_difference() {
    let mut samples = Samples::default();
    take(&mut samples, 10_000, 0, 50_000, 1_000);
    assert_eq!(
        samples.estimate().map(|estimate| estimate.offset),
        Some(ClockOffset(1_000 - 20_000))
    );
}

#[test]
fn the_quickest_of_the_latest_eight_tells_the_offset() {
    let mut samples = Samples::default();
    take(&mut samples, 20_000, 0, 20_000, 500);
    for _ in 0..7 {
        take(&mut samples, 20_000, 0, 90_000, 500);
    }
    let quick = samples.estimate().expect("eight samples");
    assert_eq!(
        (quick.rtt_min, quick.offset),
        (Duration::from_millis(40), ClockOffset(500))
    );
    assert!(quick.rtt > quick.rtt_min);
    take(&mut samples, 20_000, 0, 90_000, 500);
    let slow = samples.estimate().expect("eight samples");
    assert_eq!(slow.rtt_min, Duration::from_millis(110));
}

#[test]
fn an_echo_from_the_future_is_left_out() {
    let mut samples = Samples::default();
    let (wall, at) = (WallTime::default(), Moment::from_micros);
    samples.take(at(10), wall, at(11), wall);
    assert_eq!(samples.estimate(), None);
}
