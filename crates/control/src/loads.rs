//! Items loaded from buckets, into tables that are made for them or into tables that there are.
//!
//! It reads no file: whoever knows the formats does. How far a load has come is an item of its own,
//! which is written together with the items that were loaded, so that a crash leaves it to be gone
//! on with.
//!
//! ```text
//! ImportTable ──► Load + Replica: Creating ──► Progress … ──► Load: Completed, Replica: Active
//! StartBulkPutItems ──► Load ──► Progress with each batch … ──► Load: Completed
//! ```

use serde::{Deserialize, Serialize};
use serde_json::Value;

use base::name::TableId;
use store::port::Store;
use table::write::{Write, WriteError};

use crate::control::{Control, ControlError};
use crate::resource::{self, Change, Expect, Resource, ResourceKey};
use crate::system::SystemTable;
use crate::tables::{Origin, Replica, ReplicaStatus, Table, TableDraft, TableError, Turn};

/// A load of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Its number.
    pub id: u64,
    /// Its region.
    pub region: String,
    /// Whether its table is made for it.
    pub kind: LoadKind,
    /// Its state.
    pub status: LoadStatus,
    /// What went wrong, where something did; known before the load has ended.
    pub failure: Option<Failure>,
    /// When it was asked for, in microseconds since 1970.
    pub created: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// The table's definition.
    pub table: Table,
    /// What its facade keeps with it: bucket, format, token.
    pub settings: Value,
}

/// Where a load's items go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LoadKind {
    /// Into a table that is made for it, and nobody else's until it has ended.
    Import,
    /// Into a table that others write to.
    Puts,
}

/// The state of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LoadStatus {
    /// It is being worked on.
    InProgress,
    /// It is to be ended before it is through.
    Cancelling,
    /// It is through.
    Completed,
    /// It is through, and some items could not be loaded.
    CompletedWithErrors,
    /// It was ended before it was through.
    Cancelled,
    /// It cannot be done, or some items could not be.
    Failed,
}

/// Why a load failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In one word.
    pub code: String,
    /// In many.
    pub message: String,
}

/// How far a load has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The load's number.
    pub id: u64,
    /// The load's region.
    pub region: String,
    /// When it was begun, in microseconds since 1970.
    pub since: i64,
    /// The key of the object that was read last.
    pub object: String,
    /// Whether that object is done.
    pub is_done: bool,
    /// How many of its records are done.
    pub records: u64,
    /// How many bytes of all objects are done, unpacked.
    pub bytes: u64,
    /// How many bytes the objects that are done have as they are.
    pub packed: u64,
    /// How many bytes all objects have as they are, once they were counted.
    pub total: Option<u64>,
    /// How many items were written.
    pub written: u64,
    /// How many records were no items, or none of the table's.
    pub failed: u64,
    /// How many items were not written because their condition did not hold.
    pub refused: u64,
    /// How many bytes its reports have.
    pub reported: [u64; 2],
}

impl LoadStatus {
    /// Returns whether there is work to do.
    pub const fn is_running(self) -> bool {
        match self {
            Self::InProgress | Self::Cancelling => true,
            Self::Completed | Self::CompletedWithErrors | Self::Cancelled | Self::Failed => false,
        }
    }
}

impl Resource for Load {
    const TABLE: SystemTable = SystemTable::Backups;

    fn partition(&self) -> String {
        self.region.clone()
    }

    fn sort(&self) -> String {
        format!("{LOAD}{:016x}", self.id)
    }
}

impl Resource for Progress {
    const TABLE: SystemTable = SystemTable::Backups;

    fn partition(&self) -> String {
        self.region.clone()
    }

    fn sort(&self) -> String {
        format!("{PROGRESS}{:016x}", self.id)
    }
}

impl Progress {
    /// Returns whether a key is that of some load's progress. Nothing follows from it, and it
    /// changes with each batch: nobody is told.
    pub(crate) fn has_key(key: &ResourceKey) -> bool {
        key.table == Self::TABLE && key.sort.starts_with(PROGRESS)
    }
}

pub(crate) const LOAD: &str = "load/";
pub(crate) const PROGRESS: &str = "progress/";

impl<S: Store> Control<S> {
    /// Returns this region's loads.
    pub fn loads(&self) -> Vec<Load> {
        self.list(self.project().region.as_str(), LOAD)
    }

    /// Returns this region's loads that are to be worked on, the oldest first.
    pub fn running_loads(&self) -> Vec<Load> {
        let mut loads = self.loads();
        loads.retain(|load| load.status.is_running());
        loads.sort_by_key(|load| (load.created, load.id));
        loads
    }

    /// Returns how far a load has come, where it was begun.
    pub fn load_progress(&self, load: &Load) -> Option<Progress> {
        self.get(&load.region, &format!("{PROGRESS}{:016x}", load.id))
    }

    /// Returns a load as it is.
    pub fn load(&self, id: u64) -> Option<Load> {
        let region = self.project().region.as_str();
        self.get(region, &format!("{LOAD}{id:016x}"))
    }

