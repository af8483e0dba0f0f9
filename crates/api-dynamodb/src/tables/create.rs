//! CreateTable.

use std::collections::{BTreeMap, BTreeSet};

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::{json, timestamp};
use clock::time::WallTime;
use control::tables::TableDraft;
use control::tables::indexes::Index;
use item::key::{KeyAttribute, KeyKind, KeySchema};
use serde_json::{Value, json as json_value};
use store::port::Store;

use super::encryption::EncryptionIn;
use super::indexes::{self, IndexIn, IndexSettings};
use super::table_failed;
use super::tags::{self, TagIn};
use super::throughput::{Of, OnDemandIn, WarmIn};
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::policies;
use crate::policies::kept::{Kept, Stored};
use crate::resolver;
use crate::settings::{Own, Shared};
use crate::streams;
use crate::wire::shape;

shape! {
    /// The members of `CreateTable`.
    CreateIn {
        name: "TableName" as String,
        definitions: "AttributeDefinitions" as Vec<DefinitionIn>,
        schema: "KeySchema" as Vec<KeyIn>,
        local_indexes: "LocalSecondaryIndexes" as Vec<IndexIn>,
        global_indexes: "GlobalSecondaryIndexes" as Vec<IndexIn>,
        vector_indexes: "VectorIndexes" as Vec<Value>,
        billing: "BillingMode" as String,
        throughput: "ProvisionedThroughput" as ThroughputIn,
        on_demand: "OnDemandThroughput" as OnDemandIn,
        warm: "WarmThroughput" as WarmIn,
        stream: "StreamSpecification" as StreamIn,
        encryption: "SSESpecification" as EncryptionIn,
        tags: "Tags" as Vec<TagIn>,
        class: "TableClass" as String,
        protected: "DeletionProtectionEnabled" as bool,
        policy: "ResourcePolicy" as String,
        source: "GlobalTableSourceArn" as String,
        settings_mode: "GlobalTableSettingsReplicationMode" as String,
    }
}

shape! {
    /// The definition of an attribute.
    DefinitionIn {
        name: "AttributeName" as String,
        kind: "AttributeType" as String,
    }
}

shape! {
    /// An attribute's place in a key.
    KeyIn {
        name: "AttributeName" as String,
        role: "KeyType" as String,
    }
}

shape! {
    /// Provisioned capacity.
    ThroughputIn {
        read: "ReadCapacityUnits" as i64,
        write: "WriteCapacityUnits" as i64,
    }
}

