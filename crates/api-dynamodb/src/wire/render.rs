//! Answers as JSON, items straight from their stored bytes.
//!
//! No tree is built: GetItem costs one walk over the item and one buffer.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use expr::path::Node;
use expr::projection::Projection;
use item::codec::{self, CodecError};
use item::value::Item;
use item::view::{Entries, ItemRef, ValueRef};

/// A JSON object being written.
#[derive(Debug)]
pub(crate) struct Object<'b> {
    out: &'b mut Vec<u8>,
    empty: bool,
}

impl<'b> Object<'b> {
    /// Starts an object at the end of `out`; [`Object::end`] ends it.
    pub(crate) fn start(out: &'b mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Writes a member's name, and returns where its value goes.
    pub(crate) fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        string(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// Ends the object.
    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes an item.
///
/// Errors: [`CodecError`] when the stored bytes are malformed; `out` is then of no use.
pub(crate) fn item(out: &mut Vec<u8>, image: &[u8]) -> Result<(), CodecError> {
    entries(out, ItemRef::parse(image)?.iter())
}

/// Writes an item that is not stored: a key, or part of an item.
pub(crate) fn tree(out: &mut Vec<u8>, tree: &Item) -> Result<(), CodecError> {
    item(out, &codec::encode(tree))
}

/// Writes the part of an item that a projection asks for; returns whether there is any.
///
/// Errors: [`CodecError`] when the stored bytes are malformed; `out` is then of no use.
pub(crate) fn projected(
    out: &mut Vec<u8>,
    image: &[u8],
    projection: &Projection,
) -> Result<bool, CodecError> {
    picked(out, ItemRef::parse(image)?.iter(), projection.tree().root())
}

/// Writes a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x00..=0x1f => b'u',
            _ => continue,
        };
        out.extend_from_slice(bytes.get(written..at).unwrap_or_default());
        out.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            let digit = |half: u8| {
                if half < 10 {
                    b'0' + half
                } else {
                    b'a' + half - 10
                }
            };
            out.extend_from_slice(&[b'0', b'0', digit(byte >> 4), digit(byte & 0x0f)]);
        }
        written = at + 1;
    }
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
    out.push(b'"');
}

fn entries(out: &mut Vec<u8>, entries: Entries<'_>) -> Result<(), CodecError> {
    out.push(b'{');
    for (at, entry) in entries.enumerate() {
        let (name, entry) = entry?;
        if at > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        value(out, entry)?;
    }
    out.push(b'}');
    Ok(())
}

fn value(out: &mut Vec<u8>, value: ValueRef<'_>) -> Result<(), CodecError> {
    match value {
        ValueRef::S(text) => {
            out.extend_from_slice(b"{\"S\":");
            string(out, text);
        }
        ValueRef::N(number) => {
            out.extend_from_slice(b"{\"N\":\"");
            number.text_into(out);
            out.push(b'"');
        }
        ValueRef::B(bytes) => {
            out.extend_from_slice(b"{\"B\":");
            base64(out, bytes);
        }
        ValueRef::Bool(true) => out.extend_from_slice(b"{\"BOOL\":true"),
        ValueRef::Bool(false) => out.extend_from_slice(b"{\"BOOL\":false"),
        ValueRef::Null => out.extend_from_slice(b"{\"NULL\":true"),
        ValueRef::M(map) => {
            out.extend_from_slice(b"{\"M\":");
            entries(out, map)?;
        }
        ValueRef::L(list) => {
            out.extend_from_slice(b"{\"L\":");
            array(out, list, self::value)?;
        }
        ValueRef::Ss(texts) => {
            out.extend_from_slice(b"{\"SS\":");
            array(out, texts, |out, text| {
                string(out, text);
                Ok(())
            })?;
        }
        ValueRef::Ns(numbers) => {
            out.extend_from_slice(b"{\"NS\":");
            array(out, numbers, |out, number| {
                out.push(b'"');
                number.text_into(out);
                out.push(b'"');
                Ok(())
            })?;
        }
        ValueRef::Bs(blobs) => {
            out.extend_from_slice(b"{\"BS\":");
            array(out, blobs, |out, bytes| {
                base64(out, bytes);
                Ok(())
            })?;
        }
    }
    out.push(b'}');
    Ok(())
}

/// Writes elements with commas between them, in brackets.
///
/// Errors: those of its elements.
pub(crate) fn array<T>(
    out: &mut Vec<u8>,
    elements: impl Iterator<Item = Result<T, CodecError>>,
    write: fn(&mut Vec<u8>, T) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    out.push(b'[');
    for (at, element) in elements.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, element?)?;
    }
    out.push(b']');
    Ok(())
}

/// Writes the asked entries of a map; returns whether there was any.
fn picked(
    out: &mut Vec<u8>,
    entries: Entries<'_>,
    nodes: &BTreeMap<String, Node<()>>,
) -> Result<bool, CodecError> {
    out.push(b'{');
    let mut any = false;
    // Both are in the byte order of names.
    let mut wanted = nodes.iter().peekable();
    for entry in entries {
        let (name, entry) = entry?;
        while wanted
            .next_if(|(wanted, _)| wanted.as_str() < name)
            .is_some()
        {}
        let Some((_, node)) = wanted.next_if(|(wanted, _)| wanted.as_str() == name) else {
            if wanted.peek().is_none() {
                break;
            }
            continue;
        };
        let start = out.len();
        if any {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        if part(out, entry, node)? {
            any = true;
        } else {
            out.truncate(start);
        }
    }
    out.push(b'}');
    Ok(any)
}

/// Writes the asked part of a value; returns whether there was any.
fn part(out: &mut Vec<u8>, whole: ValueRef<'_>, node: &Node<()>) -> Result<bool, CodecError> {
    match (node, whole) {
        (Node::Leaf(()), whole) => {
            value(out, whole)?;
            Ok(true)
        }
        (Node::Map(nodes), ValueRef::M(map)) => {
            out.extend_from_slice(b"{\"M\":");
            let any = picked(out, map, nodes)?;
            out.push(b'}');
            Ok(any)
        }
        (Node::List(nodes), ValueRef::L(list)) => {
            out.extend_from_slice(b"{\"L\":[");
            let mut any = false;
            for (index, element) in (0_u32..).zip(list) {
                let element = element?;
                let Some(node) = nodes.get(&index) else {
                    continue;
                };
                let start = out.len();
                if any {
                    out.push(b',');
                }
                if part(out, element, node)? {
                    any = true;
                } else {
                    out.truncate(start);
                }
            }
            out.extend_from_slice(b"]}");
            Ok(any)
        }
        (Node::Map(_) | Node::List(_), _) => Ok(false),
    }
}

fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    // Four characters for each three bytes begun.
    let length = bytes.len().div_ceil(3) * 4;
    out.resize(start + length, b'=');
    let written = out
        .get_mut(start..)
        .map(|slot| STANDARD.encode_slice(bytes, slot));
    debug_assert!(
        matches!(written, Some(Ok(written)) if written == length),
        "the slot has exactly the length of the encoding"
    );
    out.push(b'"');
}
