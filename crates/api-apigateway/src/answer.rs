//! What an operation answers, and pages of lists.
//!
//! It knows no resource.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::rest_json::{no_content, reply};
use api_protocol::uri::Parameters;
use bytes::Bytes;
use clock::time::WallTime;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::fault::bad_request;
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};

/// What an operation that succeeded answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// 201 with a body.
    Created(Value),
    /// 200 with a body.
    Found(Value),
    /// 204.
    Gone,
}

impl Answer {
    /// Writes the response.
    pub(crate) fn write(self, caller: &Caller) -> Response<Bytes> {
        match self {
            Self::Created(body) => reply(caller, StatusCode::CREATED, body.to_string()),
            Self::Found(body) => reply(caller, StatusCode::OK, body.to_string()),
            Self::Gone => no_content(caller),
        }
    }
}

/// Returns an object without its members that are null.
pub(crate) fn present(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}

/// Returns a time as the service writes it, `2015-08-30T12:36:00Z`.
pub(crate) fn time(micros: i64) -> String {
    api_protocol::timestamp::iso_seconds(WallTime::from_micros(micros))
}

/// Answers with one page of a list; `entries` are in the order of their unique names.
///
/// Errors: `BadRequestException` for a number of results that is none.
pub(crate) fn page(
    query: &Parameters,
    entries: impl IntoIterator<Item = (String, Value)>,
) -> Result<Answer, Fault> {
    let most = match query.first("maxResults") {
        None => PAGE_DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|most| (1..=PAGE_MAX).contains(most))
            .ok_or_else(|| bad_request(format!("maxResults must be 1 to {PAGE_MAX}")))?,
    };
    let after = query.first("nextToken").unwrap_or_default().to_owned();
    let mut rest = entries
        .into_iter()
        .skip_while(|(name, _)| *name <= after)
        .peekable();
    let mut items = Vec::new();
    let mut last = None;
    while let Some((name, value)) = rest.next_if(|_| items.len() < most) {
        items.push(value);
        last = Some(name);
    }
    let next = rest.peek().and(last);
    Ok(Answer::Found(present(
        json!({"items": items, "nextToken": next}),
    )))
}
