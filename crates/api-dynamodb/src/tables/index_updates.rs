//! `GlobalSecondaryIndexUpdates` of UpdateTable: one index made or removed, throughput of others.
//!
//! It decides what becomes of the indexes; UpdateTable stores it with what else it changes.
//! Source: DynamoDB API reference, `UpdateTable`; the words of refusals are the service's.

use std::collections::BTreeSet;

use api_protocol::fault::Fault;
use clock::time::WallTime;
use control::resource::Change;
use control::tables::indexes::Index;
use serde_json::Value;
use store::port::Store;

use super::indexes::{self, IndexIn, IndexSettings};
use super::update::UpdateIn;
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::fault;
use crate::limits::GLOBAL_INDEXES_MAX;
use crate::settings::Shared;
use crate::wire::shape;

shape! {
    /// A change of one index.
    IndexUpdateIn {
        update: "Update" as IndexIn,
        create: "Create" as IndexIn,
        delete: "Delete" as IndexIn,
    }
}

/// What becomes of a table's indexes.
#[derive(Debug, Default)]
pub(super) struct IndexChanges {
    created: Option<Index>,
    pub(super) deleted: Option<Index>,
    /// Each as it was and as it becomes.
    updated: Vec<(Index, Index)>,
}

impl IndexChanges {
    /// Returns the indexes of a table once it is changed.
    pub(super) fn after<'i>(&'i self, known: &'i [Index]) -> impl Iterator<Item = &'i Index> {
        let stays = |index: &&Index| {
            let mut gone = self.deleted.iter();
            !gone.any(|gone| gone.index == index.index)
        };
        let updated = |index: &'i Index| {
            let mut updated = self.updated.iter();
            let new = updated.find(|(old, _)| old.index == index.index);
            new.map_or(index, |(_, new)| new)
        };
        known.iter().filter(stays).map(updated).chain(&self.created)
    }

    /// Returns the changes to store.
    pub(super) fn changes(&self) -> Vec<Change> {
        let created = self.created.iter().map(Change::create);
        let deleted = self.deleted.iter().map(Change::remove);
        let updated = self.updated.iter();
        let updated = updated.map(|(old, new)| Change::replace(old, new));
        created.chain(deleted).chain(updated).collect()
    }
}

