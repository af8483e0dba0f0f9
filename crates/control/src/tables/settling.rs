//! Whose items this region's store holds: replicas that are gone, made anew, or lost.
//!
//! It decides on no replica; [`crate::holdings`] is the list that is worked off.

use base::name::TableId;
use clock::time::WallTime;
use store::port::Store;
use table::tables::ReadError;

use crate::control::{Control, ControlError};
use crate::tables::{Replica, ReplicaStatus};

impl<S: Store> Control<S> {
    /// Removes what replicas hold that are no more, as they come to be so.
    pub(crate) async fn follow_replicas(&self) {
        loop {
            if let Err(error) = self.settle().await {
                tracing::error!(%error, "a removed replica's items could not all be removed");
            }
            if let Err(error) = self.remove_left_behind().await {
                tracing::error!(%error, "a definition that is nobody's could not be removed");
            }
            self.holdings().changed().await;
        }
    }

    /// Removes what replicas hold that are no more; then those made anew can be filled.
    ///
    /// Errors: those of the store; what is left is noted for the next time.
    pub async fn settle(&self) -> Result<(), ControlError> {
        while let Some(table) = self.holdings().next() {
            let settled = self.settle_one(table).await;
            if settled.is_err() {
                self.holdings().again(table);
                return settled;
            }
        }
        Ok(())
    }

    /// Removes what other replicas left in the place of this region's own, before items are put
    /// there. Whoever removes it already is waited for: what is put there may not go with it.
    ///
    /// Errors: those of the store; calling it again goes on where it stopped.
    pub(crate) async fn clear(&self, own: &Replica) -> Result<(), ControlError> {
        let table = TableId(own.table);
        if !self.holdings().has(table, own.created) {
            self.settle().await?;
            self.tables().claim(table, own.created).await?;
        }
        Ok(())
    }

    /// Settles replicas to be filled where there is nothing to remove, so that filling can begin
    /// at once.
    pub(crate) async fn settle_empty(&self) -> Result<(), ReadError> {
        for table in self.holdings().due() {
            let own = self.own_replica(table);
            let filling = own.filter(|own| own.status == ReplicaStatus::Creating);
            if let Some(own) = filling
                && self.tables().is_empty(table).await?
            {
                self.tables().claim(table, own.created).await?;
                self.settled(table, own.created).await;
            }
        }
        Ok(())
    }

    /// Tells the data plane of which tables the store may hold what another replica left.
    pub(crate) fn note_clearing(&self) {
        let own = self.project().region.as_str();
        let replicas = self.all::<Replica>().into_iter();
        let own = replicas.filter(|replica| replica.region == own);
        let holds = |own: &Replica| self.holdings().has(TableId(own.table), own.created);
        let clearing = own.filter(|own| !holds(own));
        self.tables()
            .note_clearing(clearing.map(|own| TableId(own.table)).collect());
    }

    async fn settle_one(&self, table: TableId) -> Result<(), ControlError> {
        let Some(replica) = self.own_replica(table) else {
            return Ok(self.tables().erase(table).await?);
        };
        match replica.status {
            ReplicaStatus::Creating => self.tables().claim(table, replica.created).await?,
            // It was in a directory that is lost, and is to be filled from the others.
            ReplicaStatus::Active if self.is_lost(&replica) => {
                let creating = ReplicaStatus::Creating;
                self.mark(table, replica.created, (creating, None)).await?;
                self.tables().claim(table, replica.created).await?;
            }
            // It was made here with its table, so that there was none before it.
            ReplicaStatus::Active => self.tables().adopt(table, replica.created).await?,
        }
        self.settled(table, replica.created).await;
        Ok(())
    }

    /// Returns whether this region's replica was whole in a directory that is lost.
    pub(super) fn is_lost(&self, replica: &Replica) -> bool {
        let older = |replaced: WallTime| replica.created < replaced.as_micros();
        replica.status == ReplicaStatus::Active
            && self.tables().replaced().is_some_and(older)
            && !self.holdings().has(TableId(replica.table), replica.created)
    }
}
