//! Bulk operations: items put from a bucket into a table that there is.
//!
//! It reads no file: [`crate::loading`] does. What an operation used is not told, since nobody is
//! billed for it; both performance tiers are the same.
//! Source: DynamoDB API reference, `StartBulkPutItems` and its kin; DynamoDB developer guide,
//! "Bulk put items considerations, quotas, and permissions".

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use control::control::ControlError;
use control::loads::{Load, LoadKind, LoadStatus, Progress};
use serde_json::{Map, Value, json as json_value};
use store::port::Store;

use crate::buckets;
use crate::catalog::OpenTable;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::imports::{self, epoch, status_of};
use crate::limits::{CANCEL_TRIES_MAX, LIST_BULKS, LOADS_RUNNING_MAX};
use crate::loading::{Settings, number_of};
use crate::tables;
use crate::wire::shape;

shape! {
    /// The members of `StartBulkPutItems`.
    StartIn {
        table: "TableName" as String,
        token: "ClientToken" as String,
        input: "InputS3Configuration" as PlaceIn,
        output: "OutputS3Configuration" as PlaceIn,
    }
}

shape! {
    /// Where objects are read from, or reports written to.
    PlaceIn {
        prefix: "S3KeyPrefix" as String,
        encryption: "S3SseAlgorithm" as String,
        key: "S3SseKmsKeyId" as String,
        reports: "OutputType" as Vec<String>,
    }
}

