//! What goes wrong, as Route 53 words it.
//!
//! It decides nothing; each function is one error of the service model.
//! Source: the error shapes of Route 53's service model; messages as clients report them.

use api_protocol::fault::Fault;
use control::control::ControlError;
use http::StatusCode;

pub(crate) fn invalid_input(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidInput", message)
}

/// Every mistake of a batch at once.
pub(crate) fn invalid_change_batch(messages: &[String]) -> Fault {
    Fault::caller("InvalidChangeBatch", format!("[{}]", messages.join(", ")))
}

pub(crate) fn no_such_hosted_zone(id: &str) -> Fault {
    let message = format!("No hosted zone found with ID: {id}");
    Fault::caller("NoSuchHostedZone", message).with_status(StatusCode::NOT_FOUND)
}

pub(crate) fn no_such_health_check(id: &str) -> Fault {
    let message = format!("No health check exists with the specified ID {id}.");
    Fault::caller("NoSuchHealthCheck", message).with_status(StatusCode::NOT_FOUND)
}

pub(crate) fn no_such_collection(id: &str) -> Fault {
    let message = format!("No CIDR collection exists with the specified ID {id}.");
    Fault::caller("NoSuchCidrCollectionException", message).with_status(StatusCode::NOT_FOUND)
}

pub(crate) fn no_such_location(name: &str) -> Fault {
    let message = format!("The CIDR collection has no location {name}.");
    Fault::caller("NoSuchCidrLocationException", message).with_status(StatusCode::NOT_FOUND)
}

/// Another change of the same collection came first; the caller may try again.
pub(crate) fn collection_not_changed(error: ControlError) -> Fault {
    match error {
        ControlError::Unexpected(_) => {
            let message = "Another request changed the CIDR collection at the same time.";
            Fault::caller("ConcurrentModification", message).with_retry()
        }
        other @ (ControlError::TooMany
        | ControlError::Invalid { .. }
        | ControlError::Bad(_)
        | ControlError::Write(_)
        | ControlError::Read(_)) => not_changed(other),
    }
}

pub(crate) fn no_such_change(id: &str) -> Fault {
    let message = format!("Could not find resource with ID: {id}");
    Fault::caller("NoSuchChange", message).with_status(StatusCode::NOT_FOUND)
}

pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Fault {
    Fault::caller(code, message).with_status(StatusCode::CONFLICT)
}

/// Another change of the same resource came first; the caller may try again.
pub(crate) fn prior_request_not_complete() -> Fault {
    let message = "The request was rejected because Route 53 was still processing a prior request.";
    Fault::caller("PriorRequestNotComplete", message).with_retry()
}

/// Maps a failed change: what was not as expected was changed by somebody else meanwhile.
pub(crate) fn not_changed(error: ControlError) -> Fault {
    match error {
        ControlError::Unexpected(_) => prior_request_not_complete(),
        ControlError::TooMany => invalid_change_batch(&[error.to_string()]),
        ControlError::Invalid { reason, .. } => invalid_input(reason),
        ControlError::Bad(_) | ControlError::Write(_) | ControlError::Read(_) => {
            tracing::error!(%error, "a change of DNS resources failed");
            Fault::ourselves(error.to_string())
        }
    }
}
