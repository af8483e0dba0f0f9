//! Which items an export tells, and what of them.
//!
//! It reads no item. Source: DynamoDB developer guide, "Filtering a table export".

use std::collections::BTreeMap;

use bytes::Bytes;
use expr::condition::Condition;
use expr::key_condition::KeyRange;
use expr::projection::Projection;
use item::codec::{self, CodecError};
use item::key::{KeyAttribute, KeySchema};
use item::value::Item;
use serde::Deserialize as _;
use serde_json::Value;

use crate::expressions::Expressions;
use crate::fault::{self, Refused};
use crate::reads;
use crate::wire::shape;
use crate::wire::value::ValueIn;

shape! {
    /// The members of a filter.
    FilterIn {
        key: "KeyConditionExpression" as String,
        filter: "FilterExpression" as String,
        projection: "ProjectionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
        values: "ExpressionAttributeValues" as BTreeMap<String, ValueIn>,
    }
}

/// What an export tells of a table.
#[derive(Debug, Default)]
pub(super) struct Filter {
    key: Option<KeyRange>,
    condition: Option<Condition>,
    projection: Option<Projection>,
}

impl Filter {
    /// Reads a filter; without one, all of all items are told.
    ///
    /// Errors: `ValidationException`.
    pub(super) fn parse(given: Option<&Value>, schema: &KeySchema) -> Result<Self, Refused> {
        let Some(given) = given else {
            return Ok(Self::default());
        };
        let read = FilterIn::deserialize(given);
        let read = read.map_err(|error| fault::validation(error.to_string()))?;
        let expressions = Expressions {
            key_condition: read.key,
            filter: read.filter,
            projection: read.projection,
            names: read.names,
            values: read.values,
            ..Expressions::default()
        };
        let nulls = "FilterExpression and KeyConditionExpression are null";
        let parsed = expressions.parse(&[], nulls)?;
        let key = parsed.key_condition;
        if let (Some(_), Some(filter)) = (&key, &parsed.filter) {
            let keys: Vec<&KeyAttribute> = schema.attributes().collect();
            reads::check_filter(filter, &keys)?;
        }
        Ok(Self {
            key: key.map(|key| key.bind(schema)).transpose()?,
            condition: parsed.filter,
            projection: parsed.projection,
        })
    }

    /// Returns whether the export reads an item at all.
    ///
    /// Errors: [`CodecError`] for stored bytes that are no item.
    pub(super) fn reads(&self, image: &[u8], schema: &KeySchema) -> Result<bool, CodecError> {
        let Some(range) = &self.key else {
            return Ok(true);
        };
        let key = schema.key_of(&codec::decode(image)?);
        Ok(key.is_ok_and(|key| {
            let sort = range.sort.as_ref().zip(key.sort.as_ref());
            key.partition == range.partition
                && sort.is_none_or(|(range, sort)| range.contains(sort))
        }))
    }

    /// Returns whether the export tells an item that it reads.
    ///
    /// Errors: as [`Filter::reads`].
    pub(super) fn tells(&self, image: &[u8]) -> Result<bool, CodecError> {
        let Some(condition) = &self.condition else {
            return Ok(true);
        };
        let item: Item = codec::decode(image)?;
        Ok(condition.evaluate(Some(&item)))
    }

    /// Returns what is told of an item.
    ///
    /// Errors: as [`Filter::reads`].
    pub(super) fn part(&self, image: &Bytes) -> Result<Bytes, CodecError> {
        let Some(projection) = &self.projection else {
            return Ok(image.clone());
        };
        let item = projection.apply(&codec::decode(image)?);
        Ok(codec::encode(&item).into())
    }
}
