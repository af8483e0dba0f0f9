//! What is kept of tables' changes: for streams, for going back in time, for backups.
//!
//! It keeps nothing itself. A facade's settings are its own matter but for the members read here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use base::name::TableId;
use clock::hlc::Hlc;
use store::port::Store;
use table::def::{HistoryDef, Images, Resolver};
use table::limits::TRANSACTION_ITEMS_MAX;

use crate::control::{Control, ControlError};
use crate::resource::{Change, Resource};
use crate::settings;
use crate::system::SystemTable;
use crate::tables::{Replica, Table};

/// What is left of a replica that was deleted: its streams can be read for a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remains {
    /// The region.
    pub region: String,
    /// The table's definition as it last was.
    pub table: Table,
    /// When the replica was made, in microseconds since 1970.
    pub created: i64,
    /// When it was deleted.
    pub ended: i64,
    /// The policies of its streams, as its facade kept them with the replica.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub stream_policies: Value,
}

impl Resource for Remains {
    const TABLE: SystemTable = SystemTable::Backups;

    fn partition(&self) -> String {
        self.region.clone()
    }

    fn sort(&self) -> String {
        format!("{REMAINS}{:016x}/{}", self.table.id, self.created)
    }
}

/// What the sort keys of remains begin with.
pub(crate) const REMAINS: &str = "remains/";

/// What of a table's settings says what its stream tells.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shared {
    stream: Option<String>,
    stream_label: Option<String>,
    resolver: Option<String>,
}

/// Returns what becomes of a table's writes that raced.
pub(crate) fn resolver(table: &Table) -> Resolver {
    let shared: Shared = settings::read(&table.name, &table.settings);
    let name = shared.resolver.as_deref();
    name.and_then(Resolver::parse).unwrap_or_default()
}

/// What of a replica's settings says whether it goes back in time.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Own {
    rewinds: bool,
    rewind_days: Option<i64>,
}

/// Returns what a replica keeps of its changes; everything that undoes them, where a copy of its
/// items as of a moment `is_made`.
pub(crate) fn kept(table: &Table, replica: &Replica, is_made: bool) -> HistoryDef {
    let shared: Shared = settings::read(&table.name, &table.settings);
    let own: Own = settings::read(&table.name, &replica.settings);
    HistoryDef {
        stream: shared.stream.as_deref().map(images),
        rewinds: own.rewinds || is_made,
    }
}

/// Returns the images that records of a stream of this view have.
fn images(view: &str) -> Images {
    Images {
        old: matches!(view, "OLD_IMAGE" | "NEW_AND_OLD_IMAGES"),
        new: matches!(view, "NEW_IMAGE" | "NEW_AND_OLD_IMAGES"),
    }
}

/// Returns what is left of a replica that is deleted, where the table has or had a stream.
pub(crate) fn remains(table: &Table, replica: &Replica, ended: i64) -> Option<Remains> {
    let shared: Shared = settings::read(&table.name, &table.settings);
    shared.stream_label?;
    Some(Remains {
        region: replica.region.clone(),
        table: table.clone(),
        created: replica.created,
        ended,
        stream_policies: settings::member(&replica.settings, settings::STREAM_POLICIES).clone(),
    })
}

impl<S: Store> Control<S> {
    /// Returns what is left of replicas that this region had.
    pub fn remains(&self) -> Vec<Remains> {
        self.list(self.project().region.as_str(), REMAINS)
    }

    /// Removes what of histories nobody can ask for any more, and exports and loads that ended
    /// long ago.
    ///
    /// Errors: those of the tables; what is left is removed the next time.
    pub async fn trim_history(&self) -> Result<(), ControlError> {
        let now = self.clock().wall().as_micros();
        let day = now - STREAM_KEPT_MICROS;
        let mut floors = BTreeMap::new();
        for view in self.table_views() {
            let Some(replica) = view.replicas.get(self.project().region.as_str()) else {
                continue;
            };
            let own: Own = settings::read(&view.table.name, &replica.settings);
            let days = own.rewind_days.unwrap_or(REWIND_DAYS_MAX);
            let rewind = own.rewinds.then(|| now - days * DAY_MICROS);
            floors.insert(view.table.id(), day.min(rewind.unwrap_or(day)));
        }
        for (table, at) in self.copied_from() {
            let floor = floors.entry(table).or_insert(day);
            *floor = (*floor).min(at.map_or(0, |at| at.0));
        }
        let floor = |table: TableId| Hlc(floors.get(&table).copied().unwrap_or(day));
        self.tables().trim_history(&floor).await?;
        let old = self.remains().into_iter().filter(|old| old.ended < day);
        let old = old.map(|old| Change::remove(&old));
        let exports = self.exports().into_iter();
        let exports = exports.filter(|export| is_forgotten(export.ended, now));
        let old = old.chain(exports.map(|export| Change::remove(&export)));
        let loads = self.loads().into_iter();
        let loads = loads.filter(|load| is_forgotten(load.ended, now));
        let old = old.chain(loads.flat_map(|load| {
            let progress = self.load_progress(&load);
            let progress = progress.map(|progress| Change::remove(&progress));
            progress.into_iter().chain([Change::remove(&load)])
        }));
        // More than one change may have is left for the next time.
        let old: Vec<Change> = old.take(TRANSACTION_ITEMS_MAX).collect();
        if !old.is_empty() {
            self.change(old).await?;
        }
        Ok(())
    }
}

/// Returns whether an export or a load ended so long ago that it is told of no more.
fn is_forgotten(ended: Option<i64>, now: i64) -> bool {
    let floor = now - EXPORTS_KEPT_DAYS * DAY_MICROS;
    ended.is_some_and(|ended| ended < floor)
}

const DAY_MICROS: i64 = 86_400_000_000;

/// How long streams are kept: a day, and as long as an iterator made at its end may be used.
const STREAM_KEPT_MICROS: i64 = DAY_MICROS + 1_800_000_000;

/// Most days that a table goes back. 35.
/// Source: DynamoDB API reference, `PointInTimeRecoverySpecification`.
const REWIND_DAYS_MAX: i64 = 35;

/// How long exports and loads are told of after they have ended. 90 days; their files stay.
/// Source: DynamoDB API reference, `ListExports`, `ListImports` and `ListBulkOperations`.
const EXPORTS_KEPT_DAYS: i64 = 90;
