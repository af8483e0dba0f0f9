//! Records of item files: what AWS's exports write and its imports read, one record at a time.
//!
//! It opens no file and writes no item. Whatever the bytes are, it uses bounded memory and goes on
//! behind a record that is none.
//! Source: DynamoDB developer guide, "Amazon S3 import formats for DynamoDB" and "Amazon S3 input
//! formats for bulk put items".
//!
//! ```text
//! object ──unpack──► bytes ──frames──► one record's bytes ──json | ion | csv──► Put | Delete
//! ```

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use expr::condition::Condition;
use item::key::KeyKind;
use item::value::{AttributeValue, Item};
use serde::Deserialize;

use crate::expressions::Expressions;
use crate::limits::{JSON_BRACKETS_MAX, RECORD_BYTES_MAX};
use crate::wire::shape;
use crate::wire::value::{ItemIn, ValueIn, ValueProblem};

mod csv;
mod frames;
mod ion;
mod unpack;

use frames::{Frame, Frames};
use ion::Structs;

/// How the records of an object are written.
#[derive(Clone, Debug)]
pub enum Format {
    /// One object of JSON a line.
    Json,
    /// Structs of Ion text.
    Ion,
    /// One row a record.
    Csv(Columns),
}

/// How an object is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// It is not.
    None,
    /// Members of gzip.
    Gzip,
    /// Frames of zstd.
    Zstd,
}

/// What the columns of CSV files are.
#[derive(Clone, Debug)]
pub struct Columns {
    /// What stands between two fields.
    pub delimiter: u8,
    /// The names of the columns; without them the first record of each object names them.
    pub header: Option<Vec<String>>,
    /// The types of key attributes; all others are texts.
    pub kinds: BTreeMap<String, KeyKind>,
}

/// What a record asks for.
#[derive(Debug)]
pub enum Record {
    /// An item to be written.
    Put {
        /// The item.
        item: Item,
        /// What must hold of the item that is there before.
        condition: Option<Condition>,
    },
    /// The key of an item that an incremental export tells to be gone.
    Delete(Item),
}

/// One record of an object, or what stands in its place.
#[derive(Debug)]
pub struct Entry {
    /// How many bytes it took, and what is between it and the one before, once unpacked.
    pub bytes: u64,
    /// The record.
    pub record: Result<Record, RecordError>,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Its bytes are not of the format.
    #[error("the record is malformed: {0}")]
    Malformed(String),
    /// It is of the format, and no item.
    #[error("{0}")]
    Invalid(String),
    /// It is longer than any item's can be.
    #[error("the record is longer than {RECORD_BYTES_MAX} bytes")]
    TooLong,
    /// What comes next cannot be read, nor anything behind it.
    #[error("the rest of the object cannot be read: {0}")]
    Unreadable(String),
}

/// The records of one object.
pub struct Records {
    frames: Frames,
    format: Format,
    /// The names of the columns, once they are known.
    header: Option<Vec<String>>,
    /// A frame of several records, those that were not read yet.
    structs: Option<Structs>,
    /// How many bytes were read since the last record.
    bytes: u64,
    is_over: bool,
}

impl Records {
    /// Starts to read the records of an object.
    pub fn new(object: Box<dyn Read + Send>, packing: Packing, format: Format) -> Self {
        let unpacked = unpack::unpacked(object, packing);
        let header = match &format {
            Format::Csv(columns) => columns.header.clone(),
            Format::Json | Format::Ion => None,
        };
        Self {
            frames: Frames::new(BufReader::new(unpacked), &format),
            format,
            header,
            structs: None,
            bytes: 0,
            is_over: false,
        }
    }

    /// Reads the record of a frame; `None` where it has none, or several, which come next.
    fn read(&mut self, frame: Vec<u8>) -> Option<Result<Record, RecordError>> {
        match &self.format {
            Format::Json => Some(json(&frame)),
            Format::Ion => {
                self.structs = Some(Structs::new(frame));
                None
            }
            Format::Csv(columns) => match &self.header {
                Some(header) => Some(csv::item(&frame, header, columns)),
                None => match csv::header(&frame, columns) {
                    Ok(header) => {
                        self.header = Some(header);
                        None
                    }
                    // Without names no row behind it can be read.
                    Err(error) => {
                        self.is_over = true;
                        Some(Err(RecordError::Unreadable(error.to_string())))
                    }
                },
            },
        }
    }

    fn entry(&mut self, record: Result<Record, RecordError>) -> Entry {
        Entry {
            bytes: std::mem::take(&mut self.bytes),
            record,
        }
    }
}

