//! Query and Scan: pages of items, filtered and projected.
//!
//! A page is what was read, not what is left of it: limits and capacity count items before the
//! filter, as on AWS.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use api_protocol::fault::Fault;
use api_protocol::json;
use bytes::Bytes;
use expr::condition::Condition;
use expr::key_condition::{KeyCondition, KeyRange, SortRange};
use expr::projection::Projection;
use item::codec;
use item::key::{Key, KeyAttribute, KeyError, KeySchema};
use item::value::Item;
use store::port::{Order, Store};
use table::read::{Page, Query, Scan};

use crate::capacity::{self, Consumed, Side, Units};
use crate::catalog::OpenTable;
use crate::choices::{ConditionalOperator, ReturnConsumedCapacity, Select};
use crate::expressions::{Expressions, Parsed};
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::items::{self, attributes_to_get, returned_capacity};
use crate::legacy::{self, ConditionsIn};
use crate::part;
use crate::throttle::Ticket;
use crate::wire::render::{self, Object};
use crate::wire::shape;
use crate::wire::value::{ItemIn, ValueIn};

shape! {
    /// The members of `Query` and `Scan`: each ignores what is not its own.
    ReadIn {
        table: "TableName" as String,
        index: "IndexName" as String,
        select: "Select" as String,
        attributes: "AttributesToGet" as Vec<String>,
        limit: "Limit" as i64,
        consistent: "ConsistentRead" as bool,
        key_conditions: "KeyConditions" as ConditionsIn,
        query_filter: "QueryFilter" as ConditionsIn,
        scan_filter: "ScanFilter" as ConditionsIn,
        joined: "ConditionalOperator" as String,
        forward: "ScanIndexForward" as bool,
        start: "ExclusiveStartKey" as ItemIn,
        capacity: "ReturnConsumedCapacity" as String,
        projection: "ProjectionExpression" as String,
        filter: "FilterExpression" as String,
        key_condition: "KeyConditionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
        values: "ExpressionAttributeValues" as BTreeMap<String, ValueIn>,
        segment: "Segment" as i64,
        segments: "TotalSegments" as i64,
    }
}

pub(crate) mod of_index;

use of_index::Asked;

/// What is read of each item, and how it is answered.
pub(crate) struct Reading {
    pub(crate) given: String,
    pub(crate) filter: Option<Condition>,
    pub(crate) projection: Option<Projection>,
    /// The parameter that the projection came in.
    pub(crate) projected_by: &'static str,
    pub(crate) select: Option<Select>,
    pub(crate) limit: Option<usize>,
    pub(crate) capacity: ReturnConsumedCapacity,
    pub(crate) consistent: Option<bool>,
}

/// What was read, whichever way.
pub(crate) struct Found {
    /// The items, or what an index holds of them.
    pub(crate) images: Vec<Bytes>,
    /// The key to go on after.
    pub(crate) last: Option<Item>,
    /// Their size.
    pub(crate) size: usize,
    pub(crate) consumed: Consumed,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `Query`.
    pub(crate) async fn query(&self, body: &[u8]) -> Answer {
        let mut request: ReadIn = json::parse(body)?;
        let capacity = returned_capacity(request.capacity.as_deref());
        let select = request.select.as_deref().and_then(Select::parse);
        let joined = request.joined();
        let filter = request.query_filter.take();
        let nulls = "FilterExpression and KeyConditionExpression are null";
        let (reading, key_condition) = request.reading(filter, "QueryFilter", joined, nulls)?;
        let reading = reading.selecting(select, capacity, request.index.is_some())?;
        let key_condition = match (key_condition, request.key_conditions.take()) {
            (Some(condition), _) => condition,
            (None, conditions) => legacy::key_conditions(conditions.unwrap_or_default())?,
        };
        let start = request.start.take().map(ItemIn::check).transpose()?;
        let open = self.open(&reading.given)?;
        let order = match request.forward {
            Some(false) => Order::Descending,
            Some(true) | None => Order::Ascending,
        };
        if let Some(index) = &request.index {
            let query = Asked {
                index,
                key_condition: &key_condition,
                start: start.as_ref(),
                order,
            };
            return self.query_index(&open, &reading, query).await;
        }
        let range = key_condition.bind(&open.def.schema)?;
        let keys: Vec<&KeyAttribute> = open.def.schema.attributes().collect();
        reading.check_filter(&keys)?;
        let after = start.map(|start| start_within(&open.def.schema, &range, &start));
        let after = after.transpose()?;
        let found = self
            .read_range(&open, &reading, range, order, after)
            .await?;
        reading.answer(&found)
    }

