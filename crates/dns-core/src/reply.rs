//! Replies: a header, the question, whole record sets, OPT; cut short where they do not fit.
//!
//! It decides nothing: what belongs into a reply is decided by [`crate::answer`].
//! Source: RFC 1035 §4.1, RFC 2181 §9, RFC 6891, RFC 7871.

use std::net::IpAddr;

use crate::limits::UDP_BYTES_MAX;
use crate::name;
use crate::query::{ClientSubnet, Edns, HEADER_BYTES, Query};
use crate::zone::Rrset;

/// The response codes we answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rcode {
    /// Answered, perhaps with nothing.
    NoError,
    /// The query was malformed.
    FormatError,
    /// We could not make an answer.
    ServerFailure,
    /// The name does not exist.
    NameError,
    /// The kind of query is not supported.
    NotImplemented,
    /// No zone of ours holds the name.
    Refused,
    /// The EDNS version is not 0.
    BadVersion,
}

impl Rcode {
    /// Every code, in order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::NoError,
        Self::FormatError,
        Self::ServerFailure,
        Self::NameError,
        Self::NotImplemented,
        Self::Refused,
        Self::BadVersion,
    ];

    /// Returns the code's number, of which four bits stand in the header.
    pub const fn code(self) -> u16 {
        match self {
            Self::NoError => 0,
            Self::FormatError => 1,
            Self::ServerFailure => 2,
            Self::NameError => 3,
            Self::NotImplemented => 4,
            Self::Refused => 5,
            Self::BadVersion => 16,
        }
    }

    /// Returns the name that dig and Route 53's `TestDNSAnswer` show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoError => "NOERROR",
            Self::FormatError => "FORMERR",
            Self::ServerFailure => "SERVFAIL",
            Self::NameError => "NXDOMAIN",
            Self::NotImplemented => "NOTIMP",
            Self::Refused => "REFUSED",
            Self::BadVersion => "BADVERS",
        }
    }
}

/// The sections of a reply, in order; the additional one by how much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Answer,
    Authority,
    /// Addresses without which a referral leads nowhere: RFC 9471 §3.1.
    Glue,
    /// Addresses that spare a question, where there is room.
    Extra,
}

/// Where a name that owns records stands in the message already.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'n> {
    /// At this offset.
    At(usize),
    /// Nowhere yet: it is written out.
    Written(&'n [u8]),
}

/// Offset of the question's name.
pub(crate) const QUESTION_NAME: usize = HEADER_BYTES;

const FLAG_RESPONSE: u16 = 0x8000;
const FLAG_AUTHORITATIVE: u16 = 0x0400;
const FLAG_TRUNCATED: u16 = 0x0200;

/// Pointers reach 14 bits far; names past that are written out.
const POINTER_MAX: usize = 0x3fff;

/// A reply under construction.
pub(crate) struct Reply<'b> {
    buffer: &'b mut Vec<u8>,
    id: u16,
    flags: u16,
    edns: Option<Edns>,
    /// Bytes that the records may fill.
    limit: usize,
    question_end: usize,
    counts: [u16; 3],
    truncated: bool,
    /// How many bits of the client's address decided the answer.
    scope: u8,
}

impl<'b> Reply<'b> {
    /// Begins the reply to `query`, at most `bytes_max` long.
    pub(crate) fn new(query: &Query<'_>, bytes_max: usize, buffer: &'b mut Vec<u8>) -> Self {
        buffer.clear();
        buffer.extend([0; HEADER_BYTES]);
        buffer.extend(query.question);
        Self {
            id: query.id,
            flags: FLAG_RESPONSE | FLAG_AUTHORITATIVE | query.repeated,
            edns: query.edns,
            limit: bytes_max.saturating_sub(query.edns.map_or(0, opt_bytes)),
            question_end: buffer.len(),
            counts: [0; 3],
            truncated: false,
            scope: 0,
            buffer,
        }
    }

    /// Takes the authority out of the answer, as referrals and refusals need.
    pub(crate) fn not_authoritative(&mut self) {
        self.flags &= !FLAG_AUTHORITATIVE;
    }

    /// Says that `bits` of the client's address decided; the longest such prefix counts.
    pub(crate) fn decided_by(&mut self, bits: u8) {
        self.scope = self.scope.max(bits);
    }

