//! `ReplicaUpdates` of UpdateTable: replicas made, changed and removed.
//!
//! It moves no items: a replica fills itself. Source: DynamoDB API reference, `UpdateTable`; global
//! tables version 2019.11.21; the words of refusals are the service's.

use std::collections::BTreeSet;

use api_protocol::fault::Fault;
use base::region::RegionName;
use control::resource::Change;
use control::tables::replicas::ReplicaDraft;
use control::tables::{Replica, TableError};
use serde_json::{Value, json as json_value};
use store::port::Store;

use super::encryption;
use super::throughput::{self, Of};
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::fault::{self, Refused};
use crate::limits::TABLE_READ_UNITS_MAX;
use crate::settings::{Own, Reads, Shared};
use crate::wire::shape;

shape! {
    /// A change of one replica.
    ReplicaIn {
        create: "Create" as MemberIn,
        update: "Update" as MemberIn,
        delete: "Delete" as MemberIn,
        disassociate: "Disassociate" as LeaveIn,
    }
}

shape! {
    /// Which replica, and how it differs from the others.
    MemberIn {
        region: "RegionName" as String,
        key: "KMSMasterKeyId" as String,
        throughput: "ProvisionedThroughputOverride" as UnitsIn,
        on_demand: "OnDemandThroughputOverride" as MostIn,
        indexes: "GlobalSecondaryIndexes" as Vec<IndexReadsIn>,
        class: "TableClassOverride" as String,
    }
}

shape! {
    /// The replica that is to leave.
    LeaveIn { region: "RegionName" as String, }
}

shape! {
    /// What a replica's index serves to readers.
    IndexReadsIn {
        name: "IndexName" as String,
        throughput: "ProvisionedThroughputOverride" as UnitsIn,
        on_demand: "OnDemandThroughputOverride" as MostIn,
    }
}

shape! {
    /// What a replica is provisioned to read.
    UnitsIn { read: "ReadCapacityUnits" as i64, }
}

shape! {
    /// The most that a replica serves to readers by use.
    MostIn { read: "MaxReadRequestUnits" as i64, }
}

/// A change of a replica, checked.
pub(super) enum ReplicaChange {
    Create(RegionName, Own),
    Update(Box<Replica>, Own),
    Delete(RegionName),
}

/// Adds a replica that goes to an answer, which tells of it even where it is gone already.
pub(super) fn add_going(description: &mut Value, region: &RegionName) {
    let Some(members) = description.as_object_mut() else {
        return;
    };
    let replicas = members.entry("Replicas").or_insert_with(|| json_value!([]));
    let is_told = |one: &Value| one["RegionName"] == region.as_str();
    if let Some(replicas) = replicas.as_array_mut()
        && !replicas.iter().any(is_told)
    {
        replicas.push(json_value!({
            "RegionName": region.as_str(),
            "ReplicaStatus": "DELETING",
        }));
    }
}

