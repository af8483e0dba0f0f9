//! Secondary indexes in calls on tables: given, checked, changed, told.
//!
//! It builds none. Source: DynamoDB API reference, `CreateTable`, `UpdateTable` and
//! `DescribeTable`; the words of refusals are the service's.

use std::collections::{BTreeMap, BTreeSet};

use api_protocol::fault::Fault;
use control::tables::Attribute;
use control::tables::indexes::{Index, Projection};
use item::key::{KeyKind, KeySchema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::port::Store;

use super::create::{KeyIn, ThroughputIn};
use super::provisioned::Turns;
use super::throughput::{self, Of, OnDemandIn, WarmIn};
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::fault;
use crate::limits::{GLOBAL_INDEXES_MAX, INCLUDED_MAX, INDEX_KEYS_MAX, LOCAL_INDEXES_MAX};
use crate::settings::{Most, Own, Shared, Units};
use crate::wire::shape;

shape! {
    /// A secondary index.
    IndexIn {
        name: "IndexName" as String,
        schema: "KeySchema" as Vec<KeyIn>,
        projection: "Projection" as ProjectionIn,
        throughput: "ProvisionedThroughput" as ThroughputIn,
        on_demand: "OnDemandThroughput" as OnDemandIn,
        warm: "WarmThroughput" as WarmIn,
    }
}

shape! {
    /// What an index holds of items.
    ProjectionIn {
        kind: "ProjectionType" as String,
        names: "NonKeyAttributes" as Vec<String>,
    }
}

/// What this facade keeps with an index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct IndexSettings {
    /// Units of a provisioned index: read, write.
    pub(crate) throughput: Option<Units>,
    /// When these last changed.
    pub(crate) turns: Turns,
    /// The most that is served by use: read, write.
    pub(crate) on_demand: Option<Most>,
    /// What is served at once: read, write.
    pub(crate) warm: Option<Units>,
    /// What a newer build keeps.
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl IndexSettings {
    /// Reads an index's settings; a member that cannot be read is told, and has its default.
    pub(crate) fn of(index: &Index) -> Self {
        control::settings::read(&index.name, &index.settings)
    }

    /// Returns them as they are kept in place of others.
    pub(crate) fn over(&self, was: &Value) -> Value {
        control::settings::write(self, was)
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("settings are plain data with text keys")
    }

    /// Takes what a request gives over, checked against how the table is billed.
    ///
    /// Errors: `ValidationException`.
    pub(crate) fn given(&mut self, index: &IndexIn, shared: &Shared) -> Result<(), Fault> {
        let name = index.name();
        if let Some(units) = &index.throughput {
            self.throughput = units.units(Of::Index(name))?;
        }
        let of = Of::Index(name);
        if let Some(most) = &index.on_demand {
            self.on_demand = most.most(of, self.on_demand, shared)?;
        }
        if let Some(warm) = &index.warm {
            self.warm = Some(warm.units(of, self.warm_of(shared))?);
        }
        Ok(())
    }

    /// Returns what is served at once, by what was asked for and by how it is billed.
    pub(super) fn warm_of(&self, shared: &Shared) -> Units {
        throughput::warm(self.warm, self.throughput, shared)
    }
}

impl IndexIn {
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let keys = self.schema.iter().flatten();
        keys.filter_map(|key| Some((key.name.as_deref()?, key.role.as_deref()?)))
    }

    /// Returns the index that the request describes, its place left open.
    ///
    /// Errors: `ValidationException`.
    pub(super) fn index(
        &self,
        is_local: bool,
        table: &KeySchema,
        defined: &BTreeMap<&str, &str>,
    ) -> Result<Index, Fault> {
        let (partition, sort) = self.split()?;
        if is_local {
            self.check_local(table, &partition, &sort)?;
        }
        let attributes = |names: &[&str]| {
            let attribute = |name: &&str| {
                let kind = defined
                    .get(name)
                    .filter(|kind| KeyKind::parse(kind).is_some());
                let kind = kind.ok_or_else(|| undefined(self.keys(), defined))?;
                let (name, kind) = ((*name).to_owned(), (*kind).to_owned());
                Ok(Attribute { name, kind })
            };
            names
                .iter()
                .map(attribute)
                .collect::<Result<Vec<_>, Fault>>()
        };
        Ok(Index {
            table: 0,
            index: 0,
            name: self.name().to_owned(),
            is_local,
            with_table: true,
            partition_key: attributes(&partition)?,
            sort_key: attributes(&sort)?,
            projection: self.projection()?,
            created: 0,
            settings: Value::Null,
        })
    }

    /// Checks that the index is billed as its table is.
    ///
    /// Errors: `ValidationException`.
    pub(super) fn check_billing(&self, shared: &Shared) -> Result<(), Fault> {
        let name = self.name();
        match (&self.throughput, shared.is_on_demand()) {
            (Some(_), true) => Err(fault::invalid_parameter(format_args!(
                "ProvisionedThroughput should not be specified for index: {name} when BillingMode \
                 is PAY_PER_REQUEST"
            ))),
            (None, false) => Err(fault::invalid_parameter(format_args!(
                "ProvisionedThroughput is not specified for index: {name}"
            ))),
            (Some(_), false) | (None, true) => Ok(()),
        }
    }

    /// Returns the attributes of the partition key, and those of the sort key.
    fn split(&self) -> Result<(Vec<&str>, Vec<&str>), Fault> {
        let keys: Vec<_> = self.keys().collect();
        if keys.first().is_none_or(|(_, role)| *role != "HASH") {
            return Err(fault::validation(
                "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
            ));
        }
        let count = keys.iter().take_while(|(_, role)| *role == "HASH").count();
        let (partition, sort) = keys.split_at(count);
        if sort.iter().any(|(_, role)| *role == "HASH") {
            return Err(fault::invalid_parameter(
                "All HASH key attributes must precede RANGE key attributes in the KeySchema",
            ));
        }
        for (keys, role) in [(partition, "HASH"), (sort, "RANGE")] {
            if keys.len() > INDEX_KEYS_MAX {
                return Err(fault::invalid_parameter(format_args!(
                    "The KeySchema exceeds the maximum allowed number of {role} key attributes"
                )));
            }
        }
        let names: BTreeSet<&str> = keys.iter().map(|(name, _)| *name).collect();
        if names.len() < keys.len() {
            return Err(fault::invalid_parameter(
                "The KeySchema contains multiple key attributes with the same name",
            ));
        }
        Ok((names_of(partition), names_of(sort)))
    }

    fn check_local(
        &self,
        table: &KeySchema,
        partition: &[&str],
        sort: &[&str],
    ) -> Result<(), Fault> {
        let name = self.name();
        if partition != [table.partition.name.as_str()] {
            let (own, table) = (partition.join(", "), &table.partition.name);
            return Err(fault::invalid_parameter(format_args!(
                "Index KeySchema does not have the same leading hash key as table KeySchema for \
                 index: {name}. index hash key: {own}, table hash key: {table}"
            )));
        }
        if sort.len() != 1 {
            return Err(fault::invalid_parameter(format_args!(
                "Index KeySchema does not have a range key for index: {name}"
            )));
        }
        Ok(())
    }

    fn projection(&self) -> Result<Projection, Fault> {
        let given = self.projection.as_ref();
        let kind = given.and_then(|given| given.kind.as_deref());
        let names = given.and_then(|given| given.names.as_deref());
        match (kind, names) {
            (Some("ALL"), None) => Ok(Projection::All),
            (Some("KEYS_ONLY"), None) => Ok(Projection::KeysOnly),
            (Some("INCLUDE"), Some(names)) => {
                let mut included = BTreeSet::new();
                for name in names {
                    if !included.insert(name.clone()) {
                        let message = format_args!("Duplicate element in NonKeyAttributes: {name}");
                        return Err(fault::invalid_parameter(message));
                    }
                }
                Ok(Projection::Include(included))
            }
            (Some("INCLUDE"), None) => Err(fault::invalid_parameter(
                "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
            )),
            (Some(kind @ ("ALL" | "KEYS_ONLY")), Some(_)) => Err(fault::invalid_parameter(
                format_args!("ProjectionType is {kind}, but NonKeyAttributes is specified"),
            )),
            (kind, _) => {
                let kind = kind.unwrap_or("null");
                Err(fault::invalid_parameter(format_args!(
                    "Unknown ProjectionType: {kind}"
                )))
            }
        }
    }
}

