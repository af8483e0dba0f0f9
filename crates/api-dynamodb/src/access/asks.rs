//! What a request asks leave for: one ask an action and resource.
//!
//! It looks up no table. Every shape here reads a member as the operation itself does, and fails
//! where the operation fails: what is not seen here must not be done there.

use std::collections::BTreeMap;
use std::fmt;

use api_protocol::json;
use iam::context::Context;
use iam::keys;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::beside;
use super::files;
use super::statements::{self, Stated};
use crate::catalog;
use crate::fault::Refused;
use crate::legacy::ConditionsIn;
use crate::streams;
use crate::wire::shape;
use crate::wire::value::{ItemIn, ValueIn};

/// One thing that a request needs leave for.
pub(super) struct Ask {
    /// The service whose action it is.
    pub(super) service: &'static str,
    /// The action, without its service.
    pub(super) action: String,
    pub(super) on: On,
    /// What it does with items.
    pub(super) call: CallIn,
    pub(super) facts: Facts,
    /// The statement of PartiQL that asks, where one does.
    pub(super) stated: Option<Stated>,
}

/// What an ask is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// Nothing in particular.
    Nothing,
    /// A table, by name or ARN.
    Table(String),
    /// A table in another region: by name or ARN as it is here, and the region.
    Replica(String, String),
    /// An index of a table.
    Index(String, String),
    /// All tables of the region.
    Tables,
    /// A global table of version 2017.11.29.
    GlobalTable(String),
    /// What has an ARN of its own: a stream, a backup, an export.
    Arn(String),
}

/// What conditions may look at beside items.
#[derive(Debug, Default)]
pub(super) struct Facts {
    select: Option<String>,
    returns: Option<String>,
    capacity: Option<String>,
    /// The operation that the action is a part of.
    enclosing: Option<String>,
    tags: BTreeMap<String, String>,
    tag_keys: Option<Vec<String>>,
}

shape! {
    /// The members of calls on items, and of the parts of calls on several.
    CallIn {
        table: "TableName" as String,
        index: "IndexName" as String,
        item: "Item" as ItemIn,
        key: "Key" as ItemIn,
        keys: "Keys" as Vec<ItemIn>,
        attributes: "AttributesToGet" as Vec<String>,
        updates: "AttributeUpdates" as NamesIn,
        expected: "Expected" as NamesIn,
        query_filter: "QueryFilter" as NamesIn,
        scan_filter: "ScanFilter" as NamesIn,
        key_conditions: "KeyConditions" as ConditionsIn,
        update: "UpdateExpression" as String,
        condition: "ConditionExpression" as String,
        key_condition: "KeyConditionExpression" as String,
        filter: "FilterExpression" as String,
        projection: "ProjectionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
        values: "ExpressionAttributeValues" as BTreeMap<String, ValueIn>,
        select: "Select" as String,
        returns: "ReturnValues" as String,
        on_failure: "ReturnValuesOnConditionCheckFailure" as String,
        capacity: "ReturnConsumedCapacity" as String,
    }
}

/// The names in a map, whatever they stand for.
#[derive(Debug, Default)]
pub(super) struct NamesIn(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for NamesIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = NamesIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamesIn, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                    names.push(name);
                }
                Ok(NamesIn(names))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

shape! {
    /// The members of `BatchGetItem`.
    BatchGetIn {
        tables: "RequestItems" as BTreeMap<String, CallIn>,
        capacity: "ReturnConsumedCapacity" as String,
    }
}

shape! {
    /// The members of `BatchWriteItem`.
    BatchWriteIn {
        tables: "RequestItems" as BTreeMap<String, Vec<WriteIn>>,
        capacity: "ReturnConsumedCapacity" as String,
    }
}

shape! {
    /// One write of a batch.
    WriteIn { put: "PutRequest" as CallIn, delete: "DeleteRequest" as CallIn, }
}

shape! {
    /// The members of both transactions.
    TransactIn {
        parts: "TransactItems" as Vec<PartIn>,
        capacity: "ReturnConsumedCapacity" as String,
    }
}

