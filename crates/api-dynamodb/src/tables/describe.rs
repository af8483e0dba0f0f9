//! A table as `DescribeTable` tells it.

use std::collections::BTreeMap;
use std::fmt;

use api_protocol::caller::Caller;
use api_protocol::timestamp;
use base::arn::Arn;
use base::name::AccountId;
use base::region::RegionName;
use clock::time::WallTime;
use control::backups::Restore;
use control::tables::{Replica, ReplicaStatus, Table};
use serde_json::{Map, Value, json};
use store::port::Store;

use super::{encryption, throughput};
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::settings::{Own, Reads, Shared};

/// The state of a table, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// This region's replica is being filled.
    Creating,
    /// Another region's replica is being filled.
    Updating,
    /// It is going.
    Deleting,
    /// It serves.
    Active,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Active => "ACTIVE",
        })
    }
}

impl<S: Store> DynamoDb<S> {
    /// Returns a table's description, in `status` or in the state it is in.
    pub(crate) fn description(
        &self,
        caller: &Caller,
        open: &OpenTable,
        status: Option<Status>,
    ) -> Value {
        let table = &open.view.table;
        let shared = Shared::of(table);
        let own = self.own_replica(open).map(Own::of).unwrap_or_default();
        let status = status.unwrap_or_else(|| status_of(open));
        let arn = self.table_arn(caller, &table.name);
        let created = WallTime::from_micros(table.created);
        let keys = std::iter::once((&table.partition, "HASH"));
        let keys: Vec<_> = keys
            .chain(table.sort.iter().map(|sort| (sort, "RANGE")))
            .collect();
        let schema = keys
            .iter()
            .map(|(key, role)| json!({ "AttributeName": key.name, "KeyType": role }));
        let indexes = open.view.indexes.iter();
        let used = indexes.flat_map(|index| index.partition_key.iter().chain(&index.sort_key));
        let used = used.chain(keys.iter().map(|(key, _)| *key));
        let used: BTreeMap<_, _> = used.map(|key| (&key.name, &key.kind)).collect();
        let definitions = used
            .iter()
            .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }));
        let (read, write) = shared.throughput.unwrap_or_default();
        let now = self.control.clock().wall();
        let own_reads = own.reads.billed(&shared);
        let read = own_reads.provisioned.unwrap_or(read);
        let mut description = json!({
            "TableName": table.name,
            "TableStatus": status.to_string(),
            "TableArn": arn,
            "TableId": table_id(table),
            "CreationDateTime": timestamp::epoch(created),
            "KeySchema": schema.collect::<Vec<_>>(),
            "AttributeDefinitions": definitions.collect::<Vec<_>>(),
            "ProvisionedThroughput": shared.turns.describe(now, (read, write)),
            "DeletionProtectionEnabled": own.protected,
        });
        if let Some(members) = description.as_object_mut() {
            describe_shared(members, (&shared, &own), &arn);
            let place = (&self.control.project().region, caller.account);
            encryption::describe(members, (&shared, &own), place);
            let own_most = own_reads.on_demand;
            if shared.on_demand.is_some() || own_most.is_some() {
                let (read, write) = shared.on_demand.unwrap_or_default();
                let most = throughput::describe_most((own_most.or(read), write));
                members.insert("OnDemandThroughput".to_owned(), most);
            }
            let warm = throughput::describe_warm(shared.warm_of(), &status.to_string());
            members.insert("WarmThroughput".to_owned(), warm);
            self.describe_replicas(members, (open, &shared), caller.account);
            if let Some(restore) = self.own_replica(open).and_then(|own| own.restore.as_ref()) {
                let summary = self.describe_restore(caller, restore, open.def.filling);
                members.insert("RestoreSummary".to_owned(), summary);
            }
            self.describe_indexes(members, open, &shared, &arn);
            let (count, bytes) = self.control.tables().size(open.def.id);
            members.insert("ItemCount".to_owned(), count.into());
            members.insert("TableSizeBytes".to_owned(), bytes.into());
        }
        description
    }

    pub(crate) fn table_arn(&self, caller: &Caller, name: &str) -> String {
        self.arn(caller, format!("table/{name}"))
    }

    /// Returns the ARN of a resource of this region.
    pub(crate) fn arn(&self, caller: &Caller, resource: String) -> String {
        let region = &self.control.project().region;
        Arn::new("dynamodb", region, caller.account, resource).to_string()
    }

    /// Tells the other regions' replicas, if there are any, and how settings are synchronised.
    fn describe_replicas(
        &self,
        members: &mut Map<String, Value>,
        (open, shared): (&OpenTable, &Shared),
        account: AccountId,
    ) {
        let own = &self.control.project().region;
        let others = open.view.replicas.values();
        let others = others.filter(|replica| replica.region != own.as_str());
        let mut told: Vec<Value> = others
            .map(|replica| {
                let region = RegionName::parse(&replica.region).ok();
                let percent = region.and_then(|region| {
                    let is_filled = replica.status == ReplicaStatus::Creating;
                    let table = open.def.id;
                    self.control
                        .copied_percent(&region, table)
                        .filter(|_| is_filled)
                });
                describe_replica(replica, shared, (account, percent))
            })
            .collect();
        let going = self.going.regions(&self.control, open.def.id).into_iter();
        // One that is made anew meanwhile is told as what it becomes.
        let going = going.filter(|region| !open.view.replicas.contains_key(region.as_str()));
        told.extend(
            going.map(
                |region| json!({ "RegionName": region.as_str(), "ReplicaStatus": "DELETING" }),
            ),
        );
        if told.is_empty() {
            if let Some(mode) = &shared.settings_mode {
                members.insert(SETTINGS_MODE.to_owned(), mode.as_str().into());
            }
            return;
        }
        let here = open.view.replicas.get(own.as_str());
        let leaves = here.is_some_and(|here| Own::of(here).leaves);
        let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
        tell("GlobalTableVersion", "2019.11.21".into());
        tell("Replicas", Value::Array(told));
        tell("DisassociationProtectionEnabled", (!leaves).into());
        tell(SETTINGS_MODE, WITH_OVERRIDES.into());
    }

    fn describe_restore(&self, caller: &Caller, restore: &Restore, in_progress: bool) -> Value {
        let mut summary = json!({
            "SourceTableArn": self.table_arn(caller, &restore.table_name),
            "RestoreDateTime": timestamp::epoch(WallTime::from_micros(restore.at)),
            "RestoreInProgress": in_progress,
        });
        if let (Some(arn), Some(members)) = (&restore.backup_arn, summary.as_object_mut()) {
            members.insert("SourceBackupArn".to_owned(), arn.as_str().into());
        }
        summary
    }
}

