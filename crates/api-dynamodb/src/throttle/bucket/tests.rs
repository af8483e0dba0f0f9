//! Tests of buckets, by a clock that stands still.

use std::time::Duration;

use clock::time::Moment;
use proptest::prelude::*;

use super::Bucket;
use crate::capacity::{Reading, Units};

const START: Moment = Moment::from_micros(1_000_000);

fn at(secs: u64) -> Moment {
    START + Duration::from_secs(secs)
}

/// Returns so many whole units.
fn units(count: usize) -> Units {
    Units::of_write(0, count * 1024)
}

/// Returns how many calls of one unit are let in at a moment.
fn admitted(bucket: &mut Bucket, now: Moment, rate: u64) -> usize {
    let mut count = 0;
    while bucket.admit(now, rate, units(1)) {
        count += 1;
    }
    count
}

#[test]
fn what_comes_in_a_second_is_let_in_a_second() {
    let mut bucket = Bucket::new(START, 5);
    assert_eq!(admitted(&mut bucket, START, 5), 5);
    assert_eq!(admitted(&mut bucket, at(1), 5), 5);
    assert_eq!(admitted(&mut bucket, at(3), 5), 10);
    let half = at(3) + Duration::from_millis(200);
    assert_eq!(admitted(&mut bucket, half, 5), 1);
}

#[test]
fn five_minutes_are_kept_and_no_more() {
    let mut bucket = Bucket::new(START, 5);
    assert_eq!(admitted(&mut bucket, at(299), 5), 1500);
    assert_eq!(admitted(&mut bucket, at(2000), 5), 1500);
}

#[test]
fn a_call_that_cost_more_than_there_was_is_paid_for_by_those_after_it() {
    let mut bucket = Bucket::new(START, 5);
    assert!(bucket.admit(START, 5, Units::of_read(0, Reading::Strong)));
    bucket.take(units(24));
    assert!(!bucket.is_open(at(4), 5), "twenty are owed, and are paid");
    assert!(bucket.is_open(at(5), 5));
}

#[test]
fn a_changed_rate_keeps_what_is_left_up_to_its_own_bound() {
    let mut bucket = Bucket::new(START, 10);
    assert!(bucket.is_open(at(299), 10));
    assert_eq!(admitted(&mut bucket, at(299), 1), 300);
    assert_eq!(admitted(&mut bucket, at(300), 100), 100);
}

#[test]
fn an_earlier_moment_brings_nothing() {
    let mut bucket = Bucket::new(at(10), 1);
    assert_eq!(admitted(&mut bucket, at(10), 1), 1);
    assert_eq!(admitted(&mut bucket, START, 1), 0);
    assert_eq!(admitted(&mut bucket, at(11), 1), 1);
}

#[test]
fn the_largest_rates_overflow_nothing() {
    let mut bucket = Bucket::new(START, u64::MAX);
    assert!(bucket.is_open(Moment::from_micros(u64::MAX), u64::MAX));
    bucket.take(units(1 << 40));
    bucket.take(units(1 << 40));
    assert!(bucket.is_open(Moment::from_micros(u64::MAX), u64::MAX));
}

proptest! {
    /// Over any calls, no more is let in than came in, beside the last one.
    #[test]
    fn no_more_is_served_than_comes_in(
        rate in 1_u64..50,
        calls in prop::collection::vec((0_u64..500_000, 1_usize..20), 1..200),
    ) {
        let mut bucket = Bucket::new(START, rate);
        let (mut now, mut served, mut last) = (START, 0, 0);
        for (pause, cost) in calls {
            now = now + Duration::from_micros(pause);
            if bucket.admit(now, rate, units(1)) {
                bucket.take(units(cost).minus(units(1)));
                served += cost;
                last = cost;
            }
            let came = rate + rate * now.since(START).as_secs() + rate;
            prop_assert!(served <= usize::try_from(came).unwrap() + last);
        }
    }
}
