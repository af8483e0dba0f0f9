//! Resources as items: keys, bodies, and changes that expect something.
//!
//! A body is JSON in memory and a map attribute on disk, so that resources can be read with the
//! same tools as any item.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use item::number::Number;
use item::value::{AttributeValue, Item};

use crate::system::SystemTable;

/// A kind of shared resource.
pub trait Resource: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The system table that holds it.
    const TABLE: SystemTable;

    /// Returns the partition key of its item.
    fn partition(&self) -> String;

    /// Returns the sort key of its item.
    fn sort(&self) -> String;
}

/// The key of a resource's item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// The system table.
    pub table: SystemTable,
    /// The partition key.
    pub partition: String,
    /// The sort key.
    pub sort: String,
}

/// One change of a resource.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which item.
    pub key: ResourceKey,
    /// The body that it gets; `None` removes it.
    pub body: Option<Value>,
    /// What must hold of the item before.
    pub expect: Expect,
}

/// What a change expects of the item before.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// Nothing.
    Anything,
    /// That there is none.
    Absent,
    /// That there is one.
    Present,
    /// That it has this body: nobody has changed it since it was read.
    Body(Value),
}

impl Change {
    /// Makes a change that stores `resource`, whatever was there.
    pub fn put<R: Resource>(resource: &R) -> Self {
        let key = key_of(resource);
        Self {
            key,
            body: Some(body_of(resource)),
            expect: Expect::Anything,
        }
    }

    /// Makes a change that stores `resource` where there is none.
    pub fn create<R: Resource>(resource: &R) -> Self {
        Self {
            expect: Expect::Absent,
            ..Self::put(resource)
        }
    }

    /// Makes a change that stores `new` unless somebody has changed `old` since it was read.
    pub fn replace<R: Resource>(old: &R, new: &R) -> Self {
        debug_assert_eq!(key_of(old), key_of(new), "a resource keeps its key");
        Self {
            expect: Expect::Body(body_of(old)),
            ..Self::put(new)
        }
    }

    /// Makes a change that removes `resource` unless somebody has changed it since it was read.
    pub fn remove<R: Resource>(resource: &R) -> Self {
        let expect = Expect::Body(body_of(resource));
        Self {
            key: key_of(resource),
            body: None,
            expect,
        }
    }
}

/// Returns the key of a resource's item.
pub fn key_of<R: Resource>(resource: &R) -> ResourceKey {
    let (partition, sort) = (resource.partition(), resource.sort());
    ResourceKey {
        table: R::TABLE,
        partition,
        sort,
    }
}

/// Returns a resource's body.
pub fn body_of<R: Resource>(resource: &R) -> Value {
    serde_json::to_value(resource).expect("resources are plain data with text keys")
}

/// The attribute that holds a resource's body.
const BODY: &str = "body";

/// An item of a system table that this build cannot read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read item {partition:?} {sort:?} of {}: {reason}", .table.name())]
pub struct BadResource {
    /// The system table.
    pub table: SystemTable,
    /// The item's partition key.
    pub partition: String,
    /// The item's sort key.
    pub sort: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Returns the item of a body.
pub(crate) fn item_of(key: &ResourceKey, body: &Value) -> Item {
    let mut item = Item::new();
    item.insert(
        "partition".to_owned(),
        AttributeValue::S(key.partition.clone()),
    );
    item.insert("sort".to_owned(), AttributeValue::S(key.sort.clone()));
    item.insert(BODY.to_owned(), to_attribute(body));
    item
}

/// Returns the body in an item.
pub(crate) fn body_in(item: &Item) -> Option<Value> {
    item.get(BODY).and_then(to_json)
}

fn to_attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null,
        Value::Bool(value) => AttributeValue::Bool(*value),
        // Numbers keep their text, so that what is read equals what was written.
        Value::Number(number) => match Number::parse(&number.to_string()) {
            Ok(exact) if exact.to_string() == number.to_string() => AttributeValue::N(exact),
            Ok(_) | Err(_) => tagged("number", number.to_string()),
        },
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(values) => AttributeValue::L(values.iter().map(to_attribute).collect()),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (name.clone(), to_attribute(value));
            AttributeValue::M(members.iter().map(member).collect())
        }
    }
}

fn tagged(tag: &str, text: String) -> AttributeValue {
    AttributeValue::M(BTreeMap::from([(
        format!("\0{tag}"),
        AttributeValue::S(text),
    )]))
}

fn to_json(value: &AttributeValue) -> Option<Value> {
    Some(match value {
        AttributeValue::Null => Value::Null,
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::N(number) => serde_json::from_str(&number.to_string()).ok()?,
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::L(values) => {
            Value::Array(values.iter().map(to_json).collect::<Option<_>>()?)
        }
        AttributeValue::M(members) => {
            if let Some(AttributeValue::S(number)) = members.get("\0number") {
                return serde_json::from_str(number).ok();
            }
            let member =
                |(name, value): (&String, &AttributeValue)| Some((name.clone(), to_json(value)?));
            Value::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
        AttributeValue::B(_)
        | AttributeValue::Ss(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Bs(_) => return None,
    })
}

#[cfg(test)]
mod tests;