shape! {
    /// Whether a table has a stream, and of what.
    StreamIn {
        enabled: "StreamEnabled" as bool,
        view: "StreamViewType" as String,
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `CreateTable`.
    pub(crate) async fn create_table(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: CreateIn = json::parse(body)?;
        let policy = self.first_policy(caller, &request)?;
        let draft = self.draft(request, policy)?;
        let name = draft.name.clone();
        let turn = self.control.turn().await;
        self.check_made(&turn, &draft)?;
        let created = self.control.create_table_of(&turn, draft).await;
        created.map_err(|error| table_failed(&error, &name))?;
        drop(turn);
        let open = self
            .find(&name)
            .ok_or_else(|| fault::no_table_named(&name))?;
        let description = self.description(caller, &open, None);
        Ok(json_value!({ "TableDescription": description })
            .to_string()
            .into_bytes())
    }

    /// Returns the policy that a table is to be made with.
    fn first_policy(&self, caller: &Caller, request: &CreateIn) -> Result<Option<Kept>, Fault> {
        let name = request
            .name
            .as_deref()
            .and_then(|name| self.plain_name(name));
        let (Some(name), Some(document)) = (name, &request.policy) else {
            return Ok(None);
        };
        let arn = self.table_arn(caller, name);
        policies::first(&arn, document, self.control.clock().wall()).map(Some)
    }

    /// Returns what a table is to be made of. Only who may put a policy gives one.
    ///
    /// Errors: `ValidationException`.
    pub(crate) fn draft(
        &self,
        request: CreateIn,
        policy: Option<Kept>,
    ) -> Result<TableDraft, Refused> {
        let name = request.name.clone().unwrap_or_default();
        let schema = request.schema()?;
        let now = self.control.clock().wall();
        let mut shared = Shared::default();
        bill(
            &mut shared,
            request.billing.as_deref(),
            request.throughput.as_ref(),
            now,
        )?;
        serve(
            &mut shared,
            request.on_demand.as_ref(),
            request.warm.as_ref(),
        )?;
        shared.class.clone_from(&request.class);
        shared.settings_mode.clone_from(&request.settings_mode);
        if let Some(stream) = &request.stream {
            start_stream(&mut shared, stream, now)?;
        }
        request.refuse_unsupported()?;
        let indexes = self.drafted(&request, &schema, &shared)?;
        let name = match self.plain_name(&name) {
            Some(name) => name.to_owned(),
            None => return Err(fault::validation("TableName names another region").into()),
        };
        let mut own = Own {
            tags: tags::first(request.tags.unwrap_or_default())?,
            protected: request.protected.unwrap_or(false),
            policy: policy.map(Stored::Read),
            ..Own::default()
        };
        if let Some(given) = &request.encryption {
            let encryption = given.encryption(&self.control.project().region)?;
            encryption.set(&mut shared, &mut own);
        }
        shared.stream_roll = streams::roll_of(&own.tags)?;
        resolver::check_chosen(&own.tags)?;
        Ok(TableDraft {
            name,
            schema,
            indexes,
            settings: shared.to_value(),
            replica_settings: own.to_value(),
        })
    }

    /// Returns the indexes that a table is to be made with.
    fn drafted(
        &self,
        request: &CreateIn,
        schema: &KeySchema,
        shared: &Shared,
    ) -> Result<Vec<Index>, Fault> {
        let defined = request.defined();
        let all = [
            (true, &request.local_indexes),
            (false, &request.global_indexes),
        ];
        let mut drafted = Vec::new();
        for (is_local, indexes) in all {
            for given in indexes.iter().flatten() {
                let index = given.index(is_local, schema, &defined)?;
                let mut settings = IndexSettings::default();
                if !is_local {
                    given.check_billing(shared)?;
                    settings.given(given, shared)?;
                }
                drafted.push(Index {
                    index: self.control.index_number(),
                    settings: settings.to_value(),
                    ..index
                });
            }
        }
        indexes::check_included(drafted.iter())?;
        Ok(drafted)
    }
}

impl CreateIn {
    /// Returns the key schema, made of schema and definitions that fit each other.
    fn schema(&self) -> Result<KeySchema, Fault> {
        let keys: Vec<(&str, &str)> = self
            .schema
            .iter()
            .flatten()
            .filter_map(|key| Some((key.name.as_deref()?, key.role.as_deref()?)))
            .collect();
        let defined = self.defined();
        if defined.len() < self.definitions.iter().flatten().count() {
            let message = "Cannot have multiple attributes with the same name";
            return Err(fault::validation(message));
        }
        let (partition, sort) = match keys.as_slice() {
            [(partition, "HASH")] => (*partition, None),
            [(partition, "HASH"), (sort, "RANGE")] => (*partition, Some(*sort)),
            [(_, "HASH"), _] => {
                let message =
                    "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type";
                return Err(fault::validation(message));
            }
            _ => {
                let message =
                    "Invalid KeySchema: The first KeySchemaElement is not a HASH key type";
                return Err(fault::validation(message));
            }
        };
        if sort == Some(partition) {
            let message = "Invalid KeySchema: Some index key attribute have no definition";
            return Err(fault::validation(message));
        }
        let attribute = |name: &str| {
            let kind = defined.get(name).and_then(|kind| KeyKind::parse(kind));
            let kind = kind.ok_or_else(|| indexes::undefined(keys.iter().copied(), &defined))?;
            let name = name.to_owned();
            Ok::<_, Fault>(KeyAttribute { name, kind })
        };
        let schema = KeySchema {
            partition: attribute(partition)?,
            sort: sort.map(attribute).transpose()?,
        };
        self.check_used(&keys, &defined)?;
        let (local, global) = (
            self.local_indexes.as_deref(),
            self.global_indexes.as_deref(),
        );
        indexes::check_all(local, global, schema.sort.is_some())?;
        Ok(schema)
    }

    /// Returns the types of attributes by name.
    fn defined(&self) -> BTreeMap<&str, &str> {
        super::defined(self.definitions.as_deref().unwrap_or_default())
    }

    /// Checks that each attribute that is defined is a key attribute of the table or an index.
    fn check_used(
        &self,
        keys: &[(&str, &str)],
        defined: &BTreeMap<&str, &str>,
    ) -> Result<(), Fault> {
        let mut indexes = self
            .local_indexes
            .iter()
            .chain(&self.global_indexes)
            .flatten()
            .peekable();
        let has_indexes = indexes.peek().is_some();
        let used: BTreeSet<&str> = indexes
            .flat_map(IndexIn::keys)
            .chain(keys.iter().copied())
            .map(|(name, _)| name)
            .collect();
        if defined.keys().all(|name| used.contains(name)) {
            return Ok(());
        }
        if !has_indexes {
            return Err(fault::invalid_parameter(
                "Number of attributes in KeySchema does not exactly match number of attributes \
                 defined in AttributeDefinitions",
            ));
        }
        let list = |names: Vec<&str>| names.join(", ");
        Err(fault::invalid_parameter(format_args!(
            "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
            list(defined.keys().copied().collect()),
            list(used.into_iter().collect()),
        )))
    }

    /// Refuses what tables do not have here, after what is wrong with it on AWS too.
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        refuse(&[
            (
                "VectorIndexes",
                self.vector_indexes
                    .as_ref()
                    .is_some_and(|all| !all.is_empty()),
            ),
            ("GlobalTableSourceArn", self.source.is_some()),
            mode_refused(self.settings_mode.as_deref()),
        ])
    }
}

