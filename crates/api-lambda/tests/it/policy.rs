//! Permissions and tags.

use http::StatusCode;
use serde_json::{Value, json};

use crate::desk::Desk;

const POLICY: &str = "/2015-03-31/functions/cart/policy";

fn gateway() -> Value {
    json!({
        "StatementId": "gateway",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:eu-west-1:000000000000:a1b2c3/*",
    })
}

#[tokio::test]
async fn a_permission_becomes_a_statement() {
    let desk = Desk::with_cart().await;
    let added = desk.call("POST", POLICY, &gateway()).await;
    assert_eq!(added.status, StatusCode::CREATED);
    let expect = json!({
        "Sid": "gateway",
        "Effect": "Allow",
        "Principal": { "Service": "apigateway.amazonaws.com" },
        "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:eu-west-1:000000000000:function:cart",
        "Condition": {
            "ArnLike": {
                "AWS:SourceArn": "arn:aws:execute-api:eu-west-1:000000000000:a1b2c3/*",
            },
        },
    });
    let read = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap();
    assert_eq!(read(&added.body["Statement"]), expect);
    let policy = desk.get(POLICY).await;
    assert_eq!(
        read(&policy.body["Policy"]),
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": [expect] })
    );
    let function = desk.get("/2015-03-31/functions/cart").await.body;
    assert_eq!(
        policy.body["RevisionId"],
        function["Configuration"]["RevisionId"]
    );
}

#[tokio::test]
async fn principals_are_accounts_arns_services_or_everyone() {
    let desk = Desk::with_cart().await;
    for (id, principal, expect) in [
        (
            "a",
            "111111111111",
            json!({ "AWS": "arn:aws:iam::111111111111:root" }),
        ),
        (
            "b",
            "arn:aws:iam::111111111111:user/u",
            json!({ "AWS": "arn:aws:iam::111111111111:user/u" }),
        ),
        ("c", "*", json!("*")),
    ] {
        let body = json!({
            "StatementId": id, "Action": "lambda:*", "Principal": principal,
        });
        let added = desk.call("POST", POLICY, &body).await.body;
        let statement: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
        assert_eq!(statement["Principal"], expect);
    }
}

#[tokio::test]
async fn statements_are_removed_by_name() {
    let desk = Desk::with_cart().await;
    Desk::refused(&desk.get(POLICY).await, "ResourceNotFoundException", 404);
    desk.call("POST", POLICY, &gateway()).await;
    let again = desk.call("POST", POLICY, &gateway()).await;
    Desk::refused(&again, "ResourceConflictException", 409);
    let other = desk.delete(&format!("{POLICY}/other")).await;
    Desk::refused(&other, "ResourceNotFoundException", 404);
    let stale = desk
        .delete(&format!("{POLICY}/gateway?RevisionId=old"))
        .await;
    Desk::refused(&stale, "PreconditionFailedException", 412);
    let removed = desk.delete(&format!("{POLICY}/gateway")).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    Desk::refused(&desk.get(POLICY).await, "ResourceNotFoundException", 404);
}

#[tokio::test]
async fn malformed_statements_are_refused() {
    let desk = Desk::with_cart().await;
    for (member, value) in [
        ("StatementId", "a b"),
        ("Action", "s3:GetObject"),
        ("Action", "lambda:"),
    ] {
        let mut body = gateway();
        body[member] = json!(value);
        let answer = desk.call("POST", POLICY, &body).await;
        Desk::refused(&answer, "ValidationException", 400);
    }
    let mut body = gateway();
    body["FunctionUrlAuthType"] = json!("NONE");
    let answer = desk.call("POST", POLICY, &body).await;
    Desk::refused(&answer, "InvalidParameterValueException", 400);
}

#[tokio::test]
async fn a_policy_has_a_bound() {
    let desk = Desk::with_cart().await;
    let mut answer = None;
    for at in 0..200 {
        let mut body = gateway();
        body["StatementId"] = json!(format!("s{at}"));
        let added = desk.call("POST", POLICY, &body).await;
        if added.status != StatusCode::CREATED {
            answer = Some(added);
            break;
        }
    }
    let refused = answer.expect("a refusal");
    Desk::refused(&refused, "PolicyLengthExceededException", 400);
}

#[tokio::test]
async fn tags_come_and_go() {
    let desk = Desk::with_cart().await;
    let tags = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Acart";
    let body = json!({ "Tags": { "a": "1", "b": "2", "c d": "3" } });
    let tagged = desk.call("POST", tags, &body).await;
    assert_eq!(tagged.status, StatusCode::NO_CONTENT);
    let gone = desk
        .delete(&format!("{tags}?tagKeys=a&tagKeys=c%20d"))
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get(tags).await.body, json!({ "Tags": { "b": "2" } }));
    let by_name = desk.get("/2017-03-31/tags/cart").await;
    Desk::refused(&by_name, "ValidationException", 400);
}
