//! A failed call as the client will see it: code, message, status.
//!
//! It is protocol-free: [`crate::json`], [`crate::rest_json`], [`crate::rest_xml`] and
//! [`crate::query`] write it. Each facade maps its own errors to it once.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value};

/// A failure that is the answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The exception's name in the service's model, without a prefix.
    pub code: Cow<'static, str>,
    /// What went wrong, for people.
    pub message: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// Whose fault it is.
    pub blame: Blame,
    /// Whether the same call may succeed later.
    pub retry: Retry,
    details: Option<Box<Map<String, Value>>>,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The client sent something that cannot be done.
    Caller,
    /// Another process that we depend on did not do its part.
    Peer,
    /// We did not do our part.
    Ourselves,
}

/// Whether a failed call is worth sending again, unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It will fail again.
    Never,
    /// It may succeed.
    Later,
}

impl Fault {
    /// Makes a fault of the client's: status 400, not to be retried.
    pub fn caller(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status: StatusCode::BAD_REQUEST,
            blame: Blame::Caller,
            retry: Retry::Never,
            details: None,
        }
    }

    /// Makes a fault of ours: `InternalServerError`, status 500, to be retried.
    pub fn ourselves(message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed("InternalServerError"),
            message: message.into(),
            status: StatusCode::INTERNAL_SERVER_ERROR,
            blame: Blame::Ourselves,
            retry: Retry::Later,
            details: None,
        }
    }

    /// Makes a fault of a process that we depend on: status 503, to be retried.
    pub fn peer(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            blame: Blame::Peer,
            retry: Retry::Later,
            ..Self::caller(code, message)
        }
    }

    /// Refuses a call that is not supported, by name.
    pub fn unknown_operation(name: &str) -> Self {
        Self::caller(
            "UnknownOperationException",
            format!("The requested operation is not supported: {name}"),
        )
    }

    /// Answers a call whose body cannot be read; AWS gives no message where none helps.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::caller("SerializationException", message)
    }

    /// Gives the fault another status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Marks the fault as one that may pass.
    pub fn with_retry(mut self) -> Self {
        self.retry = Retry::Later;
        self
    }

    /// Adds a member beside the message, for exceptions whose model has more of them.
    pub fn with_detail(mut self, name: &str, value: Value) -> Self {
        let details = self.details.get_or_insert_default();
        details.insert(name.to_owned(), value);
        self
    }

    /// Returns the members beside the message, by name.
    pub fn details(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.details.iter().flat_map(|details| details.iter())
    }

    /// Returns the `Type` of XML errors: whether sender or receiver is to blame.
    pub fn xml_type(&self) -> &'static str {
        match self.blame {
            Blame::Caller => "Sender",
            Blame::Peer | Blame::Ourselves => "Receiver",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}
