//! Tests of the frontier and its two rounds.

use base::region::RegionId;
use clock::hlc::Hlc;

use super::Frontier;

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);

#[test]
fn the_slowest_region_holds_the_frontier() {
    let mut frontier = Frontier::new([A, B]);
    frontier.note(A, Hlc(50));
    assert_eq!(frontier.stable(), Hlc(0));
    frontier.note(B, Hlc(20));
    frontier.note(B, Hlc(10));
    frontier.note(RegionId(9), Hlc(1));
    assert_eq!(frontier.stable(), Hlc(20));
}

#[test]
fn a_tombstone_goes_only_when_the_frontier_has_passed_its_mark() {
    let mut frontier = Frontier::new([A, B]);
    frontier.note(A, Hlc(100));
    frontier.note(B, Hlc(100));
    assert_eq!(frontier.round(Hlc(130)), None);
    frontier.note(A, Hlc(130));
    frontier.note(B, Hlc(130));
    assert_eq!(frontier.round(Hlc(140)), None);
    frontier.note(A, Hlc(131));
    frontier.note(B, Hlc(135));
    assert_eq!(frontier.round(Hlc(150)), Some(Hlc(100)));
}
