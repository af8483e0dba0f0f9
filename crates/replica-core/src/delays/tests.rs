//! What is measured, kept and forgotten.

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;

use super::{Flying, Minutes};
use crate::frame::Data;
use crate::limits::{DELAY_MINUTES, DELAY_MINUTES_ALL, DELAYS_WAITING_MAX};
use crate::record::{Change, Record};
use crate::vector::{Seq, VersionVector};

const OWN: RegionId = RegionId(1);
const PEER: RegionId = RegionId(2);
const CARTS: TableId = TableId(TableId::SYSTEM_END);
const SEATS: TableId = TableId(TableId::SYSTEM_END + 1);

fn record(seq: u64, hlc: i64, tables: &[TableId]) -> Record {
    let change = |table: &TableId| Change {
        table: *table,
        key: Bytes::new(),
        image: None,
        stamp: None,
        merged: None,
    };
    Record {
        origin: OWN,
        seq: Seq(seq),
        hlc: Hlc(hlc),
        seen: VersionVector::default(),
        changes: tables.iter().map(change).collect(),
    }
}

fn data(records: Vec<Record>) -> Data {
    Data {
        origin: OWN,
        round: 1,
        after: Seq(0),
        to: records.last().map_or(Seq(0), |record| record.seq),
        records,
    }
}

#[test]
fn a_change_is_late_from_its_stamp_to_the_peers_word() {
    let mut flying = Flying::new(OWN);
    flying.sent(&data(vec![
        record(1, 1_000, &[CARTS, TableId(3)]),
        record(2, 1_500, &[SEATS]),
        record(4, 9_000, &[CARTS]),
    ]));
    let applied: Vec<_> = flying.applied(Seq(3), 4_000).collect();
    assert_eq!(applied, [(CARTS, 3_000), (SEATS, 2_500)], "no system table");
    // A clock that was set back makes nothing earlier than at once.
    assert_eq!(
        flying.applied(Seq(4), 8_000).collect::<Vec<_>>(),
        [(CARTS, 0)]
    );
    assert_eq!(flying.applied(Seq(4), 8_000).count(), 0);
}

#[test]
fn what_is_sent_again_counts_once_and_since_it_was_made() {
    let mut flying = Flying::new(OWN);
    flying.sent(&data(vec![record(1, 1_000, &[CARTS])]));
    flying.sent(&data(vec![
        record(1, 1_000, &[CARTS]),
        record(2, 2_000, &[CARTS]),
    ]));
    let applied: Vec<_> = flying.applied(Seq(2), 60_000).collect();
    assert_eq!(applied, [(CARTS, 59_000), (CARTS, 58_000)]);
    let mut relayed = data(vec![record(9, 1, &[CARTS])]);
    relayed.origin = PEER;
    flying.sent(&relayed);
    assert_eq!(flying.applied(Seq(9), 60_000).count(), 0);
}

#[test]
fn of_too_much_on_its_way_the_newest_is_measured() {
    let mut flying = Flying::new(OWN);
    let many = u64::try_from(DELAYS_WAITING_MAX).unwrap() + 1;
    for seq in 1..=many {
        flying.sent(&data(vec![record(seq, 0, &[CARTS])]));
    }
    assert_eq!(flying.applied(Seq(1), 1).count(), 0);
    assert_eq!(flying.applied(Seq(many), 1).count(), DELAYS_WAITING_MAX);
}

#[test]
fn minutes_tell_what_was_counted_in_them() {
    let mut minutes = Minutes::default();
    for micros in [5, 1_000_000, 40] {
        minutes.note(7, (CARTS, PEER), micros);
    }
    minutes.note(8, (CARTS, PEER), 100);
    minutes.note(7, (SEATS, PEER), 1);
    assert_eq!(
        minutes.pairs().collect::<Vec<_>>(),
        [(CARTS, PEER, 8), (SEATS, PEER, 7)]
    );
    let [minute] = &*minutes.between((CARTS, PEER), (7, 8)).collect::<Vec<_>>() else {
        panic!("one minute");
    };
    assert_eq!((minute.count, minute.sum), (3, 1_000_045));
    assert_eq!((minute.min, minute.max), (5, 1_000_000));
    let spread: Vec<_> = minute.spread().collect();
    assert_eq!(spread, [(5, 1), (40, 1), (1_000_000, 1)]);
    assert_eq!(minutes.between((CARTS, PEER), (7, 9)).count(), 2);
}

#[test]
fn the_oldest_minutes_are_forgotten() {
    let mut minutes = Minutes::default();
    for minute in 0..=DELAY_MINUTES {
        minutes.note(minute, (CARTS, PEER), 1);
    }
    let all = |minutes: &Minutes, table| minutes.between((table, PEER), (0, i64::MAX)).count();
    let kept = usize::try_from(DELAY_MINUTES).unwrap();
    assert_eq!(all(&minutes, CARTS), kept);
    for table in 1..=DELAY_MINUTES_ALL as u64 {
        minutes.note(DELAY_MINUTES + 1, (TableId(CARTS.0 + table), PEER), 1);
    }
    assert_eq!(all(&minutes, CARTS), 0);
    let tables = minutes.pairs().count();
    assert_eq!(tables, DELAY_MINUTES_ALL);
}
