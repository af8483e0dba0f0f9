//! What the cores of a link want done with tables, done: for the shell and for the simulation.
//!
//! It decides nothing, and logs nothing.

mod filling;

use std::collections::BTreeMap;

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use replica_core::frame::copy::CopyItems;
use replica_core::link::Local;
use replica_core::link::copies::{Arrived, Kept};
use replica_core::link::receive::ApplyFault;
use replica_core::link::send::{CopyRead, LogRead};
use replica_core::link::share::Part;
use replica_core::vector::{Seq, VersionVector};
use store::port::{Batch, Durability, Store};

use crate::log::LogError;
use crate::remote::ApplyError;
use crate::tables::{ReadError, Tables};

impl<S: Store> Tables<S> {
    /// Returns where this region stands. It promises that later writes are stamped above.
    pub fn local(&self) -> Local {
        let (head, horizon) = self.horizon();
        let (begins, pauses) = (self.begins(), self.pauses());
        let (met, copied) = (self.all_met(), self.copied());
        let stable = self.stable();
        let state = self.lock();
        // Under the lock: a debt is noted before the log that it is of counts as applied.
        let (owed, unpaid) = (self.owed(), self.unpaid());
        let mut applied = state.applied.clone();
        let own = self.region();
        if state.durable.at(own) < applied.at(own) {
            // Nobody is told of what a crash may still take.
            applied = VersionVector::default();
            for (origin, seq) in state.applied.iter() {
                let is_own = origin == own;
                applied.advance(origin, if is_own { state.durable.at(own) } else { seq });
            }
        }
        Local {
            applied,
            durable: state.durable.clone(),
            lasts: state.durable_hlc.clone(),
            head,
            begins,
            horizon,
            stable,
            pauses,
            met,
            copied,
            owed,
            unpaid,
        }
    }

    /// Reads the part of a log that `peer` may have.
    ///
    /// Errors: those of reading; it may be tried again.
    pub async fn log_for(
        &self,
        peer: RegionId,
        origin: RegionId,
        after: Seq,
        bytes_max: usize,
    ) -> Result<LogRead, ReadError> {
        let replicates = |table| self.is_replica(table, peer);
        match self.read_log(origin, after, bytes_max).await {
            Ok(page) => {
                let part = Part {
                    records: page.records,
                    to: page.to,
                };
                Ok(LogRead::Part(if origin == self.region() {
                    part.of_own(replicates)
                } else {
                    part.of_relayed(after, replicates)
                }))
            }
            Err(LogError::Trimmed { first, .. }) => Ok(LogRead::Trimmed { first }),
            Err(LogError::Read(error)) => Err(error),
        }
    }

    /// Reads a page of a table for `peer`, once its changes go into the peer's frames.
    ///
    /// Errors: those of reading; it may be tried again.
    pub async fn copy_for(
        &self,
        peer: RegionId,
        table: TableId,
        after: Option<Bytes>,
        (items, bytes_max): (CopyItems, usize),
    ) -> Result<CopyRead, ReadError> {
        let def = self.table(table);
        let Some(def) = def.filter(|def| def.replicas.contains(&peer)) else {
            return Ok(CopyRead::Later);
        };
        let only = match items {
            CopyItems::All if def.filling => return Ok(CopyRead::Later),
            CopyItems::All | CopyItems::Rest => None,
            CopyItems::OwnOnly => Some(self.region()),
        };
        // A part of a replica is of the replica that is, not of one that was before it here.
        if items != CopyItems::All && self.lock().clearing.contains(&table) {
            return Ok(CopyRead::Later);
        }
        // What a lost directory wrote is given again once it has come back.
        if only.is_some() && self.is_coming(&def).await? {
            return Ok(CopyRead::Later);
        }
        let page = self.copy_page(table, after.as_deref(), bytes_max, only);
        let page = page.await?;
        Ok(CopyRead::Page {
            items: page.items,
            next: page.next,
        })
    }

    /// Merges a page of a table that `source` gave. Returns whether it can be read, and is on disk
    /// no later than what is merged after it, and with the last one: a page for a replica whose
    /// items are not, or no longer, those that are held here is left out.
    ///
    /// How far a replica is filled is kept with the page.
    ///
    /// Errors: those of [`Tables::merge_copy`].
    pub async fn merge_page(
        &self,
        source: RegionId,
        table: TableId,
        page: Arrived,
    ) -> Result<bool, ReadError> {
        let turn = self.turn_of(table);
        // The replica may be removed, and another one made, while its last page is merged.
        let _turn = turn.read().await;
        let claimed = self.claimed_at(table).await?;
        let is_undecided = || {
            let filling = self.table(table).is_some_and(|def| def.filling);
            filling && claimed.is_none()
        };
        // Whoever claims the table for a replica that is filled removes what came before.
        let is_in_vain = match page.portion {
            Some(portion) => Some(portion.made) != claimed,
            None => is_undecided() || !self.is_replica(table, self.region()),
        };
        if is_in_vain {
            return Ok(false);
        }
        let mut batch = Batch::default();
        if let Some(portion) = page.portion {
            let after = page.next.clone();
            filling::stage(&mut batch, (table, source), &Kept { portion, after });
        }
        let durability = match page.next {
            Some(_) => Durability::Buffered,
            None => Durability::Disk,
        };
        let how = (batch, durability);
        self.merge_items(table, page.items, how).await?;
        Ok(true)
    }

    /// Returns how far replicas here are filled from `source`.
    ///
    /// Errors: those of the store.
    pub async fn kept(&self, source: RegionId) -> Result<BTreeMap<TableId, Kept>, ReadError> {
        filling::kept(&self.inner.store, source).await
    }
}

impl From<&ApplyError> for ApplyFault {
    fn from(error: &ApplyError) -> Self {
        match error {
            ApplyError::Gap { .. } => Self::Gap,
            ApplyError::TooFarAhead(too_far) => Self::TooFarAhead(too_far.ahead),
            ApplyError::NoPeer(_) | ApplyError::Damaged(_) | ApplyError::Store(_) => Self::Store,
        }
    }
}
