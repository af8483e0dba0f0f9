//! Works on loads: reads the objects of a bucket and writes their items, batch by batch.
//!
//! Items are written as callers write them, so that they are indexed, told by streams and
//! replicated. How far it has come is noted in the transaction of the last items that it says are
//! done: always, where others write to the table too; now and then, where nobody does and writing
//! an item twice comes to the same.
//!
//! ```text
//! list ──► object ──► page of records (read ahead) ──► batch ──► items + progress, one transaction
//!                                   └► report: what is no item, or was not to be written
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use clock::time::WallTime;
use control::control::ControlError;
use control::loads::{Failure, Load, LoadKind, LoadStatus};
use control::tables::TableError;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use item::key::KeyKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::port::Store;
use table::def::IndexDef;

use crate::buckets::{Buckets, Object};
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::imports;
use crate::limits::{LOAD_OBJECTS_MAX, LOADS_AT_ONCE, TRANSFER_TOKEN_SECS};

mod batch;
mod report;

use batch::Batches;

/// What a load's facade keeps with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) arn: String,
    pub(crate) table_arn: String,
    /// The call that asked for it.
    pub(crate) request: Value,
}

/// A load that could not be worked on; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its items or its progress could not be written.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A table that was made for it could not be removed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Its report could not be written.
    #[error("write the report of a load: {0}")]
    Report(#[from] io::Error),
}

/// How a load ends.
enum Ending {
    Through,
    Cancelled,
    Failed(Failure),
}

impl Settings {
    pub(crate) fn of(load: &Load) -> Self {
        control::settings::read(&load.table.name, &load.settings)
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("settings are plain data with text keys")
    }
}

impl<S: Store> DynamoDb<S> {
    /// Works on loads as they are asked for, until the tables are closed.
    pub async fn follow_loads(&self, buckets: &impl Buckets) {
        let mut generation = self.control.generation();
        let mut retry = tokio::time::interval(RETRY_PERIOD);
        let mut working = FuturesUnordered::new();
        // Those being worked on, and those that are tried again later.
        let (mut begun, mut failed) = (BTreeSet::new(), BTreeSet::new());
        loop {
            for load in self.control.running_loads() {
                let is_due = !failed.contains(&load.id) && working.len() < LOADS_AT_ONCE;
                if is_due && begun.insert(load.id) {
                    working.push(async move { (load.id, self.work_on_load(&load, buckets).await) });
                }
            }
            tokio::select! {
                Some((id, worked)) = working.next(), if !working.is_empty() => {
                    begun.remove(&id);
                    if let Err(error) = worked {
                        tracing::error!(%error, "a load could not be worked on");
                        failed.insert(id);
                    }
                }
                changed = generation.changed() => if changed.is_err() {
                    return;
                },
                _ = retry.tick() => failed.clear(),
            }
        }
    }

    /// Works on all loads that are asked for, one after another.
    ///
    /// Errors: [`LoadError`] of the first that cannot be worked on.
    pub async fn work_on_loads(&self, buckets: &impl Buckets) -> Result<(), LoadError> {
        for load in self.control.running_loads() {
            self.work_on_load(&load, buckets).await?;
        }
        Ok(())
    }

    async fn work_on_load(&self, load: &Load, buckets: &impl Buckets) -> Result<(), LoadError> {
        let ending = match self.load_all(load, buckets).await {
            Err(LoadError::Report(error)) => Ending::Failed(unreported(&error)),
            ran => ran?,
        };
        let now = self.control.clock().wall();
        // It may have been cancelled meanwhile.
        let Some(current) = self.control.load(load.id) else {
            return Ok(());
        };
        let progress = self.control.load_progress(load).unwrap_or_default();
        let is_import = load.kind == LoadKind::Import;
        let (status, failure) = match ending {
            Ending::Through if progress.failed == 0 => (LoadStatus::Completed, None),
            Ending::Through if is_import => (LoadStatus::Failed, Some(invalid_items())),
            Ending::Through => (LoadStatus::CompletedWithErrors, None),
            Ending::Cancelled => (LoadStatus::Cancelled, Some(cancelled())),
            Ending::Failed(failure) => (LoadStatus::Failed, Some(failure)),
        };
        if let Some(failure) = &failure {
            let arn = Settings::of(load).arn;
            tracing::warn!(
                arn,
                code = failure.code,
                why = failure.message,
                "a load has failed"
            );
        }
        let mut ended = Load {
            status,
            ended: Some(now.as_micros()),
            failure,
            ..current.clone()
        };
        if let Err(error) = report::summarise(&ended, &progress, buckets).await {
            tracing::error!(%error, "the manifest of a load could not be written");
            if matches!(
                status,
                LoadStatus::Completed | LoadStatus::CompletedWithErrors
            ) {
                ended.status = LoadStatus::Failed;
                ended.failure = Some(unreported(&error));
            }
        }
        let is_filled = progress.written > 0 || progress.is_done;
        if is_import && !is_filled {
            // Whoever sees that it failed finds no table, and a crash in between takes no reason.
            let failing = Load {
                failure: ended.failure.clone(),
                ..current.clone()
            };
            self.control.change_load(&current, &failing).await?;
            self.control.remove_imported(&failing).await?;
            self.control.change_load(&failing, &ended).await?;
        } else {
            self.control.end_load(&current, &ended).await?;
        }
        Ok(())
    }

