//! BatchGetItem and BatchWriteItem: many calls on single items in one request.
//!
//! Nothing is atomic across them. What does not fit into one reply comes back unprocessed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api_protocol::fault::Fault;
use api_protocol::json;
use base::name::TableId;
use bytes::Bytes;
use expr::projection::Projection;
use futures_util::future::join_all;
use item::key::Key;
use item::value::Item;
use store::port::Store;
use table::limit::Limit;
use table::write::{Refusal, Write, WriteError, Written};

use crate::capacity::{self, Consumed, Reading, Side, Units};
use crate::catalog::OpenTable;
use crate::choices::{ReturnConsumedCapacity, ReturnItemCollectionMetrics};
use crate::expressions::Expressions;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::indexes::{self, Writing};
use crate::items::{self, Intent};
use crate::limits::{BATCH_GET_BYTES_MAX, BATCH_GET_KEYS_MAX, BATCH_WRITES_MAX};
use crate::part;
use crate::throttle;
use crate::wire::render::{self, Object};
use crate::wire::shape;
use crate::wire::value::ItemIn;

shape! {
    /// The members of `BatchGetItem`.
    BatchGetIn {
        tables: "RequestItems" as BTreeMap<String, KeysIn>,
        capacity: "ReturnConsumedCapacity" as String,
    }
}

shape! {
    /// What is read of one table.
    KeysIn {
        keys: "Keys" as Vec<ItemIn>,
        attributes: "AttributesToGet" as Vec<String>,
        consistent: "ConsistentRead" as bool,
        projection: "ProjectionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
    }
}

shape! {
    /// The members of `BatchWriteItem`.
    BatchWriteIn {
        tables: "RequestItems" as BTreeMap<String, Vec<WriteIn>>,
        capacity: "ReturnConsumedCapacity" as String,
        metrics: "ReturnItemCollectionMetrics" as String,
    }
}

shape! {
    /// One write: a put or a delete.
    WriteIn {
        put: "PutRequest" as PutIn,
        delete: "DeleteRequest" as DeleteIn,
    }
}

shape! {
    /// An item to put.
    PutIn { item: "Item" as ItemIn, }
}

shape! {
    /// The key of an item to delete.
    DeleteIn { key: "Key" as ItemIn, }
}

/// What is read of one table, checked.
struct Gets {
    given: String,
    open: Arc<OpenTable>,
    keys: Vec<Key>,
    projection: Option<Projection>,
    reading: Reading,
    /// What an answer repeats beside the keys that were not read.
    repeated: BTreeMap<&'static str, serde_json::Value>,
}

/// What was read of an item, or what held the read back.
type Read = Result<Option<Bytes>, Fault>;

/// What is written to one table, checked.
struct Puts {
    given: String,
    writes: Vec<Put>,
}

/// One write, checked.
struct Put {
    open: Arc<OpenTable>,
    key: Key,
    intent: Intent,
    /// The request, as JSON, where it may be held back.
    again: Option<Vec<u8>>,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `BatchGetItem`.
    pub(crate) async fn batch_get_item(&self, body: &[u8]) -> Answer {
        let request: BatchGetIn = json::parse(body)?;
        let capacity = items::returned_capacity(request.capacity.as_deref());
        let tables = request.tables.unwrap_or_default();
        let total: usize = tables
            .values()
            .flat_map(|keys| &keys.keys)
            .map(Vec::len)
            .sum();
        if total > BATCH_GET_KEYS_MAX {
            let message = "Too many items requested for the BatchGetItem call";
            return Err(fault::validation(message).into());
        }
        let gets = tables
            .into_iter()
            .map(|(given, keys)| self.gets(given, keys));
        let gets = gets.collect::<Result<Vec<_>, _>>()?;
        let reads = gets
            .iter()
            .flat_map(|gets| gets.keys.iter().map(move |key| (gets, key)));
        let reads = reads.map(|(gets, key)| {
            let ticket = self.admit_read(&gets.open, None, gets.reading);
            async move {
                let ticket = match ticket {
                    Ok(ticket) => ticket,
                    Err(fault) => return Ok(Err(fault)),
                };
                let row = self.control.tables().get(&gets.open.def, key).await?;
                let image = row.map(|row| row.image);
                if ticket.counts() {
                    let size = image.as_deref().map_or(Ok(0), items::size_of)?;
                    ticket.settle(Units::of_read(size, gets.reading));
                }
                Ok::<_, Refused>(Ok(image))
            }
        });
        let reads = join_all(reads).await.into_iter();
        let images = reads.collect::<Result<Vec<Read>, _>>()?;
        if images.iter().all(Result::is_err)
            && let Some(Err(fault)) = images.first()
        {
            return Err(fault.clone().into());
        }
        answer_gets(&gets, images, capacity)
    }

