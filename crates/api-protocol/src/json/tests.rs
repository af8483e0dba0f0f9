//! Tests of AWS JSON envelopes.

use base::region::RegionName;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use super::{ACM, Bytes, DYNAMODB, DYNAMODB_STREAMS, Dialect, Exchange, check_depth, parse};
use crate::caller::{Caller, Service};
use crate::fault::Fault;
use crate::gzip;
use crate::request_id::RequestId;

fn caller() -> Caller {
    let region = RegionName::parse("eu-west-1").expect("a region");
    Caller::internal(Service::DynamoDb, region, RequestId::from_bits([7; 4]))
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, value.parse().expect("a header value"))
        })
        .collect()
}

fn fault_body(dialect: Dialect, fault: &Fault) -> String {
    let response = Exchange::open(dialect, &caller(), &HeaderMap::new()).fault(fault);
    check_checksum(&response);
    assert_eq!(response.status(), fault.status);
    String::from_utf8(response.into_body().to_vec()).expect("JSON is UTF-8")
}

#[track_caller]
fn check_checksum(response: &Response<Bytes>) {
    let sent = crc32fast::hash(response.body());
    assert_eq!(response.headers()["x-amz-crc32"], sent.to_string());
    assert_eq!(response.headers()["x-amzn-requestid"].len(), 52);
}

#[test]
fn the_operation_stands_after_the_dot() {
    let target = headers(&[("x-amz-target", "DynamoDB_20120810.PutItem")]);
    assert_eq!(DYNAMODB.operation(&target), Ok("PutItem"));
    for (dialect, headers) in [(DYNAMODB_STREAMS, target), (DYNAMODB, HeaderMap::new())] {
        let fault = dialect.operation(&headers).expect_err("no operation");
        assert_eq!(fault.code, "UnknownOperationException");
    }
}

#[test]
fn exceptions_get_the_prefix_of_who_throws_them() {
    let body = |code: &'static str| fault_body(DYNAMODB, &Fault::caller(code, "why"));
    insta::assert_snapshot!(
        body("ResourceNotFoundException"),
        @r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"why"}"#
    );
    insta::assert_snapshot!(
        body("ValidationException"),
        @r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"why"}"#
    );
    insta::assert_snapshot!(
        body("SerializationException"),
        @r#"{"Message":"why","__type":"com.amazon.coral.service#SerializationException"}"#
    );
    insta::assert_snapshot!(
        fault_body(DYNAMODB, &Fault::serialization("")),
        @r#"{"__type":"com.amazon.coral.service#SerializationException"}"#
    );
    insta::assert_snapshot!(
        fault_body(ACM, &Fault::caller("ResourceNotFoundException", "why")),
        @r#"{"__type":"ResourceNotFoundException","message":"why"}"#
    );
}

#[test]
fn details_stand_beside_the_message() {
    let fault = Fault::caller("ConditionalCheckFailedException", "no")
        .with_detail("Item", serde_json::json!({"pk": {"S": "1"}}));
    insta::assert_snapshot!(
        fault_body(DYNAMODB, &fault),
        @r#"{"Item":{"pk":{"S":"1"}},"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}"#
    );
}

#[test]
fn the_content_type_is_echoed_where_it_is_one_of_ours() {
    let answered = |sent: &[(&'static str, &str)]| {
        let response = Exchange::open(DYNAMODB, &caller(), &headers(sent)).ok("{}");
        check_checksum(&response);
        response.headers()[CONTENT_TYPE].clone()
    };
    assert_eq!(answered(&[]), "application/x-amz-json-1.0");
    assert_eq!(
        answered(&[("content-type", "application/json; charset=utf-8")]),
        "application/json"
    );
    assert_eq!(
        answered(&[("content-type", "text/html")]),
        "application/x-amz-json-1.0"
    );
}

#[test]
fn large_answers_are_packed_for_those_who_take_it() {
    let body = format!("\"{}\"", "carts ".repeat(1_000));
    let gzip = headers(&[(ACCEPT_ENCODING.as_str(), "gzip")]);
    let packed = Exchange::open(DYNAMODB, &caller(), &gzip).ok(body.clone());
    check_checksum(&packed);
    assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
    let limit = base::units::ByteCount::mib(1);
    let unpacked = gzip::inflate(packed.body(), limit).expect("it is gzip");
    assert_eq!(unpacked, body);
    let small = Exchange::open(DYNAMODB, &caller(), &gzip).ok("{}");
    assert!(!small.headers().contains_key(CONTENT_ENCODING));
    let plain = Exchange::open(DYNAMODB, &caller(), &HeaderMap::new()).ok(body);
    assert!(!plain.headers().contains_key(CONTENT_ENCODING));
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sample {
    #[serde(default)]
    limit: Option<u32>,
}

#[test]
fn bodies_are_read_or_refused() {
    assert_eq!(parse(b""), Ok(Sample { limit: None }));
    assert_eq!(
        parse(br#"{"Limit":null,"More":1}"#),
        Ok(Sample { limit: None })
    );
    let no_json = parse::<Sample>(b"{").expect_err("cut off");
    assert_eq!(no_json, Fault::serialization(""));
    let wrong = parse::<Sample>(br#"{"Limit":"x"}"#).expect_err("no number");
    assert!(wrong.message.contains("invalid type"), "{wrong}");
}

#[test]
fn depth_costs_an_error_and_no_stack() {
    let nested = |levels: usize| [b"[".repeat(levels), b"]".repeat(levels)].concat();
    assert_eq!(check_depth(&nested(120)), Ok(()));
    assert!(check_depth(&nested(121)).is_err());
    assert!(parse::<serde_json::Value>(&b"[".repeat(1 << 20)).is_err());
    assert!(parse::<serde_json::Value>(&nested(120)).is_ok());
    let text = format!("[\"{}\\\"{}\"]", "[".repeat(500), "{".repeat(500));
    assert_eq!(check_depth(text.as_bytes()), Ok(()));
    assert_eq!(check_depth(&b"[]".repeat(10_000)), Ok(()));
}

#[test]
fn our_own_faults_say_so() {
    let fault = Fault::ourselves("the disk is full");
    assert_eq!(fault.status, StatusCode::INTERNAL_SERVER_ERROR);
    insta::assert_snapshot!(
        fault_body(DYNAMODB, &fault),
        @r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"the disk is full"}"#
    );
}
