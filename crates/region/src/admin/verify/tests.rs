//! Tests of what several comparisons come to together.

use bytes::Bytes;

use base::region::{RegionId, RegionName};
use clock::hlc::{Hlc, Version};
use replica::comparing::{Behind, CompareError, Compared};
use replica_core::digest::Digest;
use replica_core::inquiry::compare::Difference;
use replica_core::inquiry::{Held, Unable};
use replica_core::vector::Seq;

use super::{All, differences, outcome, verdict};

fn name(name: &str) -> RegionName {
    RegionName::parse(name).expect("a region")
}

fn held(stamp: i64) -> Held {
    let version = Version {
        hlc: Hlc(stamp),
        origin: RegionId(1),
    };
    let sum = Some(Digest(1));
    Held { version, sum }
}

fn differs() -> Compared {
    Compared {
        differences: vec![Difference {
            key: Bytes::from_static(b"k"),
            ours: Some(held(5)),
            theirs: None,
        }],
        ..Compared::default()
    }
}

fn behind() -> Compared {
    Compared {
        left: 1,
        behind: Some(Behind {
            is_ours: false,
            origin: RegionId(1),
            has: Seq(1),
            needs: Seq(2),
        }),
        ..Compared::default()
    }
}

fn all(two: Result<Compared, CompareError>, three: Result<Compared, CompareError>) -> All {
    All::from([(name("eu-west-1"), two), (name("ap-northeast-1"), three)])
}

#[test]
fn one_difference_is_enough_and_all_must_be_the_same() {
    let same = || Ok(Compared::default());
    let away = || Err(CompareError::Theirs(Unable::Filling));
    for (two, three, expect) in [
        (same(), same(), "converged"),
        (same(), away(), "unknown"),
        (same(), Ok(behind()), "unknown"),
        (Ok(differs()), same(), "differs"),
        (Ok(differs()), away(), "differs"),
    ] {
        assert_eq!(verdict(&all(two, three)), expect);
    }
    assert_eq!(verdict(&All::new()), "converged");
    let unjudged = Compared {
        unjudged: 1,
        ..Compared::default()
    };
    assert_eq!(outcome(&unjudged), "unsettled");
    assert_eq!(outcome(&behind()), "behind");
}

#[test]
fn whoever_was_not_found_to_differ_has_what_the_asked_region_has() {
    let own = name("us-east-1");
    let (two, three) = (name("eu-west-1"), name("ap-northeast-1"));
    let found = differences(&own, &all(Ok(differs()), Ok(Compared::default())));
    let versions = &found[&Bytes::from_static(b"k")];
    assert_eq!(versions[&own], Some(held(5)));
    assert_eq!(versions[&two], None);
    assert_eq!(versions[&three], Some(held(5)));
    let found = differences(&own, &all(Ok(differs()), Ok(behind())));
    let versions = &found[&Bytes::from_static(b"k")];
    assert!(!versions.contains_key(&three), "nothing is known of it");
}
