//! Attribute values and the items made of them.
//!
//! Values are trees in memory; how they are stored is in [`crate::codec`].
//! Source: DynamoDB API reference, `AttributeValue`.

use std::collections::btree_map::{self, BTreeMap};
use std::collections::btree_set::BTreeSet;
use std::fmt;

use bytes::Bytes;

use crate::number::Number;

/// The value of one attribute.
///
/// Shape: sets are never empty where they come from a request; the type does not forbid it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// A text.
    S(String),
    /// An exact decimal number.
    N(Number),
    /// Bytes.
    B(Bytes),
    /// True or false.
    Bool(bool),
    /// Nothing, said explicitly.
    Null,
    /// Named values.
    M(BTreeMap<String, AttributeValue>),
    /// Values in order.
    L(Vec<AttributeValue>),
    /// A set of texts.
    Ss(BTreeSet<String>),
    /// A set of numbers.
    Ns(BTreeSet<Number>),
    /// A set of bytes.
    Bs(BTreeSet<Bytes>),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Text.
    S,
    /// Number.
    N,
    /// Bytes.
    B,
    /// Boolean.
    Bool,
    /// Null.
    Null,
    /// Map.
    M,
    /// List.
    L,
    /// Set of texts.
    Ss,
    /// Set of numbers.
    Ns,
    /// Set of bytes.
    Bs,
}

/// An item: attributes by name, in the byte order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item(BTreeMap<String, AttributeValue>);

impl AttributeValue {
    /// Returns the type of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::S(_) => Kind::S,
            Self::N(_) => Kind::N,
            Self::B(_) => Kind::B,
            Self::Bool(_) => Kind::Bool,
            Self::Null => Kind::Null,
            Self::M(_) => Kind::M,
            Self::L(_) => Kind::L,
            Self::Ss(_) => Kind::Ss,
            Self::Ns(_) => Kind::Ns,
            Self::Bs(_) => Kind::Bs,
        }
    }

    /// Returns the text of a text value.
    pub fn as_s(&self) -> Option<&str> {
        if let Self::S(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// Returns the number of a number value.
    pub fn as_n(&self) -> Option<Number> {
        if let Self::N(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// Returns the bytes of a bytes value.
    pub fn as_b(&self) -> Option<&Bytes> {
        if let Self::B(bytes) = self {
            Some(bytes)
        } else {
            None
        }
    }

    /// Returns the truth of a boolean value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self {
            Some(*truth)
        } else {
            None
        }
    }

    /// Returns the entries of a map value.
    pub fn as_m(&self) -> Option<&BTreeMap<String, AttributeValue>> {
        if let Self::M(map) = self {
            Some(map)
        } else {
            None
        }
    }

    /// Returns the elements of a list value.
    pub fn as_l(&self) -> Option<&[AttributeValue]> {
        if let Self::L(list) = self {
            Some(list)
        } else {
            None
        }
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::S(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::S(text)
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self::N(Number::from(number))
    }
}

impl From<bool> for AttributeValue {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Bytes> for AttributeValue {
    fn from(bytes: Bytes) -> Self {
        Self::B(bytes)
    }
}

impl Kind {
    /// Returns the name that the wire gives the type, as in `SS`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
            Self::M => "M",
            Self::L => "L",
            Self::Ss => "SS",
            Self::Ns => "NS",
            Self::Bs => "BS",
        }
    }

    /// Reads a type's wire name; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Every type, in the order of the wire model.
    pub const ALL: [Self; 10] = [
        Self::S,
        Self::N,
        Self::B,
        Self::Ss,
        Self::Ns,
        Self::Bs,
        Self::M,
        Self::L,
        Self::Null,
        Self::Bool,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Item {
    /// Makes an item without attributes.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Returns the value of the attribute `name`.
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.get(name)
    }

    /// Returns the value of the attribute `name`, to be changed in place.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut AttributeValue> {
        self.0.get_mut(name)
    }

    /// Sets the attribute `name` and returns the value it had.
    pub fn insert(
        &mut self,
        name: impl Into<String>,
        value: impl Into<AttributeValue>,
    ) -> Option<AttributeValue> {
        self.0.insert(name.into(), value.into())
    }

    /// Removes the attribute `name` and returns the value it had.
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        self.0.remove(name)
    }

    /// Returns whether the attribute `name` is there.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns the attributes in the byte order of their names.
    pub fn iter(&self) -> btree_map::Iter<'_, String, AttributeValue> {
        self.0.iter()
    }

    /// Returns how many attributes the item has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the item has no attribute.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the attributes as a map.
    pub fn into_map(self) -> BTreeMap<String, AttributeValue> {
        self.0
    }

    /// Returns the attributes as a map, borrowed.
    pub fn as_map(&self) -> &BTreeMap<String, AttributeValue> {
        &self.0
    }
}

impl From<BTreeMap<String, AttributeValue>> for Item {
    fn from(map: BTreeMap<String, AttributeValue>) -> Self {
        Self(map)
    }
}

impl<N: Into<String>, V: Into<AttributeValue>> FromIterator<(N, V)> for Item {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(attributes: I) -> Self {
        let own = |(name, value): (N, V)| (name.into(), value.into());
        Self(attributes.into_iter().map(own).collect())
    }
}

impl<'a> IntoIterator for &'a Item {
    type Item = (&'a String, &'a AttributeValue);
    type IntoIter = btree_map::Iter<'a, String, AttributeValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl IntoIterator for Item {
    type Item = (String, AttributeValue);
    type IntoIter = btree_map::IntoIter<String, AttributeValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
