//! Calls on one item: GetItem, PutItem, UpdateItem, DeleteItem.
//!
//! Order of checks: shape, constraints, expressions, values, table, key, size; then the item.

use std::collections::BTreeMap;
use std::sync::Arc;

use api_protocol::fault::Fault;
use api_protocol::json;
use expr::condition::Condition;
use expr::projection::Projection;
use expr::update::Update;
use item::key::{Key, KeySchema};
use item::size::{self, SizeError};
use item::value::Item;
use item::view::ItemRef;
use store::port::Store;
use table::def::Resolver;
use table::write::{Current, Decide, Effect, Refusal, Refused as NotWritten, Write};
use table::write::{WriteError, Written};

use crate::capacity::{self, Reading, Side, Units};
use crate::catalog::OpenTable;
use crate::choices::{
    ConditionalOperator, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnOnFailure,
    ReturnValues,
};
use crate::expressions::Expressions;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::indexes::{self, Writing};
use crate::legacy::{self, ExpectationsIn, UpdatesIn};
use crate::part;
use crate::resolver;
use crate::throttle;
use crate::wire::render::{self, Object};
use crate::wire::shape;
use crate::wire::value::{ItemIn, ValueIn, check_name};

shape! {
    /// The members of `GetItem`.
    GetIn {
        table: "TableName" as String,
        key: "Key" as ItemIn,
        attributes: "AttributesToGet" as Vec<String>,
        consistent: "ConsistentRead" as bool,
        capacity: "ReturnConsumedCapacity" as String,
        projection: "ProjectionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
    }
}

shape! {
    /// The members of `PutItem`, `UpdateItem` and `DeleteItem`: each ignores what is not its own.
    WriteIn {
        table: "TableName" as String,
        item: "Item" as ItemIn,
        key: "Key" as ItemIn,
        update: "UpdateExpression" as String,
        condition: "ConditionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
        values: "ExpressionAttributeValues" as BTreeMap<String, ValueIn>,
        updates: "AttributeUpdates" as UpdatesIn,
        expected: "Expected" as ExpectationsIn,
        joined: "ConditionalOperator" as String,
        returns: "ReturnValues" as String,
        on_failure: "ReturnValuesOnConditionCheckFailure" as String,
        capacity: "ReturnConsumedCapacity" as String,
        metrics: "ReturnItemCollectionMetrics" as String,
    }
}

/// What is to become of an item, if its condition holds.
#[derive(Debug)]
pub(crate) enum Intent {
    /// It is replaced, or made.
    Put(Item),
    /// It is removed.
    Delete,
    /// It is changed, or made from its key alone.
    Update {
        update: Update,
        key: Item,
        resolver: Resolver,
    },
    /// It stays.
    Check,
}

/// What a write answers with.
#[derive(Debug)]
struct Returns {
    values: ReturnValues,
    on_failure: ReturnOnFailure,
    capacity: ReturnConsumedCapacity,
    metrics: Option<ReturnItemCollectionMetrics>,
    joined: Option<ConditionalOperator>,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `GetItem`.
    pub(crate) async fn get_item(&self, body: &[u8]) -> Answer {
        let request: GetIn = json::parse(body)?;
        let capacity = returned_capacity(request.capacity.as_deref());
        let expressions = Expressions {
            projection: request.projection,
            names: request.names,
            ..Expressions::default()
        };
        let projection = projection(expressions, request.attributes)?;
        let given = request.table.unwrap_or_default();
        let key = request.key.unwrap_or_default().check()?;
        let open = self.open(&given)?;
        let key = key_of(&open.def.schema, &key)?;
        let reading = reading(request.consistent);
        let ticket = self.admit_read(&open, None, reading)?;
        let row = self.control.tables().get(&open.def, &key).await?;
        let image = row.map(|row| row.image);
        let length = image.as_ref().map_or(0, bytes::Bytes::len);
        let mut out = Vec::with_capacity(128 + length * 3 / 2);
        let mut answer = Object::start(&mut out);
        if let Some(image) = &image {
            part::write(answer.member("Item"), image, projection.as_ref())?;
        }
        if ticket.counts() || capacity != ReturnConsumedCapacity::None {
            let bytes = image.map_or(Ok(0), |image| size_of(&image))?;
            let units = Units::of_read(bytes, reading);
            ticket.settle(units);
            if capacity != ReturnConsumedCapacity::None {
                let member = answer.member("ConsumedCapacity");
                capacity::write(member, capacity, &given, units, Side::Plain);
            }
        }
        answer.end();
        Ok(out)
    }

