//! Service parameters of SVCB and HTTPS records.
//!
//! It connects to nothing and checks no meaning beyond what the format itself asks for.
//! Source: RFC 9460 §2.1, §7 and §14.3.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Fault;
use super::strings;

const KEYS: [&str; 8] = [
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
];

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;

/// Appends the wire form of parameters such as `alpn="h2,h3"`, in the order of their numbers.
pub(super) fn parse(tokens: &[&str], wire: &mut Vec<u8>) -> Result<(), Fault> {
    let mut parameters: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for token in tokens {
        let bad = || Fault::Parameter((*token).to_owned());
        let (key, value) = token.split_once('=').unwrap_or((token, ""));
        let key = key_number(key).ok_or_else(bad)?;
        let value = if value.starts_with('"') {
            strings::unquote(value)?
        } else {
            strings::unquote(&format!("\"{value}\""))?
        };
        let value = value_wire(key, &value).ok_or_else(bad)?;
        if parameters.insert(key, value).is_some() {
            return Err(bad());
        }
    }
    let named = mandatory_keys(&parameters);
    if named.iter().any(|key| !parameters.contains_key(key)) {
        return Err(Fault::Parameter("mandatory".to_owned()));
    }
    if parameters.contains_key(&NO_DEFAULT_ALPN) && !parameters.contains_key(&ALPN) {
        return Err(Fault::Parameter("no-default-alpn".to_owned()));
    }
    for (key, value) in parameters {
        wire.extend(key.to_be_bytes());
        wire.extend(
            u16::try_from(value.len())
                .map_err(|_| Fault::TooLong)?
                .to_be_bytes(),
        );
        wire.extend(value);
    }
    Ok(())
}

fn mandatory_keys(parameters: &BTreeMap<u16, Vec<u8>>) -> Vec<u16> {
    let value = parameters.get(&MANDATORY).map_or(&[][..], |value| value);
    let (keys, _) = value.as_chunks::<2>();
    keys.iter().map(|key| u16::from_be_bytes(*key)).collect()
}

fn key_number(key: &str) -> Option<u16> {
    if let Some(at) = KEYS.iter().position(|known| *known == key) {
        return u16::try_from(at).ok();
    }
    let digits = key.strip_prefix("key")?;
    let plain = !digits.starts_with('0') || digits == "0";
    let number: u16 = digits.parse().ok()?;
    // 65535 is reserved and names nothing.
    (plain && number != u16::MAX).then_some(number)
}

fn key_name(key: u16) -> String {
    match KEYS.get(usize::from(key)) {
        Some(name) => (*name).to_owned(),
        None => format!("key{key}"),
    }
}

fn value_wire(key: u16, value: &[u8]) -> Option<Vec<u8>> {
    let text = || std::str::from_utf8(value).ok();
    let items = || text().map(|text| text.split(','));
    match key {
        MANDATORY => {
            let mut keys: Vec<u16> = items()?.map(key_number).collect::<Option<_>>()?;
            keys.sort_unstable();
            let distinct = keys.windows(2).all(|pair| pair[0] != pair[1]);
            let allowed = distinct && !keys.contains(&MANDATORY);
            allowed.then(|| keys.iter().flat_map(|key| key.to_be_bytes()).collect())
        }
        ALPN => alpn_wire(value),
        NO_DEFAULT_ALPN => value.is_empty().then(Vec::new),
        PORT => Some(text()?.parse::<u16>().ok()?.to_be_bytes().to_vec()),
        IPV4HINT => items()?
            .map(|item| item.parse().ok().map(|a: Ipv4Addr| a.octets()))
            .collect::<Option<Vec<_>>>()
            .map(|octets| octets.concat()),
        ECH => STANDARD
            .decode(value)
            .ok()
            .filter(|bytes| !bytes.is_empty()),
        IPV6HINT => items()?
            .map(|item| item.parse().ok().map(|a: Ipv6Addr| a.octets()))
            .collect::<Option<Vec<_>>>()
            .map(|octets| octets.concat()),
        _ => Some(value.to_vec()),
    }
}

/// Splits at commas, of which `\,` is not one, and puts the length before each identifier.
fn alpn_wire(value: &[u8]) -> Option<Vec<u8>> {
    let mut items = vec![Vec::new()];
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b',' => items.push(Vec::new()),
            b'\\' => items.last_mut()?.push(*bytes.next()?),
            _ => items.last_mut()?.push(byte),
        }
    }
    let mut wire = Vec::new();
    for item in items {
        let length = u8::try_from(item.len()).ok().filter(|length| 0 < *length)?;
        wire.push(length);
        wire.extend(item);
    }
    Some(wire)
}

/// Appends parameters as text; `None` where the wire form is none of parameters.
///
/// Shape: keys ascend and values are in the one form that [`parse`] writes, so that the text leads
/// back to the same bytes. Source: RFC 9460 §2.2.
pub(super) fn push_text(mut wire: &[u8], text: &mut String) -> Option<()> {
    let mut last = None;
    while !wire.is_empty() {
        let (key, rest) = wire.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (value, rest) = rest.split_at_checked(length)?;
        let key = u16::from_be_bytes(*key);
        let shown = value_text(key, value)?;
        if last >= Some(key) || value_wire(key, &shown)? != value {
            return None;
        }
        if last.is_some() {
            text.push(' ');
        }
        text.push_str(&key_name(key));
        if key != NO_DEFAULT_ALPN {
            text.push('=');
            strings::quote(&shown, text);
        }
        last = Some(key);
        wire = rest;
    }
    Some(())
}

fn value_text(key: u16, value: &[u8]) -> Option<Vec<u8>> {
    let joined = |items: Vec<String>| items.join(",").into_bytes();
    Some(match key {
        MANDATORY => {
            let (keys, []) = value.as_chunks::<2>() else {
                return None;
            };
            joined(
                keys.iter()
                    .map(|key| key_name(u16::from_be_bytes(*key)))
                    .collect(),
            )
        }
        ALPN => {
            let mut text = Vec::new();
            let mut rest = value;
            while let Some((&length, after)) = rest.split_first() {
                let (item, after) = after.split_at_checked(usize::from(length))?;
                if !text.is_empty() {
                    text.push(b',');
                }
                for &byte in item {
                    if matches!(byte, b',' | b'\\') {
                        text.push(b'\\');
                    }
                    text.push(byte);
                }
                rest = after;
            }
            text
        }
        PORT => u16::from_be_bytes(value.try_into().ok()?)
            .to_string()
            .into_bytes(),
        IPV4HINT => {
            let (items, []) = value.as_chunks::<4>() else {
                return None;
            };
            joined(
                items
                    .iter()
                    .map(|item| Ipv4Addr::from(*item).to_string())
                    .collect(),
            )
        }
        ECH => STANDARD.encode(value).into_bytes(),
        IPV6HINT => {
            let (items, []) = value.as_chunks::<16>() else {
                return None;
            };
            joined(
                items
                    .iter()
                    .map(|item| Ipv6Addr::from(*item).to_string())
                    .collect(),
            )
        }
        _ => value.to_vec(),
    })
}