    /// Asks for a load into a table that there is, unless that was asked for before: returns the
    /// load that `is_same` knows then.
    ///
    /// Errors: those of the change.
    pub async fn create_load(
        &self,
        load: &Load,
        is_same: impl Fn(&Load) -> bool + Send + Sync,
    ) -> Result<Option<Load>, ControlError> {
        let _turn = self.defining().lock().await;
        if let Some(known) = self.loads().into_iter().find(&is_same) {
            return Ok(Some(known));
        }
        self.change(vec![Change::create(load)]).await?;
        Ok(None)
    }

    /// Makes a table in this region, to be filled by a load, unless that was asked for before:
    /// returns the load that `is_same` knows then.
    ///
    /// Errors: [`TableError::Exists`] where the name is taken here.
    pub async fn import_table(
        &self,
        turn: &Turn<'_>,
        draft: TableDraft,
        is_same: impl Fn(&Load) -> bool + Send + Sync,
        load: impl FnOnce(&Table) -> Load + Send,
    ) -> Result<Option<Load>, TableError> {
        if let Some(known) = self.loads().into_iter().find(&is_same) {
            return Ok(Some(known));
        }
        self.make_table(turn, draft, Origin::Imported(load)).await?;
        Ok(None)
    }

    /// Makes a table that is imported ready to be written to: what a replica before it left is
    /// removed. Returns how far the load has come in this directory.
    ///
    /// Errors: those of the store.
    pub async fn begin_load(&self, load: &Load) -> Result<Progress, ControlError> {
        let table = TableId(load.table.id);
        let own = self.own_replica(table);
        if let Some(own) = own.filter(|own| own.imported == Some(load.id)) {
            self.clear(&own).await?;
        }
        let replaced = self.tables().replaced();
        let is_lost = |known: &Progress| {
            let is_import = load.kind == LoadKind::Import;
            is_import && replaced.is_some_and(|replaced| known.since < replaced.as_micros())
        };
        if let Some(known) = self.load_progress(load).filter(|known| !is_lost(known)) {
            return Ok(known);
        }
        let progress = Progress {
            id: load.id,
            region: load.region.clone(),
            since: self.clock().wall().as_micros(),
            ..Progress::default()
        };
        self.change(vec![Change::put(&progress)]).await?;
        Ok(progress)
    }

    /// Writes items that refuse nothing and notes how far their load has come, all of it or
    /// nothing. `to` is asked once all of them are decided.
    ///
    /// Errors: [`ControlError::Unexpected`] where somebody else works on it too, and those of the
    /// tables.
    pub async fn advance_load(
        &self,
        from: &Progress,
        mut writes: Vec<Write>,
        to: impl FnOnce() -> Progress + Send + Sync + 'static,
    ) -> Result<(), ControlError> {
        let key = resource::key_of(from);
        let expect = Expect::Body(resource::body_of(from));
        let body = move || Some(resource::body_of(&to()));
        writes.push(self.write_later(key.clone(), expect, body));
        let written = self.tables().transact(writes).await;
        written.map_err(|error| match error {
            WriteError::Refused(_) => ControlError::Unexpected(key),
            error @ (WriteError::SameItem
            | WriteError::TooMany
            | WriteError::Damaged(_)
            | WriteError::Store(_)) => ControlError::Write(error),
        })?;
        self.publish().await
    }

    /// Notes what becomes of a load, unless somebody has changed it since it was read.
    ///
    /// Errors: those of the change.
    pub async fn change_load(&self, old: &Load, new: &Load) -> Result<(), ControlError> {
        self.change(vec![Change::replace(old, new)]).await?;
        Ok(())
    }

    /// Ends a load, and hands its table out where it was made for it.
    ///
    /// Errors: those of the change.
    pub async fn end_load(&self, old: &Load, new: &Load) -> Result<(), ControlError> {
        let mut tries = 1;
        loop {
            let mut changes = vec![Change::replace(old, new)];
            let own = self.own_replica(TableId(old.table.id));
            if let Some(own) = own.filter(|own| own.imported == Some(old.id)) {
                let whole = Replica {
                    status: ReplicaStatus::Active,
                    imported: None,
                    ..own.clone()
                };
                changes.push(Change::replace(&own, &whole));
            }
            match self.change(changes).await {
                // Somebody changed the replica between its being read and being written.
                Err(ControlError::Unexpected(_)) if tries < END_TRIES => self.refresh().await?,
                ended => return ended.map(drop),
            }
            tries += 1;
        }
    }

    /// Removes the table that was made for a load, which was not filled.
    ///
    /// Errors: those of the change.
    pub async fn remove_imported(&self, load: &Load) -> Result<(), TableError> {
        let own = &self.project().region;
        for view in self.table_views() {
            let replica = view.replicas.get(own.as_str());
            if replica.is_some_and(|replica| replica.imported == Some(load.id)) {
                self.delete_replica(&view, own).await?;
            }
        }
        Ok(())
    }
}

/// How often ending a load is tried. 8: each time somebody else was faster.
const END_TRIES: usize = 8;

#[cfg(test)]
mod tests;
