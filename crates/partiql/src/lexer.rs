//! The tokens of a statement.
//!
//! A text has tokens or is no statement; what they mean is the grammar's matter.

use crate::error::{Malformed, Position};
use crate::keywords::is_keyword;

/// A piece of a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: TokenKind,
    /// What it says: without the quotes, but with the doubled ones inside.
    pub(crate) text: &'t str,
    pub(crate) at: Position,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name without quotes.
    Word,
    /// A word that cannot be a name.
    Keyword,
    /// A name in double quotes.
    Quoted,
    /// A text in single quotes.
    Text,
    /// Digits, with a point or a power of ten or neither.
    Number,
    /// A literal of Ion in backticks.
    Ion,
    /// A question mark.
    Parameter,
    /// An operator or a bracket.
    Symbol,
    /// The end of the text.
    End,
}

/// Returns the tokens of a text, the last one always [`TokenKind::End`].
///
/// Errors: [`Malformed::Token`] and [`Malformed::Unterminated`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Malformed> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
        column: 1,
        tokens: Vec::new(),
    };
    while lexer.skip_blank()? {
        lexer.take()?;
    }
    lexer.push(TokenKind::End, 0, 0..0);
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    rest: &'t str,
    line: usize,
    column: usize,
    tokens: Vec<Token<'t>>,
}

impl Lexer<'_> {
    /// Steps over blanks and comments; returns whether anything follows.
    fn skip_blank(&mut self) -> Result<bool, Malformed> {
        loop {
            let rest = self.rest;
            let blank = rest.len() - rest.trim_start().len();
            if blank > 0 {
                self.advance(blank);
            } else if rest.starts_with("--") {
                self.advance(rest.find('\n').unwrap_or(rest.len()));
            } else if rest.starts_with("/*") {
                let end = rest.find("*/").ok_or(Malformed::Unterminated)?;
                self.advance(end + 2);
            } else {
                return Ok(!rest.is_empty());
            }
        }
    }

    /// Steps over `bytes` of the text.
    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        for character in passed.chars() {
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.rest = rest;
    }

    /// Takes `bytes` as a token that says what stands in the range `said` of them.
    fn push(&mut self, kind: TokenKind, bytes: usize, said: std::ops::Range<usize>) {
        let raw = self.rest.get(..bytes).unwrap_or_default();
        let at = Position {
            line: self.line,
            column: self.column,
            length: raw.chars().count(),
        };
        let text = self.rest.get(said).unwrap_or_default();
        self.tokens.push(Token { kind, text, at });
        self.advance(bytes);
    }

    /// Takes the token at the front, where there is one.
    fn take(&mut self) -> Result<(), Malformed> {
        let rest = self.rest;
        let first = rest.bytes().next().unwrap_or_default();
        match first {
            b'\'' => return self.quoted(TokenKind::Text, b'\''),
            b'"' => return self.quoted(TokenKind::Quoted, b'"'),
            b'`' => return self.quoted(TokenKind::Ion, b'`'),
            b'?' => self.push(TokenKind::Parameter, 1, 0..1),
            b'0'..=b'9' => return self.number(),
            b'.' if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => {
                return if self.follows_operand() {
                    self.push(TokenKind::Symbol, 1, 0..1);
                    Ok(())
                } else {
                    self.number()
                };
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => {
                let length = rest.bytes().take_while(|byte| is_of_word(*byte)).count();
                let word = rest.get(..length).unwrap_or_default();
                let kind = if is_keyword(word) {
                    TokenKind::Keyword
                } else {
                    TokenKind::Word
                };
                self.push(kind, length, 0..length);
            }
            _ => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let length = symbol.ok_or(Malformed::Token)?.len();
                self.push(TokenKind::Symbol, length, 0..length);
            }
        }
        Ok(())
    }

    /// Returns whether a point at the front goes into what stands before it.
    fn follows_operand(&self) -> bool {
        self.tokens.last().is_some_and(|token| match token.kind {
            TokenKind::Word | TokenKind::Quoted => true,
            TokenKind::Symbol => matches!(token.text, ")" | "]"),
            TokenKind::Keyword
            | TokenKind::Text
            | TokenKind::Number
            | TokenKind::Ion
            | TokenKind::Parameter
            | TokenKind::End => false,
        })
    }

    /// Takes a token in quotes; a doubled quote is one inside.
    fn quoted(&mut self, kind: TokenKind, quote: u8) -> Result<(), Malformed> {
        let mut bytes = self.rest.bytes().enumerate().skip(1).peekable();
        while let Some((at, byte)) = bytes.next() {
            if byte != quote {
                continue;
            }
            if bytes.next_if(|(_, next)| *next == quote).is_none() {
                self.push(kind, at + 1, 1..at);
                return Ok(());
            }
        }
        Err(Malformed::Unterminated)
    }

    fn number(&mut self) -> Result<(), Malformed> {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| {
            let after = bytes.get(from..).unwrap_or_default();
            from + after
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let power = digits(end + 1 + sign);
            if power == end + 1 + sign {
                return Err(Malformed::Token);
            }
            end = power;
        }
        if bytes.get(end).is_some_and(|byte| is_of_word(*byte)) {
            return Err(Malformed::Token);
        }
        self.push(TokenKind::Number, end, 0..end);
        Ok(())
    }
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// The operators and brackets, longer ones before their beginnings.
const SYMBOLS: [&str; 25] = [
    "<<", ">>", "<=", ">=", "<>", "!=", "||", "(", ")", "[", "]", "{", "}", ",", ".", ":", ";",
    "=", "<", ">", "+", "-", "*", "/", "%",
];

#[cfg(test)]
mod tests;
