//! Transactions that are not done: which of their items are to blame, and for what.
//!
//! It decides nothing. Source: DynamoDB API reference, `TransactionCanceledException`.

use api_protocol::fault::Fault;
use serde_json::Value;
use table::write::{Refusal, Refused as NotWritten, WriteError};

use crate::choices::ReturnOnFailure;
use crate::fault::{self, CONDITION_FAILED, DUPLICATE_ITEM, Refused};
use crate::items;
use crate::throttle;

/// What it means that an item's condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// The call's own condition failed.
    Condition(ReturnOnFailure),
    /// The item was to be made, and there is one.
    Duplicate,
}

/// Answers a transaction that was not done.
pub(super) fn not_done(error: WriteError, actions: &[OnFailure]) -> Refused {
    let refused = match error {
        WriteError::Refused(refused) => refused,
        WriteError::SameItem => {
            let message = "Transaction request cannot include multiple operations on one item";
            return fault::validation(message).into();
        }
        error @ (WriteError::TooMany | WriteError::Damaged(_) | WriteError::Store(_)) => {
            return fault::ours(&error).into();
        }
    };
    cancelled(&refused, actions)
}

/// Cancels a transaction for what is wrong with some of its items.
fn cancelled(refused: &[Option<NotWritten>], actions: &[OnFailure]) -> Refused {
    let on_failure = |at: usize| {
        let known = actions.get(at).copied();
        known.unwrap_or(OnFailure::Condition(ReturnOnFailure::None))
    };
    let codes: Vec<&str> = refused
        .iter()
        .enumerate()
        .map(|(at, refused)| code(refused.as_ref(), on_failure(at)))
        .collect();
    let mut reasons = Vec::with_capacity(refused.len());
    for (at, refused) in refused.iter().enumerate() {
        match reason(refused.as_ref(), on_failure(at)) {
            Ok(reason) => reasons.push(reason),
            Err(refused) => return refused,
        }
    }
    fault_of(&codes, reasons).into()
}

/// Returns the refusal of a transaction, given a code and a reason for each of its actions.
pub(crate) fn fault_of(codes: &[&str], reasons: Vec<Value>) -> Fault {
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Fault::caller("TransactionCanceledException", message)
        .with_detail("CancellationReasons", Value::Array(reasons))
}

fn code(refused: Option<&NotWritten>, on_failure: OnFailure) -> &'static str {
    match (refused.map(|refused| &refused.refusal), on_failure) {
        (None, _) => "None",
        (Some(Refusal::ConditionFailed), OnFailure::Condition(_)) => "ConditionalCheckFailed",
        (Some(Refusal::ConditionFailed), OnFailure::Duplicate) => "DuplicateItem",
        (Some(Refusal::Invalid(_)), _) => "ValidationError",
        (Some(Refusal::Limited(held)), _) => fault::reason_code(&throttle::limited(held)),
    }
}

fn reason(refused: Option<&NotWritten>, on_failure: OnFailure) -> Result<Value, Refused> {
    let mut reason = serde_json::Map::new();
    reason.insert("Code".to_owned(), code(refused, on_failure).into());
    if let Some(refused) = refused {
        let message = match (&refused.refusal, on_failure) {
            (Refusal::ConditionFailed, OnFailure::Condition(_)) => CONDITION_FAILED.to_owned(),
            (Refusal::ConditionFailed, OnFailure::Duplicate) => DUPLICATE_ITEM.to_owned(),
            (Refusal::Invalid(message), _) => message.clone(),
            (Refusal::Limited(held), _) => throttle::limited(held).message,
        };
        reason.insert("Message".to_owned(), message.into());
        let wanted = OnFailure::Condition(ReturnOnFailure::AllOld);
        if let Some(image) = refused.current.as_ref().filter(|_| on_failure == wanted) {
            reason.insert("Item".to_owned(), items::json_of(image)?);
        }
    }
    Ok(Value::Object(reason))
}

/// Returns all steps if each fits its table.
///
/// Errors: `TransactionCanceledException` that names those that do not.
pub(crate) fn all_fit<T>(steps: Vec<Result<T, Fault>>) -> Result<Vec<T>, Refused> {
    if steps.iter().all(Result::is_ok) {
        return Ok(steps.into_iter().flatten().collect());
    }
    // The service looks no further than the first.
    let first = steps.iter().position(Result::is_err);
    let refused = steps.into_iter().enumerate().map(|(at, step)| {
        let fault = step.err().filter(|_| first == Some(at))?;
        Some(NotWritten {
            refusal: Refusal::Invalid(fault.message),
            current: None,
        })
    });
    Err(cancelled(&refused.collect::<Vec<_>>(), &[]))
}
