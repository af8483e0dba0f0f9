//! Backups of tables, and tables that are restored: what is asked for, and the work on it.
//!
//! It copies no item itself. What is asked for is an item like any resource, so a crash leaves it
//! to be gone on with; it counts as done only once everything of it is on disk.
//!
//! ```text
//! CreateBackup ─► Backup: Creating ─► work_on_copies ─► Available ─► DeleteBackup ─► its bytes go
//! Restore…     ─► Replica: Creating, restored from ─► work_on_copies ─► Active
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use base::name::TableId;
use clock::hlc::Hlc;
use store::port::Store;
use table::rewind::{BackupId, RewindError, Source};

use crate::control::{Control, ControlError};
use crate::exports::Export;
use crate::loads::Load;
use crate::resource::{Change, Resource};
use crate::system::SystemTable;
use crate::tables::indexes::{Expiry, Index};
use crate::tables::{
    Origin, Replica, ReplicaStatus, Table, TableDraft, TableError, TableView, Turn,
};

/// A backup of a table. What it holds is in its region alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// Its number.
    pub id: u64,
    /// Its region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub status: BackupStatus,
    /// When it was asked for, in microseconds since 1970.
    pub created: i64,
    /// The stamp as of which it holds the table's items, once that is decided.
    pub at: Option<i64>,
    /// The table's definition.
    pub table: Table,
    /// Its secondary indexes.
    pub indexes: Vec<Index>,
    /// Whether and by which attribute its items expire, where that was ever said.
    pub expiry: Option<Expiry>,
    /// When the table's replica was made, in microseconds since 1970.
    pub replica: i64,
    /// How many items it holds, once it is whole.
    pub items: i64,
    /// Their size.
    pub bytes: i64,
}

/// The state of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BackupStatus {
    /// It is being filled.
    Creating,
    /// It is whole.
    Available,
}

/// What a replica is, or was, restored from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The number of the table.
    pub table: u64,
    /// Its name.
    pub table_name: String,
    /// The number of the backup, where it is from one.
    pub backup: Option<u64>,
    /// What the backup is called by.
    pub backup_arn: Option<String>,
    /// The stamp as of which the items are.
    pub at: i64,
    /// Whether it has all of them. It is filled from other regions from then on, should it be lost.
    pub done: bool,
}

/// A copy that could not be worked on.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Items could not be copied.
    #[error(transparent)]
    Rewind(#[from] RewindError),
    /// What is known of it could not be changed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A table that cannot be restored could not be removed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Resource for Backup {
    const TABLE: SystemTable = SystemTable::Backups;

    fn partition(&self) -> String {
        self.region.clone()
    }

    fn sort(&self) -> String {
        format!("{BACKUP}{:016x}", self.id)
    }
}

/// What the sort keys of backups begin with.
pub(crate) const BACKUP: &str = "backup/";

impl<S: Store> Control<S> {
    /// Returns this region's backups.
    pub fn backups(&self) -> Vec<Backup> {
        self.list(self.project().region.as_str(), BACKUP)
    }

    /// Asks for a backup of a table as it is at this moment.
    ///
    /// Errors: those of the change.
    pub async fn create_backup(&self, view: &TableView, name: &str) -> Result<Backup, TableError> {
        let region = self.project().region.as_str();
        let missing = || TableError::NotFound(view.table.name.clone());
        let replica = view.replicas.get(region).ok_or_else(missing)?;
        let asked = Backup {
            id: self.entropy().random().max(1),
            region: region.to_owned(),
            name: name.to_owned(),
            status: BackupStatus::Creating,
            created: self.clock().wall().as_micros(),
            at: None,
            table: view.table.clone(),
            indexes: view.indexes.clone(),
            expiry: view.expiry.clone(),
            replica: replica.created,
            items: 0,
            bytes: 0,
        };
        self.change(vec![Change::create(&asked)]).await?;
        // The history goes back in time from here on, so this moment can be gone back to.
        Ok(self.decide_moment(&asked).await?)
    }