fn names_of<'k>(keys: &[(&'k str, &'k str)]) -> Vec<&'k str> {
    keys.iter().map(|(name, _)| *name).collect()
}

/// Checks how many indexes a table has, that no two have one name, and what they include in sum.
///
/// Errors: `ValidationException`.
pub(super) fn check_all(
    local: Option<&[IndexIn]>,
    global: Option<&[IndexIn]>,
    has_sort: bool,
) -> Result<(), Fault> {
    let refuse = |message: std::fmt::Arguments<'_>| Err(fault::invalid_parameter(message));
    for (list, name) in [
        (global, "GlobalSecondaryIndexes"),
        (local, "LocalSecondaryIndexes"),
    ] {
        if list.is_some_and(<[IndexIn]>::is_empty) {
            return refuse(format_args!("List of {name} is empty"));
        }
    }
    let (local, global) = (local.unwrap_or_default(), global.unwrap_or_default());
    if !local.is_empty() && !has_sort {
        return refuse(format_args!(
            "Table KeySchema does not have a range key, which is required when specifying a \
             LocalSecondaryIndex"
        ));
    }
    if local.len() > LOCAL_INDEXES_MAX {
        return refuse(format_args!(
            "Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_INDEXES_MAX}"
        ));
    }
    if global.len() > GLOBAL_INDEXES_MAX {
        return refuse(format_args!(
            "GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES_MAX}"
        ));
    }
    let mut seen = BTreeSet::new();
    for index in local.iter().chain(global) {
        if !seen.insert(index.name()) {
            return refuse(format_args!("Duplicate index name: {}", index.name()));
        }
    }
    Ok(())
}

