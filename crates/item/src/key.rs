//! Primary keys: their schema, their values, and bytes in the same order.
//!
//! The bytes are on disk and in log records: they never change.
//! Source: DynamoDB developer guide, "Core components" (primary key).

use std::cmp::Ordering;

use bytes::Bytes;

use crate::limits::{PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};
use crate::number::Number;
use crate::size::number_size;
use crate::value::{AttributeValue, Item, Kind};

mod order;

pub use order::{
    BadKeyBytes, decode_value, encode_partition, encode_sort, encode_sort_prefix, partition_hash,
    prefix_end,
};

/// The type of a key attribute: only these three have an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Text, in the byte order of UTF-8.
    S,
    /// Number, in numeric order.
    N,
    /// Bytes, unsigned.
    B,
}

/// The name and type of a key attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttribute {
    /// The attribute's name.
    pub name: String,
    /// The attribute's type.
    pub kind: KeyKind,
}

/// The key attributes of a table or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySchema {
    /// The attribute that decides the partition (`HASH`).
    pub partition: KeyAttribute,
    /// The attribute that orders items within a partition (`RANGE`).
    pub sort: Option<KeyAttribute>,
}

/// The value of a key attribute.
///
/// The order is the order of items in a table, within one type; types come as N, S, B.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyValue {
    /// A text.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Bytes),
}

/// The primary key of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The value of the partition key.
    pub partition: KeyValue,
    /// The value of the sort key, where the table has one.
    pub sort: Option<KeyValue>,
}

/// Which of the two key attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRole {
    /// The partition key (`HASH`).
    Partition,
    /// The sort key (`RANGE`).
    Sort,
}

/// An item that does not carry a valid key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The attribute is not there.
    #[error("key attribute {name} is missing")]
    Missing {
        /// The attribute's name.
        name: String,
    },
    /// The attribute has another type than the schema says.
    #[error("key attribute {name} is of type {actual}, expected {}", expected.as_kind())]
    WrongType {
        /// The attribute's name.
        name: String,
        /// The type of the schema.
        expected: KeyKind,
        /// The type of the value.
        actual: Kind,
    },
    /// The text or the bytes are empty.
    #[error("key attribute {name} is empty")]
    Empty {
        /// The attribute's name.
        name: String,
        /// The attribute's type.
        kind: KeyKind,
    },
    /// The text or the bytes are too long for this role.
    #[error("key attribute {name} has {bytes} bytes, more than {}", role.bytes_max())]
    TooLong {
        /// The attribute's name.
        name: String,
        /// Which key attribute it is.
        role: KeyRole,
        /// Its length.
        bytes: usize,
    },
    /// There is an attribute that is no key attribute ([`KeySchema::exact_key_of`] only).
    #[error("attribute {name} is not part of the key")]
    Surplus {
        /// The attribute's name.
        name: String,
    },
}

impl KeySchema {
    /// Returns the key attributes, partition first.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.sort)
    }

    /// Returns whether `name` is one of the key attributes.
    pub fn contains(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// Returns the key of an item, which may have any other attributes.
    ///
    /// Errors: [`KeyError`] for the first key attribute, partition first, that is not valid.
    pub fn key_of(&self, item: &Item) -> Result<Key, KeyError> {
        let value = |attribute: &KeyAttribute, role| {
            let name = &attribute.name;
            let value = item
                .get(name)
                .ok_or_else(|| KeyError::Missing { name: name.clone() })?;
            attribute.value_of(value, role)
        };
        Ok(Key {
            partition: value(&self.partition, KeyRole::Partition)?,
            sort: match &self.sort {
                Some(sort) => Some(value(sort, KeyRole::Sort)?),
                None => None,
            },
        })
    }

    /// Returns the key that `item` consists of: it has the key attributes and no others.
    ///
    /// Errors: [`KeyError`], [`KeyError::Surplus`] for an attribute beside the key.
    pub fn exact_key_of(&self, item: &Item) -> Result<Key, KeyError> {
        let key = self.key_of(item)?;
        match item.iter().find(|(name, _)| !self.contains(name)) {
            Some((name, _)) => Err(KeyError::Surplus { name: name.clone() }),
            None => Ok(key),
        }
    }
}

impl KeyAttribute {
    /// Returns the key value that `value` is for this attribute.
    ///
    /// Errors: [`KeyError`], never [`KeyError::Missing`] or [`KeyError::Surplus`].
    pub fn value_of(&self, value: &AttributeValue, role: KeyRole) -> Result<KeyValue, KeyError> {
        let value = KeyValue::from_attribute(value)
            .filter(|value| value.kind() == self.kind)
            .ok_or_else(|| KeyError::WrongType {
                name: self.name.clone(),
                expected: self.kind,
                actual: value.kind(),
            })?;
        let bytes = match &value {
            KeyValue::S(text) => text.len(),
            KeyValue::B(bytes) => bytes.len(),
            KeyValue::N(_) => return Ok(value), // a number is never empty or long
        };
        if bytes == 0 {
            return Err(KeyError::Empty {
                name: self.name.clone(),
                kind: self.kind,
            });
        }
        if bytes > role.bytes_max() {
            return Err(KeyError::TooLong {
                name: self.name.clone(),
                role,
                bytes,
            });
        }
        Ok(value)
    }
}

