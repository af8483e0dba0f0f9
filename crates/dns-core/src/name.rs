//! Domain names: on the wire, as text with Route 53's escapes, and their order.
//!
//! It reads no compressed names: queries carry none where a name is needed.
//! Source: RFC 1035 §3.1; Route 53 developer guide, "DNS domain name format".

use std::borrow::Borrow;
use std::fmt;

use crate::limits::{LABEL_BYTES_MAX, NAME_BYTES_MAX};

/// A domain name, fully qualified, in lower case.
///
/// Shape: wire form, without compression, ending with the root's zero byte; 1..=255 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

/// A text that is no domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// The text is empty.
    #[error("domain name is empty")]
    Empty,
    /// Two dots follow each other, or one begins the name.
    #[error("domain label is empty")]
    LabelEmpty,
    /// A label has more than 63 bytes.
    #[error("domain label is too long")]
    LabelTooLong,
    /// The name has more than 255 bytes on the wire.
    #[error("domain name is too long")]
    NameTooLong,
    /// A space, a control character or one beyond ASCII stands unescaped.
    #[error("value contains unsupported characters")]
    Unsupported,
}

impl Name {
    /// Reads a name; a missing dot at its end is understood.
    ///
    /// Shape: `\ooo` (three octal digits) stands for any byte, `\x` for the character x.
    /// Errors: [`BadName`] for texts that no name has.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let mut wire = wire_of(text)?;
        wire.make_ascii_lowercase();
        Ok(Self(wire.into()))
    }

    /// Takes a name from uncompressed wire form; `None` where it is none.
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        let mut rest = wire;
        while let Some((&length, after)) = rest.split_first() {
            let length = usize::from(length);
            if length == 0 {
                let fits = after.is_empty() && wire.len() <= NAME_BYTES_MAX;
                return fits.then(|| Self(wire.to_ascii_lowercase().into()));
            }
            if LABEL_BYTES_MAX < length {
                return None;
            }
            rest = after.get(length..)?;
        }
        None
    }

    /// Returns the wire form.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Returns the name without its first label; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        parent(&self.0).map(|wire| Self(wire.into()))
    }

    /// Returns whether this name is `apex` or lies below it.
    pub fn is_within(&self, apex: &Self) -> bool {
        suffixes(&self.0).any(|(_, suffix)| suffix == &*apex.0)
    }

    /// Returns whether the first label is a single `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// Returns the labels, first to last, without the root.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        suffixes(&self.0).filter_map(|(_, suffix)| {
            let (&length, rest) = suffix.split_first()?;
            (length != 0).then(|| rest.get(..usize::from(length)))?
        })
    }

    /// Returns a text whose order is that of Route 53's lists: labels reversed, escaped, each
    /// with a dot. Two names never have the same.
    ///
    /// Source: Route 53 API reference, "ListResourceRecordSets".
    pub fn sort_key(&self) -> String {
        let mut labels: Vec<_> = self.labels().collect();
        labels.reverse();
        let mut key = String::new();
        for label in labels {
            escape(label, &mut key);
            key.push('.');
        }
        key
    }
}

/// Returns the uncompressed wire form of a name, its letters as given.
pub(crate) fn wire_of(text: &str) -> Result<Vec<u8>, BadName> {
    if text == "." {
        return Ok(vec![0]);
    }
    let text = text.as_bytes();
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    let mut wire = Vec::with_capacity(text.len() + 2);
    let mut label: Vec<u8> = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'.' => end_label(&mut label, &mut wire)?,
            b'\\' => {
                let (value, after) = unescape(rest).ok_or(BadName::Unsupported)?;
                label.push(value);
                rest = after;
            }
            b'!'..=b'~' => label.push(byte),
            _ => return Err(BadName::Unsupported),
        }
    }
    if !label.is_empty() {
        end_label(&mut label, &mut wire)?;
    }
    wire.push(0);
    if NAME_BYTES_MAX < wire.len() {
        return Err(BadName::NameTooLong);
    }
    Ok(wire)
}

fn end_label(label: &mut Vec<u8>, wire: &mut Vec<u8>) -> Result<(), BadName> {
    if label.is_empty() {
        return Err(BadName::LabelEmpty);
    }
    if LABEL_BYTES_MAX < label.len() {
        return Err(BadName::LabelTooLong);
    }
    wire.push(u8::try_from(label.len()).unwrap_or(0));
    wire.append(label);
    Ok(())
}

/// Reads what follows a backslash: three octal digits, or one character that stands for itself.
pub(crate) fn unescape(text: &[u8]) -> Option<(u8, &[u8])> {
    let octal = text.get(..3).and_then(|digits| {
        digits.iter().try_fold(0_u16, |value, digit| {
            (b'0'..=b'7')
                .contains(digit)
                .then(|| value * 8 + u16::from(digit - b'0'))
        })
    });
    if let Some(value) = octal {
        return Some((u8::try_from(value).ok()?, text.get(3..)?));
    }
    let (&byte, rest) = text.split_first()?;
    Some((byte, rest))
}

/// Returns a name without its first label; `None` for the root.
pub(crate) fn parent(wire: &[u8]) -> Option<&[u8]> {
    match wire.split_first() {
        None | Some((0, _)) => None,
        Some((&length, rest)) => rest.get(usize::from(length)..),
    }
}

/// Returns the name itself and every name above it, each with its offset, the root last.
pub(crate) fn suffixes(wire: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = Some(wire);
    std::iter::from_fn(move || {
        let suffix = next?;
        next = parent(suffix);
        Some((wire.len() - suffix.len(), suffix))
    })
}

/// Appends a label, all but letters, digits, `-` and `_` as octal codes.
fn escape(label: &[u8], out: &mut String) {
    for &byte in label {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            push_octal(byte, out);
        }
    }
}

/// Appends `\ooo`.
pub(crate) fn push_octal(byte: u8, out: &mut String) {
    out.push('\\');
    for shift in [6, 3, 0] {
        out.push(char::from(b'0' + ((byte >> shift) & 7)));
    }
}

/// Appends a wire name as text with Route 53's escapes and a dot at its end.
pub(crate) fn push_text(wire: &[u8], out: &mut String) {
    if wire == [0] {
        out.push('.');
    }
    for (_, suffix) in suffixes(wire) {
        if let Some((&length, rest)) = suffix.split_first()
            && let Some(label) = rest.get(..usize::from(length))
            && !label.is_empty()
        {
            escape(label, out);
            out.push('.');
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(self.0.len());
        push_text(&self.0, &mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
