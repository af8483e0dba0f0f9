//! Tests of the merge rule as a decision table.

use base::region::RegionId;
use clock::hlc::{Hlc, Version};

use super::{Decision, Stamp, decide};
use crate::vector::{Seq, VersionVector};

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const C: RegionId = RegionId(3);

fn stamp(hlc: i64, origin: RegionId, seq: u64) -> Stamp {
    Stamp {
        version: Version {
            hlc: Hlc(hlc),
            origin,
        },
        seq: Seq(seq),
    }
}

#[track_caller]
fn check(
    stored: Option<Stamp>,
    incoming: Stamp,
    seen: &[(RegionId, u64)],
    stored_saw: Option<u64>,
    expect: Decision,
) {
    let seen = seen
        .iter()
        .map(|(origin, seq)| (*origin, Seq(*seq)))
        .collect::<VersionVector>();
    assert_eq!(
        decide(stored, incoming, &seen, |_| stored_saw.map(Seq)),
        expect
    );
}

#[test]
fn nothing_stored_takes_what_comes() {
    check(None, stamp(5, A, 1), &[], None, Decision::Replace);
}

#[test]
fn the_same_write_again_changes_nothing() {
    check(
        Some(stamp(5, A, 1)),
        stamp(5, A, 1),
        &[],
        None,
        Decision::Keep,
    );
}

#[test]
fn a_write_that_saw_the_stored_version_replaces_it_silently() {
    check(
        Some(stamp(5, A, 1)),
        stamp(9, B, 1),
        &[(A, 1)],
        None,
        Decision::Replace,
    );
}

#[test]
fn a_race_goes_to_the_later_stamp_and_is_told() {
    check(
        Some(stamp(5, A, 1)),
        stamp(9, B, 1),
        &[],
        None,
        Decision::ReplaceConcurrent,
    );
    check(
        Some(stamp(9, A, 1)),
        stamp(5, B, 1),
        &[],
        None,
        Decision::KeepConcurrent,
    );
}

#[test]
fn equal_stamps_go_to_the_higher_region_on_both_sides() {
    check(
        Some(stamp(5, A, 1)),
        stamp(5, B, 1),
        &[],
        None,
        Decision::ReplaceConcurrent,
    );
    check(
        Some(stamp(5, B, 1)),
        stamp(5, A, 1),
        &[],
        None,
        Decision::KeepConcurrent,
    );
}

#[test]
fn a_change_that_arrives_after_its_successor_is_no_race() {
    // C stored B's write, which had seen A's log up to 4; then A's record 4 arrives by a slow link.
    check(
        Some(stamp(9, B, 1)),
        stamp(5, A, 4),
        &[],
        Some(4),
        Decision::Keep,
    );
    check(
        Some(stamp(9, B, 1)),
        stamp(5, A, 5),
        &[],
        Some(4),
        Decision::KeepConcurrent,
    );
    check(
        Some(stamp(9, B, 1)),
        stamp(5, C, 5),
        &[],
        None,
        Decision::KeepConcurrent,
    );
}

#[test]
fn writes_that_were_not_logged_count_as_seen() {
    check(
        Some(stamp(5, A, 0)),
        stamp(9, B, 1),
        &[],
        None,
        Decision::Replace,
    );
}
