//! Tests of REST with XML.

use base::region::RegionName;
use http::StatusCode;

use super::{ROUTE53, fault, read};
use crate::caller::{Caller, Service};
use crate::fault::Fault;
use crate::request_id::RequestId;

#[test]
fn bodies_must_have_the_root_of_their_call() {
    let body = br#"<?xml version="1.0"?><r:CreateHostedZoneRequest xmlns:r="x"><Name> shop.test. </Name></r:CreateHostedZoneRequest>"#;
    let root = read(body, "CreateHostedZoneRequest").expect("it is the root");
    assert_eq!(root.text_of("Name"), Some("shop.test."));
    insta::assert_snapshot!(
        read(body, "ChangeTagsRequest").expect_err("another root"),
        @"MalformedInput: Expected the element ChangeTagsRequest, found CreateHostedZoneRequest"
    );
    assert!(read(b"<a>", "a").is_err());
}

#[test]
fn failures_have_route_53s_envelope() {
    let region = RegionName::parse("eu-west-1").expect("a region");
    let caller = Caller::internal(Service::Route53, region, RequestId::from_bits([7; 4]));
    let missing = Fault::caller("NoSuchHostedZone", "No hosted zone found with ID: Z1")
        .with_status(StatusCode::NOT_FOUND);
    let response = fault(&caller, ROUTE53, &missing);
    assert_eq!(response.status(), 404);
    insta::assert_snapshot!(
        std::str::from_utf8(response.body()).expect("XML is UTF-8"),
        @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>NoSuchHostedZone</Code><Message>No hosted zone found with ID: Z1</Message></Error><RequestId>00000000-0000-4007-8000-000000000007</RequestId></ErrorResponse>
    "#
    );
}
