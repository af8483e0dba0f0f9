//! REST with JSON bodies, as API Gateway and Lambda speak it.
//!
//! It matches no route: facades match on [`crate::uri::segments`].
//! Source: Smithy 2.0, "AWS restJson1 protocol".

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::caller::Caller;
use crate::fault::{Blame, Fault};
use crate::json::{REQUEST_ID, check_depth};

/// How one service spells its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `{"message": …}`.
    ApiGateway,
    /// `{"Type": "User", "Message": …}`.
    Lambda,
}

/// Reads a request's body.
///
/// Shape: an empty body reads as an empty object.
/// Errors: `BadRequestException` in API Gateway's dialect, `InvalidRequestContentException` in
/// Lambda's, for what is no JSON, nested too deep, or without the type's members.
pub fn parse<T: DeserializeOwned>(dialect: Dialect, body: &[u8]) -> Result<T, Fault> {
    let code = match dialect {
        Dialect::ApiGateway => "BadRequestException",
        Dialect::Lambda => "InvalidRequestContentException",
    };
    let refuse = |why: String| Fault::caller(code, format!("Could not parse request body: {why}"));
    check_depth(body).map_err(|fault| refuse(fault.message))?;
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| refuse(error.to_string()))
}

/// Answers with a JSON body.
pub fn reply(caller: &Caller, status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let body = body.into();
    let length = body.len();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(REQUEST_ID, caller.request_id.uuid_header());
    response
}

/// Answers 204, with no body.
pub fn no_content(caller: &Caller) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, caller.request_id.uuid_header());
    response
}

/// Answers with a failure.
pub fn fault(dialect: Dialect, caller: &Caller, fault: &Fault) -> Response<Bytes> {
    let mut members = Map::new();
    match dialect {
        Dialect::ApiGateway => {
            members.insert("message".to_owned(), fault.message.clone().into());
        }
        Dialect::Lambda => {
            let kind = match fault.blame {
                Blame::Caller => "User",
                Blame::Peer | Blame::Ourselves => "Service",
            };
            members.insert("Type".to_owned(), kind.into());
            members.insert("Message".to_owned(), fault.message.clone().into());
        }
    }
    members.extend(
        fault
            .details()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let mut response = reply(caller, fault.status, Value::Object(members).to_string());
    if let Ok(code) = HeaderValue::from_str(&fault.code) {
        response.headers_mut().insert(ERROR_TYPE, code);
    }
    response
}

/// The header that names the exception.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

#[cfg(test)]
mod tests;
