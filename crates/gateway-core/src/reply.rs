//! The HTTP response that a function's answer stands for.
//!
//! It adds nothing of the gateway's own.
//! Source: API Gateway developer guide, "Lambda function response format".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use crate::config::PayloadFormat;
use crate::headers::strip_hop_by_hop;

/// A function's answer that is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    /// It is not JSON.
    #[error("read the function's answer as JSON: {0}")]
    Json(String),
    /// Format 1.0 demands an object with a status code.
    #[error("find a statusCode in the function's answer")]
    NoStatus,
    /// A field has another type or value than the format says.
    #[error("use the field {0} of the function's answer")]
    Field(&'static str),
}

/// Reads a function's answer.
///
/// Format 2.0 takes any JSON value: one without a `statusCode` is itself the body of a 200.
/// Errors: [`BadReply`]; the client sees a 500.
pub fn read(format: PayloadFormat, answer: &Bytes) -> Result<Response<Bytes>, BadReply> {
    let value: Value =
        serde_json::from_slice(answer).map_err(|error| BadReply::Json(error.to_string()))?;
    match (format, value) {
        (_, Value::Object(fields)) if fields.contains_key("statusCode") => explicit(fields),
        (PayloadFormat::V1, _) => Err(BadReply::NoStatus),
        (PayloadFormat::V2, Value::String(text)) => Ok(inferred(Bytes::from(text))),
        (PayloadFormat::V2, _) => Ok(inferred(answer.clone())),
    }
}

fn inferred(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn explicit(mut fields: Map<String, Value>) -> Result<Response<Bytes>, BadReply> {
    let status = status(&fields)?;
    let mut headers = HeaderMap::new();
    put_headers(&mut headers, fields.get("headers"))?;
    put_many(&mut headers, fields.get("multiValueHeaders"))?;
    put_cookies(&mut headers, fields.get("cookies"))?;
    strip_hop_by_hop(&mut headers);
    headers.remove(CONTENT_LENGTH);
    let base64 = match fields.get("isBase64Encoded") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(base64)) => *base64,
        Some(_) => return Err(BadReply::Field("isBase64Encoded")),
    };
    let body = match fields.remove("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if base64 => {
            let decoded = STANDARD.decode(text).map_err(|_| BadReply::Field("body"))?;
            Bytes::from(decoded)
        }
        Some(Value::String(text)) => Bytes::from(text),
        Some(_) => return Err(BadReply::Field("body")),
    };
    // RFC 9110 §15.3.5 and §15.4.5: these have no content.
    let empty = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let body = if empty { Bytes::new() } else { body };
    if !body.is_empty() && !headers.contains_key(CONTENT_TYPE) {
        let plain = HeaderValue::from_static("text/plain;charset=UTF-8");
        headers.insert(CONTENT_TYPE, plain);
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn status(fields: &Map<String, Value>) -> Result<StatusCode, BadReply> {
    let number = match fields.get("statusCode") {
        Some(Value::Number(number)) => number.as_u64().and_then(|n| u16::try_from(n).ok()),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (200..=599).contains(number))
        .and_then(|number| StatusCode::from_u16(number).ok())
        .ok_or(BadReply::Field("statusCode"))
}

fn put_headers(headers: &mut HeaderMap, field: Option<&Value>) -> Result<(), BadReply> {
    for (name, value) in object(field, "headers")? {
        if let Some(value) = header_value(value, "headers")? {
            headers.insert(header_name(name, "headers")?, value);
        }
    }
    Ok(())
}

fn put_many(headers: &mut HeaderMap, field: Option<&Value>) -> Result<(), BadReply> {
    const FIELD: &str = "multiValueHeaders";
    for (name, values) in object(field, FIELD)? {
        let name = header_name(name, FIELD)?;
        // Where both fields name a header, the one with many values counts.
        headers.remove(&name);
        for value in values.as_array().ok_or(BadReply::Field(FIELD))? {
            if let Some(value) = header_value(value, FIELD)? {
                headers.append(name.clone(), value);
            }
        }
    }
    Ok(())
}

fn put_cookies(headers: &mut HeaderMap, field: Option<&Value>) -> Result<(), BadReply> {
    let cookies = match field {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(cookies)) => cookies,
        Some(_) => return Err(BadReply::Field("cookies")),
    };
    for cookie in cookies {
        if let Some(value) = header_value(cookie, "cookies")? {
            headers.append(SET_COOKIE, value);
        }
    }
    Ok(())
}

fn object<'v>(
    field: Option<&'v Value>,
    name: &'static str,
) -> Result<impl Iterator<Item = (&'v String, &'v Value)>, BadReply> {
    match field {
        None | Some(Value::Null) => Ok(None.into_iter().flatten()),
        Some(Value::Object(fields)) => Ok(Some(fields).into_iter().flatten()),
        Some(_) => Err(BadReply::Field(name)),
    }
}

fn header_name(name: &str, field: &'static str) -> Result<HeaderName, BadReply> {
    name.parse().map_err(|_| BadReply::Field(field))
}

fn header_value(value: &Value, field: &'static str) -> Result<Option<HeaderValue>, BadReply> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => HeaderValue::from_str(text),
        Value::Number(number) => HeaderValue::from_str(&number.to_string()),
        Value::Bool(truth) => HeaderValue::from_str(&truth.to_string()),
        Value::Array(_) | Value::Object(_) => return Err(BadReply::Field(field)),
    };
    text.map(Some).map_err(|_| BadReply::Field(field))
}

#[cfg(test)]
mod tests;
