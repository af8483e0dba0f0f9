//! Stored items and keys as DynamoDB's JSON, for those who show and read them outside a call.
//!
//! It reads no table.

use item::key::{Key, KeySchema};

use crate::wire::render;
use crate::wire::value::ItemIn;

/// Returns an encoded item as DynamoDB's JSON; `None` for bytes that are no item.
pub fn item(image: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(image.len() * 2);
    render::item(&mut out, image).ok()?;
    Some(out)
}

/// Returns a key as DynamoDB's JSON, an item of the attributes that `schema` names; `None` for one
/// that no item can have.
pub fn key(key: &Key, schema: &KeySchema) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    render::tree(&mut out, &key.to_item(schema)).ok()?;
    Some(out)
}

/// Returns the key that DynamoDB's JSON gives, all of it and nothing more; `None` for others.
pub fn parse_key(json: &[u8], schema: &KeySchema) -> Option<Key> {
    let key: ItemIn = serde_json::from_slice(json).ok()?;
    schema.exact_key_of(&key.check().ok()?).ok()
}
