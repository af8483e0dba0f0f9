//! UpdateTable: billing, stream, protection, and the replicas of a global table.
//!
//! Source: DynamoDB API reference, `UpdateTable`; global tables version 2019.11.21.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use clock::time::WallTime;
use control::resource::Change;
use control::tables::Replica;
use serde_json::{Value, json as json_value};
use store::port::Store;

use super::create::{self, DefinitionIn, StreamIn, ThroughputIn};
use super::encryption::{Encryption, EncryptionIn};
use super::in_use;
use super::index_updates::{self, IndexChanges, IndexUpdateIn};
use super::provisioned;
use super::replica_updates::{self, ReplicaChange, ReplicaIn};
use super::strong::{self, WitnessIn};
use super::throughput::{OnDemandIn, WarmIn};
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
        witnesses: "GlobalTableWitnessUpdates" as Vec<WitnessIn>,
        on_demand: "OnDemandThroughput" as OnDemandIn,
        warm: "WarmThroughput" as WarmIn,
        settings_mode: "GlobalTableSettingsReplicationMode" as String,
        keeps: "DisassociationProtectionEnabled" as bool,
    }
}

/// What changes with nothing else.
#[derive(Clone, Copy)]
enum Alone {
    Encryption,
    Disassociation,
}

/// What a request makes of a table.
struct Plan {
    /// Its settings, where they change.
    shared: Option<Shared>,
    /// Those of this region's replica, where they change.
    own: Option<Own>,
    indexes: IndexChanges,
    replicas: Vec<ReplicaChange>,
    /// Replicas that forget a class or a key of KMS of their own.
    forgotten: Vec<Change>,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `UpdateTable`.
    pub(crate) async fn update_table(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: UpdateIn = json::parse(body)?;
        request.refuse_unsupported()?;
        let given = request.table.clone().unwrap_or_default();
        // What is planned holds until it is done: nobody else takes what is left of the account.
        let turn = self.control.turn().await;
        let open = self
            .find(&given)
            .ok_or_else(|| fault::no_table_named(&given))?;
        let name = open.view.table.name.clone();
        request.check_strong(self.control.project().region.as_str())?;
        let plan = self.plan(&open, &request)?;
        let (shared, own) = (plan.shared.as_ref(), plan.own.as_ref());
        let (mut changes, replicas) = replica_updates::split(&plan.replicas);
        changes.extend(plan.indexes.changes());
        changes.extend(plan.forgotten);
        let changed = self.change_together(&turn, &open, (shared, own), changes, &replicas);
        if let Some(position) = changed.await? {
            for region in plan.replicas.iter().filter_map(ReplicaChange::deleted) {
                self.going.note(open.def.id, region.clone(), position);
            }
        }
        drop(turn);
        let open = self
            .find(&name)
            .ok_or_else(|| fault::no_table_named(&name))?;
        let mut description = self.description(caller, &open, None);
        for region in plan.replicas.iter().filter_map(ReplicaChange::deleted) {
            replica_updates::add_going(&mut description, region);
        }
        if let Some(index) = &plan.indexes.deleted {
            let arn = self.table_arn(caller, &name);
            let told = self.describe_index(&open, index, &Shared::of(&open.view.table), &arn);
            index_updates::add_going(&mut description, told);
        }
        Ok(json_value!({ "TableDescription": description })
            .to_string()
            .into_bytes())
    }

