//! A reader over JSON bytes that skips fast and believes little.
//!
//! It does not prove that a text is JSON: whoever takes values out of it does.

use api_protocol::json;
use api_protocol::limits::JSON_DEPTH_MAX;

/// Where reading has come to.
#[derive(Debug)]
pub(super) struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the next byte that is no blank, without taking it.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Takes the next byte that is no blank, which must be this one.
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Takes the byte if it comes next; returns whether it did.
    pub(super) fn took(&mut self, byte: u8) -> bool {
        self.take(byte).is_some()
    }

    /// Takes a literal.
    pub(super) fn literal(&mut self, literal: &str) -> Option<()> {
        self.peek()?;
        let rest = self.text.get(self.at..)?;
        rest.starts_with(literal.as_bytes())
            .then(|| self.at += literal.len())
    }

    /// Takes a number's characters.
    pub(super) fn number(&mut self) -> Option<&'t [u8]> {
        self.peek()?;
        let rest = self.text.get(self.at..)?;
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().position(|byte| !part(byte));
        let number = rest.get(..length.unwrap_or(rest.len()))?;
        self.at += number.len();
        (!number.is_empty()).then_some(number)
    }

    /// Takes a text; returns what stands between its quotes, escapes and all.
    pub(super) fn text(&mut self) -> Option<&'t [u8]> {
        self.take(b'"')?;
        let from = self.at;
        self.at = json::text_end(self.text, from)?;
        self.text.get(from..self.at - 1)
    }

    /// Takes any value; returns its characters.
    pub(super) fn value(&mut self) -> Option<&'t [u8]> {
        let first = self.peek()?;
        let from = self.at;
        match first {
            b'"' => drop(self.text()?),
            b'{' | b'[' => self.nested()?,
            _ => {
                let rest = self.text.get(from..)?;
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        self.text.get(from..self.at)
    }

    /// Takes an object or a list.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at)? {
                b'"' => drop(self.text()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    if JSON_DEPTH_MAX < depth {
                        return None;
                    }
                }
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return Some(());
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Returns whether nothing but blanks is left.
    pub(super) fn ends(&mut self) -> bool {
        self.peek().is_none()
    }
}
