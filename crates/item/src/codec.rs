//! Items as bytes on disk and on links: compact, versioned, readable in place.
//!
//! ```text
//! item    version=1  count:varint  (name  value)…        names ascending
//! name    length:varint  UTF-8
//! value   0x11..0x13 …            number, see `number/bytes.rs`
//!         0x01 | 0x02 | 0x03      null, false, true
//!         0x20 length:varint …    text        0x30 length:varint …    bytes
//!         0x40 size:u32 count:varint (name value)…     map, names ascending
//!         0x41 size:u32 count:varint value…            list
//!         0x42 size:u32 count:varint (length:varint …)…   set of texts, ascending
//!         0x43 size:u32 count:varint (length:varint …)…   set of bytes, ascending
//!         0x44 size:u32 count:varint number…              set of numbers, ascending
//! ```
//!
//! One item has one encoding. `size`, little-endian, counts the bytes after itself, so that a
//! reader can step over a container. Reading in place is [`crate::view`].

use std::collections::{BTreeMap, BTreeSet};

use crate::value::{AttributeValue, Item};
use crate::view::ItemRef;

/// Bytes that are no item of a version this code reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The item was written by a later version.
    #[error("stored item has format version {0}, newer than this program reads")]
    UnknownVersion(u8),
    /// The bytes end inside the item, or go on after it.
    #[error("stored item has the wrong length")]
    Length,
    /// A value's first byte says nothing.
    #[error("stored item has a value of the unknown type {0:#04x}")]
    UnknownType(u8),
    /// A text is not UTF-8.
    #[error("stored item has a text that is not UTF-8")]
    NotUtf8,
    /// A number is not in its normal form.
    #[error("stored item has a malformed number")]
    BadNumber,
    /// Names or set elements are not ascending.
    #[error("stored item has names or set elements out of order")]
    NotAscending,
    /// Lists and maps are nested deeper than an item may be.
    #[error("stored item is nested too deep")]
    TooDeep,
}

/// Returns the bytes of an item.
pub fn encode(item: &Item) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + crate::size::item_size(item) * 9 / 8);
    encode_into(item, &mut out);
    out
}

/// Appends the bytes of an item.
pub fn encode_into(item: &Item, out: &mut Vec<u8>) {
    out.push(VERSION);
    encode_entries(item.as_map(), out);
}

/// Reads an item that fills `bytes` whole.
///
/// Errors: [`CodecError`] for anything that [`encode`] does not write.
pub fn decode(bytes: &[u8]) -> Result<Item, CodecError> {
    ItemRef::parse(bytes)?.to_item()
}

fn encode_entries(map: &BTreeMap<String, AttributeValue>, out: &mut Vec<u8>) {
    put_count(map.len(), out);
    for (name, value) in map {
        put_blob(name.as_bytes(), out);
        encode_value(value, out);
    }
}

fn encode_value(value: &AttributeValue, out: &mut Vec<u8>) {
    match value {
        AttributeValue::N(number) => number.encode_into(out),
        AttributeValue::Null => out.push(NULL),
        AttributeValue::Bool(false) => out.push(FALSE),
        AttributeValue::Bool(true) => out.push(TRUE),
        AttributeValue::S(text) => {
            out.push(TEXT);
            put_blob(text.as_bytes(), out);
        }
        AttributeValue::B(bytes) => {
            out.push(BYTES);
            put_blob(bytes, out);
        }
        AttributeValue::M(map) => put_sized(MAP, out, |out| encode_entries(map, out)),
        AttributeValue::L(list) => put_sized(LIST, out, |out| {
            put_count(list.len(), out);
            for value in list {
                encode_value(value, out);
            }
        }),
        AttributeValue::Ss(set) => put_sized(TEXT_SET, out, |out| put_blobs(set, out)),
        AttributeValue::Bs(set) => put_sized(BYTES_SET, out, |out| put_blobs(set, out)),
        AttributeValue::Ns(set) => put_sized(NUMBER_SET, out, |out| {
            put_count(set.len(), out);
            for number in set {
                number.encode_into(out);
            }
        }),
    }
}

/// Appends a type, then what `write` appends, with its size before it.
fn put_sized(kind: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let size = u32::try_from(out.len() - at - 4).expect("an item is at most 400 KiB");
    if let Some(slot) = out.get_mut(at..at + 4) {
        slot.copy_from_slice(&size.to_le_bytes());
    }
}

fn put_blobs<B: AsRef<[u8]>>(set: &BTreeSet<B>, out: &mut Vec<u8>) {
    put_count(set.len(), out);
    for blob in set {
        put_blob(blob.as_ref(), out);
    }
}

fn put_blob(blob: &[u8], out: &mut Vec<u8>) {
    put_count(blob.len(), out);
    out.extend_from_slice(blob);
}

/// Appends a count, seven bits a byte, lowest first, the top bit set on all but the last.
fn put_count(count: usize, out: &mut Vec<u8>) {
    let mut rest = count;
    while rest >= 0x80 {
        out.push(u8::try_from(rest & 0x7f).expect("seven bits fit") | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).expect("seven bits fit"));
}

/// The version this code writes, and the only one it reads.
pub(crate) const VERSION: u8 = 1;

pub(crate) const NULL: u8 = 0x01;
pub(crate) const FALSE: u8 = 0x02;
pub(crate) const TRUE: u8 = 0x03;
pub(crate) const TEXT: u8 = 0x20;
pub(crate) const BYTES: u8 = 0x30;
pub(crate) const MAP: u8 = 0x40;
pub(crate) const LIST: u8 = 0x41;
pub(crate) const TEXT_SET: u8 = 0x42;
pub(crate) const BYTES_SET: u8 = 0x43;
pub(crate) const NUMBER_SET: u8 = 0x44;

#[cfg(test)]
mod tests;