fn status_of(open: &OpenTable) -> Status {
    if open.def.filling {
        Status::Creating
    } else if open.is_updating() {
        Status::Updating
    } else {
        Status::Active
    }
}

fn describe_shared(members: &mut Map<String, Value>, (shared, own): (&Shared, &Own), arn: &str) {
    let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if let Some(since) = shared.on_demand_since {
        let since = timestamp::epoch(WallTime::from_micros(since));
        let mode = shared.billing.as_deref().unwrap_or("PROVISIONED");
        let summary = json!({
            "BillingMode": mode,
            "LastUpdateToPayPerRequestDateTime": since,
        });
        tell("BillingModeSummary", summary);
    }
    if let Some(class) = own.class.as_ref().or(shared.class.as_ref()) {
        tell("TableClassSummary", json!({ "TableClass": class }));
    }
    if let Some(view) = &shared.stream {
        let stream = json!({ "StreamEnabled": true, "StreamViewType": view });
        tell("StreamSpecification", stream);
    }
    if let Some(label) = &shared.stream_label {
        tell("LatestStreamLabel", label.as_str().into());
        tell("LatestStreamArn", format!("{arn}/stream/{label}").into());
    }
}

fn describe_replica(
    replica: &Replica,
    shared: &Shared,
    (account, percent): (AccountId, Option<u8>),
) -> Value {
    let status = match replica.status {
        ReplicaStatus::Creating => "CREATING",
        ReplicaStatus::Active => "ACTIVE",
    };
    let own = Own::of(replica);
    let mut told = json!({
        "RegionName": replica.region,
        "ReplicaStatus": status,
        "WarmThroughput": throughput::describe_warm(shared.warm_of(), status),
        SETTINGS_MODE: WITH_OVERRIDES,
    });
    if let Some(members) = told.as_object_mut() {
        if let Some(percent) = percent {
            let percent = percent.to_string();
            members.insert("ReplicaStatusPercentProgress".to_owned(), percent.into());
        }
        if let Some(class) = &own.class {
            let class = json!({ "TableClass": class });
            members.insert("ReplicaTableClassSummary".to_owned(), class);
        }
        describe_reads(members, own.reads.billed(shared));
        let region = RegionName::parse(&replica.region).ok();
        if let (true, Some(key), Some(region)) = (shared.kms, &own.kms_key, region) {
            let key = encryption::key_arn(Some(key), &region, account);
            members.insert("KMSMasterKeyId".to_owned(), key.into());
        }
        let reads = own.index_reads.iter();
        let reads = reads.map(|(name, reads)| (name, reads.billed(shared)));
        let overridden = reads.filter(|(_, reads)| *reads != Reads::default());
        let indexes = overridden.map(|(name, reads)| {
            let mut index = Map::new();
            index.insert("IndexName".to_owned(), name.as_str().into());
            describe_reads(&mut index, reads);
            Value::Object(index)
        });
        let indexes: Vec<Value> = indexes.collect();
        if !indexes.is_empty() {
            members.insert("GlobalSecondaryIndexes".to_owned(), indexes.into());
        }
    }
    told
}

/// Tells what a replica serves to readers, where it differs from the others.
fn describe_reads(members: &mut Map<String, Value>, reads: Reads) {
    if let Some(units) = reads.provisioned {
        let told = json!({ "ReadCapacityUnits": units });
        members.insert("ProvisionedThroughputOverride".to_owned(), told);
    }
    if let Some(units) = reads.on_demand {
        let told = json!({ "MaxReadRequestUnits": units });
        members.insert("OnDemandThroughputOverride".to_owned(), told);
    }
}

/// Returns a table's number in the form that its identifier has on the wire, a UUID.
pub(crate) fn table_id(table: &Table) -> String {
    let id = table.id;
    let made = table.created.unsigned_abs();
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        id >> 32,
        (id >> 16) & 0xffff,
        id & 0xfff,
        (id >> 12) & 0xf,
        made & 0xffff_ffff_ffff
    )
}

const SETTINGS_MODE: &str = "GlobalTableSettingsReplicationMode";

const WITH_OVERRIDES: &str = "ENABLED_WITH_OVERRIDES";
