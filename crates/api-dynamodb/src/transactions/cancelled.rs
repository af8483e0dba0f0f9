//! Transactions that were not done, and what each of their actions had to do with it.
//!
//! Nothing is decided here. Source: DynamoDB API reference, `TransactionCanceledException`.

use api_protocol::fault::Fault;
use serde_json::Value;
use table::write::{Refusal, Refused as NotWritten, WriteError};

use crate::choices::ReturnOnFailure;
use crate::fault::{self, CONDITION_FAILED, Refused};
use crate::items;

/// Answers a transaction that was not done.
pub(super) fn not_done(error: WriteError, actions: &[(String, ReturnOnFailure)]) -> Refused {
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
pub(super) fn cancelled(
    refused: &[Option<NotWritten>],
    actions: &[(String, ReturnOnFailure)],
) -> Refused {
    let codes: Vec<&str> = refused
        .iter()
        .map(|refused| code(refused.as_ref()))
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let mut reasons = Vec::with_capacity(refused.len());
    for (at, refused) in refused.iter().enumerate() {
        let on_failure = actions
            .get(at)
            .map_or(ReturnOnFailure::None, |action| action.1);
        match reason(refused.as_ref(), on_failure) {
            Ok(reason) => reasons.push(reason),
            Err(refused) => return refused,
        }
    }
    let fault = Fault::caller("TransactionCanceledException", message);
    fault
        .with_detail("CancellationReasons", Value::Array(reasons))
        .into()
}

fn code(refused: Option<&NotWritten>) -> &'static str {
    match refused.map(|refused| &refused.refusal) {
        None => "None",
        Some(Refusal::ConditionFailed) => "ConditionalCheckFailed",
        Some(Refusal::Invalid(_)) => "ValidationError",
    }
}

fn reason(refused: Option<&NotWritten>, on_failure: ReturnOnFailure) -> Result<Value, Refused> {
    let mut reason = serde_json::Map::new();
    reason.insert("Code".to_owned(), code(refused).into());
    if let Some(refused) = refused {
        let message = match &refused.refusal {
            Refusal::ConditionFailed => CONDITION_FAILED,
            Refusal::Invalid(message) => message,
        };
        reason.insert("Message".to_owned(), message.into());
        if let (ReturnOnFailure::AllOld, Some(image)) = (on_failure, &refused.current) {
            reason.insert("Item".to_owned(), items::json_of(image)?);
        }
    }
    Ok(Value::Object(reason))
}
