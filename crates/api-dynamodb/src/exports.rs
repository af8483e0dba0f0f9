//! Exports of tables into buckets, in AWS's file formats.
//!
//! A bucket is wherever [`crate::buckets::Buckets`] keeps it. Encryption is refused.
//! Source: DynamoDB API reference, `ExportTableToPointInTime`.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::{json, timestamp};
use clock::hlc::Hlc;
use clock::time::WallTime;
use control::exports::{Export, ExportStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json as json_value};
use store::port::Store;

use crate::backups::continuous;
use crate::buckets;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::limits::{
    EXPORT_SPAN_SECS_MAX, EXPORT_SPAN_SECS_MIN, EXPORTS_RUNNING_MAX, LIST_EXPORTS_MAX,
};
use crate::loading::{is_remembered, number_of};
use crate::tables;
use crate::wire::shape;

mod filter;
mod ion;
pub(crate) mod md5;
pub mod write;

use filter::Filter;

shape! {
    /// The members of `ExportTableToPointInTime`.
    ExportIn {
        table: "TableArn" as String,
        time: "ExportTime" as f64,
        token: "ClientToken" as String,
        bucket: "S3Bucket" as String,
        owner: "S3BucketOwner" as String,
        prefix: "S3Prefix" as String,
        encryption: "S3SseAlgorithm" as String,
        format: "ExportFormat" as String,
        kind: "ExportType" as String,
        span: "IncrementalExportSpecification" as SpanIn,
        filter: "FilterSpecification" as Value,
    }
}

shape! {
    /// Which changes are exported, and what of them.
    SpanIn {
        from: "ExportFromTime" as f64,
        to: "ExportToTime" as f64,
        view: "ExportViewType" as String,
    }
}

shape! {
    /// The members of `DescribeExport` and of `ListExports`.
    NamedIn {
        arn: "ExportArn" as String,
        table: "TableArn" as String,
        limit: "MaxResults" as i64,
        after: "NextToken" as String,
    }
}

/// What this facade keeps with an export.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    arn: String,
    table_arn: String,
    bucket: String,
    owner: Option<String>,
    prefix: Option<String>,
    token: Option<String>,
    is_ion: bool,
    /// Whether changes are told with what was before.
    with_old: bool,
    /// Which items are told, and what of them.
    filter: Option<Value>,
    /// The call that asked for it.
    request: Value,
}

impl Settings {
    fn of(export: &Export) -> Self {
        control::settings::read(&export.table.name, &export.settings)
    }

    /// Returns what the keys of all its objects begin with.
    fn root(&self) -> String {
        buckets::root(self.prefix.as_deref().unwrap_or_default())
    }

    /// Returns what the keys of its manifests begin with.
    fn home(&self, export: &Export) -> String {
        format!("{}/{}", self.root(), number_of(export.id, export.created))
    }

    /// Returns what the keys of its data files begin with: incremental exports share a folder.
    fn data(&self, export: &Export) -> String {
        if export.incremental {
            format!("{}/data", self.root())
        } else {
            format!("{}/data", self.home(export))
        }
    }