shape! {
    /// One part of a transaction.
    PartIn {
        get: "Get" as CallIn,
        check: "ConditionCheck" as CallIn,
        put: "Put" as CallIn,
        delete: "Delete" as CallIn,
        update: "Update" as CallIn,
    }
}

shape! {
    /// The members by which other calls say what they are about.
    NamedIn {
        table: "TableName" as String,
        table_arn: "TableArn" as String,
        resource: "ResourceArn" as String,
        stream: "StreamArn" as String,
        iterator: "ShardIterator" as String,
        backup: "BackupArn" as String,
        export: "ExportArn" as String,
        import: "ImportArn" as String,
        bulk: "BulkOperationArn" as String,
        global: "GlobalTableName" as String,
        source: "SourceTableName" as String,
        source_arn: "SourceTableArn" as String,
        target: "TargetTableName" as String,
        parameters: "TableCreationParameters" as ParametersIn,
        tags: "Tags" as Vec<TagIn>,
        tag_keys: "TagKeys" as Vec<String>,
    }
}

shape! {
    /// What table an import makes.
    ParametersIn { table: "TableName" as String, }
}

shape! {
    /// A tag.
    TagIn { key: "Key" as String, value: "Value" as String, }
}

/// Returns all that a request asks leave for.
///
/// Errors: what is wrong with a request that cannot be read.
pub(super) fn of(operation: &str, body: &[u8]) -> Result<Vec<Ask>, Refused> {
    match operation {
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "Query" | "Scan" => {
            let call: CallIn = json::parse(body)?;
            let capacity = call.capacity.clone();
            Ok(vec![Ask::on_item(operation, call, capacity, None)])
        }
        "BatchGetItem" => {
            let request: BatchGetIn = json::parse(body)?;
            let tables = request.tables.unwrap_or_default().into_iter();
            let ask = |(table, mut call): (String, CallIn)| {
                call.table = Some(table);
                Ask::on_item(operation, call, request.capacity.clone(), None)
            };
            Ok(tables.map(ask).collect())
        }
        "BatchWriteItem" => batch_write(operation, body),
        "TransactGetItems" | "TransactWriteItems" => transaction(operation, body),
        "ExecuteStatement" | "ExecuteTransaction" => {
            let asks = statements::of(operation, body)?;
            Ok(asks.into_iter().flatten().collect())
        }
        _ => {
            let mut asks = named(operation, body)?;
            asks.extend(beside::of(operation, body)?);
            asks.extend(files::of(operation, body)?);
            Ok(asks)
        }
    }
}

/// Every write is an ask of its own, so that the keys and attributes of each are looked at.
fn batch_write(operation: &str, body: &[u8]) -> Result<Vec<Ask>, Refused> {
    let request: BatchWriteIn = json::parse(body)?;
    let mut asks = Vec::new();
    for (table, writes) in request.tables.unwrap_or_default() {
        for write in writes {
            let put = write.put.map(|put| CallIn {
                item: put.item,
                ..CallIn::default()
            });
            let delete = write.delete.map(|delete| CallIn {
                key: delete.key,
                ..CallIn::default()
            });
            for mut call in [put, delete].into_iter().flatten() {
                call.table = Some(table.clone());
                let capacity = request.capacity.clone();
                asks.push(Ask::on_item(operation, call, capacity, None));
            }
        }
    }
    Ok(asks)
}

fn transaction(operation: &str, body: &[u8]) -> Result<Vec<Ask>, Refused> {
    let request: TransactIn = json::parse(body)?;
    let mut asks = Vec::new();
    for part in request.parts.unwrap_or_default() {
        for (action, call) in [
            ("GetItem", part.get),
            ("ConditionCheckItem", part.check),
            ("PutItem", part.put),
            ("DeleteItem", part.delete),
            ("UpdateItem", part.update),
        ] {
            let Some(call) = call else { continue };
            let capacity = request.capacity.clone();
            asks.push(Ask::on_item(action, call, capacity, Some(operation)));
        }
    }
    Ok(asks)
}

