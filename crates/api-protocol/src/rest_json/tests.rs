//! Tests of REST with JSON.

use base::region::RegionName;
use http::StatusCode;
use serde_json::Value;

use super::{Bytes, Dialect, Response, fault, no_content, parse, reply};
use crate::caller::{Caller, Service};
use crate::fault::Fault;
use crate::request_id::RequestId;

fn caller() -> Caller {
    let region = RegionName::parse("eu-west-1").expect("a region");
    Caller::internal(Service::Lambda, region, RequestId::from_bits([7; 4]))
}

fn shown(response: &Response<Bytes>) -> String {
    let kind = response.headers().get("x-amzn-errortype");
    let kind = kind.map_or("", |kind| kind.to_str().expect("ASCII"));
    let body = std::str::from_utf8(response.body()).expect("JSON is UTF-8");
    format!("{} {kind} {body}", response.status().as_u16())
}

#[test]
fn each_service_spells_its_errors() {
    let missing = Fault::caller("NotFoundException", "Invalid API identifier specified")
        .with_status(StatusCode::NOT_FOUND);
    insta::assert_snapshot!(
        shown(&fault(Dialect::ApiGateway, &caller(), &missing)),
        @r#"404 NotFoundException {"message":"Invalid API identifier specified"}"#
    );
    insta::assert_snapshot!(
        shown(&fault(Dialect::Lambda, &caller(), &missing)),
        @r#"404 NotFoundException {"Message":"Invalid API identifier specified","Type":"User"}"#
    );
    insta::assert_snapshot!(
        shown(&fault(Dialect::Lambda, &caller(), &Fault::ourselves("why"))),
        @r#"500 InternalServerError {"Message":"why","Type":"Service"}"#
    );
}

#[test]
fn answers_carry_status_and_number() {
    let created = reply(&caller(), StatusCode::CREATED, "{}");
    assert_eq!(created.status(), 201);
    assert_eq!(created.headers()["content-type"], "application/json");
    assert_eq!(created.headers()["x-amzn-requestid"].len(), 36);
    let gone = no_content(&caller());
    assert_eq!(gone.status(), 204);
    assert!(!gone.headers().contains_key("content-type"));
}

#[test]
fn bad_bodies_get_each_services_own_code() {
    let code = |dialect| {
        let deep = b"[".repeat(1_000);
        for body in [b"{".as_slice(), b"\xff", &deep] {
            let fault = parse::<Value>(dialect, body).expect_err("no JSON");
            assert!(fault.message.starts_with("Could not parse request body: "));
        }
        parse::<u32>(dialect, b"{}").expect_err("no number").code
    };
    assert_eq!(code(Dialect::ApiGateway), "BadRequestException");
    assert_eq!(code(Dialect::Lambda), "InvalidRequestContentException");
    assert_eq!(
        parse::<Value>(Dialect::Lambda, b""),
        Ok(serde_json::json!({}))
    );
}
