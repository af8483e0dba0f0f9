//! The canonical request: the one text that signer and verifier both hash.
//!
//! Source: IAM user guide, "Create a signed AWS API request", step 1.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Request};
use percent_encoding::percent_decode;

use super::SignatureError;
use super::claim::{Claim, Place};

/// Returns the SHA-256 of the canonical request, in hex.
///
/// Errors: [`SignatureError::Unsigned`] where what must be signed is not,
/// [`SignatureError::Mismatch`] where the list of signed headers cannot have been signed.
pub(super) fn canonical_request_hash(
    request: &Request<Bytes>,
    claim: &Claim<'_>,
    service: &str,
    payload: &str,
) -> Result<String, SignatureError> {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(request.method().as_str().as_bytes());
    text.push(b'\n');
    push_path(&mut text, request.uri().path(), service);
    text.push(b'\n');
    push_query(
        &mut text,
        request.uri().query().unwrap_or_default(),
        claim.place,
    );
    text.push(b'\n');
    push_headers(&mut text, request, claim)?;
    text.push(b'\n');
    text.extend_from_slice(claim.signed_headers.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload.as_bytes());
    Ok(hex(digest(&SHA256, &text).as_ref()))
}

/// Returns the hash of the body, as it stands in the canonical request.
///
/// What is served here is no S3: a body is always part of what is signed, and comes whole. So
/// `UNSIGNED-PAYLOAD` and the `STREAMING-…` forms are refused as hashes of another body.
///
/// Errors: [`SignatureError::Mismatch`] where the hash that was sent is not the body's.
pub(super) fn payload_hash(request: &Request<Bytes>) -> Result<String, SignatureError> {
    let computed = hex(digest(&SHA256, request.body()).as_ref());
    match request.headers().get("x-amz-content-sha256") {
        Some(sent) if sent.as_bytes() != computed.as_bytes() => Err(SignatureError::Mismatch),
        Some(_) | None => Ok(computed),
    }
}

/// Writes the path: without dot segments and empty ones, and encoded once more than it was sent.
/// S3 alone takes it as it was sent.
fn push_path(text: &mut Vec<u8>, path: &str, service: &str) {
    if service == "s3" {
        text.extend_from_slice(if path.is_empty() {
            b"/"
        } else {
            path.as_bytes()
        });
        return;
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        text.push(b'/');
        push_encoded(text, segment.as_bytes());
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if segments.is_empty() || matches!(last, "" | "." | "..") {
        text.push(b'/');
    }
}

/// Writes the query string: decoded, encoded strictly, and sorted in that form.
fn push_query(text: &mut Vec<u8>, query: &str, place: Place) {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (reencoded(key), reencoded(value))
        })
        .collect();
    if matches!(place, Place::Query { .. }) {
        pairs.retain(|(key, _)| key != b"X-Amz-Signature");
    }
    pairs.sort_unstable();
    for (at, (key, value)) in pairs.iter().enumerate() {
        if 0 < at {
            text.push(b'&');
        }
        text.extend_from_slice(key);
        text.push(b'=');
        text.extend_from_slice(value);
    }
}

/// Writes the signed headers, one a line, values trimmed and joined.
fn push_headers(
    text: &mut Vec<u8>,
    request: &Request<Bytes>,
    claim: &Claim<'_>,
) -> Result<(), SignatureError> {
    let headers = request.headers();
    check_coverage(headers, claim)?;
    let mut previous = "";
    for name in claim.signed_headers.split(';') {
        // Signers write each name once, in lower case and in order; two ways to write one list
        // would be two texts for one request.
        if name <= previous || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(SignatureError::Mismatch);
        }
        previous = name;
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        let mut values = headers.get_all(name).iter().peekable();
        match (values.peek(), request.uri().authority()) {
            (Some(_), _) => {}
            // HTTP/2 sends the host as part of the URI.
            (None, Some(authority)) if name == HOST.as_str() => {
                text.extend_from_slice(authority.as_str().as_bytes());
            }
            (None, _) => return Err(SignatureError::Mismatch),
        }
        for (at, value) in values.enumerate() {
            if 0 < at {
                text.push(b',');
            }
            push_trimmed(text, value.as_bytes());
        }
        text.push(b'\n');
    }
    Ok(())
}

/// Checks that the host and all of AWS's own headers are signed: an unsigned `X-Amz-Target`
/// would let whoever carries a request turn it into another call.
fn check_coverage(headers: &HeaderMap, claim: &Claim<'_>) -> Result<(), SignatureError> {
    let is_signed = |name: &str| claim.signed_headers.split(';').any(|signed| signed == name);
    if !is_signed(HOST.as_str()) {
        let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(SignatureError::Unsigned(message.to_owned()));
    }
    let unsigned = headers.keys().map(http::HeaderName::as_str).find(|name| {
        name.starts_with("x-amz-") && !UNSIGNED_ALLOWED.contains(name) && !is_signed(name)
    });
    match unsigned {
        None => Ok(()),
        Some(name) => Err(SignatureError::Unsigned(format!(
            "'{name}' must be a 'SignedHeader' in the AWS Authorization."
        ))),
    }
}

/// Writes a value without spaces around it, and with single ones inside.
fn push_trimmed(text: &mut Vec<u8>, value: &[u8]) {
    let mut space = false;
    let start = text.len();
    for byte in value {
        if *byte == b' ' {
            space = true;
            continue;
        }
        if space && start < text.len() {
            text.push(b' ');
        }
        space = false;
        text.push(*byte);
    }
}

fn reencoded(part: &str) -> Vec<u8> {
    let spaced = part.replace('+', " ");
    let decoded: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
    let mut encoded = Vec::with_capacity(decoded.len());
    push_encoded(&mut encoded, &decoded);
    encoded
}

/// Writes bytes with all but the unreserved characters encoded.
/// Source: RFC 3986 §2.3.
fn push_encoded(text: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(*byte);
        } else {
            text.push(b'%');
            text.push(hex_digit(byte >> 4).to_ascii_uppercase());
            text.push(hex_digit(byte & 15).to_ascii_uppercase());
        }
    }
}

/// Writes bytes in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)])
        .map(char::from)
        .collect()
}

fn hex_digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0' + value,
        _ => b'a' + (value - 10),
    }
}

/// Headers of AWS's that signers leave out because browsers and proxies change them.
const UNSIGNED_ALLOWED: [&str; 2] = ["x-amz-user-agent", "x-amz-checksum-mode"];
