//! Texts of Ion, with their escapes.
//!
//! It reads no value. Source: Amazon Ion specification, "Text encoding" (strings, symbols, escape
//! characters).

use super::{Read, Reader};

impl Reader<'_> {
    /// Reads a text between single quotes of one kind.
    pub(super) fn short_text(&mut self, quote: char) -> Read<String> {
        let mut text = String::new();
        let mut letters = self.rest.chars();
        letters.next();
        loop {
            match letters.next() {
                Some(letter) if letter == quote => {
                    self.rest = letters.as_str();
                    return Ok(text);
                }
                Some('\\') => {
                    self.rest = letters.as_str();
                    text.extend(self.escape()?);
                    letters = self.rest.chars();
                }
                None | Some('\n') => return Err(self.wrong("a text is not closed")),
                Some(letter) => text.push(letter),
            }
        }
    }

    /// Reads texts between threefold quotes, which are one text where they follow each other.
    pub(super) fn long_text(&mut self) -> Read<String> {
        let mut text = String::new();
        while self.takes("'''") {
            while !self.takes("'''") {
                let mut letters = self.rest.chars();
                let letter = letters.next();
                self.rest = letters.as_str();
                match letter {
                    None => return Err(self.wrong("a text is not closed")),
                    Some('\\') => text.extend(self.escape()?),
                    // However a line ends, it ends so in the text.
                    Some('\r') if self.rest.starts_with('\n') => {}
                    Some('\r') => text.push('\n'),
                    Some(letter) => text.push(letter),
                }
            }
            self.skip_space()?;
        }
        Ok(text)
    }

    /// Reads an escape behind its backslash; it may stand for nothing.
    fn escape(&mut self) -> Read<Option<char>> {
        let mut letters = self.rest.chars();
        let letter = letters.next();
        let rest = letters.as_str();
        let plain = match letter {
            Some('0') => '\0',
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('t') => '\t',
            Some('n') => '\n',
            Some('f') => '\u{c}',
            Some('r') => '\r',
            Some('v') => '\u{b}',
            Some(same @ ('"' | '\'' | '?' | '\\' | '/')) => same,
            Some('\n') => {
                self.rest = rest;
                return Ok(None);
            }
            Some('\r') => {
                self.rest = rest.strip_prefix('\n').unwrap_or(rest);
                return Ok(None);
            }
            Some('x') => return self.numbered(rest, 2).map(Some),
            Some('u') => return self.utf16(rest).map(Some),
            Some('U') => return self.numbered(rest, 8).map(Some),
            Some(_) | None => return Err(self.wrong("there is no such escape")),
        };
        self.rest = rest;
        Ok(Some(plain))
    }

    /// Reads a letter by its number.
    fn numbered(&mut self, rest: &str, digits: usize) -> Read<char> {
        let number = rest.get(..digits).and_then(hex);
        let letter = number.and_then(char::from_u32);
        let letter = letter.ok_or_else(|| self.wrong("it is no letter's number"))?;
        self.skip(digits + 1);
        Ok(letter)
    }

    /// Reads a letter by its number of UTF-16, or by two of them.
    fn utf16(&mut self, rest: &str) -> Read<char> {
        let high = rest.get(..4).and_then(hex);
        let Some(high @ 0xd800..=0xdbff) = high else {
            return self.numbered(rest, 4);
        };
        let low = rest.get(4..).and_then(|rest| rest.strip_prefix("\\u"));
        let low = low.and_then(|rest| rest.get(..4)).and_then(hex);
        let Some(low @ 0xdc00..=0xdfff) = low else {
            return Err(self.wrong("half a letter is none"));
        };
        let letter = char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        let letter = letter.ok_or_else(|| self.wrong("it is no letter's number"))?;
        self.skip("uXXXX\\uXXXX".len());
        Ok(letter)
    }

    /// Passes bytes that were looked at.
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// Reads a number of hexadecimal digits alone.
fn hex(digits: &str) -> Option<u32> {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}