/// One element's action.
enum Action<'r> {
    Create(&'r IndexIn),
    Delete(&'r IndexIn),
    Update(&'r IndexIn),
}

impl<S: Store> DynamoDb<S> {
    /// Returns what becomes of a table's indexes by a request, given its shared settings as they
    /// are and as they become.
    ///
    /// Errors: what the service refuses.
    pub(super) fn index_changes(
        &self,
        open: &OpenTable,
        request: &UpdateIn,
        (shared, next): (&Shared, &Shared),
    ) -> Result<IndexChanges, Fault> {
        let given = request.indexes.as_deref().unwrap_or_default();
        let actions = given.iter().map(IndexUpdateIn::only);
        let actions = actions.collect::<Result<Vec<Action<'_>>, Fault>>()?;
        let mut changes = IndexChanges::default();
        check_names(&actions)?;
        let online = actions
            .iter()
            .filter(|action| matches!(action, Action::Create(_) | Action::Delete(_)));
        let online = online.count();
        if online > 1 || (online == 1 && self.is_building(open)) {
            return Err(limit(
                "Only 1 online index can be created or deleted simultaneously per table",
            ));
        }
        if online == 1 {
            request.check_index_alone()?;
        }
        for action in actions {
            match action {
                Action::Create(index) => {
                    changes.created = Some(self.created(open, request, index, next)?);
                }
                Action::Delete(index) => changes.deleted = Some(global(open, index)?.clone()),
                Action::Update(index) => {
                    let old = global(open, index)?;
                    let new = updated(old, index, (next, self.control.clock().wall()))?;
                    changes.updated.push((old.clone(), new));
                }
            }
        }
        follow_billing(open, &mut changes, (shared, next))?;
        changes.updated.retain(|(old, new)| old != new);
        Ok(changes)
    }

    /// Returns the index that is to be made.
    fn created(
        &self,
        open: &OpenTable,
        request: &UpdateIn,
        given: &IndexIn,
        next: &Shared,
    ) -> Result<Index, Fault> {
        let name = given.name();
        let known = &open.view.indexes;
        if known.iter().any(|index| index.name == name) {
            return Err(fault::validation(
                "Attempting to create an index which already exists",
            ));
        }
        if known.iter().filter(|index| !index.is_local).count() >= GLOBAL_INDEXES_MAX {
            return Err(limit(&format!(
                "Number of global secondary indexes exceeds per-table limit of \
                 {GLOBAL_INDEXES_MAX}"
            )));
        }
        let Some(definitions) = &request.definitions else {
            return Err(fault::invalid_parameter(format_args!(
                "AttributeDefinitions is not specified for index: {name}"
            )));
        };
        // What other keys have already is what it is, whatever the request says.
        let mut defined = super::defined(definitions);
        let keys = known
            .iter()
            .flat_map(|index| index.partition_key.iter().chain(&index.sort_key));
        let table = &open.view.table;
        let keys = keys
            .chain(std::iter::once(&table.partition))
            .chain(&table.sort);
        defined.extend(keys.map(|key| (key.name.as_str(), key.kind.as_str())));
        let index = given.index(false, &open.def.schema, &defined)?;
        if given.throughput.is_none() && !next.is_on_demand() {
            return Err(fault::invalid_parameter(format_args!(
                "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {name}"
            )));
        }
        given.check_billing(next)?;
        let mut settings = IndexSettings::default();
        settings.given(given, next)?;
        let index = Index {
            table: table.id,
            index: self.control.index_number(),
            with_table: false,
            created: self.control.clock().wall().as_micros(),
            settings: settings.to_value(),
            ..index
        };
        indexes::check_included(known.iter().chain([&index]))?;
        Ok(index)
    }
}

impl IndexUpdateIn {
    /// Returns the one action that an element has.
    fn only(&self) -> Result<Action<'_>, Fault> {
        match (&self.create, &self.delete, &self.update) {
            (Some(index), None, None) => Ok(Action::Create(index)),
            (None, Some(index), None) => Ok(Action::Delete(index)),
            (None, None, Some(index)) => Ok(Action::Update(index)),
            (None, None, None) => Err(fault::invalid_parameter(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
                 GlobalSecondaryIndexUpdate.Delete must not be null",
            )),
            (_, _, _) => Err(fault::invalid_parameter(
                "Only one global secondary index action is allowed per \
                 GlobalSecondaryIndexUpdate object",
            )),
        }
    }
}

impl UpdateIn {
    /// Checks that an index is not made or removed together with what takes turns with that.
    fn check_index_alone(&self) -> Result<(), Fault> {
        let only =
            |what: &str| format!("{what} modification must be the only operation in the request");
        let iops = self.throughput.is_some() && self.billing.is_none();
        let together = [
            (
                iops,
                "You cannot create or delete index while updating table IOPS".to_owned(),
            ),
            (
                self.stream.is_some(),
                "You cannot create or delete index while changing stream status".to_owned(),
            ),
            (self.protected.is_some(), only("DeletionProtection")),
            (self.class.is_some(), only("TableClass")),
        ];
        match together.into_iter().find(|(given, _)| *given) {
            Some((_, message)) => Err(fault::validation(message)),
            None => Ok(()),
        }
    }
}

fn check_names(actions: &[Action<'_>]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for action in actions {
        let (Action::Create(index) | Action::Delete(index) | Action::Update(index)) = action;
        if !seen.insert(index.name()) {
            return Err(fault::invalid_parameter(format_args!(
                "Only one global secondary index update per index is allowed simultaneously. \
                 Index: {}",
                index.name()
            )));
        }
    }
    Ok(())
}

/// Returns the global secondary index that a request names.
fn global<'t>(open: &'t OpenTable, given: &IndexIn) -> Result<&'t Index, Fault> {
    let mut indexes = open.view.indexes.iter().filter(|index| !index.is_local);
    indexes
        .find(|index| index.name == given.name())
        .ok_or_else(|| {
            let (index, table) = (given.name(), &open.view.table.name);
            let message = format!("Requested resource not found: Index {index} for table {table}");
            Fault::caller("ResourceNotFoundException", message)
        })
}

