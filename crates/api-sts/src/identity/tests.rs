//! Tests of the STS facade.

use api_protocol::caller::{Caller, Service};
use api_protocol::request_id::RequestId;
use base::name::AccountId;
use base::region::RegionName;
use bytes::Bytes;
use http::Request;

use super::Sts;

fn call(form: &'static str) -> String {
    let region = RegionName::parse("eu-west-1").expect("a region");
    let caller = Caller {
        access_key: "AKIDEXAMPLE".to_owned(),
        account: AccountId::parse("123456789012").expect("twelve digits"),
        ..Caller::internal(Service::Sts, region, RequestId::from_bits([7; 4]))
    };
    let request = Request::post("/")
        .body(Bytes::from_static(form.as_bytes()))
        .expect("a request");
    let response = Sts.handle(&caller, &request);
    let status = response.status().as_u16();
    let body = String::from_utf8(response.into_body().to_vec()).expect("XML is UTF-8");
    format!("{status} {}", body.replace('>', ">\n").trim())
}

#[test]
fn callers_learn_who_they_are() {
    insta::assert_snapshot!(call("Action=GetCallerIdentity&Version=2011-06-15"), @r#"
    200 <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <GetCallerIdentityResult>
    <Arn>
    arn:aws:iam::123456789012:root</Arn>
    <UserId>
    123456789012</UserId>
    <Account>
    123456789012</Account>
    </GetCallerIdentityResult>
    <ResponseMetadata>
    <RequestId>
    00000000-0000-4007-8000-000000000007</RequestId>
    </ResponseMetadata>
    </GetCallerIdentityResponse>
    "#);
}

#[test]
fn a_caller_learns_the_account_of_its_own_key_only() {
    let own = call("Action=GetAccessKeyInfo&AccessKeyId=AKIDEXAMPLE");
    assert!(
        own.starts_with("200") && own.contains("123456789012"),
        "{own}"
    );
    for other in [
        call("Action=GetAccessKeyInfo&AccessKeyId=AKIDOTHER"),
        call("Action=GetAccessKeyInfo"),
    ] {
        assert!(other.contains("ValidationError"), "{other}");
    }
}

#[test]
fn what_is_not_served_is_refused_by_name() {
    insta::assert_snapshot!(call("Action=AssumeRole&RoleArn=x"), @r#"
    400 <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <Error>
    <Type>
    Sender</Type>
    <Code>
    UnsupportedOperation</Code>
    <Message>
    AssumeRole is not supported: requests are signed with access keys themselves</Message>
    </Error>
    <RequestId>
    00000000-0000-4007-8000-000000000007</RequestId>
    </ErrorResponse>
    "#);
    assert!(call("Action=Nonsense").contains("InvalidAction"));
    assert!(call("").contains("MissingAction"));
}