/// Checks how much the indexes of a table include in sum.
///
/// Errors: `ValidationException`.
pub(super) fn check_included<'i>(indexes: impl Iterator<Item = &'i Index>) -> Result<(), Fault> {
    let included = indexes.map(|index| match &index.projection {
        Projection::Include(names) => names.len(),
        Projection::All | Projection::KeysOnly => 0,
    });
    if included.sum::<usize>() > INCLUDED_MAX {
        return Err(fault::invalid_parameter(
            "Number of NonKeyAttributes across all secondary indexes exceeds the per-table limit \
             of 100",
        ));
    }
    Ok(())
}

/// Refuses key attributes that no definition has.
pub(super) fn undefined<'k>(
    keys: impl Iterator<Item = (&'k str, &'k str)>,
    defined: &BTreeMap<&str, &str>,
) -> Fault {
    let keys: Vec<&str> = keys.map(|(name, _)| name).collect();
    let defined: Vec<&str> = defined.keys().copied().collect();
    fault::invalid_parameter(format_args!(
        "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], \
         AttributeDefinitions: [{}]",
        keys.join(", "),
        defined.join(", ")
    ))
}

/// Tells an index's key and projection.
pub(crate) fn index_shape(index: &Index) -> (Vec<Value>, Value) {
    let partition = index.partition_key.iter().map(|key| (key, "HASH"));
    let sort = index.sort_key.iter().map(|key| (key, "RANGE"));
    let schema = partition
        .chain(sort)
        .map(|(key, role)| json!({ "AttributeName": key.name, "KeyType": role }));
    let projection = match &index.projection {
        Projection::All => json!({ "ProjectionType": "ALL" }),
        Projection::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
        Projection::Include(names) => {
            json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names })
        }
    };
    (schema.collect(), projection)
}

impl<S: Store> DynamoDb<S> {
    /// Tells a table's indexes.
    pub(super) fn describe_indexes(
        &self,
        members: &mut Map<String, Value>,
        open: &OpenTable,
        shared: &Shared,
        arn: &str,
    ) {
        for (is_local, name) in [
            (true, "LocalSecondaryIndexes"),
            (false, "GlobalSecondaryIndexes"),
        ] {
            let indexes = open.view.indexes.iter();
            let indexes = indexes.filter(|index| index.is_local == is_local);
            let told: Vec<Value> = indexes
                .map(|index| self.describe_index(open, index, shared, arn))
                .collect();
            if !told.is_empty() {
                members.insert(name.to_owned(), told.into());
            }
        }
    }

    /// Tells an index as this region has it.
    pub(super) fn describe_index(
        &self,
        open: &OpenTable,
        index: &Index,
        shared: &Shared,
        arn: &str,
    ) -> Value {
        let (schema, projection) = index_shape(index);
        let state = self.control.tables().index_state(open.def.id, index.id());
        let mut told = json!({
            "IndexName": index.name,
            "KeySchema": schema,
            "Projection": projection,
            "IndexArn": format!("{arn}/index/{}", index.name),
            "IndexSizeBytes": state.map_or(0, |state| state.bytes),
            "ItemCount": state.map_or(0, |state| state.items),
        });
        let is_ready = state.is_some_and(|state| state.is_ready);
        if let Some(members) = told.as_object_mut().filter(|_| !index.is_local) {
            let settings = IndexSettings::of(index);
            let own = self.own_replica(open).map(Own::of).unwrap_or_default();
            let reads = own.index_reads.get(&index.name).copied();
            let reads = reads.unwrap_or_default().billed(shared);
            let (read, write) = settings.throughput.unwrap_or_default();
            let units = (reads.provisioned.unwrap_or(read), write);
            let now = self.control.clock().wall();
            let status = if is_ready { "ACTIVE" } else { "CREATING" };
            let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
            tell("IndexStatus", status.into());
            tell("ProvisionedThroughput", settings.turns.describe(now, units));
            let warm = throughput::describe_warm(settings.warm_of(shared), status);
            tell("WarmThroughput", warm);
            if settings.on_demand.is_some() || reads.on_demand.is_some() {
                let (read, write) = settings.on_demand.unwrap_or_default();
                let most = throughput::describe_most((reads.on_demand.or(read), write));
                tell("OnDemandThroughput", most);
            }
            if !is_ready && !index.with_table {
                tell("Backfilling", true.into());
            }
        }
        told
    }

    /// Returns whether an index of a table is still being built in this region.
    pub(crate) fn is_building(&self, open: &OpenTable) -> bool {
        open.view.indexes.iter().any(|index| {
            let state = self.control.tables().index_state(open.def.id, index.id());
            !state.is_some_and(|state| state.is_ready)
        })
    }
}
