//! UpdateTable: billing, stream, protection, and the replicas of a global table.
//!
//! Source: DynamoDB API reference, `UpdateTable`; global tables version 2019.11.21.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use base::region::RegionName;
use clock::time::WallTime;
use serde_json::{Value, json as json_value};
use store::port::Store;

use super::create::{self, DefinitionIn, EncryptionIn, StreamIn, ThroughputIn};
use super::index_updates::{self, IndexUpdateIn};
use super::{PROTECTED, in_use, table_failed};
use crate::catalog::OpenTable;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::settings::{Own, Shared};
use crate::streams;
use crate::wire::shape;

shape! {
    /// The members of `UpdateTable`.
    UpdateIn {
        table: "TableName" as String,
        definitions: "AttributeDefinitions" as Vec<DefinitionIn>,
        billing: "BillingMode" as String,
        throughput: "ProvisionedThroughput" as ThroughputIn,
        stream: "StreamSpecification" as StreamIn,
        encryption: "SSESpecification" as EncryptionIn,
        replicas: "ReplicaUpdates" as Vec<ReplicaIn>,
        class: "TableClass" as String,
        protected: "DeletionProtectionEnabled" as bool,
        indexes: "GlobalSecondaryIndexUpdates" as Vec<IndexUpdateIn>,
        vector_indexes: "VectorIndexUpdates" as Vec<Value>,
        consistency: "MultiRegionConsistency" as String,
        witnesses: "GlobalTableWitnessUpdates" as Vec<Value>,
        on_demand: "OnDemandThroughput" as Value,
        warm: "WarmThroughput" as Value,
        settings_mode: "GlobalTableSettingsReplicationMode" as String,
        keeps: "DisassociationProtectionEnabled" as bool,
    }
}

shape! {
    /// A change of one replica.
    ReplicaIn {
        create: "Create" as MemberIn,
        update: "Update" as MemberIn,
        delete: "Delete" as MemberIn,
        disassociate: "Disassociate" as MemberIn,
    }
}

shape! {
    /// Which replica, and how it differs from the others.
    MemberIn {
        region: "RegionName" as String,
        key: "KMSMasterKeyId" as String,
        throughput: "ProvisionedThroughputOverride" as Value,
        on_demand: "OnDemandThroughputOverride" as Value,
        indexes: "GlobalSecondaryIndexes" as Vec<Value>,
        class: "TableClassOverride" as String,
    }
}

/// A change of a replica, checked.
enum ReplicaChange {
    Create(RegionName),
    Delete(RegionName),
}

impl<S: Store> DynamoDb<S> {
    /// Answers `UpdateTable`.
    pub(crate) async fn update_table(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: UpdateIn = json::parse(body)?;
        request.refuse_unsupported()?;
        let given = request.table.clone().unwrap_or_default();
        let open = self
            .find(&given)
            .ok_or_else(|| fault::no_table_named(&given))?;
        let name = open.view.table.name.clone();
        let changes = self.replica_changes(&open, request.replicas.as_deref().unwrap_or(&[]))?;
        let deletes_only = !changes.is_empty()
            && changes
                .iter()
                .all(|change| matches!(change, ReplicaChange::Delete(_)));
        // A replica that cannot be filled must not lock the table: removing one is allowed.
        if open.is_updating() && !deletes_only {
            return Err(in_use(&format!("Table is being updated: {name}")).into());
        }
        let now = self.control.clock().wall();
        let shared = Shared::of(&open.view.table);
        let mut changed = request.shared(&open, &shared, &changes, now)?;
        let own = self.own_replica(&open).map(Own::of).unwrap_or_default();
        if let Some(changed) = &mut changed
            && changed.stream_since != shared.stream_since
        {
            changed.stream_roll = streams::roll_of(&own.tags)?;
        }
        let own_changed = Own {
            protected: request.protected.unwrap_or(own.protected),
            ..own.clone()
        };
        let has_indexes = request.indexes.as_ref().is_some_and(|all| !all.is_empty());
        let changes_else = !changes.is_empty() || changed.is_some() || request.protected.is_some();
        if !has_indexes && !changes_else {
            return Err(fault::validation(NOTHING).into());
        }
        if request.indexes.as_ref().is_some_and(Vec::is_empty) {
            let message = "List of GlobalSecondaryIndexUpdates is empty";
            return Err(fault::invalid_parameter(message).into());
        }
        let next = changed.as_ref().unwrap_or(&shared);
        let indexes = self.index_changes(&open, &request, (&shared, next))?;
        let shared_changed = changed.filter(|changed| *changed != shared);
        let own_changed = (own_changed != own).then_some(own_changed);
        let (shared_changed, own_changed) = (shared_changed.as_ref(), own_changed.as_ref());
        self.change_together(&open, shared_changed, own_changed, indexes.changes())
            .await?;
        self.change_replicas(&open, changes).await?;
        let open = self
            .find(&name)
            .ok_or_else(|| fault::no_table_named(&name))?;
        let mut description = self.description(caller, &open, None);
        if let Some(index) = &indexes.deleted {
            let arn = self.table_arn(caller, &name);
            let told = self.describe_index(&open, index, &Shared::of(&open.view.table), &arn);
            index_updates::add_going(&mut description, told);
        }
        Ok(json_value!({ "TableDescription": description })
            .to_string()
            .into_bytes())
    }

