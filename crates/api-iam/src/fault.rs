//! IAM's exceptions, and what of the crates below becomes which.
//!
//! Source: botocore's model of IAM (`exceptions`); answers of AWS's endpoints as public clients
//! record them.

use api_protocol::fault::Fault;
use control::access::AccessError;
use control::control::ControlError;
use http::StatusCode;
use iam::mistake::Mistakes;

/// Answers a call that names what there is not.
pub(crate) fn no_such(what: &str) -> Fault {
    Fault::caller("NoSuchEntity", what).with_status(StatusCode::NOT_FOUND)
}

/// Answers a call that names a user there is not.
pub(crate) fn no_user(name: &str) -> Fault {
    no_such(&format!("The user with name {name} cannot be found."))
}

/// Answers a call that makes what there is.
pub(crate) fn exists(what: &str) -> Fault {
    Fault::caller("EntityAlreadyExists", what).with_status(StatusCode::CONFLICT)
}

/// Answers a call that would exceed a quota.
pub(crate) fn limit(what: &str) -> Fault {
    Fault::caller("LimitExceeded", what).with_status(StatusCode::CONFLICT)
}

/// Answers a deletion of what still has something.
pub(crate) fn in_use(what: &str) -> Fault {
    Fault::caller("DeleteConflict", what).with_status(StatusCode::CONFLICT)
}

/// Answers a call with a parameter of the wrong shape, or without one that it needs.
pub(crate) fn invalid(what: &str) -> Fault {
    Fault::caller("ValidationError", what)
}

/// Answers a call that brings a document that is no policy.
pub(crate) fn malformed(mistakes: &Mistakes) -> Fault {
    if mistakes.is_too_long() {
        return limit(&mistakes.message());
    }
    Fault::caller("MalformedPolicyDocument", mistakes.message())
}

/// Answers a change that was not made.
pub(crate) fn unchanged(error: &ControlError) -> Fault {
    match error {
        ControlError::Unexpected(_) => {
            let message = "Somebody else has changed it meanwhile. Read it and try again.";
            Fault::caller("ConcurrentModification", message)
                .with_status(StatusCode::CONFLICT)
                .with_retry()
        }
        error @ (ControlError::TooMany
        | ControlError::Invalid { .. }
        | ControlError::Bad(_)
        | ControlError::Write(_)
        | ControlError::Read(_)) => {
            tracing::error!(%error, "a change of access was not made");
            let mut fault = Fault::ourselves("The change could not be made");
            fault.code = "ServiceFailure".into();
            fault
        }
    }
}

/// Answers a change of keys that was not made.
pub(crate) fn no_key(error: &AccessError) -> Fault {
    match error {
        AccessError::TooManyKeys => limit("Cannot exceed quota for AccessKeysPerUser: 2"),
        AccessError::Control(error) => unchanged(error),
    }
}
