//! `ReplicaUpdates` of UpdateTable: replicas made, changed and removed.
//!
//! It moves no items: a replica fills itself. Source: DynamoDB API reference, `UpdateTable`; global
//! tables version 2019.11.21; the words of refusals are the service's.

use std::collections::BTreeSet;

use api_protocol::fault::Fault;
use base::region::RegionName;
use control::resource::Change;
use control::tables::Replica;
use control::tables::replicas::ReplicaDraft;
use store::port::Store;

use super::PROTECTED;
use super::create;
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
        disassociate: "Disassociate" as MemberIn,
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
                let message = format_args!("Region {region} is not a region of this project");
                return Err(fault::invalid_parameter(message).into());
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
                    let message = format_args!("Table already has a replica in region {region}");
                    return Err(fault::invalid_parameter(message).into());
                }
                (Action::Update(_) | Action::Delete(_), None) => {
                    let message = format_args!("Table has no replica in region {region}");
                    return Err(fault::invalid_parameter(message).into());
                }
                (Action::Update(member), Some(there)) => {
                    let own = member.own(Own::of(there), (open, kms), &known.name)?;
                    ReplicaChange::Update(Box::new(there.clone()), own)
                }
                (Action::Delete(_), Some(there)) if Own::of(there).protected => {
                    return Err(fault::validation(PROTECTED).into());
                }
                (Action::Delete(_), Some(_)) => ReplicaChange::Delete(known.name.clone()),
            });
        }
        Ok(changes)
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
    /// Returns the one change that an element has.
    fn only(&self) -> Result<Action<'_>, Fault> {
        let action = match (&self.create, &self.update, &self.delete) {
            (Some(member), None, None) => Action::Create(member),
            (None, Some(member), None) => Action::Update(member),
            (None, None, Some(member)) => Action::Delete(member),
            (None, None, None) => {
                create::refuse(&[("ReplicaUpdates Disassociate", self.disassociate.is_some())])?;
                return Err(one_of());
            }
            (_, _, _) => return Err(one_of()),
        };
        if self.disassociate.is_some() {
            return Err(one_of());
        }
        let (Action::Create(member) | Action::Update(member) | Action::Delete(member)) = &action;
        create::refuse(&[("TableClassOverride", member.class.is_some())])?;
        Ok(action)
    }
}

impl MemberIn {
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
        let (units, most) = (self.throughput.as_ref(), self.on_demand.as_ref());
        own.reads = reads(Of::Table, own.reads, (units, most), &shared)?;
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

fn one_of() -> Fault {
    fault::validation(
        "One of Create, Update, Delete or Disassociate must be given for each element of \
         ReplicaUpdates",
    )
}

const LOCAL: &str = "Cannot add, delete, or update the local region through ReplicaUpdates. Use \
                     CreateTable, DeleteTable, or UpdateTable as required.";