    /// Answers `PutItem`.
    pub(crate) async fn put_item(&self, body: &[u8]) -> Answer {
        let mut request: WriteIn = json::parse(body)?;
        let returns = request.returns();
        returns.only_before()?;
        let (_, condition) = request.expressions(&returns, "ConditionExpression is null")?;
        let item = request.item.take().unwrap_or_default().check()?;
        let given = request.table.unwrap_or_default();
        let open = self.open(&given)?;
        let key = open.def.schema.key_of(&item);
        let key = key.map_err(|error| fault::bad_key_of_item(&error))?;
        check_size(&item, TOO_LARGE)?;
        indexes::check_item(&open, &item, Writing::Put)?;
        let decide = decide(Intent::Put(item), condition);
        let write = Write {
            table: Arc::clone(&open.def),
            decide: self.bounded(&open, &key, Side::Plain, decide).await?,
            key,
        };
        let written = self.write(write, returns.on_failure).await?;
        self.answer_write(&returns, &given, &open, (&written, None))
            .await
    }

    /// Answers `DeleteItem`.
    pub(crate) async fn delete_item(&self, body: &[u8]) -> Answer {
        let mut request: WriteIn = json::parse(body)?;
        let returns = request.returns();
        returns.only_before()?;
        let (_, condition) = request.expressions(&returns, "ConditionExpression is null")?;
        let key = request.key.take().unwrap_or_default().check()?;
        let given = request.table.unwrap_or_default();
        let open = self.open(&given)?;
        let key = key_of(&open.def.schema, &key)?;
        let decide = decide(Intent::Delete, condition);
        let write = Write {
            table: Arc::clone(&open.def),
            decide: self.bounded(&open, &key, Side::Plain, decide).await?,
            key,
        };
        let written = self.write(write, returns.on_failure).await?;
        self.answer_write(&returns, &given, &open, (&written, None))
            .await
    }

    /// Answers `UpdateItem`.
    pub(crate) async fn update_item(&self, body: &[u8]) -> Answer {
        let mut request: WriteIn = json::parse(body)?;
        let returns = request.returns();
        let is_legacy = request.updates.is_some();
        let nulls = "UpdateExpression and ConditionExpression are null";
        let (update, condition) = request.expressions(&returns, nulls)?;
        let key_item = request.key.take().unwrap_or_default().check()?;
        let given = request.table.unwrap_or_default();
        let open = self.open(&given)?;
        let key = key_of(&open.def.schema, &key_item)?;
        let update = update.unwrap_or_default();
        check_update(&open.def.schema, &update)?;
        let touched = update.touched();
        let intent = Intent::Update {
            update,
            key: key_item,
            resolver: open.def.resolver,
        };
        let decide = indexes::checked(&open, Writing::Update, decide(intent, condition));
        let write = Write {
            table: Arc::clone(&open.def),
            decide: self.bounded(&open, &key, Side::Plain, decide).await?,
            key,
        };
        let written = self.write(write, returns.on_failure).await;
        let written = written.map_err(|refused| legacy::reworded(is_legacy, refused))?;
        self.answer_write(&returns, &given, &open, (&written, Some(&touched)))
            .await
    }

    async fn answer_write(
        &self,
        returns: &Returns,
        given: &str,
        open: &OpenTable,
        (written, touched): (&Written, Option<&Projection>),
    ) -> Answer {
        let mut out = Vec::with_capacity(128);
        let mut answer = Object::start(&mut out);
        let (image, part) = match returns.values {
            ReturnValues::None => (None, None),
            ReturnValues::AllOld => (written.old.as_ref(), None),
            ReturnValues::AllNew => (written.new.as_ref(), None),
            ReturnValues::UpdatedOld => (written.old.as_ref(), touched),
            ReturnValues::UpdatedNew => (written.new.as_ref(), touched),
        };
        match (image, part) {
            (Some(image), None) => render::item(answer.member("Attributes"), image)?,
            (Some(image), Some(part)) => {
                let mut attributes = Vec::new();
                if render::projected(&mut attributes, image, part)? {
                    answer.member("Attributes").extend_from_slice(&attributes);
                }
            }
            (None, _) => {}
        }
        if returns.capacity != ReturnConsumedCapacity::None {
            let consumed = indexes::consumed(open, written)?;
            let member = answer.member("ConsumedCapacity");
            capacity::write_parts(member, returns.capacity, given, &consumed, Side::Plain);
        }
        if returns.metrics == Some(ReturnItemCollectionMetrics::Size)
            && let Some(metrics) = self.collection_metrics(open, written).await?
        {
            answer
                .member("ItemCollectionMetrics")
                .extend_from_slice(&metrics);
        }
        answer.end();
        Ok(out)
    }

