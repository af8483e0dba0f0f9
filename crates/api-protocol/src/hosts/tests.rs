//! Tests of names that are let in.

use http::Request;

use super::Hosts;

#[track_caller]
fn check(host: &[u8], expect: bool) {
    let hosts = Hosts::new(["Hither.Test".to_owned()]);
    let request = Request::get("/").header("host", host).body(());
    let foreign = hosts.foreign(&request.expect("a request"));
    let shown = String::from_utf8_lossy(host);
    assert_eq!(foreign.is_none(), expect, "{shown}: {foreign:?}");
}

#[test]
fn this_machine_and_names_that_lead_nowhere_else_are_let_in() {
    for host in [
        "127.0.0.11:4566",
        "127.0.0.1",
        "[::1]:4566",
        "localhost",
        "LOCALHOST:8000",
        "localhost.:8000",
        "shop.localhost:4566",
        "dynamodb.us-east-1.amazonaws.com",
        "lambda.cn-north-1.amazonaws.com.cn",
        "dynamodb.us-east-1.api.aws:443",
        "d-1.execute-api.us-east-1.hither.internal",
        "hither.test:4566",
        "HITHER.test",
    ] {
        check(host.as_bytes(), true);
    }
}

#[test]
fn other_names_are_not() {
    for host in [
        "evil.example",
        "evil.example:4566",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "amazonaws.com.evil.example",
        "evilamazonaws.com",
        "sub.hither.test",
        "10.0.0.1:4566",
        "0.0.0.0:4566",
        "",
        "a b",
        "localhost@evil.example/",
    ] {
        check(host.as_bytes(), false);
    }
    check(b"\xff", false);
}

#[test]
fn each_name_of_a_request_counts() {
    let hosts = Hosts::default();
    let foreign = |request: http::request::Builder| {
        let request = request.body(()).expect("a request");
        hosts.foreign(&request)
    };
    assert_eq!(foreign(Request::get("/")), None);
    assert!(foreign(Request::get("http://evil.example/")).is_some());
    let two = Request::get("/").header("host", "localhost");
    assert!(foreign(two.header("host", "evil.example")).is_some());
    let two = Request::get("http://localhost/").header("host", "evil.example");
    assert_eq!(foreign(two).as_deref(), Some("evil.example"));
}
