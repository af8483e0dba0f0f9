//! What happens to headers between a client and a backend.
//!
//! It reads no values but those it must.
//! Source: RFC 9110 §7.6.1 (connection), §7.6.3 (via); RFC 7239 (forwarded).

use std::net::IpAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::arrival::Arrival;
use crate::handover;

/// The request's id, shown to the client.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Headers that speak of one connection only.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Removes what speaks of one connection only, and what the `connection` header names.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            // A client must not strip what the gateway relies on.
            .filter(|name| *name != http::header::HOST && *name != CONTENT_LENGTH)
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Prepares a client's headers for a backend: nothing of the connection, and where it came from.
pub fn forward(headers: &mut HeaderMap, arrival: &Arrival) {
    strip_hop_by_hop(headers);
    headers.remove(EXPECT);
    headers.remove(handover::REQUEST_HEADER);
    // Several fields of one name are one list: RFC 9110 §5.3.
    let before = headers.get_all(FORWARDED_FOR).iter();
    let mut chain: String = before
        .filter_map(|hops| hops.to_str().ok())
        .flat_map(|hops| [hops, ", "])
        .collect();
    chain.push_str(&arrival.client.to_string());
    put(headers, FORWARDED_FOR, &chain);
    headers.insert(FORWARDED_PORT, HeaderValue::from(arrival.port));
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(arrival.scheme()));
    if !headers.contains_key(TRACE_ID) {
        put(headers, TRACE_ID, &trace_id(arrival));
    }
}

/// Adds what an HTTP backend is told besides: the standard form, and who stood between.
pub fn forward_to_http(headers: &mut HeaderMap, arrival: &Arrival, domain: &str) {
    let client = match arrival.client {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let scheme = arrival.scheme();
    let element = format!("for={client};host=\"{domain}\";proto={scheme}");
    if let Ok(value) = HeaderValue::from_str(&element) {
        headers.append(FORWARDED, value);
    }
    headers.append(VIA, HeaderValue::from_static("1.1 hither"));
}

/// Returns the size of a request line and its headers as HTTP/1.1 would write them.
///
/// Units: bytes.
pub fn size(method: &Method, uri: &Uri, headers: &HeaderMap) -> u64 {
    let path = uri.path_and_query().map_or(1, |path| path.as_str().len());
    let line = method.as_str().len() + path + "  HTTP/1.1\r\n".len();
    let fields: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    u64::try_from(line + fields).unwrap_or(u64::MAX)
}

/// Returns a trace id for a request that brought none.
/// Source: X-Ray developer guide, "Trace ID format".
fn trace_id(arrival: &Arrival) -> String {
    let digest = blake3::hash(arrival.id.as_str().as_bytes()).to_hex();
    let tail: String = digest.chars().take(24).collect();
    format!("Root=1-{:08x}-{tail}", arrival.at.as_secs())
}

fn put(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
