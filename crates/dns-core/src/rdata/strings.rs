//! Character strings: quoted text with octal escapes, and its wire form.
//!
//! Source: Route 53 developer guide, "TXT record type"; RFC 1035 §3.3.

use super::Fault;
use crate::limits::STRING_BYTES_MAX;
use crate::name;

/// Splits a value at the spaces outside quotation marks; `None` where a mark is left open.
pub(super) fn tokens(value: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let (mut start, mut quoted, mut escaped) = (None, false, false);
    for (at, c) in value.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' => {
                escaped = true;
                start.get_or_insert(at);
            }
            '"' if quoted => {
                quoted = false;
                // `"a""b"` is two strings, `alpn="h2"` is one parameter.
                let first = start.unwrap_or(at);
                if value.get(first..)?.starts_with('"') {
                    tokens.push(value.get(first..=at)?);
                    start = None;
                }
            }
            '"' => {
                quoted = true;
                start.get_or_insert(at);
            }
            ' ' | '\t' | '\n' | '\r' if !quoted => {
                if let Some(first) = start.take() {
                    tokens.push(value.get(first..at)?);
                }
            }
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    if let Some(first) = start {
        tokens.push(value.get(first..)?);
    }
    (!quoted).then_some(tokens)
}

/// Returns the bytes of a quoted token.
///
/// Errors: [`Fault::NotQuoted`] where the marks are missing.
pub(super) fn unquote(token: &str) -> Result<Vec<u8>, Fault> {
    let inner = token
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or(Fault::NotQuoted)?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\\' => {
                let (value, after) = name::unescape(rest).ok_or(Fault::NotQuoted)?;
                bytes.push(value);
                rest = after;
            }
            _ => bytes.push(byte),
        }
    }
    Ok(bytes)
}

/// Appends a quoted token as a character string.
pub(super) fn push_string(token: &str, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let bytes = unquote(token)?;
    if STRING_BYTES_MAX < bytes.len() {
        return Err(Fault::StringTooLong);
    }
    wire.push(u8::try_from(bytes.len()).map_err(|_| Fault::StringTooLong)?);
    wire.extend(bytes);
    Ok(())
}

/// Appends a character string as quoted text, and returns what follows it.
pub(super) fn push_quoted<'w>(wire: &'w [u8], text: &mut String) -> Option<&'w [u8]> {
    let (&length, rest) = wire.split_first()?;
    let (bytes, rest) = rest.split_at_checked(usize::from(length))?;
    quote(bytes, text);
    Some(rest)
}

/// Appends bytes as quoted text.
pub(super) fn quote(bytes: &[u8], text: &mut String) {
    text.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => name::push_octal(byte, text),
        }
    }
    text.push('"');
}
