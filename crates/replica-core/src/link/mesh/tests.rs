//! Tests of relays, floor, frontier rounds and finished fills.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::time::Moment;

use super::Mesh;
use crate::frame::copy::CopyItems;
use crate::link::copies::{Fill, Fills, Holders, Portion};
use crate::vector::{Seq, VersionVector};

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const C: RegionId = RegionId(3);
const D: RegionId = RegionId(4);
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
    BTreeMap::from([(
        CARTS,
        Fill {
            made,
            sources,
            holders: Holders::Primary,
        },
    )])
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

const fn all(made: i64) -> Portion {
    let items = CopyItems::All;
    Portion { made, items }
}

const fn own(made: i64) -> Portion {
    let items = CopyItems::OwnOnly;
    Portion { made, items }
}

/// Returns what is told as filled at once.
fn filled(mesh: &mut Mesh) -> Vec<(TableId, i64)> {
    filled_at(mesh, 0)
}

fn filled_at(mesh: &mut Mesh, millis: u64) -> Vec<(TableId, i64)> {
    let filled = mesh.take_filled(at(millis)).into_iter();
    filled.map(|(table, fill)| (table, fill.made)).collect()
}

#[test]
fn a_table_is_filled_when_all_its_sources_have_given() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    let fills = carts_from(MADE, &[B, C]);
    mesh.fill(fills.clone());
    mesh.filled(CARTS, all(MADE), B);
    mesh.filled(TableId(5), own(MADE), C);
    assert_eq!(filled(&mut mesh), []);
    mesh.filled(CARTS, own(MADE), C);
    assert_eq!(filled(&mut mesh), [(CARTS, MADE)]);
    mesh.filled(CARTS, own(MADE), C);
    mesh.fill(fills);
    assert_eq!(filled(&mut mesh), [], "it has been told");
}

#[test]
fn a_table_that_is_still_to_be_filled_is_told_again() {
    let mut mesh = Mesh::new(at(0), A, [B]);
    mesh.fill(carts_from(MADE, &[B]));
    mesh.filled(CARTS, all(MADE), B);
    assert_eq!(filled_at(&mut mesh, 5), [(CARTS, MADE)]);
    assert_eq!(filled_at(&mut mesh, 1_004), []);
    assert_eq!(filled_at(&mut mesh, 1_005), [(CARTS, MADE)]);
    mesh.fill(Fills::new());
    assert_eq!(filled_at(&mut mesh, 9_000), []);
}

#[test]
fn a_source_that_drops_out_leaves_the_table_filled_and_another_primary_starts_again() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    mesh.fill(carts_from(MADE, &[B, C]));
    mesh.filled(CARTS, all(MADE), B);
    mesh.fill(carts_from(MADE, &[C, B]));
    mesh.filled(CARTS, all(MADE), C);
    assert_eq!(filled(&mut mesh), []);
    mesh.fill(carts_from(MADE, &[C]));
    assert_eq!(filled(&mut mesh), [(CARTS, MADE)]);
}

#[test]
fn what_was_given_to_a_replica_that_was_removed_does_not_fill_the_next() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    mesh.fill(carts_from(MADE, &[B, C]));
    mesh.filled(CARTS, all(MADE), B);
    mesh.fill(carts_from(MADE + 1, &[B, C]));
    mesh.filled(CARTS, own(MADE + 1), C);
    assert_eq!(filled(&mut mesh), [], "B gave to another one");
    mesh.filled(CARTS, all(MADE), B);
    assert_eq!(filled(&mut mesh), [], "B is late");
    mesh.filled(CARTS, all(MADE + 1), B);
    assert_eq!(filled(&mut mesh), [(CARTS, MADE + 1)]);
    mesh.fill(carts_from(MADE + 2, &[B]));
    mesh.filled(CARTS, all(MADE + 2), B);
    assert_eq!(filled(&mut mesh), [(CARTS, MADE + 2)], "each is told");
}

#[test]
fn what_is_given_before_it_is_known_to_be_asked_for_counts() {
    let mut mesh = Mesh::new(at(0), A, [B, C]);
    mesh.filled(CARTS, all(MADE), B);
    assert_eq!(filled(&mut mesh), []);
    mesh.fill(carts_from(MADE, &[B]));
    assert_eq!(filled(&mut mesh), [(CARTS, MADE)]);
}

#[test]
fn a_source_whose_portion_stays_gives_it_once_whoever_becomes_the_primary() {
    let mut mesh = Mesh::new(at(0), A, [B, C, D]);
    mesh.fill(carts_from(MADE, &[B, C, D]));
    mesh.filled(CARTS, own(MADE), D);
    mesh.fill(carts_from(MADE, &[C, D]));
    mesh.filled(CARTS, own(MADE), C);
    assert_eq!(filled(&mut mesh), [], "it is the primary");
    mesh.filled(CARTS, all(MADE), C);
    assert_eq!(filled(&mut mesh), [(CARTS, MADE)]);
}
