//! Which part of a log a peer may have, and which part a relay can vouch for.
//!
//! It reads no log. A change of a table that the peer does not replicate stays here. Where only
//! some of a record's changes go, a mark stands for each of the others: a delete in a table that
//! nobody has, so that a later relay knows what it does not have.

use bytes::{Buf, BufMut, Bytes};

use base::name::TableId;

use crate::record::{Change, Record};
use crate::vector::Seq;

/// The table of the marks. No user's table has this number.
const LEFT_OUT: TableId = TableId(u64::MAX);

/// Records of one log in order, and the position up to which there are no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The records.
    pub records: Vec<Record>,
    /// The position up to which there are no others.
    pub to: Seq,
}

impl Part {
    /// Returns the part of our own log that a peer may have.
    ///
    /// `replicates` tells which tables the peer replicates.
    #[must_use]
    pub fn of_own(self, replicates: impl Fn(TableId) -> bool) -> Self {
        let records = self
            .records
            .into_iter()
            .filter_map(|record| leave_out(record, &replicates));
        Self {
            records: records.collect(),
            to: self.to,
        }
    }

    /// Returns the part of another region's log, from `after` on, that we can vouch for.
    ///
    /// It ends before the first record that was never sent to us, or not whole: the peer may
    /// replicate what we do not.
    #[must_use]
    pub fn of_relayed(self, after: Seq, replicates: impl Fn(TableId) -> bool) -> Self {
        let mut part = Self {
            records: Vec::new(),
            to: after,
        };
        for record in self.records {
            let misses = |change: &Change| marked(change).is_some_and(&replicates);
            if record.seq != part.to.next() || record.changes.iter().any(misses) {
                break;
            }
            part.to = record.seq;
            part.records.extend(leave_out(record, &replicates));
        }
        debug_assert!(
            part.to <= self.to.max(after),
            "a relay vouches for no more than it has"
        );
        part
    }
}

/// Returns the table whose change the mark stands for; `None` for every other change.
fn marked(change: &Change) -> Option<TableId> {
    let mut key = change.key.clone();
    match change.table {
        LEFT_OUT => Some(TableId(key.try_get_u64().unwrap_or(u64::MAX))),
        _ => None,
    }
}

fn leave_out(mut record: Record, replicates: impl Fn(TableId) -> bool) -> Option<Record> {
    let goes = |change: &Change| change.table != LEFT_OUT && replicates(change.table);
    if !record.changes.iter().any(goes) {
        return None;
    }
    for change in &mut record.changes {
        if change.table != LEFT_OUT && !replicates(change.table) {
            *change = mark(change.table, record.seq);
        }
    }
    Some(record)
}

/// One key for each record and table, so that marks never meet as versions of one item.
fn mark(table: TableId, seq: Seq) -> Change {
    let mut key = Vec::with_capacity(16);
    key.put_u64(table.0);
    key.put_u64(seq.0);
    Change {
        table: LEFT_OUT,
        key: Bytes::from(key),
        image: None,
        stamp: None,
        merged: None,
    }
}

#[cfg(test)]
mod tests;
