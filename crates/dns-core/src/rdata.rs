//! Record data: from Route 53's presentation text to the wire and back.
//!
//! It is no zone file parser: one value at a time, all names absolute, escapes in octal.
//! Source: RFC 1035 §3.3 and §5.1, RFC 2782, 3403, 3596, 4034, 4255, 6698, 8659, 9460.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::limits::RDATA_BYTES_MAX;
use crate::name::{self, BadName, Name};
use crate::record_type::RecordType;

mod fields;
mod strings;
mod svcb;

use fields::Field;

/// The data of one record, in wire form, its names uncompressed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rdata(Box<[u8]>);

/// A value that is no data of its record type: what is wrong, and the text it is wrong with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} in {value:?}")]
pub struct BadRdata {
    /// What is wrong.
    pub fault: Fault,
    /// The value it is wrong with.
    pub value: String,
}

/// What may be wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A needs an IPv4 address.
    #[error("value is not a valid IPv4 address")]
    Ipv4,
    /// AAAA needs an IPv6 address.
    #[error("value is not a valid IPv6 address")]
    Ipv6,
    /// A name in the value is none.
    #[error(transparent)]
    Name(#[from] BadName),
    /// A character string lacks its quotation marks.
    #[error("value should be enclosed in quotation marks")]
    NotQuoted,
    /// A character string has more than 255 bytes.
    #[error("value is too long")]
    StringTooLong,
    /// The type has another number of fields.
    #[error("record doesn't have {expected} fields")]
    FieldCount {
        /// How many fields the type has.
        expected: usize,
    },
    /// A field needs a number that fits its bits.
    #[error("field is not a number of at most {bits} bits")]
    Number {
        /// How many bits the field has.
        bits: u8,
    },
    /// A field needs hexadecimal digits, in pairs.
    #[error("field is not hexadecimal")]
    Hex,
    /// A CAA tag needs letters and digits.
    #[error("tag is not 1 to 255 letters and digits")]
    Tag,
    /// A service parameter of SVCB or HTTPS is not understood.
    #[error("service parameter {0} is not valid")]
    Parameter(String),
    /// The data is longer than a record can be.
    #[error("record data is too long")]
    TooLong,
}

impl Rdata {
    /// Reads the value of a record of `record_type`, written as the Route 53 API takes it.
    ///
    /// Errors: [`BadRdata`] with the part of the value that is wrong.
    /// Source: Route 53 developer guide, "Supported DNS record types".
    pub fn parse(record_type: RecordType, value: &str) -> Result<Self, BadRdata> {
        let whole = |fault| BadRdata {
            fault,
            value: value.to_owned(),
        };
        let tokens = strings::tokens(value).ok_or_else(|| whole(Fault::NotQuoted))?;
        let fields = Field::of(record_type);
        let mut wire = Vec::new();
        let mut rest = &tokens[..];
        for field in fields {
            rest = parse_field(*field, rest, fields.len(), &mut wire).map_err(whole)?;
        }
        if !rest.is_empty() {
            return Err(whole(extra_field(record_type, fields.len())));
        }
        if RDATA_BYTES_MAX < wire.len() {
            return Err(whole(Fault::TooLong));
        }
        Ok(Self(wire.into()))
    }

    /// Returns the wire form.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Takes data from a message; `None` where it is no data of `record_type`.
    pub fn from_wire(record_type: RecordType, wire: &[u8]) -> Option<Self> {
        to_text(record_type, wire).map(|_| Self(wire.into()))
    }

    /// Returns the data as the Route 53 API writes it.
    pub fn to_text(&self, record_type: RecordType) -> String {
        to_text(record_type, &self.0).unwrap_or_default()
    }

    /// Returns the name that a CNAME, NS or PTR record leads to; `None` for other data.
    pub fn target(&self, record_type: RecordType) -> Option<Name> {
        match Field::of(record_type) {
            [Field::Name] => Name::from_wire(&self.0),
            _ => None,
        }
    }
}

/// A value with more fields than its type has: for one-field types the field itself is wrong.
fn extra_field(record_type: RecordType, expected: usize) -> Fault {
    match Field::of(record_type) {
        [Field::Ipv4] => Fault::Ipv4,
        [Field::Ipv6] => Fault::Ipv6,
        [Field::Name] => Fault::Name(BadName::Unsupported),
        _ => Fault::FieldCount { expected },
    }
}