/// Returns an index with what a request gives it.
fn updated(old: &Index, given: &IndexIn, (next, now): (&Shared, WallTime)) -> Result<Index, Fault> {
    let name = given.name();
    let before = IndexSettings::of(old);
    if given.throughput.is_some() && next.is_on_demand() {
        return Err(fault::invalid_parameter(format_args!(
            "The only Updates for index: {name} when TableThroughputMode is PAY_PER_REQUEST can \
             be to OnDemandThroughput, WarmThroughput"
        )));
    }
    let mut settings = before.clone();
    settings.given(given, next)?;
    if given.throughput.is_some() && settings.throughput == before.throughput {
        let (read, write) = before.throughput.unwrap_or_default();
        return Err(fault::validation(format!(
            "The provisioned throughput for the index {name} will not change. The requested value \
             equals the current value. Current ReadCapacityUnits provisioned for index {name}: \
             {read}. Requested ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned \
             for index {name}: {write}. Requested WriteCapacityUnits: {write}. Refer to the \
             Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )));
    }
    if let (Some(before), Some(after)) = (before.throughput, settings.throughput) {
        settings.turns = settings.turns.turned(now, (before, after))?;
    }
    Ok(Index {
        settings: settings.over(&old.settings),
        ..old.clone()
    })
}

/// Lets indexes follow how their table is billed.
fn follow_billing(
    open: &OpenTable,
    changes: &mut IndexChanges,
    (shared, next): (&Shared, &Shared),
) -> Result<(), Fault> {
    if shared.is_on_demand() == next.is_on_demand() {
        return Ok(());
    }
    for index in open.view.indexes.iter().filter(|index| !index.is_local) {
        if changes
            .deleted
            .as_ref()
            .is_some_and(|gone| gone.name == index.name)
        {
            continue;
        }
        let given = changes
            .updated
            .iter()
            .position(|(old, _)| old.name == index.name);
        let mut settings = match given.and_then(|at| changes.updated.get(at)) {
            Some((_, new)) => IndexSettings::of(new),
            None => IndexSettings::of(index),
        };
        if next.is_on_demand() {
            settings.throughput = None;
        } else {
            settings.on_demand = None;
            if settings.throughput.is_none() {
                return Err(fault::invalid_parameter(format_args!(
                    "ProvisionedThroughput must be specified for index: {}",
                    index.name
                )));
            }
        }
        let new = Index {
            settings: settings.over(&index.settings),
            ..index.clone()
        };
        match given.and_then(|at| changes.updated.get_mut(at)) {
            Some(change) => change.1 = new,
            None => changes.updated.push((index.clone(), new)),
        }
    }
    Ok(())
}

fn limit(message: &str) -> Fault {
    let message = format!("Subscriber limit exceeded: {message}");
    Fault::caller("LimitExceededException", message)
}

/// Adds a removed index to its table's description, as it is told while it goes.
pub(super) fn add_going(description: &mut Value, mut told: Value) {
    if let Some(members) = told.as_object_mut() {
        members.insert("IndexStatus".to_owned(), "DELETING".into());
        members.remove("Backfilling");
    }
    let list = &mut description["GlobalSecondaryIndexes"];
    let mut all = list.as_array_mut().map(std::mem::take).unwrap_or_default();
    all.push(told);
    *list = all.into();
}
