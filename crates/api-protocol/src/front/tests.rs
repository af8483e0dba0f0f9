//! Tests of the door.

use std::sync::Arc;

use base::name::AccountId;
use base::region::RegionName;
use bytes::Bytes;
use clock::time::WallTime;
use clock::wall::System;
use http::{Request, Response};

use super::{Admission, Authentication, Call, Front, unknown_service};
use crate::dispatch::{Regions, Strangers};
use crate::gzip;
use crate::hosts::Hosts;
use crate::sigv4::{Credential, Credentials, SignatureError, Verifier};

/// Nobody has a key.
struct Nobody;

impl Credentials for Nobody {
    fn find(&self, _: WallTime, _: &str, _: Option<&str>) -> Result<Credential, SignatureError> {
        Err(SignatureError::UnknownKey)
    }
}

fn front(authentication: Authentication) -> Front {
    let own = RegionName::parse("eu-west-1").expect("a region");
    let regions = Regions {
        all: [own.clone()].into(),
        own,
        strangers: match authentication {
            Authentication::Development(_) => Strangers::Own,
            Authentication::Signed(_) => Strangers::Refuse,
        },
    };
    Front::new(regions, authentication, Arc::new(System), &System)
}

fn development() -> Authentication {
    Authentication::Development(Hosts::default())
}

fn signed() -> Authentication {
    Authentication::Signed(Verifier::new(Arc::new(Nobody)))
}

fn admit(authentication: Authentication, request: Request<Bytes>) -> Admission {
    let front = front(authentication);
    front.admit(front.target(&request), None, request)
}

#[track_caller]
fn answered(authentication: Authentication, request: Request<Bytes>) -> Response<Bytes> {
    match admit(authentication, request) {
        Admission::Answer(response) => response,
        Admission::Call(call) => panic!("it went through as {:?}", call.caller),
    }
}

#[track_caller]
fn called(request: Request<Bytes>) -> Box<Call> {
    match admit(development(), request) {
        Admission::Call(call) => call,
        Admission::Answer(response) => panic!("it was answered: {response:?}"),
    }
}

