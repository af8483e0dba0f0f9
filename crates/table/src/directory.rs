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
//!
//! Each peer counts for itself: two regions that lose their directories at the same time take each
//! other for the first, and the third, which knows better, has not welcomed them.

mod debts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::{Buf, BufMut};
use tokio::sync::oneshot;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::time::WallTime;
use replica_core::link::handshake::Directory;
use replica_core::link::{Owed, Pause};
use replica_core::vector::{Seq, VersionVector};
use store::port::{Batch, Durability, Space, Store, StoreError};

use crate::def::TableDef;
use crate::layout::meta;
use crate::limits::PAUSES_MAX;
use crate::planted::Planted;
use crate::state;
use crate::tables::{Damaged, OpenError, ReadError, Tables};

/// What is known of the directories, kept in the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Where our log begins, and when that was decided, where another directory was before.
    begins: Option<(Seq, WallTime)>,
    /// The peers that have taken our log from this directory.
    welcomed: BTreeSet<RegionId>,
    /// The directories of the peers.
    met: BTreeMap<RegionId, u64>,
    /// Up to where other logs came in copies.
    skipped: VersionVector,
    /// The peers whose logs came in copies, however short they were.
    copied: BTreeSet<RegionId>,
    /// What these peers have still to give.
    owed: BTreeMap<RegionId, Owed>,
    /// While anything is owed, of the logs that it is of, up to where all is here.
    unpaid: BTreeMap<RegionId, Seq>,
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
        if let Some(fact) = store.get(Space::Meta, meta::WELCOMED).await? {
            known.welcomed = welcomed(&fact, members)?;
        }
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
                known.copied.insert(*member);
            }
            if let Some(fact) = store.get(Space::Meta, &meta::owed(*member)).await? {
                known.owed.insert(*member, debts::owed(&fact)?);
            }
            if let Some(mut fact) = store.get(Space::Meta, &meta::unpaid(*member)).await? {
                let found = fact.try_get_u64();
                let found = found.map_err(|_| Damaged("up to where a log is here whole"))?;
                known.unpaid.insert(*member, Seq(found));
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

    /// Returns whether `peer` has taken our log from this directory.
    pub fn is_welcomed_by(&self, peer: RegionId) -> bool {
        self.known().welcomed.contains(&peer)
    }

    /// Notes that `peer` takes our log from this directory.
    pub fn note_welcome(&self, peer: RegionId) {
        let _order = self.in_order();
        let mut known = self.known();
        if !known.welcomed.insert(peer) {
            return;
        }
        let fact: Vec<u8> = known
            .welcomed
            .iter()
            .flat_map(|by| by.0.to_be_bytes())
            .collect();
        drop(known);
        let mut batch = Batch::default();
        batch.put(Space::Meta, meta::WELCOMED.to_vec(), fact);
        // Lost with a crash, it is noted again with the next welcome.
        self.hand_in_unwatched(batch);
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

    /// Returns the number of each peer's directory that was met.
    pub(crate) fn all_met(&self) -> BTreeMap<RegionId, u64> {
        self.known().met.clone()
    }

    /// Returns the peers whose logs came in copies.
    pub(crate) fn copied(&self) -> BTreeSet<RegionId> {
        self.known().copied.clone()
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

    /// Returns whether what a lost directory held of a table is still to come, from any region that
    /// may hold some of it. It tells by what is on disk, so that neither a link that is down nor a
    /// restart lets what is here pass for the whole. What is owed does not count: its region has
    /// it from those that have given theirs.
    ///
    /// Errors: those of the store.
    pub(crate) async fn is_coming(&self, def: &TableDef) -> Result<bool, ReadError> {
        if self.lock().planted == Planted::PartForWhole {
            return Ok(false);
        }
        let is_holder = |region: &RegionId| {
            *region != self.region() && (def.id.is_system() || def.replicas.contains(region))
        };
        {
            let known = self.known();
            if known.begins.is_none() {
                return Ok(false);
            }
            let mut holders = self.members().iter().filter(|region| is_holder(region));
            if holders.any(|holder| !known.copied.contains(holder)) {
                return Ok(true);
            }
        }
        self.is_refilled(def).await
    }

    /// Returns whether what all regions share has come here whole, from one of them at least. Until
    /// then a part of it may be here, since copies come in pages.
    pub fn is_introduced(&self) -> bool {
        let begins_anew = {
            let known = self.known();
            known.begins.map(|_| known.copied.is_empty())
        };
        match begins_anew {
            Some(nothing_came) => !nothing_came,
            None => {
                let (own, applied) = (self.region(), self.applied());
                let mut others = self.members().iter().filter(|region| **region != own);
                others.clone().next().is_none() || others.any(|one| Seq(0) < applied.at(*one))
            }
        }
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
    async fn is_refilled(&self, def: &TableDef) -> Result<bool, ReadError> {
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

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        let known = self.inner.known.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads which peers have taken our log: region 2, of each; all of them where none is named.
fn welcomed(fact: &[u8], members: &BTreeSet<RegionId>) -> Result<BTreeSet<RegionId>, Damaged> {
    if fact.is_empty() {
        return Ok(members.clone());
    }
    let (each, rest) = fact.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Damaged("who has taken the log"));
    }
    let each = each.iter();
    Ok(each
        .map(|region| RegionId(u16::from_be_bytes(*region)))
        .collect())
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
