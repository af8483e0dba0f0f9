//! Attribute values and items from JSON.
//!
//! A value of the wrong JSON type is a serialization error at once. A value that is well typed
//! but wrong is kept with what is wrong about it, since other checks come first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use item::number::{Number, NumberError};
use item::value::{AttributeValue, Item, Kind};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Name;
use crate::limits::ATTRIBUTE_NAME_BYTES_MAX;

/// A value as received.
#[derive(Clone, Debug)]
pub(crate) struct ValueIn {
    value: AttributeValue,
    problem: Option<Box<ValueProblem>>,
}

/// An item, or a key, as received.
#[derive(Clone, Debug, Default)]
pub(crate) struct ItemIn {
    item: Item,
    problem: Option<Box<ValueProblem>>,
}

/// What is wrong with a well-typed value. `Display` is DynamoDB's own wording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueProblem {
    #[error(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    )]
    Empty,
    #[error(
        "Supplied AttributeValue has more than one datatypes set, \
         must contain exactly one of the supported datatypes"
    )]
    Several,
    #[error(transparent)]
    Number(#[from] NumberError),
    #[error(
        "One or more parameter values were invalid: \
         Null attribute value types must have the value of true"
    )]
    NullFalse,
    #[error("One or more parameter values were invalid: An string set  may not be empty")]
    NoTexts,
    #[error("One or more parameter values were invalid: An number set  may not be empty")]
    NoNumbers,
    #[error("One or more parameter values were invalid: Binary sets should not be empty")]
    NoBlobs,
    #[error("One or more parameter values were invalid: Input collection {0} contains duplicates.")]
    Duplicates(String),
    #[error(
        "One or more parameter values were invalid: \
         Input collection {0}of type BS contains duplicates."
    )]
    DuplicateBlobs(String),
    #[error("One or more parameter values were invalid: Empty attribute name")]
    EmptyName,
    #[error("Attribute name is too large, must be less than 65536 bytes")]
    LongName,
}

impl ValueIn {
    /// Returns the value.
    ///
    /// Errors: the first problem found in it.
    pub(crate) fn check(self) -> Result<AttributeValue, ValueProblem> {
        match self.problem {
            Some(problem) => Err(*problem),
            None => Ok(self.value),
        }
    }
}

impl ItemIn {
    /// Returns the item.
    ///
    /// Errors: the first problem found in it.
    pub(crate) fn check(self) -> Result<Item, ValueProblem> {
        match self.problem {
            Some(problem) => Err(*problem),
            None => Ok(self.item),
        }
    }
}

impl From<AttributeValue> for ValueIn {
    fn from(value: AttributeValue) -> Self {
        right(value)
    }
}

impl From<BTreeMap<String, AttributeValue>> for ItemIn {
    fn from(map: BTreeMap<String, AttributeValue>) -> Self {
        let named = map.keys().find_map(|name| check_name(name).err());
        Self {
            item: Item::from(map),
            problem: named.map(Box::new),
        }
    }
}

/// Checks the name of an attribute.
pub(crate) const fn check_name(name: &str) -> Result<(), ValueProblem> {
    match name.len() {
        0 => Err(ValueProblem::EmptyName),
        1..=ATTRIBUTE_NAME_BYTES_MAX => Ok(()),
        _ => Err(ValueProblem::LongName),
    }
}

impl<'de> Deserialize<'de> for ItemIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Entries { map, problem } = Entries::deserialize(deserializer)?;
        let read = Self::from(map);
        Ok(Self {
            problem: read.problem.or(problem),
            ..read
        })
    }
}

/// Values by name, and the first problem among them.
struct Entries {
    map: BTreeMap<String, AttributeValue>,
    problem: Option<Box<ValueProblem>>,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of attribute values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Entries, A::Error> {
                let (mut map, mut first) = (BTreeMap::new(), None);
                while let Some((name, entry)) = access.next_entry::<String, Option<ValueIn>>()? {
                    let Some(ValueIn { value, problem }) = entry else {
                        continue;
                    };
                    first = first.or(problem);
                    map.insert(name, value);
                }
                Ok(Entries {
                    map,
                    problem: first,
                })
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// Values in order, and the first problem among them.
struct Elements {
    list: Vec<AttributeValue>,
    problem: Option<Box<ValueProblem>>,
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementsVisitor;

        impl<'de> Visitor<'de> for ElementsVisitor {
            type Value = Elements;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of attribute values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Elements, A::Error> {
                let (mut list, mut first) = (Vec::new(), None);
                while let Some(ValueIn { value, problem }) = access.next_element()? {
                    first = first.or(problem);
                    list.push(value);
                }
                Ok(Elements {
                    list,
                    problem: first,
                })
            }
        }

        deserializer.deserialize_seq(ElementsVisitor)
    }
}

/// Bytes in base64.
struct Blob(Bytes);

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BlobVisitor;

