//! What can be wrong with an operand, where PartiQL does not share the words of expressions.

use super::Position;

/// What is wrong with an operand, where PartiQL tells it apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperandProblem {
    /// The condition of `WHERE` is no condition.
    #[error("WHERE clause must contain an expression that resolves to a boolean")]
    Where,
    /// An operand of `AND` or `OR` is no condition.
    #[error("The arguments to AND/OR must be Expressions")]
    AndOr,
    /// The operand of `NOT` is no condition.
    #[error("The argument to NOT must be a Type or Expression")]
    Not,
    /// The right side of `IN` is no list, or an empty one.
    #[error(
        "IN operator must have a left hand argument of type Variable Reference and right hand \
         argument of type Seq with at least one member"
    )]
    In,
    /// The left side of `IS` is neither a path nor a value.
    #[error("The left hand side argument to IS must be a Variable Reference, Literal, or Path")]
    Is,
    /// A type that `IS` does not know.
    #[error(
        "Unsupported data type for IS operator: {kind}. Supported data types are [MISSING, NULL, \
         BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]{at}"
    )]
    IsType {
        /// The type's name.
        kind: String,
        /// Where `IS` stands.
        at: Position,
    },
    /// `MISSING` stands where a value is wanted.
    #[error("MISSING must be compared using IS operator")]
    Missing,
    /// An operator that conditions do not have.
    #[error("Unsupported operator in Condition Expression. Operator: {0}")]
    InCondition(&'static str),
    /// An operator that updates do not have.
    #[error("Unsupported operator in Update Expression. Operator: {0}")]
    InUpdate(&'static str),
    /// `IS` stands in an update.
    #[error("IS operator is not supported in update expressions")]
    IsInUpdate,
    /// There is no such function.
    #[error("Unrecognized function: {0}")]
    Function(String),
    /// Something that is no path stands where a path is wanted.
    #[error("Unexpected path component{at}")]
    Path {
        /// Where it stands.
        at: Position,
    },
    /// A name is empty.
    #[error("Path component cannot be an empty string")]
    EmptyName,
    /// `[*]` stands in a path.
    #[error("Wildcard path component like a[*].b are not supported{at}")]
    Wildcard {
        /// Where it stands.
        at: Position,
    },
    /// `.*` stands in a path.
    #[error("Unpivot path component like a.*.b are not supported{at}")]
    Unpivot {
        /// Where it stands.
        at: Position,
    },
    /// The index of a list is out of range.
    #[error("List index is not within the allowable range; index: [{index}]{at}")]
    ListIndex {
        /// The index as written.
        index: String,
        /// Where it stands.
        at: Position,
    },
    /// `set_add` or `set_delete` has other than two operands.
    #[error("{function} must have exactly two arguments{at}")]
    SetCount {
        /// The function.
        function: &'static str,
        /// Where it stands.
        at: Position,
    },
    /// The first operand of `set_add` or `set_delete` is another path than the one set.
    #[error("The first argument to {function} must equal the assignment value")]
    SetPath {
        /// The function.
        function: &'static str,
    },
    /// The second operand of `set_add` or `set_delete` is no set.
    #[error("The second argument to {function} must be a value with type SET{at}")]
    SetValue {
        /// The function.
        function: &'static str,
        /// Where it stands.
        at: Position,
    },
    /// Two attributes of a `SELECT` have one name.
    #[error("Duplicate identifiers in select clause: {0}")]
    DuplicateName(String),
}