impl KeyRole {
    /// Returns whether values, those of all attributes of this role, are short enough together.
    ///
    /// Source: DynamoDB developer guide, "Multi-attribute keys pattern"; "Quotas" (partition keys
    /// and sort keys).
    pub fn fits(self, values: &[KeyValue]) -> bool {
        values.iter().map(KeyValue::bytes).sum::<usize>() <= self.bytes_max()
    }

    /// Returns the longest text or bytes that a key attribute of this role may have.
    pub const fn bytes_max(self) -> usize {
        match self {
            Self::Partition => PARTITION_KEY_BYTES_MAX,
            Self::Sort => SORT_KEY_BYTES_MAX,
        }
    }
}

impl KeyKind {
    /// Returns the type as the type of a value.
    pub const fn as_kind(self) -> Kind {
        match self {
            Self::S => Kind::S,
            Self::N => Kind::N,
            Self::B => Kind::B,
        }
    }

    /// Reads the wire's name of a key type; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "S" => Some(Self::S),
            "N" => Some(Self::N),
            "B" => Some(Self::B),
            _ => None,
        }
    }
}

impl KeyValue {
    /// Returns the key value that `value` is; `None` for types that have no order.
    pub fn from_attribute(value: &AttributeValue) -> Option<Self> {
        match value {
            AttributeValue::S(text) => Some(Self::S(text.clone())),
            AttributeValue::N(number) => Some(Self::N(*number)),
            AttributeValue::B(bytes) => Some(Self::B(bytes.clone())),
            AttributeValue::Bool(_)
            | AttributeValue::Null
            | AttributeValue::M(_)
            | AttributeValue::L(_)
            | AttributeValue::Ss(_)
            | AttributeValue::Ns(_)
            | AttributeValue::Bs(_) => None,
        }
    }

    /// Returns how long the value is by DynamoDB's rule, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::B(bytes) => bytes.len(),
            Self::N(number) => number_size(*number),
        }
    }

    /// Returns the value as an attribute's value.
    pub fn to_attribute(&self) -> AttributeValue {
        match self {
            Self::S(text) => AttributeValue::S(text.clone()),
            Self::N(number) => AttributeValue::N(*number),
            Self::B(bytes) => AttributeValue::B(bytes.clone()),
        }
    }

    /// Returns the type of the value.
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::S(_) => KeyKind::S,
            Self::N(_) => KeyKind::N,
            Self::B(_) => KeyKind::B,
        }
    }
}

impl Ord for KeyValue {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::N(one), Self::N(two)) => one.cmp(two),
            (Self::S(one), Self::S(two)) => one.cmp(two),
            (Self::B(one), Self::B(two)) => one.cmp(two),
            (one, two) => one.rank().cmp(&two.rank()),
        }
    }
}

impl PartialOrd for KeyValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl KeyValue {
    /// Returns the place of the value's type among the three, the one their bytes have.
    const fn rank(&self) -> u8 {
        match self {
            Self::N(_) => 0,
            Self::S(_) => 1,
            Self::B(_) => 2,
        }
    }
}

impl From<&str> for KeyValue {
    fn from(text: &str) -> Self {
        Self::S(text.to_owned())
    }
}

impl From<i64> for KeyValue {
    fn from(number: i64) -> Self {
        Self::N(Number::from(number))
    }
}

impl Key {
    /// Returns the key as the attributes that `schema` names.
    ///
    /// Shape: without the sort attribute where either the key or the schema has none.
    pub fn to_item(&self, schema: &KeySchema) -> Item {
        let mut item = Item::new();
        item.insert(schema.partition.name.clone(), self.partition.to_attribute());
        if let (Some(attribute), Some(value)) = (&schema.sort, &self.sort) {
            item.insert(attribute.name.clone(), value.to_attribute());
        }
        item
    }

    /// Returns the key's bytes: the partition's, then the sort key's.
    ///
    /// Shape: delimits itself once it is known whether there is a sort key; ordered as the keys.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        order::encode_into(&self.partition, &mut out);
        if let Some(sort) = &self.sort {
            order::encode_into(sort, &mut out);
        }
        out
    }

    /// Reads a key that fills `bytes` whole.
    ///
    /// Errors: [`BadKeyBytes`] for anything that [`Key::encode`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadKeyBytes> {
        let (partition, rest) = decode_value(bytes)?;
        if rest.is_empty() {
            return Ok(Self {
                partition,
                sort: None,
            });
        }
        match decode_value(rest)? {
            (sort, []) => Ok(Self {
                partition,
                sort: Some(sort),
            }),
            (_, _) => Err(BadKeyBytes),
        }
    }
}

#[cfg(test)]
mod tests;
