//! The history of tables: what became of each item, in the order in which it came to be so here.
//!
//! It is no change log: it is read by streams and by going back in time, never sent to another
//! region. Only tables whose definition asks for it have one; the others pay nothing.
//!
//! ```text
//! State::begin ─► State::stage ─► record: one event, in the batch of the item ─► read_history
//!                                                                             └► rewind
//! ```
//!
//! All changes of one batch share a stamp, so no point in time cuts a transaction in two. Stamps
//! never go back, not even where a restart finds the wall clock behind: what was read once is
//! followed by all that comes later.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::{Buf, Bytes};
use tokio::sync::oneshot;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, Version};
use clock::time::WallTime;
use item::key::Key;
use store::port::{Batch, Durability, Order, Range, Rows, Space, Store, StoreError, prefix_end};

use crate::def::TableDef;
use crate::layout::{self, meta};
use crate::limits::{STEP_BYTES, STEP_ROWS};
use crate::state::{Staging, State};
use crate::tables::{self, Damaged, ReadError, Tables};

mod codec;

use codec::{DAMAGED, event_key, place_of};

/// What made an item change here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A caller's write in this region.
    Write,
    /// Another region's write.
    Applied,
    /// A copy of an item, of which the writes were not seen here.
    Copied,
    /// Its time had come.
    Expiry,
    /// Its removal, together with a tombstone's or a replica's.
    Removed,
}

/// A place in a table's history. Later events have higher ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The moment of the event's batch.
    pub at: Hlc,
    /// The event's number within its batch.
    pub number: u32,
}

/// A change of one item that could be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place.
    pub place: Place,
    /// What made it.
    pub cause: Cause,
    /// The version that the item got; where none was left, the moment of its end.
    pub version: Version,
    /// Whether a stream tells it.
    pub is_told: bool,
    /// Whether there was an item before.
    pub was: bool,
    /// Whether there is one after.
    pub is: bool,
    /// The encoded item before, where it was kept.
    pub old: Option<Bytes>,
    /// The encoded item after, where it was kept.
    pub new: Option<Bytes>,
    suffix: Bytes,
}

/// Events of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Whether there may be more.
    pub more: bool,
}

/// How much to read of a history.
#[derive(Clone, Copy, Debug)]
pub struct Portion {
    /// Most events.
    pub events_max: usize,
    /// Stop after the event with which keys and values reach this many bytes.
    pub bytes_max: usize,
}

impl Cause {
    /// Returns whether streams tell such a change: somebody wrote it, here or elsewhere.
    const fn is_told(self) -> bool {
        match self {
            Self::Write | Self::Applied | Self::Expiry => true,
            Self::Copied | Self::Removed => false,
        }
    }
}

impl Place {
    /// Returns the place behind everything that has this stamp.
    pub const fn end_of(at: Hlc) -> Self {
        Self {
            at,
            number: u32::MAX,
        }
    }

    /// Returns the place before everything that has this stamp or a later one.
    pub const fn before(at: Hlc) -> Self {
        if at.0 <= 0 {
            // No event is that old, and bytes of a stamp below 0 sort above all others.
            return Self {
                at: Hlc(0),
                number: 0,
            };
        }
        Self::end_of(Hlc(at.0 - 1))
    }
}

impl Event {
    /// Reads the item's key.
    ///
    /// Errors: [`Damaged`] for bytes that are none.
    pub fn key(&self) -> Result<Key, Damaged> {
        layout::decode_suffix(&self.suffix)
    }

    /// Returns the item's key as in records.
    pub(crate) fn suffix(&self) -> &Bytes {
        &self.suffix
    }
}

impl EventPage {
    fn decode(rows: Rows) -> Result<Self, Damaged> {
        let events = rows.rows.into_iter();
        let events = events.map(|(key, value)| codec::decode(&key, value));
        Ok(Self {
            events: events.collect::<Result<_, _>>()?,
            more: rows.more,
        })
    }
}

