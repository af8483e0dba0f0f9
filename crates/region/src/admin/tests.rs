//! Tests of who may call.

use api_protocol::hosts::Hosts;
use http::Request;

use super::is_ours;

#[track_caller]
fn check(name: &str, value: &'static str, expect: bool) {
    let request = Request::get("/_hither/status").header(name, value);
    let request = request.body(()).expect("a request");
    assert_eq!(
        is_ours(&Hosts::default(), &request),
        expect,
        "{name}: {value}"
    );
}

#[test]
fn pages_of_other_machines_are_refused() {
    check("accept", "*/*", true);
    check("origin", "http://127.0.0.11:4566", true);
    check("origin", "http://localhost:3000", true);
    check("origin", "http://[::1]:3000", true);
    check("origin", "http://evil.example", false);
    check("origin", "http://127.0.0.1.evil.example:4566", false);
    check("origin", "http://localhost.evil.example", false);
    check("origin", "null", false);
    check("origin", "", false);
    check("host", "127.0.0.13:4566", true);
    check("host", "evil.example:4566", false);
}
