//! The answer to one query: find the name, pick the records, write the reply.
//!
//! It asks nobody else: what no zone here holds is refused.
//! Source: RFC 1034 §4.3.2, RFC 2308, RFC 4592, RFC 6604, RFC 6891, RFC 7871, RFC 8482.

use std::net::IpAddr;

use crate::because::{Because, Explain, Silent, Step};
use crate::limits::{
    CNAME_CHAIN_MAX, GLUE_NAMES_MAX, TCP_BYTES_MAX, UDP_BYTES_MAX, UDP_BYTES_PLAIN,
};
use crate::name::Name;
use crate::policy::{Asker, Chooser};
use crate::query::{self, ClientSubnet, Edns, Parsed, Query};
use crate::record_type::RecordType;
use crate::reply::{self, Owner, QUESTION_NAME, Rcode, Reply, Section};
use crate::view::{Judged, View};
use crate::zone::{Found, Node, Rrset};

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In a datagram: the reply has a limit.
    Udp,
    /// In a stream.
    Tcp,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The reply buffer holds an answer.
    Reply {
        /// The answer's code.
        rcode: Rcode,
        /// Whether it was cut, so that the asker comes back by TCP.
        truncated: bool,
    },
    /// The message deserves no answer.
    Drop,
}

/// An answer and every step to it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The reply as it would go over the wire.
    pub response: Vec<u8>,
    /// Why it is what it is.
    pub because: Because,
}

/// What somebody asks, without a packet.
#[derive(Clone, Debug)]
pub struct Question {
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub record_type: RecordType,
    /// The resolver's address.
    pub resolver: IpAddr,
    /// What the resolver says of the client behind it.
    pub subnet: Option<ClientSubnet>,
}

/// Answers one message into `buffer`, which is emptied first.
///
/// Units: `seed` is any random number; answers by chance follow from it.
pub fn respond(
    view: &View,
    packet: &[u8],
    from: (IpAddr, Transport),
    seed: u64,
    buffer: &mut Vec<u8>,
) -> Outcome {
    respond_with(view, packet, from, seed, (&mut Silent, buffer))
}

/// Answers a question as [`respond`] would, and says why.
pub fn answer(view: &View, question: &Question, seed: u64) -> Answer {
    let edns = Edns {
        payload: u16::try_from(UDP_BYTES_MAX).unwrap_or(u16::MAX),
        version: 0,
        dnssec_ok: false,
        subnet: question.subnet,
    };
    let code = question.record_type.code();
    let packet = query::encode(question.name.as_wire(), code, Some(edns));
    let mut because = Because::default();
    let mut response = Vec::new();
    let from = (question.resolver, Transport::Tcp);
    respond_with(view, &packet, from, seed, (&mut because, &mut response));
    Answer { response, because }
}

fn respond_with<E: Explain>(
    view: &View,
    packet: &[u8],
    (address, transport): (IpAddr, Transport),
    seed: u64,
    (explain, buffer): (&mut E, &mut Vec<u8>),
) -> Outcome {
    let query = match query::parse(packet) {
        Parsed::Query(query) => query,
        Parsed::Error {
            id,
            repeated,
            rcode,
        } => {
            reply::error(id, repeated, rcode, buffer);
            return Outcome::Reply {
                rcode,
                truncated: false,
            };
        }
        Parsed::Drop => return Outcome::Drop,
    };
    let asker = Asker {
        address,
        subnet: query.edns.and_then(|edns| edns.subnet),
    };
    let mut reply = Reply::new(&query, bytes_max(&query, transport), buffer);
    let mut chooser = Chooser::new(view, asker, seed, explain);
    let rcode = match refusal(&query) {
        Some(rcode) => {
            reply.not_authoritative();
            rcode
        }
        None => resolve(view, &query, &mut chooser, &mut reply),
    };
    reply.decided_by(chooser.scope());
    let truncated = reply.is_truncated();
    reply.finish(rcode);
    Outcome::Reply { rcode, truncated }
}

fn bytes_max(query: &Query<'_>, transport: Transport) -> usize {
    match (transport, query.edns) {
        (Transport::Tcp, _) => TCP_BYTES_MAX,
        (Transport::Udp, None) => UDP_BYTES_PLAIN,
        (Transport::Udp, Some(edns)) => {
            usize::from(edns.payload).clamp(UDP_BYTES_PLAIN, UDP_BYTES_MAX)
        }
    }
}