    /// Writes one item, alone.
    pub(crate) async fn write(
        &self,
        write: Write,
        on_failure: ReturnOnFailure,
    ) -> Result<Written, Refused> {
        let written = self.control.tables().write(write).await;
        written.map_err(|error| match error {
            WriteError::Refused(refused) => match refused.into_iter().flatten().next() {
                Some(refused) => not_written(&refused, on_failure),
                None => Refused(fault::ours(&WriteError::SameItem)),
            },
            error @ (WriteError::SameItem
            | WriteError::TooMany
            | WriteError::Damaged(_)
            | WriteError::Store(_)) => Refused(fault::ours(&error)),
        })
    }
}

impl WriteIn {
    /// Reads what the write answers with.
    fn returns(&self) -> Returns {
        let values = self.returns.as_deref().and_then(ReturnValues::parse);
        let on_failure = self.on_failure.as_deref().and_then(ReturnOnFailure::parse);
        Returns {
            values: values.unwrap_or(ReturnValues::None),
            on_failure: on_failure.unwrap_or(ReturnOnFailure::None),
            capacity: returned_capacity(self.capacity.as_deref()),
            metrics: returned_metrics(self.metrics.as_deref()),
            joined: self.joined.as_deref().and_then(ConditionalOperator::parse),
        }
    }

    /// Takes the update and the condition, from expressions or from legacy parameters.
    fn expressions(
        &mut self,
        returns: &Returns,
        nulls: &str,
    ) -> Result<(Option<Update>, Option<Condition>), Refused> {
        let legacy = [
            ("AttributeUpdates", self.updates.is_some()),
            ("Expected", self.expected.is_some()),
            ("ConditionalOperator", returns.joined.is_some()),
        ];
        let legacy: Vec<&str> = legacy.iter().filter(|one| one.1).map(|one| one.0).collect();
        let expressions = Expressions {
            update: self.update.take(),
            condition: self.condition.take(),
            names: self.names.take(),
            values: self.values.take(),
            ..Expressions::default()
        };
        let parsed = expressions.parse(&legacy, nulls)?;
        let update = match self.updates.take() {
            Some(updates) => Some(legacy::updates(updates)?),
            None => parsed.update,
        };
        let expected = legacy::expected(self.expected.take(), returns.joined)?;
        Ok((update, expected.or(parsed.condition)))
    }
}

impl Returns {
    /// Refuses images that only an update has.
    fn only_before(&self) -> Result<(), Fault> {
        match self.values {
            ReturnValues::None | ReturnValues::AllOld => Ok(()),
            ReturnValues::AllNew | ReturnValues::UpdatedOld | ReturnValues::UpdatedNew => Err(
                fault::validation("ReturnValues can only be ALL_OLD or NONE"),
            ),
        }
    }
}

/// Makes the decision about an item, to be taken while it is locked.
pub(crate) fn decide(intent: Intent, condition: Option<Condition>) -> Decide {
    Box::new(move |current: &Current| {
        let reads = condition.is_some() || matches!(intent, Intent::Update { .. });
        let item = if reads { current.item()? } else { None };
        if condition.is_some_and(|condition| !condition.evaluate(item.as_ref())) {
            return Err(Refusal::ConditionFailed);
        }
        Ok(match intent {
            Intent::Put(item) => Effect::Put(item),
            Intent::Delete => Effect::Delete,
            Intent::Check => Effect::Keep,
            Intent::Update {
                update,
                key,
                resolver,
            } => {
                // There is nothing to take away, wherever the paths lead.
                if item.is_none() && !update.makes_item() {
                    return Ok(Effect::Keep);
                }
                let touched = match resolver {
                    Resolver::Item => None,
                    Resolver::Attributes | Resolver::Counters => {
                        Some(resolver::touched(&update, item.as_ref()))
                    }
                };
                let updated = update.apply(&item.unwrap_or(key));
                let updated = updated.map_err(|error| Refusal::Invalid(error.to_string()))?;
                let sized = check_size(&updated, TOO_LARGE_TO_UPDATE);
                sized.map_err(|fault| Refusal::Invalid(fault.message))?;
                match touched {
                    Some(touched) => Effect::Update(updated, touched),
                    None => Effect::Put(updated),
                }
            }
        })
    })
}

