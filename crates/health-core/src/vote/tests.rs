//! Route 53's 18 % rule at its edges.

use super::Tally;
use crate::prober::Status;

#[track_caller]
fn check(healthy: usize, reporting: usize, expect: Option<Status>) {
    assert_eq!(Tally { healthy, reporting }.verdict(), expect);
}

#[test]
fn more_than_eighteen_percent_must_say_healthy() {
    use Status::{Healthy, Unhealthy};
    check(0, 0, None);
    check(0, 1, Some(Unhealthy));
    check(1, 1, Some(Healthy));
    check(1, 2, Some(Healthy));
    check(1, 3, Some(Healthy));
    check(1, 5, Some(Healthy));
    // 16.7 %
    check(1, 6, Some(Unhealthy));
    check(2, 6, Some(Healthy));
    // Exactly 18 % is not more than 18 %.
    check(9, 50, Some(Unhealthy));
    check(10, 50, Some(Healthy));
    // Route 53's own: 3 of 16 checkers.
    check(2, 16, Some(Unhealthy));
    check(3, 16, Some(Healthy));
}

#[test]
fn votes_are_counted() {
    let votes = [Status::Healthy, Status::Unhealthy, Status::Healthy];
    let expect = Tally {
        healthy: 2,
        reporting: 3,
    };
    assert_eq!(Tally::of(votes.into_iter()), expect);
}
