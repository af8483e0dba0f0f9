//! What can be wrong with an expression, in DynamoDB's own words.
//!
//! The words are what `Display` gives; a facade may put an envelope around them.
//! Source: DynamoDB's published error texts, and answers of the service recorded by others.

use std::fmt;

use item::number::NumberError;
use item::value::AttributeValue;

use crate::path::{Clash, Path};

/// Which parameter of a request an expression came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    /// `ConditionExpression`.
    Condition,
    /// `FilterExpression`.
    Filter,
    /// `ProjectionExpression`.
    Projection,
    /// `UpdateExpression`.
    Update,
    /// `KeyConditionExpression`.
    KeyCondition,
}

/// A request whose expressions are refused before any item is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// An expression is wrong.
    #[error("Invalid {clause}: {problem}")]
    Invalid {
        /// The parameter it came in.
        clause: Clause,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// A condition is well formed, but no condition on a key.
    #[error(transparent)]
    KeyCondition(#[from] KeyConditionProblem),
    /// Names were given that no expression uses.
    #[error("Value provided in ExpressionAttributeNames unused in expressions: keys: {{{keys}}}")]
    UnusedNames {
        /// Their placeholders, as in `#a, #b`.
        keys: String,
    },
    /// Values were given that no expression uses.
    #[error("Value provided in ExpressionAttributeValues unused in expressions: keys: {{{keys}}}")]
    UnusedValues {
        /// Their placeholders, as in `:a, :b`.
        keys: String,
    },
    /// A map of placeholders is there but empty.
    #[error("{parameter} must not be empty")]
    NoPlaceholders {
        /// The parameter's name.
        parameter: &'static str,
    },
    /// A placeholder has the wrong shape.
    #[error("{parameter} contains invalid key: Syntax error; key: \"{key}\"")]
    BadPlaceholder {
        /// The parameter's name.
        parameter: &'static str,
        /// The placeholder.
        key: String,
    },
    /// A placeholder is longer than 255 bytes.
    #[error(
        "{parameter} contains invalid key: \
         The expression attribute map contains a key that is too long; size of key: {bytes}"
    )]
    LongPlaceholder {
        /// The parameter's name.
        parameter: &'static str,
        /// The placeholder's length.
        bytes: usize,
    },
    /// A placeholder stands for an attribute name that cannot be.
    #[error("ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}")]
    EmptyName {
        /// The placeholder.
        key: String,
    },
    /// Names and values together are too large.
    #[error(
        "Combined size of ExpressionAttributeNames and ExpressionAttributeValues exceeds max size"
    )]
    LargePlaceholders,
}

/// What is wrong with one expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is nothing in it.
    #[error("The expression can not be empty;")]
    Empty,
    /// It is longer than 4 KiB.
    #[error("Expression size has exceeded the maximum allowed size; expression size: {bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It does not follow the grammar.
    #[error("Syntax error; token: \"{token}\", near: \"{near}\"")]
    Syntax {
        /// The first token that does not fit.
        token: String,
        /// The text around it.
        near: String,
    },
    /// Two pairs of parentheses stand around the same thing.
    #[error("The expression has redundant parentheses;")]
    RedundantParentheses,
    /// A reserved word stands for an attribute.
    #[error("Attribute name is a reserved keyword; reserved keyword: {word}")]
    Reserved {
        /// The word as written.
        word: String,
    },
    /// A list index is out of range.
    #[error("List index is not within the allowable range; index: [{index}]")]
    ListIndex {
        /// The digits as written.
        index: String,
    },
    /// There is no such function.
    #[error("Invalid function name; function: {name}")]
    UnknownFunction {
        /// Its name.
        name: String,
    },
    /// A function of updates stands in a condition.
    #[error("The function is not allowed in a condition expression; function: {name}")]
    NotInCondition {
        /// Its name.
        name: String,
    },
    /// A function of conditions stands in an update.
    #[error("The function is not allowed in an update expression; function: {name}")]
    NotInUpdate {
        /// Its name.
        name: String,
    },
    /// A function stands where its result does not fit.
    #[error("The function is not allowed to be used this way in an expression; function: {name}")]
    MisusedFunction {
        /// Its name.
        name: String,
    },
    /// `attribute_type` is asked for no type.
    #[error(
        "Invalid attribute type name found; type: {name}, \
         valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
    )]
    UnknownType {
        /// The text given.
        name: String,
    },
    /// `SET`, `REMOVE`, `ADD` or `DELETE` stands twice.
    #[error("The \"{section}\" section can only be used once in an update expression;")]
    RepeatedSection {
        /// The section's keyword.
        section: &'static str,
    },
    /// A document path has more than 32 levels.
    #[error("The document path has too many nesting levels; nesting levels: {levels}")]
    PathTooDeep {
        /// Its levels.
        levels: usize,
    },
    /// One path uses as a list what the other uses as a map.
    #[error(
        "Two document paths conflict with each other; must remove or rewrite one of these paths; \
         path one: {one}, path two: {two}"
    )]
    PathsConflict {
        /// The earlier path.
        one: Path,
        /// The later path.
        two: Path,
    },
    /// One path contains the other.
    #[error(
        "Two document paths overlap with each other; must remove or rewrite one of these paths; \
         path one: {one}, path two: {two}"
    )]
    PathsOverlap {
        /// The earlier path.
        one: Path,
        /// The later path.
        two: Path,
    },
    /// A name placeholder stands for nothing.
    #[error(
        "An expression attribute name used in the document path is not defined; \
         attribute name: {name}"
    )]
    UndefinedName {
        /// The placeholder.
        name: String,
    },
    /// A value placeholder stands for nothing.
    #[error(
        "An expression attribute value used in expression is not defined; attribute value: {name}"
    )]
    UndefinedValue {
        /// The placeholder.
        name: String,
    },
    /// A function has too few or too many operands.
    #[error(
        "Incorrect number of operands for operator or function; \
         operator or function: {function}, number of operands: {count}"
    )]
    OperandCount {
        /// The function.
        function: String,
        /// How many operands it was given.
        count: usize,
    },
    /// An operator or function has an operand of a type that it does not take.
    #[error(
        "Incorrect operand type for operator or function; \
         operator or function: {function}, operand type: {kind}"
    )]
    OperandType {
        /// The operator or function.
        function: String,
        /// The type given.
        kind: &'static str,
    },
    /// `ADD` or `DELETE` has a value of a type that it does not take.
    #[error(
        "Incorrect operand type for operator or function; \
         operator: {action}, operand type: {kind}, typeSet: ALLOWED_FOR_{action}_OPERAND"
    )]
    ActionType {
        /// The section's keyword.
        action: &'static str,
        /// The type given, in the long form of this message.
        kind: &'static str,
    },
    /// A function needs a path, not a value.
    #[error("Operator or function requires a document path; operator or function: {function}")]
    PathRequired {
        /// The function.
        function: String,
    },
    /// A path is compared with itself.
    #[error(
        "The first operand must be distinct from the remaining operands for this operator or \
         function; operator: {operator}, first operand: {operand}"
    )]
    SameOperand {
        /// The operator or function.
        operator: String,
        /// The path.
        operand: Path,
    },
    /// Function calls or parentheses nest too deep inside one operand. The words are our own.
    #[error("The operand is nested too deeply; nesting levels: {levels}")]
    OperandTooDeep {
        /// The level at which the parser stopped.
        levels: usize,
    },
    /// There are more than 300 operators.
    #[error("The expression contains too many operators; operator count: {count}")]
    TooManyOperators {
        /// The count at which the parser stopped.
        count: usize,
    },
    /// `IN` has more than 100 operands.
    #[error("The IN operator is provided with too many operands; number of operands: {count}")]
    TooManyCandidates {
        /// How many it has.
        count: usize,
    },
    /// `BETWEEN` has bounds of two types.
    #[error(
        "The BETWEEN operator requires same data type for lower and upper bounds; \
         lower bound operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BetweenTypes {
        /// The lower bound.
        lower: Shown,
        /// The upper bound.
        upper: Shown,
    },
    /// `BETWEEN` has its bounds the wrong way round.
    #[error(
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; \
         lower bound operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BetweenOrder {
        /// The lower bound.
        lower: Shown,
        /// The upper bound.
        upper: Shown,
    },
}

