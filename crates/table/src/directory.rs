//! What this region's data directory is to the other regions, and theirs to this one.
//!
//! It talks to nobody. Peers tell by it a restart from a lost directory, and an older copy of a
//! directory from the one that they know.
//!
//! ```text
//!   a fresh directory ── refused: another one was known ─► its log begins above that one's
//!         │ welcomed                                             │ welcomed
//!         ▼                                                      ▼
//!   known by its number; another one, or an older copy, is refused from here on
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::{Buf, BufMut, Bytes};
use tokio::sync::oneshot;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::time::WallTime;
use replica_core::link::Pause;
use replica_core::link::handshake::Directory;
use replica_core::vector::{Seq, VersionVector};
use store::port::{Batch, Durability, Space, Store, StoreError};

use crate::def::TableDef;
use crate::layout::meta;
use crate::limits::PAUSES_MAX;
use crate::remote::ApplyError;
use crate::state;
use crate::tables::{Damaged, OpenError, ReadError, Tables};

/// What is known of the directories, kept in the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Where our log begins, and when that was decided, where another directory was before.
    begins: Option<(Seq, WallTime)>,
    /// A peer has taken our log from this directory.
    welcomed: bool,
    /// The directories of the peers.
    met: BTreeMap<RegionId, u64>,
    /// Up to where other logs came in copies.
    skipped: VersionVector,
    /// Peers from which this directory gets what a lost one held.
    catching_up: BTreeSet<RegionId>,
    /// When this region gave no stamps.
    pauses: Arc<[Pause]>,
    /// Why nothing may be written any more.
    failure: Option<StoreError>,
}

impl Known {
    /// Reads what the store holds.
    pub(crate) async fn read<S: Store>(
        store: &S,
        members: &BTreeSet<RegionId>,
    ) -> Result<Self, OpenError> {
        if let Some(why) = store.get(Space::Meta, meta::STOPPED).await? {
            let why = String::from_utf8_lossy(&why).into_owned();
            return Err(OpenError::Stopped(why));
        }
        let mut known = Self::default();
        if let Some(mut fact) = store.get(Space::Meta, meta::BEGINS).await? {
            if fact.len() != 16 {
                return Err(Damaged("where the log begins").into());
            }
            let seq = Seq(fact.get_u64());
            known.begins = Some((seq, WallTime::from_micros(fact.get_i64())));
        }
        known.welcomed = store.get(Space::Meta, meta::WELCOMED).await?.is_some();
        for member in members {
            if let Some(mut fact) = store.get(Space::Meta, &meta::met(*member)).await? {
                let found = fact.try_get_u64();
                let found = found.map_err(|_| Damaged("a peer's directory"))?;
                known.met.insert(*member, found);
            }
            if let Some(mut fact) = store.get(Space::Meta, &meta::skipped(*member)).await? {
                let found = fact.try_get_u64();
                let found = found.map_err(|_| Damaged("up to where a log came in copies"))?;
                known.skipped.advance(*member, Seq(found));
            }
        }
        if let Some(fact) = store.get(Space::Meta, meta::PAUSES).await? {
            known.pauses = pauses(&fact)?;
        }
        Ok(known)
    }

    /// Notes that this region gives stamps above `until` from here on, and `after` last before.
    /// Whatever is written later reaches the disk after it.
    pub(crate) fn resume<S: Store>(&mut self, store: &S, after: Hlc, until: Hlc) {
        let mut pauses: Vec<Pause> = self.pauses.to_vec();
        // Nothing was written between this pause and the one before: they are one.
        pauses.retain(|pause| pause.after != after);
        pauses.push(Pause { after, until });
        let surplus = pauses.len().saturating_sub(PAUSES_MAX);
        pauses.drain(..surplus);
        let mut fact = Vec::with_capacity(16 * pauses.len());
        for pause in &pauses {
            fact.put_i64(pause.after.0);
            fact.put_i64(pause.until.0);
        }
        self.pauses = pauses.into();
        let mut batch = Batch::default();
        batch.put(Space::Meta, meta::PAUSES.to_vec(), fact);
        // Where it fails, so does every write after it.
        let ignore = |_: Result<(), StoreError>| ();
        store.submit(batch, Durability::Buffered, Box::new(ignore));
    }
}

