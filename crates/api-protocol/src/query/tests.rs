//! Tests of the query protocol.

use base::region::RegionName;
use bytes::Bytes;
use http::{Request, Response};

use super::{STS, fault, parameters, reply};
use crate::caller::{Caller, Service};
use crate::fault::Fault;
use crate::request_id::RequestId;

fn caller() -> Caller {
    let region = RegionName::parse("eu-west-1").expect("a region");
    Caller::internal(Service::Sts, region, RequestId::from_bits([7; 4]))
}

fn body(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("XML is UTF-8")
}

#[test]
fn parameters_come_from_query_and_body() {
    let request = Request::post("/?Version=2011-06-15")
        .body(Bytes::from_static(b"Action=GetCallerIdentity"))
        .expect("a request");
    let parameters = parameters(&request);
    assert_eq!(parameters.first("Action"), Some("GetCallerIdentity"));
    assert_eq!(parameters.first("Version"), Some("2011-06-15"));
}

#[test]
fn results_and_errors_have_their_envelopes() {
    let result = reply(&caller(), STS, "GetCallerIdentity", |xml| {
        xml.leaf("Account", "000000000000");
    });
    insta::assert_snapshot!(
        body(&result),
        @r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>000000000000</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-4007-8000-000000000007</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#
    );
    let error = fault(&caller(), STS, &Fault::caller("InvalidAction", "a < b"));
    assert_eq!(error.headers()["content-type"], "text/xml");
    insta::assert_snapshot!(
        body(&error),
        @r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>a &lt; b</Message></Error><RequestId>00000000-0000-4007-8000-000000000007</RequestId></ErrorResponse>"#
    );
}
