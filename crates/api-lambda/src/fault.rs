//! Lambda's exceptions, and which of our errors become which.
//!
//! Source: Lambda API reference, the errors of each call.

use api_protocol::fault::Fault;
use base::name::AccountId;
use base::region::RegionName;
use control::control::ControlError;
use http::StatusCode;
use serde_json::json;

use crate::port::RunError;

/// A member outside its constraints.
pub(crate) fn validation(value: &str, member: &str, constraint: &str) -> Fault {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy \
         constraint: {constraint}"
    );
    Fault::caller("ValidationException", message)
}

/// A member whose value cannot be used.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidParameterValueException", message)
}

/// A member that this service does not serve.
pub(crate) fn unsupported(member: &str) -> Fault {
    invalid(format!("{member} is not supported by Hither"))
}

/// Something that is not there.
pub(crate) fn not_found(message: impl Into<String>) -> Fault {
    Fault::caller("ResourceNotFoundException", message).with_status(StatusCode::NOT_FOUND)
}

/// A function that is not there.
pub(crate) fn no_function(
    region: &RegionName,
    account: AccountId,
    name: &str,
    qualifier: Option<&str>,
) -> Fault {
    let arn = arn(region, account, name);
    let qualifier = qualifier.map_or_else(String::new, |qualifier| format!(":{qualifier}"));
    not_found(format!("Function not found: {arn}{qualifier}"))
}

/// Returns a function's ARN.
pub(crate) fn arn(region: &RegionName, account: AccountId, name: &str) -> String {
    base::arn::Arn::new("lambda", region, account, format!("function:{name}")).to_string()
}

/// Something that is there already, or has just changed.
pub(crate) fn conflict(message: impl Into<String>) -> Fault {
    Fault::caller("ResourceConflictException", message).with_status(StatusCode::CONFLICT)
}

/// A revision that is not the latest.
pub(crate) fn stale_revision() -> Fault {
    let message = "The Revision Id provided does not match the latest Revision Id. \
                   Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
    Fault::caller("PreconditionFailedException", message)
        .with_status(StatusCode::PRECONDITION_FAILED)
}

/// A body that is too large for its operation.
pub(crate) fn too_large(operation: &str, bytes_max: usize) -> Fault {
    let message =
        format!("Request must be smaller than {bytes_max} bytes for the {operation} operation");
    Fault::caller("RequestTooLargeException", message).with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

/// A fault of ours.
pub(crate) fn service(message: impl Into<String>) -> Fault {
    let mut fault = Fault::ourselves(message);
    fault.code = "ServiceException".into();
    fault
}

/// A change of the function `arn` that was not made.
pub(crate) fn of_change(error: &ControlError, arn: &str) -> Fault {
    match error {
        ControlError::Unexpected(_) => conflict(format!(
            "The operation cannot be performed at this time. An update is in progress for \
             resource: {arn}"
        ))
        .with_retry(),
        ControlError::Invalid { reason, .. } => invalid(reason.clone()),
        ControlError::TooMany
        | ControlError::Bad(_)
        | ControlError::Write(_)
        | ControlError::Read(_) => {
            tracing::error!(%error, arn, "a function was not changed");
            service("The function could not be stored.")
        }
    }
}

/// An invocation of the function `name` that did not run to an end.
pub(crate) fn of_run(
    error: &RunError,
    region: &RegionName,
    account: AccountId,
    name: &str,
) -> Fault {
    match error {
        RunError::NotFound => no_function(region, account, name, None),
        RunError::Throttled => Fault::caller("TooManyRequestsException", "Rate Exceeded.")
            .with_status(StatusCode::TOO_MANY_REQUESTS)
            .with_retry()
            .with_detail(
                "Reason",
                json!("ReservedFunctionConcurrentInvocationLimitExceeded"),
            ),
        RunError::TimedOut | RunError::Unavailable(_) => {
            tracing::warn!(%error, name, "an invocation did not run to an end");
            service(format!("The function was not run to an end: {error}"))
        }
    }
}
