//! Items read in place, from their stored bytes, without building a tree.
//!
//! It checks as it walks: a caller that has seen every entry has seen a whole, valid item.
//! The layout is drawn in [`crate::codec`].

use base::limits::NESTING_MAX;
use bytes::Bytes;

use crate::codec::{self, CodecError};
use crate::number::{Number, NumberRef};
use crate::size::{CONTAINER_BYTES, ELEMENT_BYTES, number_size};
use crate::value::{AttributeValue, Item, Kind};

mod reader;
mod sequences;

use reader::Reader;
pub use sequences::{Blobs, Entries, Numbers, Texts, Values};

/// An item in its stored bytes.
#[derive(Clone, Copy, Debug)]
pub struct ItemRef<'a> {
    body: Reader<'a>,
    count: usize,
}

/// A value in its stored bytes.
#[derive(Clone, Debug)]
pub enum ValueRef<'a> {
    /// A text.
    S(&'a str),
    /// A number.
    N(NumberRef<'a>),
    /// Bytes.
    B(&'a [u8]),
    /// True or false.
    Bool(bool),
    /// Nothing, said explicitly.
    Null,
    /// Named values, names ascending.
    M(Entries<'a>),
    /// Values in order.
    L(Values<'a>),
    /// A set of texts, ascending.
    Ss(Texts<'a>),
    /// A set of numbers, ascending.
    Ns(Numbers<'a>),
    /// A set of bytes, ascending.
    Bs(Blobs<'a>),
}

impl<'a> ItemRef<'a> {
    /// Opens an item that fills `bytes` whole. Its entries are checked as they are read.
    ///
    /// Errors: [`CodecError`] for a version this program does not read, or no header.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CodecError> {
        let mut body = Reader::new(bytes);
        match body.byte()? {
            codec::VERSION => {}
            later => return Err(CodecError::UnknownVersion(later)),
        }
        let count = body.count()?;
        Ok(Self { body, count })
    }

    /// Returns how many attributes the item has.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Returns whether the item has no attribute.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the attributes, names ascending.
    pub const fn iter(&self) -> Entries<'a> {
        Entries::new(self.body, self.count, 0)
    }

    /// Returns the value of the attribute `name`, stepping over all others.
    ///
    /// Errors: [`CodecError`] for malformed bytes before the attribute.
    pub fn get(&self, name: &str) -> Result<Option<ValueRef<'a>>, CodecError> {
        for entry in self {
            let (found, value) = entry?;
            if found == name {
                return Ok(Some(value));
            }
            if found > name {
                break;
            }
        }
        Ok(None)
    }

    /// Returns the item as a tree.
    ///
    /// Errors: [`CodecError`] for malformed bytes.
    pub fn to_item(&self) -> Result<Item, CodecError> {
        self.iter()
            .map(|entry| entry.and_then(|(name, value)| Ok((name, value.to_value()?))))
            .collect()
    }

    /// Returns the item's size, by the rule of [`crate::size`].
    ///
    /// Errors: [`CodecError`] for malformed bytes.
    pub fn size(&self) -> Result<usize, CodecError> {
        let mut bytes = 0;
        for entry in self {
            let (name, value) = entry?;
            bytes += name.len() + value.size()?;
        }
        Ok(bytes)
    }
}

impl<'a> IntoIterator for &ItemRef<'a> {
    type Item = Result<(&'a str, ValueRef<'a>), CodecError>;
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Entries<'a> {
        self.iter()
    }
}

impl<'a> ValueRef<'a> {
    /// Returns the type of the value.
    pub const fn kind(&self) -> Kind {
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

    /// Returns the value as a tree.
    ///
    /// Errors: [`CodecError`] for malformed bytes.
    pub fn to_value(&self) -> Result<AttributeValue, CodecError> {
        Ok(match self.clone() {
            Self::S(text) => AttributeValue::S(text.to_owned()),
            Self::N(number) => AttributeValue::N(number.to_number()),
            Self::B(bytes) => AttributeValue::B(Bytes::copy_from_slice(bytes)),
            Self::Bool(truth) => AttributeValue::Bool(truth),
            Self::Null => AttributeValue::Null,
            Self::M(mut entries) => {
                let own =
                    |(name, value): (&str, ValueRef<'_>)| Ok((name.to_owned(), value.to_value()?));
                let map: Result<_, _> = entries.by_ref().map(|entry| own(entry?)).collect();
                AttributeValue::M(map?)
            }
            Self::L(values) => {
                let list: Result<_, _> = values.map(|value| value?.to_value()).collect();
                AttributeValue::L(list?)
            }
            Self::Ss(texts) => {
                let set: Result<_, _> = texts.map(|text| text.map(str::to_owned)).collect();
                AttributeValue::Ss(set?)
            }
            Self::Ns(numbers) => {
                let set: Result<_, _> = numbers.map(|n| n.map(NumberRef::to_number)).collect();
                AttributeValue::Ns(set?)
            }
            Self::Bs(blobs) => {
                let set: Result<_, _> =
                    blobs.map(|blob| blob.map(Bytes::copy_from_slice)).collect();
                AttributeValue::Bs(set?)
            }
        })
    }

    /// Returns the value's size, by the rule of [`crate::size`].
    ///
    /// Errors: [`CodecError`] for malformed bytes.
    pub fn size(&self) -> Result<usize, CodecError> {
        let mut bytes = 0;
        match self.clone() {
            Self::S(text) => bytes = text.len(),
            Self::N(number) => bytes = number_size(number.to_number()),
            Self::B(blob) => bytes = blob.len(),
            Self::Bool(_) | Self::Null => bytes = 1,
            Self::M(entries) => {
                bytes += CONTAINER_BYTES;
                for entry in entries {
                    let (name, value) = entry?;
                    bytes += ELEMENT_BYTES + name.len() + value.size()?;
                }
            }
            Self::L(values) => {
                bytes += CONTAINER_BYTES;
                for value in values {
                    bytes += ELEMENT_BYTES + value?.size()?;
                }
            }
            Self::Ss(texts) => {
                for text in texts {
                    bytes += text?.len();
                }
            }
            Self::Ns(numbers) => {
                for number in numbers {
                    let number: Number = number?.to_number();
                    bytes += number_size(number);
                }
            }
            Self::Bs(blobs) => {
                for blob in blobs {
                    bytes += blob?.len();
                }
            }
        }
        Ok(bytes)
    }

    /// Reads one value from the front of `input`, which is `depth` containers deep.
    fn read(input: &mut Reader<'a>, depth: usize) -> Result<Self, CodecError> {
        Ok(match input.peek()? {
            crate::number::NEGATIVE | crate::number::ZERO | crate::number::POSITIVE => {
                Self::N(input.number()?)
            }
            kind => {
                input.byte()?;
                match kind {
                    codec::NULL => Self::Null,
                    codec::FALSE => Self::Bool(false),
                    codec::TRUE => Self::Bool(true),
                    codec::TEXT => Self::S(input.text()?),
                    codec::BYTES => Self::B(input.blob()?),
                    codec::MAP | codec::LIST if depth >= NESTING_MAX => {
                        return Err(CodecError::TooDeep);
                    }
                    codec::MAP => {
                        let (body, count) = input.sized()?;
                        Self::M(Entries::new(body, count, depth + 1))
                    }
                    codec::LIST => {
                        let (body, count) = input.sized()?;
                        Self::L(Values::new(body, count, depth + 1))
                    }
                    codec::TEXT_SET => Self::Ss(Texts::new(input.sized()?)),
                    codec::BYTES_SET => Self::Bs(Blobs::new(input.sized()?)),
                    codec::NUMBER_SET => Self::Ns(Numbers::new(input.sized()?)),
                    unknown => return Err(CodecError::UnknownType(unknown)),
                }
            }
        })
    }
}
