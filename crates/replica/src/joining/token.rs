//! Join tokens as people carry them from one machine to another: one word of text.
//!
//! A token counts for nothing by itself: the region that made it decides whether it still does.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use base::region::RegionName;
use net::tls::pinned::Pin;

/// How every token begins, so that one is known where it should not be: in a log, in a repository.
const PREFIX: &str = "hither-join-";

/// The one format that there is.
const FORMAT: u8 = 1;

/// Longest text of a token, in characters: a name of a host has at most 253 (RFC 1035 §2.3.4).
const TEXT_MAX: usize = 1_024;

/// What a machine needs to be given the project's key by a region that runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The project's authority: whoever answers must show a certificate that it has signed.
    pub authority: Pin,
    /// What the region that made the token knows it by.
    pub secret: [u8; 32],
    /// The region that made it.
    pub host: RegionName,
    /// The region that is to be served by whoever joins.
    pub guest: RegionName,
    /// Where the region that made it has its link port: `address:port`.
    pub address: String,
}

/// A text that is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is something else, or a part of one.
    #[error("read the join token: it is not whole; it is one word that begins with {PREFIX}")]
    Broken,
    /// It is of another release.
    #[error("read the join token: its format is {0}, and this build reads format {FORMAT} alone")]
    Format(u8),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&self.authority.0);
        bytes.extend_from_slice(&self.secret);
        for region in [&self.host, &self.guest] {
            let name = region.as_str().as_bytes();
            bytes.push(u8::try_from(name.len()).map_err(|_| fmt::Error)?);
            bytes.extend_from_slice(name);
        }
        bytes.extend_from_slice(self.address.as_bytes());
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for Token {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(of {} for {})", self.host, self.guest)
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let body = text
            .strip_prefix(PREFIX)
            .filter(|_| text.len() <= TEXT_MAX)
            .ok_or(TokenError::Broken)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| TokenError::Broken)?;
        match bytes.split_first() {
            Some((&FORMAT, rest)) => read(rest).ok_or(TokenError::Broken),
            Some((&other, _)) => Err(TokenError::Format(other)),
            None => Err(TokenError::Broken),
        }
    }
}

fn read(bytes: &[u8]) -> Option<Token> {
    let (authority, rest) = bytes.split_first_chunk()?;
    let (secret, rest) = rest.split_first_chunk()?;
    let (host, rest) = region(rest)?;
    let (guest, rest) = region(rest)?;
    let address = std::str::from_utf8(rest).ok()?;
    (!address.is_empty()).then(|| Token {
        authority: Pin(*authority),
        secret: *secret,
        host,
        guest,
        address: address.to_owned(),
    })
}

fn region(bytes: &[u8]) -> Option<(RegionName, &[u8])> {
    let (len, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*len))?;
    let name = RegionName::parse(std::str::from_utf8(name).ok()?).ok()?;
    Some((name, rest))
}

#[cfg(test)]
mod tests {
    //! Tests of what is a token.

    use base::region::RegionName;
    use net::tls::pinned::Pin;

    use super::{PREFIX, Token, TokenError};

    fn token() -> Token {
        Token {
            authority: Pin([7; 32]),
            secret: [9; 32],
            host: RegionName::parse("us-east-1").unwrap(),
            guest: RegionName::parse("eu-west-1").unwrap(),
            address: "192.0.2.1:7100".to_owned(),
        }
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let text = token().to_string();
        assert_eq!(text.parse(), Ok(token()));
        assert_eq!(format!(" {text}\n").parse(), Ok(token()));
        assert!(!format!("{:?}", token()).contains('9'));
    }

    #[test]
    fn what_is_cut_or_of_another_release_is_refused_as_such() {
        let text = token().to_string();
        // The address is the end of it, and a shorter one is an address, too.
        let fixed = text.len() - "192.0.2.1:7100".len() * 4 / 3 - 2;
        for len in 0..fixed {
            assert_eq!(
                text[..len].parse::<Token>(),
                Err(TokenError::Broken),
                "{len}"
            );
        }
        assert_eq!(
            text[PREFIX.len()..].parse::<Token>(),
            Err(TokenError::Broken)
        );
        assert_eq!(format!("{text}?").parse::<Token>(), Err(TokenError::Broken));
        let long = format!("{text}{}", "A".repeat(1_024));
        assert_eq!(long.parse::<Token>(), Err(TokenError::Broken));
        let newer = format!("{PREFIX}Ag{}", &text[PREFIX.len() + 2..]);
        assert_eq!(newer.parse::<Token>(), Err(TokenError::Format(2)));
    }
}
