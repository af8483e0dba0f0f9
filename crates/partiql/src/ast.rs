//! Statements as they are written: nothing is bound, and nothing is known of the table.
//!
//! Depth and breadth are bounded by the parser.

use expr::condition::Comparator;
use expr::path::Path;

use crate::error::Position;
use crate::plan::{Direction, Returning};

/// What a statement says.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Select(Select),
    Insert(Insert),
    Update(Update),
    Delete(Delete),
    /// `EXISTS` around a `SELECT`.
    Exists(Select),
}

/// A table, or an index of one.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) table: String,
    pub(crate) index: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Select {
    /// What is selected; `None` for a star.
    pub(crate) list: Option<Vec<Node>>,
    pub(crate) source: Source,
    pub(crate) condition: Option<Node>,
    pub(crate) order: Vec<(Node, Direction)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Insert {
    pub(crate) source: Source,
    pub(crate) item: Node,
}

#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) source: Source,
    pub(crate) changes: Vec<Change>,
    pub(crate) condition: Option<Node>,
    pub(crate) returning: Option<Returning>,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set { path: Path, value: Node },
    Remove { path: Path },
}

#[derive(Clone, Debug)]
pub(crate) struct Delete {
    pub(crate) source: Source,
    pub(crate) condition: Option<Node>,
    pub(crate) returning: Option<Returning>,
}

/// A part of an expression, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) at: Position,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Missing,
    Path(Path),
    Literal(Literal),
    /// A function, its name in lower case.
    Call {
        name: String,
        arguments: Vec<Node>,
    },
    Operation(Operation),
}

/// What is a value whatever the item is, if its parts are.
#[derive(Clone, Debug)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    /// A number as written, with its sign.
    Number(String),
    Text(String),
    Ion(String),
    /// The parameter of this place, from 0.
    Parameter(usize),
    List(Vec<Node>),
    Bag(Vec<Node>),
    /// Keys and values.
    Tuple(Vec<(Node, Node)>),
}

/// An operator with its operands.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Not(Box<Node>),
    /// At least two.
    And(Vec<Node>),
    /// At least two.
    Or(Vec<Node>),
    /// A sign before something that is no number.
    Signed,
    Binary {
        operator: Operator,
        left: Box<Node>,
        right: Box<Node>,
    },
    Between {
        operand: Box<Node>,
        lower: Box<Node>,
        upper: Box<Node>,
    },
    In {
        operand: Box<Node>,
        candidates: Box<Node>,
    },
    Is {
        operand: Box<Node>,
        /// The type's name as written.
        kind: String,
    },
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Compare(Comparator),
    Plus,
    Minus,
    /// One that DynamoDB does not have.
    Other(&'static str),
}

impl Operator {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Compare(comparator) => comparator.as_str(),
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Other(operator) => operator,
        }
    }
}

impl From<Literal> for NodeKind {
    fn from(literal: Literal) -> Self {
        Self::Literal(literal)
    }
}

impl Operation {
    /// Returns the operator, as messages show it.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Not(_) => "not",
            Self::And(_) => "and",
            Self::Or(_) => "or",
            Self::Signed => "-",
            Self::Binary { operator, .. } => operator.as_str(),
            Self::Between { .. } => "between",
            Self::In { .. } => "in",
            Self::Is { .. } => "is",
        }
    }
}

impl Literal {
    /// Returns the literal's type, as messages about values show it.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "BOOL",
            Self::Number(text) if text.bytes().any(|byte| !byte.is_ascii_digit()) => "DECIMAL",
            Self::Number(_) => "INT",
            Self::Text(_) => "STRING",
            Self::Ion(_) => "ION",
            Self::Parameter(_) => "Parameter",
            Self::List(_) => "LIST",
            Self::Bag(_) => "BAG",
            Self::Tuple(_) => "STRUCT",
        }
    }
}

impl Node {
    /// Makes the node of an operator that stands at a place.
    pub(crate) const fn operation(operation: Operation, at: Position) -> Self {
        let kind = NodeKind::Operation(operation);
        Self { kind, at }
    }

    /// Returns what the node is, as messages about values show it.
    pub(crate) fn shown(&self) -> String {
        let shown = match &self.kind {
            NodeKind::Missing => "MISSING",
            NodeKind::Path(path) if path.steps().is_empty() => "VariableReference",
            NodeKind::Path(_) => "PATH",
            NodeKind::Literal(literal) => literal.as_str(),
            NodeKind::Call { name, .. } => name,
            NodeKind::Operation(operation) => operation.as_str(),
        };
        shown.to_owned()
    }
}
