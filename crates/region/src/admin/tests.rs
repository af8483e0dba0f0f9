//! Tests of who may call.

use http::{HeaderMap, HeaderValue, header};

use super::is_ours;

#[track_caller]
fn check(origin: &'static str, expect: bool) {
    let mut headers = HeaderMap::new();
    headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
    assert_eq!(is_ours(&headers), expect, "{origin}");
}

#[test]
fn pages_of_other_machines_are_refused() {
    assert!(is_ours(&HeaderMap::new()));
    check("http://127.0.0.11:4566", true);
    check("http://localhost:3000", true);
    check("http://[::1]:3000", true);
    check("http://evil.example", false);
    check("http://127.0.0.1.evil.example:4566", false);
    check("http://localhost.evil.example", false);
    check("null", false);
    check("", false);
}