/// What one region knows of its histories beside what is in the store.
#[derive(Debug, Default)]
pub(crate) struct History {
    region: RegionId,
    moment: Moment,
    /// The highest stamp that an event was given, or that one may no longer be given.
    recorded: Hlc,
    /// What is on disk of it, beside the events themselves.
    passed: Hlc,
    /// Since when a history that goes back in time has no gap.
    unbroken: BTreeMap<TableId, Hlc>,
}

/// The batch that is being staged.
#[derive(Debug, Default)]
struct Moment {
    now: WallTime,
    /// Its stamp, once it has an event.
    at: Option<Hlc>,
    events: u32,
}

impl History {
    /// Reads what the store holds.
    pub(crate) async fn open<S: Store>(store: &S, region: RegionId) -> Result<Self, ReadError> {
        let mut history = Self {
            region,
            ..Self::default()
        };
        if let Some(mut fact) = store.get(Space::Meta, meta::PASSED).await? {
            history.passed = Hlc(fact.try_get_i64().map_err(|_| DAMAGED)?);
        }
        history.recorded = history.passed;
        for (mut id, mut value) in tables::read_meta(store, meta::UNBROKEN).await? {
            let id = TableId(id.try_get_u64().map_err(|_| DAMAGED)?);
            let since = Hlc(value.try_get_i64().map_err(|_| DAMAGED)?);
            history.unbroken.insert(id, since);
        }
        // One look a table: what follows a table's last event is the next table's first.
        let mut after = None;
        while let Some(id) = next_number(store, Space::History, after).await? {
            let last = store.range(Range {
                space: Space::History,
                from: Bound::Unbounded,
                to: prefix_end(&id.to_be_bytes()),
                order: Order::Descending,
                rows_max: 1,
                bytes_max: usize::MAX,
            });
            if let Some((key, _)) = last.await?.rows.first() {
                history.recorded = history.recorded.max(place_of(key)?.at);
            }
            after = Some(id);
        }
        Ok(history)
    }

    /// Returns the highest stamp that an event has.
    pub(crate) fn last(&self) -> Hlc {
        self.recorded
    }

    pub(crate) fn forget(&mut self, table: TableId) {
        self.unbroken.remove(&table);
    }
}

impl State {
    /// Starts a batch: the changes that are staged from here on happen at one moment.
    pub(crate) fn begin(&mut self, now: WallTime) {
        self.history.moment = Moment {
            now,
            at: None,
            events: 0,
        };
    }

    /// Adds a change to the history of its table, if that has one and the change can be seen.
    pub(crate) fn record(&mut self, batch: &mut Batch, change: &Staging<'_>) {
        let Some(TableDef { id, history, .. }) = change.def else {
            return;
        };
        let told = history.stream.filter(|_| change.cause.is_told());
        if told.is_none() && !history.rewinds {
            return;
        }
        let old = change.old.and_then(|stored| stored.image.as_ref());
        let new = change.new.and_then(|stored| stored.image.as_ref());
        if old == new {
            return;
        }
        let place = self.next_place();
        let ended = Version {
            hlc: place.at,
            origin: self.history.region,
        };
        let version = change.new.map_or(ended, |stored| stored.stamp.version);
        let keeps_old = history.rewinds || told.is_some_and(|images| images.old);
        let keeps_new = told.is_some_and(|images| images.new);
        let event = Event {
            place,
            cause: change.cause,
            version,
            is_told: told.is_some(),
            was: old.is_some(),
            is: new.is_some(),
            old: old.filter(|_| keeps_old).cloned(),
            new: new.filter(|_| keeps_new).cloned(),
            suffix: Bytes::copy_from_slice(change.suffix),
        };
        batch.put(Space::History, event_key(*id, place), event.encode());
    }

    fn next_place(&mut self) -> Place {
        let number = self.history.moment.events;
        self.history.moment.events += 1;
        if let Some(at) = self.history.moment.at {
            return Place { at, number };
        }
        // A stamp that the batch's own versions have does for the batch; else it gets one.
        let (now, last) = (self.history.moment.now, self.clock.last());
        let is_fresh = self.history.recorded < last && now <= last.as_wall();
        let at = if is_fresh {
            last
        } else {
            self.clock.tick(now, self.history.recorded)
        };
        debug_assert!(self.history.recorded < at, "a history never goes back");
        self.history.moment.at = Some(at);
        self.history.recorded = at;
        Place { at, number }
    }

