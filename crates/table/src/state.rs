//! What one region knows beside its store: clock, positions, digests.
//!
//! All of it can be read back from the store; it is kept in memory to be read fast.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::{BufMut, Bytes};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, HybridClock};
use replica_core::digest::Digest;
use replica_core::merge::Stamp;
use replica_core::vector::{Seq, VersionVector};
use store::port::{Batch, Space};

use crate::collection::Collections;
use crate::conflict::{Pair, Races};
use crate::def::{IndexId, TableDef};
use crate::history::{Cause, History};
use crate::index;
use crate::index::fact::Fact;
use crate::layout::{self, Stored, meta};
use crate::planted::Planted;

/// The one mutable state of a region's tables, behind one lock that is held for microseconds.
pub(crate) struct State {
    pub(crate) clock: HybridClock,
    pub(crate) history: History,
    /// The last position given in our own log.
    pub(crate) head: Seq,
    /// What reads see, of each origin; our own included.
    pub(crate) applied: VersionVector,
    /// What is on disk, of each origin; our own included.
    pub(crate) durable: VersionVector,
    /// The stamp of the last record on disk, of each origin.
    pub(crate) durable_hlc: BTreeMap<RegionId, Hlc>,
    /// What has been handed in, of each origin; digests are as of this.
    pub(crate) staged: VersionVector,
    /// The highest stamp that has been handed in, of each origin.
    pub(crate) staged_hlc: BTreeMap<RegionId, Hlc>,
    /// Each origin's promise: after its position, all stamps are above. Our own is on disk.
    pub(crate) horizons: BTreeMap<RegionId, (Seq, Hlc)>,
    pub(crate) promise: Promise,
    pub(crate) digests: BTreeMap<(TableId, u16), Digest>,
    /// Tables of which some region's replica is being filled.
    pub(crate) filling: BTreeSet<TableId>,
    /// Tables of which what is here is, or may be, an earlier replica's.
    pub(crate) clearing: BTreeSet<TableId>,
    pub(crate) dropped: BTreeSet<TableId>,
    /// How many races were added to the conflict log since it was opened.
    pub(crate) races: Races,
    /// How far each index has come.
    pub(crate) indexes: BTreeMap<(TableId, IndexId), Fact>,
    /// Tables whose items changed while it was not known here which indexes they have.
    pub(crate) unindexed: BTreeSet<TableId>,
    /// How much item collections take, those that were counted.
    pub(crate) collections: Collections,
    /// Keys of system tables that changed since control last asked.
    pub(crate) system_changes: BTreeSet<(TableId, Bytes)>,
    pub(crate) planted: Planted,
}

/// A change of one item, as it goes into a batch.
#[derive(Clone, Copy)]
pub(crate) struct Staging<'a> {
    pub(crate) table: TableId,
    /// The table's definition, where it is known here.
    pub(crate) def: Option<&'a TableDef>,
    pub(crate) suffix: &'a [u8],
    pub(crate) old: Option<&'a Stored>,
    /// What replaces it, a tombstone included; `None` leaves nothing behind.
    pub(crate) new: Option<&'a Stored>,
    pub(crate) cause: Cause,
}

/// When our promise about later stamps was last written, and whether it still is being.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Promise {
    asked: Option<Hlc>,
    is_on_its_way: bool,
}

impl Promise {
    /// Returns whether `next` is to be written, which then counts as on its way.
    pub(crate) fn renew(&mut self, next: Hlc, period: Duration) -> bool {
        let period = i64::try_from(period.as_micros()).unwrap_or(i64::MAX);
        let is_due = self.asked.is_none_or(|asked| period <= next.0 - asked.0);
        if !is_due || self.is_on_its_way {
            return false;
        }
        *self = Self {
            asked: Some(next),
            is_on_its_way: true,
        };
        true
    }

    /// Notes that the promise is on disk.
    pub(crate) fn kept(&mut self) {
        self.is_on_its_way = false;
    }
}

