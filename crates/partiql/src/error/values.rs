//! What can be wrong with a value, and where in it.

use item::number::NumberError;

use super::Position;

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueProblem {
    /// It is no number that DynamoDB holds.
    #[error(transparent)]
    Number(NumberError),
    /// It is a negative zero with a point.
    #[error("Negative zero decimal is not supported under key {path}{at}")]
    NegativeZero {
        /// Where it stands in the value.
        path: String,
        /// Where it stands in the statement.
        at: Position,
    },
    /// It is no value.
    #[error("Unsupported data type: {what} under key {path}{at}")]
    NoValue {
        /// What it is.
        what: String,
        /// Where it stands in the value.
        path: String,
        /// Where it stands in the statement.
        at: Position,
    },
    /// It is a literal of Ion.
    #[error("Ion Literals are not supported: {text} under key {path}{at}")]
    Ion {
        /// The literal.
        text: String,
        /// Where it stands in the value.
        path: String,
        /// Where it stands in the statement.
        at: Position,
    },
    /// A set has no element.
    #[error("Empty bags are not supported{at}")]
    EmptySet {
        /// Where it stands in the statement.
        at: Position,
    },
    /// A set has elements of several types.
    #[error(
        "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
    )]
    SetMixed,
    /// A set has an element of a type that sets do not have.
    #[error(
        "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags{at}"
    )]
    SetElement {
        /// Where it stands in the statement.
        at: Position,
    },
    /// A set has an element twice.
    #[error("Input collection contains duplicates")]
    SetDuplicate,
    /// A map has a key twice.
    #[error("Duplicate keys in tuple. Key: {key} under {path}{at}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where the map stands in the value.
        path: String,
        /// Where the key stands in the statement.
        at: Position,
    },
    /// A key of a map is no text.
    #[error("Tuple keys must be of type String. Actual type: {what} under {path}{at}")]
    KeyType {
        /// What it is.
        what: String,
        /// Where the map stands in the value.
        path: String,
        /// Where the key stands in the statement.
        at: Position,
    },
    /// What is inserted is no map.
    #[error(
        "Unsupported format in item expression. Please use struct format {{...}} to express item \
         values for insert statement.{at}"
    )]
    NoItem {
        /// Where it stands in the statement.
        at: Position,
    },
    /// Lists and maps nest deeper than 32 levels.
    #[error("Nesting Levels have exceeded supported limits")]
    TooDeep,
}
