//! Packed bodies: unpacked at the door, within a bound, or refused.
//!
//! It reads no headers of strangers: [`crate::front_door`] does. Source: RFC 1952.

use std::io::Write as _;

use api_protocol::front::Admission;
use base::limits::API_BODY_BYTES_MAX;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;

use crate::front_door::DEVELOPMENT;

/// Takes a body: as if it were packed, and to be packed.
pub fn run(data: &[u8]) {
    if let Some(body) = unpacked(data.to_vec()) {
        assert!(body.len() <= API_BODY_BYTES_MAX.as_len(), "it is bounded");
    }
    let (first, second) = data.split_at(data.len() / 2);
    let mut packed = packed(first);
    let whole = unpacked(packed.clone());
    assert_eq!(whole.as_deref(), Some(first), "a body comes back");
    packed.extend(self::packed(second));
    let whole = unpacked(packed.clone());
    assert_eq!(whole.as_deref(), Some(data), "and so does one of two parts");
    packed.pop();
    assert_eq!(unpacked(packed), None, "one that is cut short is refused");
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte")
}

/// Sends a packed body; returns what is handed on.
fn unpacked(packed: Vec<u8>) -> Option<Bytes> {
    let request = Request::post("/")
        .header("host", "127.0.0.1")
        .header("content-type", "application/x-amz-json-1.0")
        .header("content-encoding", "gzip")
        .header("x-amz-target", "DynamoDB_20120810.ListTables")
        .body(Bytes::from(packed))
        .expect("its parts are well formed");
    match DEVELOPMENT.admit(DEVELOPMENT.target(&request), None, request) {
        Admission::Call(call) => Some(call.request.into_body()),
        Admission::Answer(answer) => {
            assert!(answer.status().is_client_error(), "{answer:?}");
            None
        }
    }
}
