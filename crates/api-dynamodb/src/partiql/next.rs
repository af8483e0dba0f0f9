//! `NextToken`: where a `SELECT` goes on, written down for the client to bring back.
//!
//! Nothing is kept of it here, and it holds in every region. One that was made up is only as good
//! as what it says, and is held against the plan. Source: DynamoDB API reference,
//! `ExecuteStatement`.

use api_protocol::fault::Fault;
use base::name::TableId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Buf, BufMut, Bytes};
use item::codec;
use item::value::{AttributeValue, Item};

use super::selects::Start;
use crate::fault;

/// Returns a hash of what a statement asks for; the same in every build, since a token may be
/// brought to another region's.
pub(super) fn digest(text: &str, parameters: &[AttributeValue], table: TableId) -> u64 {
    let mut asked = Item::new();
    asked.insert(String::new(), AttributeValue::L(parameters.to_vec()));
    let asked = codec::encode(&asked);
    let table = table.0.to_be_bytes();
    let bytes = text.bytes().chain([0]).chain(asked).chain(table);
    // FNV-1a: a token that goes with another statement is a mistake, not an attack.
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Writes a token.
pub(super) fn write(start: &Start, digest: u64) -> String {
    let mut token = Vec::with_capacity(64);
    token.put_u8(FORMAT);
    token.put_u64(digest);
    token.put_u16(start.step);
    if let Some(after) = &start.after {
        token.extend_from_slice(&codec::encode(after));
    }
    URL_SAFE_NO_PAD.encode(token)
}

/// Reads a token.
///
/// Errors: `ValidationException` for a text that is none, or that belongs to another statement.
pub(super) fn read(text: &str, digest: u64) -> Result<Start, Fault> {
    let token = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
    let mut token = Bytes::from(token);
    if token.len() < 11 || token.get_u8() != FORMAT {
        return Err(invalid());
    }
    if token.get_u64() != digest {
        return Err(fault::validation("NextToken does not match request"));
    }
    let step = token.get_u16();
    let after = if token.is_empty() {
        None
    } else {
        Some(codec::decode(&token).map_err(|_| invalid())?)
    };
    Ok(Start { step, after })
}

/// Refuses a token.
pub(super) fn invalid() -> Fault {
    fault::validation("Invalid NextToken")
}

/// The version of a token's bytes.
const FORMAT: u8 = 1;

#[cfg(test)]
mod tests;