    /// Decides as of when a backup is, unless whoever works on it was faster.
    async fn decide_moment(&self, asked: &Backup) -> Result<Backup, ControlError> {
        let at = self.tables().instant().await?;
        let decided = Backup {
            at: Some(at.0),
            ..asked.clone()
        };
        match self.change(vec![Change::replace(asked, &decided)]).await {
            Ok(_) => Ok(decided),
            Err(error @ ControlError::Unexpected(_)) => {
                self.refresh().await?;
                let found = self.get::<Backup>(&asked.partition(), &asked.sort());
                found.filter(|found| found.at.is_some()).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes a backup, unless somebody has changed it since it was read.
    ///
    /// Errors: those of the change.
    pub async fn delete_backup(&self, backup: &Backup) -> Result<(), ControlError> {
        self.change(vec![Change::remove(backup)]).await?;
        Ok(())
    }

    /// Makes a table in this region, to be filled from another one's past or from a backup.
    ///
    /// Errors: [`TableError::Exists`] where the name is taken here.
    pub async fn restore_table(
        &self,
        turn: &Turn<'_>,
        mut draft: TableDraft,
        restore: Restore,
    ) -> Result<TableView, TableError> {
        for index in &mut draft.indexes {
            // It has entries of its own, and it is filled together with its table.
            index.index = self.index_number();
            index.with_table = true;
        }
        let restored: Origin<fn(&Table) -> Load> = Origin::Restored(restore);
        self.make_table(turn, draft, restored).await
    }

    /// Returns the tables whose items are being copied as of a moment, so that what undoes changes
    /// of them must be kept, each with the earliest such moment.
    pub fn copied_from(&self) -> Vec<(TableId, Option<Hlc>)> {
        let backups = self.backups().into_iter();
        let made = backups.filter(|backup| backup.status == BackupStatus::Creating);
        let made = made.map(|backup| (backup.table.id(), backup.at.map(Hlc)));
        let restored = self.restoring().into_iter().filter_map(|replica| {
            let restore = replica.restore.filter(|restore| restore.backup.is_none())?;
            Some((TableId(restore.table), Some(Hlc(restore.at))))
        });
        let exported = self.running_exports().into_iter();
        let exported = exported.map(|export| (export.table.id(), Some(Hlc(export.from))));
        made.chain(restored).chain(exported).collect()
    }

    /// Returns this region's replicas that are being restored.
    pub fn restoring(&self) -> Vec<Replica> {
        let own = self.project().region.as_str();
        let mut all = self.all::<Replica>();
        all.retain(|replica| replica.region == own && replica.is_being_restored());
        all
    }

    /// Works on all backups and restored tables that are asked for, and removes what deleted
    /// backups held.
    ///
    /// Errors: [`CopyError`]; what was not done is begun anew the next time.
    pub async fn work_on_copies(&self) -> Result<(), CopyError> {
        for backup in self.backups() {
            if self.is_lost_backup(&backup) {
                tracing::error!(backup = backup.name, "a backup was lost with its directory");
                self.delete_backup(&backup).await?;
            } else if backup.status == BackupStatus::Creating {
                self.fill_backup(&backup).await?;
            }
        }
        for replica in self.restoring() {
            self.fill_restored(&replica).await?;
        }
        // Read first: what is asked for from here on is not among it, and so is not dropped.
        let held = self.tables().backups().await.map_err(RewindError::from)?;
        let mut known: BTreeSet<u64> = self.backups().iter().map(|backup| backup.id).collect();
        known.extend(
            self.running_exports()
                .iter()
                .flat_map(Export::copies)
                .map(|id| id.0),
        );
        for backup in held.into_iter().filter(|held| !known.contains(&held.0)) {
            let dropped = self.tables().drop_backup(backup).await;
            dropped.map_err(RewindError::from)?;
        }
        Ok(())
    }

    async fn fill_backup(&self, asked: &Backup) -> Result<(), CopyError> {
        let mut asked = asked.clone();
        if asked.at.is_none() {
            asked = self.decide_moment(&asked).await?;
        }
        let table = asked.table.id();
        let at = Hlc(asked.at.unwrap_or_default());
        let filled = if self.is_held(table, asked.replica) {
            self.tables().back_up(table, at, BackupId(asked.id)).await
        } else {
            Err(RewindError::Unknown(table))
        };
        let whole = match filled {
            Ok(measure) => Backup {
                status: BackupStatus::Available,
                items: measure.items,
                bytes: measure.bytes,
                ..asked.clone()
            },
            Err(error @ RewindError::Unknown(_)) => {
                tracing::warn!(backup = asked.name, %error, "a backup cannot be made whole");
                self.delete_backup(&asked).await?;
                return Ok(());
            }
            Err(error @ (RewindError::Read(_) | RewindError::Future)) => return Err(error.into()),
        };
        // What it holds was handed in before, so it is on disk before this is.
        self.change(vec![Change::replace(&asked, &whole)]).await?;
        Ok(())
    }

    async fn fill_restored(&self, replica: &Replica) -> Result<(), CopyError> {
        let table = TableId(replica.table);
        let Some(restore) = &replica.restore else {
            return Ok(());
        };
        self.clear(replica).await?;
        let Some(def) = self.tables().table(table) else {
            return Ok(());
        };
        let restored = match restore.backup {
            Some(id) if self.backups().iter().any(|backup| backup.id == id) => {
                let source = Source::Backup(BackupId(id));
                self.tables().restore(source, &def).await
            }
            Some(_) => Err(RewindError::Unknown(TableId(restore.table))),
            None => {
                let source = Source::Table(TableId(restore.table), Hlc(restore.at));
                self.tables().restore(source, &def).await
            }
        };
        match restored {
            Ok(_) => Ok(self.mark_restored(replica).await?),
            Err(error @ RewindError::Unknown(_)) => {
                tracing::error!(%table, %error, "a table cannot be restored, and is removed");
                let views = self.table_views();
                let view = views.iter().find(|view| view.table.id() == table);
                if let Some(view) = view {
                    self.delete_replica(view, &self.project().region).await?;
                }
                Ok(())
            }
            Err(error @ (RewindError::Read(_) | RewindError::Future)) => Err(error.into()),
        }
    }

    /// Notes that a replica has all that it is restored from; it is somebody's to write to then.
    async fn mark_restored(&self, replica: &Replica) -> Result<(), ControlError> {
        let table = TableId(replica.table);
        let mut tries = 1;
        while let Some(own) = self.own_replica(table) {
            if own.created != replica.created {
                break;
            }
            let whole = Replica {
                status: ReplicaStatus::Active,
                restore: own.restore.clone().map(|restore| Restore {
                    done: true,
                    ..restore
                }),
                ..own.clone()
            };
            match self.change(vec![Change::replace(&own, &whole)]).await {
                // Somebody changed it between its being read and being written.
                Err(ControlError::Unexpected(_)) if tries < MARK_TRIES => self.refresh().await?,
                marked => return marked.map(drop),
            }
            tries += 1;
        }
        Ok(())
    }

    /// Returns whether a backup's bytes were in a directory that another one took the place of.
    fn is_lost_backup(&self, backup: &Backup) -> bool {
        let replaced = self.tables().replaced();
        replaced.is_some_and(|replaced| backup.created < replaced.as_micros())
    }

    /// Returns whether this region still holds the replica of a table that was made at `made`.
    fn is_held(&self, table: TableId, made: i64) -> bool {
        self.own_replica(table)
            .is_some_and(|own| own.created == made)
    }

    /// Works on copies as they are asked for, and trims histories now and then.
    pub(crate) async fn follow_copies(&self) {
        let mut generation = self.generation();
        let mut trim = tokio::time::interval(TRIM_PERIOD);
        loop {
            if let Err(error) = self.work_on_copies().await {
                tracing::error!(%error, "a backup or a restored table could not be worked on");
            }
            tokio::select! {
                changed = generation.changed() => if changed.is_err() {
                    return;
                },
                _ = trim.tick() => if let Err(error) = self.trim_history().await {
                    tracing::error!(%error, "the histories of tables could not be trimmed");
                },
            }
        }
    }
}

impl Replica {
    /// Returns whether it is being filled from a backup or another table's past.
    pub fn is_being_restored(&self) -> bool {
        let is_due = self.restore.as_ref().is_some_and(|restore| !restore.done);
        is_due && self.status == ReplicaStatus::Creating
    }
}

/// How often marking a replica as whole is tried. 8: each time somebody else was faster.
const MARK_TRIES: usize = 8;

/// How often histories are trimmed, and copies that failed are begun anew. 1 minute.
const TRIM_PERIOD: std::time::Duration = std::time::Duration::from_mins(1);

#[cfg(test)]
mod tests;
