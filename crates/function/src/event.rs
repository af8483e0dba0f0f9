//! Asynchronous invocations: whether one that did not succeed is tried again, and when.
//!
//! It runs nothing and knows no time.
//! Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous
//! invocation": two more tries after errors of the function; where it was throttled or could not
//! be run, tries until the invocation is too old, from one second to five minutes apart.

use std::time::Duration;

use gateway_core::invoke::InvokeError;

use crate::call::{Answer, Ending};
use crate::limits::{EVENT_PAUSES, EVENT_THROTTLED_PAUSE};

/// The tries of one asynchronous invocation.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    failed: usize,
    not_run: u32,
}

/// What follows from a try.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It succeeded.
    Done,
    /// It is tried again after a pause.
    After(Duration),
    /// It is given up.
    GivenUp,
}

impl Tries {
    /// Takes in what came of a try.
    pub(crate) fn ended(&mut self, outcome: &Result<Answer, InvokeError>) -> Next {
        match outcome {
            Ok(answer) if answer.ending == Ending::Returned => Next::Done,
            Ok(_) | Err(InvokeError::Crashed(_)) => {
                let pause = EVENT_PAUSES.get(self.failed).copied();
                self.failed += 1;
                pause.map_or(Next::GivenUp, Next::After)
            }
            Err(InvokeError::Throttled | InvokeError::Unavailable) => {
                let (first, most) = EVENT_THROTTLED_PAUSE;
                let pause = first.saturating_mul(1 << self.not_run.min(16)).min(most);
                self.not_run += 1;
                Next::After(pause)
            }
            Err(InvokeError::NotFound | InvokeError::TimedOut) => Next::GivenUp,
        }
    }
}

#[cfg(test)]
mod tests;
