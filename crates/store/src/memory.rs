//! A store in memory, with a model of what a crash takes.
//!
//! It is not durable. By itself it completes batches at once; held, it completes them only when
//! told to, so that a simulation decides what had reached the disk when the power went.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::port::{
    Batch, Completion, Durability, Op, Order, Range, Rowed, Rows, Space, Store, StoreError,
};

type Keys = BTreeMap<(Space, Vec<u8>), Bytes>;

/// A store in memory.
#[derive(Clone, Default)]
pub struct MemStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// What reads see.
    visible: Keys,
    /// What a crash leaves.
    durable: Keys,
    /// Operations that are visible but not durable.
    unsynced: Vec<Op>,
    /// What waits for the next step, while held.
    queue: VecDeque<Waiting>,
    /// How many batches were handed in.
    handed_in: u64,
    /// How many of them are visible.
    applied: u64,
    /// Whom to tell when that many batches are durable.
    flushed: VecDeque<(u64, Completion)>,
    held: bool,
    closed: bool,
    /// Writing failed: everything that is handed in fails.
    failed: bool,
    /// A planted fault, for the simulation to catch: see [`MemStore::plant_early_acknowledgement`].
    acknowledges_early: bool,
    /// A planted fault, for the simulation to catch: see [`MemStore::plant_forgotten_failure`].
    forgets_failures: bool,
}

struct Waiting {
    batch: Batch,
    durability: Durability,
    done: Completion,
}

impl MemStore {
    /// Makes an empty store that completes every batch at once, durably.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty store that completes nothing until [`MemStore::step`].
    pub fn held() -> Self {
        let store = Self::default();
        store.hold();
        store
    }

    /// Completes nothing from here on until [`MemStore::step`].
    pub fn hold(&self) {
        self.lock().held = true;
    }

    /// Completes what was handed in: up to `batches` batches, as one group commit.
    ///
    /// Returns how many were completed. Whatever waits for the disk gets it.
    pub fn step(&self, batches: usize) -> usize {
        let (taken, flushed) = {
            let mut inner = self.lock();
            let count = batches.min(inner.queue.len());
            let taken: Vec<Waiting> = inner.queue.drain(..count).collect();
            let mut sync = false;
            for waiting in &taken {
                inner.apply(&waiting.batch.ops);
                sync |= waiting.durability == Durability::Disk;
            }
            let flushed = if sync && !inner.acknowledges_early {
                inner.persist()
            } else {
                Vec::new()
            };
            (taken, flushed)
        };
        let count = taken.len();
        for waiting in taken {
            (waiting.done)(Ok(()));
        }
        tell(flushed);
        count
    }

    /// Writes what is visible to the disk, as the engine does by itself within a while.
    pub fn persist(&self) {
        let flushed = self.lock().persist();
        tell(flushed);
    }

    /// Returns how many batches wait for [`MemStore::step`].
    pub fn waiting(&self) -> usize {
        self.lock().queue.len()
    }

    /// Lets the disk fail while it writes the first `batches` that wait: they can be read, and are
    /// not on disk. All that waits fails, and so does all that is handed in from here on.
    pub fn fail(&self, batches: usize) {
        let (forgets, taken, unflushed) = {
            let mut inner = self.lock();
            let count = batches.min(inner.queue.len());
            let written = inner.queue.iter().take(count);
            let written: Vec<Batch> = written.map(|waiting| waiting.batch.clone()).collect();
            for batch in written {
                inner.apply(&batch.ops);
            }
            let forgets = inner.forgets_failures;
            if forgets {
                // What a disk failed to write once it does not write the next time.
                inner.unsynced.clear();
            }
            inner.failed = !forgets;
            let kept = if forgets { count } else { inner.queue.len() };
            let taken: Vec<Waiting> = inner.queue.drain(..kept).collect();
            let unflushed = std::mem::take(&mut inner.flushed);
            (forgets, taken, unflushed)
        };
        let told = || if forgets { Ok(()) } else { Err(failure()) };
        for waiting in taken {
            (waiting.done)(told());
        }
        for (_, done) in unflushed {
            done(told());
        }
    }

    /// Returns whether the disk has failed.
    pub fn has_failed(&self) -> bool {
        self.lock().failed
    }

    /// Plants the fault that a failed write counts as written, as where it is tried again.
    ///
    /// For simulations, which must catch it.
    pub fn plant_forgotten_failure(&self) {
        self.lock().forgets_failures = true;
    }

    /// Cuts the power: this store is closed, and the returned one holds what was on disk.
    #[must_use]
    pub fn crash(&self) -> Self {
        let (next, lost, unflushed) = {
            let mut inner = self.lock();
            inner.closed = true;
            let durable = std::mem::take(&mut inner.durable);
            let next = Inner {
                visible: durable.clone(),
                durable,
                held: inner.held,
                acknowledges_early: inner.acknowledges_early,
                forgets_failures: inner.forgets_failures,
                ..Inner::default()
            };
            (
                next,
                std::mem::take(&mut inner.queue),
                std::mem::take(&mut inner.flushed),
            )
        };
        for waiting in lost {
            (waiting.done)(Err(StoreError::Closed));
        }
        for (_, done) in unflushed {
            done(Err(StoreError::Closed));
        }
        Self {
            inner: Arc::new(Mutex::new(next)),
        }
    }

