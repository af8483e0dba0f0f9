//! Tests of who votes.

use base::region::RegionId;

use super::{BadMembers, Members};

#[test]
fn only_three_different_regions_are_a_tables_voters() {
    let three = |ids: [u16; 3], witness: Option<u16>| {
        Members::try_new(ids.map(RegionId), witness.map(RegionId))
    };
    assert_eq!(three([1, 2, 1], None), Err(BadMembers::Twice));
    assert_eq!(three([1, 2, 3], Some(4)), Err(BadMembers::StrangeWitness));
    assert_eq!(three([3, 1, 2], None), three([1, 2, 3], None));
    let members = three([3, 1, 2], Some(2)).expect("they are three");
    assert_eq!(members.witness(), Some(RegionId(2)));
    let others: Vec<_> = members.others(RegionId(2)).collect();
    assert_eq!(others, [RegionId(1), RegionId(3)]);
    assert!(!members.votes(RegionId(4)));
}
