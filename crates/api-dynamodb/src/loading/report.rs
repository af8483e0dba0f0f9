//! What is told of records that were not written: one JSON object a line.
//!
//! An import's mistakes go into a log of the region, since there is no CloudWatch; those of a bulk
//! operation, and items whose condition does not hold, into the bucket that it names.

use bytes::Bytes;
use control::loads::{Load, LoadKind, Progress};
use item::value::Item;
use serde_json::{Value, json};

use super::{Settings, number_of, source_of};
use crate::buckets::{self, Buckets, Report};
use crate::imports::status_of;
use crate::limits::LOAD_MESSAGE_LETTERS_MAX;
use crate::wire::render::{self, Object};

/// Which of a load's reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Records that are no items, or none of the table's.
    Errors,
    /// Items whose condition does not hold.
    Refusals,
}

/// Lines that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    /// Tells of a record that is no item.
    pub(super) fn error(&mut self, load: &Load, at: (&str, u64), message: &str) {
        let cut = message.char_indices().nth(LOAD_MESSAGE_LETTERS_MAX);
        let message = cut.map_or(message, |(end, _)| message.get(..end).unwrap_or(message));
        let mut line = json!({ "itemS3Pointer": pointer(load, at), "errorMessages": [message] });
        let arn = Settings::of(load).arn;
        line[arn_name(load)] = arn.into();
        self.0.extend_from_slice(line.to_string().as_bytes());
        self.0.push(b'\n');
    }

    /// Tells of an item that was not written, and of the one that was there.
    pub(super) fn refusal(
        &mut self,
        load: &Load,
        at: (&str, u64),
        item: &Item,
        existing: Option<&Item>,
    ) {
        let start = self.0.len();
        let mut line = Object::start(&mut self.0);
        let arn = Value::from(Settings::of(load).arn).to_string();
        line.member(arn_name(load))
            .extend_from_slice(arn.as_bytes());
        let pointer = pointer(load, at).to_string();
        line.member("itemS3Pointer")
            .extend_from_slice(pointer.as_bytes());
        let mut is_whole = render::tree(line.member("Item"), item).is_ok();
        if let Some(existing) = existing {
            is_whole &= render::tree(line.member("ExistingItem"), existing).is_ok();
        }
        line.end();
        self.0.push(b'\n');
        if !is_whole {
            self.0.truncate(start);
        }
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.0).into()
    }
}

/// Returns whether a load has a report.
pub(super) fn tells(load: &Load, kind: Kind) -> bool {
    let wanted = match (load.kind, kind) {
        (LoadKind::Import, Kind::Errors) => return true,
        (LoadKind::Import, Kind::Refusals) => return false,
        (LoadKind::Puts, Kind::Errors) => "ERROR",
        (LoadKind::Puts, Kind::Refusals) => "CONDITION_CHECK_FAILURE",
    };
    let request = Settings::of(load).request;
    let asked = request["OutputS3Configuration"]["OutputType"].as_array();
    asked.into_iter().flatten().any(|one| one == wanted)
}

/// Replaces what a report has from a byte on.
pub(super) async fn add(
    load: &Load,
    kind: Kind,
    from: u64,
    lines: Bytes,
    buckets: &impl Buckets,
) -> std::io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let number = number_of(load.id, load.created);
    match load.kind {
        LoadKind::Import => {
            let name = format!("imports/{number}.jsonl");
            buckets.report(Report::Log(&name), from, lines).await
        }
        LoadKind::Puts => {
            let (bucket, home) = output_of(load);
            let file = match kind {
                Kind::Errors => "errors.jsonl",
                Kind::Refusals => "condition-check-failures.jsonl",
            };
            let (bucket, key) = (&*bucket, &*format!("{home}/{file}"));
            let report = Report::Object { bucket, key };
            buckets.report(report, from, lines).await
        }
    }
}

/// Writes the manifest of a bulk operation that has ended.
pub(super) async fn summarise(
    load: &Load,
    progress: &Progress,
    buckets: &impl Buckets,
) -> std::io::Result<()> {
    if load.kind == LoadKind::Import {
        return Ok(());
    }
    let (bucket, home) = output_of(load);
    let key = |kind: Kind, file: &str, bytes: u64| {
        (tells(load, kind) && bytes > 0).then(|| format!("{home}/{file}"))
    };
    let [errors, refusals] = progress.reported;
    let summary = json!({
        "bulkOperationArn": Settings::of(load).arn,
        "bulkOperationStatus": status_of(load),
        "processedItemCount": progress.written + progress.failed + progress.refused,
        "failedItemCount": progress.failed,
        "conditionCheckFailureCount": progress.refused,
        "errorS3Key": key(Kind::Errors, "errors.jsonl", errors),
        "conditionCheckFailureS3Key":
            key(Kind::Refusals, "condition-check-failures.jsonl", refusals),
    });
    let summary = summary.to_string().into_bytes();
    let key = format!("{home}/manifest-summary.json");
    buckets.put(&bucket, &key, summary.into()).await
}

/// Returns the bucket that a load reports to, and what the keys of its reports begin with.
fn output_of(load: &Load) -> (String, String) {
    let request = Settings::of(load).request;
    let output = &request["OutputS3Configuration"];
    let bucket = output["S3Bucket"].as_str().unwrap_or_default().to_owned();
    let prefix = output["S3KeyPrefix"].as_str().unwrap_or_default();
    let number = number_of(load.id, load.created);
    let home = format!("{}/{number}", buckets::root(prefix));
    (bucket, home)
}

fn pointer(load: &Load, (key, number): (&str, u64)) -> Value {
    json!({ "bucket": source_of(load).0, "key": key, "itemIndex": number })
}

const fn arn_name(load: &Load) -> &'static str {
    match load.kind {
        LoadKind::Import => "importArn",
        LoadKind::Puts => "bulkOperationArn",
    }
}
