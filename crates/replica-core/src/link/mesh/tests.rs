//! Tests of relays, floor, frontier rounds and finished fills.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::time::Moment;

use super::Mesh;
use crate::link::copies::{Fill, Fills};
use crate::vector::{Seq, VersionVector};

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const C: RegionId = RegionId(3);
const CARTS: TableId = TableId(1 << 20);

fn at(millis: u64) -> Moment {
    Moment::from_micros(millis * 1_000)
}

fn vector(entries: &[(RegionId, u64)]) -> VersionVector {
    entries
        .iter()
        .map(|(origin, seq)| (*origin, Seq(*seq)))
        .collect()
}

const MADE: i64 = 7;

fn carts_from(made: i64, sources: &[RegionId]) -> Fills {
    let sources = sources.to_vec();
    BTreeMap::from([(CARTS, Fill { made, sources })])
}

#[test]
fn a_region_away_for_a_second_is_asked_of_others_until_it_is_back() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    mesh.up(B);
    mesh.up(C);
    mesh.down(at(5_000), C);
    mesh.down(at(5_500), C);
    assert_eq!(mesh.poll_timeout(at(5_500)), Some(at(6_000)));
    assert_eq!(mesh.unreachable(at(5_999)), BTreeSet::new());
    assert_eq!(mesh.unreachable(at(6_000)), BTreeSet::from([C]));
    assert_eq!(mesh.poll_timeout(at(6_000)), None);
    mesh.up(C);
    assert_eq!(mesh.unreachable(at(60_000)), BTreeSet::new());
}

#[test]
fn a_region_that_never_came_is_out_of_reach_too() {
    let mesh = Mesh::new(at(1_000), A, [B]);
    let soon = at(1_000) + Duration::from_secs(1);
    assert_eq!(mesh.unreachable(soon), BTreeSet::from([B]));
}

#[test]
fn logs_are_kept_for_a_region_that_has_said_nothing() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    let own = vector(&[(A, 9), (B, 8), (C, 7)]);
    mesh.durable(B, &vector(&[(A, 5), (B, 9), (C, 3)]));
    assert_eq!(mesh.floor(&own), VersionVector::default());
    mesh.durable(C, &vector(&[(A, 6), (B, 4), (C, 9)]));
    mesh.durable(C, &vector(&[(A, 1)]));
    assert_eq!(mesh.floor(&own), vector(&[(A, 5), (B, 4), (C, 3)]));
}

#[test]
fn tombstones_wait_for_every_region_twice() {
    let mut mesh = Mesh::new(at(0), A, [B]);
    mesh.stable(A, Hlc(100));
    assert_eq!(mesh.round(Hlc(110)), None);
    mesh.stable(B, Hlc(100));
    assert_eq!(mesh.round(Hlc(120)), None);
    mesh.stable(A, Hlc(130));
    mesh.stable(B, Hlc(121));
    assert_eq!(mesh.frontier(), Hlc(121));
    assert_eq!(mesh.round(Hlc(140)), Some(Hlc(100)));
}

#[test]
fn a_table_is_filled_once_when_all_its_sources_have_given() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    let fills = carts_from(MADE, &[B, C]);
    assert_eq!(mesh.fill(fills.clone()), vec![]);
    assert!(!mesh.filled(CARTS, MADE, B));
    assert!(!mesh.filled(TableId(5), MADE, C));
    assert!(mesh.filled(CARTS, MADE, C));
    assert!(!mesh.filled(CARTS, MADE, C));
    assert_eq!(mesh.fill(fills), vec![]);
}

#[test]
fn a_source_that_drops_out_leaves_the_table_filled_and_another_primary_starts_again() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    mesh.fill(carts_from(MADE, &[B, C]));
    mesh.filled(CARTS, MADE, B);
    assert_eq!(mesh.fill(carts_from(MADE, &[C, B])), vec![]);
    assert!(!mesh.filled(CARTS, MADE, C));
    assert_eq!(mesh.fill(carts_from(MADE, &[C])), vec![(CARTS, MADE)]);
}

#[test]
fn what_was_given_to_a_replica_that_was_removed_does_not_fill_the_next() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    mesh.fill(carts_from(MADE, &[B, C]));
    mesh.filled(CARTS, MADE, B);
    assert_eq!(mesh.fill(carts_from(MADE + 1, &[B, C])), vec![]);
    assert!(!mesh.filled(CARTS, MADE + 1, C), "B gave to another one");
    assert!(!mesh.filled(CARTS, MADE, B), "B is late");
    assert!(mesh.filled(CARTS, MADE + 1, B));
    mesh.fill(carts_from(MADE + 2, &[B]));
    assert!(mesh.filled(CARTS, MADE + 2, B), "each is told once");
}