fn named(operation: &str, body: &[u8]) -> Result<Vec<Ask>, Refused> {
    let request: NamedIn = json::parse(body)?;
    let tags = tags_in(request.tags);
    let tag_keys = request.tag_keys;
    let ask = |on: On| Ask {
        facts: Facts {
            tags: tags.clone(),
            tag_keys: tag_keys.clone(),
            ..Facts::default()
        },
        ..Ask::plain("dynamodb", operation, on)
    };
    if operation == "ListTables" {
        return Ok(vec![ask(On::Tables)]);
    }
    if LISTS.contains(&operation) {
        return Ok(vec![ask(On::Nothing)]);
    }
    let global = request.global.as_ref();
    // What describes one names no table.
    let its_table = global.filter(|_| !operation.starts_with("Describe"));
    // A table that is filled from what another was is written to: see `beside`.
    let target = request.target.filter(|_| operation != TO_POINT_IN_TIME);
    let imported = request.parameters.and_then(|parameters| parameters.table);
    let tables = [
        request.table,
        request.table_arn,
        request.resource,
        its_table.cloned(),
        request.source,
        request.source_arn,
        target,
        imported,
    ];
    let stream = request.stream;
    let of_iterator = request.iterator.as_deref().map(streams::of_iterator);
    let of_iterator = of_iterator.transpose()?.map(str::to_owned);
    let others = [
        stream,
        of_iterator,
        request.backup,
        request.export,
        request.import,
        request.bulk,
    ];
    let tables = tables.into_iter().flatten().map(On::of_table);
    let others = others.into_iter().flatten().map(On::Arn);
    let others = others.chain(global.cloned().map(On::GlobalTable));
    let asks: Vec<Ask> = tables.chain(others).map(ask).collect();
    if asks.is_empty() {
        return Ok(vec![ask(On::Nothing)]);
    }
    Ok(asks)
}

/// Returns the tags of a request by name.
pub(super) fn tags_in(tags: Option<Vec<TagIn>>) -> BTreeMap<String, String> {
    let tags = tags.unwrap_or_default().into_iter();
    let pair = |tag: TagIn| Some((tag.key?, tag.value.unwrap_or_default()));
    tags.filter_map(pair).collect()
}

impl Ask {
    /// An ask that no more is known of than what it is about.
    pub(super) fn plain(service: &'static str, action: &str, on: On) -> Self {
        Self {
            service,
            action: action.to_owned(),
            on,
            call: CallIn::default(),
            facts: Facts::default(),
            stated: None,
        }
    }

    fn on_item(
        action: &str,
        call: CallIn,
        capacity: Option<String>,
        enclosing: Option<&str>,
    ) -> Self {
        let table = call.table.clone().unwrap_or_default();
        let call = call.of_action(action);
        let is_all = |returns: &Option<String>| returns.as_deref() == Some("ALL_OLD");
        Self {
            on: match call.index.clone().filter(|_| takes_index(action)) {
                Some(index) => On::Index(table, index),
                None => On::Table(table),
            },
            facts: Facts {
                select: select(action, &call),
                // What a failed condition shows is shown, too.
                returns: if is_all(&call.on_failure) {
                    call.on_failure.clone()
                } else {
                    let usual = || gives_back(action).then(|| "NONE".to_owned());
                    call.returns.clone().or_else(usual)
                },
                capacity,
                enclosing: enclosing.map(str::to_owned),
                ..Facts::default()
            },
            service: "dynamodb",
            action: action.to_owned(),
            call,
            stated: None,
        }
    }
}

impl CallIn {
    /// Keeps the members that the action has: another one's would speak for what is not done.
    fn of_action(self, action: &str) -> Self {
        let of_all = Self {
            table: self.table,
            names: self.names,
            ..Self::default()
        };
        match action {
            "GetItem" | "BatchGetItem" => Self {
                key: self.key,
                keys: self.keys,
                attributes: self.attributes,
                projection: self.projection,
                ..of_all
            },
            "Query" | "Scan" => {
                let is_query = action == "Query";
                Self {
                    index: self.index,
                    attributes: self.attributes,
                    projection: self.projection,
                    filter: self.filter,
                    key_condition: self.key_condition.filter(|_| is_query),
                    key_conditions: self.key_conditions.filter(|_| is_query),
                    query_filter: self.query_filter.filter(|_| is_query),
                    scan_filter: self.scan_filter.filter(|_| !is_query),
                    values: self.values,
                    select: self.select,
                    ..of_all
                }
            }
            _ => {
                // Of a batch a put has an item, and a deletion a key.
                let is_put =
                    action == "PutItem" || (self.key.is_none() && action == "BatchWriteItem");
                Self {
                    item: self.item.filter(|_| is_put),
                    key: self.key.filter(|_| !is_put),
                    update: self.update.filter(|_| action == "UpdateItem"),
                    updates: self.updates.filter(|_| action == "UpdateItem"),
                    condition: self.condition,
                    expected: self.expected,
                    values: self.values,
                    returns: self.returns,
                    on_failure: self.on_failure,
                    ..of_all
                }
            }
        }
    }
}

