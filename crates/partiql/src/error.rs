//! What can be wrong with a statement, in DynamoDB's own words.
//!
//! All are a `ValidationException`; what an item refuses is told by the plan's caller.
//! Source: DynamoDB's published error texts, and answers of DynamoDB and of DynamoDB Local.

use std::fmt;

use expr::error::Problem;

use crate::limits::{NESTING_MAX, STATEMENT_CHARACTERS_MAX};

mod calls;
mod keys;
mod operands;
mod values;

pub use calls::CallProblem;
pub use keys::KeyProblem;
pub use operands::OperandProblem;
pub use values::ValueProblem;

/// A statement that is refused before any item is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartiqlError {
    /// It is longer than 8,192 characters.
    #[error("Member must have length less than or equal to {STATEMENT_CHARACTERS_MAX}")]
    TooLong,
    /// It does not follow the grammar.
    #[error("Statement wasn't well formed, can't be processed: {0}")]
    Malformed(Malformed),
    /// It asks for something that PartiQL has and DynamoDB has not.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// It names a table or an index in a way that cannot be.
    #[error(transparent)]
    Source(#[from] SourceProblem),
    /// A value is wrong.
    #[error(transparent)]
    Value(#[from] ValueProblem),
    /// What it returns cannot be returned.
    #[error(transparent)]
    Returning(#[from] ReturningProblem),
    /// An operand of a condition or an update is wrong.
    #[error(transparent)]
    Operand(#[from] OperandProblem),
    /// What it says of the key is wrong.
    #[error(transparent)]
    Key(#[from] KeyProblem),
    /// Its order cannot be had.
    #[error(transparent)]
    Order(#[from] OrderProblem),
    /// A condition, a projection or an update is wrong as it is in any expression.
    #[error(transparent)]
    Expression(Box<Problem>),
    /// There are more or fewer parameters than question marks.
    #[error("Number of parameters in request and statement don't match.")]
    ParameterCount,
}

/// Where in a statement something stands. Lines and columns count from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// How many characters it has.
    pub length: usize,
}

/// How a statement breaks the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It starts with nothing that reads or writes.
    #[error("Expected data manipulation")]
    ExpectedDataManipulation,
    /// A keyword stands where none may.
    #[error("Unexpected keyword")]
    Keyword,
    /// A name or a literal stands where none may.
    #[error("Unexpected term")]
    Term,
    /// An operator stands where none may.
    #[error("Unexpected operator")]
    Operator,
    /// A character starts no token.
    #[error("Unexpected token")]
    Token,
    /// It ends too early.
    #[error("Unexpected end of statement")]
    End,
    /// No name follows the dot of a path.
    #[error("Invalid path dot component")]
    PathDot,
    /// A name was to stand there.
    #[error("Expected identifier for simple path")]
    ExpectedIdentifier,
    /// A text, a name or a comment does not end.
    #[error("Unterminated literal")]
    Unterminated,
    /// It nests deeper than the parser follows. The words are our own.
    #[error("Nesting levels exceed {NESTING_MAX}")]
    TooDeep,
    /// There is more than one statement.
    #[error("Only one operation is allowed in a statement.")]
    ManyStatements,
}

/// What PartiQL has and DynamoDB has not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// A clause of `SELECT` or `INSERT`.
    #[error("Unsupported clause: {0}")]
    Clause(&'static str),
    /// A statement.
    #[error("Unsupported operation: {0}")]
    Operation(&'static str),
    /// A part of an expression.
    #[error("Unsupported token in expression: {word}{at}")]
    Token {
        /// The part's keyword.
        word: String,
        /// Where it stands.
        at: Position,
    },
    /// `SELECT DISTINCT`.
    #[error("Unsupported token in expression: DISTINCT")]
    Distinct,
    /// `AS`.
    #[error("Aliasing is not supported")]
    Alias,
    /// `AT` in `INSERT`.
    #[error("AT is not supported in insert statements.{at}")]
    At {
        /// Where it stands.
        at: Position,
    },
    /// `SELECT VALUE`, `PIVOT`.
    #[error("Select projection doesn't support value or pivot keywords")]
    SelectValue,
    /// A star and something else.
    #[error("Other attributes should not be present in the projection when '*' is used.")]
    StarAndOthers,
    /// `SELECT table.*`.
    #[error("Changing item's hierarchy while reading isn't supported")]
    Hierarchy,
    /// `INSERT` of several items, or of none.
    #[error(
        "Unsupported operation: Inserting multiple items in a single statement is not supported, \
         use \"INSERT INTO tableName VALUE item\" instead"
    )]
    InsertMany,
    /// `EXISTS` around something that is no `SELECT`.
    #[error("EXISTS() must contain a single item read with additional condition")]
    ExistsOfOther,
}

/// What is wrong with the table or index of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceProblem {
    /// It is no name.
    #[error("Unexpected from source")]
    Unexpected,
    /// There are several tables.
    #[error("Only select from a single table or index is supported.")]
    Many,
    /// A write names an index.
    #[error("This operation is not supported on an index")]
    WriteOnIndex,
    /// An `INSERT` names an index.
    #[error("FROM clause may only contain a single table name in data manipulation statements")]
    InsertIntoIndex,
    /// There are more than a table and an index.
    #[error("A path may contain at most 2 components in the FROM clause")]
    LongPath,
    /// There is an index of a list in it.
    #[error("Invalid list expression in source.")]
    ListIndex,
    /// The table's name cannot be one.
    #[error(
        "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', \
         '-', '_', '.'."
    )]
    TableName,
    /// An `EXISTS` names an index.
    #[error("Operations on indices are not supported in transactions")]
    CheckOnIndex,
}

/// What is wrong with a `RETURNING`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReturningProblem {
    /// An `INSERT` has one.
    #[error("RETURNING is not supported in INSERT")]
    Insert,
    /// A `DELETE` has another one than `ALL OLD *`.
    #[error(
        "Invalid returning clause: RETURNING {0}. \
         Only RETURNING ALL OLD * is allowed in DELETE statements."
    )]
    Delete(&'static str),
    /// It has several elements.
    #[error("Invalid syntax with multiple returning elements in RETURNING clause")]
    Many,
    /// It does not end in a star.
    #[error("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")]
    NoStar,
}

/// What is wrong with an `ORDER BY`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderProblem {
    /// There is no `WHERE`.
    #[error("Must have WHERE clause in the statement when using ORDER BY clause.")]
    NoWhere,
    /// The `WHERE` names no partition.
    #[error(
        "Must have at least one non-optional hash key condition in WHERE clause when using \
         ORDER BY clause."
    )]
    NoPartition,
    /// It orders by an attribute that is not of the key.
    #[error("Variable reference {0} in ORDER BY clause must be part of the primary key")]
    NotOfKey(String),
    /// It orders by something that is no attribute.
    #[error("Argument to ORDER BY must be of type VariableReference. Type: {0}")]
    NoName(String),
    /// The `WHERE` names several partitions, and it does not order them.
    #[error(
        "Must have hash key in ORDER BY clause when more than one hash key condition specified in \
         WHERE clause."
    )]
    ManyPartitions,
}

impl fmt::Display for Position {
    /// Writes the place as messages end with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " at {}:{}:{}", self.line, self.column, self.length)
    }
}

impl From<Problem> for PartiqlError {
    fn from(problem: Problem) -> Self {
        if let Problem::UnknownFunction { name } = problem {
            return Self::Operand(OperandProblem::Function(name));
        }
        Self::Expression(Box::new(problem))
    }
}

impl From<Malformed> for PartiqlError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
