//! Which items and attributes a request reaches: what fine-grained conditions look at.
//!
//! It reads expressions as the operations do. Source: DynamoDB developer guide, "Using IAM policy
//! conditions for fine-grained access control" (`dynamodb:LeadingKeys`, `dynamodb:Attributes`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use expr::key_condition::{KeyCondition, KeyTest};
use expr::path::Path;
use iam::context::{Context, Value};
use iam::keys;
use item::value::{AttributeValue, Item};

use super::asks::{CallIn, On};
use super::statements::Reached;
use crate::catalog::OpenTable;
use crate::expressions::Expressions;
use crate::fault::Refused;
use crate::legacy;
use crate::wire::value::ItemIn;

/// What a request reaches.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Reach {
    /// The values of each attribute of the partition key; `None` where any may be met.
    leading: Option<Vec<Vec<AttributeValue>>>,
    attributes: BTreeSet<String>,
}

impl Reach {
    /// Reads what a call reaches of a table.
    ///
    /// Errors: what is wrong with its expressions or values.
    pub(super) fn of(mut call: CallIn, on: &On, open: Option<&OpenTable>) -> Result<Self, Refused> {
        let partition = open.map(|open| partition_key(open, on)).unwrap_or_default();
        let mut attributes: BTreeSet<String> =
            open.map(|open| key_names(open, on)).unwrap_or_default();
        let keys = [call.key.take(), call.item.take()].into_iter().flatten();
        let keys = keys.chain(call.keys.take().into_iter().flatten());
        let items: Vec<Item> = keys.map(ItemIn::check).collect::<Result<_, _>>()?;
        for item in &items {
            attributes.extend(item.as_map().keys().cloned());
        }
        attributes.extend(call.attributes.take().into_iter().flatten());
        for named in [
            call.updates.take(),
            call.expected.take(),
            call.query_filter.take(),
            call.scan_filter.take(),
        ] {
            attributes.extend(named.into_iter().flat_map(|names| names.0));
        }
        let expressions = Expressions {
            update: call.update.take(),
            condition: call.condition.take(),
            key_condition: call.key_condition.take(),
            filter: call.filter.take(),
            projection: call.projection.take(),
            names: call.names.take(),
            values: call.values.take(),
        };
        let parsed = expressions.parse(&[], "")?;
        let mut visit = |path: &Path| {
            attributes.insert(path.name().to_owned());
        };
        if let Some(update) = &parsed.update {
            update.for_each_path(&mut visit);
        }
        for condition in [&parsed.condition, &parsed.filter].into_iter().flatten() {
            condition.for_each_path(&mut visit);
        }
        if let Some(projection) = &parsed.projection {
            attributes.extend(projection.tree().root().keys().cloned());
        }
        let legacy = call.key_conditions.take().map(legacy::key_conditions);
        let key_condition = match parsed.key_condition {
            Some(condition) => Some(condition),
            None => legacy.transpose()?,
        };
        let leading = match &key_condition {
            Some(condition) => {
                attributes.extend(condition.tests().iter().map(|(name, _)| name.clone()));
                Some(of_condition(condition, &partition))
            }
            None => (!items.is_empty()).then(|| of_items(&items, &partition)),
        };
        Ok(Self {
            leading,
            attributes,
        })
    }

    /// Takes what a statement reaches.
    pub(super) fn of_statement(reached: Reached) -> Self {
        Self {
            // A statement that reads an index of several such attributes goes through all of it.
            leading: reached.leading.map(|values| vec![values]),
            attributes: reached.attributes,
        }
    }

    /// Tells a context what is reached.
    pub(super) fn tell(self, context: &mut Context<'_>) {
        let leading = self.leading.unwrap_or_default();
        if let Some(first) = leading.first().cloned() {
            context.set_many(keys::LEADING_KEYS, first.into_iter().filter_map(shown));
        }
        for (key, values) in keys::PARTITION_KEY_VALUES.iter().zip(leading) {
            context.set_many(key, values.into_iter().filter_map(shown));
        }
        context.set_many(keys::ATTRIBUTES, self.attributes);
    }
}

/// Returns the names of the attributes that decide the partition.
fn partition_key(open: &OpenTable, on: &On) -> Vec<String> {
    match on {
        On::Index(_, index) => {
            let index = open.indexes().find(|one| one.view.name == *index);
            let keys = index.iter().flat_map(|index| &index.def.partition);
            keys.map(|key| key.name.clone()).collect()
        }
        On::Table(_)
        | On::Replica(..)
        | On::Tables
        | On::GlobalTable(_)
        | On::Arn(_)
        | On::Nothing => {
            let key = open.def.schema.attributes().next();
            key.map(|key| key.name.clone()).into_iter().collect()
        }
    }
}

/// Returns the names of all key attributes of the table, and of the index that is read.
fn key_names(open: &OpenTable, on: &On) -> BTreeSet<String> {
    let own = open.def.schema.attributes().map(|key| key.name.clone());
    let mut names: BTreeSet<String> = own.collect();
    if let On::Index(_, index) = on
        && let Some(index) = open.indexes().find(|one| one.view.name == *index)
    {
        let keys = index.def.partition.iter().chain(&index.def.sort);
        names.extend(keys.map(|key| key.name.clone()));
    }
    names
}

fn of_items(items: &[Item], partition: &[String]) -> Vec<Vec<AttributeValue>> {
    let values = |name: &String| {
        let values = items.iter().filter_map(|item| item.get(name));
        values.cloned().collect()
    };
    partition.iter().map(values).collect()
}

fn of_condition(condition: &KeyCondition, partition: &[String]) -> Vec<Vec<AttributeValue>> {
    let value = |(_, test): &(String, KeyTest)| match test {
        KeyTest::Eq(value) => Some(value.clone()),
        KeyTest::Lt(_)
        | KeyTest::Le(_)
        | KeyTest::Gt(_)
        | KeyTest::Ge(_)
        | KeyTest::Between(..)
        | KeyTest::BeginsWith(_) => None,
    };
    let values = |wanted: &String| {
        let tests = condition.tests().iter();
        let tests = tests.filter(|(name, _)| name == wanted);
        tests.filter_map(value).collect()
    };
    partition.iter().map(values).collect()
}

/// Returns the value of a key as conditions compare it.
fn shown<'a>(value: AttributeValue) -> Option<Value<'a>> {
    match value {
        AttributeValue::S(text) => Some(Value::from(text)),
        AttributeValue::N(number) => Some(Value::from(number.to_string())),
        AttributeValue::B(bytes) => Some(Value::Binary(Cow::Owned(bytes.to_vec()))),
        // Nothing else can be a key: the operation refuses it.
        AttributeValue::Bool(_)
        | AttributeValue::Null
        | AttributeValue::Ss(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Bs(_)
        | AttributeValue::M(_)
        | AttributeValue::L(_) => None,
    }
}
