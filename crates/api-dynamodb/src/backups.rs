//! Backups of tables: asked for, told about, deleted.
//!
//! It copies nothing: what is asked for is a resource, and `control` works on it.
//! Source: DynamoDB API reference, `CreateBackup` and its kin.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::{json, timestamp};
use clock::time::WallTime;
use control::backups::{Backup, BackupStatus};
use control::tables::Table;
use control::tables::indexes::Index;
use serde_json::{Map, Value, json as json_value};
use store::port::Store;

use crate::catalog::OpenTable;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::limits::LIST_BACKUPS_MAX;
use crate::settings::Shared;
use crate::tables::{self, IndexSettings};
use crate::wire::shape;

pub(crate) mod continuous;
mod restore;

shape! {
    /// The members of `CreateBackup`.
    CreateIn {
        table: "TableName" as String,
        name: "BackupName" as String,
    }
}

shape! {
    /// The members of calls that name a backup and nothing else.
    NamedIn { arn: "BackupArn" as String, }
}

shape! {
    /// The members of `ListBackups`.
    ListIn {
        table: "TableName" as String,
        limit: "Limit" as i64,
        from: "TimeRangeLowerBound" as f64,
        to: "TimeRangeUpperBound" as f64,
        after: "ExclusiveStartBackupArn" as String,
        kind: "BackupType" as String,
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `CreateBackup`.
    pub(crate) async fn create_backup(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: CreateIn = json::parse(body)?;
        let open = self.backed_up(&request.table.unwrap_or_default())?;
        let name = request.name.unwrap_or_default();
        let made = self.control.create_backup(&open.view, &name).await;
        let made = made.map_err(|error| tables::table_failed(&error, &open.view.table.name))?;
        let answer = json_value!({ "BackupDetails": self.backup_details(caller, &made) });
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `DescribeBackup`.
    pub(crate) fn describe_backup(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let backup = self.backup(caller, &request.arn.unwrap_or_default())?;
        let status = status_of(&backup);
        let description = self.backup_description(caller, &backup, status);
        let answer = json_value!({ "BackupDescription": description });
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `DeleteBackup`: what it held goes a moment later.
    pub(crate) async fn delete_backup(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let arn = request.arn.unwrap_or_default();
        let backup = self.backup(caller, &arn)?;
        let restoring = self.control.restoring();
        let mut restores = restoring.iter().filter_map(|own| own.restore.as_ref());
        let is_read = restores.any(|restore| restore.backup == Some(backup.id));
        if is_read || backup.status == BackupStatus::Creating {
            return Err(backup_in_use(&arn).into());
        }
        let deleted = self.control.delete_backup(&backup).await;
        deleted.map_err(|error| tables::control_failed(&error, &arn))?;
        let description = self.backup_description(caller, &backup, "DELETED");
        let answer = json_value!({ "BackupDescription": description });
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `ListBackups`, the oldest first.
    pub(crate) fn list_backups(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: ListIn = json::parse(body)?;
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(LIST_BACKUPS_MAX);
        let mut backups = self.control.backups();
        backups.retain(|backup| request.asks_for(self, backup));
        backups.sort_by_key(|backup| (backup.created, backup.id));
        let arns = backups.iter().map(|backup| self.backup_arn(caller, backup));
        let mut listed: Vec<(String, &Backup)> = arns.zip(&backups).collect();
        if let Some(after) = &request.after {
            let at = listed.iter().position(|(arn, _)| arn == after);
            let at = at.ok_or_else(|| {
                fault::invalid_parameter(format_args!(
                    "ExclusiveStartBackupArn is unknown: {after}"
                ))
            })?;
            listed.drain(..=at);
        }
        let more = limit < listed.len();
        listed.truncate(limit);
        let last = listed.last().map(|(arn, _)| arn.clone());
        let summaries = listed.iter().map(|(arn, backup)| {
            let table_arn = self.table_arn(caller, &backup.table.name);
            let mut summary = Map::new();
            let mut tell = |name: &str, value: Value| summary.insert(name.to_owned(), value);
            tell("TableName", backup.table.name.as_str().into());
            tell("TableId", tables::table_id(&backup.table).into());
            tell("TableArn", table_arn.into());
            describe(&mut summary, backup, arn, status_of(backup));
            Value::Object(summary)
        });
        let mut answer = json_value!({ "BackupSummaries": summaries.collect::<Vec<_>>() });
        if let (true, Some(last), Some(members)) = (more, last, answer.as_object_mut()) {
            members.insert("LastEvaluatedBackupArn".to_owned(), last.into());
        }
        Ok(answer.to_string().into_bytes())
    }

    /// Returns a table that can be backed up.
    pub(crate) fn backed_up(&self, given: &str) -> Result<std::sync::Arc<OpenTable>, Refused> {
        let missing = || {
            let message = format!("Table not found: {given}");
            Fault::caller("TableNotFoundException", message)
        };
        let open = self.find(given).ok_or_else(missing)?;
        if open.def.filling {
            let message = format!("Table is being created: {given}");
            return Err(Fault::caller("TableInUseException", message).into());
        }
        Ok(open)
    }

    fn backup(&self, caller: &Caller, arn: &str) -> Result<Backup, Refused> {
        let mut backups = self.control.backups().into_iter();
        let found = backups.find(|backup| self.backup_arn(caller, backup) == arn);
        Ok(found.ok_or_else(|| no_backup(arn))?)
    }

    fn backup_arn(&self, caller: &Caller, backup: &Backup) -> String {
        let table = self.table_arn(caller, &backup.table.name);
        let millis = WallTime::from_micros(backup.created).as_millis();
        let number = backup.id & 0xffff_ffff;
        format!("{table}/backup/{millis:014}-{number:08x}")
    }

    fn backup_details(&self, caller: &Caller, backup: &Backup) -> Value {
        let mut details = Map::new();
        let arn = self.backup_arn(caller, backup);
        describe(&mut details, backup, &arn, status_of(backup));
        Value::Object(details)
    }

    fn backup_description(&self, caller: &Caller, backup: &Backup, status: &str) -> Value {
        let Backup { table, .. } = backup;
        let shared = Shared::of(table);
        let (read, write) = shared.throughput.unwrap_or_default();
        let mut source = json_value!({
            "TableName": table.name,
            "TableId": tables::table_id(table),
            "TableArn": self.table_arn(caller, &table.name),
            "KeySchema": key_schema(table),
            "TableCreationDateTime": timestamp::epoch(WallTime::from_micros(table.created)),
            "ProvisionedThroughput": { "ReadCapacityUnits": read, "WriteCapacityUnits": write },
            "BillingMode": shared.billing.as_deref().unwrap_or("PROVISIONED"),
        });
        if let (Some(most), Some(source)) = (shared.on_demand, source.as_object_mut()) {
            let most = tables::throughput::describe_most(most);
            source.insert("OnDemandThroughput".to_owned(), most);
        }
        if let (BackupStatus::Available, Some(source)) = (backup.status, source.as_object_mut()) {
            source.insert("TableSizeBytes".to_owned(), backup.bytes.into());
            source.insert("ItemCount".to_owned(), backup.items.into());
        }
        let mut details = self.backup_details(caller, backup);
        if let Some(details) = details.as_object_mut() {
            details.insert("BackupStatus".to_owned(), status.into());
        }
        json_value!({
            "BackupDetails": details,
            "SourceTableDetails": source,
            "SourceTableFeatureDetails": features(backup, &shared),
        })
    }
}

impl ListIn {
    fn asks_for<S: Store>(&self, facade: &DynamoDb<S>, backup: &Backup) -> bool {
        let name = self.table.as_deref().map(|given| facade.plain_name(given));
        let seconds = timestamp::epoch(WallTime::from_micros(backup.created));
        let seconds = seconds.as_f64().unwrap_or_default();
        name.is_none_or(|name| name == Some(backup.table.name.as_str()))
            && self.from.is_none_or(|from| from <= seconds)
            && self.to.is_none_or(|to| seconds < to)
            && self
                .kind
                .as_deref()
                .is_none_or(|kind| kind == "USER" || kind == "ALL")
    }
}

/// Tells what backups tell everywhere.
fn describe(members: &mut Map<String, Value>, backup: &Backup, arn: &str, status: &str) {
    let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
    // It holds the items of the moment, which comes right after the call.
    let at = WallTime::from_micros(backup.at.unwrap_or(backup.created));
    tell("BackupArn", arn.into());
    tell("BackupName", backup.name.as_str().into());
    tell("BackupStatus", status.into());
    tell("BackupType", "USER".into());
    tell("BackupCreationDateTime", timestamp::epoch(at).into());
    if backup.status == BackupStatus::Available {
        tell("BackupSizeBytes", backup.bytes.into());
    }
}

/// Tells what the table had beside its items.
fn features(backup: &Backup, shared: &Shared) -> Value {
    let mut features = Map::new();
    let mut tell = |name: &str, value: Value| features.insert(name.to_owned(), value);
    if let Some(view) = &shared.stream {
        let stream = json_value!({ "StreamEnabled": true, "StreamViewType": view });
        tell("StreamDescription", stream);
    }
    if shared.kms {
        // By which key is known of replicas, and it is not one's backup that goes on having it.
        let status = json_value!({ "Status": "ENABLED", "SSEType": "KMS" });
        tell("SSEDescription", status);
    }
    if let Some(expiry) = backup.expiry.as_ref().filter(|expiry| expiry.enabled) {
        let attribute = &expiry.attribute;
        let status = json_value!({ "TimeToLiveStatus": "ENABLED", "AttributeName": attribute });
        tell("TimeToLiveDescription", status);
    }
    for (is_local, name) in [
        (true, "LocalSecondaryIndexes"),
        (false, "GlobalSecondaryIndexes"),
    ] {
        let indexes = backup.indexes.iter();
        let told = indexes.filter(|index| index.is_local == is_local);
        let told: Vec<Value> = told.map(index).collect();
        if !told.is_empty() {
            tell(name, told.into());
        }
    }
    Value::Object(features)
}

fn index(index: &Index) -> Value {
    let (schema, projection) = tables::index_shape(index);
    let mut told = json_value!({
        "IndexName": index.name,
        "KeySchema": schema,
        "Projection": projection,
    });
    let settings = IndexSettings::of(index);
    if let Some(told) = told.as_object_mut() {
        if let Some((read, write)) = settings.throughput {
            let units = json_value!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write });
            told.insert("ProvisionedThroughput".to_owned(), units);
        }
        if let Some(most) = settings.on_demand {
            let most = tables::throughput::describe_most(most);
            told.insert("OnDemandThroughput".to_owned(), most);
        }
    }
    told
}

/// Tells a table's key.
pub(crate) fn key_schema(table: &Table) -> Vec<Value> {
    let keys = std::iter::once((&table.partition, "HASH"));
    let keys = keys.chain(table.sort.iter().map(|sort| (sort, "RANGE")));
    keys.map(|(key, role)| json_value!({ "AttributeName": key.name, "KeyType": role }))
        .collect()
}

fn status_of(backup: &Backup) -> &'static str {
    match backup.status {
        BackupStatus::Creating => "CREATING",
        BackupStatus::Available => "AVAILABLE",
    }
}

fn no_backup(arn: &str) -> Fault {
    Fault::caller(
        "BackupNotFoundException",
        format!("Backup not found: {arn}"),
    )
}

fn backup_in_use(arn: &str) -> Fault {
    let message = format!("Backup is being created, or a table is restored from it: {arn}");
    Fault::caller("BackupInUseException", message)
}
