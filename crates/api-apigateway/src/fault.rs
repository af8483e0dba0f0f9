//! Failures as API Gateway's exceptions: each mapped once, here.

use api_protocol::fault::Fault;
use control::control::ControlError;
use http::StatusCode;
use serde_json::Value;

/// Refuses a request that breaks a rule, or asks for what is not supported.
pub(crate) fn bad_request(message: impl Into<String>) -> Fault {
    Fault::caller("BadRequestException", message)
}

/// Refuses a member that has no meaning here.
pub(crate) fn unsupported(member: &str) -> Fault {
    bad_request(format!("{member} is not supported"))
}

/// Answers a call that names a resource there is not.
pub(crate) fn not_found(kind: &str, name: &str) -> Fault {
    let message = format!("Invalid {kind} identifier specified {name}");
    Fault::caller("NotFoundException", message.trim_end())
        .with_status(StatusCode::NOT_FOUND)
        .with_detail("resourceType", Value::from(kind))
}

/// Answers a call that collides with what there is.
pub(crate) fn conflict(message: impl Into<String>) -> Fault {
    Fault::caller("ConflictException", message).with_status(StatusCode::CONFLICT)
}

/// Answers a call that would exceed a quota.
pub(crate) fn too_many(what: &str, most: usize) -> Fault {
    let message = format!("The maximum number of {what} has been reached: {most}");
    Fault::caller("TooManyRequestsException", message)
        .with_status(StatusCode::TOO_MANY_REQUESTS)
        .with_detail("limitType", Value::from(what))
}

/// Answers a call whose change was not made.
pub(crate) fn unchanged(error: &ControlError) -> Fault {
    match error {
        ControlError::Unexpected(_) => {
            conflict("The resource was changed at the same time. Please try again").with_retry()
        }
        ControlError::TooMany | ControlError::Invalid { .. } => bad_request(error.to_string()),
        ControlError::Bad(_) | ControlError::Write(_) | ControlError::Read(_) => {
            tracing::error!(%error, "resources could not be changed");
            Fault::ourselves("The resource could not be stored")
        }
    }
}