    /// Returns what a request makes of a table.
    fn plan(&self, open: &OpenTable, request: &UpdateIn) -> Result<Plan, Refused> {
        let shared = Shared::of(&open.view.table);
        let own = self.own_replica(open).map(Own::of).unwrap_or_default();
        let given = request.encryption.as_ref();
        let encryption = given.map(|given| given.encryption(&self.control.project().region));
        let encryption = encryption.transpose()?;
        let kms = encryption.as_ref().map_or(shared.kms, Encryption::is_kms);
        let replicas = request.replicas.as_deref().unwrap_or_default();
        let replicas = self.replica_changes((open, kms), replicas)?;
        let is_delete = |change: &ReplicaChange| matches!(change, ReplicaChange::Delete(_));
        let deletes_only = !replicas.is_empty() && replicas.iter().all(is_delete);
        // A replica that cannot be filled must not lock the table: removing one is allowed.
        if open.is_updating() && !deletes_only {
            let name = &open.view.table.name;
            return Err(in_use(&format!("Table is being updated: {name}")).into());
        }
        let now = self.control.clock().wall();
        let mut changed = request.shared(open, &shared, &replicas, now)?;
        if let Some(changed) = &mut changed
            && changed.stream_since != shared.stream_since
        {
            changed.stream_roll = streams::roll_of(&own.tags)?;
        }
        let mut own_changed = Own {
            protected: request.protected.unwrap_or(own.protected),
            leaves: request.keeps.map_or(own.leaves, |keeps| !keeps),
            ..own.clone()
        };
        if request.keeps.is_some() {
            request.check_alone(Alone::Disassociation, &replicas)?;
        }
        let mut forgotten = Vec::new();
        if request.class.is_some() {
            // A class that is set is that of all replicas.
            own_changed.class = None;
            forgotten = self.others_forget(open, &replicas, |own| own.class = None);
        }
        if let Some(encryption) = &encryption {
            request.check_alone(Alone::Encryption, &replicas)?;
            encryption.check_new(&shared, &own)?;
            let changed = changed.get_or_insert_with(|| shared.clone());
            encryption.set(changed, &mut own_changed);
            if !encryption.is_kms() {
                let kept = self.others_forget(open, &replicas, |own| own.kms_key = None);
                forgotten.extend(kept);
            }
        }
        request.check_any(!replicas.is_empty() || changed.is_some())?;
        if replicas.is_empty() {
            // With replicas they were checked before; beside anything else they say nothing.
            request.refuse_consistency()?;
        }
        let next = changed.as_ref().unwrap_or(&shared);
        let indexes = self.index_changes(open, request, (&shared, next))?;
        let indexes_after = indexes.after(&open.view.indexes);
        self.check_account(
            provisioned::provisioned((&shared, &own), open.view.indexes.iter()),
            provisioned::provisioned((next, &own_changed), indexes_after),
        )?;
        Ok(Plan {
            shared: changed.filter(|changed| *changed != shared),
            own: (own_changed != own).then_some(own_changed),
            indexes,
            replicas,
            forgotten,
        })
    }

    /// Takes a setting from the other regions' replicas that do not change anyhow.
    fn others_forget(
        &self,
        open: &OpenTable,
        changes: &[ReplicaChange],
        forget: impl Fn(&mut Own),
    ) -> Vec<Change> {
        let here = self.control.project().region.as_str();
        let changes_anyhow = |other: &Replica| {
            let mut changes = changes.iter();
            changes.any(|change| match change {
                ReplicaChange::Update(replica, _) => replica.region == other.region,
                ReplicaChange::Create(..) | ReplicaChange::Delete(_) => false,
            })
        };
        let others = open.view.replicas.values();
        let others = others.filter(|other| other.region != here && !changes_anyhow(other));
        let forgotten = others.filter_map(|other| {
            let own = Own::of(other);
            let mut left = own.clone();
            forget(&mut left);
            let changed = Replica {
                settings: left.over(&other.settings),
                ..other.clone()
            };
            (left != own).then(|| Change::replace(other, &changed))
        });
        forgotten.collect()
    }
}

impl UpdateIn {
    /// Checks that nothing else changes: with encryption only the keys of replicas do.
    fn check_alone(&self, what: Alone, changes: &[ReplicaChange]) -> Result<(), Fault> {
        let (name, may_update, is_other) = match what {
            Alone::Encryption => ("Server-Side Encryption", true, self.keeps.is_some()),
            Alone::Disassociation => (
                "DisassociationProtectionEnabled",
                false,
                self.encryption.is_some(),
            ),
        };
        let is_update =
            |change: &ReplicaChange| may_update && matches!(change, ReplicaChange::Update(..));
        let is_alone = !is_other
            && self.billing.is_none()
            && self.throughput.is_none()
            && self.on_demand.is_none()
            && self.warm.is_none()
            && self.stream.is_none()
            && self.class.is_none()
            && self.settings_mode.is_none()
            && self.protected.is_none()
            && self.indexes.is_none()
            && changes.iter().all(is_update);
        if is_alone {
            return Ok(());
        }
        Err(fault::invalid_parameter(format_args!(
            "{name} modification must be the only operation in the request"
        )))
    }

