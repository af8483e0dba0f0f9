//! Exports of tables: what is asked for, and what became of it.
//!
//! It writes no file: whoever knows the formats does.

use serde::{Deserialize, Serialize};

use store::port::Store;
use table::rewind::BackupId;

use crate::control::{Control, ControlError};
use crate::resource::{Change, Resource};
use crate::system::SystemTable;
use crate::tables::Table;

/// An export of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// Its number.
    pub id: u64,
    /// Its region.
    pub region: String,
    /// Its state.
    pub status: ExportStatus,
    /// What went wrong, where something did.
    pub failure: Option<String>,
    /// When it was asked for, in microseconds since 1970.
    pub created: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// The table's definition.
    pub table: Table,
    /// The stamp from which on changes are told; that of the items where all are.
    pub from: i64,
    /// The stamp as of which items are told.
    pub to: i64,
    /// Whether only changes are told.
    pub incremental: bool,
    /// How many items or changes it has, once it is whole.
    pub items: u64,
    /// Their size.
    pub bytes: u64,
    /// What its facade keeps with it: bucket, format, token.
    pub settings: serde_json::Value,
}

/// The state of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportStatus {
    /// It is being written.
    InProgress,
    /// It is whole.
    Completed,
    /// It cannot be written.
    Failed,
}

impl Resource for Export {
    const TABLE: SystemTable = SystemTable::Backups;

    fn partition(&self) -> String {
        self.region.clone()
    }

    fn sort(&self) -> String {
        format!("{EXPORT}{:016x}", self.id)
    }
}

/// What the sort keys of exports begin with.
pub(crate) const EXPORT: &str = "export/";

impl Export {
    /// Returns where the items as of its end, and those that changed, are while it is written.
    pub fn copies(&self) -> [BackupId; 2] {
        [BackupId(self.id), BackupId(self.id ^ 1)]
    }
}

impl<S: Store> Control<S> {
    /// Returns this region's exports.
    pub fn exports(&self) -> Vec<Export> {
        self.list(self.project().region.as_str(), EXPORT)
    }

    /// Returns this region's exports that are being written.
    pub fn running_exports(&self) -> Vec<Export> {
        let mut exports = self.exports();
        exports.retain(|export| export.status == ExportStatus::InProgress);
        exports
    }

    /// Asks for an export, unless that was asked for before: returns the export that `is_same`
    /// knows then.
    ///
    /// Errors: those of the change.
    pub async fn create_export(
        &self,
        export: &Export,
        is_same: impl Fn(&Export) -> bool + Send + Sync,
    ) -> Result<Option<Export>, ControlError> {
        let _turn = self.defining().lock().await;
        if let Some(known) = self.exports().into_iter().find(&is_same) {
            return Ok(Some(known));
        }
        self.change(vec![Change::create(export)]).await?;
        Ok(None)
    }

    /// Notes what became of an export, unless somebody has changed it since it was read.
    ///
    /// Errors: those of the change.
    pub async fn change_export(&self, old: &Export, new: &Export) -> Result<(), ControlError> {
        self.change(vec![Change::replace(old, new)]).await?;
        Ok(())
    }
}
