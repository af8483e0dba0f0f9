//! Tests of what a drain waits for.

use std::collections::{BTreeMap, BTreeSet};

use base::region::RegionId;
use replica_core::vector::{Seq, VersionVector};

use super::{Waits, is_unsent, lacked};

const OWN: RegionId = RegionId(1);
const DEAD: RegionId = RegionId(2);
const LINKED: RegionId = RegionId(3);

fn vector(entries: &[(RegionId, u64)]) -> VersionVector {
    let entries = entries.iter();
    entries.map(|(origin, seq)| (*origin, Seq(*seq))).collect()
}

#[test]
fn a_region_is_powered_off_once_nothing_is_left_that_only_it_has() {
    let safe = Waits {
        behind: BTreeMap::from([("eu-west-1".to_owned(), 0)]),
        away: vec!["ap-northeast-1".to_owned()],
        ..Waits::default()
    };
    assert!(safe.words().is_empty(), "one region has it all");
    let alone = Waits {
        behind: BTreeMap::new(),
        ..safe.clone()
    };
    assert_eq!(alone.words().len(), 1, "nobody has it");
    let unsafe_yet = [
        Waits {
            is_routed_to: true,
            ..safe.clone()
        },
        Waits {
            cached: 1,
            ..safe.clone()
        },
        Waits {
            requests: 1,
            ..safe.clone()
        },
        Waits {
            unsent: vec!["carts".to_owned()],
            ..safe.clone()
        },
        Waits {
            behind: BTreeMap::from([("eu-west-1".to_owned(), 1)]),
            ..safe
        },
    ];
    for waits in unsafe_yet {
        assert_eq!(waits.words().len(), 1, "{waits:?}");
    }
}

#[test]
fn what_a_region_that_is_gone_wrote_counts_as_what_this_one_wrote() {
    let here = vector(&[(OWN, 9), (DEAD, 5), (LINKED, 7)]);
    let there = vector(&[(OWN, 9), (DEAD, 3), (LINKED, 6)]);
    let told_here = |origin| origin != LINKED;
    assert_eq!(lacked(&here, &there, told_here), 2);
    let there = vector(&[(OWN, 9), (DEAD, 5)]);
    assert_eq!(lacked(&here, &there, told_here), 0);
}

#[test]
fn a_table_waits_for_a_region_that_has_it() {
    let (own, linked, cut) = ("us-east-1", "eu-west-1", "ap-northeast-1");
    let reached = BTreeSet::from([linked]);
    let is_unsent = |whole: &[&'static str]| {
        let whole: BTreeSet<&str> = whole.iter().copied().collect();
        is_unsent(&whole, own, &reached)
    };
    assert!(is_unsent(&[own, cut]), "its log passes over the linked one");
    assert!(!is_unsent(&[own, cut, linked]));
    assert!(!is_unsent(&[own]), "it is told as being only here");
    assert!(!is_unsent(&[linked, cut]), "nothing of it is here");
}