    /// Checks changes of replicas.
    fn replica_changes(
        &self,
        open: &OpenTable,
        replicas: &[ReplicaIn],
    ) -> Result<Vec<ReplicaChange>, Refused> {
        let mut changes = Vec::with_capacity(replicas.len());
        for replica in replicas {
            let (member, creates) = replica.only()?;
            let region = member.region.as_deref().unwrap_or_default();
            if region == self.control.project().region.as_str() {
                return Err(fault::validation(LOCAL).into());
            }
            let Some(known) = self.control.project().region_named(region) else {
                let message = format_args!("Region {region} is not a region of this project");
                return Err(fault::invalid_parameter(message).into());
            };
            let there = open.view.replicas.get(region);
            changes.push(match (creates, there) {
                (true, None) => ReplicaChange::Create(known.name.clone()),
                (true, Some(_)) => {
                    let message = format_args!("Table already has a replica in region {region}");
                    return Err(fault::invalid_parameter(message).into());
                }
                (false, None) => {
                    let message = format_args!("Table has no replica in region {region}");
                    return Err(fault::invalid_parameter(message).into());
                }
                (false, Some(there)) if Own::of(there).protected => {
                    return Err(fault::validation(PROTECTED).into());
                }
                (false, Some(_)) => ReplicaChange::Delete(known.name.clone()),
            });
        }
        Ok(changes)
    }

    async fn change_replicas(
        &self,
        open: &OpenTable,
        changes: Vec<ReplicaChange>,
    ) -> Result<(), Refused> {
        let name = &open.view.table.name;
        for change in changes {
            let changed = match &change {
                ReplicaChange::Create(region) => {
                    let settings = Own::default().to_value();
                    self.control
                        .create_replica(&open.view, region, settings)
                        .await
                }
                ReplicaChange::Delete(region) => {
                    self.control.delete_replica(&open.view, region).await
                }
            };
            changed.map_err(|error| table_failed(&error, name))?;
        }
        Ok(())
    }
}

