//! Queries, read from the wire with every length checked.
//!
//! It understands a question and its EDNS options, nothing that follows them, and no
//! compression: the first name of a message has nothing to point to.
//! Source: RFC 1035 §4.1, RFC 6891, RFC 7871, RFC 9619.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::limits::{LABEL_BYTES_MAX, NAME_BYTES_MAX, QUERY_ADDITIONAL_MAX};
use crate::reply::Rcode;

/// Bytes before the question.
pub(crate) const HEADER_BYTES: usize = 12;

const CLASS_IN: u16 = 1;
const TYPE_OPT: u16 = 41;
const OPTION_SUBNET: u16 = 8;

/// A query that can be answered.
#[derive(Clone, Debug)]
pub struct Query<'p> {
    /// The message's number, repeated in its answer.
    pub id: u16,
    /// The bits of the header's second word that an answer repeats: RD and CD.
    pub(crate) repeated: u16,
    /// Name, type and class as they came, the name's letters included.
    pub(crate) question: &'p [u8],
    /// The name asked for, in lower case.
    pub(crate) name: NameBuffer,
    /// The type asked for; it may be one that no record set has.
    pub qtype: u16,
    /// Whether the class is IN, the only one there is anything to say about.
    pub(crate) class_in: bool,
    /// What the asker said by EDNS, where it did.
    pub edns: Option<Edns>,
}

impl Query<'_> {
    /// Returns the name asked for, in lower-case wire form.
    pub fn name(&self) -> &[u8] {
        self.name.as_wire()
    }
}

/// What a query says in its OPT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// The longest datagram the asker takes.
    pub payload: u16,
    /// The version of EDNS; only 0 exists.
    pub version: u8,
    /// Whether the asker wants DNSSEC records.
    pub dnssec_ok: bool,
    /// Where the client is that the asker asks for.
    pub subnet: Option<ClientSubnet>,
}

/// The client's network, as a resolver tells it.
///
/// Shape: the bits past `source` are zero.
/// Source: RFC 7871 §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSubnet {
    /// The network's first address.
    pub address: IpAddr,
    /// How many bits of it were told. 0: the client wants nothing told.
    pub source: u8,
}

impl ClientSubnet {
    /// Makes the network of `source` bits that holds an address.
    pub fn new(address: IpAddr, source: u8) -> Self {
        let address = match address {
            IpAddr::V4(address) => {
                let host = u32::MAX.checked_shr(u32::from(source)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & !host).into())
            }
            IpAddr::V6(address) => {
                let host = u128::MAX.checked_shr(u32::from(source)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & !host).into())
            }
        };
        Self { address, source }
    }
}

/// What came of reading a message.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives on the stack of one answer; a box would cost an allocation for each"
)]
pub enum Parsed<'p> {
    /// A query to answer.
    Query(Query<'p>),
    /// A message that deserves an error and no more.
    Error {
        /// The message's number.
        id: u16,
        /// Opcode, RD and CD, which an error repeats.
        repeated: u16,
        /// What is wrong with it.
        rcode: Rcode,
    },
    /// A message that deserves no answer: too short to have a header, or itself an answer.
    Drop,
}

/// Reads a message.
pub fn parse(packet: &[u8]) -> Parsed<'_> {
    let Some((header, body)) = packet.split_first_chunk::<HEADER_BYTES>() else {
        return Parsed::Drop;
    };
    let word = |at: usize| {
        let high = header.get(at).copied().unwrap_or(0);
        let low = header.get(at + 1).copied().unwrap_or(0);
        u16::from_be_bytes([high, low])
    };
    let (id, flags) = (word(0), word(2));
    if flags & 0x8000 != 0 {
        return Parsed::Drop;
    }
    let error = |rcode| Parsed::Error {
        id,
        repeated: flags & 0x7910,
        rcode,
    };
    if flags & 0x7800 != 0 {
        return error(Rcode::NotImplemented);
    }
    // One question, and nothing answered yet.
    if [word(4), word(6), word(8)] != [1, 0, 0] || QUERY_ADDITIONAL_MAX < word(10) {
        return error(Rcode::FormatError);
    }
    match parse_body(body, word(10)) {
        Some((question, name, edns)) => Parsed::Query(Query {
            id,
            repeated: flags & 0x0110,
            question: question.bytes,
            name,
            qtype: question.qtype,
            class_in: question.class == CLASS_IN,
            edns,
        }),
        None => error(Rcode::FormatError),
    }
}

struct Question<'p> {
    bytes: &'p [u8],
    qtype: u16,
    class: u16,
}

