//! Failures as Certificate Manager's exceptions: each mapped once, here.

use api_protocol::fault::Fault;
use control::control::ControlError;

/// Refuses a request that breaks a rule, or asks for what is not supported.
pub(crate) fn validation(message: impl Into<String>) -> Fault {
    Fault::caller("ValidationException", message)
}

/// Answers a call that names a certificate there is not.
pub(crate) fn no_certificate(arn: &str) -> Fault {
    let message = format!("Could not find certificate {arn}.");
    Fault::caller("ResourceNotFoundException", message)
}

/// Refuses a text that is no ARN of a certificate.
pub(crate) fn invalid_arn(arn: &str) -> Fault {
    Fault::caller(
        "InvalidArnException",
        format!("{arn:?} is no certificate ARN"),
    )
}

/// Answers a call whose change was not made.
pub(crate) fn unchanged(error: &ControlError) -> Fault {
    match error {
        ControlError::Unexpected(_) => Fault::caller(
            "ConflictException",
            "The certificate was changed at the same time. Please try again",
        )
        .with_retry(),
        ControlError::TooMany | ControlError::Invalid { .. } => validation(error.to_string()),
        ControlError::Bad(_) | ControlError::Write(_) | ControlError::Read(_) => {
            tracing::error!(%error, "a certificate could not be stored");
            Fault::ourselves("The certificate could not be stored")
        }
    }
}
