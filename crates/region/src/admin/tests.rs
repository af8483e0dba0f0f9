//! Tests of who may call.

use std::net::IpAddr;

use api_protocol::hosts::Hosts;
use http::Request;

use super::{hosts, is_here, is_ours};

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

#[test]
fn a_node_is_called_from_its_own_machine() {
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    for (client, own, expect) in [
        ("127.0.0.1", "192.0.2.7", true),
        ("::1", "2001:db8::7", true),
        ("192.0.2.7", "192.0.2.7", true),
        ("::ffff:192.0.2.7", "192.0.2.7", true),
        ("2001:db8::7", "2001:db8::7", true),
        ("192.0.2.8", "192.0.2.7", false),
        ("192.0.2.8", "127.0.0.11", false),
        ("2001:db8::8", "2001:db8::7", false),
    ] {
        assert_eq!(is_here(ip(client), ip(own)), expect, "{client} asks {own}");
    }
}

#[test]
fn a_node_is_asked_by_its_address_too() {
    for (own, host, expect) in [
        ("192.0.2.7", "192.0.2.7:4566", true),
        ("192.0.2.7", "192.0.2.8:4566", false),
        ("192.0.2.7", "app.example", true),
        ("2001:db8::7", "[2001:db8::7]:4566", true),
        ("2001:db8::7", "[2001:db8::8]:4566", false),
    ] {
        let request = Request::get("/_hither/status").header("host", host);
        let request = request.body(()).expect("a request");
        let own = own.parse().expect("an address");
        let hosts = hosts(&["app.example".to_owned()], own);
        assert_eq!(is_ours(&hosts, &request), expect, "{own} asked as {host}");
    }
}