    fn gets(&self, given: String, keys: KeysIn) -> Result<Gets, Refused> {
        let repeated = [
            ("ConsistentRead", keys.consistent.map(Into::into)),
            (
                "ProjectionExpression",
                keys.projection.clone().map(Into::into),
            ),
            ("AttributesToGet", keys.attributes.clone().map(Into::into)),
            (
                "ExpressionAttributeNames",
                keys.names.as_ref().map(|names| {
                    let own = |(key, name): (&String, &String)| (key.clone(), name.clone().into());
                    serde_json::Value::Object(names.iter().map(own).collect())
                }),
            ),
        ];
        let expressions = Expressions {
            projection: keys.projection,
            names: keys.names,
            ..Expressions::default()
        };
        let projection = items::projection(expressions, keys.attributes)?;
        let given_keys = keys.keys.unwrap_or_default().into_iter().map(ItemIn::check);
        let given_keys = given_keys.collect::<Result<Vec<Item>, _>>()?;
        let open = self.open(&given)?;
        let keys_of = given_keys
            .iter()
            .map(|key| items::key_of(&open.def.schema, key));
        let all = keys_of.collect::<Result<Vec<Key>, Fault>>()?;
        if all.iter().collect::<BTreeSet<_>>().len() < all.len() {
            return Err(fault::validation(DUPLICATES).into());
        }
        let present = repeated
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Ok(Gets {
            given,
            open,
            keys: all,
            projection,
            reading: items::reading(keys.consistent),
            repeated: present.collect(),
        })
    }

    /// Answers `BatchWriteItem`.
    pub(crate) async fn batch_write_item(&self, body: &[u8]) -> Answer {
        let request: BatchWriteIn = json::parse(body)?;
        let capacity = items::returned_capacity(request.capacity.as_deref());
        let metrics = items::returned_metrics(request.metrics.as_deref());
        let tables = request.tables.unwrap_or_default();
        if tables.values().map(Vec::len).sum::<usize>() > BATCH_WRITES_MAX {
            let message = "Too many items requested for the BatchWriteItem call";
            return Err(fault::validation(message).into());
        }
        let mut known = BTreeSet::new();
        let puts = tables
            .into_iter()
            .map(|(given, writes)| self.puts(given, writes, &mut known));
        let puts = puts.collect::<Result<Vec<_>, _>>()?;
        let mut tables = Vec::new();
        let mut writes = Vec::new();
        for puts in puts {
            for put in puts.writes {
                tables.push((puts.given.clone(), Arc::clone(&put.open), put.again));
                let decide = items::decide(put.intent, None);
                let decide = self.bounded(&put.open, &put.key, Side::Plain, decide);
                let decide = decide.await?;
                writes.push(self.control.tables().write(Write {
                    table: Arc::clone(&put.open.def),
                    key: put.key,
                    decide,
                }));
            }
        }
        // All at once, so that one flush of the disk serves them together.
        let outcomes = join_all(writes).await;
        let mut written = Vec::with_capacity(outcomes.len());
        let mut left: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
        let mut held = None;
        for ((given, open, again), outcome) in tables.iter().zip(&outcomes) {
            match outcome {
                Ok(one) => written.push(((given.as_str(), open), one)),
                Err(error) => {
                    held.get_or_insert(held_back(error)?);
                    left.entry(given).or_default().extend(again.as_deref());
                }
            }
        }
        if let Some(fault) = held.filter(|_| written.is_empty()) {
            return Err(fault.into());
        }
        let mut out = Vec::with_capacity(128);
        let mut answer = Object::start(&mut out);
        let mut unprocessed = Object::start(answer.member("UnprocessedItems"));
        for (given, again) in left {
            let list = unprocessed.member(given);
            list.push(b'[');
            list.extend_from_slice(&again.join(&b','));
            list.push(b']');
        }
        unprocessed.end();
        self.write_totals(&mut answer, (capacity, metrics), Side::Plain, &written)
            .await?;
        answer.end();
        Ok(out)
    }

