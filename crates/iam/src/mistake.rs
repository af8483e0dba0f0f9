//! What is wrong with a policy document, and where.
//!
//! The wording is AWS's where its answers are known.
//! Source: answers of AWS's endpoints as recorded by public clients and compatible servers.

use std::fmt;

/// A mistake in a policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is, as in `Statement[0].Condition.StringLike["aws:username"]`; empty for the whole
    /// document.
    pub place: String,
    /// What it is.
    pub problem: Problem,
}

/// What is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The document is too long.
    #[error("Cannot exceed quota for PolicySize: {most} (the document has {length})")]
    TooLong {
        /// Its length as it is counted.
        length: usize,
        /// The most.
        most: usize,
    },
    /// The document nests too deep.
    #[error("Syntax errors in policy. (it nests too deep)")]
    TooDeep,
    /// The document is no JSON.
    #[error("Syntax errors in policy. (line {line}, column {column})")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A character that policies must not have.
    #[error("The specified value for policyDocument is invalid: U+{0:04X} is not allowed in it")]
    Character(u32),
    /// A value is of another type.
    #[error("Syntax errors in policy. (wanted {0})")]
    Wanted(&'static str),
    /// A member that policies do not have.
    #[error("Syntax errors in policy. (unknown element {0:?})")]
    Unknown(String),
    /// A member comes twice.
    #[error("Syntax errors in policy. (element {0:?} comes twice)")]
    Twice(String),
    /// A member is missing.
    #[error("Missing required field {0}")]
    Missing(&'static str),
    /// Two members exclude each other.
    #[error("Syntax errors in policy. ({0} and {1} exclude each other)")]
    Both(&'static str, &'static str),
    /// A list has nothing in it.
    #[error("Missing required field {0} cannot be empty!")]
    Empty(&'static str),
    /// A statement has no actions.
    #[error("Policy statement must contain actions.")]
    NoActions,
    /// A statement has no resources.
    #[error("Policy statement must contain resources.")]
    NoResources,
    /// The version is unknown.
    #[error("Policy document must be version 2012-10-17 or greater.")]
    Version,
    /// The effect is neither.
    #[error("Invalid effect: {0}")]
    Effect(String),
    /// A statement's id has characters that it must not have.
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
         expression [0-9A-Za-z]*"
    )]
    Sid,
    /// Two statements have one id.
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    SameSid,
    /// An action has no service.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    Vendor,
    /// An action is otherwise malformed.
    #[error("Actions/Condition can contain only one colon.")]
    Colons,
    /// An action's service is malformed.
    #[error("Vendor {0} is not valid")]
    BadVendor(String),
    /// A resource is no ARN.
    #[error("Resource {0} must be in ARN format or \"*\".")]
    Resource(String),
    /// A resource's service is missing or has wildcards.
    #[error("Resource vendor must be fully qualified and cannot contain regexes.")]
    ResourceVendor,
    /// A resource's partition is unknown.
    #[error("Partition \"{partition}\" is not valid for resource \"{resource}\".")]
    Partition {
        /// The partition.
        partition: String,
        /// The resource.
        resource: String,
    },
    /// A variable stands where none may.
    #[error("Policy variables may stand after the fifth colon of an ARN only: {0}")]
    VariablePlace(String),
    /// A variable cannot be read.
    #[error("Policy variable is malformed: {0}")]
    Variable(String),
    /// An identity's policy names principals.
    #[error("Policy document should not specify a principal.")]
    PrincipalNotAllowed,
    /// A resource's policy names none.
    #[error("Missing required field Principal")]
    PrincipalMissing,
    /// A principal cannot be read.
    #[error("Invalid principal in policy: {0:?}")]
    Principal(String),
    /// All but some are allowed.
    #[error("Allow with NotPrincipal is not supported.")]
    AllowNotPrincipal,
    /// A condition's operator is unknown.
    #[error("Invalid Condition type : {0}.")]
    Operator(String),
    /// A condition's value does not suit its operator.
    #[error("Invalid value {value:?} for condition operator {operator}")]
    Value {
        /// The operator.
        operator: String,
        /// The value.
        value: String,
    },
}

/// All mistakes of a document, in their order, at least one.
///
/// Shape: at most [`crate::limits::MISTAKES_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(crate) fn new(mistakes: Vec<Mistake>) -> Self {
        debug_assert!(!mistakes.is_empty(), "a refusal has a reason");
        Self(mistakes)
    }

    /// Returns the mistakes.
    pub fn as_slice(&self) -> &[Mistake] {
        &self.0
    }

    /// Returns AWS's message for the document, without places: AWS tells one mistake alone, and
    /// of those of syntax no more than that there are some.
    pub fn message(&self) -> String {
        let syntax = self.0.iter().find(|mistake| mistake.problem.is_syntax());
        match (syntax, self.0.first()) {
            (Some(_), _) | (None, None) => SYNTAX.to_owned(),
            (None, Some(mistake)) => mistake.problem.to_string(),
        }
    }

    /// Returns whether the document is refused for its length alone.
    pub fn is_too_long(&self) -> bool {
        let first = self.0.first();
        first.is_some_and(|mistake| matches!(mistake.problem, Problem::TooLong { .. }))
    }
}

impl Problem {
    /// Returns whether AWS calls it an error of syntax, whatever it is.
    fn is_syntax(&self) -> bool {
        match self {
            Self::TooDeep
            | Self::Syntax { .. }
            | Self::Wanted(_)
            | Self::Unknown(_)
            | Self::Twice(_)
            | Self::Missing(_)
            | Self::Both(..)
            | Self::Empty(_)
            | Self::Effect(_)
            | Self::Operator(_)
            | Self::Value { .. }
            | Self::Variable(_) => true,
            Self::TooLong { .. }
            | Self::Character(_)
            | Self::Version
            | Self::NoActions
            | Self::NoResources
            | Self::Sid
            | Self::SameSid
            | Self::Vendor
            | Self::Colons
            | Self::BadVendor(_)
            | Self::Resource(_)
            | Self::ResourceVendor
            | Self::Partition { .. }
            | Self::VariablePlace(_)
            | Self::PrincipalNotAllowed
            | Self::PrincipalMissing
            | Self::Principal(_)
            | Self::AllowNotPrincipal => false,
        }
    }
}

const SYNTAX: &str = "Syntax errors in policy.";

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            write!(f, "{}", self.problem)
        } else {
            write!(f, "{}: {}", self.place, self.problem)
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            if 0 < at {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