    /// Plants the fault that writes are acknowledged before they are on disk.
    ///
    /// For simulations, which must catch it.
    pub fn plant_early_acknowledgement(&self) {
        self.lock().acknowledges_early = true;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn apply(&mut self, ops: &[Op]) {
        apply(&mut self.visible, ops);
        self.unsynced.extend_from_slice(ops);
        self.applied += 1;
        debug_assert!(
            self.applied <= self.handed_in,
            "only what came takes effect"
        );
    }

    /// Returns whom to tell, once the lock is released.
    #[must_use]
    fn persist(&mut self) -> Vec<Completion> {
        let ops = std::mem::take(&mut self.unsynced);
        apply(&mut self.durable, &ops);
        // What came behind a batch that still waits in the queue is told later.
        let told = |(count, _): &(u64, Completion)| *count <= self.applied;
        let count = self
            .flushed
            .iter()
            .take_while(|flushed| told(flushed))
            .count();
        self.flushed.drain(..count).map(|(_, done)| done).collect()
    }
}

fn apply(keys: &mut Keys, ops: &[Op]) {
    for op in ops {
        match op {
            Op::Put(space, key, value) => {
                keys.insert((*space, key.clone()), value.clone());
            }
            Op::Delete(space, key) => {
                keys.remove(&(*space, key.clone()));
            }
        }
    }
}

/// What a store in memory held at one moment.
pub struct MemPast(Keys);

impl Rowed for MemPast {
    async fn range(&self, range: Range) -> Result<Rows, StoreError> {
        Ok(page(&self.0, &range))
    }
}

impl Store for MemStore {
    type Past = MemPast;

    fn past(&self) -> MemPast {
        MemPast(self.lock().visible.clone())
    }

    async fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let inner = self.lock();
        if inner.closed {
            return Err(StoreError::Closed);
        }
        Ok(inner.visible.get(&(space, key.to_vec())).cloned())
    }

    async fn range(&self, range: Range) -> Result<Rows, StoreError> {
        let inner = self.lock();
        if inner.closed {
            return Err(StoreError::Closed);
        }
        Ok(page(&inner.visible, &range))
    }

    fn submit(&self, batch: Batch, durability: Durability, done: Completion) {
        let mut inner = self.lock();
        if inner.closed {
            drop(inner);
            return done(Err(StoreError::Closed));
        }
        if inner.failed {
            drop(inner);
            return done(Err(failure()));
        }
        inner.handed_in += 1;
        if inner.held {
            inner.queue.push_back(Waiting {
                batch,
                durability,
                done,
            });
            return;
        }
        inner.apply(&batch.ops);
        let flushed = inner.persist();
        drop(inner);
        done(Ok(()));
        tell(flushed);
    }

    fn flushed(&self, done: Completion) {
        let mut inner = self.lock();
        let open = !inner.closed && !inner.failed;
        if open && (!inner.unsynced.is_empty() || !inner.queue.is_empty()) {
            let handed_in = inner.handed_in;
            inner.flushed.push_back((handed_in, done));
            return;
        }
        drop(inner);
        done(if open {
            Ok(())
        } else {
            Err(StoreError::Closed)
        });
    }
}

/// Reads rows of a range.
fn page(keys: &Keys, range: &Range) -> Rows {
    let mut page = Rows::default();
    let Some(bounds) = bounds(range) else {
        return page;
    };
    let found = keys.range(bounds);
    let rows: &mut dyn Iterator<Item = _> = match range.order {
        Order::Ascending => &mut found.into_iter(),
        Order::Descending => &mut found.rev(),
    };
    let mut bytes = 0;
    for ((_, key), value) in rows {
        if page.rows.len() >= range.rows_max || bytes >= range.bytes_max {
            page.more = true;
            break;
        }
        bytes += key.len() + value.len();
        page.rows.push((Bytes::copy_from_slice(key), value.clone()));
    }
    page
}

fn failure() -> StoreError {
    StoreError::Failed("the disk has failed".to_owned())
}

fn tell(flushed: Vec<Completion>) {
    for done in flushed {
        done(Ok(()));
    }
}

type KeyBounds = (Bound<(Space, Vec<u8>)>, Bound<(Space, Vec<u8>)>);

/// Returns the bounds within all spaces, `None` where the range is empty by its bounds.
fn bounds(range: &Range) -> Option<KeyBounds> {
    let space = range.space;
    let from = match &range.from {
        Bound::Included(key) => Bound::Included((space, key.clone())),
        Bound::Excluded(key) => Bound::Excluded((space, key.clone())),
        Bound::Unbounded => Bound::Included((space, Vec::new())),
    };
    let to = match &range.to {
        Bound::Included(key) => Bound::Included((space, key.clone())),
        Bound::Excluded(key) => Bound::Excluded((space, key.clone())),
        Bound::Unbounded => {
            let at = Space::ALL.iter().position(|other| *other == space)?;
            match Space::ALL.get(at + 1) {
                Some(next) => Bound::Excluded((*next, Vec::new())),
                None => Bound::Unbounded,
            }
        }
    };
    let empty = match (&from, &to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Included(to) | Bound::Excluded(to),
        ) => from >= to,
        (_, Bound::Unbounded) | (Bound::Unbounded, _) => false,
    };
    (!empty).then_some((from, to))
}

#[cfg(test)]
mod tests;
