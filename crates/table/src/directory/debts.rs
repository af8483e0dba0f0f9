//! What peers have still to give in the place of records that were skipped.
//!
//! It asks nobody: links do, as long as something is owed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use bytes::{Buf, BufMut};
use tokio::sync::oneshot;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use replica_core::frame::copy::CopyItems;
use replica_core::link::Owed;
use replica_core::vector::Seq;
use store::port::{Batch, Durability, Space, Store, StoreError};

use crate::directory::Known;
use crate::layout::meta;
use crate::remote::ApplyError;
use crate::state;
use crate::tables::{Damaged, Tables};

impl<S: Store> Tables<S> {
    /// Counts another origin's log as applied up to `to`: all that it says has come in copies, but
    /// for what is owed. Returns once that is on disk.
    ///
    /// Errors: [`ApplyError`]; nothing is changed then.
    pub async fn skip(&self, origin: RegionId, to: Seq, owed: Owed) -> Result<(), ApplyError> {
        let turn = self.inner.applying.get(&origin);
        let turn = turn.filter(|_| origin != self.region());
        let _turn = turn.ok_or(ApplyError::NoPeer(origin))?.lock().await;
        // A log that is empty, or came by way of others meanwhile, counts as copied too.
        let applied = self.applied().at(origin);
        let goes_on = applied < to;
        if !goes_on && self.known().copied.contains(&origin) {
            return Ok(());
        }
        let (done, wait) = oneshot::channel();
        {
            let _order = self.in_order();
            let mut batch = Batch::default();
            if goes_on {
                let mut state = self.lock();
                state.staged.advance(origin, to);
                // Of the records that it goes past no stamp is known.
                state.staged_hlc.remove(&origin);
                state::stage_position(&mut batch, origin, to, Hlc::default());
            }
            // What is here of the log before goes as all records do, when nobody needs it.
            let position = to.0.to_be_bytes().to_vec();
            batch.put(Space::Meta, meta::skipped(origin), position);
            self.stage_debts(&mut batch, (origin, to, applied), owed);
            let inner = Arc::clone(&self.inner);
            let completion = move |result: Result<(), StoreError>| {
                if result.is_ok() {
                    let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
                    if goes_on {
                        state.applied.advance(origin, to);
                        state.durable_hlc.remove(&origin);
                        state.note_durable(origin, to, Hlc::default());
                    }
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

    /// Notes what is owed of a log that goes on at `to`, and was here whole up to `applied`.
    fn stage_debts(&self, batch: &mut Batch, log: (RegionId, Seq, Seq), owed: Owed) {
        let (origin, to, applied) = log;
        // Those who share a table by now: what became of it is noted before this, and never again.
        let sharers = |table: &TableId| {
            let table = *table;
            (!table.is_system()).then(|| (table, self.table(table).map(|def| def.replicas.clone())))
        };
        let sharers: Vec<_> = owed.keys().filter_map(sharers).collect();
        let mut known = self.known();
        known.skipped.advance(origin, to);
        known.copied.insert(origin);
        if !owed.is_empty() {
            let whole = known.unpaid.get(&origin).copied().unwrap_or(applied);
            known.unpaid.insert(origin, whole.min(applied));
            let fact = whole.min(applied).0.to_be_bytes().to_vec();
            batch.put(Space::Meta, meta::unpaid(origin), fact);
        }
        // What it owes in the place of another is not in what it says itself.
        let debts = known.owed.entry(origin).or_default();
        let redirected = std::mem::replace(debts, owed);
        for (table, items) in redirected {
            if items == CopyItems::All {
                debts.insert(table, items);
            }
        }
        let mut changed = BTreeSet::from([origin]);
        for (table, replicas) in sharers {
            changed.extend(known.redirect(self.region(), table, &replicas.unwrap_or_default()));
        }
        known.stage_owed(batch, &changed);
    }

    /// Notes that a peer has given what it owed of a table. Returns once that is on disk.
    ///
    /// Errors: [`ApplyError`]; where the store has failed, it is owed again after a restart.
    pub async fn repay(
        &self,
        origin: RegionId,
        table: TableId,
        items: CopyItems,
    ) -> Result<(), ApplyError> {
        let turn = self.inner.applying.get(&origin);
        let _turn = turn.ok_or(ApplyError::NoPeer(origin))?.lock().await;
        let wait = {
            // Whole facts are written: the last that was made is the last on disk.
            let _order = self.in_order();
            let mut batch = Batch::default();
            let mut known = self.known();
            let owed = known.owed.entry(origin).or_default();
            if owed.get(&table) != Some(&items) {
                return Ok(());
            }
            owed.remove(&table);
            known.stage_owed(&mut batch, &BTreeSet::from([origin]));
            drop(known);
            self.commit(batch, Durability::Disk)
        };
        wait.await?;
        self.inner.note_progress();
        Ok(())
    }

    /// Follows a table to the regions that share it from here on: what one owed of it that does
    /// not any more is owed by all others. None owes anything where it is not here any more. Its
    /// caller holds the order.
    pub(crate) fn remit(&self, table: TableId, replicas: &BTreeSet<RegionId>) {
        let mut batch = Batch::default();
        {
            let mut known = self.known();
            let changed = known.redirect(self.region(), table, replicas);
            if changed.is_empty() {
                return;
            }
            known.stage_owed(&mut batch, &changed);
        }
        // Lost with a crash, it is noted again when the definitions are known.
        self.hand_in_unwatched(batch);
        self.inner.note_progress();
    }

    /// Returns what peers have still to give.
    pub(crate) fn owed(&self) -> BTreeMap<RegionId, Owed> {
        self.known().owed.clone()
    }

    /// Returns up to where the logs are here whole of which something is owed.
    pub(crate) fn unpaid(&self) -> BTreeMap<RegionId, Seq> {
        self.known().unpaid.clone()
    }

    /// Returns whether a peer has still to give something.
    pub(crate) fn owes(&self) -> bool {
        self.known().owes()
    }
}

impl Known {
    fn owes(&self) -> bool {
        self.owed.values().any(|owed| !owed.is_empty())
    }

    /// Lets the others owe what a region owes of a table that it has no replica of any more: any of
    /// them may be the only one that holds what it wrote. Returns whose debts have changed.
    fn redirect(
        &mut self,
        own: RegionId,
        table: TableId,
        replicas: &BTreeSet<RegionId>,
    ) -> BTreeSet<RegionId> {
        let is_ours = replicas.contains(&own);
        let mut changed = BTreeSet::new();
        for (origin, owed) in &mut self.owed {
            if !(is_ours && replicas.contains(origin)) && owed.remove(&table).is_some() {
                changed.insert(*origin);
            }
        }
        if is_ours && !changed.is_empty() {
            for holder in replicas.iter().filter(|holder| **holder != own) {
                let owed = self.owed.entry(*holder).or_default();
                owed.insert(table, CopyItems::All);
                changed.insert(*holder);
            }
        }
        changed
    }

    /// Adds what some peers have still to give to a batch: table 8 · items 1, of each.
    fn stage_owed(&mut self, batch: &mut Batch, origins: &BTreeSet<RegionId>) {
        for origin in origins {
            let owed = self.owed.get(origin).filter(|owed| !owed.is_empty());
            let Some(owed) = owed else {
                batch.delete(Space::Meta, meta::owed(*origin));
                continue;
            };
            let mut fact = Vec::with_capacity(9 * owed.len());
            for (table, items) in owed {
                fact.put_u64(table.0);
                fact.put_u8(items.code());
            }
            batch.put(Space::Meta, meta::owed(*origin), fact);
        }
        if !self.owes() {
            for origin in std::mem::take(&mut self.unpaid).into_keys() {
                batch.delete(Space::Meta, meta::unpaid(origin));
            }
        }
    }
}

/// Reads what a peer has still to give.
pub(super) fn owed(fact: &[u8]) -> Result<Owed, Damaged> {
    let (each, rest) = fact.as_chunks::<9>();
    let one = |mut bytes: &[u8]| {
        let table = TableId(bytes.get_u64());
        let items = CopyItems::from_code(bytes.get_u8());
        let items = items.ok_or(Damaged("what a peer has still to give"))?;
        Ok((table, items))
    };
    if !rest.is_empty() {
        return Err(Damaged("what a peer has still to give"));
    }
    each.iter().map(|bytes| one(bytes)).collect()
}
