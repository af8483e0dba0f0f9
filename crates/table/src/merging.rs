//! Items of tables whose resolver merges attribute by attribute: how writes and records meet them.
//!
//! The merge itself is `replica_core::merged`. What is read of an item is its image, as of every
//! other table; here it is derived from the merged state whenever that changes.

use bytes::Bytes;

use base::region::RegionId;
use clock::hlc::{Hlc, Version};
use item::codec;
use item::size;
use item::value::Item;
use replica_core::frame::copy::CopyItem;
use replica_core::limits::{MERGED_BYTES, MERGED_BYTES_MAX};
use replica_core::merge::{self, Decision, Stamp};
use replica_core::merged::change::{Change, Touch};
use replica_core::merged::{self, State, race};
use replica_core::record::{self, Record};
use replica_core::vector::Seq;
use store::port::{Batch, Store};

use crate::conflict;
use crate::def::{Resolver, TableDef};
use crate::layout::Stored;
use crate::planted::Planted;
use crate::remote::ApplyError;
use crate::tables::{Damaged, Tables};
use crate::write::{Effect, Refusal, Touched};

/// A write of an item that is merged by attribute, but for its stamp.
pub(crate) struct Merging {
    before: State,
    change: Change,
    key: Item,
    /// The item as it becomes.
    view: Option<Item>,
}

/// An encoded image, and what is kept beside it.
type Encoded = (Option<Bytes>, Option<Bytes>);

/// Returns whether an item and what comes to it must be joined by attribute: two items that were
/// written whole come to the later one anyway.
pub(crate) const fn is_needed(stored: Option<&Stored>, incoming: Option<&Bytes>) -> bool {
    let is_merged = match stored {
        Some(stored) => stored.merged.is_some(),
        None => false,
    };
    is_merged || incoming.is_some()
}

impl Merging {
    /// Returns what a decided write merges; `None` where the item is written whole and nothing else
    /// is known of it, and where it stays as it is.
    ///
    /// Errors: [`Damaged`] where the item cannot be read; inside, why it is not written.
    pub(crate) fn of_write(
        table: &TableDef,
        stored: Option<&Stored>,
        effect: &Effect,
        region: RegionId,
    ) -> Result<Result<Option<Self>, Refusal>, Damaged> {
        let change = match effect {
            Effect::Keep => return Ok(Ok(None)),
            Effect::Delete if stored.is_none_or(|stored| stored.image.is_none()) => {
                return Ok(Ok(None));
            }
            Effect::Put(_) if !is_needed(stored, None) => return Ok(Ok(None)),
            Effect::Put(item) => Change::Put(item.clone()),
            Effect::Update(item, touched) => {
                let touch = |(name, touched): &(String, Touched)| {
                    (name.clone(), touch(table.resolver, item, name, touched))
                };
                Change::Update(touched.iter().map(touch).collect())
            }
            Effect::Delete => Change::Delete,
        };
        let names: Vec<&str> = table.schema.attributes().map(|key| &key.name[..]).collect();
        let key = effect.item().into_iter().flatten();
        let key = key.filter(|(name, _)| names.contains(&name.as_str()));
        let key = key.map(|(name, value)| (name.clone(), value.clone()));
        let made = Self::new(stored, change, key.collect(), region)?;
        Ok(made.bounded(region).map(Some))
    }

    /// Returns what the end of an item merges; `None` where its table's items are not merged.
    ///
    /// Errors: [`Damaged`] where the item cannot be read.
    pub(crate) fn of_expiry(
        table: &TableDef,
        stored: &Stored,
        region: RegionId,
    ) -> Result<Option<Self>, Damaged> {
        match table.resolver {
            Resolver::Item => Ok(None),
            Resolver::Attributes | Resolver::Counters => {
                Self::new(Some(stored), Change::Delete, Item::new(), region).map(Some)
            }
        }
    }

    fn new(
        stored: Option<&Stored>,
        change: Change,
        key: Item,
        region: RegionId,
    ) -> Result<Self, Damaged> {
        let before = stored.map(state_of).transpose()?.unwrap_or_default();
        let mut made = Self {
            before,
            change,
            key,
            view: None,
        };
        made.view = made.joined(made.later(region)).0.view();
        Ok(made)
    }

    /// Keeps what is beside the item within its bounds: what was removed is forgotten by writing
    /// the item whole.
    fn bounded(mut self, region: RegionId) -> Result<Self, Refusal> {
        let beside = |made: &Self| {
            let state = made.joined(made.later(region)).0;
            state
                .beside(made.view.as_ref())
                .map_or(0, |beside| beside.len())
        };
        let resize = |view: Option<&Item>| {
            let checked = view.map_or(Ok(()), size::check);
            checked.map_err(|error| Refusal::Invalid(error.to_string()))
        };
        resize(self.view.as_ref())?;
        if beside(&self) <= MERGED_BYTES {
            return Ok(self);
        }
        if let Some(view) = self.view.clone() {
            self.change = Change::Put(view);
        }
        if MERGED_BYTES_MAX < beside(&self) {
            let text = "Item has too many attributes that several regions have added to; delete \
                        the item and put it again";
            return Err(Refusal::Invalid(text.to_owned()));
        }
        Ok(self)
    }

    /// Returns a stamp of a region that is later than all that is known of the item.
    const fn later(&self, origin: RegionId) -> Stamp {
        let hlc = Hlc(self.before.stamp.version.hlc.0 + 2);
        Stamp {
            version: Version { hlc, origin },
            seq: Seq(0),
        }
    }

