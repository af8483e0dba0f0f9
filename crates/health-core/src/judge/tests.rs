//! Decision tables of the judgement.

use std::time::Duration;

use base::region::RegionId;
use clock::time::{Moment, WallTime};

use super::{Because, Departure, Endpoint, Evidence, Hearing, HoldDown, RegionState, Track};
use crate::limits::{FLAP_FORGIVEN_AFTER, FLAPS_MAX, HEARTBEAT, RETURN_HEARTBEATS};

fn regions(ids: &[u16]) -> Vec<RegionId> {
    ids.iter().copied().map(RegionId).collect()
}

fn evidence(hearing: Hearing, missed_by: &[u16], electorate: usize) -> Evidence {
    Evidence {
        hearing,
        ever_heard: true,
        in_a_row: 0,
        missed_by: regions(missed_by),
        heard_by: Vec::new(),
        electorate,
        endpoint: Endpoint::Unknown,
        departure: None,
        ourselves: false,
    }
}

#[track_caller]
fn condemned(missed_by: &[u16], electorate: usize, expect: bool) {
    let evidence = evidence(Hearing::Missed, missed_by, electorate);
    assert_eq!(evidence.condemns().is_some(), expect);
}

#[test]
fn more_than_half_of_the_electorate_must_miss_a_region() {
    condemned(&[1], 2, false);
    condemned(&[1], 3, false);
    condemned(&[1, 2], 3, true);
    condemned(&[1, 2], 4, false);
    condemned(&[1, 2, 3], 4, true);
    condemned(&[1, 2], 5, false);
    condemned(&[1, 2, 3], 5, true);
    condemned(&[1, 2, 3], 6, false);
    condemned(&[1, 2, 3, 4], 6, true);
}

#[test]
fn others_can_condemn_a_region_that_we_hear() {
    assert_eq!(
        evidence(Hearing::Heard, &[2, 3], 3).condemns(),
        Some(Because::MissedBy(regions(&[2, 3])))
    );
}

#[track_caller]
fn alone(hearing: Hearing, endpoint: Endpoint, electorate: usize, expect: bool) {
    let evidence = Evidence {
        endpoint,
        ..evidence(hearing, &[1], electorate)
    };
    assert_eq!(evidence.condemns() == Some(Because::EndpointDead), expect);
}

#[test]
fn a_dead_endpoint_counts_only_where_two_are_left_and_the_region_is_silent() {
    alone(Hearing::Missed, Endpoint::Dead, 2, true);
    alone(Hearing::Missed, Endpoint::Dead, 3, false);
    alone(Hearing::Missed, Endpoint::Answers, 2, false);
    alone(Hearing::Missed, Endpoint::Unknown, 2, false);
    alone(Hearing::Suspected, Endpoint::Dead, 2, false);
    alone(Hearing::Heard, Endpoint::Dead, 2, false);
}

#[track_caller]
fn acquitted(evidence: &Evidence, expect: (RegionState, Because)) {
    let mut track = Track::new(false, Moment::default(), WallTime::default());
    track.judge(
        Moment::default(),
        WallTime::default(),
        evidence,
        HoldDown::Kept,
    );
    assert_eq!((track.state(), track.because().clone()), expect);
}

#[test]
fn a_region_that_no_majority_misses_is_up_or_suspect_with_its_reason() {
    use RegionState::{Suspect, Up};
    acquitted(&evidence(Hearing::Heard, &[], 3), (Up, Because::Heard));
    acquitted(&evidence(Hearing::Doubted, &[], 3), (Up, Because::Heard));
    acquitted(
        &evidence(Hearing::Suspected, &[], 3),
        (Suspect, Because::Silent),
    );
    acquitted(
        &evidence(Hearing::Missed, &[1], 3),
        (Suspect, Because::Silent),
    );
    let base = || evidence(Hearing::Missed, &[1], 3);
    acquitted(
        &Evidence {
            heard_by: regions(&[2]),
            ..base()
        },
        (Suspect, Because::HeardBy(regions(&[2]))),
    );
    acquitted(
        &Evidence {
            endpoint: Endpoint::Answers,
            ..base()
        },
        (Suspect, Because::EndpointAnswers),
    );
    acquitted(
        &Evidence {
            ever_heard: false,
            hearing: Hearing::Heard,
            ..base()
        },
        (Suspect, Because::NotYetHeard),
    );
    acquitted(
        &Evidence {
            ourselves: true,
            hearing: Hearing::Heard,
            ..base()
        },
        (Up, Because::Ourselves),
    );
}