fn put_item() -> http::request::Builder {
    Request::post("/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "DynamoDB_20120810.PutItem")
}

fn scope(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=123456789012/20150830/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

fn empty(builder: http::request::Builder) -> Request<Bytes> {
    builder.body(Bytes::new()).expect("a request")
}

fn body(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("it is text")
}

#[test]
fn probes_are_answered_by_name() {
    let response = answered(signed(), empty(Request::get("/")));
    assert_eq!(response.status(), 200);
    assert_eq!(
        body(&response),
        "healthy: dynamodb.eu-west-1.amazonaws.com "
    );
}

#[test]
fn in_development_any_key_is_taken_and_its_digits_are_the_account() {
    let request = put_item().header("authorization", scope("eu-west-1", "dynamodb"));
    let call = called(empty(request));
    assert_eq!(call.caller.access_key, "123456789012");
    assert_eq!(Some(call.caller.account), AccountId::parse("123456789012"));
    let unsigned = called(empty(put_item()));
    assert_eq!(unsigned.caller.account, AccountId::DEFAULT);
}

#[test]
fn out_of_development_unsigned_calls_get_each_services_refusal() {
    let shown = |request| {
        let response = answered(signed(), empty(request));
        format!("{} {}", response.status().as_u16(), body(&response))
    };
    insta::assert_snapshot!(
        shown(put_item()),
        @r#"400 {"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}"#
    );
    insta::assert_snapshot!(
        shown(Request::get("/v2/apis")),
        @r#"403 {"message":"Request is missing Authentication Token"}"#
    );
    let xml = shown(Request::get("/2013-04-01/hostedzone"));
    assert!(xml.starts_with("403 <?xml") && xml.contains("<Code>MissingAuthenticationToken<"));
    let elsewhere = put_item().header("authorization", scope("mars-1", "dynamodb"));
    insta::assert_snapshot!(
        shown(elsewhere),
        @r#"400 {"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Credential should be scoped to a valid region, not 'mars-1'. "}"#
    );
}

#[test]
fn what_is_no_json_call_is_no_operation() {
    let browser = Request::get("/tables").header("authorization", scope("eu-west-1", "dynamodb"));
    let response = answered(development(), empty(browser));
    assert_eq!(response.status(), 404);
    assert_eq!(body(&response), "<UnknownOperationException/>\n");
    // What `curl -d` sends by itself; AWS says no more than above to it.
    let form = Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-amz-target", "DynamoDB_20120810.ListTables");
    let response = answered(development(), empty(form));
    assert_eq!(response.status(), 404);
    let said = body(&response);
    assert!(said.starts_with("<UnknownOperationException>"), "{said}");
    assert!(said.contains("application/x-amz-json-1.0"), "{said}");
}

#[test]
fn every_answer_at_the_door_has_its_number_and_its_checksum() {
    let asked = [
        (signed(), empty(Request::get("/"))),
        (
            development(),
            empty(Request::get("/tables").header("authorization", scope("eu-west-1", "dynamodb"))),
        ),
        (
            development(),
            empty(put_item().header("origin", "https://example.com")),
        ),
        (
            development(),
            empty(put_item().header("host", "evil.example:4566")),
        ),
        (signed(), empty(put_item())),
    ];
    for (front, request) in asked {
        let asked = format!("{request:?}");
        let response = answered(front, request);
        let headers = response.headers();
        assert_eq!(headers["x-amzn-requestid"].len(), 52, "{asked}");
        let sum = crc32fast::hash(response.body()).to_string();
        assert_eq!(headers["x-amz-crc32"], sum.as_str(), "{asked}");
    }
}

#[test]
fn pages_of_other_origins_do_not_reach_a_development_node() {
    let request = put_item().header("origin", "https://example.com");
    let response = answered(development(), empty(request));
    assert_eq!(response.status(), 403);
    let request = put_item().header("origin", "http://localhost:3000");
    let call = called(empty(request));
    let mut response = Response::new(Bytes::new());
    call.cors.apply(&mut response);
    assert_eq!(
        response.headers()["access-control-allow-origin"],
        "http://localhost:3000"
    );
}

#[test]
fn a_development_node_is_not_asked_by_other_machines_names() {
    // As a page does whose own name leads to loopback: no browser calls that another origin.
    let rebound = || put_item().header("host", "evil.example:4566");
    let response = answered(development(), empty(rebound()));
    assert_eq!(response.status(), 403);
    assert_eq!(
        response.headers()["content-type"],
        "application/x-amz-json-1.0"
    );
    insta::assert_snapshot!(
        body(&response),
        @r#"{"Message":"In development a node answers to addresses and names of its own machine only, and \"evil.example:4566\" is none: call it as localhost or by its address, or start it with --allow-host","__type":"com.amazon.coral.service#AccessDeniedException"}"#
    );
    let rest = Request::get("/2013-04-01/hostedzone").header("host", "evil.example");
    let response = answered(development(), empty(rest));
    assert_eq!(response.status(), 403);
    assert!(body(&response).contains("<Code>AccessDeniedException</Code>"));
    let probe = Request::get("/").header("host", "evil.example");
    assert_eq!(answered(development(), empty(probe)).status(), 403);
    called(empty(put_item().header("host", "127.0.0.11:4566")));
    // Where callers must sign, the signature covers the name.
    let response = answered(signed(), empty(rebound()));
    assert!(
        body(&response).contains("MissingAuthenticationToken"),
        "{response:?}"
    );
}

#[test]
fn packed_bodies_are_unpacked() {
    let packed = gzip::deflate(b"{\"TableName\":\"carts\"}").expect("memory takes all writes");
    let request = put_item().header("content-encoding", "gzip");
    let call = called(request.body(packed).expect("a request"));
    assert_eq!(call.request.body(), "{\"TableName\":\"carts\"}");
    assert_eq!(call.request.headers()["content-length"], "21");
    assert!(!call.request.headers().contains_key("content-encoding"));
    let damaged = put_item().header("content-encoding", "gzip");
    let damaged = damaged.body(Bytes::from_static(b"x")).expect("a request");
    let response = answered(development(), damaged);
    assert!(body(&response).contains("SerializationException"));
}

#[test]
fn calls_of_services_that_nobody_serves_are_refused_by_name() {
    let refused = |request| {
        let call = called(empty(request));
        let response = unknown_service(&call.caller, &call.request);
        body(&response).to_owned()
    };
    let json = Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "TrentService.ListKeys");
    insta::assert_snapshot!(
        refused(json),
        @r#"{"__type":"UnknownOperationException","message":"The requested operation is not supported: TrentService.ListKeys"}"#
    );
    let rest = Request::get("/queues").header("authorization", scope("eu-west-1", "sqs"));
    insta::assert_snapshot!(
        refused(rest),
        @r#"{"message":"The requested operation is not supported: sqs GET /queues"}"#
    );
}
