//! The payload that a function is called with for an HTTP request.
//!
//! It writes JSON straight to bytes; nothing is built in between.
//! Source: API Gateway developer guide, "Lambda proxy integrations", payload formats 1.0 and 2.0.

pub mod v1;
pub mod v2;

mod json;

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use percent_encoding::percent_decode_str;

use crate::arrival::Arrival;
use crate::config::PayloadFormat;
use crate::resolve::Plan;

/// A request as a function is to see it.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// How it is served.
    pub plan: &'a Plan<'a, 'a>,
    /// The method.
    pub method: &'a Method,
    /// The protocol that the client spoke.
    pub version: Version,
    /// The whole path as it came.
    pub path: &'a str,
    /// The query as it came.
    pub query: Option<&'a str>,
    /// The headers, prepared by [`crate::headers::forward`] and with a `host`.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
    /// How it reached the gateway.
    pub arrival: &'a Arrival,
}

/// Writes the payload of a request.
///
/// Shape: one JSON object.
pub fn payload(format: PayloadFormat, event: &Event<'_>) -> Bytes {
    match format {
        PayloadFormat::V1 => v1::payload(event),
        PayloadFormat::V2 => v2::payload(event),
    }
}

impl Event<'_> {
    fn protocol(&self) -> &'static str {
        match self.version {
            Version::HTTP_09 => "HTTP/0.9",
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            Version::HTTP_3 => "HTTP/3.0",
            _ => "HTTP/1.1",
        }
    }

    fn domain_prefix(&self) -> &str {
        self.plan.domain.split('.').next().unwrap_or_default()
    }

    fn user_agent(&self) -> Cow<'_, str> {
        let agent = self.headers.get(http::header::USER_AGENT);
        agent.map_or(Cow::Borrowed(""), text)
    }

    fn body_text(&self) -> Body<'_> {
        if self.body.is_empty() {
            return Body::None;
        }
        if is_text(self.headers)
            && let Ok(text) = std::str::from_utf8(self.body)
        {
            return Body::Text(text);
        }
        Body::Base64(STANDARD.encode(self.body))
    }

    /// The headers by name, in the order of the names.
    fn sorted_headers(&self) -> Vec<&HeaderName> {
        let mut names: Vec<_> = self.headers.keys().collect();
        names.sort_unstable_by_key(|name| name.as_str());
        names
    }

    /// The query's parameters by name, decoded, in the order of the names.
    fn query_parameters(&self) -> BTreeMap<Cow<'_, str>, Vec<Cow<'_, str>>> {
        let mut parameters: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let pairs = self.query.unwrap_or_default().split('&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let values = parameters.entry(decode(name)).or_default();
            values.push(decode(value));
        }
        parameters
    }
}

/// A body as JSON can hold it.
enum Body<'a> {
    None,
    Text(&'a str),
    Base64(String),
}

impl Body<'_> {
    fn is_base64(&self) -> bool {
        matches!(self, Self::Base64(_))
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Text(text) => Some(text),
            Self::Base64(text) => Some(text),
        }
    }
}

/// Returns whether a body is text by its type. All else, forms and bodies without a type
/// included, is passed in base64, as observed of AWS.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or(value).trim();
    let starts = essence.get(..5).unwrap_or_default();
    starts.eq_ignore_ascii_case("text/")
        || [
            "application/json",
            "application/xml",
            "application/javascript",
        ]
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known))
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8_lossy().into_owned();
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests;