#[test]
fn a_region_that_says_it_goes_is_down_at_once_and_carries_no_penalty() {
    for (departure, because) in [
        (Departure::Draining, Because::Draining),
        (Departure::Leaving, Because::Leaving),
    ] {
        let mut track = Track::new(false, Moment::default(), WallTime::default());
        let gone = Evidence {
            departure: Some(departure),
            ..evidence(Hearing::Heard, &[], 3)
        };
        assert!(track.depart(WallTime::default(), &gone));
        assert_eq!(
            (track.state(), track.because()),
            (RegionState::Down, &because)
        );
        assert_eq!(track.return_heartbeats(), RETURN_HEARTBEATS);
        assert!(!track.depart(WallTime::default(), &gone), "said before");
    }
    let mut track = Track::new(false, Moment::default(), WallTime::default());
    assert!(!track.depart(WallTime::default(), &evidence(Hearing::Missed, &[1, 2], 3)));
    assert_eq!(track.state(), RegionState::Suspect);
}

/// Condemns, then counts the heartbeats until the region is back.
fn lose_and_count(track: &mut Track, now: &mut Moment) -> u32 {
    let wall = WallTime::default();
    let lost = evidence(Hearing::Missed, &[1, 2], 3);
    assert!(track.judge(*now, wall, &lost, HoldDown::Kept));
    assert_eq!(track.state(), RegionState::Down);
    for beat in 1.. {
        let heard = Evidence {
            in_a_row: beat,
            ..evidence(Hearing::Heard, &[], 3)
        };
        track.judge(*now, wall, &heard, HoldDown::Kept);
        if track.state() == RegionState::Up {
            return beat;
        }
        assert_eq!(track.because(), &Because::Returning);
        *now = *now + HEARTBEAT;
    }
    unreachable!("the loop ends by returning");
}

#[test]
fn the_hold_down_doubles_with_each_loss_up_to_its_bound_and_shrinks_with_time() {
    let mut now = Moment::default();
    let mut track = Track::new(false, now, WallTime::default());
    let took: Vec<u32> = (0..7)
        .map(|_| lose_and_count(&mut track, &mut now))
        .collect();
    assert_eq!(took, [6, 11, 21, 41, 81, 81, 81]);
    assert_eq!(Track::hold_down_max(), HEARTBEAT * 80);
    // Every quiet minute forgives one loss.
    for _ in 0..FLAPS_MAX {
        now = now + FLAP_FORGIVEN_AFTER;
        let heard = evidence(Hearing::Heard, &[], 3);
        track.judge(now, WallTime::default(), &heard, HoldDown::Kept);
    }
    assert_eq!(lose_and_count(&mut track, &mut now), 6);
}

#[test]
fn a_return_starts_over_when_the_region_is_condemned_again() {
    let mut now = Moment::default();
    let wall = WallTime::default();
    let mut track = Track::new(false, now, wall);
    let lost = evidence(Hearing::Missed, &[1, 2], 3);
    let heard = |in_a_row| Evidence {
        in_a_row,
        ..evidence(Hearing::Heard, &[], 3)
    };
    track.judge(now, wall, &lost, HoldDown::Kept);
    track.judge(now, wall, &heard(1), HoldDown::Kept);
    now = now + Duration::from_millis(900);
    track.judge(now, wall, &lost, HoldDown::Kept);
    now = now + Duration::from_millis(200);
    track.judge(now, wall, &heard(6), HoldDown::Kept);
    assert_eq!(track.state(), RegionState::Down);
    // Time alone is not enough either where we hear it ourselves.
    now = now + Duration::from_secs(5);
    track.judge(now, wall, &heard(4), HoldDown::Kept);
    assert_eq!(track.state(), RegionState::Down);
    track.judge(now, wall, &heard(5), HoldDown::Kept);
    assert_eq!(track.state(), RegionState::Up);
}

#[test]
fn a_region_that_only_others_hear_returns_as_a_suspect() {
    let mut now = Moment::default();
    let wall = WallTime::default();
    let mut track = Track::new(false, now, wall);
    track.judge(
        now,
        wall,
        &evidence(Hearing::Missed, &[1, 2], 3),
        HoldDown::Kept,
    );
    let elsewhere = Evidence {
        heard_by: regions(&[2]),
        ..evidence(Hearing::Missed, &[1], 3)
    };
    track.judge(now, wall, &elsewhere, HoldDown::Kept);
    assert_eq!(track.state(), RegionState::Down);
    now = now + HEARTBEAT * RETURN_HEARTBEATS;
    track.judge(now, wall, &elsewhere, HoldDown::Kept);
    assert_eq!(track.state(), RegionState::Suspect);
}

#[test]
fn reasons_read_as_sentences() {
    assert_eq!(
        Because::MissedBy(regions(&[1, 14])).to_string(),
        "a majority misses it: r1, r14"
    );
    assert_eq!(
        Because::HeardBy(regions(&[6])).to_string(),
        "its heartbeats do not arrive here, but in r6"
    );
}
