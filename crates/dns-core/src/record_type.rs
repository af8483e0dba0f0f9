//! The record types that a record set may have.
//!
//! Types that only a query may name (ANY, AXFR) are not among them.
//! Source: the `RRType` enumeration of Route 53's service model; IANA "DNS Parameters".

use std::fmt;

/// The type of a record set. Their order is that of Route 53's lists: by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "each name is the type's own, defined by its RFC"
)]
pub enum RecordType {
    A,
    Aaaa,
    Caa,
    Cname,
    Ds,
    Https,
    Mx,
    Naptr,
    Ns,
    Ptr,
    Soa,
    Spf,
    Srv,
    Sshfp,
    Svcb,
    Tlsa,
    Txt,
}

const TABLE: [(RecordType, &str, u16); 17] = [
    (RecordType::A, "A", 1),
    (RecordType::Aaaa, "AAAA", 28),
    (RecordType::Caa, "CAA", 257),
    (RecordType::Cname, "CNAME", 5),
    (RecordType::Ds, "DS", 43),
    (RecordType::Https, "HTTPS", 65),
    (RecordType::Mx, "MX", 15),
    (RecordType::Naptr, "NAPTR", 35),
    (RecordType::Ns, "NS", 2),
    (RecordType::Ptr, "PTR", 12),
    (RecordType::Soa, "SOA", 6),
    (RecordType::Spf, "SPF", 99),
    (RecordType::Srv, "SRV", 33),
    (RecordType::Sshfp, "SSHFP", 44),
    (RecordType::Svcb, "SVCB", 64),
    (RecordType::Tlsa, "TLSA", 52),
    (RecordType::Txt, "TXT", 16),
];

impl RecordType {
    /// Every type, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(record_type, ..)| *record_type)
    }

    /// Reads a type's name, in capitals as the API has it.
    pub fn parse(text: &str) -> Option<Self> {
        let (record_type, ..) = TABLE.iter().find(|(_, name, _)| *name == text)?;
        Some(*record_type)
    }

    /// Returns the type of this number; `None` for types that no record set has.
    pub fn from_code(code: u16) -> Option<Self> {
        let (record_type, ..) = TABLE.iter().find(|(.., number)| *number == code)?;
        Some(*record_type)
    }

    /// Returns the type's name.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Returns the type's number on the wire.
    pub fn code(self) -> u16 {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, u16) {
        let at = TABLE
            .iter()
            .position(|(record_type, ..)| *record_type == self);
        at.and_then(|at| TABLE.get(at))
            .expect("the table has a row for each type")
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
