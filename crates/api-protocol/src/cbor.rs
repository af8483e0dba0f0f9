//! Smithy's RPC v2 CBOR: the operation in the path, one map in, one map out.
//!
//! It reads no member; what is read becomes the value that the same request has as JSON, moments as
//! seconds since 1970. Sources: RFC 8949; Smithy 2.0, "Smithy RPC v2 CBOR protocol", "AWS Query
//! compatible".

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Number, Value};

use crate::caller::Caller;
use crate::fault::{Blame, Fault};
use crate::json::REQUEST_ID;
use crate::limits::{CBOR_DEPTH_MAX, CBOR_VALUES_MAX};

/// The header that says that a request, or an answer, is of this protocol.
pub const PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");

/// The header that gives a failure the code that it has in the query protocol.
pub const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

/// Returns whether a request is of this protocol.
pub fn is_spoken(headers: &HeaderMap) -> bool {
    let protocol = headers.get(PROTOCOL);
    protocol.is_some_and(|protocol| protocol == RPC_V2)
}

/// Reads a request's body.
///
/// Shape: an empty body reads as an empty object.
/// Errors: `SerializationException` for what is no CBOR, is nested deeper than
/// [`CBOR_DEPTH_MAX`], has more than [`CBOR_VALUES_MAX`] values, or has no place in JSON.
pub fn parse(body: &[u8]) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut reader = Reader {
        rest: body,
        values: 0,
    };
    let value = reader.value(0).filter(|_| reader.rest.is_empty());
    value.ok_or_else(|| Fault::serialization("the body is no CBOR that a request can have"))
}

/// Answers with a body that [`Writer`] wrote.
pub fn reply(caller: &Caller, status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cbor"));
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(PROTOCOL, HeaderValue::from_static(RPC_V2));
    headers.insert(REQUEST_ID, caller.request_id.uuid_header());
    response
}

/// Answers with a failure, whose exception is called `shape` in the model.
pub fn fault(caller: &Caller, shape: &str, fault: &Fault) -> Response<Bytes> {
    let mut writer = Writer::default();
    writer.map(2);
    writer.text("__type");
    writer.text(shape);
    writer.text("message");
    writer.text(&fault.message);
    let mut response = reply(caller, fault.status, writer.finish());
    if let Some(code) = query_error(fault) {
        response.headers_mut().insert(QUERY_ERROR, code);
    }
    response
}

/// Returns what [`QUERY_ERROR`] says of a failure.
pub fn query_error(fault: &Fault) -> Option<HeaderValue> {
    let blame = match fault.blame {
        Blame::Caller => "Sender",
        Blame::Peer | Blame::Ourselves => "Receiver",
    };
    HeaderValue::try_from(format!("{};{blame}", fault.code)).ok()
}

/// Writes one value, of which maps and arrays say first how much is in them.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins a map of `len` names and values.
    pub fn map(&mut self, len: usize) {
        self.head(5, len as u64);
    }

    /// Begins an array of `len` values.
    pub fn array(&mut self, len: usize) {
        self.head(4, len as u64);
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) {
        self.head(3, text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Writes a number.
    pub fn number(&mut self, number: f64) {
        self.bytes.push(0xfb);
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }

    /// Writes a moment.
    ///
    /// Units: whole seconds since 1970.
    pub fn moment(&mut self, secs: u64) {
        self.head(6, 1);
        self.head(0, secs);
    }

    /// Returns what was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn head(&mut self, kind: u8, value: u64) {
        let kind = kind << 5;
        let bytes = value.to_be_bytes();
        // As short as it can be.
        let (more, len) = match value {
            0..24 => (bytes[7], 0),
            24..0x100 => (24, 1),
            0x100..0x1_0000 => (25, 2),
            0x1_0000..0x1_0000_0000 => (26, 4),
            0x1_0000_0000.. => (27, 8),
        };
        self.bytes.push(kind | more);
        self.bytes.extend(bytes.iter().skip(8 - len));
    }
}

