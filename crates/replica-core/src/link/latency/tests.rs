//! Tests of the latencies' buckets and their minute.

use clock::time::Moment;
use proptest::prelude::*;

use super::{BUCKETS, Latencies, Summary, bucket_of, upper_bound};

fn at(seconds: u64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

#[test]
fn nothing_noted_is_nothing() {
    assert_eq!(Latencies::default().summary(at(5)), Summary::default());
}

#[test]
fn small_latencies_are_exact() {
    let mut latencies = Latencies::default();
    for micros in 1..=50 {
        latencies.note(at(1), micros);
    }
    let expect = Summary {
        count: 50,
        p50: 25,
        p99: 50,
        max: 50,
    };
    assert_eq!(latencies.summary(at(1)), expect);
}

#[test]
fn one_slow_record_in_a_hundred_is_the_worst_and_not_the_99th() {
    let mut latencies = Latencies::default();
    (0..99).for_each(|_| latencies.note(at(1), 10));
    latencies.note(at(1), 1_234_567);
    let expect = Summary {
        count: 100,
        p50: 10,
        p99: 10,
        max: 1_234_567,
    };
    assert_eq!(latencies.summary(at(1)), expect);
}

#[test]
fn after_a_minute_they_are_forgotten() {
    let mut latencies = Latencies::default();
    latencies.note(at(0), 500);
    latencies.note(at(60), 7);
    assert_eq!(latencies.summary(at(69)).count, 2);
    assert_eq!(latencies.summary(at(70)).max, 7);
    assert_eq!(latencies.summary(at(200)), Summary::default());
}

#[test]
fn buckets_follow_one_another_without_gaps() {
    for bucket in 0..BUCKETS - 1 {
        assert_eq!(bucket_of(upper_bound(bucket)), bucket);
        assert_eq!(bucket_of(upper_bound(bucket) + 1), bucket + 1);
    }
    assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
}

proptest! {
    #[test]
    fn quantiles_are_within_a_thirty_second_of_the_sorted_list(
        mut values in proptest::collection::vec(0_u64..10_000_000, 1..300),
    ) {
        let mut latencies = Latencies::default();
        for value in &values {
            latencies.note(at(1), *value);
        }
        values.sort_unstable();
        let summary = latencies.summary(at(1));
        let count = values.len();
        let ranks = [count.div_ceil(2), (count * 99).div_ceil(100)];
        for (found, rank) in [summary.p50, summary.p99].into_iter().zip(ranks) {
            let exact = values[rank - 1];
            prop_assert!(exact <= found && found <= exact + exact / 32 + 1, "{found} for {exact}");
        }
        prop_assert_eq!(summary.max, values[count - 1]);
    }
}
