//! The tables of one region: opened from a store, shared by all that read and write them.
//!
//! It holds no items in memory; the store's cache does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::{Buf, Bytes};
use tokio::sync::{Notify, oneshot, watch};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, HybridClock};
use clock::port::{Clock, Entropy};
use item::key::Key;
use replica_core::digest::Digest;
use replica_core::vector::{Seq, VersionVector};
use store::port::{Batch, Durability, Order, Range, Rows, Space, Store, StoreError, prefix_end};

use crate::collection::Collections;
use crate::def::{IndexId, TableDef};
use crate::directory::Known;
use crate::history::History;
use crate::index::fact::Fact;
use crate::layout::{self, meta};
use crate::limits::{PROMISE_PERIOD, STEP_BYTES, STEP_ROWS};
use crate::locks::Locks;
use crate::pages::Pages;
use crate::planted::Planted;
use crate::state::{Promise, State};

/// The tables of one region. Cheap to clone; all clones are the same tables.
pub struct Tables<S> {
    pub(crate) inner: Arc<Inner<S>>,
}

pub(crate) struct Inner<S> {
    pub(crate) store: S,
    pub(crate) region: RegionId,
    pub(crate) members: BTreeSet<RegionId>,
    pub(crate) incarnation: u64,
    pub(crate) durability: Durability,
    pub(crate) known: Mutex<Known>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) locks: Locks,
    /// Held from giving a position until its batch is handed in, so that batches reach the store
    /// in the order of their positions. Taken before `state`, and never by a completion.
    pub(crate) order: Mutex<()>,
    pub(crate) state: Mutex<State>,
    /// Orders what is applied of one origin.
    pub(crate) applying: BTreeMap<RegionId, tokio::sync::Mutex<()>>,
    pub(crate) catalog: RwLock<BTreeMap<TableId, Arc<TableDef>>>,
    /// Tables whose items are being claimed or erased, which excludes that copies are merged.
    pub(crate) claims: Mutex<BTreeMap<TableId, Arc<tokio::sync::RwLock<()>>>>,
    /// Held by whoever builds indexes.
    pub(crate) indexing: tokio::sync::Mutex<()>,
    /// Tells that an index is to be built or removed.
    pub(crate) indexes_due: Notify,
    pub(crate) progress: watch::Sender<u64>,
    pub(crate) system_progress: watch::Sender<u64>,
}

/// What tables are opened with.
pub struct Options {
    /// The region whose tables these are.
    pub region: RegionId,
    /// All regions of the project, this one included.
    pub members: BTreeSet<RegionId>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where the store's identity comes from, when it is made.
    pub entropy: Arc<dyn Entropy>,
    /// When this region's own writes count as done. Other regions are told of them once they are
    /// on disk, in any case: a position that a crash took is given again.
    pub durability: Durability,
}

/// A store that does not hold this region's tables.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It holds another region's.
    #[error(
        "open the tables of region {asked}: this data directory belongs to region {found}; \
         give each region its own"
    )]
    OtherRegion {
        /// The region asked for.
        asked: RegionId,
        /// The region found.
        found: RegionId,
    },
    /// Other regions had told, before it was closed, that it is not what they know.
    #[error("open the tables: {0}")]
    Stopped(String),
    /// What is stored cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Bytes in the store that this build did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {0} from the store: its bytes are damaged, or a newer build wrote them")]
pub struct Damaged(pub &'static str);

/// A read that failed: of the store, or of what was in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::Store(error),
            ReadError::Damaged(error) => Self::Damaged(error),
        }
    }
}