/// Answers a write whose item refused it.
fn not_written(refused: &NotWritten, on_failure: ReturnOnFailure) -> Refused {
    match &refused.refusal {
        Refusal::Invalid(message) => Refused(fault::validation(message.as_str())),
        Refusal::Limited(held) => Refused(throttle::limited(held)),
        Refusal::ConditionFailed => {
            let fault = fault::condition_failed();
            let Some(image) = &refused.current else {
                return Refused(fault);
            };
            match on_failure {
                ReturnOnFailure::None => Refused(fault),
                ReturnOnFailure::AllOld => match json_of(image) {
                    Ok(item) => Refused(fault.with_detail("Item", item)),
                    Err(refused) => refused,
                },
            }
        }
    }
}

/// Returns a stored item as a JSON value, for answers that are built as one.
pub(crate) fn json_of(image: &[u8]) -> Result<serde_json::Value, Refused> {
    let mut out = Vec::new();
    render::item(&mut out, image)?;
    serde_json::from_slice(&out).map_err(|error| Refused(fault::ours(&error)))
}

/// Returns the projection that a read asks for, by expression or by legacy parameter.
pub(crate) fn projection(
    expressions: Expressions,
    attributes: Option<Vec<String>>,
) -> Result<Option<Projection>, Refused> {
    let legacy: &[&str] = if attributes.is_some() {
        &["AttributesToGet"]
    } else {
        &[]
    };
    let parsed = expressions.parse(legacy, "")?;
    match attributes {
        Some(attributes) => Ok(Some(attributes_to_get(attributes)?)),
        None => Ok(parsed.projection),
    }
}

/// Returns the projection that `AttributesToGet` asks for.
pub(crate) fn attributes_to_get(attributes: Vec<String>) -> Result<Projection, Fault> {
    for (at, name) in attributes.iter().enumerate() {
        check_name(name).map_err(|problem| fault::validation(problem.to_string()))?;
        if attributes.iter().take(at).any(|earlier| earlier == name) {
            let message = format!("Duplicate value in attribute name: {name}");
            return Err(fault::invalid_parameter(message));
        }
    }
    Ok(Projection::of_attributes(attributes))
}

/// Returns the key that a request gives, which must be the table's and nothing more.
pub(crate) fn key_of(schema: &KeySchema, key: &Item) -> Result<Key, Fault> {
    schema
        .exact_key_of(key)
        .map_err(|error| fault::bad_key(&error))
}

/// Checks that an update leaves the key alone.
pub(crate) fn check_update(schema: &KeySchema, update: &Update) -> Result<(), Fault> {
    let mut names = update.actions().iter().map(|action| action.path().name());
    match names.find(|name| schema.contains(name)) {
        Some(name) => Err(fault::invalid_parameter(format_args!(
            "Cannot update attribute {name}. This attribute is part of the key"
        ))),
        None => Ok(()),
    }
}

/// Checks that an item may be stored.
pub(crate) fn check_size(item: &Item, too_large: &'static str) -> Result<(), Fault> {
    size::check(item).map_err(|error| match error {
        SizeError::TooLarge { .. } => fault::validation(too_large),
        SizeError::TooDeep => fault::validation(TOO_DEEP),
    })
}

pub(crate) fn returned_capacity(wanted: Option<&str>) -> ReturnConsumedCapacity {
    let wanted = wanted.and_then(ReturnConsumedCapacity::parse);
    wanted.unwrap_or(ReturnConsumedCapacity::None)
}

pub(crate) fn returned_metrics(wanted: Option<&str>) -> Option<ReturnItemCollectionMetrics> {
    wanted.and_then(ReturnItemCollectionMetrics::parse)
}

pub(crate) fn reading(consistent: Option<bool>) -> Reading {
    match consistent {
        Some(true) => Reading::Strong,
        Some(false) | None => Reading::Eventual,
    }
}

/// Returns the size of a stored item.
pub(crate) fn size_of(image: &[u8]) -> Result<usize, Refused> {
    Ok(ItemRef::parse(image)?.size()?)
}

pub(crate) const TOO_DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in \
                                   the item have nested levels beyond supported limit";
pub(crate) const TOO_LARGE: &str = "Item size has exceeded the maximum allowed size";
pub(crate) const TOO_LARGE_TO_UPDATE: &str =
    "Item size to update has exceeded the maximum allowed size";
