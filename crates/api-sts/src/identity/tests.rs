//! Tests of the STS facade.

use api_protocol::caller::{Caller, Service};
use api_protocol::request_id::RequestId;
use base::name::AccountId;
use base::region::RegionName;
use bytes::Bytes;
use control::testing::Node;
use http::Request;

use super::Sts;

async fn call(form: &'static str) -> String {
    let region = RegionName::parse("eu-west-1").expect("a region");
    let caller = Caller {
        access_key: "AKIDEXAMPLE".to_owned(),
        account: AccountId::parse("123456789012").expect("twelve digits"),
        ..Caller::internal(Service::Sts, region, RequestId::from_bits([7; 4]))
    };
    let request = Request::post("/")
        .body(Bytes::from_static(form.as_bytes()))
        .expect("a request");
    let node = Node::open("eu-west-1").await;
    let response = Sts::new(node.control).handle(&caller, &request);
    let status = response.status().as_u16();
    let body = String::from_utf8(response.into_body().to_vec()).expect("XML is UTF-8");
    format!("{status} {}", body.replace('>', ">\n").trim())
}

#[tokio::test]
async fn callers_learn_who_they_are() {
    insta::assert_snapshot!(call("Action=GetCallerIdentity&Version=2011-06-15").await, @r#"
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

#[tokio::test]
async fn a_caller_learns_the_account_of_its_own_key_only() {
    let own = call("Action=GetAccessKeyInfo&AccessKeyId=AKIDEXAMPLE").await;
    assert!(
        own.starts_with("200") && own.contains("123456789012"),
        "{own}"
    );
    for other in [
        call("Action=GetAccessKeyInfo&AccessKeyId=AKIDOTHER").await,
        call("Action=GetAccessKeyInfo").await,
    ] {
        assert!(other.contains("ValidationError"), "{other}");
    }
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name() {
    insta::assert_snapshot!(call("Action=AssumeRole&RoleArn=x").await, @r#"
    400 <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <Error>
    <Type>
    Sender</Type>
    <Code>
    UnsupportedOperation</Code>
    <Message>
    AssumeRole is not supported: there are no roles and no federation here</Message>
    </Error>
    <RequestId>
    00000000-0000-4007-8000-000000000007</RequestId>
    </ErrorResponse>
    "#);
    assert!(call("Action=Nonsense").await.contains("InvalidAction"));
    assert!(call("").await.contains("MissingAction"));
}
