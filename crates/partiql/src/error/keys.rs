//! What can be wrong with what a statement says of a key, the words for values included.

use item::key::{KeyError, KeyKind, KeyRole};

/// What is wrong with what a statement says of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// A write does not say which item it means.
    #[error("Where clause does not contain a mandatory equality on all key attributes")]
    Incomplete,
    /// A write says two things of a key attribute.
    #[error(
        "Multiple conditions on same key {name}. \
         Only single item Update/Insert/Delete are supported"
    )]
    Many {
        /// The key attribute.
        name: String,
    },
    /// A path leads into a key attribute.
    #[error(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not \
         allowed: Key {name}"
    )]
    Nested {
        /// The key attribute.
        name: String,
    },
    /// The item has no such key attribute.
    #[error("Key attribute should be present in the item: Key {name}")]
    Absent {
        /// The key attribute.
        name: String,
    },
    /// A value of a key has another type than the key attribute.
    #[error("Key attribute's data type should match its data type in table's schema: Key {name}")]
    Kind {
        /// The key attribute.
        name: String,
    },
    /// A key attribute is compared with a value of another type.
    #[error(
        "One or more parameter values were invalid: \
         Condition parameter type does not match schema type"
    )]
    ConditionKind,
    /// A value of a key is empty.
    #[error(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
         contain an empty {} value. Key: {name}", empty(*kind)
    )]
    Empty {
        /// The key attribute.
        name: String,
        /// Its type.
        kind: KeyKind,
    },
    /// A value of a key is too long.
    #[error("One or more parameter values were invalid: {}", long(*role))]
    Long {
        /// Which key attribute it is.
        role: KeyRole,
    },
    /// An update changes a key attribute.
    #[error(
        "One or more parameter values were invalid: \
         Cannot update attribute {name}. This attribute is part of the key"
    )]
    Updated {
        /// The key attribute.
        name: String,
    },
    /// An `EXISTS` does not say which item it means, or nothing more.
    #[error("EXISTS() must contain a single item read with additional condition")]
    Check,
    /// A `SELECT` reads more partitions than one may.
    #[error("Too many decomposed read operations for a given query.")]
    ManyReads,
}

impl From<KeyError> for KeyProblem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Missing { name } => Self::Absent { name },
            KeyError::WrongType { name, .. } => Self::Kind { name },
            KeyError::Empty { name, kind } => Self::Empty { name, kind },
            KeyError::TooLong { role, .. } => Self::Long { role },
            // A key that is taken from an item never finds the item's other attributes surplus.
            KeyError::Surplus { .. } => Self::Incomplete,
        }
    }
}

const fn empty(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::S | KeyKind::N => "string",
        KeyKind::B => "binary",
    }
}

const fn long(role: KeyRole) -> &'static str {
    match role {
        // The missing space is the service's.
        KeyRole::Partition => "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        KeyRole::Sort => {
            "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
        }
    }
}
