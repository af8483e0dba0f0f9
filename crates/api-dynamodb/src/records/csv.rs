//! Items from rows of CSV.
//!
//! It finds no ends of rows. Source: RFC 4180; DynamoDB developer guide, "Amazon S3 import formats
//! for DynamoDB" (CSV).

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use item::key::KeyKind;
use item::number::Number;
use item::value::{AttributeValue, Item};

use super::{Columns, Record, RecordError};
use crate::wire::value::check_name;

/// Reads the names of the columns.
///
/// Errors: [`RecordError`] also where a name is no attribute's, or stands twice.
pub(super) fn header(row: &[u8], columns: &Columns) -> Result<Vec<String>, RecordError> {
    let names = fields(row, columns.delimiter)?;
    let mut known = BTreeSet::new();
    for name in &names {
        let checked = check_name(name);
        checked.map_err(|problem| RecordError::Invalid(problem.to_string()))?;
        if !known.insert(name) {
            let message = format!("the header names the column {name} twice");
            return Err(RecordError::Invalid(message));
        }
    }
    Ok(names)
}

/// Reads an item.
pub(super) fn item(
    row: &[u8],
    header: &[String],
    columns: &Columns,
) -> Result<Record, RecordError> {
    let fields = fields(row, columns.delimiter)?;
    if fields.len() != header.len() {
        let (found, wanted) = (fields.len(), header.len());
        let message = format!("the row has {found} fields, and the header {wanted}");
        return Err(RecordError::Malformed(message));
    }
    let mut item = Item::new();
    for (name, field) in header.iter().zip(fields) {
        let value = match columns.kinds.get(name) {
            None | Some(KeyKind::S) => AttributeValue::S(field),
            Some(KeyKind::N) => {
                let number = Number::parse(field.trim());
                AttributeValue::N(number.map_err(|error| RecordError::Invalid(error.to_string()))?)
            }
            Some(KeyKind::B) => {
                let bytes = STANDARD.decode(field.trim());
                let bytes = bytes.map_err(|error| {
                    RecordError::Invalid(format!("{name} is no binary value in base64: {error}"))
                })?;
                AttributeValue::B(bytes.into())
            }
        };
        item.insert(name.clone(), value);
    }
    let condition = None;
    Ok(Record::Put { item, condition })
}

/// Takes a row apart.
fn fields(row: &[u8], delimiter: u8) -> Result<Vec<String>, RecordError> {
    let malformed = |what: &str| RecordError::Malformed(what.to_owned());
    let row = std::str::from_utf8(row).map_err(|_| malformed("the row is not UTF-8"))?;
    let row = row.strip_suffix('\n').unwrap_or(row);
    let row = row.strip_suffix('\r').unwrap_or(row);
    let delimiter = char::from(delimiter);
    let mut fields = Vec::new();
    let mut rest = row;
    loop {
        let after = if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = quoted_field(quoted)
                .ok_or_else(|| malformed("the row has a quote that is not closed"))?;
            fields.push(field);
            after
        } else {
            let end = rest.find(delimiter).unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            if field.contains('"') {
                let what = "a field with quotes in it must be between quotes, and they doubled";
                return Err(malformed(what));
            }
            fields.push(field.to_owned());
            after
        };
        if after.is_empty() {
            return Ok(fields);
        }
        let next = after.strip_prefix(delimiter);
        rest = next.ok_or_else(|| malformed("a closing quote must end its field"))?;
    }
}

/// Reads a field behind its first quote; returns it and what is behind its last.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        let Some(more) = after.strip_prefix('"') else {
            return Some((field, after));
        };
        field.push('"');
        rest = more;
    }
}