/// What an element does to its replica.
enum Action<'r> {
    Create(&'r MemberIn),
    Update(&'r MemberIn),
    Delete(&'r MemberIn),
}

impl<S: Store> DynamoDb<S> {
    /// Checks changes of replicas of a table that is, or becomes, encrypted by KMS or not.
    pub(super) fn replica_changes(
        &self,
        (open, kms): (&OpenTable, bool),
        replicas: &[ReplicaIn],
    ) -> Result<Vec<ReplicaChange>, Refused> {
        if replicas
            .iter()
            .any(|replica| replica.disassociate.is_some())
        {
            return Err(self.refuse_to_leave(open, replicas).into());
        }
        let mut changes = Vec::with_capacity(replicas.len());
        let mut named = BTreeSet::new();
        for replica in replicas {
            let action = replica.only()?;
            let (Action::Create(member) | Action::Update(member) | Action::Delete(member)) = action;
            let region = member.region.as_deref().unwrap_or_default();
            if region == self.control.project().region.as_str() {
                return Err(fault::validation(LOCAL).into());
            }
            let Some(known) = self.control.project().region_named(region) else {
                return Err(self.unknown_region(region).into());
            };
            if !named.insert(known.name.clone()) {
                return Err(fault::invalid_parameter(format_args!(
                    "Only one replica update per region is allowed simultaneously. Region: {region}"
                ))
                .into());
            }
            let there = open.view.replicas.get(region);
            changes.push(match (action, there) {
                (Action::Create(member), None) => {
                    let own = member.own(Own::default(), (open, kms), &known.name)?;
                    ReplicaChange::Create(known.name.clone(), own)
                }
                (Action::Create(_), Some(_)) => {
                    let name = open.view.table.name.clone();
                    let region = region.to_owned();
                    let there = TableError::NameTaken { region };
                    return Err(super::table_failed(&there, &name).into());
                }
                (Action::Update(_) | Action::Delete(_), None) => {
                    return Err(not_a_member(region).into());
                }
                (Action::Update(member), Some(there)) => {
                    let own = member.own(Own::of(there), (open, kms), &known.name)?;
                    ReplicaChange::Update(Box::new(there.clone()), own)
                }
                (Action::Delete(_), Some(there)) if Own::of(there).protected => {
                    return Err(fault::validation(format!(
                        "Cannot delete table {} in region {region} because it has deletion \
                         protection enabled. Disable deletion protection first.",
                        open.view.table.name
                    ))
                    .into());
                }
                (Action::Delete(_), Some(_)) => ReplicaChange::Delete(known.name.clone()),
            });
        }
        let deleted = changes.iter().filter_map(ReplicaChange::deleted);
        let deleted: Vec<&str> = deleted.map(RegionName::as_str).collect();
        if !deleted.is_empty() && super::leaves_none_whole(open, &deleted) {
            return Err(fault::validation(super::SOURCE).into());
        }
        Ok(changes)
    }

    fn unknown_region(&self, region: &str) -> Fault {
        let regions = self.control.project().regions.iter();
        let names: Vec<&str> = regions.map(|region| region.name.as_str()).collect();
        fault::validation(format!(
            "Region {region} is not supported. The latest version of global tables are only \
             supported in the following regions: [{}]",
            names.join(", ")
        ))
    }

    /// Returns why this region's replica does not leave its global table.
    fn refuse_to_leave(&self, open: &OpenTable, replicas: &[ReplicaIn]) -> Fault {
        let own = self.control.project().region.as_str();
        let [replica] = replicas else {
            return fault::validation(LEAVES_ALONE);
        };
        if replica.has_else() {
            return one_kind();
        }
        let leave = replica.disassociate.as_ref();
        let region = leave.and_then(|leave| leave.region.as_deref());
        let region = region.unwrap_or_default();
        if region != own {
            return fault::validation(format!(
                "Only the local replica can be disassociated from a global table. Local region: \
                 {own}, requested region: {region}"
            ));
        }
        if open.view.replicas.len() < 2 {
            return not_a_member(region);
        }
        if self
            .own_replica(open)
            .is_none_or(|own| !Own::of(own).leaves)
        {
            return fault::validation(format!(
                "Replica in region {region} cannot be disassociated as it is currently protected \
                 against disassociation. Disable disassociation protection first."
            ));
        }
        fault::invalid_parameter("ReplicaUpdates Disassociate is not supported by this endpoint")
    }
}

impl ReplicaChange {
    /// Returns the region of a replica that is removed.
    pub(super) fn deleted(&self) -> Option<&RegionName> {
        match self {
            Self::Delete(region) => Some(region),
            Self::Create(..) | Self::Update(..) => None,
        }
    }
}

/// Returns the changes of replicas that there are, and those that come and go.
pub(super) fn split(changes: &[ReplicaChange]) -> (Vec<Change>, Vec<ReplicaDraft>) {
    let (mut updates, mut drafts) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            ReplicaChange::Create(region, own) => {
                drafts.push(ReplicaDraft::Create(region.clone(), own.to_value()));
            }
            ReplicaChange::Update(replica, own) => {
                let changed = Replica {
                    settings: own.over(&replica.settings),
                    ..(**replica).clone()
                };
                updates.push(Change::replace(&**replica, &changed));
            }
            ReplicaChange::Delete(region) => drafts.push(ReplicaDraft::Delete(region.clone())),
        }
    }
    (updates, drafts)
}

impl ReplicaIn {
    /// Returns where a replica is to be made, where that is all that is asked.
    pub(super) fn created(&self) -> Option<&str> {
        let others = [&self.update, &self.delete]
            .into_iter()
            .any(Option::is_some);
        let member = self.create.as_ref().filter(|_| !others)?;
        Some(member.region.as_deref().unwrap_or_default())
    }

    fn has_else(&self) -> bool {
        let others = [&self.create, &self.update, &self.delete];
        others.into_iter().any(Option::is_some)
    }

