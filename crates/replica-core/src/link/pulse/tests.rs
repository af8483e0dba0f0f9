//! Tests of beats, deadlines and the measured clock.

use std::time::Duration;

use clock::time::{Moment, WallTime};

use super::{PeerClock, Pulse};
use crate::link::Now;

fn at(millis: u64, wall_micros: i64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        wall: WallTime::from_micros(wall_micros),
    }
}

#[test]
fn a_beat_is_due_after_silence_and_within_a_second_of_talk() {
    let mut pulse = Pulse::new(at(1_000, 0));
    assert_eq!(pulse.beat_at(), at(1_100, 0).moment);
    for millis in (1_050..=1_950).step_by(50) {
        pulse.said(at(millis, 0));
    }
    assert_eq!(pulse.beat_at(), at(2_000, 0).moment);
    pulse.beat(at(2_000, 0));
    assert_eq!(pulse.beat_at(), at(2_100, 0).moment);
}

#[test]
fn a_peer_is_dead_three_seconds_after_its_last_byte() {
    let mut pulse = Pulse::new(at(1_000, 0));
    pulse.heard(at(1_500, 0));
    assert_eq!(pulse.dead_at(), at(4_500, 0).moment);
}

/// Sends a sample there and back over ways that take so many milliseconds.
fn exchange(clocks: &mut PeerClock, start: u64, ahead: i64, there: u64, back: u64) {
    let wall = |millis: u64| i64::try_from(millis * 1_000).expect("small");
    let mut ours = Pulse::new(at(start, wall(start)));
    let mut theirs = Pulse::new(at(0, 0));
    let asked = ours.beat(at(start, wall(start)));
    let heard = start + there;
    // The peer's moments mean nothing to us: they run from another origin.
    theirs.sampled(
        at(heard + 77_000, wall(heard) + ahead),
        asked,
        &mut PeerClock::default(),
    );
    let answered = heard + 40;
    let answer = theirs.beat(at(answered + 77_000, wall(answered) + ahead));
    let end = answered + back;
    ours.sampled(at(end, wall(end)), answer, clocks);
}

#[test]
fn the_round_trip_does_not_count_what_the_peer_kept_it() {
    let mut clocks = PeerClock::default();
    exchange(&mut clocks, 1_000, 0, 10, 10);
    assert_eq!(clocks.rtt(), Some(Duration::from_millis(20)));
}

#[test]
fn the_least_delayed_sample_tells_the_peers_clock() {
    let mut clocks = PeerClock::default();
    exchange(&mut clocks, 1_000, -250_000, 10, 400);
    assert_eq!(clocks.ahead(), Some(-250_000 + 205_000 - 400_000));
    exchange(&mut clocks, 2_000, -250_000, 10, 10);
    exchange(&mut clocks, 3_000, -250_000, 300, 10);
    assert_eq!(clocks.ahead(), Some(-250_000));
}

#[test]
fn old_samples_are_forgotten() {
    let mut clocks = PeerClock::default();
    exchange(&mut clocks, 1_000, 5_000, 1, 1);
    for round in 0..16 {
        exchange(&mut clocks, 2_000 + round, 9_000, 10, 10);
    }
    assert_eq!(clocks.ahead(), Some(9_000));
}
