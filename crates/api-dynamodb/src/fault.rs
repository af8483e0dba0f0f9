//! Failures of the crates below as DynamoDB's exceptions: each mapped once, here.

use api_protocol::fault::Fault;
use expr::error::ExprError;
use expr::key_condition::BindError;
use item::codec::CodecError;
use item::key::{KeyError, KeyKind, KeyRole};
use table::tables::ReadError;

use crate::wire::value::ValueProblem;

/// Refuses a request that breaks a rule.
pub(crate) fn validation(message: impl Into<String>) -> Fault {
    Fault::caller("ValidationException", message)
}

/// Refuses a parameter, in the words that many such refusals share.
pub(crate) fn invalid_parameter(message: impl std::fmt::Display) -> Fault {
    validation(format!(
        "One or more parameter values were invalid: {message}"
    ))
}

/// Answers a data call that names a table there is not.
pub(crate) fn no_table() -> Fault {
    Fault::caller("ResourceNotFoundException", "Requested resource not found")
}

/// Answers a control call that names a table there is not.
pub(crate) fn no_table_named(name: &str) -> Fault {
    let message = format!("Requested resource not found: Table: {name} not found");
    Fault::caller("ResourceNotFoundException", message)
}

/// Answers a write whose condition does not hold.
pub(crate) fn condition_failed() -> Fault {
    Fault::caller("ConditionalCheckFailedException", CONDITION_FAILED)
}

/// Answers an `INSERT` of an item that there is.
pub(crate) fn duplicate_item() -> Fault {
    Fault::caller("DuplicateItemException", DUPLICATE_ITEM)
}

/// Answers a call whose key is not the table's.
pub(crate) fn wrong_key() -> Fault {
    validation("The provided key element does not match the schema")
}

/// Answers a call that reads or writes by key with a bad key.
pub(crate) fn bad_key(error: &KeyError) -> Fault {
    match error {
        KeyError::Missing { .. } | KeyError::WrongType { .. } | KeyError::Surplus { .. } => {
            wrong_key()
        }
        KeyError::Empty { .. } | KeyError::TooLong { .. } => bad_key_of_item(error),
    }
}

/// Answers a put of an item with a bad key.
pub(crate) fn bad_key_of_item(error: &KeyError) -> Fault {
    match error {
        KeyError::Missing { name } => {
            invalid_parameter(format_args!("Missing the key {name} in the item"))
        }
        KeyError::WrongType {
            name,
            expected,
            actual,
        } => {
            let expected = expected.as_kind();
            invalid_parameter(format_args!(
                "Type mismatch for key {name} expected: {expected} actual: {actual}"
            ))
        }
        KeyError::Empty { name, kind } => {
            let kind = match kind {
                KeyKind::S | KeyKind::N => "string",
                KeyKind::B => "binary",
            };
            validation(format!(
                "One or more parameter values are not valid. The AttributeValue for a key \
                 attribute cannot contain an empty {kind} value. Key: {name}"
            ))
        }
        KeyError::TooLong {
            role: KeyRole::Partition,
            ..
        } => invalid_parameter(
            // The missing space is the service's.
            "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        KeyError::TooLong {
            role: KeyRole::Sort,
            ..
        } => invalid_parameter(
            "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
        ),
        KeyError::Surplus { .. } => wrong_key(),
    }
}

impl From<ValueProblem> for Refused {
    fn from(problem: ValueProblem) -> Self {
        Self(validation(problem.to_string()))
    }
}

impl From<ExprError> for Refused {
    fn from(error: ExprError) -> Self {
        Self(validation(error.to_string()))
    }
}

impl From<BindError> for Refused {
    fn from(error: BindError) -> Self {
        Self(match error {
            BindError::Key(error) => bad_key_of_item(&error),
            error @ (BindError::Missed { .. }
            | BindError::NotSupported
            | BindError::TooMany
            | BindError::WrongType) => validation(error.to_string()),
        })
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        Self(ours(&error))
    }
}

impl From<CodecError> for Refused {
    fn from(error: CodecError) -> Self {
        Self(ours(&error))
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

/// A call that was not done, with its answer. Errors of the crates below turn into it by `?`.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Fault);

/// Returns the code that a fault has as the reason for which a transaction is cancelled, and as the
/// error of a statement of a batch.
pub(crate) fn reason_code(fault: &Fault) -> &'static str {
    match &*fault.code {
        "AccessDeniedException" => "AccessDenied",
        "ConditionalCheckFailedException" => "ConditionalCheckFailed",
        "DuplicateItemException" => "DuplicateItem",
        "ItemCollectionSizeLimitExceededException" => "ItemCollectionSizeLimitExceeded",
        "ProvisionedThroughputExceededException" => "ProvisionedThroughputExceeded",
        "ResourceNotFoundException" => "ResourceNotFound",
        "ThrottlingException" => "ThrottlingError",
        "TransactionConflictException" => "TransactionConflict",
        "ValidationException" => "ValidationError",
        _ => "InternalServerError",
    }
}

/// Logs a failure of ours, and answers with it.
pub(crate) fn ours(error: &(dyn std::error::Error + 'static)) -> Fault {
    tracing::error!(error, "a call failed");
    Fault::ourselves("Internal server error")
}

pub(crate) const CONDITION_FAILED: &str = "The conditional request failed";
pub(crate) const DUPLICATE_ITEM: &str = "Duplicate primary key exists in table";