    /// Checks that anything changes, `changes_else` or what is of indexes and of one replica.
    fn check_any(&self, changes_else: bool) -> Result<(), Fault> {
        let has_indexes = self.indexes.as_ref().is_some_and(|all| !all.is_empty());
        let own_given = [self.protected, self.keeps].iter().any(Option::is_some);
        if !has_indexes && !own_given && !changes_else {
            return Err(fault::validation(NOTHING));
        }
        if self.indexes.as_ref().is_some_and(Vec::is_empty) {
            let message = "List of GlobalSecondaryIndexUpdates is empty";
            return Err(fault::invalid_parameter(message));
        }
        Ok(())
    }

    /// Refuses more than eventual consistency for the table of region `own`.
    fn check_strong(&self, own: &str) -> Result<(), Fault> {
        strong::check(
            own,
            self.consistency.as_deref(),
            self.replicas.as_deref().unwrap_or_default(),
            self.witnesses.as_deref().unwrap_or_default(),
        )
    }

    /// Refuses more than eventual consistency where no replica is changed.
    fn refuse_consistency(&self) -> Result<(), Fault> {
        let is_strong = self.consistency.as_deref() == Some("STRONG");
        let has_witnesses = self.witnesses.as_ref().is_some_and(|all| !all.is_empty());
        create::refuse(&[
            ("MultiRegionConsistency", is_strong),
            ("GlobalTableWitnessUpdates", has_witnesses),
        ])
    }

    /// Refuses what tables do not have here.
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        create::refuse(&[
            ("VectorIndexUpdates", self.vector_indexes.is_some()),
            create::mode_refused(self.settings_mode.as_deref()),
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
            .any(|change| matches!(change, ReplicaChange::Create(..)));
        let bills = self.billing.is_some() || self.throughput.is_some();
        let serves = self.on_demand.is_some() || self.warm.is_some();
        let is_set = self.class.is_some() || self.settings_mode.is_some();
        if !bills && !serves && !is_set && self.stream.is_none() && !creates {
            return Ok(None);
        }
        let mut changed = shared.clone();
        if let Some(mode) = &self.settings_mode {
            changed.settings_mode = Some(settings_mode(open, mode)?);
        }
        if bills {
            let (billing, units) = (self.billing.as_deref(), self.throughput.as_ref());
            create::bill(&mut changed, billing, units, now)?;
            if units.is_some() && changed.throughput == shared.throughput {
                return Err(same_throughput(shared.throughput.unwrap_or_default()));
            }
            if let (Some(old), Some(new)) = (shared.throughput, changed.throughput) {
                changed.turns = changed.turns.turned(now, (old, new))?;
            }
        }
        create::serve(&mut changed, self.on_demand.as_ref(), self.warm.as_ref())?;
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

/// Returns how a table is to synchronise its settings, which only one of a single region is asked.
fn settings_mode(open: &OpenTable, mode: &str) -> Result<String, Fault> {
    if open.view.replicas.len() > 1 {
        return Err(fault::invalid_parameter(
            "GlobalTableSettingsReplicationMode can be updated only of a regional table",
        ));
    }
    if mode == "ENABLED_WITH_OVERRIDES" {
        return Err(fault::validation(
            "Value 'ENABLED_WITH_OVERRIDES' at 'GlobalTableSettingsReplicationMode' failed to \
             satisfy constraint: Only ENABLED and DISABLED settings replication are supported for \
             a Regional Table.",
        ));
    }
    Ok(mode.to_owned())
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
            "Disabling Stream is not allowed for a Global Table replica.",
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

const NOTHING: &str = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, \
                       GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, \
                       MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, \
                       DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass \
                       is required";
