//! Tests of region names and their numbers.

use std::collections::BTreeSet;

use super::{AWS_REGIONS, RegionName};

#[test]
fn numbers_of_aws_names_never_change() {
    let id = |name| RegionName::parse(name).map(|name| name.id().0);
    assert_eq!(id("us-east-1"), Ok(1));
    assert_eq!(id("eu-west-1"), Ok(6));
    assert_eq!(id("ap-northeast-1"), Ok(14));
    assert_eq!(id("eusc-de-east-1"), Ok(39));
}

#[test]
fn own_names_get_numbers_apart_from_aws_names() {
    let ids: BTreeSet<u16> = ["lab-1", "lab-2", "garage", "attic"]
        .iter()
        .filter_map(|n| RegionName::parse(n).ok())
        .map(|n| n.id().0)
        .collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.iter().all(|id| usize::from(*id) > AWS_REGIONS.len()));
}

#[test]
fn shapes_that_are_no_region_are_refused() {
    for text in [
        "",
        "a",
        "1-east",
        "EU-west-1",
        "eu west",
        "x".repeat(33).as_str(),
    ] {
        assert!(RegionName::parse(text).is_err(), "{text:?}");
    }
}