impl UpdateIn {
    /// Refuses what tables do not have here.
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        let strong = self
            .consistency
            .as_deref()
            .is_some_and(|mode| mode != "EVENTUAL");
        create::refuse(&[
            ("VectorIndexUpdates", self.vector_indexes.is_some()),
            (
                "SSESpecification",
                create::is_encrypted(self.encryption.as_ref()),
            ),
            ("MultiRegionConsistency STRONG", strong),
            ("GlobalTableWitnessUpdates", self.witnesses.is_some()),
            ("OnDemandThroughput", self.on_demand.is_some()),
            ("WarmThroughput", self.warm.is_some()),
            (
                "GlobalTableSettingsReplicationMode",
                self.settings_mode.is_some(),
            ),
            ("DisassociationProtectionEnabled", self.keeps.is_some()),
        ])
    }

    /// Returns the shared settings as they become; `None` where the request names none of them.
    fn shared(
        &self,
        open: &OpenTable,
        shared: &Shared,
        changes: &[ReplicaChange],
        now: WallTime,
    ) -> Result<Option<Shared>, Fault> {
        let creates = changes
            .iter()
            .any(|change| matches!(change, ReplicaChange::Create(_)));
        let bills = self.billing.is_some() || self.throughput.is_some();
        if !bills && self.stream.is_none() && self.class.is_none() && !creates {
            return Ok(None);
        }
        let mut changed = shared.clone();
        if bills {
            let (billing, units) = (self.billing.as_deref(), self.throughput.as_ref());
            create::bill(&mut changed, billing, units, now)?;
            if units.is_some() && changed.throughput == shared.throughput {
                return Err(same_throughput(shared.throughput.unwrap_or_default()));
            }
        }
        if let Some(class) = &self.class {
            changed.class = Some(class.clone());
        }
        if let Some(stream) = &self.stream {
            change_stream(&mut changed, open, stream, now)?;
        }
        if creates && changed.stream.is_none() {
            // Replicas need one, so it switches on by itself, as on AWS.
            let stream = StreamIn {
                enabled: Some(true),
                view: Some("NEW_AND_OLD_IMAGES".to_owned()),
            };
            create::start_stream(&mut changed, &stream, now)?;
        }
        Ok(Some(changed))
    }
}

impl ReplicaIn {
    /// Returns the one change that an element has, and whether it creates.
    fn only(&self) -> Result<(&MemberIn, bool), Fault> {
        let (member, creates) = match (&self.create, &self.delete) {
            (Some(member), None) => (member, true),
            (None, Some(member)) => (member, false),
            (None, None) if self.update.is_some() || self.disassociate.is_some() => {
                create::refuse(&[
                    ("ReplicaUpdates Update", self.update.is_some()),
                    ("ReplicaUpdates Disassociate", self.disassociate.is_some()),
                ])?;
                return Err(one_of());
            }
            (None, None) | (Some(_), Some(_)) => return Err(one_of()),
        };
        if self.update.is_some() || self.disassociate.is_some() {
            return Err(one_of());
        }
        create::refuse(&[
            ("KMSMasterKeyId", member.key.is_some()),
            ("ProvisionedThroughputOverride", member.throughput.is_some()),
            ("OnDemandThroughputOverride", member.on_demand.is_some()),
            ("GlobalSecondaryIndexes", member.indexes.is_some()),
            ("TableClassOverride", member.class.is_some()),
        ])?;
        Ok((member, creates))
    }
}

/// Starts or ends a table's stream, which a global table must keep as it is.
fn change_stream(
    shared: &mut Shared,
    open: &OpenTable,
    stream: &StreamIn,
    now: WallTime,
) -> Result<(), Fault> {
    let name = &open.view.table.name;
    let is_global = open.view.replicas.len() > 1;
    match (stream.enabled, &shared.stream) {
        (Some(true), Some(_)) => {
            let message = format!("Table already has an enabled stream: TableName: {name}");
            Err(fault::validation(message))
        }
        (Some(true), None) => create::start_stream(shared, stream, now),
        (Some(false) | None, None) => {
            let message = format!("Table has no stream to disable: TableName: {name}");
            Err(fault::validation(message))
        }
        (Some(false) | None, Some(_)) if is_global => Err(fault::validation(
            "Disabling the stream is not allowed for a table that is part of a Global Table",
        )),
        (Some(false) | None, Some(_)) => {
            // The label stays: the stream can still be read by its name.
            shared.end_stream(open.view.table.created, now.as_micros());
            Ok(())
        }
    }
}

fn same_throughput((read, write): (u64, u64)) -> Fault {
    fault::validation(format!(
        "The provisioned throughput for the table will not change. The requested value equals the \
         current value. Current ReadCapacityUnits provisioned for the table: {read}. Requested \
         ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for the table: {write}. \
         Requested WriteCapacityUnits: {write}. Refer to the Amazon DynamoDB Developer Guide for \
         current limits and how to request higher limits."
    ))
}

fn one_of() -> Fault {
    fault::validation(
        "One of Create, Update, Delete or Disassociate must be given for each element of \
         ReplicaUpdates",
    )
}

const LOCAL: &str = "Cannot add, delete, or update the local region through ReplicaUpdates. Use \
                     CreateTable, DeleteTable, or UpdateTable as required.";

const NOTHING: &str = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, \
                       GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is \
                       required";
