//! AWS JSON 1.0 and 1.1: the operation in a header, one object in, one object out.
//!
//! It reads no member. Source: Smithy 2.0, "AWS JSON 1.0 protocol"; DynamoDB developer guide,
//! "DynamoDB low-level API".

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::caller::Caller;
use crate::fault::Fault;
use crate::gzip;
use crate::limits::{GZIP_REPLY_BYTES_MIN, JSON_DEPTH_MAX};

/// The header that names the operation.
pub const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// How one service speaks AWS JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What stands before the dot of `X-Amz-Target`.
    pub target_prefix: &'static str,
    /// What stands before the `#` of the service's own exceptions; empty where nothing does.
    pub namespace: &'static str,
    /// The content type of an answer whose request names none.
    pub content_type: &'static str,
}

/// DynamoDB.
pub const DYNAMODB: Dialect = Dialect {
    target_prefix: "DynamoDB_20120810",
    namespace: "com.amazonaws.dynamodb.v20120810",
    content_type: JSON_10,
};

/// DynamoDB Streams.
pub const DYNAMODB_STREAMS: Dialect = Dialect {
    target_prefix: "DynamoDBStreams_20120810",
    namespace: "com.amazonaws.dynamodb.v20120810",
    content_type: JSON_10,
};

/// Certificate Manager.
pub const ACM: Dialect = Dialect {
    target_prefix: "CertificateManager",
    namespace: "",
    content_type: JSON_11,
};

/// `CloudWatch`.
pub const CLOUDWATCH: Dialect = Dialect {
    target_prefix: "GraniteServiceVersion20100801",
    namespace: "com.amazonaws.cloudwatch",
    content_type: JSON_10,
};

impl Dialect {
    /// Returns the operation that a request names.
    ///
    /// Errors: [`Fault::unknown_operation`] where the target is missing or another service's.
    pub fn operation<'h>(&self, headers: &'h HeaderMap) -> Result<&'h str, Fault> {
        let target = headers.get(TARGET).and_then(|value| value.to_str().ok());
        target
            .and_then(|target| target.strip_prefix(self.target_prefix)?.strip_prefix('.'))
            .ok_or_else(|| Fault::unknown_operation(target.unwrap_or("no X-Amz-Target header")))
    }

    /// Returns the `__type` of an exception.
    fn type_of(&self, code: &str) -> String {
        let namespace = match code {
            _ if self.namespace.is_empty() => return code.to_owned(),
            "ValidationException" => "com.amazon.coral.validate",
            "AccessDeniedException"
            | "ExpiredTokenException"
            | "IncompleteSignatureException"
            | "InvalidSignatureException"
            | "MissingAuthenticationTokenException"
            | "SerializationException"
            | "UnknownOperationException"
            | "UnrecognizedClientException" => "com.amazon.coral.service",
            _ => self.namespace,
        };
        format!("{namespace}#{code}")
    }
}

/// Reads a request's body.
///
/// Shape: an empty body reads as an empty object.
/// Errors: `SerializationException` for what is no JSON, is nested deeper than
/// [`JSON_DEPTH_MAX`], or does not have the type's members.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    check_depth(body)?;
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        // What is no JSON at all gets no message from AWS; a member of a wrong type gets one.
        Fault::serialization(if error.is_data() {
            error.to_string()
        } else {
            String::new()
        })
    })
}

/// Checks that a JSON text can be read without deep recursion, before anything recurses.
///
/// Errors: `SerializationException` beyond [`JSON_DEPTH_MAX`].
pub fn check_depth(text: &[u8]) -> Result<(), Fault> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => at = text_end(text, at).unwrap_or(text.len()),
            b'{' | b'[' => {
                depth += 1;
                if JSON_DEPTH_MAX < depth {
                    let message = format!("nested deeper than {JSON_DEPTH_MAX} levels");
                    return Err(Fault::serialization(message));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Returns the place behind the quote that ends a text; `from` is behind the one that opens it.
///
/// It looks at eight bytes at a time: most of a request is inside of texts.
pub fn text_end(text: &[u8], from: usize) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The top bit is set of each byte that is zero; a borrow may set that of a higher one too, so
    // the lowest one counts.
    let zeroes = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
    let quote_or_escape = |word: u64| {
        let (quote, escape) = (LOW * u64::from(b'"'), LOW * u64::from(b'\\'));
        zeroes(word ^ quote) | zeroes(word ^ escape)
    };
    let mut at = from;
    loop {
        while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let found = quote_or_escape(u64::from_le_bytes(*chunk));
            if found != 0 {
                at += found.trailing_zeros() as usize / 8;
                break;
            }
            at += 8;
        }
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// How one request wants its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    dialect: Dialect,
    content_type: HeaderValue,
    gzip: bool,
    request_id: HeaderValue,
}

impl Exchange {
    /// Notes from a request's headers how its answer is to be written.
    pub fn open(dialect: Dialect, caller: &Caller, headers: &HeaderMap) -> Self {
        let echoed = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| {
                let media = value.split(';').next().unwrap_or_default().trim();
                known_media(media)
            });
        Self {
            dialect,
            content_type: HeaderValue::from_static(echoed.unwrap_or(dialect.content_type)),
            gzip: gzip::is_accepted(headers),
            request_id: caller.request_id.base32_header(),
        }
    }

    /// Answers with the body of a call that succeeded.
    pub fn ok(&self, body: impl Into<Bytes>) -> Response<Bytes> {
        self.reply(StatusCode::OK, body.into())
    }

    /// Answers with a failure.
    pub fn fault(&self, fault: &Fault) -> Response<Bytes> {
        let mut members = Map::new();
        members.insert(
            "__type".to_owned(),
            self.dialect.type_of(&fault.code).into(),
        );
        if !fault.message.is_empty() {
            // These two come from AWS's front, which spells the member with a capital.
            let name = match &*fault.code {
                "SerializationException" | "AccessDeniedException" => "Message",
                _ => "message",
            };
            members.insert(name.to_owned(), fault.message.clone().into());
        }
        members.extend(
            fault
                .details()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        self.reply(fault.status, Value::Object(members).to_string().into())
    }

    fn reply(&self, status: StatusCode, body: Bytes) -> Response<Bytes> {
        let packed = (self.gzip && GZIP_REPLY_BYTES_MIN.as_len() <= body.len())
            .then(|| gzip::deflate(&body).ok())
            .flatten();
        let is_packed = packed.is_some();
        let body = packed.unwrap_or(body);
        let checksum = crc32fast::hash(&body);
        let length = body.len();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.reserve(6);
        headers.insert(CONTENT_TYPE, self.content_type.clone());
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(REQUEST_ID, self.request_id.clone());
        headers.insert(CRC32, HeaderValue::from(checksum));
        if is_packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
        }
        response
    }
}

/// Returns whether a media type is one in which AWS JSON is sent.
pub(crate) fn is_media(media: &str) -> bool {
    known_media(media).is_some()
}

fn known_media(media: &str) -> Option<&'static str> {
    [JSON_10, JSON_11, JSON]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(media))
}

const JSON: &str = "application/json";
const JSON_10: &str = "application/x-amz-json-1.0";
const JSON_11: &str = "application/x-amz-json-1.1";

/// The header of the request's number, on every answer of every service but Route 53 and S3.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// The checksum of the bytes sent, which SDKs compare.
pub(crate) const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");

#[cfg(test)]
mod tests;
