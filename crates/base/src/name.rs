//! Names of accounts and tables.

use std::fmt;
use std::sync::Arc;

/// A twelve-digit AWS account number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// The account of a project that names none, the one that local emulators use.
    pub const DEFAULT: Self = Self(*b"000000000000");

    /// Reads an account number: twelve digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 12] = text.as_bytes().try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(Self(digits))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name of a table.
///
/// Shape: 3..=255 characters of `a-z A-Z 0-9 _ . -`.
/// Source: DynamoDB developer guide, "Supported data types and naming rules".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(Arc<str>);

/// A text that is no table name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table name {0:?} must be 3 to 255 characters of a-z, A-Z, 0-9, _, - and .")]
pub struct BadTableName(pub String);

impl TableName {
    /// Reads a table name.
    ///
    /// Errors: [`BadTableName`] for any other shape.
    pub fn parse(text: &str) -> Result<Self, BadTableName> {
        let shaped = (3..=255).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        if shaped {
            Ok(Self(text.into()))
        } else {
            Err(BadTableName(text.to_owned()))
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a table in keys and log records: the same in every region, never used again.
///
/// Units: numbers below [`TableId::SYSTEM_END`] are system tables, fixed in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u64);

impl TableId {
    /// The first number that a user's table may have.
    pub const SYSTEM_END: u64 = 1 << 16;

    /// Returns whether this is one of Hither's own tables.
    pub fn is_system(self) -> bool {
        self.0 < Self::SYSTEM_END
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{:x}", self.0)
    }
}