    /// Writes what writes have cost, and the collections that they belong to, as far as that is
    /// asked for.
    pub(crate) async fn write_totals(
        &self,
        answer: &mut Object<'_>,
        (capacity, metrics): (ReturnConsumedCapacity, Option<ReturnItemCollectionMetrics>),
        side: Side,
        written: &[((&str, &Arc<OpenTable>), &Written)],
    ) -> Result<(), Refused> {
        if capacity != ReturnConsumedCapacity::None {
            let mut totals: BTreeMap<&str, Consumed> = BTreeMap::new();
            for ((given, open), one) in written {
                let consumed = indexes::consumed(open, one)?;
                totals.entry(given).or_default().plus(consumed.of(side));
            }
            write_capacities(answer, capacity, side, totals.into_iter());
        }
        if metrics == Some(ReturnItemCollectionMetrics::Size) {
            let mut collections: BTreeMap<&str, BTreeSet<Vec<u8>>> = BTreeMap::new();
            for ((given, open), one) in written {
                if let Some(metrics) = self.collection_metrics(open, one).await? {
                    collections.entry(given).or_default().insert(metrics);
                }
            }
            if !collections.is_empty() {
                let mut tables = Object::start(answer.member("ItemCollectionMetrics"));
                for (given, metrics) in collections {
                    let list = tables.member(given);
                    list.push(b'[');
                    let metrics: Vec<Vec<u8>> = metrics.into_iter().collect();
                    list.extend_from_slice(&metrics.join(&b','));
                    list.push(b']');
                }
                tables.end();
            }
        }
        Ok(())
    }

    /// Checks what is written to a table; `known` are the items that the call writes, which may
    /// name a table in two ways.
    fn puts(
        &self,
        given: String,
        writes: Vec<WriteIn>,
        known: &mut BTreeSet<(TableId, Key)>,
    ) -> Result<Puts, Refused> {
        let intents = writes.into_iter().map(WriteIn::into_item);
        let intents = intents.collect::<Result<Vec<_>, _>>()?;
        let open = self.open(&given)?;
        let schema = &open.def.schema;
        let mut all = Vec::with_capacity(intents.len());
        for (item, is_put) in intents {
            let again = open.meters.as_ref().map(|_| request_of(&item, is_put));
            let again = again.transpose()?;
            let (key, intent) = if is_put {
                let key = schema.key_of(&item);
                let key = key.map_err(|error| fault::bad_key_of_item(&error))?;
                items::check_size(&item, items::TOO_LARGE)?;
                indexes::check_item(&open, &item, Writing::Put)?;
                (key, Intent::Put(item))
            } else {
                (items::key_of(schema, &item)?, Intent::Delete)
            };
            if !known.insert((open.def.id, key.clone())) {
                return Err(fault::validation(DUPLICATES).into());
            }
            all.push(Put {
                open: Arc::clone(&open),
                key,
                intent,
                again,
            });
        }
        Ok(Puts { given, writes: all })
    }
}

impl WriteIn {
    /// Returns the item to put, or the key to delete, and which of the two it is.
    fn into_item(self) -> Result<(Item, bool), Refused> {
        match (self.put, self.delete) {
            (Some(PutIn { item: Some(item) }), None) => Ok((item.check()?, true)),
            (None, Some(DeleteIn { key: Some(key) })) => Ok((key.check()?, false)),
            (Some(_), Some(_)) => Err(fault::validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly \
                 one of the supported datatypes",
            )
            .into()),
            (_, _) => Err(fault::invalid_parameter(
                "each WriteRequest must have a PutRequest with an Item or a DeleteRequest with \
                 a Key",
            )
            .into()),
        }
    }
}