fn parse_field<'t, 's>(
    field: Field,
    tokens: &'t [&'s str],
    expected: usize,
    wire: &mut Vec<u8>,
) -> Result<&'t [&'s str], Fault> {
    let number = |bits| Fault::Number { bits };
    let Some((token, rest)) = tokens.split_first() else {
        // Parameters may be absent; a value without anything is an empty name or address.
        return match (field, expected) {
            (Field::Parameters, _) => Ok(tokens),
            (Field::Ipv4, 1) => Err(Fault::Ipv4),
            (Field::Ipv6, 1) => Err(Fault::Ipv6),
            (Field::Name, 1) => Err(Fault::Name(BadName::Empty)),
            (Field::Strings, 1) => Err(Fault::NotQuoted),
            _ => Err(Fault::FieldCount { expected }),
        };
    };
    match field {
        Field::U8 => wire.push(token.parse().map_err(|_| number(8))?),
        Field::U16 => {
            let value: u16 = token.parse().map_err(|_| number(16))?;
            wire.extend(value.to_be_bytes());
        }
        Field::U32 => {
            let value: u32 = token.parse().map_err(|_| number(32))?;
            wire.extend(value.to_be_bytes());
        }
        Field::Ipv4 => {
            let address: Ipv4Addr = token.parse().map_err(|_| Fault::Ipv4)?;
            wire.extend(address.octets());
        }
        Field::Ipv6 => {
            let address: Ipv6Addr = token.parse().map_err(|_| Fault::Ipv6)?;
            wire.extend(address.octets());
        }
        Field::Name => wire.extend(name::wire_of(token)?),
        Field::String => strings::push_string(token, wire)?,
        Field::Strings => {
            for token in tokens {
                strings::push_string(token, wire)?;
            }
            return Ok(&[]);
        }
        Field::Tag => push_tag(token, wire)?,
        Field::Text => wire.extend(strings::unquote(token)?),
        Field::Hex => {
            push_hex(&tokens.concat(), wire)?;
            return Ok(&[]);
        }
        Field::Parameters => {
            svcb::parse(tokens, wire)?;
            return Ok(&[]);
        }
    }
    Ok(rest)
}

fn push_tag(token: &str, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let length = u8::try_from(token.len()).map_err(|_| Fault::Tag)?;
    if !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Fault::Tag);
    }
    wire.push(length);
    wire.extend(token.bytes());
    Ok(())
}

fn push_hex(digits: &str, wire: &mut Vec<u8>) -> Result<(), Fault> {
    for pair in digits.as_bytes().chunks(2) {
        let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(Fault::Hex);
        };
        wire.push(u8::try_from(high * 16 + low).map_err(|_| Fault::Hex)?);
    }
    Ok(())
}

fn to_text(record_type: RecordType, wire: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut rest = wire;
    for field in Field::of(record_type) {
        let nothing_follows = rest.is_empty() && *field == Field::Parameters;
        if !text.is_empty() && !nothing_follows {
            text.push(' ');
        }
        rest = push_field(*field, rest, &mut text)?;
    }
    rest.is_empty().then_some(text)
}

fn push_field<'w>(field: Field, wire: &'w [u8], text: &mut String) -> Option<&'w [u8]> {
    match field {
        Field::U8 => {
            let (value, rest) = wire.split_first()?;
            text.push_str(&value.to_string());
            Some(rest)
        }
        Field::U16 => {
            let (value, rest) = wire.split_first_chunk()?;
            text.push_str(&u16::from_be_bytes(*value).to_string());
            Some(rest)
        }
        Field::U32 => {
            let (value, rest) = wire.split_first_chunk()?;
            text.push_str(&u32::from_be_bytes(*value).to_string());
            Some(rest)
        }
        Field::Ipv4 => {
            let (octets, rest) = wire.split_first_chunk::<4>()?;
            text.push_str(&Ipv4Addr::from(*octets).to_string());
            Some(rest)
        }
        Field::Ipv6 => {
            let (octets, rest) = wire.split_first_chunk::<16>()?;
            text.push_str(&Ipv6Addr::from(*octets).to_string());
            Some(rest)
        }
        Field::Name => {
            let end = wire.len() - name::suffixes(wire).last()?.1.len() + 1;
            let (name, rest) = wire.split_at_checked(end)?;
            Name::from_wire(name)?;
            name::push_text(name, text);
            Some(rest)
        }
        Field::String => strings::push_quoted(wire, text),
        Field::Strings => {
            let mut rest = strings::push_quoted(wire, text)?;
            while !rest.is_empty() {
                text.push(' ');
                rest = strings::push_quoted(rest, text)?;
            }
            Some(rest)
        }
        Field::Tag => {
            let (&length, rest) = wire.split_first()?;
            let (tag, rest) = rest.split_at_checked(usize::from(length))?;
            let plain = !tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric);
            text.push_str(std::str::from_utf8(tag).ok().filter(|_| plain)?);
            Some(rest)
        }
        Field::Text => {
            strings::quote(wire, text);
            Some(&[])
        }
        Field::Hex => {
            for nibble in wire.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
                text.extend(char::from_digit(u32::from(nibble), 16));
            }
            Some(&[])
        }
        Field::Parameters => svcb::push_text(wire, text).map(|()| &[][..]),
    }
}

impl std::fmt::Debug for Rdata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