        impl Visitor<'_> for BlobVisitor {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string in base64")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Blob, E> {
                let bytes = STANDARD.decode(text);
                let bytes = bytes.map_err(|error| E::custom(format!("base64: {error}")))?;
                Ok(Blob(Bytes::from(bytes)))
            }
        }

        deserializer.deserialize_str(BlobVisitor)
    }
}

impl<'de> Deserialize<'de> for ValueIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = ValueIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attribute value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ValueIn, A::Error> {
                let mut found: Option<ValueIn> = None;
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    let Some(kind) = Kind::parse(&name.0) else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let Some(value) = typed(kind, &mut map)? else {
                        continue;
                    };
                    found = Some(match found {
                        None => value,
                        Some(first) if first.value.kind() == kind => value,
                        Some(_) => wrong(AttributeValue::Null, ValueProblem::Several),
                    });
                }
                Ok(found.unwrap_or_else(|| wrong(AttributeValue::Null, ValueProblem::Empty)))
            }
        }

        deserializer.deserialize_map(ValueVisitor)
    }
}

/// Reads the member of a value that has the type's name; `None` for null.
fn typed<'de, A: MapAccess<'de>>(kind: Kind, map: &mut A) -> Result<Option<ValueIn>, A::Error> {
    Ok(match kind {
        Kind::S => map
            .next_value::<Option<String>>()?
            .map(|text| right(AttributeValue::S(text))),
        Kind::N => map
            .next_value::<Option<Name<'de>>>()?
            .map(|text| number(&text.0)),
        Kind::B => map
            .next_value::<Option<Blob>>()?
            .map(|blob| right(AttributeValue::B(blob.0))),
        Kind::Bool => map
            .next_value::<Option<bool>>()?
            .map(|truth| right(AttributeValue::Bool(truth))),
        Kind::Null => map.next_value::<Option<bool>>()?.map(|null| {
            if null {
                right(AttributeValue::Null)
            } else {
                wrong(AttributeValue::Null, ValueProblem::NullFalse)
            }
        }),
        Kind::M => map
            .next_value::<Option<Entries>>()?
            .map(|Entries { map, problem }| ValueIn {
                value: AttributeValue::M(map),
                problem,
            }),
        Kind::L => map
            .next_value::<Option<Elements>>()?
            .map(|Elements { list, problem }| ValueIn {
                value: AttributeValue::L(list),
                problem,
            }),
        Kind::Ss => map.next_value::<Option<Vec<String>>>()?.map(texts),
        Kind::Ns => map
            .next_value::<Option<Vec<String>>>()?
            .map(|all| numbers(&all)),
        Kind::Bs => map.next_value::<Option<Vec<Blob>>>()?.map(blobs),
    })
}

fn right(value: AttributeValue) -> ValueIn {
    ValueIn {
        value,
        problem: None,
    }
}

fn wrong(value: AttributeValue, problem: ValueProblem) -> ValueIn {
    ValueIn {
        value,
        problem: Some(Box::new(problem)),
    }
}

fn number(text: &str) -> ValueIn {
    match Number::parse(text) {
        Ok(number) => right(AttributeValue::N(number)),
        Err(error) => wrong(AttributeValue::N(Number::ZERO), error.into()),
    }
}

fn texts(all: Vec<String>) -> ValueIn {
    let shown = || format!("[{}]", all.join(", "));
    let set: BTreeSet<String> = all.iter().cloned().collect();
    let problem = match set.len() {
        0 => Some(ValueProblem::NoTexts),
        distinct if distinct < all.len() => Some(ValueProblem::Duplicates(shown())),
        _ => None,
    };
    ValueIn {
        value: AttributeValue::Ss(set),
        problem: problem.map(Box::new),
    }
}

fn numbers(all: &[String]) -> ValueIn {
    let parsed: Result<BTreeSet<Number>, NumberError> =
        all.iter().map(|text| Number::parse(text)).collect();
    let (set, problem) = match parsed {
        Err(error) => (BTreeSet::new(), Some(error.into())),
        Ok(set) if set.is_empty() => (set, Some(ValueProblem::NoNumbers)),
        Ok(set) if set.len() < all.len() => {
            let shown = format!("[{}]", all.join(", "));
            (set, Some(ValueProblem::Duplicates(shown)))
        }
        Ok(set) => (set, None),
    };
    ValueIn {
        value: AttributeValue::Ns(set),
        problem: problem.map(Box::new),
    }
}

fn blobs(all: Vec<Blob>) -> ValueIn {
    let set: BTreeSet<Bytes> = all.iter().map(|blob| blob.0.clone()).collect();
    let problem = match set.len() {
        0 => Some(ValueProblem::NoBlobs),
        distinct if distinct < all.len() => {
            let shown: Vec<String> = all.iter().map(|blob| STANDARD.encode(&blob.0)).collect();
            Some(ValueProblem::DuplicateBlobs(format!(
                "[{}]",
                shown.join(", ")
            )))
        }
        _ => None,
    };
    ValueIn {
        value: AttributeValue::Bs(set),
        problem: problem.map(Box::new),
    }
}
