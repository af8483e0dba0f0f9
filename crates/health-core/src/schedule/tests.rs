//! Probes never overlap, never exceed their bound, and always come round again.

use std::time::Duration;

use clock::time::Moment;
use proptest::prelude::{prop, proptest};

use super::{Schedule, Subject, Told};
use crate::check::CheckKey;
use crate::limits::PROBES_INFLIGHT_MAX;

fn at(millis: u64) -> Moment {
    Moment::from_micros(millis * 1_000)
}

#[test]
fn at_most_so_many_fly_and_the_rest_wait_in_order() {
    let mut schedule = Schedule::default();
    for check in 0..100 {
        schedule.plan(at(check), Subject::Check(CheckKey(check)));
    }
    let mut flying = Vec::new();
    while let Some(subject) = schedule.take_due(at(1_000)) {
        flying.push(schedule.start(subject, at(9_000)));
        schedule.debug_assert_invariants();
    }
    assert_eq!(flying.len(), PROBES_INFLIGHT_MAX);
    assert_eq!(
        schedule.next(),
        Some(at(9_000)),
        "no room: only a lost probe can wake us"
    );
    assert!(schedule.finish(flying[0]).is_some());
    assert_eq!(schedule.finish(flying[0]), None, "a probe ends once");
    assert_eq!(
        schedule.take_due(at(1_000)),
        Some(Subject::Check(CheckKey(64)))
    );
}

#[test]
fn a_planned_or_flying_probe_is_not_planned_again() {
    let mut schedule = Schedule::default();
    let subject = Subject::Check(CheckKey(1));
    schedule.plan(at(5), subject);
    schedule.plan(at(1), subject);
    assert_eq!(schedule.next(), Some(at(5)));
    schedule.hasten(at(2), subject);
    assert_eq!(schedule.next(), Some(at(2)));
    assert_eq!(schedule.take_due(at(2)), Some(subject));
    let attempt = schedule.start(subject, at(100));
    schedule.plan(at(3), subject);
    schedule.hasten(at(3), subject);
    assert_eq!(schedule.take_due(at(50)), None);
    assert_eq!(schedule.take_lost(at(99)), None);
    assert_eq!(schedule.take_lost(at(100)), Some(attempt));
}

#[test]
fn what_flew_while_we_slept_ends_later_and_is_marked() {
    let mut schedule = Schedule::default();
    let subject = Subject::Check(CheckKey(1));
    let before = schedule.start(subject, at(100));
    schedule.forgive(Duration::from_millis(50));
    let after = schedule.start(Subject::Check(CheckKey(2)), at(100));
    assert_eq!(schedule.take_lost(at(149)), Some(after));
    assert_eq!(
        schedule.finish(after).map(|end| end.told),
        Some(Told::InTime)
    );
    assert_eq!(schedule.take_lost(at(149)), None);
    assert_eq!(
        schedule.finish(before).map(|end| end.told),
        Some(Told::AfterSleep)
    );
}

proptest! {
    #[test]
    fn nothing_planned_is_forgotten(steps in prop::collection::vec((0..4_u8, 0..90_u64), 1..400)) {
        let mut schedule = Schedule::default();
        let mut known = std::collections::BTreeSet::new();
        let mut flying = std::collections::BTreeMap::new();
        for (step, key) in steps {
            let subject = Subject::Check(CheckKey(key));
            match step {
                0 => {
                    schedule.plan(at(key), subject);
                    known.insert(subject);
                }
                1 => {
                    schedule.cancel(subject);
                    if !flying.values().any(|flying| *flying == subject) {
                        known.remove(&subject);
                    }
                }
                2 => {
                    if let Some(due) = schedule.take_due(at(key)) {
                        let until = at(key) + Duration::from_secs(1);
                        flying.insert(schedule.start(due, until), due);
                    }
                }
                _ => {
                    if let Some((attempt, subject)) = flying.pop_first() {
                        assert_eq!(schedule.finish(attempt).map(|end| end.subject), Some(subject));
                        known.remove(&subject);
                    }
                }
            }
            schedule.debug_assert_invariants();
            for key in 0..90 {
                let subject = Subject::Check(CheckKey(key));
                assert_eq!(schedule.knows(subject), known.contains(&subject));
            }
        }
    }
}