    /// Appends a record set, its records rotated by `turn`. Returns where its data begin.
    ///
    /// A set that does not fit is left out whole, and the reply is marked as cut where it matters.
    pub(crate) fn push(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        set: &Rrset,
        turn: usize,
    ) -> usize {
        let start = self.buffer.len();
        let pointer = match owner {
            Owner::At(offset) if offset <= POINTER_MAX => u16::try_from(0xc000 | offset).ok(),
            Owner::At(_) | Owner::Written(_) => None,
        };
        match (pointer, owner) {
            (Some(pointer), _) => set.append(pointer, turn, self.buffer),
            (None, Owner::Written(name)) => set.append_owned(name, self.buffer),
            (None, Owner::At(offset)) => {
                let name = written_name(self.buffer, offset).to_vec();
                set.append_owned(&name, self.buffer);
            }
        }
        if self.limit < self.buffer.len() {
            self.buffer.truncate(start);
            self.truncated |= section != Section::Extra;
            return start;
        }
        let at = match section {
            Section::Answer => 0,
            Section::Authority => 1,
            Section::Glue | Section::Extra => 2,
        };
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(set.count());
        }
        let owner_bytes = pointer.map_or_else(
            || written_name(self.buffer, start).len(),
            |_| size_of::<u16>(),
        );
        start + owner_bytes + RECORD_HEAD_BYTES
    }

    /// Returns whether a record set did not fit.
    pub(crate) fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Ends the reply.
    pub(crate) fn finish(mut self, rcode: Rcode) {
        if self.truncated {
            // An empty answer makes the asker come back by TCP; half of one might be believed.
            self.buffer.truncate(self.question_end);
            self.counts = [0; 3];
            self.flags |= FLAG_TRUNCATED;
        }
        if let Some(edns) = self.edns {
            let extended = u8::try_from(rcode.code() >> 4).unwrap_or(0);
            let payload = u16::try_from(UDP_BYTES_MAX).unwrap_or(u16::MAX);
            let told = Edns { version: 0, ..edns };
            push_opt_scoped(told, payload, extended, self.scope, self.buffer);
        }
        let [answer, authority, additional] = self.counts;
        let additional = additional + u16::from(self.edns.is_some());
        let words = [
            self.id,
            self.flags | (rcode.code() & 0xf),
            1,
            answer,
            authority,
            additional,
        ];
        write_header(words, self.buffer);
    }
}

/// Type, class, time to live and length: what stands between a record's owner and its data.
pub(crate) const RECORD_HEAD_BYTES: usize = 10;

/// Writes an error without a question, for messages that could not be read.
pub(crate) fn error(id: u16, repeated: u16, rcode: Rcode, buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend([0; HEADER_BYTES]);
    let flags = FLAG_RESPONSE | repeated | (rcode.code() & 0xf);
    write_header([id, flags, 0, 0, 0, 0], buffer);
}

fn write_header(words: [u16; 6], buffer: &mut [u8]) {
    let (header, _) = buffer.as_chunks_mut::<2>();
    for (place, word) in header.iter_mut().zip(words) {
        *place = word.to_be_bytes();
    }
}

/// Returns the uncompressed name that begins at `offset` of a message.
fn written_name(message: &[u8], offset: usize) -> &[u8] {
    let rest = message.get(offset..).unwrap_or_default();
    let above = name::suffixes(rest).last().map_or(0, |(at, _)| at);
    rest.get(..=above).unwrap_or_default()
}

fn opt_bytes(edns: Edns) -> usize {
    11 + edns
        .subnet
        .map_or(0, |subnet| 8 + usize::from(subnet.source.div_ceil(8)))
}

/// Appends an OPT record as a query has it.
pub(crate) fn push_opt(edns: Edns, payload: u16, extended: u8, buffer: &mut Vec<u8>) {
    push_opt_scoped(edns, payload, extended, 0, buffer);
}

fn push_opt_scoped(edns: Edns, payload: u16, extended: u8, scope: u8, buffer: &mut Vec<u8>) {
    let begin = buffer.len();
    let flags = if edns.dnssec_ok { 0x80 } else { 0 };
    buffer.extend([0, 0, 41]);
    buffer.extend(payload.to_be_bytes());
    buffer.extend([extended, edns.version, flags, 0]);
    let option = edns.subnet.map_or(0, |_| opt_bytes(edns) - 11);
    buffer.extend(u16::try_from(option).unwrap_or(0).to_be_bytes());
    if let Some(subnet) = edns.subnet {
        push_subnet(subnet, scope, option, buffer);
    }
    debug_assert_eq!(buffer.len() - begin, opt_bytes(edns));
}

fn push_subnet(subnet: ClientSubnet, scope: u8, option: usize, buffer: &mut Vec<u8>) {
    let length = option - 4;
    buffer.extend(8_u16.to_be_bytes());
    buffer.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
    let octets = usize::from(subnet.source.div_ceil(8));
    // Who tells nothing is told nothing: RFC 7871 §7.2.1.
    let scope = if subnet.source == 0 { 0 } else { scope };
    match subnet.address {
        IpAddr::V4(address) => {
            buffer.extend([0, 1, subnet.source, scope]);
            buffer.extend(address.octets().get(..octets).unwrap_or_default());
        }
        IpAddr::V6(address) => {
            buffer.extend([0, 2, subnet.source, scope]);
            buffer.extend(address.octets().get(..octets).unwrap_or_default());
        }
    }
}