impl<S: Store> Tables<S> {
    /// Returns this region's data directory, as peers know it.
    pub fn directory(&self) -> Directory {
        Directory {
            incarnation: self.incarnation(),
            begins: self.begins(),
        }
    }

    /// Returns when this directory took the place of a lost one, where it did: what is older than
    /// that was never written to it.
    pub fn replaced(&self) -> Option<WallTime> {
        self.known().begins.map(|(_, when)| when)
    }

    /// Returns the number of a peer's directory, where one was met.
    pub fn met(&self, peer: RegionId) -> Option<u64> {
        self.known().met.get(&peer).copied()
    }

    /// Keeps the number of a peer's directory. Returns once it is on disk.
    ///
    /// Errors: those of the store.
    pub async fn meet(&self, peer: RegionId, incarnation: u64) -> Result<(), StoreError> {
        if self.met(peer) == Some(incarnation) {
            return Ok(());
        }
        let mut batch = Batch::default();
        let number = incarnation.to_be_bytes().to_vec();
        batch.put(Space::Meta, meta::met(peer), number);
        self.commit(batch, Durability::Disk).await?;
        self.known().met.insert(peer, incarnation);
        Ok(())
    }

    /// Returns whether a peer has taken our log from this directory.
    pub fn is_welcomed(&self) -> bool {
        self.known().welcomed
    }

    /// Notes that a peer takes our log from this directory.
    pub fn note_welcome(&self) {
        if std::mem::replace(&mut self.known().welcomed, true) {
            return;
        }
        let mut batch = Batch::default();
        batch.put(Space::Meta, meta::WELCOMED.to_vec(), Bytes::new());
        // Lost with a crash, it is noted again with the next welcome.
        let ignore = |_: Result<(), StoreError>| ();
        self.inner
            .store
            .submit(batch, Durability::Buffered, Box::new(ignore));
    }

    /// Lets our log begin above `had`, up to where peers have the log of a lost directory whose
    /// place this one takes. What was written to this one already comes to peers in copies.
    ///
    /// Errors: those of the store.
    pub async fn begin_log_above(&self, had: Seq) -> Result<(), StoreError> {
        let region = self.region();
        let when = self.inner.clock.wall();
        let (done, wait) = oneshot::channel();
        let begins = {
            let _order = self.in_order();
            let mut state = self.lock();
            let begins = had.max(state.head).next_generation();
            state.head = begins;
            let hlc = state.note_staged(region, begins, None);
            drop(state);
            let mut batch = Batch::default();
            state::stage_position(&mut batch, region, begins, hlc);
            let mut fact = Vec::with_capacity(16);
            fact.put_u64(begins.0);
            fact.put_i64(when.as_micros());
            batch.put(Space::Meta, meta::BEGINS.to_vec(), fact);
            let inner = Arc::clone(&self.inner);
            let completion = move |result: Result<(), StoreError>| {
                if result.is_ok() {
                    let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.applied.advance(region, begins);
                    state.note_durable(region, begins, Hlc::default());
                }
                drop(done.send(result));
            };
            self.inner
                .store
                .submit(batch, Durability::Disk, Box::new(completion));
            begins
        };
        wait.await.unwrap_or(Err(StoreError::Closed))?;
        self.known().begins = Some((begins, when));
        self.inner.note_progress();
        Ok(())
    }

    /// Counts another origin's log as applied up to `to`: all that it says has come in copies.
    /// Returns once that is on disk.
    ///
    /// Errors: [`ApplyError`]; nothing is changed then.
    pub async fn skip(&self, origin: RegionId, to: Seq) -> Result<(), ApplyError> {
        let turn = self.inner.applying.get(&origin);
        let turn = turn.filter(|_| origin != self.region());
        let _turn = turn.ok_or(ApplyError::NoPeer(origin))?.lock().await;
        if to <= self.applied().at(origin) {
            return Ok(());
        }
        let (done, wait) = oneshot::channel();
        {
            let _order = self.in_order();
            let mut batch = Batch::default();
            {
                let mut state = self.lock();
                state.staged.advance(origin, to);
                // Of the records that it goes past no stamp is known.
                state.staged_hlc.remove(&origin);
                state::stage_position(&mut batch, origin, to, Hlc::default());
            }
            // What is here of the log before goes as all records do, when nobody needs it.
            let position = to.0.to_be_bytes().to_vec();
            batch.put(Space::Meta, meta::skipped(origin), position);
            self.known().skipped.advance(origin, to);
            let inner = Arc::clone(&self.inner);
            let completion = move |result: Result<(), StoreError>| {
                if result.is_ok() {
                    let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.applied.advance(origin, to);
                    state.durable_hlc.remove(&origin);
                    state.note_durable(origin, to, Hlc::default());
                    drop(state);
                    inner.note_progress();
                }
                drop(done.send(result));
            };
            self.inner
                .store
                .submit(batch, Durability::Disk, Box::new(completion));
        }
        Ok(wait.await.unwrap_or(Err(StoreError::Closed))?)
    }