    const fn view(&self) -> &'static str {
        if self.with_old {
            "NEW_AND_OLD_IMAGES"
        } else {
            "NEW_IMAGE"
        }
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `ExportTableToPointInTime`.
    pub(crate) async fn export_table(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: ExportIn = json::parse(body)?;
        request.check()?;
        let given = request.table.clone().unwrap_or_default();
        let open = self.backed_up(&given)?;
        let asked: Value = json::parse(body)?;
        let now = self.control.clock().wall();
        let is_same = |export: &Export| {
            let token = Settings::of(export).token;
            token.is_some() && token == request.token && is_remembered(export.created, now)
        };
        if let Some(known) = self.control.exports().into_iter().find(is_same) {
            return export_known(&known, &asked);
        }
        if EXPORTS_RUNNING_MAX <= self.control.running_exports().len() {
            let message = format!("At most {EXPORTS_RUNNING_MAX} exports can run at once");
            return Err(Fault::caller("LimitExceededException", message).into());
        }
        let schema = &open.def.schema;
        Filter::parse(request.filter.as_ref(), schema)?;
        let incremental = request.kind.as_deref() == Some("INCREMENTAL_EXPORT");
        let span = request.span.as_ref().filter(|_| incremental);
        let (from, to) = self.span(&request, span, &open).await?;
        let table_arn = self.table_arn(caller, &open.view.table.name);
        let mut export = Export {
            id: self.control.entropy().random() & !1,
            region: self.control.project().region.as_str().to_owned(),
            status: ExportStatus::InProgress,
            failure: None,
            created: self.control.clock().wall().as_micros(),
            ended: None,
            table: open.view.table.clone(),
            from: from.0,
            to: to.0,
            incremental,
            items: 0,
            bytes: 0,
            settings: Value::Null,
        };
        let settings = Settings {
            arn: format!(
                "{table_arn}/export/{}",
                number_of(export.id, export.created)
            ),
            table_arn,
            bucket: request.bucket.clone().unwrap_or_default(),
            owner: request.owner.clone(),
            prefix: request.prefix.clone(),
            token: request.token.clone(),
            is_ion: request.format.as_deref() == Some("ION"),
            with_old: span.is_some_and(|span| span.view.as_deref() != Some("NEW_IMAGE")),
            filter: request.filter.clone(),
            request: asked.clone(),
        };
        export.settings =
            serde_json::to_value(settings).expect("settings are plain data with text keys");
        let made = self.control.create_export(&export, is_same).await;
        match made.map_err(|error| tables::control_failed(&error, &open.view.table.name))? {
            Some(known) => export_known(&known, &asked),
            None => Ok(described(&export)),
        }
    }

    /// Answers `DescribeExport`.
    pub(crate) fn describe_export(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let arn = request.arn.unwrap_or_default();
        let mut exports = self.control.exports().into_iter();
        let found = exports.find(|export| Settings::of(export).arn == arn);
        let missing = || {
            let message = format!("Export not found: {arn}");
            Fault::caller("ExportNotFoundException", message)
        };
        Ok(described(&found.ok_or_else(missing)?))
    }

    /// Answers `ListExports`, the latest first.
    pub(crate) fn list_exports(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(LIST_EXPORTS_MAX);
        let only = request.table.as_deref().map(|given| self.plain_name(given));
        let mut exports = self.control.exports();
        exports.retain(|export| only.is_none_or(|only| only == Some(export.table.name.as_str())));
        exports.sort_by_key(|export| std::cmp::Reverse((export.created, export.id)));
        let mut told: Vec<(String, Value)> = exports
            .iter()
            .map(|export| {
                let arn = Settings::of(export).arn;
                let summary = json_value!({
                    "ExportArn": arn,
                    "ExportStatus": status_of(export),
                    "ExportType": kind_of(export),
                });
                (arn, summary)
            })
            .collect();
        if let Some(after) = &request.after {
            let at = told.iter().position(|(arn, _)| arn == after);
            told.drain(..at.map_or(0, |at| at + 1));
        }
        let more = limit < told.len();
        told.truncate(limit);
        let last = told.last().map(|(arn, _)| arn.clone()).filter(|_| more);
        let summaries: Vec<Value> = told.into_iter().map(|(_, summary)| summary).collect();
        let mut answer = json_value!({ "ExportSummaries": summaries });
        if let (Some(last), Some(members)) = (last, answer.as_object_mut()) {
            members.insert("NextToken".to_owned(), last.into());
        }
        Ok(answer.to_string().into_bytes())
    }

    /// Returns the stamps from which and up to which an export tells.
    async fn span(
        &self,
        request: &ExportIn,
        span: Option<&SpanIn>,
        open: &crate::catalog::OpenTable,
    ) -> Result<(Hlc, Hlc), Refused> {
        let window = self.known_window(open)?;
        let now = self.control.tables().instant().await?;
        let to = match (span, request.time) {
            // What an incremental export tells ends before its end, and a full one at it.
            (Some(span), _) => span.to.map_or(now, |to| Hlc(continuous::stamp(to).0 - 1)),
            (None, time) => time.map_or(now, continuous::stamp),
        };
        let from = span.map(|span| span.from.map_or(window.since, continuous::stamp));
        let earliest = window.earliest.saturating_mul(1_000_000);
        let is_known = from.is_none_or(|from| earliest <= from.0 && from < to);
        if !is_known || to.0 < earliest || now < to {
            let message = "The specified export time is outside of the window of the table's \
                           continuous backups, or ends before it begins";
            return Err(Fault::caller("InvalidExportTimeException", message).into());
        }
        if let Some(from) = from {
            let micros = to.0.saturating_add(1).saturating_sub(from.0);
            if !(EXPORT_SPAN_SECS_MIN..=EXPORT_SPAN_SECS_MAX).contains(&(micros / 1_000_000)) {
                let message = "The time between ExportFromTime and ExportToTime is at least 15 \
                               minutes and at most 24 hours";
                return Err(Fault::caller("InvalidExportTimeException", message).into());
            }
        }
        let to = to.max(window.since);
        Ok((from.map_or(to, |from| from.max(window.since)), to))
    }
}

