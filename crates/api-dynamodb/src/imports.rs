//! Imports of tables from buckets: asked for, told about, listed.
//!
//! It reads no file: [`crate::loading`] does.
//! Source: DynamoDB API reference, `ImportTable` and its kin.

use std::collections::BTreeMap;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::{json, timestamp};
use clock::time::WallTime;
use control::loads::{Load, LoadKind, LoadStatus, Progress};
use control::tables::Table;
use item::key::KeyKind;
use serde_json::{Map, Value, json as json_value};
use store::port::Store;

use crate::buckets;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::limits::{LIST_LOADS_MAX, LOADS_RUNNING_MAX};
use crate::loading::{Settings, is_remembered, number_of};
use crate::records::{Columns, Format, Packing};
use crate::tables::{self, CreateIn};
use crate::wire::shape;

shape! {
    /// The members of `ImportTable`.
    ImportIn {
        token: "ClientToken" as String,
        source: "S3BucketSource" as SourceIn,
        format: "InputFormat" as String,
        options: "InputFormatOptions" as OptionsIn,
        packing: "InputCompressionType" as String,
        parameters: "TableCreationParameters" as CreateIn,
    }
}

shape! {
    /// Where objects are read from.
    SourceIn {
        bucket: "S3Bucket" as String,
        prefix: "S3KeyPrefix" as String,
    }
}

shape! {
    /// Further members of a format.
    OptionsIn { csv: "Csv" as CsvIn, }
}

shape! {
    /// How CSV is written.
    CsvIn {
        delimiter: "Delimiter" as String,
        header: "HeaderList" as Vec<String>,
    }
}