impl<S> Clone for Tables<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<S: Store> Tables<S> {
    /// Opens the tables in `store`, whose first use makes it this region's.
    ///
    /// Errors: [`OpenError`]; nothing is changed then.
    pub async fn open(store: S, options: Options) -> Result<Self, OpenError> {
        let Options {
            region,
            members,
            clock,
            entropy,
            durability,
        } = options;
        let incarnation = identify(&store, region, entropy.as_ref()).await?;
        let mut state = read_state(&store, region).await?;
        let promised = read_promise(&store).await?;
        let mut last = promised.max(state.history.last());
        for member in &members {
            let Some(mut fact) = store.get(Space::Meta, &meta::applied(*member)).await? else {
                continue;
            };
            if fact.len() != 16 {
                return Err(Damaged("a log position").into());
            }
            let (seq, hlc) = (Seq(fact.get_u64()), Hlc(fact.get_i64()));
            state.applied.advance(*member, seq);
            state.note_durable(*member, seq, hlc);
            last = last.max(hlc);
        }
        state.head = state.applied.at(region);
        let until = last.max(Hlc(clock.wall().as_micros() - 1));
        let mut known = Known::read(&store, &members).await?;
        let after = state.durable_hlc.get(&region).copied().unwrap_or_default();
        known.resume(&store, after, until);
        state.clock = HybridClock::after(until);
        state.staged = state.applied.clone();
        state.staged_hlc = state.durable_hlc.clone();
        state.horizons.insert(region, (state.head, promised));
        let inner = Inner {
            store,
            region,
            incarnation,
            durability,
            known: Mutex::new(known),
            clock,
            locks: Locks::new(),
            order: Mutex::default(),
            state: Mutex::new(state),
            applying: members
                .iter()
                .map(|member| (*member, tokio::sync::Mutex::default()))
                .collect(),
            members,
            catalog: RwLock::default(),
            claims: Mutex::default(),
            indexing: tokio::sync::Mutex::default(),
            indexes_due: Notify::new(),
            progress: watch::Sender::new(0),
            system_progress: watch::Sender::new(0),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Returns the region whose tables these are.
    pub fn region(&self) -> RegionId {
        self.inner.region
    }

    /// Returns all regions of the project.
    pub fn members(&self) -> &BTreeSet<RegionId> {
        &self.inner.members
    }

    /// Returns the number that was drawn when the store was made.
    pub fn incarnation(&self) -> u64 {
        self.inner.incarnation
    }

    /// Makes a table known, or changes what is known of it.
    pub fn define(&self, def: TableDef) -> Arc<TableDef> {
        let def = Arc::new(def);
        // In order: a write is staged either by the old definition, and then handed in before
        // this returns, or by the new one.
        let _order = self.in_order();
        if def.replicas.contains(&self.inner.region) && !def.id.is_system() {
            let mut state = self.lock();
            state.dropped.remove(&def.id);
            let batch = state.follow_indexes(&def);
            drop(state);
            self.hand_in_indexes(batch);
        }
        if !def.id.is_system() {
            self.remit(def.id, &def.replicas);
        }
        self.note_history(&def);
        let mut catalog = self
            .inner
            .catalog
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        catalog.insert(def.id, Arc::clone(&def));
        // One that was being built before a restart goes on with its definition.
        self.inner.indexes_due.notify_one();
        def
    }

    /// Hands in how far indexes have come, and tells whoever builds them.
    pub(crate) fn hand_in_indexes(&self, batch: Batch) {
        if batch.ops.is_empty() {
            return;
        }
        // Nobody waits: it is on disk no later than whatever relies on it.
        self.hand_in_unwatched(batch);
        self.inner.indexes_due.notify_one();
    }

    /// Hands in what nobody waits for.
    pub(crate) fn hand_in_unwatched(&self, batch: Batch) {
        let ignore = |_: Result<(), StoreError>| ();
        self.inner
            .store
            .submit(batch, Durability::Buffered, Box::new(ignore));
    }

    /// Returns the definitions of all tables that are known here.
    pub(crate) fn defs(&self) -> Vec<Arc<TableDef>> {
        let catalog = self
            .inner
            .catalog
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        catalog.values().cloned().collect()
    }

    /// Returns a table's definition.
    pub fn table(&self, id: TableId) -> Option<Arc<TableDef>> {
        let catalog = self
            .inner
            .catalog
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        catalog.get(&id).cloned()
    }

    /// Returns whether `region` holds a replica of a table that is known here.
    pub fn is_replica(&self, table: TableId, region: RegionId) -> bool {
        table.is_system()
            || self
                .table(table)
                .is_some_and(|def| def.replicas.contains(&region))
    }

    /// Returns the sum over a table's items, and the positions as of which it holds.
    pub fn digest(&self, table: TableId) -> (Digest, VersionVector) {
        let state = self.lock();
        let mut sum = Digest::default();
        let buckets = state.digests.range((table, 0)..=(table, u16::MAX));
        buckets.for_each(|(_, digest)| sum.merge(*digest));
        (sum, state.staged.clone())
    }

    /// Returns what reads see here, of each origin.
    pub fn applied(&self) -> VersionVector {
        self.lock().applied.clone()
    }

    /// Returns what is on disk here, of each origin.
    pub fn durable(&self) -> VersionVector {
        self.lock().durable.clone()
    }

    /// Returns a watch that changes whenever [`Tables::applied`] or [`Tables::durable`] does.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.inner.progress.subscribe()
    }

    /// Returns a watch that changes whenever a system table does.
    pub fn system_progress(&self) -> watch::Receiver<u64> {
        self.inner.system_progress.subscribe()
    }

    /// Returns the keys of system tables that changed since the last call.
    ///
    /// A key that cannot be read is left out: no resource has it, and it must not hide the others.
    pub fn take_system_changes(&self) -> Vec<(TableId, Key)> {
        let changes = std::mem::take(&mut self.lock().system_changes);
        let decode = |(table, suffix): (TableId, Bytes)| {
            let key = layout::decode_suffix(&suffix).ok()?;
            Some((table, key))
        };
        changes.into_iter().filter_map(decode).collect()
    }

    /// Returns our log's head and the promise that every later write is stamped above.
    ///
    /// A promise is on disk before it is given, so that a restart keeps it wherever the wall
    /// clock stands by then: others have dropped tombstones below it.
    pub fn horizon(&self) -> (Seq, Hlc) {
        let now = self.inner.clock.wall();
        let due = {
            let mut state = self.lock();
            let next = state.clock.horizon(now);
            let head = state.head;
            if self.inner.members.len() == 1 {
                // Nobody relies on it.
                return (head, next);
            }
            state
                .promise
                .renew(next, PROMISE_PERIOD)
                .then_some((head, next))
        };
        if let Some((head, next)) = due {
            self.promise(head, next);
        }
        let state = self.lock();
        let own = state.horizons.get(&self.inner.region);
        (state.head, own.map(|(_, hlc)| *hlc).unwrap_or_default())
    }

    /// Writes a promise; it counts once it is on disk.
    fn promise(&self, head: Seq, hlc: Hlc) {
        let mut batch = Batch::default();
        batch.put(
            Space::Meta,
            meta::PROMISE.to_vec(),
            hlc.0.to_be_bytes().to_vec(),
        );
        let ignore = |_: Result<(), StoreError>| ();
        self.inner
            .store
            .submit(batch, Durability::Buffered, Box::new(ignore));
        let inner = Arc::clone(&self.inner);
        let flushed = move |result: Result<(), StoreError>| {
            // After a failure none is asked for again: the store takes no more writes.
            if result.is_ok() {
                let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.horizons.insert(inner.region, (head, hlc));
                state.promise.kept();
            }
        };
        self.inner.store.flushed(Box::new(flushed));
    }

    /// Says of which tables some region's replica is being filled.
    ///
    /// Their tombstones stay: a page that was read before a delete may be on its way to a replica
    /// that the delete itself was not sent to.
    pub fn note_filling(&self, tables: BTreeSet<TableId>) {
        self.lock().filling = tables;
    }

    /// Notes another origin's promise.
    pub fn note_horizon(&self, origin: RegionId, head: Seq, hlc: Hlc) {
        if origin != self.inner.region && self.inner.members.contains(&origin) {
            self.lock().horizons.insert(origin, (head, hlc));
        }
    }

    /// Returns the stamp up to which every origin is durably applied here.
    pub fn stable(&self) -> Hlc {
        let state = self.lock();
        // What is owed may hold deletes, which others must not forget before they have come. It is
        // asked under the lock: a debt is noted before the log that it is of counts as applied.
        if self.owes() {
            return Hlc::default();
        }
        let stable = self
            .inner
            .members
            .iter()
            .map(|member| state.stable_of(*member));
        stable.min().unwrap_or_default()
    }

    /// Starts a turn of giving positions and handing in their batch.
    pub(crate) fn in_order(&self) -> MutexGuard<'_, ()> {
        self.inner
            .order
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads some rows that start with `prefix`.
    pub(crate) async fn step(&self, space: Space, prefix: &[u8]) -> Result<Rows, StoreError> {
        let from = Bound::Included(prefix.to_vec());
        let range = Range {
            space,
            from,
            to: prefix_end(prefix),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        self.inner.store.range(range).await
    }

    /// Hands in a batch at once; what is returned waits until it counts as done.
    pub(crate) fn commit(
        &self,
        batch: Batch,
        durability: Durability,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<S> {
        let (done, wait) = oneshot::channel();
        let done = move |result| drop(done.send(result));
        self.inner.store.submit(batch, durability, Box::new(done));
        async move { wait.await.unwrap_or(Err(StoreError::Closed)) }
    }
}

impl<S> Inner<S> {
    pub(crate) fn note_progress(&self) {
        self.progress.send_modify(|count| *count += 1);
    }

    /// Notes changed keys of system tables; returns whether there were any.
    pub(crate) fn note_system_changes(
        state: &mut State,
        changes: impl Iterator<Item = (TableId, Bytes)>,
    ) -> bool {
        let before = state.system_changes.len();
        state
            .system_changes
            .extend(changes.filter(|(table, _)| table.is_system()));
        state.system_changes.len() > before
    }
}

/// Reads whose store this is, or makes it `region`'s. Returns its incarnation.
async fn identify<S: Store>(
    store: &S,
    region: RegionId,
    entropy: &dyn Entropy,
) -> Result<u64, OpenError> {
    let found = store.get(Space::Meta, meta::REGION).await?;
    let incarnation = store.get(Space::Meta, meta::INCARNATION).await?;
    match (found, incarnation) {
        (Some(mut found), Some(mut incarnation)) => {
            if found.len() != 2 || incarnation.len() != 8 {
                return Err(Damaged("the region's identity").into());
            }
            let found = RegionId(found.get_u16());
            if found != region {
                return Err(OpenError::OtherRegion {
                    asked: region,
                    found,
                });
            }
            Ok(incarnation.get_u64())
        }
        (None, None) => {
            let incarnation = entropy.random();
            let mut batch = Batch::default();
            batch.put(
                Space::Meta,
                meta::REGION.to_vec(),
                region.0.to_be_bytes().to_vec(),
            );
            let number = incarnation.to_be_bytes().to_vec();
            batch.put(Space::Meta, meta::INCARNATION.to_vec(), number);
            let (done, wait) = oneshot::channel();
            let done = move |result| drop(done.send(result));
            store.submit(batch, Durability::Disk, Box::new(done));
            wait.await.unwrap_or(Err(StoreError::Closed))?;
            Ok(incarnation)
        }
        (Some(_), None) | (None, Some(_)) => Err(Damaged("the region's identity").into()),
    }
}

async fn read_promise<S: Store>(store: &S) -> Result<Hlc, OpenError> {
    match store.get(Space::Meta, meta::PROMISE).await? {
        Some(mut fact) => Ok(Hlc(fact.try_get_i64().map_err(|_| Damaged("a promise"))?)),
        None => Ok(Hlc::default()),
    }
}

/// Reads what is known beside positions.
async fn read_state<S: Store>(store: &S, region: RegionId) -> Result<State, OpenError> {
    Ok(State {
        history: History::open(store, region).await?,
        clock: HybridClock::default(),
        head: Seq(0),
        applied: VersionVector::default(),
        durable: VersionVector::default(),
        durable_hlc: BTreeMap::new(),
        staged: VersionVector::default(),
        staged_hlc: BTreeMap::new(),
        horizons: BTreeMap::new(),
        promise: Promise::default(),
        digests: read_digests(store).await?,
        dropped: BTreeSet::new(),
        collections: Collections::default(),
        races: BTreeMap::new(),
        filling: BTreeSet::new(),
        clearing: BTreeSet::new(),
        indexes: read_facts(store).await?,
        unindexed: read_unindexed(store).await?,
        system_changes: BTreeSet::new(),
        planted: Planted::Nothing,
    })
}

async fn read_digests<S: Store>(store: &S) -> Result<BTreeMap<(TableId, u16), Digest>, OpenError> {
    let mut digests = BTreeMap::new();
    let mut pages = Pages::with_prefix(store, Space::Digests, &[]);
    while let Some(rows) = pages.next().await? {
        for (mut key, mut value) in rows {
            if key.len() != 10 || value.len() != 16 {
                return Err(Damaged("a digest").into());
            }
            let bucket = (TableId(key.get_u64()), key.get_u16());
            digests.insert(bucket, Digest(value.get_u128()));
        }
    }
    Ok(digests)
}

async fn read_facts<S: Store>(store: &S) -> Result<BTreeMap<(TableId, IndexId), Fact>, OpenError> {
    let mut facts = BTreeMap::new();
    for (name, value) in read_meta(store, meta::INDEX).await? {
        let mut id = name;
        if id.len() != 16 {
            return Err(Damaged("an index's number").into());
        }
        let id = (TableId(id.get_u64()), IndexId(id.get_u64()));
        facts.insert(id, Fact::decode(value)?);
    }
    Ok(facts)
}

async fn read_unindexed<S: Store>(store: &S) -> Result<BTreeSet<TableId>, OpenError> {
    let table = |(mut name, _): (Bytes, Bytes)| {
        let damaged = |_| Damaged("a table's mark");
        Ok(TableId(name.try_get_u64().map_err(damaged)?))
    };
    let marks = read_meta(store, meta::UNINDEXED).await?;
    marks.into_iter().map(table).collect()
}

/// Reads all facts whose names begin with `prefix`, by what follows it.
pub(crate) async fn read_meta<S: Store>(
    store: &S,
    prefix: &[u8],
) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
    let mut facts = Vec::new();
    let mut pages = Pages::with_prefix(store, Space::Meta, prefix);
    while let Some(rows) = pages.next().await? {
        let rows = rows.into_iter();
        facts.extend(rows.map(|(key, value)| (key.slice(prefix.len()..), value)));
    }
    Ok(facts)
}

#[cfg(test)]
mod tests;
