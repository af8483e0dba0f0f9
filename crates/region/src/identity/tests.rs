//! Tests of the project's authority, and of when certificates are renewed.

use super::*;

#[test]
fn every_node_of_a_project_makes_the_same_authority() {
    let name = |text| RegionName::parse(text).expect("a region");
    let make = |project, key, region| {
        of_gateway(project, &ProjectKey([key; 32]), &name(region)).expect("made")
    };
    let (east, authority) = make("shop", 7, "us-east-1");
    let (west, same) = make("shop", 7, "eu-west-1");
    assert_eq!(authority, same);
    assert_ne!(east.cert, west.cert);
    let (_, other) = make("shop", 8, "us-east-1");
    assert_ne!(authority, other);
    east.keys_match().expect("a pair");
}

#[test]
fn a_certificate_of_a_day_is_renewed_after_two_thirds_of_it() {
    let now = WallTime::from_micros(1_800_000_000_000_000);
    let validity = validity(now);
    let hours = |count: i64| moved(now, count * 3_600);
    assert_eq!((validity.from, validity.to), (hours(-2), hours(22)));
    for (at, is_due_then) in [
        (moved(hours(-2), -1), true),
        (hours(-2), false),
        (hours(0), false),
        (moved(hours(14), -1), false),
        (hours(14), true),
        (hours(99), true),
    ] {
        assert_eq!(is_due(validity, at), is_due_then, "{at:?}");
    }
}

#[test]
fn the_clock_may_be_as_wrong_as_an_hour() {
    let hour = Duration::from_hours(1);
    assert!(hour < LEAF_PAST, "one that is late takes a certificate");
    assert!(hour + LEAF_LOOK < LEAF_LIFE / 3, "one that is early does");
}