    /// Returns the one change that an element has.
    fn only(&self) -> Result<Action<'_>, Fault> {
        let action = match (&self.create, &self.update, &self.delete) {
            (Some(member), None, None) => Action::Create(member),
            (None, Some(member), None) if member.is_empty() => return Err(no_action()),
            (None, Some(member), None) => Action::Update(member),
            (None, None, Some(member)) => Action::Delete(member),
            (None, None, None) => return Err(no_action()),
            (_, _, _) => return Err(one_kind()),
        };
        Ok(action)
    }
}

impl MemberIn {
    /// Returns whether it says nothing of its replica.
    fn is_empty(&self) -> bool {
        self.key.is_none()
            && self.throughput.is_none()
            && self.on_demand.is_none()
            && self.indexes.is_none()
            && self.class.is_none()
    }

    /// Returns a replica's own settings as they become, in a table that is encrypted by KMS or not.
    fn own(
        &self,
        mut own: Own,
        (open, kms): (&OpenTable, bool),
        region: &RegionName,
    ) -> Result<Own, Fault> {
        if !kms {
            own.kms_key = None;
        }
        if let Some(key) = &self.key {
            if !kms {
                return Err(fault::invalid_parameter(
                    "KMSMasterKeyId can be specified only when the table is encrypted by KMS",
                ));
            }
            own.kms_key = encryption::own_key(key, region)?;
        }
        let shared = Shared::of(&open.view.table);
        if let Some(class) = &self.class {
            // One that is the others' is none of its own.
            own.class = Some(class.clone()).filter(|class| class != shared.class_of());
        }
        let (units, most) = (self.throughput.as_ref(), self.on_demand.as_ref());
        own.reads = reads(Of::Table, own.reads, (units, most), &shared)?;
        let base = shared.throughput.map(|(read, _)| read);
        own.reads.provisioned = own.reads.provisioned.filter(|read| Some(*read) != base);
        for index in self.indexes.iter().flatten() {
            let name = index.name.as_deref().unwrap_or_default();
            let mut known = open.view.indexes.iter().filter(|known| !known.is_local);
            if !known.any(|known| known.name == name) {
                let message = format_args!("The table has no global secondary index {name}");
                return Err(fault::invalid_parameter(message));
            }
            let (units, most) = (index.throughput.as_ref(), index.on_demand.as_ref());
            let known = own.index_reads.remove(name).unwrap_or_default();
            let reads = reads(Of::Index(name), known, (units, most), &shared)?;
            if reads != Reads::default() {
                own.index_reads.insert(name.to_owned(), reads);
            }
        }
        Ok(own)
    }
}

/// Returns what a replica serves to readers as it becomes.
fn reads(
    of: Of<'_>,
    mut known: Reads,
    (units, most): (Option<&UnitsIn>, Option<&MostIn>),
    shared: &Shared,
) -> Result<Reads, Fault> {
    if let Some(units) = units.and_then(|units| units.read) {
        if shared.is_on_demand() {
            return Err(fault::invalid_parameter(format_args!(
                "ProvisionedThroughputOverride for {of} cannot be specified when table BillingMode \
                 is PAY_PER_REQUEST"
            )));
        }
        let units = u64::try_from(units).ok();
        if let Some(units) = units {
            throughput::within(of, ("ReadCapacityUnits", TABLE_READ_UNITS_MAX), units)?;
        }
        known.provisioned = units;
    }
    if let Some(most) = most {
        let side = ("Read", TABLE_READ_UNITS_MAX);
        known.on_demand = throughput::bound(of, side, most.read, known.on_demand, shared)?;
    }
    Ok(known)
}

fn not_a_member(region: &str) -> Fault {
    fault::validation(format!(
        "Update global table operation failed because one or more replicas were not part of the \
         global table. Please retry the request without these replicas: [{region}]."
    ))
}

fn no_action() -> Fault {
    fault::validation("There are no actions specified in the Replica Update Action of the request.")
}

fn one_kind() -> Fault {
    fault::validation(
        "Update table operation with more than one type of replica actions not allowed.",
    )
}

const LEAVES_ALONE: &str = "A Disassociate action must be the only replica update in the request.";

const LOCAL: &str = "Cannot add, delete, or update the local region through ReplicaUpdates. Use \
                     CreateTable, DeleteTable, or UpdateTable as required.";