/// Returns how settings are to be synchronised, to be refused where that is not as it is: all
/// replicas are of one account, and may differ in some of them.
pub(super) fn mode_refused(mode: Option<&str>) -> (&'static str, bool) {
    let is_other = mode.is_some_and(|mode| mode == "ENABLED");
    ("GlobalTableSettingsReplicationMode ENABLED", is_other)
}

/// Refuses members that are given although nothing here can honour them.
pub(crate) fn refuse(members: &[(&str, bool)]) -> Result<(), Fault> {
    match members.iter().find(|(_, given)| *given) {
        Some((name, _)) => {
            let message = format_args!("{name} is not supported by this endpoint");
            Err(fault::invalid_parameter(message))
        }
        None => Ok(()),
    }
}

/// Sets how a table is billed; without a mode it keeps the one it has.
pub(crate) fn bill(
    shared: &mut Shared,
    mode: Option<&str>,
    throughput: Option<&ThroughputIn>,
    now: WallTime,
) -> Result<(), Fault> {
    let known = shared.billing.clone();
    let mode = mode.or(known.as_deref()).unwrap_or("PROVISIONED");
    let units = throughput.map(|throughput| throughput.units(Of::Table));
    let units = units.transpose()?.flatten();
    if mode == "PAY_PER_REQUEST" {
        if throughput.is_some() {
            return Err(fault::invalid_parameter(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when \
                 BillingMode is PAY_PER_REQUEST",
            ));
        }
        shared.on_demand_since = shared.on_demand_since.or(Some(now.as_micros()));
        shared.throughput = None;
    } else {
        shared.on_demand = None;
        let units = units.or(shared.throughput);
        shared.throughput = Some(units.ok_or_else(|| {
            fault::invalid_parameter(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when \
                 BillingMode is PROVISIONED",
            )
        })?);
    }
    shared.billing = Some(mode.to_owned());
    Ok(())
}

/// Sets the most that a table serves by use, and what it serves at once, as far as they are given.
pub(crate) fn serve(
    shared: &mut Shared,
    on_demand: Option<&OnDemandIn>,
    warm: Option<&WarmIn>,
) -> Result<(), Fault> {
    if let Some(most) = on_demand {
        shared.on_demand = most.most(Of::Table, shared.on_demand, shared)?;
    }
    if let Some(warm) = warm {
        shared.warm = Some(warm.units(Of::Table, shared.warm_of())?);
    }
    Ok(())
}

/// Starts a table's stream, if that is asked for.
pub(super) fn start_stream(
    shared: &mut Shared,
    stream: &StreamIn,
    now: WallTime,
) -> Result<(), Fault> {
    match (stream.enabled, &stream.view) {
        (Some(true), Some(view)) => {
            shared.stream = Some(view.clone());
            let label = timestamp::iso_millis(now);
            shared.stream_label = Some(label.trim_end_matches('Z').to_owned());
            shared.stream_since = Some(now.as_micros());
            Ok(())
        }
        (Some(true), None) => Err(fault::invalid_parameter(
            "StreamViewType must be specified when StreamEnabled is true",
        )),
        (Some(false) | None, Some(_)) => Err(fault::invalid_parameter(
            "StreamViewType can only be specified when StreamEnabled is true",
        )),
        (Some(false) | None, None) => Ok(()),
    }
}
