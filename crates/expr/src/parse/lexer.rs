//! The tokens of an expression.
//!
//! Any text has tokens: what no rule knows becomes a symbol that no grammar rule takes.

/// A piece of an expression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind,
    pub(super) text: &'t str,
    /// Where it starts, in bytes.
    pub(super) start: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A letter, then letters, digits and `_`.
    Identifier,
    /// `#`, then letters, digits and `_`.
    Name,
    /// `:`, then letters, digits and `_`.
    Value,
    /// Digits.
    Number,
    /// An operator, a bracket, or any other character.
    Symbol,
    /// The end of the text.
    End,
}

impl Token<'_> {
    pub(super) const fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Returns the tokens of a text, the last one always [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..) {
        let Some(first) = rest.chars().next() else {
            break;
        };
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            start += 1;
            continue;
        }
        let (kind, length) = token(rest, first);
        let text = rest.get(..length).unwrap_or(rest);
        tokens.push(Token { kind, text, start });
        start += text.len();
    }
    tokens.push(Token {
        kind: TokenKind::End,
        text: "",
        start: tokens.last().map_or(0, Token::end),
    });
    tokens
}

/// Returns the kind and length of the token at the start of `rest`.
fn token(rest: &str, first: char) -> (TokenKind, usize) {
    let word = |from: usize| {
        let bytes = rest.bytes().skip(from);
        from + bytes
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count()
    };
    match first {
        'a'..='z' | 'A'..='Z' => (TokenKind::Identifier, word(1)),
        '#' if word(1) > 1 => (TokenKind::Name, word(1)),
        ':' if word(1) > 1 => (TokenKind::Value, word(1)),
        '0'..='9' => (
            TokenKind::Number,
            rest.bytes().take_while(u8::is_ascii_digit).count(),
        ),
        '<' | '>' if matches!(rest.get(..2), Some("<>" | "<=" | ">=")) => (TokenKind::Symbol, 2),
        other => (TokenKind::Symbol, other.len_utf8()),
    }
}
