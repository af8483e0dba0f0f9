//! How large an item is, and how deep: the rules that limits and capacity are counted by.
//!
//! It is not the number of bytes on disk.
//! Source: DynamoDB developer guide, "Item sizes and formats".

use base::limits::{ITEM_BYTES_MAX, NESTING_MAX};

use crate::number::Number;
use crate::value::{AttributeValue, Item};

/// An item that is larger or deeper than an item may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// Names and values together exceed [`ITEM_BYTES_MAX`].
    #[error("item of {bytes} bytes exceeds the largest size of {ITEM_BYTES_MAX}")]
    TooLarge {
        /// The size of the item.
        bytes: usize,
    },
    /// Lists and maps are nested deeper than [`NESTING_MAX`].
    #[error("item is nested deeper than {NESTING_MAX} levels")]
    TooDeep,
}

/// Checks that an item may be stored.
///
/// Errors: [`SizeError`] when it is too large or too deep.
pub fn check(item: &Item) -> Result<(), SizeError> {
    if item.iter().any(|(_, value)| depth(value) > NESTING_MAX) {
        return Err(SizeError::TooDeep);
    }
    let bytes = item_size(item);
    if bytes > ITEM_BYTES_MAX.as_len() {
        return Err(SizeError::TooLarge { bytes });
    }
    Ok(())
}

/// Returns the size of an item: its attributes' names in UTF-8 and its values.
pub fn item_size(item: &Item) -> usize {
    let attribute = |(name, value): (&String, &AttributeValue)| name.len() + value_size(value);
    item.iter().map(attribute).sum()
}

/// Returns the size of a value.
pub fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_size(*number),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Bool(_) | AttributeValue::Null => 1,
        AttributeValue::M(map) => {
            let entry = |(name, value): (&String, &AttributeValue)| {
                ELEMENT_BYTES + name.len() + value_size(value)
            };
            CONTAINER_BYTES + map.iter().map(entry).sum::<usize>()
        }
        AttributeValue::L(list) => {
            let element = |value| ELEMENT_BYTES + value_size(value);
            CONTAINER_BYTES + list.iter().map(element).sum::<usize>()
        }
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().copied().map(number_size).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(bytes::Bytes::len).sum(),
    }
}

/// Returns the size of a number: a byte for each two digits on either side of the point, one more,
/// and one more below zero.
pub fn number_size(number: Number) -> usize {
    // Pairs of digits are aligned with the decimal point: an odd exponent moves them by one.
    let shifted = usize::from(number.exponent().rem_euclid(2) == 1);
    let pairs = (number.digits() + shifted).div_ceil(2);
    (1 + pairs + usize::from(number.is_negative())).min(NUMBER_BYTES_MAX)
}

/// Returns how many lists and maps are inside one another; 0 for a scalar or a set.
pub fn depth(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::M(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        AttributeValue::L(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        AttributeValue::S(_)
        | AttributeValue::N(_)
        | AttributeValue::B(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Null
        | AttributeValue::Ss(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Bs(_) => 0,
    }
}

/// What a list or a map costs beside its elements. 3 bytes.
/// Source: DynamoDB developer guide, "Item sizes and formats".
pub(crate) const CONTAINER_BYTES: usize = 3;

/// What each element of a list or map costs beside its value. 1 byte.
/// Source: DynamoDB developer guide, "Item sizes and formats".
pub(crate) const ELEMENT_BYTES: usize = 1;

/// The largest size of a number. 21 bytes.
/// Source: DynamoDB developer guide, "Item sizes and formats".
const NUMBER_BYTES_MAX: usize = 21;

#[cfg(test)]
mod tests;