impl Iterator for Records {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            if let Some(record) = self.structs.as_mut().and_then(Structs::next) {
                return Some(self.entry(record));
            }
            self.structs = None;
            if self.is_over {
                return None;
            }
            let record = match self.frames.next() {
                Ok(None) => {
                    self.is_over = true;
                    None
                }
                Ok(Some(Frame::Whole(frame))) => {
                    self.bytes += u64::try_from(frame.len()).unwrap_or(u64::MAX);
                    let is_empty = frame.iter().all(u8::is_ascii_whitespace);
                    if is_empty { None } else { self.read(frame) }
                }
                Ok(Some(Frame::TooLong(read))) => {
                    self.bytes += read;
                    Some(Err(RecordError::TooLong))
                }
                Err(error) => {
                    self.is_over = true;
                    Some(Err(RecordError::Unreadable(error.to_string())))
                }
            };
            if let Some(record) = record {
                return Some(self.entry(record));
            }
        }
    }
}

shape! {
    /// The members of a record, of a full export, of an incremental one, or of a bulk put.
    RecordIn {
        item: "Item" as ItemIn,
        new: "NewImage" as ItemIn,
        keys: "Keys" as ItemIn,
        condition: "ConditionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
        values: "ExpressionAttributeValues" as BTreeMap<String, ValueIn>,
    }
}

impl RecordIn {
    fn record(self) -> Result<Record, RecordError> {
        let invalid = |problem: ValueProblem| RecordError::Invalid(problem.to_string());
        let Some(item) = self.item.or(self.new) else {
            let keys = self.keys.ok_or_else(|| {
                let message = "the record has no Item, nor is it one of an incremental export";
                RecordError::Invalid(message.to_owned())
            })?;
            return Ok(Record::Delete(keys.check().map_err(invalid)?));
        };
        let expressions = Expressions {
            condition: self.condition,
            names: self.names,
            values: self.values,
            ..Expressions::default()
        };
        let parsed = expressions.parse(&[], "ConditionExpression is null");
        let parsed = parsed.map_err(|refused| RecordError::Invalid(refused.0.message))?;
        Ok(Record::Put {
            item: item.check().map_err(invalid)?,
            condition: parsed.condition,
        })
    }
}

fn json(frame: &[u8]) -> Result<Record, RecordError> {
    // Values take many times the memory of their text.
    let mut parts = frame.split(|byte| *byte == b'{');
    if JSON_BRACKETS_MAX < frame.len() && parts.nth(JSON_BRACKETS_MAX + 1).is_some() {
        let message = "it has more values than an item can";
        return Err(RecordError::Malformed(message.to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(frame);
    let read = RecordIn::deserialize(&mut reader);
    let read = read.and_then(|read| reader.end().map(|()| read));
    let read = read.map_err(|error| RecordError::Malformed(error.to_string()))?;
    read.record()
}

/// Makes a record of the members of a struct of Ion.
fn of_members(mut members: BTreeMap<String, AttributeValue>) -> Result<Record, RecordError> {
    // Incremental exports have a struct around it.
    if let Some(AttributeValue::M(inner)) = members.remove("Record") {
        members = inner;
    }
    let wrong = |name: &str| RecordError::Malformed(format!("{name} is of the wrong type"));
    let mut map = |name: &str| match members.remove(name) {
        None | Some(AttributeValue::Null) => Ok(None),
        Some(AttributeValue::M(map)) => Ok(Some(map)),
        Some(_) => Err(wrong(name)),
    };
    let text = |value: AttributeValue| {
        let text = value.as_s().map(str::to_owned);
        text.ok_or_else(|| wrong("ConditionExpression or one of its names"))
    };
    let (item, new, keys) = (map("Item")?, map("NewImage")?, map("Keys")?);
    let names = map("ExpressionAttributeNames")?.map(|names| {
        let names = names.into_iter();
        let names = names.map(|(name, value)| Ok::<_, RecordError>((name, text(value)?)));
        names.collect::<Result<BTreeMap<_, _>, _>>()
    });
    let values = map("ExpressionAttributeValues")?.map(|values| {
        let values = values.into_iter();
        values
            .map(|(name, value)| (name, ValueIn::from(value)))
            .collect()
    });
    let condition = members
        .remove("ConditionExpression")
        .map(text)
        .transpose()?;
    let record = RecordIn {
        item: item.map(ItemIn::from),
        new: new.map(ItemIn::from),
        keys: keys.map(ItemIn::from),
        condition,
        names: names.transpose()?,
        values,
    };
    record.record()
}

#[cfg(test)]
mod tests;