    /// Answers `Scan`.
    pub(crate) async fn scan(&self, body: &[u8]) -> Answer {
        let mut request: ReadIn = json::parse(body)?;
        let capacity = returned_capacity(request.capacity.as_deref());
        let select = request.select.as_deref().and_then(Select::parse);
        let joined = request.joined();
        let segment = segment(request.segment, request.segments)?;
        let filter = request.scan_filter.take();
        let nulls = "FilterExpression is null";
        let (reading, _) = request.reading(filter, "ScanFilter", joined, nulls)?;
        let reading = reading.selecting(select, capacity, request.index.is_some())?;
        let start = request.start.take().map(ItemIn::check).transpose()?;
        let open = self.open(&reading.given)?;
        if let Some(index) = &request.index {
            let scanned = self.scan_index(&open, &reading, index, segment, start.as_ref());
            return scanned.await;
        }
        let after = match start {
            None => None,
            Some(start) => {
                let key = open.def.schema.exact_key_of(&start);
                Some(key.map_err(|_| fault::validation(BAD_START))?)
            }
        };
        let found = self.read_segment(&open, &reading, segment, after).await?;
        reading.answer(&found)
    }

    /// Reads a page of one partition of a table.
    pub(crate) async fn read_range(
        &self,
        open: &OpenTable,
        reading: &Reading,
        range: KeyRange,
        order: Order,
        after: Option<Key>,
    ) -> Result<Found, Refused> {
        let (from, to) = range
            .sort
            .as_ref()
            .map_or((Vec::new(), None), SortRange::bytes);
        let query = Query {
            table: Arc::clone(&open.def),
            partition: range.partition,
            from: lower(from),
            to: to.map_or(Bound::Unbounded, Bound::Excluded),
            order,
            after,
            limit: reading.limit,
        };
        let ticket = self.admit_read(open, None, items::reading(reading.consistent))?;
        let page = self.control.tables().query(&query).await?;
        Ok(reading.found(open, ticket, page))
    }

    /// Reads a page of one segment of a table.
    pub(crate) async fn read_segment(
        &self,
        open: &OpenTable,
        reading: &Reading,
        segment: (u32, u32),
        after: Option<Key>,
    ) -> Result<Found, Refused> {
        let scan = Scan {
            table: Arc::clone(&open.def),
            segment,
            after,
            limit: reading.limit,
        };
        if !scan.starts_within() {
            let (segment, segments) = scan.segment;
            return Err(fault::validation(format!(
                "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use \
                 ExclusiveStartKey with correct Segment. TotalSegments: {segments} Segment: \
                 {segment}"
            ))
            .into());
        }
        let ticket = self.admit_read(open, None, items::reading(reading.consistent))?;
        let page = self.control.tables().scan(&scan).await?;
        Ok(reading.found(open, ticket, page))
    }
}

impl ReadIn {
    fn joined(&self) -> Option<ConditionalOperator> {
        self.joined.as_deref().and_then(ConditionalOperator::parse)
    }

