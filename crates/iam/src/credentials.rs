//! Credentials: names of users, access keys with their states, secrets.
//!
//! It stores none and verifies no signature.
//! Source: IAM user guide, "IAM identifiers", "Managing access keys for IAM users".

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use clock::port::Entropy;

use crate::limits::{
    ACCESS_KEY_ID_CHARS, PATH_CHARS_MAX, POLICY_NAME_CHARS_MAX, USER_NAME_CHARS_MAX,
};

/// The name of a user.
///
/// Shape: 1..=64 of `A-Z a-z 0-9 + = , . @ _ -`. Two names that differ in case alone are one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

/// The id of an access key: what requests name it by.
///
/// Shape: 16..=128 letters, digits and `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(Arc<str>);

/// The secret of an access key, never shown.
#[derive(Clone)]
pub struct Secret(Arc<str>);

/// Whether an access key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It may.
    Active,
    /// It may not, until it is made active again.
    Inactive,
}

/// What an access key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// It lasts until it is deleted: `AKIA…`.
    Lasting,
    /// It is a session's and comes with a token: `ASIA…`.
    Session,
}

/// What a unique id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// A user: `AIDA…`.
    User,
    /// A managed policy: `ANPA…`.
    Policy,
}

impl UserName {
    /// Reads a name; `None` for any other shape.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text, USER_NAME_CHARS_MAX).then(|| Self(text.into()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what two names have in common that differ in case alone.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// Returns whether a text is a policy's name.
///
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub fn is_policy_name(text: &str) -> bool {
    is_name(text, POLICY_NAME_CHARS_MAX)
}

/// Returns whether a text is a path: `/`, or one that begins and ends with it.
///
/// Source: botocore's model of `CreateUser` (`pathType`).
pub fn is_path(text: &str) -> bool {
    text.len() <= PATH_CHARS_MAX
        && text.starts_with('/')
        && text.ends_with('/')
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_name(text: &str, most: usize) -> bool {
    let is_letter = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'+' | b'=' | b',' | b'.' | b'@' | b'_' | b'-')
    };
    (1..=most).contains(&text.len()) && text.bytes().all(is_letter)
}

impl AccessKeyId {
    /// Reads an id; `None` for any other shape.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = ACCESS_KEY_ID_CHARS.contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_id.then(|| Self(text.into()))
    }

    /// Makes an id that no other key has: 80 random bits.
    pub fn generate(kind: KeyKind, entropy: &dyn Entropy) -> Self {
        let prefix = match kind {
            KeyKind::Lasting => "AKIA",
            KeyKind::Session => "ASIA",
        };
        Self(format!("{prefix}{}", letters(16, entropy)).into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Secret {
    /// Takes a secret.
    pub fn new(secret: &str) -> Self {
        Self(secret.into())
    }

    /// Makes a secret: 240 random bits in 40 characters, as AWS's have.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let words = std::iter::repeat_with(|| entropy.random());
        let bytes: Vec<u8> = words.flat_map(u64::to_be_bytes).take(30).collect();
        Self(STANDARD.encode(bytes).into())
    }

    /// Returns the secret itself: to sign with, to seal, and once to whoever made it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl KeyState {
    /// Reads AWS's word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "Active" => Some(Self::Active),
            "Inactive" => Some(Self::Inactive),
            _ => None,
        }
    }

    /// Returns AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }
}

/// Makes a unique id, as in `AIDA…`: 85 random bits.
pub fn unique_id(kind: IdKind, entropy: &dyn Entropy) -> String {
    let prefix = match kind {
        IdKind::User => "AIDA",
        IdKind::Policy => "ANPA",
    };
    format!("{prefix}{}", letters(17, entropy))
}

/// Returns random letters and digits, five bits each.
fn letters(count: usize, entropy: &dyn Entropy) -> String {
    const ALPHABET: [char; 32] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R',
        'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
    ];
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut word = entropy.random();
        // Twelve letters use 60 of a word's bits.
        for _ in 0..(count - text.len()).min(12) {
            let at = usize::try_from(word & 31).unwrap_or(0);
            text.extend(ALPHABET.get(at));
            word >>= 5;
        }
    }
    text
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