    async fn load_all(&self, load: &Load, buckets: &impl Buckets) -> Result<Ending, LoadError> {
        if let Some(failure) = &load.failure {
            return Ok(Ending::Failed(failure.clone()));
        }
        let progress = self.control.begin_load(load).await?;
        let Some(open) = self.loaded(load) else {
            return Ok(Ending::Failed(no_table()));
        };
        let (bucket, prefix) = source_of(load);
        let listed = buckets.list(&bucket, &prefix, LOAD_OBJECTS_MAX).await;
        let objects = match listed.map_err(|error| unlisted(&error)) {
            Ok(objects) if objects.is_empty() => return Ok(Ending::Failed(no_objects())),
            Ok(objects) if LOAD_OBJECTS_MAX < objects.len() => {
                return Ok(Ending::Failed(too_many_objects()));
            }
            Ok(objects) => objects,
            Err(failure) => return Ok(Ending::Failed(failure)),
        };
        let total = objects.iter().map(|object| object.bytes).sum();
        let layout = imports::layout(&Settings::of(load).request, kinds(&open));
        let mut batches = Batches::new(self, load, progress, layout);
        batches.note_total(total);
        for object in objects {
            if batches.is_behind(&object) {
                continue;
            }
            if let Some(ending) = self
                .load_object(&mut batches, &bucket, &object, buckets)
                .await?
            {
                return Ok(ending);
            }
        }
        Ok(Ending::Through)
    }

    /// Loads what is in an object; returns how the load ends where it does so early.
    async fn load_object(
        &self,
        batches: &mut Batches<'_, S>,
        bucket: &str,
        object: &Object,
        buckets: &impl Buckets,
    ) -> Result<Option<Ending>, LoadError> {
        let opened = buckets.open(bucket, &object.key).await;
        let mut reading = batches.begin(object, opened);
        while let Some(page) = reading.next().await {
            if !self.is_wanted(batches.load()) {
                return Ok(Some(Ending::Cancelled));
            }
            for entry in page {
                if batches.is_full_for(&entry) {
                    if !self.is_wanted(batches.load()) {
                        return Ok(Some(Ending::Cancelled));
                    }
                    batches.write(buckets).await?;
                }
                // It may have been deleted, or changed.
                let Some(open) = self.loaded(batches.load()) else {
                    return Ok(Some(Ending::Failed(no_table())));
                };
                batches.add(&open, entry, buckets).await?;
            }
        }
        if !self.is_wanted(batches.load()) {
            return Ok(Some(Ending::Cancelled));
        }
        batches.end(object);
        batches.write(buckets).await?;
        Ok(None)
    }

    /// Returns whether nobody has cancelled a load.
    fn is_wanted(&self, load: &Load) -> bool {
        let current = self.control.load(load.id);
        current.is_some_and(|current| current.status == LoadStatus::InProgress)
    }

    /// Returns the table that a load fills, as long as it is there.
    fn loaded(&self, load: &Load) -> Option<Arc<OpenTable>> {
        let open = self.find(&load.table.name);
        open.filter(|open| open.view.table.id == load.table.id)
    }
}

/// Returns what a load or an export is called in its table's ARN, and in its bucket.
pub(crate) fn number_of(id: u64, created: i64) -> String {
    let millis = WallTime::from_micros(created).as_millis();
    format!("{millis:014}-{:08x}", id & 0xffff_ffff)
}

/// Returns whether the token of a call of this moment stands for that call still.
pub(crate) fn is_remembered(created: i64, now: WallTime) -> bool {
    now.as_micros() < created + TRANSFER_TOKEN_SECS * 1_000_000
}

/// Returns the bucket that a load reads, and what the keys of its objects begin with.
fn source_of(load: &Load) -> (String, String) {
    let request = Settings::of(load).request;
    let source = match load.kind {
        LoadKind::Import => &request["S3BucketSource"],
        LoadKind::Puts => &request["InputS3Configuration"],
    };
    let text = |name: &str| source[name].as_str().unwrap_or_default().to_owned();
    (text("S3Bucket"), text("S3KeyPrefix"))
}

/// Returns the types of all key attributes, of the table and of its indexes.
fn kinds(open: &OpenTable) -> BTreeMap<String, KeyKind> {
    let of_indexes = open.def.indexes.iter().flat_map(IndexDef::keys);
    let keys = of_indexes.chain(open.def.schema.attributes());
    keys.map(|key| (key.name.clone(), key.kind)).collect()
}

fn failure(code: &str, message: impl Into<String>) -> Failure {
    Failure {
        code: code.to_owned(),
        message: message.into(),
    }
}

fn unlisted(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        return failure("S3NoSuchBucket", "The specified bucket does not exist");
    }
    failure(
        "S3Unavailable",
        format!("The bucket cannot be read: {error}"),
    )
}

fn unreported(error: &io::Error) -> Failure {
    failure(
        "ReportUnavailable",
        format!("What went wrong cannot be written: {error}"),
    )
}

fn no_objects() -> Failure {
    let message = "There is no object in the bucket whose key begins with the given prefix";
    failure("S3NoSuchKey", message)
}

fn too_many_objects() -> Failure {
    let message = format!("There are more than {LOAD_OBJECTS_MAX} objects to be read");
    failure("LimitExceeded", message)
}

fn no_table() -> Failure {
    failure("ResourceNotFound", "The table is no more")
}

fn cancelled() -> Failure {
    failure("Cancelled", "It was cancelled by CancelBulkOperation")
}

/// Source: DynamoDB developer guide, "Import format quotas and validation" (data validation).
fn invalid_items() -> Failure {
    let message = "Some of the items failed validation checks and were not imported. Please check \
                   the error log of the import for more details";
    failure("ItemValidationError", message)
}

/// How often a load or an export that could not be worked on is tried again. 1 minute.
pub(crate) const RETRY_PERIOD: Duration = Duration::from_mins(1);