    /// Returns a stamp that everything recorded is at or below, and nothing will be from here on.
    fn instant(&mut self, now: WallTime) -> Hlc {
        let at = self.clock.tick(now, self.history.recorded);
        self.history.recorded = at;
        at
    }
}

impl<S: Store> Tables<S> {
    /// Reads a table's events after a place, and before all that have the stamp `before` or a
    /// later one. What is returned is on disk.
    ///
    /// Errors: those of the store.
    pub async fn read_history(
        &self,
        table: TableId,
        after: Place,
        before: Hlc,
        portion: Portion,
    ) -> Result<EventPage, ReadError> {
        if before <= after.at {
            return Ok(EventPage::default());
        }
        let range = Range {
            space: Space::History,
            from: Bound::Excluded(event_key(table, after)),
            to: Bound::Included(event_key(table, Place::before(before))),
            order: Order::Ascending,
            rows_max: portion.events_max,
            bytes_max: portion.bytes_max,
        };
        let rows = self.inner.store.range(range).await?;
        if !rows.rows.is_empty() {
            // What a crash could take back must not be told: it would come again elsewhere.
            self.flushed().await?;
        }
        Ok(EventPage::decode(rows)?)
    }

    /// Reads the latest events of a table that come after `after` and not after `to`, latest
    /// first.
    pub(crate) async fn read_back(
        &self,
        table: TableId,
        after: Hlc,
        to: Place,
    ) -> Result<EventPage, ReadError> {
        let range = Range {
            space: Space::History,
            from: Bound::Excluded(event_key(table, Place::end_of(after))),
            to: Bound::Excluded(event_key(table, to)),
            order: Order::Descending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        let rows = self.inner.store.range(range).await?;
        Ok(EventPage::decode(rows)?)
    }

    /// Returns a stamp that parts past from future: what was recorded is at or below it, what
    /// will be is above, after a restart too.
    ///
    /// Errors: those of the store.
    pub async fn instant(&self) -> Result<Hlc, ReadError> {
        let now = self.inner.clock.wall();
        let stamp = self.keep_passed(|state| Some(state.instant(now))).await?;
        Ok(stamp.expect("an instant can always be had"))
    }

    /// Returns whether nothing will be recorded below `at` any more, after a restart too.
    ///
    /// Errors: those of the store.
    pub async fn has_passed(&self, at: Hlc) -> Result<bool, ReadError> {
        if at <= self.lock().history.passed {
            return Ok(true);
        }
        let now = self.inner.clock.wall();
        let horizon = |state: &mut State| {
            // The next stamp is above the horizon, and the next event may be at it.
            let horizon = state.clock.horizon(now);
            (at <= horizon).then_some(horizon)
        };
        Ok(self.keep_passed(horizon).await?.is_some())
    }

    /// Writes that nothing will be recorded below a stamp, if there is one; returns it.
    async fn keep_passed(
        &self,
        stamp: impl FnOnce(&mut State) -> Option<Hlc>,
    ) -> Result<Option<Hlc>, ReadError> {
        let (done, wait) = oneshot::channel();
        let stamp = {
            let _order = self.in_order();
            let Some(stamp) = stamp(&mut self.lock()) else {
                return Ok(None);
            };
            let mut batch = Batch::default();
            let fact = stamp.0.to_be_bytes().to_vec();
            batch.put(Space::Meta, meta::PASSED.to_vec(), fact);
            let done = move |result| drop(done.send(result));
            self.inner
                .store
                .submit(batch, Durability::Disk, Box::new(done));
            stamp
        };
        wait.await.unwrap_or(Err(StoreError::Closed))?;
        let mut state = self.lock();
        state.history.passed = state.history.passed.max(stamp);
        Ok(Some(stamp))
    }

    /// Returns since when a table's history has no gap; `None` where it does not go back in time.
    pub fn unbroken(&self, table: TableId) -> Option<Hlc> {
        self.lock().history.unbroken.get(&table).copied()
    }

    /// Notes that a table's history begins or ends with its definition, which comes to be in
    /// force in the same turn of giving positions.
    pub(crate) fn note_history(&self, def: &TableDef) {
        let now = self.inner.clock.wall();
        let mut batch = Batch::default();
        {
            let mut state = self.lock();
            let is_known = state.history.unbroken.contains_key(&def.id);
            if def.history.rewinds && !is_known {
                let since = state.instant(now);
                state.history.unbroken.insert(def.id, since);
                let fact = since.0.to_be_bytes().to_vec();
                batch.put(Space::Meta, meta::unbroken(def.id), fact);
            } else if !def.history.rewinds && is_known {
                state.history.unbroken.remove(&def.id);
                batch.delete(Space::Meta, meta::unbroken(def.id));
            } else {
                return;
            }
        }
        // Whatever is recorded later goes to disk later, so that no gap hides behind the note.
        let ignore = |_: Result<(), StoreError>| ();
        self.inner
            .store
            .submit(batch, Durability::Buffered, Box::new(ignore));
    }

    /// Removes events that lie before the stamp that `floor` gives for their table.
    ///
    /// Errors: those of the store.
    pub async fn trim_history(
        &self,
        floor: &(dyn Fn(TableId) -> Hlc + Sync),
    ) -> Result<(), ReadError> {
        let mut after = None;
        while let Some(id) = next_number(&self.inner.store, Space::History, after).await? {
            let table = TableId(id);
            while self.trim_events(table, floor(table)).await? {}
            after = Some(id);
        }
        Ok(())
    }

    /// Removes some events of a table; returns whether there may be more to remove.
    async fn trim_events(&self, table: TableId, floor: Hlc) -> Result<bool, ReadError> {
        let page = self.inner.store.range(Range {
            space: Space::History,
            from: Bound::Included(table.0.to_be_bytes().to_vec()),
            to: Bound::Included(event_key(table, Place::before(floor))),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        });
        let page = page.await?;
        if page.rows.is_empty() {
            return Ok(false);
        }
        let mut batch = Batch::default();
        for (key, _) in page.rows {
            batch.delete(Space::History, key.to_vec());
        }
        if let Some(since) = self.lock().history.unbroken.get_mut(&table)
            && *since < floor
        {
            *since = floor;
            let fact = floor.0.to_be_bytes().to_vec();
            batch.put(Space::Meta, meta::unbroken(table), fact);
        }
        self.commit(batch, Durability::Buffered).await?;
        Ok(page.more)
    }

    /// Waits until everything that was handed in is on disk.
    pub(crate) async fn flushed(&self) -> Result<(), ReadError> {
        let (done, wait) = oneshot::channel();
        let done = move |result| drop(done.send(result));
        self.inner.store.flushed(Box::new(done));
        Ok(wait.await.unwrap_or(Err(StoreError::Closed))?)
    }
}

/// Returns the lowest number above `after` that keys of a namespace begin with.
pub(crate) async fn next_number<S: Store>(
    store: &S,
    space: Space,
    after: Option<u64>,
) -> Result<Option<u64>, ReadError> {
    let from = match after.map(u64::to_be_bytes) {
        None => Bound::Unbounded,
        Some(after) => match prefix_end(&after) {
            Bound::Excluded(next) => Bound::Included(next),
            Bound::Included(_) | Bound::Unbounded => return Ok(None),
        },
    };
    let rows = store.range(Range {
        space,
        from,
        to: Bound::Unbounded,
        order: Order::Ascending,
        rows_max: 1,
        bytes_max: usize::MAX,
    });
    let rows = rows.await?.rows;
    let first = rows.first().and_then(|(key, _)| key.first_chunk::<8>());
    Ok(first.map(|number| u64::from_be_bytes(*number)))
}

#[cfg(test)]
mod tests;