/// Returns a put of an item, or a delete of a key, as it is asked for.
fn request_of(item: &Item, is_put: bool) -> Result<Vec<u8>, Refused> {
    let (request, member) = if is_put {
        ("PutRequest", "Item")
    } else {
        ("DeleteRequest", "Key")
    };
    let mut out = Vec::with_capacity(128);
    let mut write = Object::start(&mut out);
    let mut inner = Object::start(write.member(request));
    render::tree(inner.member(member), item)?;
    inner.end();
    write.end();
    Ok(out)
}

/// Returns what held a write of a batch back, which is to be asked for again.
///
/// Errors: the answer to the whole call, for a write that failed otherwise.
fn held_back(error: &WriteError) -> Result<Fault, Refused> {
    if let WriteError::Refused(refused) = error
        && let Some(Refusal::Limited(held)) =
            refused.iter().flatten().map(|one| &one.refusal).next()
    {
        let fault = throttle::limited(held);
        return match held {
            Limit::CollectionSize => Err(fault.into()),
            Limit::Throughput(_) => Ok(fault),
        };
    }
    Err(fault::ours(error).into())
}

/// Answers with what was read, up to the largest reply; the rest is unprocessed.
fn answer_gets(gets: &[Gets], images: Vec<Read>, capacity: ReturnConsumedCapacity) -> Answer {
    let mut images = images.into_iter();
    let mut out = Vec::with_capacity(1024);
    let mut answer = Object::start(&mut out);
    let mut responses = Object::start(answer.member("Responses"));
    let mut unprocessed: Vec<(&Gets, Vec<&Key>)> = Vec::new();
    let mut consumed = Vec::with_capacity(gets.len());
    let mut total = 0;
    for one in gets {
        let list = responses.member(&one.given);
        list.push(b'[');
        let (mut first, mut units) = (true, Units::default());
        let mut left = Vec::new();
        for (key, image) in one.keys.iter().zip(&mut images) {
            let Ok(image) = image else {
                left.push(key);
                continue;
            };
            let size = image.as_deref().map_or(Ok(0), items::size_of)?;
            if total + size > BATCH_GET_BYTES_MAX {
                left.push(key);
                continue;
            }
            total += size;
            units = units.plus(Units::of_read(size, one.reading));
            let Some(image) = image else {
                continue;
            };
            if !first {
                list.push(b',');
            }
            first = false;
            part::write(list, &image, one.projection.as_ref())?;
        }
        list.push(b']');
        consumed.push((one, units));
        if !left.is_empty() {
            unprocessed.push((one, left));
        }
    }
    responses.end();
    let mut rest = Object::start(answer.member("UnprocessedKeys"));
    for (one, keys) in unprocessed {
        let mut table = Object::start(rest.member(&one.given));
        let list = table.member("Keys");
        list.push(b'[');
        for (at, key) in keys.into_iter().enumerate() {
            if at > 0 {
                list.push(b',');
            }
            render::tree(list, &key.to_item(&one.open.def.schema))?;
        }
        list.push(b']');
        for (name, value) in &one.repeated {
            table
                .member(name)
                .extend_from_slice(value.to_string().as_bytes());
        }
        table.end();
    }
    rest.end();
    let consumed = consumed
        .iter()
        .map(|(one, units)| (one.given.as_str(), Consumed::of_table(*units)));
    write_capacities(&mut answer, capacity, Side::Plain, consumed);
    answer.end();
    Ok(out)
}

/// Writes the consumed capacity of several tables, if it is asked for.
pub(crate) fn write_capacities<'t>(
    answer: &mut Object<'_>,
    capacity: ReturnConsumedCapacity,
    side: Side,
    consumed: impl Iterator<Item = (&'t str, Consumed)>,
) {
    if capacity == ReturnConsumedCapacity::None {
        return;
    }
    let list = answer.member("ConsumedCapacity");
    list.push(b'[');
    for (at, (given, consumed)) in consumed.enumerate() {
        if at > 0 {
            list.push(b',');
        }
        capacity::write_parts(list, capacity, given, &consumed, side);
    }
    list.push(b']');
}

pub(crate) const DUPLICATES: &str = "Provided list of item keys contains duplicates";