    /// Takes filter, projection and key condition, from expressions or from legacy parameters.
    fn reading(
        &mut self,
        filter: Option<ConditionsIn>,
        filter_name: &'static str,
        joined: Option<ConditionalOperator>,
        nulls: &str,
    ) -> Result<(Reading, Option<KeyCondition>), Refused> {
        let legacy = [
            ("AttributesToGet", self.attributes.is_some()),
            (filter_name, filter.is_some()),
            ("ConditionalOperator", joined.is_some()),
            // They are older than `KeyConditionExpression`, and go with all other expressions.
            (
                "KeyConditions",
                self.key_conditions.is_some() && self.key_condition.is_some(),
            ),
        ];
        let legacy: Vec<&str> = legacy.iter().filter(|one| one.1).map(|one| one.0).collect();
        let expressions = Expressions {
            key_condition: self.key_condition.take(),
            filter: self.filter.take(),
            projection: self.projection.take(),
            names: self.names.take(),
            values: self.values.take(),
            ..Expressions::default()
        };
        let Parsed {
            filter: filter_parsed,
            projection,
            key_condition,
            update: _,
            condition: _,
        } = expressions.parse(&legacy, nulls)?;
        let attributes = self.attributes.take().map(attributes_to_get).transpose()?;
        let limit = self.limit.and_then(|limit| usize::try_from(limit).ok());
        let reading = Reading {
            given: self.table.take().unwrap_or_default(),
            filter: legacy::filter(filter, joined)?.or(filter_parsed),
            projected_by: if attributes.is_some() {
                "AttributesToGet"
            } else {
                "ProjectionExpression"
            },
            projection: attributes.or(projection),
            select: None,
            limit,
            capacity: ReturnConsumedCapacity::None,
            consistent: self.consistent,
        };
        Ok((reading, key_condition))
    }
}

/// Checks that a query's filter leaves the key alone: the key has its own condition.
pub(crate) fn check_filter(filter: &Condition, keys: &[&KeyAttribute]) -> Result<(), Fault> {
    let mut key: Option<String> = None;
    filter.for_each_path(&mut |path| {
        if key.is_none() && keys.iter().any(|key| key.name == path.name()) {
            key = Some(path.name().to_owned());
        }
    });
    match key {
        Some(name) => Err(fault::validation(format!(
            "Filter Expression can only contain non-primary key attributes: \
             Primary key attribute: {name}"
        ))),
        None => Ok(()),
    }
}

impl Reading {
    fn check_filter(&self, keys: &[&KeyAttribute]) -> Result<(), Fault> {
        let filter = self.filter.as_ref();
        filter.map_or(Ok(()), |filter| check_filter(filter, keys))
    }

    /// Checks `Select` against what else the request asks for.
    fn selecting(
        self,
        select: Option<Select>,
        capacity: ReturnConsumedCapacity,
        of_index: bool,
    ) -> Result<Self, Fault> {
        let projects = self.projection.is_some();
        let refuse = |message: &str| Err(fault::validation(message));
        let cannot = |what: &str| {
            let by = self.projected_by;
            refuse(&format!(
                "Cannot specify the {by} when choosing to get {what}"
            ))
        };
        match select {
            Some(Select::AllProjectedAttributes) if !of_index => {
                return Err(fault::invalid_parameter(
                    "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
                ));
            }
            Some(Select::SpecificAttributes) if !projects => {
                return refuse(
                    "Must specify the AttributesToGet or ProjectionExpression when choosing to \
                     get SPECIFIC_ATTRIBUTES",
                );
            }
            Some(Select::AllAttributes) if projects => {
                return cannot("ALL_ATTRIBUTES");
            }
            Some(Select::AllProjectedAttributes) if projects => {
                return cannot("ALL_PROJECTED_ATTRIBUTES");
            }
            Some(Select::Count) if projects => {
                return cannot("only the Count");
            }
            Some(
                Select::Count
                | Select::SpecificAttributes
                | Select::AllAttributes
                | Select::AllProjectedAttributes,
            )
            | None => {}
        }
        Ok(Self {
            select,
            capacity,
            ..self
        })
    }

    fn found(&self, open: &OpenTable, ticket: Ticket, page: Page) -> Found {
        let units = Units::of_read(page.size, items::reading(self.consistent));
        ticket.settle(units);
        let last = page.last.map(|last| last.to_item(&open.def.schema));
        let rows = page.rows.into_iter();
        Found {
            images: rows.map(|row| row.image).collect(),
            last,
            size: page.size,
            consumed: Consumed::of_table(units),
        }
    }

