//! Key values as bytes in the same order, and the hash that spreads partitions.
//!
//! ```text
//! number  0x11..0x13 …                       see `number/bytes.rs`
//! text    0x20  bytes, 0x00 as 0x00 0xff  0x00 0x01
//! bytes   0x30  bytes, 0x00 as 0x00 0xff  0x00 0x01
//! ```
//!
//! Every form delimits itself, so that a sort key or a table key may follow.

use bytes::Bytes;

use super::KeyValue;
use crate::number::Number;

/// Bytes that are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored key is malformed")]
pub struct BadKeyBytes;

/// Returns the bytes of a partition key: what [`partition_hash`] takes.
pub fn encode_partition(value: &KeyValue) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(value, &mut out);
    out
}

/// Returns the bytes of a sort key, ordered as the values are.
pub fn encode_sort(value: &KeyValue) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(value, &mut out);
    out
}

/// Returns the bytes that the encodings of all values beginning with `value` begin with.
///
/// Shape: for texts and bytes; a number begins only with itself, so its whole encoding.
pub fn encode_sort_prefix(value: &KeyValue) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(value, &mut out);
    match value {
        KeyValue::S(_) | KeyValue::B(_) => out.truncate(out.len() - END.len()),
        KeyValue::N(_) => {}
    }
    out
}

/// Returns the first bytes after all those that begin with `prefix`; `None` if there are none.
///
/// With it, "at most x" is everything below `prefix_end(encode_sort(x))`.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

/// Reads a key value from the start of `bytes`, and returns what follows it.
///
/// Errors: [`BadKeyBytes`] for anything that the encoder does not write.
pub fn decode_value(bytes: &[u8]) -> Result<(KeyValue, &[u8]), BadKeyBytes> {
    match bytes {
        [TEXT, rest @ ..] => {
            let (raw, rest) = unescape(rest)?;
            let text = String::from_utf8(raw).map_err(|_| BadKeyBytes)?;
            Ok((KeyValue::S(text), rest))
        }
        [BYTES, rest @ ..] => {
            let (raw, rest) = unescape(rest)?;
            Ok((KeyValue::B(Bytes::from(raw)), rest))
        }
        number => {
            let (number, rest) = Number::decode(number).map_err(|_| BadKeyBytes)?;
            Ok((KeyValue::N(number), rest))
        }
    }
}

/// Returns the place of a partition among 65,536, from the bytes of [`encode_partition`].
///
/// It is on disk and in digests: it never changes.
/// Source: FNV-1a of 64 bits, finished by the mixer of MurmurHash3; the upper 16 bits.
pub fn partition_hash(partition: &[u8]) -> u16 {
    let fnv = partition
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    let mut hash = fnv ^ (fnv >> 33);
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    u16::try_from(hash >> 48).expect("16 of 64 bits are left")
}

/// Appends the bytes of a key value.
pub(super) fn encode_into(value: &KeyValue, out: &mut Vec<u8>) {
    match value {
        KeyValue::N(number) => number.encode_into(out),
        KeyValue::S(text) => {
            out.push(TEXT);
            escape(text.as_bytes(), out);
        }
        KeyValue::B(bytes) => {
            out.push(BYTES);
            escape(bytes, out);
        }
    }
}

fn escape(raw: &[u8], out: &mut Vec<u8>) {
    out.reserve(raw.len() + END.len());
    let mut rest = raw;
    while let Some(zero) = rest.iter().position(|byte| *byte == 0) {
        let (before, after) = rest.split_at(zero);
        out.extend_from_slice(before);
        out.extend_from_slice(&ESCAPED_ZERO);
        rest = after.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(&END);
}

fn unescape(bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), BadKeyBytes> {
    let mut raw = Vec::new();
    let mut rest = bytes;
    loop {
        let zero = rest.iter().position(|byte| *byte == 0).ok_or(BadKeyBytes)?;
        let (before, after) = rest.split_at(zero);
        raw.extend_from_slice(before);
        match after {
            [0x00, 0xff, after @ ..] => {
                raw.push(0);
                rest = after;
            }
            [0x00, 0x01, after @ ..] => return Ok((raw, after)),
            _ => return Err(BadKeyBytes),
        }
    }
}

/// First byte of a text.
const TEXT: u8 = 0x20;
/// First byte of bytes.
const BYTES: u8 = 0x30;
/// A zero byte inside a text or bytes.
const ESCAPED_ZERO: [u8; 2] = [0x00, 0xff];
/// The end of a text or of bytes: below every byte that could go on, above nothing.
const END: [u8; 2] = [0x00, 0x01];