    /// Notes whether what a lost directory held is coming from a peer.
    pub fn note_catching_up(&self, peer: RegionId, is: bool) {
        let mut known = self.known();
        if is {
            known.catching_up.insert(peer);
        } else {
            known.catching_up.remove(&peer);
        }
    }

    /// Refuses all writes of clients from here on, with this reason. The directory is not opened
    /// again: until peers had said it anew, it would acknowledge what they skip.
    ///
    /// Errors: those of the store; writes are refused all the same.
    pub async fn stop_writes(&self, why: &str) -> Result<(), StoreError> {
        let failure = StoreError::Failed(why.to_owned());
        self.known().failure.get_or_insert(failure);
        let mut batch = Batch::default();
        batch.put(Space::Meta, meta::STOPPED.to_vec(), why.to_owned());
        self.commit(batch, Durability::Disk).await
    }

    /// Returns the tables that both this region and a peer replicate.
    pub fn shared_with(&self, peer: RegionId) -> BTreeSet<TableId> {
        let own = self.region();
        let catalog = self.inner.catalog.read();
        let catalog = catalog.unwrap_or_else(PoisonError::into_inner);
        let both = catalog.values().filter(|def| {
            def.replicas.contains(&own) && (def.id.is_system() || def.replicas.contains(&peer))
        });
        both.map(|def| def.id).collect()
    }

    /// Returns whether what a lost directory held is still coming.
    pub(crate) fn is_catching_up(&self) -> bool {
        !self.known().catching_up.is_empty()
    }

    /// Returns the position up to which a log came in copies, or the one after which our own
    /// begins: records up to there may be missing, wherever the log was trimmed.
    pub(crate) fn begins_of(&self, origin: RegionId) -> Seq {
        if origin == self.region() {
            return self.begins();
        }
        self.known().skipped.at(origin)
    }

    /// Returns whether what a lost directory held of a table is still to come: the replica that
    /// is filled here was made before this directory took that one's place.
    ///
    /// Errors: those of the store.
    pub(crate) async fn is_refilled(&self, def: &TableDef) -> Result<bool, ReadError> {
        let Some(replaced) = self.replaced().filter(|_| def.filling) else {
            return Ok(false);
        };
        // Where it is not decided yet whose items these will be, nothing has come.
        let made = self.claimed_at(def.id).await?;
        Ok(made.is_none_or(|made| made < replaced.as_micros()))
    }

    /// Checks that clients may write.
    ///
    /// Errors: why they may not.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        self.known().failure.clone().map_or(Ok(()), Err)
    }

    /// Returns the position after which our log begins.
    pub(crate) fn begins(&self) -> Seq {
        self.known().begins.map_or(Seq(0), |(seq, _)| seq)
    }

    /// Returns when this region gave no stamps.
    pub(crate) fn pauses(&self) -> Arc<[Pause]> {
        Arc::clone(&self.known().pauses)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        let known = self.inner.known.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }
}

fn pauses(fact: &[u8]) -> Result<Arc<[Pause]>, Damaged> {
    let (each, rest) = fact.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(Damaged("when the region gave no stamps"));
    }
    let pause = |mut bytes: &[u8]| Pause {
        after: Hlc(bytes.get_i64()),
        until: Hlc(bytes.get_i64()),
    };
    Ok(each.iter().map(|bytes| pause(bytes)).collect())
}

#[cfg(test)]
mod tests;