struct Reader<'b> {
    rest: &'b [u8],
    values: usize,
}

/// What stands before a value: how long it is, or that something ends it.
#[derive(Clone, Copy)]
enum Length {
    Known(u64),
    Open,
}

impl<'b> Reader<'b> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.values += 1;
        if CBOR_DEPTH_MAX < depth || CBOR_VALUES_MAX < self.values {
            return None;
        }
        let first = self.byte()?;
        let (kind, more) = (first >> 5, first & 31);
        if kind == 7 {
            return self.simple(more);
        }
        let length = self.length(more)?;
        match (kind, length) {
            (0, Length::Known(value)) => Some(value.into()),
            (1, Length::Known(value)) => Some((-1 - i64::try_from(value).ok()?).into()),
            (3, _) => self.text(length).map(Value::String),
            (4, _) => {
                let mut values = Vec::new();
                while self.has_more(length, values.len())? {
                    values.push(self.value(depth + 1)?);
                }
                Some(Value::Array(values))
            }
            (5, _) => {
                let (mut members, mut read) = (Map::new(), 0);
                while self.has_more(length, read)? {
                    let Value::String(name) = self.value(depth + 1)? else {
                        return None;
                    };
                    members.insert(name, self.value(depth + 1)?);
                    read += 1;
                }
                Some(Value::Object(members))
            }
            // A tag: moments are numbers without it.
            (6, Length::Known(_)) => self.value(depth + 1),
            // Bytes have no place here, nor has a number without an end.
            (_, _) => None,
        }
    }

    /// Returns whether one more value comes, where `read` have come; takes the end of open ones.
    fn has_more(&mut self, length: Length, read: usize) -> Option<bool> {
        match length {
            Length::Known(all) => Some((read as u64) < all),
            Length::Open if *self.rest.first()? == BREAK => {
                self.byte()?;
                Some(false)
            }
            Length::Open => Some(true),
        }
    }

    fn text(&mut self, length: Length) -> Option<String> {
        match length {
            Length::Known(len) => {
                let bytes = self.take(usize::try_from(len).ok()?)?;
                String::from_utf8(bytes.to_vec()).ok()
            }
            Length::Open => {
                let mut text = String::new();
                while self.has_more(length, 0)? {
                    let first = self.byte()?;
                    let chunk @ Length::Known(_) = self.length(first & 31)? else {
                        return None;
                    };
                    if first >> 5 != 3 {
                        return None;
                    }
                    text.push_str(&self.text(chunk)?);
                }
                Some(text)
            }
        }
    }

    fn simple(&mut self, more: u8) -> Option<Value> {
        let number = match more {
            20 => return Some(false.into()),
            21 => return Some(true.into()),
            22 | 23 => return Some(Value::Null),
            25 => half(u16::from_be_bytes(self.chunk()?)),
            26 => f64::from(f32::from_be_bytes(self.chunk()?)),
            27 => f64::from_be_bytes(self.chunk()?),
            _ => return None,
        };
        Number::from_f64(number).map(Value::Number)
    }

    fn length(&mut self, more: u8) -> Option<Length> {
        let value = match more {
            0..24 => more.into(),
            24 => self.byte()?.into(),
            25 => u16::from_be_bytes(self.chunk()?).into(),
            26 => u32::from_be_bytes(self.chunk()?).into(),
            27 => u64::from_be_bytes(self.chunk()?),
            31 => return Some(Length::Open),
            _ => return None,
        };
        Some(Length::Known(value))
    }

    fn byte(&mut self) -> Option<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*chunk)
    }

    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }
}

/// Reads a number of half precision.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10) & 31, f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        // Infinite, or no number: neither has a place in JSON.
        31 => f64::INFINITY,
        exponent => (fraction + 1_024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

const RPC_V2: &str = "rpc-v2-cbor";

/// What ends a value that did not say how long it is.
const BREAK: u8 = 0xff;

#[cfg(test)]
mod tests;