impl ExportIn {
    fn check(&self) -> Result<(), Fault> {
        tables::refuse(&[
            // The files are as readable as the directory that they are in.
            ("S3SseAlgorithm", self.encryption.is_some()),
        ])?;
        let incremental = self.kind.as_deref() == Some("INCREMENTAL_EXPORT");
        if incremental != self.span.is_some() || incremental && self.time.is_some() {
            let message = "IncrementalExportSpecification goes with an ExportType of \
                           INCREMENTAL_EXPORT, and ExportTime with FULL_EXPORT";
            return Err(fault::validation(message));
        }
        let prefix = self.prefix.as_deref().unwrap_or_default();
        if !prefix.is_empty() && !buckets::is_folder(prefix.trim_end_matches('/')) {
            let message = "S3Prefix is made of names with slashes in between";
            return Err(fault::validation(message));
        }
        Ok(())
    }
}

/// Answers a call whose token stands for an export that there is.
fn export_known(known: &Export, asked: &Value) -> Answer {
    if Settings::of(known).request != *asked {
        let message = "The client token was used for another export in the last 8 hours";
        return Err(Fault::caller("ExportConflictException", message).into());
    }
    Ok(described(known))
}

fn described(export: &Export) -> Vec<u8> {
    let settings = Settings::of(export);
    let epoch = |micros: i64| Value::from(timestamp::epoch(WallTime::from_micros(micros)));
    let mut members = Map::new();
    let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
    tell("ExportArn", settings.arn.as_str().into());
    tell("ExportStatus", status_of(export).into());
    tell("ExportType", kind_of(export).into());
    tell("StartTime", epoch(export.created));
    tell("TableArn", settings.table_arn.as_str().into());
    tell("TableId", tables::table_id(&export.table).into());
    tell("S3Bucket", settings.bucket.as_str().into());
    tell(
        "ExportFormat",
        if settings.is_ion {
            "ION"
        } else {
            "DYNAMODB_JSON"
        }
        .into(),
    );
    let optional = [
        ("S3BucketOwner", &settings.owner),
        ("S3Prefix", &settings.prefix),
        ("ClientToken", &settings.token),
        ("FailureMessage", &export.failure),
    ];
    for (name, text) in optional {
        if let Some(text) = text {
            tell(name, text.as_str().into());
        }
    }
    if export.incremental {
        let span = json_value!({
            "ExportFromTime": epoch(export.from),
            "ExportToTime": epoch(export.to + 1),
            "ExportViewType": settings.view(),
        });
        tell("IncrementalExportSpecification", span);
    } else {
        tell("ExportTime", epoch(export.to));
    }
    if let Some(filter) = &settings.filter {
        tell("FilterSpecification", filter.clone());
    }
    if let Some(ended) = export.ended {
        tell("EndTime", epoch(ended));
    }
    match export.status {
        ExportStatus::InProgress => {}
        ExportStatus::Failed => {
            tell("FailureCode", "UNKNOWN".into());
        }
        ExportStatus::Completed => {
            let manifest = format!("{}/manifest-summary.json", settings.home(export));
            tell("ExportManifest", manifest.into());
            tell("ItemCount", export.items.into());
            tell("BilledSizeBytes", export.bytes.into());
        }
    }
    json_value!({ "ExportDescription": members })
        .to_string()
        .into_bytes()
}

fn kind_of(export: &Export) -> &'static str {
    if export.incremental {
        "INCREMENTAL_EXPORT"
    } else {
        "FULL_EXPORT"
    }
}

fn status_of(export: &Export) -> &'static str {
    match export.status {
        ExportStatus::InProgress => "IN_PROGRESS",
        ExportStatus::Completed => "COMPLETED",
        ExportStatus::Failed => "FAILED",
    }
}
