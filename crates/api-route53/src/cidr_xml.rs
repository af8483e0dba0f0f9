//! Changes of CIDR collections in XML: read with every mistake of their shape named.
//!
//! Whether a change fits its collection is decided in [`crate::cidr`].
//! Source: Route 53 API reference, `ChangeCidrCollection`.

use api_protocol::fault::Fault;
use api_protocol::xml::Element;
use dns_core::cidr::Block;

use crate::faults::invalid_input;
use crate::limits::{BLOCKS_MAX, LOCATION_CHARACTERS_MAX};

/// What to do with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Have it in the location.
    Put,
    /// Have it no more in the location.
    Delete,
}

/// A block of a change.
#[derive(Clone, Debug)]
pub(crate) struct BlockChange<'e> {
    pub(crate) action: Action,
    pub(crate) block: Block,
    pub(crate) location: &'e str,
}

/// Reads what a request does to blocks, in its order.
///
/// Errors: `InvalidInput` for a shape that no change has, `LimitsExceeded` for too many blocks.
pub(crate) fn read_changes(document: &Element) -> Result<Vec<BlockChange<'_>>, Fault> {
    // The list's members are called differently by the API reference and by the service model.
    let changes = document.child("Changes");
    let changes = changes.map(|list| list.children.as_slice());
    let changes = changes.filter(|changes| !changes.is_empty());
    let changes = changes.ok_or_else(|| invalid_input("The request has no Changes."))?;
    let mut read = Vec::new();
    for change in changes {
        let text = |member: &str| {
            change
                .text_of(member)
                .ok_or_else(|| invalid_input(format!("A change has no {member}.")))
        };
        let location = text("LocationName")?;
        if !is_name(location, LOCATION_CHARACTERS_MAX) {
            return Err(invalid_input(format!(
                "{location:?} is no name of a CIDR location."
            )));
        }
        let action = match text("Action")? {
            "PUT" => Action::Put,
            "DELETE_IF_EXISTS" => Action::Delete,
            other => return Err(invalid_input(format!("{other:?} is no action."))),
        };
        let mut listed = change.members("CidrList", "Cidr").peekable();
        if listed.peek().is_none() {
            return Err(invalid_input("A change has no CidrList."));
        }
        for cidr in listed {
            let cidr = cidr.text.trim();
            let block = cidr
                .parse()
                .map_err(|error| invalid_input(format!("Invalid CIDR block {cidr:?}: {error}.")))?;
            read.push(BlockChange {
                action,
                block,
                location,
            });
        }
        if BLOCKS_MAX < read.len() {
            let message = format!("A request names at most {BLOCKS_MAX} CIDR blocks.");
            return Err(Fault::caller("LimitsExceeded", message));
        }
    }
    Ok(read)
}

/// Returns whether a text may name a collection or a location.
pub(crate) fn is_name(text: &str, characters_max: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=characters_max).contains(&text.len()) && text.bytes().all(allowed)
}