    /// Returns the state after the write, and what the write changed.
    fn joined(&self, stamp: Stamp) -> (State, State) {
        let delta = self.before.delta(&self.change, stamp, &self.key);
        let mut state = self.before.clone();
        state.join(&delta);
        (state, delta)
    }

    /// Returns the encoded item as it becomes.
    pub(crate) fn image(&self) -> Option<Bytes> {
        self.view.as_ref().map(|item| codec::encode(item).into())
    }

    /// Returns the item as it is to be stored, and what goes into the record, as of its stamp.
    pub(crate) fn apply(
        &self,
        stamp: Stamp,
        image: Option<Bytes>,
        recorded: Hlc,
    ) -> (Stored, Encoded) {
        let (state, delta) = self.joined(stamp);
        let stored = Stored {
            stamp,
            merged: state.beside(self.view.as_ref()),
            recorded: if image.is_some() {
                stamp.version.hlc
            } else {
                recorded
            },
            image,
        };
        let view = delta.view();
        let beside = delta.beside(view.as_ref());
        let image = view.map(|view| codec::encode(&view).into());
        (stored, (image, beside))
    }
}

impl<S: Store> Tables<S> {
    /// Joins what a record says of an item with what is stored, and notes in the batch which
    /// changes are lost; `None` where nothing changes.
    pub(crate) async fn join(
        &self,
        batch: &mut Batch,
        stored: Option<&Stored>,
        incoming: &Stored,
        (record, change): (&Record, &record::Change),
    ) -> Result<Option<Stored>, ApplyError> {
        let before = stored.map(state_of).transpose()?.unwrap_or_default();
        let delta = state_of(incoming)?;
        let mut joined = before.clone();
        joined.join(&delta);
        let forgets = self.lock().planted == Planted::RacesForgotten;
        let filling = self.table(change.table).is_some_and(|def| def.filling);
        if !forgets && !filling {
            for contest in race::contests(&before, &delta).into_values() {
                let saw = self.saw(contest.stored, incoming.stamp, record).await?;
                let earlier = Some(contest.stored);
                let decision = merge::decide(earlier, incoming.stamp, &record.seen, |_| saw);
                let (winner, loser, lost) = match decision {
                    Decision::Replace | Decision::Keep => continue,
                    Decision::ReplaceConcurrent => (incoming.stamp, contest.stored, before.view()),
                    Decision::KeepConcurrent => (contest.stored, incoming.stamp, delta.view()),
                };
                let view = joined.view();
                let lost = contest.lost_image(view.as_ref(), lost.as_ref());
                let is_end = lost.is_none() && loser.version.hlc.is_end();
                if !is_end && lost != view {
                    let (winner, loser) = (as_of(winner, view), as_of(loser, lost));
                    conflict::stage(batch, change.table, &change.key, &winner, &loser);
                }
            }
        }
        if joined == before && stored.is_some() {
            return Ok(None);
        }
        let kept = stored.map_or_else(Hlc::default, |stored| stored.recorded);
        Ok(Some(stored_of(&joined, record.hlc.max(kept))))
    }
}

/// Joins a copy of an item with what is stored.
///
/// Errors: [`Damaged`] where either cannot be read.
pub(crate) fn join_copy(
    stored: Option<&Stored>,
    copy: &CopyItem,
    recorded: Hlc,
) -> Result<Stored, Damaged> {
    let before = stored.map(state_of).transpose()?.unwrap_or_default();
    let copied = Stored {
        stamp: copy.stamp,
        image: copy.image.clone(),
        merged: copy.merged.clone(),
        recorded,
    };
    let mut joined = before.clone();
    joined.join(&state_of(&copied)?);
    match stored {
        Some(stored) if joined == before => Ok(stored.clone()),
        Some(_) | None => Ok(stored_of(&joined, recorded)),
    }
}

/// Reads the state of an item.
fn state_of(stored: &Stored) -> Result<State, Damaged> {
    let damaged = Damaged("an item");
    let image = stored.image.as_deref().map(codec::decode).transpose();
    let image = image.map_err(|_| damaged)?;
    let state = merged::codec::decode(stored.stamp, image, stored.merged.clone());
    state.map_err(|_| damaged)
}

fn stored_of(state: &State, recorded: Hlc) -> Stored {
    let view = state.view();
    let image = view.as_ref().map(|view| codec::encode(view).into());
    Stored {
        stamp: state.stamp,
        merged: state.beside(view.as_ref()),
        recorded: match image {
            Some(_) => state.stamp.version.hlc,
            None => recorded.max(state.stamp.version.hlc),
        },
        image,
    }
}

/// Returns an item as the conflict log tells it.
fn as_of(stamp: Stamp, item: Option<Item>) -> Stored {
    Stored {
        stamp,
        image: item.map(|item| codec::encode(&item).into()),
        merged: None,
        recorded: stamp.version.hlc,
    }
}

fn touch(resolver: Resolver, item: &Item, name: &str, touched: &Touched) -> Touch {
    let set = || Touch::Set(item.get(name).cloned());
    match (resolver, touched) {
        (Resolver::Item | Resolver::Attributes, _) | (Resolver::Counters, Touched::Set) => set(),
        (Resolver::Counters, Touched::Add(number)) => Touch::Add(*number),
        (Resolver::Counters, Touched::Include(elements)) => Touch::Include(elements.clone()),
        (Resolver::Counters, Touched::Exclude(elements)) => Touch::Exclude(elements.clone()),
    }
}

#[cfg(test)]
mod tests;
