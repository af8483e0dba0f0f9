//! Tests of what browsers are told.

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};
use http::{HeaderMap, Response};

use super::Cors;

fn from(origin: &str) -> HeaderMap {
    let origin = origin.parse().expect("a header value");
    [(ORIGIN, origin)].into_iter().collect()
}

fn allowed(cors: &Cors) -> Option<String> {
    let mut response = Response::new(Bytes::new());
    cors.apply(&mut response);
    let origin = response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN)?;
    Some(origin.to_str().expect("ASCII").to_owned())
}

#[test]
fn only_pages_of_this_machine_call_a_node_that_checks_nothing() {
    for origin in [
        "http://localhost:3000",
        "https://shop.localhost",
        "http://127.0.0.11:4566",
        "http://[::1]:8080",
    ] {
        let cors = Cors::of_loopback(&from(origin)).expect("it is this machine");
        assert_eq!(allowed(&cors).as_deref(), Some(origin));
    }
    for origin in [
        "https://example.com",
        "null",
        "http://localhost.example.com",
        "x",
        "http://10.0.0.1",
    ] {
        assert!(Cors::of_loopback(&from(origin)).is_none(), "{origin}");
    }
}

#[test]
fn programs_that_are_no_browsers_are_told_nothing() {
    let cors = Cors::of_loopback(&HeaderMap::new()).expect("no origin");
    assert_eq!(allowed(&cors), None);
    assert_eq!(allowed(&Cors::of_any(&HeaderMap::new())), None);
}

#[test]
fn pages_that_must_sign_may_come_from_anywhere() {
    let headers = from("https://example.com");
    let cors = Cors::of_any(&headers);
    assert_eq!(allowed(&cors).as_deref(), Some("*"));
    let mut asked = headers;
    let wanted = "authorization,x-amz-target"
        .parse()
        .expect("a header value");
    asked.insert("access-control-request-headers", wanted);
    let response = cors.preflight(&asked);
    assert_eq!(
        response.headers()["access-control-allow-headers"],
        "authorization,x-amz-target"
    );
}