/// A condition that is well formed, but no condition on a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyConditionProblem {
    /// An operator that keys do not have.
    #[error("Invalid operator used in KeyConditionExpression: {operator}")]
    Operator {
        /// The operator or function.
        operator: &'static str,
    },
    /// A function inside a comparison.
    #[error("KeyConditionExpressions cannot contain nested operations")]
    Nested,
    /// A path into a document.
    #[error("KeyConditionExpressions cannot have conditions on nested attributes")]
    NestedPath,
    /// Two paths in one condition.
    #[error(
        "Invalid condition in KeyConditionExpression: \
         Multiple attribute names used in one condition"
    )]
    ManyNames,
    /// No path in a condition.
    #[error("Invalid condition in KeyConditionExpression: No key attribute specified")]
    NoName,
    /// The path is not the first operand of `BETWEEN` or `begins_with`.
    #[error(
        "Invalid condition in KeyConditionExpression: \
         {operator} operator must have the key attribute as its first operand"
    )]
    NameNotFirst {
        /// The operator or function.
        operator: &'static str,
    },
    /// Two conditions on the same attribute.
    #[error("KeyConditionExpressions must only contain one condition per key")]
    Repeated,
    /// More conditions than a key has attributes.
    #[error("Conditions can be of length 1 or 2 only")]
    TooMany,
}

/// An update that cannot be applied to the item it found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A path leads into something that is not there, or is no map or list.
    #[error("The document path provided in the update expression is invalid for update")]
    InvalidPath,
    /// A value is taken from an attribute that is not there.
    #[error("The provided expression refers to an attribute that does not exist in the item")]
    MissingAttribute,
    /// A stored value has a type that the operation does not take.
    #[error("An operand in the update expression has an incorrect data type")]
    WrongType,
    /// A sum does not fit into a number.
    #[error(transparent)]
    Number(#[from] NumberError),
}

/// A value as messages show it, as in `{N:5}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(pub AttributeValue);

impl Problem {
    /// Returns the problem that two paths of one expression are, the earlier one first.
    pub fn of_clash(clash: Clash, one: Path, two: Path) -> Self {
        match clash {
            Clash::Overlap => Self::PathsOverlap { one, two },
            Clash::Conflict => Self::PathsConflict { one, two },
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
            Self::KeyCondition => "KeyConditionExpression",
        })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.0.kind();
        match &self.0 {
            AttributeValue::S(text) => write!(f, "{{{kind}:{text}}}"),
            AttributeValue::N(number) => write!(f, "{{{kind}:{number}}}"),
            AttributeValue::B(bytes) => write!(f, "{{{kind}:<{} bytes>}}", bytes.len()),
            // Bounds of these types are refused before they are shown.
            AttributeValue::Bool(_)
            | AttributeValue::Null
            | AttributeValue::M(_)
            | AttributeValue::L(_)
            | AttributeValue::Ss(_)
            | AttributeValue::Ns(_)
            | AttributeValue::Bs(_) => write!(f, "{{{kind}}}"),
        }
    }
}