shape! {
    /// The members of `DescribeImport` and of `ListImports`.
    NamedIn {
        arn: "ImportArn" as String,
        table: "TableArn" as String,
        limit: "PageSize" as i64,
        after: "NextToken" as String,
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `ImportTable`.
    pub(crate) async fn import_table(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: ImportIn = json::parse(body)?;
        let asked: Value = json::parse(body)?;
        request.check()?;
        let token = request.token.as_deref();
        if let Some(known) = self.load_by_token(LoadKind::Import, token) {
            return self.import_known(&known, &asked);
        }
        let running = self.control.running_loads();
        let imports = running.iter().filter(|load| load.kind == LoadKind::Import);
        if LOADS_RUNNING_MAX <= imports.count() {
            let message = format!("At most {LOADS_RUNNING_MAX} imports can run at once");
            return Err(Fault::caller("LimitExceededException", message).into());
        }
        let parameters = request.parameters.unwrap_or_default();
        let draft = self.draft(parameters, None)?;
        let name = draft.name.clone();
        let id = self.control.entropy().random();
        let region = self.control.project().region.as_str().to_owned();
        let table_arn = self.table_arn(caller, &name);
        let request = asked.clone();
        let load = move |table: &Table| {
            let number = number_of(id, table.created);
            let settings = Settings {
                arn: format!("{table_arn}/import/{number}"),
                table_arn,
                request,
            };
            Load {
                id,
                region,
                kind: LoadKind::Import,
                status: LoadStatus::InProgress,
                failure: None,
                created: table.created,
                ended: None,
                table: table.clone(),
                settings: settings.to_value(),
            }
        };
        let now = self.control.clock().wall().as_micros();
        let is_same =
            |known: &Load| known.kind == LoadKind::Import && is_asked_with(known, token, now);
        let turn = self.control.turn().await;
        self.check_made(&turn, &draft)?;
        let made = self.control.import_table(&turn, draft, is_same, load).await;
        drop(turn);
        if let Some(known) = made.map_err(|error| tables::table_failed(&error, &name))? {
            return self.import_known(&known, &asked);
        }
        let load = self.control.load(id);
        let load = load.ok_or_else(|| Fault::ourselves("Internal server error"))?;
        Ok(self.import_described(&load))
    }

    /// Answers a call whose token stands for an import that there is.
    fn import_known(&self, known: &Load, asked: &Value) -> Answer {
        if Settings::of(known).request != *asked {
            let message = "The client token was used for another import in the last 8 hours";
            return Err(Fault::caller("ImportConflictException", message).into());
        }
        Ok(self.import_described(known))
    }

    /// Answers `DescribeImport`.
    pub(crate) async fn describe_import(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let arn = request.arn.unwrap_or_default();
        let missing = || {
            let message = format!("Import not found: {arn}");
            Fault::caller("ImportNotFoundException", message)
        };
        let found = self.load_by_arn(LoadKind::Import, &arn);
        // Whoever is told that it is through finds the table.
        self.control.in_force().await;
        Ok(self.import_described(&found.ok_or_else(missing)?))
    }

    /// Answers `ListImports`, the latest first.
    pub(crate) async fn list_imports(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let only = request.table.as_deref().map(|given| self.plain_name(given));
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
        let mut loads = self.loads_of(LoadKind::Import);
        self.control.in_force().await;
        loads.retain(|load| only.is_none_or(|only| only == Some(load.table.name.as_str())));
        let page = page(
            loads,
            request.after.as_deref(),
            limit.unwrap_or(LIST_LOADS_MAX),
            7,
        )?;
        let summaries = page.loads.iter().map(|load| {
            let settings = Settings::of(load);
            let mut summary = json_value!({
                "ImportArn": settings.arn,
                "ImportStatus": status_of(load),
                "TableArn": settings.table_arn,
                "S3BucketSource": settings.request["S3BucketSource"],
                "InputFormat": settings.request["InputFormat"],
                "StartTime": epoch(load.created),
            });
            if let (Some(ended), Some(members)) = (load.ended, summary.as_object_mut()) {
                members.insert("EndTime".to_owned(), epoch(ended));
            }
            summary
        });
        let mut answer = json_value!({ "ImportSummaryList": summaries.collect::<Vec<_>>() });
        if let (Some(next), Some(members)) = (page.next, answer.as_object_mut()) {
            members.insert("NextToken".to_owned(), next.into());
        }
        Ok(answer.to_string().into_bytes())
    }

    /// Returns the loads of one kind, the latest first.
    pub(crate) fn loads_of(&self, kind: LoadKind) -> Vec<Load> {
        let mut loads = self.control.loads();
        loads.retain(|load| load.kind == kind);
        loads.sort_by_key(|load| std::cmp::Reverse((load.created, load.id)));
        loads
    }

    pub(crate) fn load_by_arn(&self, kind: LoadKind, arn: &str) -> Option<Load> {
        let mut loads = self.loads_of(kind).into_iter();
        loads.find(|load| Settings::of(load).arn == arn)
    }

    /// Returns the load that was asked for with a token, as long as that is remembered.
    pub(crate) fn load_by_token(&self, kind: LoadKind, token: Option<&str>) -> Option<Load> {
        let now = self.control.clock().wall().as_micros();
        let mut loads = self.loads_of(kind).into_iter();
        loads.find(|load| is_asked_with(load, token, now))
    }

    fn import_described(&self, load: &Load) -> Vec<u8> {
        let settings = Settings::of(load);
        let progress = self.control.load_progress(load).unwrap_or_default();
        let mut members = Map::new();
        let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
        tell("ImportArn", settings.arn.as_str().into());
        tell("ImportStatus", status_of(load).into());
        tell("TableArn", settings.table_arn.as_str().into());
        tell("TableId", tables::table_id(&load.table).into());
        tell("StartTime", epoch(load.created));
        let packing = settings.request["InputCompressionType"].as_str();
        tell("InputCompressionType", packing.unwrap_or("NONE").into());
        for name in GIVEN {
            if !settings.request[name].is_null() {
                tell(name, settings.request[name].clone());
            }
        }
        let Progress {
            bytes,
            written,
            failed,
            ..
        } = progress;
        tell("ProcessedSizeBytes", bytes.into());
        tell("ProcessedItemCount", (written + failed).into());
        tell("ImportedItemCount", written.into());
        tell("ErrorCount", failed.into());
        if let Some(ended) = load.ended {
            tell("EndTime", epoch(ended));
        }
        if let Some(failure) = load.failure.as_ref().filter(|_| load.ended.is_some()) {
            tell("FailureCode", failure.code.as_str().into());
            tell("FailureMessage", failure.message.as_str().into());
        }
        json_value!({ "ImportTableDescription": members })
            .to_string()
            .into_bytes()
    }
}

/// Returns whether a load was asked for with a token, and that is remembered still.
pub(crate) fn is_asked_with(load: &Load, token: Option<&str>, now: i64) -> bool {
    let known = || Settings::of(load).request;
    token.is_some_and(|token| {
        known()["ClientToken"].as_str() == Some(token)
            && is_remembered(load.created, WallTime::from_micros(now))
    })
}

/// Members of the request that are told as they were given.
const GIVEN: [&str; 5] = [
    "ClientToken",
    "S3BucketSource",
    "InputFormat",
    "InputFormatOptions",
    "TableCreationParameters",
];

/// Some of a list of loads.
pub(crate) struct Page {
    pub(crate) loads: Vec<Load>,
    /// The token of the next page.
    pub(crate) next: Option<String>,
}

/// Returns a page of loads. Its token is the number of its last load, as often as the model's least
/// length wants it.
///
/// Errors: `ValidationException` for a token of no load.
pub(crate) fn page(
    mut loads: Vec<Load>,
    after: Option<&str>,
    limit: usize,
    times: usize,
) -> Result<Page, Refused> {
    let token = |load: &Load| format!("{:016x}", load.id).repeat(times);
    if let Some(after) = after {
        let at = loads.iter().position(|load| token(load) == after);
        let at = at.ok_or_else(|| fault::invalid_parameter("NextToken is unknown"))?;
        loads.drain(..=at);
    }
    let is_more = limit < loads.len();
    loads.truncate(limit);
    let next = loads.last().map(token).filter(|_| is_more);
    Ok(Page { loads, next })
}

impl ImportIn {
    fn check(&self) -> Result<(), Fault> {
        let source = self.source.as_ref();
        check_prefix(source.and_then(|source| source.prefix.as_deref()))?;
        let csv = self
            .options
            .as_ref()
            .and_then(|options| options.csv.as_ref());
        if csv.is_some() && self.format.as_deref() != Some("CSV") {
            let message = "InputFormatOptions.Csv goes with an InputFormat of CSV";
            return Err(fault::validation(message));
        }
        let header = csv.and_then(|csv| csv.header.as_ref());
        let names = header.into_iter().flatten();
        let mut known = std::collections::BTreeSet::new();
        if names.clone().any(|name| !known.insert(name)) {
            return Err(fault::validation("HeaderList names a column twice"));
        }
        Ok(())
    }
}

/// Checks that a prefix leads out of no bucket.
pub(crate) fn check_prefix(prefix: Option<&str>) -> Result<(), Fault> {
    if buckets::is_prefix(prefix.unwrap_or_default()) {
        return Ok(());
    }
    Err(wrong_prefix())
}

/// Says that a prefix leads out of its bucket.
pub(crate) fn wrong_prefix() -> Fault {
    fault::validation("S3KeyPrefix is made of names with slashes in between")
}

/// Returns how the objects of a load are packed and written; `kinds` are the types of key
/// attributes.
pub(crate) fn layout(request: &Value, kinds: BTreeMap<String, KeyKind>) -> (Packing, Format) {
    let input = if request["InputS3Configuration"].is_object() {
        &request["InputS3Configuration"]
    } else {
        request
    };
    let packing = match input["InputCompressionType"].as_str() {
        Some("GZIP") => Packing::Gzip,
        Some("ZSTD") => Packing::Zstd,
        Some(_) | None => Packing::None,
    };
    let format = match input["InputFormat"].as_str() {
        Some("CSV") => {
            let csv = &input["InputFormatOptions"]["Csv"];
            let delimiter = csv["Delimiter"]
                .as_str()
                .and_then(|text| text.bytes().next());
            let header = csv["HeaderList"].as_array().map(|names| {
                let names = names.iter().filter_map(Value::as_str);
                names.map(str::to_owned).collect()
            });
            Format::Csv(Columns {
                delimiter: delimiter.unwrap_or(b','),
                header,
                kinds,
            })
        }
        Some("ION") => Format::Ion,
        Some(_) | None => Format::Json,
    };
    (packing, format)
}

pub(crate) fn epoch(micros: i64) -> Value {
    timestamp::epoch(WallTime::from_micros(micros)).into()
}

pub(crate) fn status_of(load: &Load) -> &'static str {
    match load.status {
        LoadStatus::InProgress => "IN_PROGRESS",
        LoadStatus::Cancelling => "CANCELLING",
        LoadStatus::Completed => "COMPLETED",
        LoadStatus::CompletedWithErrors => "COMPLETED_WITH_ERRORS",
        LoadStatus::Cancelled => "CANCELLED",
        LoadStatus::Failed => "FAILED",
    }
}