impl State {
    /// Notes that records of `origin` up to `seq` are handed in; returns the highest stamp of all
    /// of them, which goes to disk with the position.
    pub(crate) fn note_staged(&mut self, origin: RegionId, seq: Seq, hlc: Option<Hlc>) -> Hlc {
        self.staged.advance(origin, seq);
        let highest = self.staged_hlc.entry(origin).or_default();
        *highest = hlc.unwrap_or_default().max(*highest);
        *highest
    }

    /// Adds a change of one item to a batch: the item, its digest, its place among tombstones, its
    /// entries in indexes and of the history. [`State::begin`] comes before the first of a batch.
    pub(crate) fn stage(&mut self, batch: &mut Batch, change: &Staging<'_>) {
        let Staging {
            table,
            def,
            suffix,
            old,
            new,
            cause,
        } = *change;
        match def {
            _ if table.is_system() => {}
            Some(def) => index::stage(self, batch, def, change),
            None if cause == Cause::Removed => {}
            None => self.note_unindexed(batch, table),
        }
        let key = (table, layout::bucket(suffix));
        let digest = self.digests.entry(key).or_default();
        let before = *digest;
        if let Some(old) = old {
            match &old.image {
                Some(image) => digest.remove(suffix, old.stamp.version, image),
                None => batch.delete(
                    Space::Tombstones,
                    layout::tombstone_key(old.collected(), table, suffix),
                ),
            }
        }
        if let Some(new) = new {
            match &new.image {
                Some(image) => digest.add(suffix, new.stamp.version, image),
                None => batch.put(
                    Space::Tombstones,
                    layout::tombstone_key(new.collected(), table, suffix),
                    Bytes::new(),
                ),
            }
        }
        if *digest != before {
            let sum = digest.0.to_be_bytes().to_vec();
            batch.put(Space::Digests, layout::digest_key(key.0, key.1), sum);
        }
        let item = layout::item_key(table, suffix);
        match new {
            Some(new) => batch.put(Space::Items, item, new.encode()),
            None => batch.delete(Space::Items, item),
        }
        self.record(batch, change);
    }

    /// Notes races that can be read.
    pub(crate) fn note_races(&mut self, races: Vec<(TableId, Pair)>) {
        for (table, pair) in races {
            let of_table = self.races.entry(table).or_default();
            *of_table.entry(pair).or_default() += 1;
        }
    }

    /// Returns the stamp up to which `origin` is durably applied here.
    pub(crate) fn stable_of(&self, origin: RegionId) -> Hlc {
        let last = self.durable_hlc.get(&origin).copied().unwrap_or_default();
        match self.horizons.get(&origin) {
            Some((head, horizon)) if *head <= self.durable.at(origin) => last.max(*horizon),
            Some(_) | None => last,
        }
    }

    /// Notes that `origin`'s log is on disk up to `seq`, whose record has the stamp `hlc`.
    pub(crate) fn note_durable(&mut self, origin: RegionId, seq: Seq, hlc: Hlc) {
        self.durable.advance(origin, seq);
        let last = self.durable_hlc.entry(origin).or_default();
        *last = hlc.max(*last);
        debug_assert!(
            self.applied.covers(&self.durable),
            "what is on disk can be read"
        );
    }
}

/// Adds how far `origin` is applied to a batch, with the items that this covers.
pub(crate) fn stage_position(batch: &mut Batch, origin: RegionId, seq: Seq, hlc: Hlc) {
    let mut value = Vec::with_capacity(16);
    value.put_u64(seq.0);
    value.put_i64(hlc.0);
    batch.put(Space::Meta, meta::applied(origin), value);
}

/// What a write has replaced, or would.
pub(crate) fn version_of(stored: Option<&Stored>) -> Hlc {
    stored.map_or_else(Hlc::default, |stored| stored.stamp.version.hlc)
}

/// Returns a tombstone or a live item, whose record has the stamp `recorded`.
pub(crate) fn stored(stamp: Stamp, image: Option<Bytes>, recorded: Hlc) -> Stored {
    let recorded = match image {
        Some(_) => stamp.version.hlc,
        None => recorded,
    };
    Stored {
        stamp,
        image,
        merged: None,
        recorded,
    }
}