fn parse_body(body: &[u8], additional: u16) -> Option<(Question<'_>, NameBuffer, Option<Edns>)> {
    let (name, after_name) = NameBuffer::read(body)?;
    let (qtype, rest) = read_u16(after_name)?;
    let (class, mut rest) = read_u16(rest)?;
    let question = Question {
        bytes: body.get(..body.len() - rest.len())?,
        qtype,
        class,
    };
    let mut edns = None;
    for _ in 0..additional {
        let root = rest.first() == Some(&0);
        let after_owner = skip_name(rest)?;
        let (rtype, after) = read_u16(after_owner)?;
        let (payload, after) = read_u16(after)?;
        let (ttl, after) = after.split_first_chunk::<4>()?;
        let (length, after) = read_u16(after)?;
        let (data, after) = after.split_at_checked(usize::from(length))?;
        if rtype == TYPE_OPT {
            // A second OPT, or one with an owner, is malformed: RFC 6891 §6.1.1.
            if edns.is_some() || !root {
                return None;
            }
            let [_, version, flags, _] = *ttl;
            edns = Some(Edns {
                payload,
                version,
                dnssec_ok: flags & 0x80 != 0,
                // Options of a later version may mean something else.
                subnet: if version == 0 { subnet(data)? } else { None },
            });
        }
        rest = after;
    }
    rest.is_empty().then_some((question, name, edns))
}

/// Finds the client subnet among the options; `None` when the options are malformed.
#[expect(clippy::option_option, reason = "malformed, absent and present differ")]
fn subnet(mut options: &[u8]) -> Option<Option<ClientSubnet>> {
    let mut found = None;
    while !options.is_empty() {
        let (code, rest) = read_u16(options)?;
        let (length, rest) = read_u16(rest)?;
        let (data, rest) = rest.split_at_checked(usize::from(length))?;
        if code == OPTION_SUBNET {
            if found.is_some() {
                return None;
            }
            found = Some(read_subnet(data)?);
        }
        options = rest;
    }
    Some(found.flatten())
}

/// Reads the option; the inner `None` is a family we do not know, which is ignored.
#[expect(clippy::option_option, reason = "malformed, unknown and known differ")]
fn read_subnet(data: &[u8]) -> Option<Option<ClientSubnet>> {
    let (family, rest) = read_u16(data)?;
    let ([source, scope], octets) = rest.split_first_chunk::<2>()?;
    let bits_max = match family {
        1 => 32,
        2 => 128,
        _ => return Some(None),
    };
    // RFC 7871 §7.1.2: scope 0 in queries, exactly the octets needed, the bits past source zero.
    let needed = usize::from(source.div_ceil(8));
    if *scope != 0 || bits_max < *source || octets.len() != needed {
        return None;
    }
    let mut filled = [0; 16];
    filled.get_mut(..needed)?.copy_from_slice(octets);
    let address = match family {
        1 => IpAddr::V4(Ipv4Addr::from(*filled.first_chunk::<4>()?)),
        _ => IpAddr::V6(Ipv6Addr::from(filled)),
    };
    let spare = source % 8;
    let trailing = octets.last().map_or(0, |last| match spare {
        0 => 0,
        bits => last & (0xff >> bits),
    });
    (trailing == 0).then_some(Some(ClientSubnet {
        address,
        source: *source,
    }))
}

fn read_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (value, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*value), rest))
}

/// Passes over an owner name, which may end in a pointer; the pointer is not followed.
fn skip_name(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (&length, after) = rest.split_first()?;
        match length {
            0 => return Some(after),
            0xc0..=0xff => return after.get(1..),
            1..=63 => rest = after.get(usize::from(length)..)?,
            64..=0xbf => return None,
        }
    }
}

/// A name without a heap: what a query asks for, in lower case.
#[derive(Clone, Debug)]
pub(crate) struct NameBuffer {
    bytes: [u8; NAME_BYTES_MAX],
    length: usize,
}

impl NameBuffer {
    /// Reads an uncompressed name and returns what follows it.
    fn read(wire: &[u8]) -> Option<(Self, &[u8])> {
        let mut end = 0;
        loop {
            let length = usize::from(*wire.get(end)?);
            if LABEL_BYTES_MAX < length {
                return None;
            }
            end += 1 + length;
            if NAME_BYTES_MAX < end {
                return None;
            }
            if length == 0 {
                break;
            }
        }
        let (name, rest) = wire.split_at_checked(end)?;
        let mut bytes = [0; NAME_BYTES_MAX];
        let copy = bytes.get_mut(..end)?;
        copy.copy_from_slice(name);
        // Length bytes are below 64 and so no letters.
        copy.make_ascii_lowercase();
        Some((Self { bytes, length: end }, rest))
    }

    /// Returns the wire form.
    pub(crate) fn as_wire(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Writes a query: what [`parse`] reads.
pub fn encode(name: &[u8], qtype: u16, edns: Option<Edns>) -> Vec<u8> {
    let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns.is_some())];
    packet.extend(name);
    packet.extend(qtype.to_be_bytes());
    packet.extend(CLASS_IN.to_be_bytes());
    if let Some(edns) = edns {
        crate::reply::push_opt(edns, edns.payload, 0, &mut packet);
    }
    packet
}

#[cfg(test)]
mod tests;
