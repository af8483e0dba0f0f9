//! Tests of the client.

use std::sync::Arc;

use base::region::RegionName;
use deploy::call::Call;
use deploy::client::{Client, ClientError, Endpoint};
use deploy::operation::{DESCRIBE_TABLE, GET_API_MAPPINGS, GET_CHANGE, GET_FUNCTION};

use crate::endpoint::{Script, serve, serve_tls};

fn region() -> RegionName {
    RegionName::parse("eu-west-1").expect("a region")
}

fn describe() -> Call {
    Call::new(DESCRIBE_TABLE, &region()).with("TableName", "carts")
}

fn always(status: u16, body: &'static str) -> Script {
    Box::new(move |_| (status, body.to_owned()))
}

async fn refusal(script: Script, call: Call) -> String {
    let served = serve(script, usize::MAX).await;
    let error = served.client("the secret").call(&call).await;
    error.expect_err("it is refused").to_string()
}

#[tokio::test]
async fn calls_are_signed_so_that_the_verifier_takes_them() {
    let served = serve(always(200, "{}"), usize::MAX).await;
    let calls = [
        describe(),
        Call::new(GET_API_MAPPINGS, &region())
            .with("DomainName", "a b.test")
            .with("NextToken", "x/y=="),
        Call::new(GET_FUNCTION, &region()).with("FunctionName", "arn:aws:lambda:x"),
    ];
    let mut client = served.client("the secret");
    for call in &calls {
        client.call(call).await.expect("it is signed");
    }
    let mut stranger = served.client("another secret");
    let error = stranger.call(&describe()).await.expect_err("wrong secret");
    assert_eq!(error.code(), Some("Unsigned"), "{error}");
}

#[tokio::test]
async fn refusals_of_every_kind_have_their_code() {
    let json = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceInUseException","message":"in use"}"#;
    insta::assert_snapshot!(
        refusal(always(400, json), describe()).await,
        @"call DescribeTable: ResourceInUseException (in use), status 400 Bad Request, request r-1"
    );
    let change = || Call::new(GET_CHANGE, &region()).with("Id", "C1");
    let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchChange</Code><Message>none</Message></Error><RequestId>r-2</RequestId></ErrorResponse>";
    insta::assert_snapshot!(
        refusal(always(404, xml), change()).await,
        @"call GetChange: NoSuchChange (none), status 404 Not Found, request r-1"
    );
    let batch =
        "<InvalidChangeBatch><Messages><Message>why</Message></Messages></InvalidChangeBatch>";
    insta::assert_snapshot!(
        refusal(always(400, batch), change()).await,
        @"call GetChange: InvalidChangeBatch (why), status 400 Bad Request, request r-1"
    );
    insta::assert_snapshot!(
        refusal(always(404, "<html>"), describe()).await,
        @"read the answer to DescribeTable (status 404 Not Found): expected value at line 1 column 1"
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let mut left = 2;
    let script: Script = Box::new(move |_| {
        if left == 0 {
            return (200, "{}".to_owned());
        }
        left -= 1;
        (503, r#"{"__type":"ServiceUnavailable"}"#.to_owned())
    });
    let served = serve(script, usize::MAX).await;
    served
        .client("the secret")
        .call(&describe())
        .await
        .expect("the third try");
    assert_eq!(served.names().len(), 3);
    let served = serve(
        always(400, r#"{"__type":"ValidationException"}"#),
        usize::MAX,
    )
    .await;
    let refused = served.client("the secret").call(&describe()).await;
    assert!(refused.is_err());
    assert_eq!(served.names().len(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_closes_is_opened_again() {
    let served = serve(always(200, "{}"), 1).await;
    let mut client = served.client("the secret");
    for _ in 0..3 {
        client.call(&describe()).await.expect("a fresh connection");
    }
    assert_eq!(served.names().len(), 3);
}

#[tokio::test]
async fn tls_endpoints_must_be_who_they_say() {
    let (served, trusted) = serve_tls(always(200, "{}")).await;
    let mut client = served.client_by_tls("localhost", Arc::clone(&trusted));
    client.call(&describe()).await.expect("it is trusted");
    let mut client = served.client_by_tls("example.test", trusted);
    let refused = client.call(&describe()).await;
    assert!(
        matches!(refused, Err(ClientError::Unreachable { .. })),
        "{refused:?}"
    );
    assert_eq!(served.names(), ["DescribeTable"]);
}

#[tokio::test]
async fn regions_without_an_endpoint_are_named() {
    let credentials = aws_credential_types::Credentials::new("A", "B", None, None, "tests");
    let clock = Arc::new(clock::wall::System);
    let mut client = Client::new([].into(), credentials, clock);
    let error = client.call(&describe()).await.expect_err("nobody is there");
    assert!(matches!(error, ClientError::NoEndpoint(_)));
    let shown = format!("{:?}", Endpoint::plain(([127, 0, 0, 1], 1).into()));
    assert_eq!(shown, "http://127.0.0.1:1 at 127.0.0.1:1");
}
