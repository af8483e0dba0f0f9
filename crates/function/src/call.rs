//! One invocation and its answer, with what Lambda's own API tells beyond the payload.
//!
//! It runs nothing.

use bytes::Bytes;
use clock::time::Moment;
use gateway_core::invoke::FunctionName;

/// An invocation.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which function.
    pub function: FunctionName,
    /// What the function gets.
    pub payload: Bytes,
    /// When the caller gives up; the function's own time limit holds beside it.
    pub deadline: Moment,
    /// The number of the invocation; one is made where there is none.
    pub request_id: Option<String>,
    /// JSON that a mobile SDK sends along, decoded.
    pub client_context: Option<String>,
    /// The caller's trace, in `X-Amzn-Trace-Id`'s form; one is made where there is none.
    pub trace_id: Option<String>,
    /// Whether the answer is to carry the end of the invocation's log.
    pub log: LogWanted,
}

impl Call {
    /// Makes a plain invocation.
    pub fn new(function: FunctionName, payload: Bytes, deadline: Moment) -> Self {
        Self {
            function,
            payload,
            deadline,
            request_id: None,
            client_context: None,
            trace_id: None,
            log: LogWanted::None,
        }
    }
}

/// Whether an answer is to carry the end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogWanted {
    /// No.
    None,
    /// Its last 4 KiB.
    Tail,
}

/// What came of an invocation.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The number of the invocation.
    pub request_id: String,
    /// What the function returned, or the error as JSON.
    pub payload: Bytes,
    /// How the invocation ended.
    pub ending: Ending,
    /// The end of the log, where it was asked for.
    pub log_tail: Option<String>,
}

impl Answer {
    /// The version that every invocation runs: functions have no numbered versions.
    pub const EXECUTED_VERSION: &'static str = "$LATEST";

    /// Returns the kind of function error, as `X-Amz-Function-Error` spells it.
    pub fn function_error(&self) -> Option<&'static str> {
        match self.ending {
            Ending::Returned => None,
            Ending::Reported
            | Ending::TooLarge
            | Ending::TimedOut
            | Ending::Exited
            | Ending::NotStarted => Some("Unhandled"),
        }
    }
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The function returned a value.
    Returned,
    /// The function's runtime reported an error.
    Reported,
    /// The function returned more than an answer may hold.
    TooLarge,
    /// The function took longer than its time limit, and its process was killed.
    TimedOut,
    /// The function's process ended before it answered.
    Exited,
    /// No process could be started.
    NotStarted,
}