shape! {
    /// The members of the calls on bulk operations that there are.
    NamedIn {
        arn: "BulkOperationArn" as String,
        limit: "MaxResults" as i64,
        after: "NextToken" as String,
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `StartBulkPutItems`.
    pub(crate) async fn start_bulk_put_items(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: StartIn = json::parse(body)?;
        let asked: Value = json::parse(body)?;
        request.check()?;
        let token = request.token.as_deref();
        if let Some(known) = self.load_by_token(LoadKind::Puts, token) {
            return self.bulk_known(&known, &asked);
        }
        let given = request.table.unwrap_or_default();
        let open = self.find(&given);
        let open = open.ok_or_else(|| fault::no_table_named(&given))?;
        self.check_bulk(&open, &given)?;
        let id = self.control.entropy().random();
        let created = self.control.clock().wall().as_micros();
        let table_arn = self.table_arn(caller, &open.view.table.name);
        let settings = Settings {
            arn: format!("{table_arn}/bulk-operation/{}", number_of(id, created)),
            table_arn,
            request: asked.clone(),
        };
        let load = Load {
            id,
            region: self.control.project().region.as_str().to_owned(),
            kind: LoadKind::Puts,
            status: LoadStatus::InProgress,
            failure: None,
            created,
            ended: None,
            table: open.view.table.clone(),
            settings: settings.to_value(),
        };
        let is_same = |known: &Load| {
            known.kind == LoadKind::Puts && imports::is_asked_with(known, token, created)
        };
        let made = self.control.create_load(&load, is_same).await;
        match made.map_err(|error| tables::control_failed(&error, &given))? {
            Some(known) => self.bulk_known(&known, &asked),
            None => Ok(self.bulk_described(&load)),
        }
    }

    /// Answers a call whose token stands for an operation that there is.
    fn bulk_known(&self, known: &Load, asked: &Value) -> Answer {
        if Settings::of(known).request != *asked {
            let message = "The client token was used for another bulk operation in the last 8 \
                           hours";
            let code = "IdempotentParameterMismatchException";
            return Err(Fault::caller(code, message).into());
        }
        Ok(self.bulk_described(known))
    }

    /// Answers `DescribeBulkOperation`.
    pub(crate) fn describe_bulk_operation(&self, body: &[u8]) -> Answer {
        let load = self.bulk(body)?;
        Ok(self.bulk_described(&load))
    }

    /// Answers `CancelBulkOperation`: one that has ended stays as it is.
    pub(crate) async fn cancel_bulk_operation(&self, body: &[u8]) -> Answer {
        let mut load = self.bulk(body)?;
        let mut tries = 1;
        while load.status == LoadStatus::InProgress {
            let cancelling = Load {
                status: LoadStatus::Cancelling,
                ..load.clone()
            };
            match self.control.change_load(&load, &cancelling).await {
                Ok(()) => load = cancelling,
                // It ended just then, or somebody else cancelled it.
                Err(ControlError::Unexpected(_)) if tries < CANCEL_TRIES_MAX => {
                    let refreshed = self.control.refresh().await;
                    refreshed.map_err(|error| fault::ours(&error))?;
                    load = self.bulk(body)?;
                }
                Err(error) => return Err(fault::ours(&error).into()),
            }
            tries += 1;
        }
        let answer = json_value!({
            "BulkOperationArn": Settings::of(&load).arn,
            "BulkOperationStatus": status_of(&load),
        });
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `ListBulkOperations`, the latest first.
    pub(crate) fn list_bulk_operations(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
        let loads = self.loads_of(LoadKind::Puts);
        let page = imports::page(
            loads,
            request.after.as_deref(),
            limit.unwrap_or(LIST_BULKS),
            1,
        )?;
        let summaries = page.loads.iter().map(|load| {
            let mut summary = json_value!({
                "BulkOperationArn": Settings::of(load).arn,
                "BulkOperationStatus": status_of(load),
                "StartTime": epoch(load.created),
            });
            if let (Some(ended), Some(members)) = (load.ended, summary.as_object_mut()) {
                members.insert("EndTime".to_owned(), epoch(ended));
            }
            summary
        });
        let summaries: Vec<Value> = summaries.collect();
        let mut answer = json_value!({ "BulkOperationsSummaryList": summaries });
        if let (Some(next), Some(members)) = (page.next, answer.as_object_mut()) {
            members.insert("NextToken".to_owned(), next.into());
        }
        Ok(answer.to_string().into_bytes())
    }

    /// Checks that a table can be written to in bulk.
    fn check_bulk(&self, open: &OpenTable, given: &str) -> Result<(), Refused> {
        if open.view.replicas.len() > 1 {
            let message = "Bulk operations are not supported on global tables";
            return Err(fault::validation(message).into());
        }
        if open.def.filling || self.is_building(open) {
            let message = format!(
                "Attempt to change a resource which is still in use: Table or one of its indexes \
                 is being created: {given}"
            );
            return Err(Fault::caller("ResourceInUseException", message).into());
        }
        let running = self.control.running_loads();
        let running = running.iter().filter(|load| load.kind == LoadKind::Puts);
        if LOADS_RUNNING_MAX <= running.count() {
            let message = format!("At most {LOADS_RUNNING_MAX} bulk operations can run at once");
            return Err(Fault::caller("LimitExceededException", message).into());
        }
        Ok(())
    }

    /// Returns the bulk operation that a call names.
    fn bulk(&self, body: &[u8]) -> Result<Load, Refused> {
        let request: NamedIn = json::parse(body)?;
        let arn = request.arn.unwrap_or_default();
        let found = self.load_by_arn(LoadKind::Puts, &arn);
        Ok(found.ok_or_else(|| {
            let message = format!("Requested resource not found: BulkOperation: {arn} not found");
            Fault::caller("ResourceNotFoundException", message)
        })?)
    }

    fn bulk_described(&self, load: &Load) -> Vec<u8> {
        let Settings { arn, request, .. } = Settings::of(load);
        let progress = self.control.load_progress(load).unwrap_or_default();
        let mut members = Map::new();
        let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
        tell("BulkOperationArn", arn.into());
        tell("BulkOperationStatus", status_of(load).into());
        let table = json_value!({
            "TableName": request["TableName"],
            "TableId": tables::table_id(&load.table),
        });
        tell("TableDetails", json_value!([table]));
        for name in GIVEN {
            if !request[name].is_null() {
                tell(name, request[name].clone());
            }
        }
        let tier = request["PerformanceTier"].as_str();
        tell("PerformanceTier", tier.unwrap_or("STANDARD").into());
        tell("StartTime", epoch(load.created));
        if let Some(ended) = load.ended {
            tell("EndTime", epoch(ended));
        }
        let Progress {
            written,
            failed,
            refused,
            packed,
            total,
            ..
        } = progress;
        tell("ProcessedItemCount", (written + failed + refused).into());
        tell("FailedItemCount", failed.into());
        tell("ProcessedInputBytes", packed.into());
        if let Some(total) = total {
            tell("TotalInputBytes", total.into());
        }
        if let Some(failure) = &load.failure {
            tell("FailureCode", failure.code.as_str().into());
            tell("FailureMessage", failure.message.as_str().into());
        }
        json_value!({ "BulkOperationDescription": members })
            .to_string()
            .into_bytes()
    }
}

/// Members of the request that are told as they were given.
const GIVEN: [&str; 4] = [
    "ClientToken",
    "InputS3Configuration",
    "OutputS3Configuration",
    "MaxWriteRequestUnits",
];

impl StartIn {
    fn check(&self) -> Result<(), Fault> {
        let prefix =
            |place: &Option<PlaceIn>| place.as_ref().and_then(|place| place.prefix.clone());
        imports::check_prefix(prefix(&self.input).as_deref())?;
        let output = self.output.as_ref();
        tables::refuse(&[
            // The files are as readable as the directory that they are in.
            (
                "S3SseAlgorithm",
                output.is_some_and(|output| output.encryption.is_some()),
            ),
            (
                "S3SseKmsKeyId",
                output.is_some_and(|output| output.key.is_some()),
            ),
        ])?;
        let home = prefix(&self.output).unwrap_or_default();
        let home = home.trim_end_matches('/');
        if !home.is_empty() && !buckets::is_folder(home) {
            return Err(imports::wrong_prefix());
        }
        let reports = output.and_then(|output| output.reports.as_deref());
        if reports.unwrap_or_default().is_empty() {
            return Err(fault::validation(
                "OutputType names at least one type of output",
            ));
        }
        Ok(())
    }
}
