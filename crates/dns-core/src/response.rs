//! Replies, read back: what tools and tests see of them.
//!
//! It is no resolver; it reads one message and follows no referral.
//! Source: RFC 1035 §4.1, RFC 6891, RFC 7871.

use base::units::Ttl;

use crate::limits::NAME_BYTES_MAX;
use crate::name::Name;
use crate::rdata::Rdata;
use crate::record_type::RecordType;

/// A reply that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The message's number.
    pub id: u16,
    /// The response code, the bits from EDNS included.
    pub rcode: u16,
    /// Whether the server has authority over the name.
    pub authoritative: bool,
    /// Whether the reply was cut.
    pub truncated: bool,
    /// What was asked: name and type.
    pub question: Option<(Name, u16)>,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The authority section.
    pub authorities: Vec<Record>,
    /// The additional section, without OPT.
    pub additionals: Vec<Record>,
    /// How many bits of the client's subnet the answer holds for, where it was told.
    pub scope: Option<u8>,
}

/// A record of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name that owns it.
    pub name: Name,
    /// The number of its type.
    pub code: u16,
    /// How long it may be kept.
    pub ttl: Ttl,
    /// Its data; the names in it are never compressed in our replies.
    pub data: Vec<u8>,
}

impl Record {
    /// Returns the data as the Route 53 API writes it; `None` for types that no record set has.
    pub fn text(&self) -> Option<String> {
        let record_type = RecordType::from_code(self.code)?;
        Some(Rdata::from_wire(record_type, &self.data)?.to_text(record_type))
    }
}

const TYPE_OPT: u16 = 41;
const OPTION_SUBNET: u16 = 8;

/// Most pointers in one name. 16; our replies need one.
const POINTERS_MAX: usize = 16;

/// Reads a reply; `None` where it is malformed.
pub fn parse(message: &[u8]) -> Option<Response> {
    let mut reader = Reader { message, at: 0 };
    let id = reader.u16()?;
    let flags = reader.u16()?;
    let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
    let [questions, answers, authorities, additionals] = counts;
    let mut response = Response {
        id,
        rcode: flags & 0xf,
        authoritative: flags & 0x0400 != 0,
        truncated: flags & 0x0200 != 0,
        question: None,
        answers: Vec::new(),
        authorities: Vec::new(),
        additionals: Vec::new(),
        scope: None,
    };
    for _ in 0..questions {
        let name = reader.name()?;
        let qtype = reader.u16()?;
        reader.u16()?;
        response.question = Some((name, qtype));
    }
    for _ in 0..answers {
        response.answers.push(reader.record()?.0);
    }
    for _ in 0..authorities {
        response.authorities.push(reader.record()?.0);
    }
    for _ in 0..additionals {
        let (record, ttl) = reader.record()?;
        if record.code == TYPE_OPT {
            let [extended, ..] = ttl;
            response.rcode |= u16::from(extended) << 4;
            response.scope = scope(&record.data);
        } else {
            response.additionals.push(record);
        }
    }
    (reader.at == message.len()).then_some(response)
}

fn scope(mut options: &[u8]) -> Option<u8> {
    while let Some((head, rest)) = options.split_first_chunk::<4>() {
        let [code_high, code_low, length_high, length_low] = *head;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let (data, rest) = rest.split_at_checked(length)?;
        if u16::from_be_bytes([code_high, code_low]) == OPTION_SUBNET {
            return data.get(3).copied();
        }
        options = rest;
    }
    None
}

struct Reader<'m> {
    message: &'m [u8],
    at: usize,
}

impl<'m> Reader<'m> {
    fn take(&mut self, length: usize) -> Option<&'m [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.message.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn record(&mut self) -> Option<(Record, [u8; 4])> {
        let name = self.name()?;
        let code = self.u16()?;
        self.u16()?;
        let ttl: [u8; 4] = self.take(4)?.try_into().ok()?;
        let length = self.u16()?;
        let record = Record {
            name,
            code,
            ttl: Ttl::seconds(u32::from_be_bytes(ttl)),
            data: self.take(usize::from(length))?.to_vec(),
        };
        Some((record, ttl))
    }

    /// Reads a name, following pointers a bounded number of times.
    fn name(&mut self) -> Option<Name> {
        let mut wire = Vec::new();
        let mut after = None;
        let mut pointers = 0;
        loop {
            let length = *self.take(1)?.first()?;
            match length {
                0 => break,
                1..=63 => {
                    wire.push(length);
                    wire.extend(self.take(usize::from(length))?);
                }
                0xc0..=0xff => {
                    let low = *self.take(1)?.first()?;
                    after.get_or_insert(self.at);
                    self.at = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                    pointers += 1;
                }
                64..=0xbf => return None,
            }
            if POINTERS_MAX < pointers || NAME_BYTES_MAX < wire.len() {
                return None;
            }
        }
        wire.push(0);
        if let Some(after) = after {
            self.at = after;
        }
        Name::from_wire(&wire)
    }
}
