//! How long the conflict log is kept: a race that nobody looked at for long is forgotten.
//!
//! It decides no bound: whoever runs it names them. What was lost is lost by the merge rule,
//! whether its image is kept or not.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::{Buf, Bytes};

use base::name::TableId;
use clock::hlc::Hlc;
use store::port::{Batch, Durability, Order, Range, Space, Store, prefix_end};

use crate::layout;
use crate::limits::{STEP_BYTES, STEP_ROWS};
use crate::pages::Pages;
use crate::tables::{ReadError, Tables};

/// What is kept of the conflict log.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Races whose winner was written at this stamp or later.
    pub since: Hlc,
    /// Most races of each table; the newest stay.
    pub entries: usize,
    /// Most bytes of each table's races; the newest stay.
    pub bytes: usize,
}

/// What an earlier pass has seen, so that a table without further races is not read again.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<TableId, Stand>);

/// How a table's races stood.
#[derive(Debug, PartialEq, Eq)]
struct Stand {
    /// The key of the oldest.
    oldest: Bytes,
    /// How many were added since the tables were opened.
    added: u64,
}

impl<S: Store> Tables<S> {
    /// Forgets the races that are not to be kept, of all tables.
    ///
    /// Errors: those of the store; what was forgotten before stays so.
    pub async fn trim_conflicts(&self, keep: &Keep, seen: &mut Seen) -> Result<(), ReadError> {
        let mut from = Bound::Unbounded;
        let mut present = BTreeMap::new();
        // Before the log is read: what is added meanwhile is looked at the next time.
        let added = self.lock().races.clone();
        while let Some(oldest) = self.first_race(from).await? {
            let table = TableId(oldest.clone().try_get_u64().unwrap_or_default());
            let prefix = table.0.to_be_bytes();
            let stand = Stand {
                oldest,
                added: added.get(&table).map_or(0, |pairs| pairs.values().sum()),
            };
            let is_aged = stamp(&stand.oldest) < keep.since;
            if is_aged || seen.0.get(&table) != Some(&stand) {
                self.trim_table(table, keep).await?;
            }
            present.insert(table, stand);
            from = match prefix_end(&prefix) {
                Bound::Excluded(next) | Bound::Included(next) => Bound::Included(next),
                Bound::Unbounded => break,
            };
        }
        seen.0 = present;
        Ok(())
    }

    /// Walks a table's races from the newest, and forgets all behind the last that is kept.
    async fn trim_table(&self, table: TableId, keep: &Keep) -> Result<(), ReadError> {
        let prefix = table.0.to_be_bytes();
        let (mut entries, mut bytes) = (0, 0);
        let newest_first = Range {
            space: Space::Conflicts,
            from: Bound::Included(prefix.to_vec()),
            to: prefix_end(&prefix),
            order: Order::Descending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        let mut pages = Pages::of(&self.inner.store, newest_first);
        while let Some(rows) = pages.next().await? {
            let mut batch = Batch::default();
            for (key, value) in &rows {
                entries += 1;
                bytes += key.len() + value.len();
                let is_kept =
                    keep.since <= stamp(key) && entries <= keep.entries && bytes <= keep.bytes;
                if !is_kept {
                    batch.delete(Space::Conflicts, key.to_vec());
                }
            }
            if !batch.ops.is_empty() {
                self.commit(batch, Durability::Buffered).await?;
            }
        }
        Ok(())
    }

    /// Returns the key of the first entry from a key on.
    async fn first_race(&self, from: Bound<Vec<u8>>) -> Result<Option<Bytes>, ReadError> {
        let first = Range {
            space: Space::Conflicts,
            from,
            to: Bound::Unbounded,
            order: Order::Ascending,
            rows_max: 1,
            bytes_max: STEP_BYTES,
        };
        let rows = self.inner.store.range(first).await?.rows;
        Ok(rows.into_iter().next().map(|(key, _)| key))
    }
}

/// Returns the stamp of an entry's winner; the lowest for a damaged key, which is of no use.
fn stamp(key: &Bytes) -> Hlc {
    let mut key = key.clone();
    if key.len() < 18 {
        return Hlc::default();
    }
    key.advance(8);
    layout::version(&mut key).hlc
}
