//! What runs functions, as this facade needs it.
//!
//! The region gives it; tests bring their own.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

/// Runs functions.
pub trait Runner: Send + Sync + 'static {
    /// Checks that functions of a runtime can be run here.
    ///
    /// Errors: why not, for the caller.
    fn check_runtime(&self, runtime: &str) -> impl Future<Output = Result<(), String>> + Send;

    /// Checks that a deployment package can be unpacked.
    ///
    /// Errors: why not, for the caller.
    fn check_package(&self, package: Bytes) -> impl Future<Output = Result<(), String>> + Send;

    /// Runs a function once and waits for what comes of it.
    ///
    /// Errors: [`RunError`] where it did not run to an end.
    fn run(&self, invocation: Invocation)
    -> impl Future<Output = Result<Outcome, RunError>> + Send;

    /// Accepts an invocation whose outcome nobody waits for.
    ///
    /// Errors: [`RunError`] where it is not accepted.
    fn accept(&self, invocation: Invocation) -> Result<(), RunError>;
}

/// An invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// The number of the call, and so of the invocation.
    pub request_id: String,
    /// What the function gets: JSON.
    pub payload: Bytes,
    /// JSON that a mobile SDK sends along.
    pub client_context: Option<String>,
    /// The caller's `X-Amzn-Trace-Id`.
    pub trace_id: Option<String>,
    /// Whether the end of the log is wanted.
    pub log: LogWanted,
    /// How long the caller waits.
    pub patience: Duration,
}

/// Whether the end of an invocation's log is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogWanted {
    /// No.
    None,
    /// Its last 4 KiB.
    Tail,
}

/// What came of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the function returned, or its error.
    pub payload: Bytes,
    /// The kind of error, as `X-Amz-Function-Error` spells it; `None` for success.
    pub function_error: Option<&'static str>,
    /// The end of the log, where it was wanted.
    pub log_tail: Option<String>,
    /// Which version ran.
    pub executed_version: &'static str,
}

/// Why an invocation did not run to an end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// There is no such function.
    #[error("find the function")]
    NotFound,
    /// Too many invocations wait already.
    #[error("start the function: too many invocations wait")]
    Throttled,
    /// The caller's patience is over.
    #[error("wait for the function: its time is over")]
    TimedOut,
    /// The region cannot run it.
    #[error("run the function: {0}")]
    Unavailable(String),
}
