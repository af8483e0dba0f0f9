//! Which fields each record type has.
//!
//! One table reads and writes all types, so that a type cannot be read and written differently.

use crate::record_type::RecordType;

/// One field of record data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    U8,
    U16,
    U32,
    Ipv4,
    Ipv6,
    Name,
    /// One quoted character string, its length before it.
    String,
    /// One or more of them, to the end.
    Strings,
    /// Letters and digits without quotation marks, their length before them.
    Tag,
    /// A quoted text without a length, to the end.
    Text,
    /// Hexadecimal digits, to the end.
    Hex,
    /// The service parameters of SVCB and HTTPS, to the end.
    Parameters,
}

impl Field {
    /// Returns the fields of a type, in order.
    pub(super) const fn of(record_type: RecordType) -> &'static [Self] {
        use Field::{Hex, Ipv4, Ipv6, Name, Parameters, String, Strings, Tag, Text, U8, U16, U32};
        match record_type {
            RecordType::A => &[Ipv4],
            RecordType::Aaaa => &[Ipv6],
            RecordType::Caa => &[U8, Tag, Text],
            RecordType::Cname | RecordType::Ns | RecordType::Ptr => &[Name],
            RecordType::Ds => &[U16, U8, U8, Hex],
            RecordType::Https | RecordType::Svcb => &[U16, Name, Parameters],
            RecordType::Mx => &[U16, Name],
            RecordType::Naptr => &[U16, U16, String, String, String, Name],
            RecordType::Soa => &[Name, Name, U32, U32, U32, U32, U32],
            RecordType::Spf | RecordType::Txt => &[Strings],
            RecordType::Srv => &[U16, U16, U16, Name],
            RecordType::Sshfp => &[U8, U8, Hex],
            RecordType::Tlsa => &[U8, U8, U8, Hex],
        }
    }
}
