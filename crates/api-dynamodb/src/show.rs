//! Stored items as DynamoDB's JSON, for those who show them outside a call.
//!
//! It reads no table.

use crate::wire::render;

/// Returns an encoded item as DynamoDB's JSON; `None` for bytes that are no item.
pub fn item(image: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(image.len() * 2);
    render::item(&mut out, image).ok()?;
    Some(out)
}
