//! Tests of compressed bodies.

use base::units::ByteCount;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::{InflateError, deflate, inflate, is_accepted};

#[test]
fn what_is_packed_unpacks_to_the_same() {
    let body = b"carts ".repeat(1_000);
    let packed = deflate(&body).expect("memory takes all writes");
    assert!(packed.len() < body.len() / 10);
    let unpacked = inflate(&packed, ByteCount::bytes(6_000)).expect("exactly the limit");
    assert_eq!(unpacked, body);
}

#[test]
fn a_bomb_is_refused_at_the_limit() {
    let packed = deflate(&vec![0; 1 << 20]).expect("memory takes all writes");
    let refused = inflate(&packed, ByteCount::kib(64));
    assert!(matches!(refused, Err(InflateError::TooLarge(_))));
}

#[test]
fn damage_is_an_error() {
    assert!(matches!(
        inflate(b"no gzip", ByteCount::kib(1)),
        Err(InflateError::Damaged(_))
    ));
}

#[test]
fn acceptance_follows_the_weights() {
    let accepted = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, value.parse().expect("plain text"));
        is_accepted(&headers)
    };
    assert!(accepted("gzip"));
    assert!(accepted("deflate, GZIP;q=0.5"));
    assert!(!accepted("gzip;q=0"));
    assert!(!accepted("identity"));
    assert!(!is_accepted(&HeaderMap::new()));
}
