//! The bounds of DNS messages, names and answers.
//!
//! Quotas of the API (records in a zone, values in a batch) are not here: they are the facade's.

use base::units::Ttl;

/// Longest name on the wire, with its length bytes and the root. 255 bytes.
/// Source: RFC 1035 §2.3.4.
pub const NAME_BYTES_MAX: usize = 255;

/// Longest label. 63 bytes.
/// Source: RFC 1035 §2.3.4.
pub const LABEL_BYTES_MAX: usize = 63;

/// Longest character string of TXT, SPF, NAPTR and CAA tags. 255 bytes.
/// Source: RFC 1035 §3.3.
pub const STRING_BYTES_MAX: usize = 255;

/// Longest record data. 65,535 bytes: its length is a 16-bit field.
/// Source: RFC 1035 §3.2.1.
pub const RDATA_BYTES_MAX: usize = 65_535;

/// Longest datagram we send, whatever the asker offers. 1,232 bytes; larger ones are fragmented
/// on some paths, and fragments are lost and forged.
/// Source: DNS flag day 2020; RFC 9715 §3.1.
pub const UDP_BYTES_MAX: usize = 1_232;

/// Longest datagram to an asker who says nothing of its size. 512 bytes.
/// Source: RFC 1035 §4.2.1.
pub const UDP_BYTES_PLAIN: usize = 512;

/// Longest message over TCP. 65,535 bytes: its length is a 16-bit field.
/// Source: RFC 1035 §4.2.2.
pub const TCP_BYTES_MAX: usize = 65_535;

/// Most additional records read in a query. 8; an honest query has OPT and perhaps TSIG.
/// Beyond it the query is malformed.
pub const QUERY_ADDITIONAL_MAX: u16 = 8;

/// Most CNAMEs followed for one query. 8; beyond it the answer ends with the last CNAME, and the
/// resolver asks on.
pub const CNAME_CHAIN_MAX: usize = 8;

/// Most aliases followed for one record set. 8; beyond it the alias answers nothing.
pub const ALIAS_CHAIN_MAX: usize = 8;

/// Most records of a multivalue answer. 8.
/// Source: Route 53 developer guide, "Multivalue answer routing".
pub const MULTIVALUE_MAX: usize = 8;

/// Most name servers whose addresses are added to an answer. 16.
/// Beyond it the resolver asks for the addresses itself.
pub const GLUE_NAMES_MAX: usize = 16;

/// How long a client may keep a gateway's address. 5 seconds: an alias to a gateway takes its
/// time to live from here, so this bounds how long clients keep a region that went down.
pub const GATEWAY_TTL: Ttl = Ttl::seconds(5);

/// How long a resolver may keep a name server's address. 300 seconds: regions seldom move.
pub const NAME_SERVER_TTL: Ttl = Ttl::seconds(300);

/// How long a resolver may keep the answer to a question for everything. 3,600 seconds.
/// Source: RFC 8482 §7 advises a long one.
pub const ANY_TTL: Ttl = Ttl::seconds(3_600);
