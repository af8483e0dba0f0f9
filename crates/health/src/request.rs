//! The one request that an HTTP probe makes.
//!
//! It opens nothing.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::Empty;

/// Returns the request for `path` of `host`.
///
/// Shape: `None` when no request can carry them.
pub(crate) fn get(path: &str, host: &str, agent: &str) -> Option<Request<Empty<Bytes>>> {
    let text = |text: &str| HeaderValue::from_str(text).ok();
    Request::get(origin_form(path))
        .header(header::HOST, text(host)?)
        .header(header::USER_AGENT, text(agent)?)
        .header(header::ACCEPT, HeaderValue::from_static("*/*"))
        .header(header::CONNECTION, HeaderValue::from_static("close"))
        .body(Empty::new())
        .ok()
}

/// Escapes what a request target may not hold.
/// Source: RFC 3986 §3.3 and §3.4; Route 53 takes such paths and escapes them likewise.
fn origin_form(path: &str) -> String {
    path.chars().fold(String::new(), |mut form, character| {
        if matches!(
            character,
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '#'
        ) {
            write!(form, "%{:02X}", u32::from(character)).expect("a string takes everything");
        } else {
            form.push(character);
        }
        form
    })
}

#[cfg(test)]
mod tests;