impl On {
    pub(super) fn of_table(given: String) -> Self {
        // Streams, backups and the like have ARNs that go on behind their table's name.
        if catalog::is_arn(&given) && catalog::table_in(&given).is_none() {
            Self::Arn(given)
        } else {
            Self::Table(given)
        }
    }

    /// Returns the table that it is about, by name or ARN.
    pub(super) fn table(&self) -> Option<&str> {
        match self {
            Self::Table(given) | Self::Replica(given, _) | Self::Index(given, _) => Some(given),
            Self::Nothing | Self::Tables | Self::GlobalTable(_) | Self::Arn(_) => None,
        }
    }
}

impl Facts {
    /// What a failed condition shows counts as given back; what is told of capacity is no
    /// condition's concern.
    pub(super) fn of_statement(on_failure: Option<String>, enclosing: Option<&str>) -> Self {
        Self {
            returns: on_failure.filter(|wanted| wanted == "ALL_OLD"),
            enclosing: enclosing.map(str::to_owned),
            ..Self::default()
        }
    }

    pub(super) fn of_tags(tags: BTreeMap<String, String>) -> Self {
        Self {
            tags,
            ..Self::default()
        }
    }

    /// Tells a context what is known.
    pub(super) fn tell(self, context: &mut Context<'_>) {
        for (key, value) in [
            (keys::SELECT, self.select),
            (keys::RETURN_VALUES, self.returns),
            (keys::RETURN_CONSUMED_CAPACITY, self.capacity),
            (keys::ENCLOSING_OPERATION, self.enclosing),
        ] {
            if let Some(value) = value {
                context.set(key, value);
            }
        }
        let names = self.tags.keys().cloned();
        let tag_keys: Vec<String> = names.chain(self.tag_keys.into_iter().flatten()).collect();
        if !tag_keys.is_empty() {
            context.set_many(keys::TAG_KEYS, tag_keys);
        }
        for (tag, value) in self.tags {
            context.set_tag(keys::REQUEST_TAG, &tag, value);
        }
    }
}

/// Returns whether an action has `ReturnValues`, which then has a value even where none is said.
fn gives_back(action: &str) -> bool {
    matches!(action, "PutItem" | "UpdateItem" | "DeleteItem")
}

fn takes_index(action: &str) -> bool {
    matches!(action, "Query" | "Scan")
}

/// Returns what of items is asked for: what is said, or what comes where nothing is.
fn select(action: &str, call: &CallIn) -> Option<String> {
    let reads = matches!(action, "GetItem" | "BatchGetItem" | "Query" | "Scan");
    if !reads {
        return None;
    }
    let usual = if call.projection.is_some() || call.attributes.is_some() {
        "SPECIFIC_ATTRIBUTES"
    } else if call.index.is_some() && takes_index(action) {
        "ALL_PROJECTED_ATTRIBUTES"
    } else {
        "ALL_ATTRIBUTES"
    };
    let said = call.select.clone().filter(|_| takes_index(action));
    Some(said.unwrap_or_else(|| usual.to_owned()))
}

const TO_POINT_IN_TIME: &str = "RestoreTableToPointInTime";

/// Calls that are about nothing in particular, even where they name a table to list less; the
/// lists of exports and imports are about the table that they name.
const LISTS: [&str; 7] = [
    "DescribeEndpoints",
    "DescribeLimits",
    "ListBackups",
    "ListBulkOperations",
    "ListContributorInsights",
    "ListGlobalTables",
    "ListStreams",
];
