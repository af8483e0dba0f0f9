//! Kinds of policies: what each may say, and how long it may be.

use crate::limits::{INLINE_CHARS_MAX, MANAGED_CHARS_MAX, RESOURCE_CHARS_MAX, SESSION_CHARS_MAX};

/// The kind of a policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A policy of its own, attached to identities or set as their boundary.
    Managed,
    /// A policy inside of an identity.
    Inline,
    /// A policy of a session.
    Session,
    /// A policy of a resource.
    Resource,
}

impl Kind {
    /// Returns the most characters that a document may have.
    pub const fn chars_max(self) -> usize {
        match self {
            Self::Managed => MANAGED_CHARS_MAX,
            Self::Inline => INLINE_CHARS_MAX,
            Self::Session => SESSION_CHARS_MAX,
            Self::Resource => RESOURCE_CHARS_MAX,
        }
    }

    /// Returns a document's length as it is counted against the most: AWS counts white space in
    /// resource policies alone.
    pub fn length(self, text: &str) -> usize {
        match self {
            Self::Resource => text.len(),
            Self::Managed | Self::Inline | Self::Session => {
                let is_counted = |letter: &char| !letter.is_whitespace();
                text.chars().filter(is_counted).count()
            }
        }
    }

    /// Returns whether its statements say whom they are for.
    pub(crate) const fn names_principals(self) -> bool {
        matches!(self, Self::Resource)
    }
}