const TYPE_OPT: u16 = 41;
const TYPE_TKEY: u16 = 249;
const TYPE_TSIG: u16 = 250;
const TYPE_IXFR: u16 = 251;
const TYPE_AXFR: u16 = 252;
const TYPE_MAILB: u16 = 253;
const TYPE_MAILA: u16 = 254;
const TYPE_ANY: u16 = 255;

/// Returns the code for queries that no zone could answer.
fn refusal(query: &Query<'_>) -> Option<Rcode> {
    if query.edns.is_some_and(|edns| edns.version != 0) {
        return Some(Rcode::BadVersion);
    }
    match query.qtype {
        TYPE_IXFR | TYPE_AXFR => Some(Rcode::Refused),
        TYPE_OPT | TYPE_TKEY | TYPE_TSIG | TYPE_MAILB | TYPE_MAILA => Some(Rcode::NotImplemented),
        _ if !query.class_in => Some(Rcode::Refused),
        _ => None,
    }
}

/// What a name has for a question.
enum Has<'v> {
    /// Records, which were written.
    Records,
    /// Another name to go on at, which stands at this offset of the reply.
    Cname(&'v Name, usize),
    /// Nothing of the type.
    Nothing,
}

/// A name that is looked for, and where it stands in the reply.
#[derive(Clone, Copy)]
struct Sought<'n> {
    name: &'n [u8],
    at: usize,
}

fn resolve<'v, E: Explain>(
    view: &'v View,
    query: &Query<'_>,
    chooser: &mut Chooser<'v, '_, E>,
    reply: &mut Reply<'_>,
) -> Rcode {
    let mut sought = Sought {
        name: query.name(),
        at: QUESTION_NAME,
    };
    for hop in 0..=CNAME_CHAIN_MAX {
        let zones = &view.source().zones;
        let held = match RecordType::from_code(query.qtype) {
            Some(RecordType::Ds) => zones.closest_above(sought.name),
            _ => zones.closest(sought.name),
        };
        let judged = held.and_then(|(at, apex)| Some((view.zone(at)?, apex)));
        let Some((judged, apex)) = judged else {
            chooser.note(|| Step::NotOurs);
            if hop == 0 {
                reply.not_authoritative();
                return Rcode::Refused;
            }
            return Rcode::NoError;
        };
        chooser.note(|| Step::Zone {
            id: judged.zone.id().to_owned(),
            apex: judged.zone.apex().to_string(),
        });
        let node = match judged.zone.find(sought.name) {
            Found::Node(node) => {
                chooser.note(|| Step::Name(node.name().to_string()));
                node
            }
            Found::Wildcard(node) => {
                chooser.note(|| Step::Wildcard(node.name().to_string()));
                node
            }
            // The delegated name's own DS records are ours.
            Found::Referral { cut, at: 0 } if query.qtype == RecordType::Ds.code() => cut,
            Found::Referral { cut, at } => {
                chooser.note(|| Step::Delegated(cut.name().to_string()));
                if hop == 0 {
                    reply.not_authoritative();
                }
                refer(view, judged, cut, sought.at + at, chooser, reply);
                return Rcode::NoError;
            }
            Found::NameError => {
                chooser.note(|| Step::NoSuchName);
                deny(judged, sought.at + apex, reply);
                return Rcode::NameError;
            }
        };
        match has(view, judged, node, query.qtype, sought, chooser, reply) {
            Has::Records => return Rcode::NoError,
            Has::Nothing => {
                chooser.note(|| Step::NoSuchType);
                deny(judged, sought.at + apex, reply);
                return Rcode::NoError;
            }
            Has::Cname(target, at) => {
                chooser.note(|| Step::Cname(target.to_string()));
                sought = Sought {
                    name: target.as_wire(),
                    at,
                };
            }
        }
    }
    Rcode::NoError
}

