//! Items as Ion text, as exports write them.
//!
//! Source: Amazon Ion specification, "Text encoding"; DynamoDB developer guide, "DynamoDB table
//! export output format".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use item::codec::CodecError;
use item::view::{Entries, ItemRef, ValueRef};

use crate::wire::render;

/// Writes an item.
///
/// Errors: [`CodecError`] when the stored bytes are malformed; `out` is then of no use.
pub(super) fn item(out: &mut Vec<u8>, image: &[u8]) -> Result<(), CodecError> {
    entries(out, ItemRef::parse(image)?.iter())
}

fn entries(out: &mut Vec<u8>, entries: Entries<'_>) -> Result<(), CodecError> {
    out.push(b'{');
    for (at, entry) in entries.enumerate() {
        let (name, entry) = entry?;
        if at > 0 {
            out.push(b',');
        }
        field(out, name);
        out.push(b':');
        value(out, entry)?;
    }
    out.push(b'}');
    Ok(())
}

/// Writes a field's name: as it is where it is an identifier, else as a string.
fn field(out: &mut Vec<u8>, name: &str) {
    let first = name.bytes().next();
    let starts = first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_word = ["null", "true", "false", "nan"].contains(&name);
    if starts && !is_word && name.bytes().all(plain) {
        out.extend_from_slice(name.as_bytes());
    } else {
        render::string(out, name);
    }
}

fn value(out: &mut Vec<u8>, value: ValueRef<'_>) -> Result<(), CodecError> {
    match value {
        ValueRef::S(text) => render::string(out, text),
        ValueRef::N(number) => decimal(out, &number.to_number().to_string()),
        ValueRef::B(bytes) => blob(out, bytes),
        ValueRef::Bool(true) => out.extend_from_slice(b"true"),
        ValueRef::Bool(false) => out.extend_from_slice(b"false"),
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::M(map) => entries(out, map)?,
        ValueRef::L(list) => render::array(out, list, self::value)?,
        ValueRef::Ss(texts) => {
            out.extend_from_slice(b"$dynamodb_SS::");
            render::array(out, texts, |out, text| {
                render::string(out, text);
                Ok(())
            })?;
        }
        ValueRef::Ns(numbers) => {
            out.extend_from_slice(b"$dynamodb_NS::");
            render::array(out, numbers, |out, number| {
                decimal(out, &number.to_number().to_string());
                Ok(())
            })?;
        }
        ValueRef::Bs(blobs) => {
            out.extend_from_slice(b"$dynamodb_BS::");
            render::array(out, blobs, |out, bytes| {
                blob(out, bytes);
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Writes a decimal: without its point it would be an integer.
fn decimal(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    if !text.contains('.') {
        out.push(b'.');
    }
}

fn blob(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{{");
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.extend_from_slice(b"}}");
}