    fn answer(&self, found: &Found) -> Answer {
        let counts_only = self.select == Some(Select::Count);
        let items = if counts_only { 0 } else { found.size * 3 / 2 };
        let mut out = Vec::with_capacity(256 + items);
        let mut answer = Object::start(&mut out);
        let mut count = 0_usize;
        if counts_only {
            for image in &found.images {
                count += usize::from(self.keeps(image)?);
            }
        } else {
            let items = answer.member("Items");
            items.push(b'[');
            for image in &found.images {
                if !self.keeps(image)? {
                    continue;
                }
                if count > 0 {
                    items.push(b',');
                }
                count += 1;
                part::write(items, image, self.projection.as_ref())?;
            }
            items.push(b']');
        }
        number(answer.member("Count"), count);
        number(answer.member("ScannedCount"), found.images.len());
        if let Some(last) = &found.last {
            render::tree(answer.member("LastEvaluatedKey"), last)?;
        }
        if self.capacity != ReturnConsumedCapacity::None {
            let member = answer.member("ConsumedCapacity");
            let (wanted, consumed) = (self.capacity, &found.consumed);
            capacity::write_parts(member, wanted, &self.given, consumed, Side::Plain);
        }
        answer.end();
        Ok(out)
    }

    /// Returns whether the filter keeps a stored item.
    pub(crate) fn keeps(&self, image: &[u8]) -> Result<bool, Refused> {
        match &self.filter {
            None => Ok(true),
            Some(filter) => Ok(filter.evaluate(Some(&codec::decode(image)?))),
        }
    }
}

/// Returns the key that a query goes on after, which must lie in its range.
pub(crate) fn start_within(
    schema: &KeySchema,
    range: &KeyRange,
    start: &Item,
) -> Result<Key, Fault> {
    let key = schema.exact_key_of(start);
    let key = key.map_err(|error| {
        fault::validation(match error {
            KeyError::WrongType { .. } => BAD_START,
            KeyError::Missing { .. }
            | KeyError::Surplus { .. }
            | KeyError::Empty { .. }
            | KeyError::TooLong { .. } => "The provided starting key is invalid",
        })
    })?;
    if key.partition != range.partition {
        return Err(fault::validation(
            "The provided starting key is outside query boundaries based on provided conditions",
        ));
    }
    let sorts = range.sort.as_ref().zip(key.sort.as_ref());
    if sorts.is_some_and(|(range, sort)| !range.contains(sort)) {
        let message = "The provided starting key does not match the range key predicate";
        return Err(fault::validation(message));
    }
    Ok(key)
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(number.to_string().as_bytes());
}

/// Returns the lower bound that begins with some bytes.
fn lower(from: Vec<u8>) -> Bound<Vec<u8>> {
    if from.is_empty() {
        Bound::Unbounded
    } else {
        Bound::Included(from)
    }
}

const BAD_START: &str = "The provided starting key is invalid: \
                         The provided key element does not match the schema";

/// Returns which of how many segments a scan reads.
fn segment(segment: Option<i64>, segments: Option<i64>) -> Result<(u32, u32), Fault> {
    let (segment, segments) = match (segment, segments) {
        (None, None) => return Ok((0, 1)),
        (Some(_), None) => {
            return Err(fault::validation(
                "The TotalSegments parameter is required but was not present in the request when \
                 Segment parameter is present",
            ));
        }
        (None, Some(_)) => {
            return Err(fault::validation(
                "The Segment parameter is required but was not present in the request when \
                 parameter TotalSegments is present",
            ));
        }
        (Some(segment), Some(segments)) => (segment, segments),
    };
    if segment >= segments {
        return Err(fault::validation(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
             Segment: {segment} is not less than TotalSegments: {segments}"
        )));
    }
    match (u32::try_from(segment), u32::try_from(segments)) {
        (Ok(segment), Ok(segments)) => Ok((segment, segments)),
        (_, _) => Err(fault::validation(
            "Segment and TotalSegments are out of range",
        )),
    }
}