/// Writes what a name has of the type asked for, or its CNAME.
#[expect(
    clippy::too_many_arguments,
    reason = "the whole state of one step of the search"
)]
fn has<'v, E: Explain>(
    view: &'v View,
    judged: Judged<'v>,
    node: &'v Node,
    qtype: u16,
    sought: Sought<'_>,
    chooser: &mut Chooser<'v, '_, E>,
    reply: &mut Reply<'_>,
) -> Has<'v> {
    let owner = Owner::At(sought.at);
    let cname = || judged.zone.group_of(node, RecordType::Cname.code());
    if qtype == TYPE_ANY && !node.is_empty() && cname().is_none() {
        chooser.note(|| Step::Anything);
        reply.push(Section::Answer, owner, view.any(), 0);
        return Has::Records;
    }
    let Some(group) = judged.zone.group_of(node, qtype).or_else(cname) else {
        return Has::Nothing;
    };
    let picked = chooser.pick(judged, group);
    let mut has = Has::Nothing;
    for set in picked.iter() {
        let turn = chooser.random(usize::from(set.count()));
        let data_at = reply.push(Section::Answer, owner, set, turn);
        has = match set.target() {
            Some(target) if qtype != RecordType::Cname.code() && qtype != TYPE_ANY => {
                Has::Cname(target, data_at)
            }
            Some(_) | None => Has::Records,
        };
        if qtype == RecordType::Ns.code() {
            add_addresses(view, servers(set), Section::Extra, chooser, reply);
        }
    }
    if reply.is_truncated() {
        Has::Records
    } else {
        has
    }
}

/// Writes the SOA record that lets resolvers keep a "no".
///
//= rfc2308 §3: name errors and missing types carry it in the authority section.
fn deny(judged: Judged<'_>, apex_at: usize, reply: &mut Reply<'_>) {
    if let Some(soa) = judged.zone.negative() {
        reply.push(Section::Authority, Owner::At(apex_at), soa, 0);
    }
}

/// Writes the name servers of a delegation, and the addresses of those that lie in it.
fn refer<'v, E: Explain>(
    view: &'v View,
    judged: Judged<'v>,
    cut: &'v Node,
    cut_at: usize,
    chooser: &mut Chooser<'v, '_, E>,
    reply: &mut Reply<'_>,
) {
    let Some(group) = judged.zone.group_of(cut, RecordType::Ns.code()) else {
        return;
    };
    let picked = chooser.pick(judged, group);
    for set in picked.iter() {
        reply.push(Section::Authority, Owner::At(cut_at), set, 0);
    }
    for server in picked.iter().flat_map(servers).take(GLUE_NAMES_MAX) {
        if !server.is_within(cut.name()) {
            add_addresses(
                view,
                std::iter::once(server),
                Section::Extra,
                chooser,
                reply,
            );
            continue;
        }
        let Some(node) = judged.zone.below_cut(server.as_wire()) else {
            continue;
        };
        for code in [RecordType::A.code(), RecordType::Aaaa.code()] {
            if let Some(group) = judged.zone.group_of(node, code) {
                for set in chooser.pick(judged, group).iter() {
                    reply.push(Section::Glue, Owner::Written(server.as_wire()), set, 0);
                }
            }
        }
    }
}

/// Writes the addresses of name servers that our own zones hold.
fn add_addresses<'v, E: Explain>(
    view: &'v View,
    servers: impl Iterator<Item = Name>,
    section: Section,
    chooser: &mut Chooser<'v, '_, E>,
    reply: &mut Reply<'_>,
) {
    for server in servers.take(GLUE_NAMES_MAX) {
        let wire = server.as_wire();
        let zone = view
            .source()
            .zones
            .closest(wire)
            .and_then(|(at, _)| view.zone(at));
        let Some(judged) = zone else {
            continue;
        };
        let (Found::Node(node) | Found::Wildcard(node)) = judged.zone.find(wire) else {
            continue;
        };
        for code in [RecordType::A.code(), RecordType::Aaaa.code()] {
            if let Some(group) = judged.zone.group_of(node, code) {
                for set in chooser.pick(judged, group).iter() {
                    reply.push(section, Owner::Written(wire), set, 0);
                }
            }
        }
    }
}

/// Returns the names that NS records lead to.
fn servers(set: &Rrset) -> impl Iterator<Item = Name> {
    set.data().filter_map(Name::from_wire)
}

#[cfg(test)]
mod tests;
