//! What browsers need to be told, and which pages may call a node that checks no signatures.
//!
//! It authenticates nobody. Source: Fetch standard, "HTTP CORS protocol".

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    CONTENT_LENGTH, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Response, Uri};

use crate::hosts;

/// What the answer to one request must carry; nothing where no page of another origin asks.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    allowed_origin: Option<HeaderValue>,
}

impl Cors {
    /// Lets pages of any origin call, as AWS does: they must sign.
    pub fn of_any(headers: &HeaderMap) -> Self {
        let allowed_origin = headers
            .contains_key(ORIGIN)
            .then(|| HeaderValue::from_static("*"));
        Self { allowed_origin }
    }

    /// Lets pages of this machine call. Where nobody has to sign, any page that a developer
    /// visits could otherwise read and write the tables.
    ///
    /// Shape: `None` for a page of another origin.
    pub fn of_loopback(headers: &HeaderMap) -> Option<Self> {
        let Some(origin) = headers.get(ORIGIN) else {
            return Some(Self::default());
        };
        is_of_this_machine(origin).then(|| Self {
            allowed_origin: Some(origin.clone()),
        })
    }

    /// Answers a preflight request.
    pub fn preflight(&self, headers: &HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let fields = response.headers_mut();
        fields.insert(CONTENT_LENGTH, HeaderValue::from(0));
        fields.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("172800"));
        let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        fields.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            fields.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        self.apply(&mut response);
        response
    }

    /// Adds to an answer what its sender's browser asks for.
    pub fn apply(&self, response: &mut Response<Bytes>) {
        let Some(origin) = &self.allowed_origin else {
            return;
        };
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-amzn-RequestId, x-amzn-ErrorType, x-amz-crc32, Date"),
        );
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}

/// Returns whether an `Origin` is a page of this machine.
pub fn is_of_this_machine(origin: &HeaderValue) -> bool {
    let uri = origin
        .to_str()
        .ok()
        .and_then(|text| text.parse::<Uri>().ok());
    let host = uri.as_ref().and_then(Uri::host);
    host.is_some_and(hosts::is_of_this_machine)
}

#[cfg(test)]
mod tests;
