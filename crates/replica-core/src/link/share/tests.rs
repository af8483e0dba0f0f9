//! Tests of what a peer may have of a log, and of what a relay can vouch for.

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;

use super::Part;
use crate::record::{Change, Record};
use crate::vector::{Seq, VersionVector};

const BOTH: TableId = TableId(1 << 20);
const OTHER: TableId = TableId(2 << 20);

fn record(seq: u64, tables: &[TableId]) -> Record {
    let change = |table: &TableId| Change {
        table: *table,
        key: Bytes::from_static(b"key"),
        image: None,
        stamp: None,
        merged: None,
    };
    Record {
        origin: RegionId(1),
        seq: Seq(seq),
        hlc: Hlc(5),
        seen: VersionVector::default(),
        changes: tables.iter().map(change).collect(),
    }
}

fn part(to: u64, records: Vec<Record>) -> Part {
    let to = Seq(to);
    Part { records, to }
}

fn seqs(part: &Part) -> (Vec<u64>, u64) {
    let seqs = part.records.iter().map(|record| record.seq.0);
    (seqs.collect(), part.to.0)
}

#[test]
fn the_position_moves_on_over_what_is_left_out() {
    let page = part(7, vec![record(5, &[BOTH]), record(6, &[OTHER])]);
    let shared = page.of_own(|table| table == BOTH);
    assert_eq!(seqs(&shared), (vec![5], 7));
}

#[test]
fn a_transaction_keeps_what_goes_and_marks_the_rest() {
    let shared = part(1, vec![record(1, &[OTHER, BOTH])]).of_own(|table| table == BOTH);
    let changes = &shared.records[0].changes;
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[1], record(1, &[BOTH]).changes[0]);
    assert!(changes[0].table != OTHER && changes[0].image.is_none());
}

#[test]
fn a_relay_stops_before_what_it_was_not_sent() {
    let held = part(9, vec![record(4, &[BOTH]), record(6, &[BOTH])]);
    assert_eq!(
        seqs(&held.clone().of_relayed(Seq(3), |_| true)),
        (vec![4], 4)
    );
    assert_eq!(seqs(&held.of_relayed(Seq(2), |_| true)), (vec![], 2));
}

#[test]
fn a_relay_stops_before_a_record_that_it_has_in_part_if_the_peer_has_the_rest() {
    let sent = part(2, vec![record(1, &[BOTH]), record(2, &[BOTH, OTHER])]);
    let held = sent.of_own(|table| table == BOTH);
    assert_eq!(
        seqs(&held.clone().of_relayed(Seq(0), |_| true)),
        (vec![1], 1)
    );
    let same = held.clone().of_relayed(Seq(0), |table| table == BOTH);
    assert_eq!(same, held);
}
