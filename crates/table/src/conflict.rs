//! The conflict log: every write that lost a truly concurrent race, with both images.
//!
//! It is kept here only, not replicated: each region sees the same races.

pub mod retention;

pub mod restore;

mod id;

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::{Buf, BufMut, Bytes};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, Version};
use clock::time::WallTime;
use item::key::Key;
use store::port::{Batch, Op, Order, Range, Space, Store, prefix_end};

use crate::layout::{self, Stored};
use crate::limits::CONFLICTS_BYTES;
use crate::pages::Pages;
use crate::tables::{Damaged, ReadError, Tables};

pub use id::{NoRaceId, RaceId};

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
    /// When the loser was written again, here, by [`Tables::restore_loser`].
    pub restored: Option<WallTime>,
}

/// The regions of a race: of the write that stayed, and of the one that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Whose write stayed.
    pub winner: RegionId,
    /// Whose write was lost.
    pub loser: RegionId,
}

/// How many races of each table each two regions had.
pub type Races = BTreeMap<TableId, BTreeMap<Pair, u64>>;

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
/// The version of the bytes of an entry whose loser was restored: the time of that follows.
const RESTORED_FORMAT: u8 = 2;

impl Conflict {
    /// Returns what the race is called, in every region that knows of it.
    pub fn id(&self) -> RaceId {
        RaceId::of(self.winner, self.loser, &layout::item_suffix(&self.key))
    }
}

/// Returns where a page starts whose first race's winner was written at `since` or later.
pub fn start_at(since: Hlc) -> Vec<u8> {
    since.0.to_be_bytes().to_vec()
}

/// Adds an entry to the batch that decides the race.
pub(crate) fn stage(
    batch: &mut Batch,
    table: TableId,
    suffix: &[u8],
    winner: &Stored,
    loser: &Stored,
) {
    let key = entry_key(table, winner.stamp.version, loser.stamp.version, suffix);
    let value = entry([&winner.image, &loser.image], None);
    batch.put(Space::Conflicts, key, value);
}

fn entry_key(table: TableId, winner: Version, loser: Version, suffix: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(28 + suffix.len());
    key.put_u64(table.0);
    layout::put_version(&mut key, winner);
    layout::put_version(&mut key, loser);
    key.put_slice(suffix);
    key
}

fn entry(images: [&Option<Bytes>; 2], restored: Option<WallTime>) -> Vec<u8> {
    let mut value = vec![match restored {
        None => FORMAT,
        Some(_) => RESTORED_FORMAT,
    }];
    for image in images {
        match image {
            None => value.put_u8(0),
            Some(image) => {
                value.put_u8(1);
                value.put_u32(u32::try_from(image.len()).expect("items are below 4 GiB"));
                value.put_slice(image);
            }
        }
    }
    if let Some(restored) = restored {
        value.put_i64(restored.as_micros());
    }
    value
}

/// Returns the table and the regions of each entry that a batch adds.
pub(crate) fn staged(batch: &Batch) -> Vec<(TableId, Pair)> {
    let race = |op: &Op| match op {
        Op::Put(Space::Conflicts, key, _) => {
            let mut key = Bytes::copy_from_slice(key.get(..28)?);
            let table = TableId(key.get_u64());
            let winner = layout::version(&mut key).origin;
            let loser = layout::version(&mut key).origin;
            Some((table, Pair { winner, loser }))
        }
        Op::Put(..) | Op::Delete(..) => None,
    };
    batch.ops.iter().filter_map(race).collect()
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

    /// Returns how many races were noted since the tables were opened, forgotten ones included.
    pub fn races(&self) -> Races {
        self.lock().races.clone()
    }

    /// Returns a race of a table; `None` where this region knows of none of this name.
    ///
    /// Errors: those of the store.
    pub async fn conflict(
        &self,
        table: TableId,
        id: RaceId,
    ) -> Result<Option<Conflict>, ReadError> {
        let prefix = [&table.0.to_be_bytes()[..], id.winner()].concat();
        // The races that one write has won, most often one.
        let mut pages = Pages::with_prefix(&self.inner.store, Space::Conflicts, &prefix);
        while let Some(rows) = pages.next().await? {
            for (key, value) in rows {
                let conflict = decode(key, value)?;
                if conflict.id() == id {
                    return Ok(Some(conflict));
                }
            }
        }
        Ok(None)
    }
}

fn decode(mut key: Bytes, mut value: Bytes) -> Result<Conflict, Damaged> {
    let damaged = Damaged("a conflict");
    let format = value.try_get_u8().map_err(|_| damaged)?;
    if key.len() < 28 || !matches!(format, FORMAT | RESTORED_FORMAT) {
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
    let restored = match format {
        RESTORED_FORMAT => Some(value.try_get_i64().map_err(|_| damaged)?),
        _ => None,
    };
    let key = layout::decode_suffix(&key)?;
    Ok(Conflict {
        restored: restored.map(WallTime::from_micros),
        key,
        winner,
        winner_image,
        loser,
        loser_image,
    })
}

#[cfg(test)]
mod tests;
