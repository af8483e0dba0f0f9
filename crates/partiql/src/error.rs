//! What can be wrong with a statement, in DynamoDB's own words.
//!
//! All are a `ValidationException`; what an item refuses is told by the plan's caller.
//! Source: DynamoDB's published error texts, and answers of DynamoDB and of DynamoDB Local.

use std::fmt;

use expr::error::Problem;
use item::key::{KeyError, KeyKind, KeyRole};
use item::number::NumberError;

use crate::limits::{NESTING_MAX, STATEMENT_CHARACTERS_MAX};

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
    Unsupported(Unsupported),
    /// It names a table or an index in a way that cannot be.
    #[error(transparent)]
    Source(SourceProblem),
    /// A value is wrong.
    #[error(transparent)]
    Value(ValueProblem),
    /// What it returns cannot be returned.
    #[error(transparent)]
    Returning(ReturningProblem),
    /// An operand of a condition or an update is wrong.
    #[error(transparent)]
    Operand(OperandProblem),
    /// What it says of the key is wrong.
    #[error(transparent)]
    Key(KeyProblem),
    /// Its order cannot be had.
    #[error(transparent)]
    Order(OrderProblem),
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

/// A statement that may not stand in the call that it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallProblem {
    /// An `EXISTS` outside a transaction.
    #[error("EXISTS can only be used in ExecuteTransaction write requests.")]
    ExistsOutside,
    /// A `SELECT` in a transaction reads more than the item of a key, or tests it.
    #[error(
        "Select statements within ExecuteTransaction must specify the primary key in the where \
         clause."
    )]
    SelectInTransaction,
    /// A `SELECT` in a batch reads more than the item of a key, or tests it.
    #[error(
        "Select statements within BatchExecuteStatement must specify the primary key in the where \
         clause."
    )]
    SelectInBatch,
    /// A `SELECT` in a transaction reads an index.
    #[error("Reads on indices are not supported within transactions.")]
    IndexInTransaction,
    /// A write in a transaction returns an item.
    #[error("RETURNING clause is not supported in ExecuteTransaction.")]
    ReturningInTransaction,
    /// A transaction reads and writes.
    #[error(
        "ExecuteTransaction API does not support both read and write operations in the same \
         request."
    )]
    MixedTransaction,
    /// A batch reads and writes.
    #[error("Read and write requests together in the same batch is not supported.")]
    MixedBatch,
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

macro_rules! families {
    ($($variant:ident($problem:ty)),* $(,)?) => {
        $(impl From<$problem> for PartiqlError {
            fn from(problem: $problem) -> Self {
                Self::$variant(problem)
            }
        })*
    };
}

families! {
    Malformed(Malformed),
    Unsupported(Unsupported),
    Source(SourceProblem),
    Value(ValueProblem),
    Returning(ReturningProblem),
    Operand(OperandProblem),
    Key(KeyProblem),
    Order(OrderProblem),
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
