//! The conflict log: every write that lost a truly concurrent race, with both images.
//!
//! It is kept here only, not replicated: each region sees the same races.

pub mod retention;

use std::ops::Bound;

use bytes::{Buf, BufMut, Bytes};

use base::name::TableId;
use clock::hlc::Version;
use item::key::Key;
use store::port::{Batch, Op, Order, Range, Space, Store, prefix_end};

use crate::layout::{self, Stored};
use crate::limits::CONFLICTS_BYTES;
use crate::tables::{Damaged, ReadError, Tables};

/// A race of two writes that had not seen each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The item.
    pub key: Key,
    /// The version that stayed.
    pub winner: Version,
    /// The winner's encoded item; `None` where it was a delete.
    pub winner_image: Option<Bytes>,
    /// The version that was lost.
    pub loser: Version,
    /// The loser's encoded item; `None` where it was a delete.
    pub loser_image: Option<Bytes>,
}

/// Some races of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictPage {
    /// The races, oldest winner first.
    pub conflicts: Vec<Conflict>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Bytes>,
}

/// The version of an entry's bytes.
const FORMAT: u8 = 1;

/// Adds an entry to the batch that decides the race.
pub(crate) fn stage(
    batch: &mut Batch,
    table: TableId,
    suffix: &[u8],
    winner: &Stored,
    loser: &Stored,
) {
    let mut key = Vec::with_capacity(28 + suffix.len());
    key.put_u64(table.0);
    layout::put_version(&mut key, winner.stamp.version);
    layout::put_version(&mut key, loser.stamp.version);
    key.put_slice(suffix);
    let mut value = vec![FORMAT];
    for image in [&winner.image, &loser.image] {
        match image {
            None => value.put_u8(0),
            Some(image) => {
                value.put_u8(1);
                value.put_u32(u32::try_from(image.len()).expect("items are below 4 GiB"));
                value.put_slice(image);
            }
        }
    }
    batch.put(Space::Conflicts, key, value);
}

/// Returns the table of each entry that a batch adds.
pub(crate) fn staged(batch: &Batch) -> Vec<TableId> {
    let table = |op: &Op| match op {
        Op::Put(Space::Conflicts, key, _) => {
            let id = key.first_chunk::<8>()?;
            Some(TableId(u64::from_be_bytes(*id)))
        }
        Op::Put(..) | Op::Delete(..) => None,
    };
    batch.ops.iter().filter_map(table).collect()
}

impl<S: Store> Tables<S> {
    /// Returns races of a table, oldest winner first: at most `limit`, and as many as reach
    /// [`CONFLICTS_BYTES`].
    ///
    /// Errors: those of the store.
    pub async fn conflicts(
        &self,
        table: TableId,
        limit: usize,
    ) -> Result<Vec<Conflict>, ReadError> {
        Ok(self.conflicts_page(table, None, limit).await?.conflicts)
    }

    /// Returns races of a table as [`Tables::conflicts`] does, from where an earlier page ended.
    ///
    /// Errors: those of the store.
    pub async fn conflicts_page(
        &self,
        table: TableId,
        start: Option<&[u8]>,
        limit: usize,
    ) -> Result<ConflictPage, ReadError> {
        let prefix = table.0.to_be_bytes();
        let from = match start {
            None => Bound::Included(prefix.to_vec()),
            Some(start) => Bound::Excluded([&prefix, start].concat()),
        };
        let range = Range {
            space: Space::Conflicts,
            from,
            to: prefix_end(&prefix),
            order: Order::Ascending,
            rows_max: limit,
            bytes_max: CONFLICTS_BYTES,
        };
        let page = self.inner.store.range(range).await?;
        let last = page.rows.last().filter(|_| page.more);
        let next = last.map(|(key, _)| key.slice(prefix.len()..));
        let rows = page.rows.into_iter();
        let conflicts = rows.map(|(key, value)| decode(key, value));
        Ok(ConflictPage {
            conflicts: conflicts.collect::<Result<_, Damaged>>()?,
            next,
        })
    }
}

fn decode(mut key: Bytes, mut value: Bytes) -> Result<Conflict, Damaged> {
    let damaged = Damaged("a conflict");
    if key.len() < 28 || value.try_get_u8() != Ok(FORMAT) {
        return Err(damaged);
    }
    key.advance(8);
    let winner = layout::version(&mut key);
    let loser = layout::version(&mut key);
    let mut image = || match value.try_get_u8() {
        Ok(0) => Ok(None),
        Ok(1) => {
            let length = value.try_get_u32().map_err(|_| damaged)?;
            let length = usize::try_from(length).map_err(|_| damaged)?;
            if value.len() < length {
                Err(damaged)
            } else {
                Ok(Some(value.split_to(length)))
            }
        }
        Ok(_) | Err(_) => Err(damaged),
    };
    let (winner_image, loser_image) = (image()?, image()?);
    let key = layout::decode_suffix(&key)?;
    Ok(Conflict {
        key,
        winner,
        winner_image,
        loser,
        loser_image,
    })
}

#[cfg(test)]
mod tests;
