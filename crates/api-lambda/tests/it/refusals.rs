//! What is refused, by name.

use http::StatusCode;
use serde_json::json;

use crate::desk::{Desk, package};

#[tokio::test]
async fn operations_that_are_not_served_are_refused_by_name() {
    let desk = Desk::with_cart().await;
    for (method, path, name) in [
        (
            "POST",
            "/2015-03-31/functions/cart/versions",
            "PublishVersion",
        ),
        ("GET", "/2015-03-31/functions/cart/aliases", "ListAliases"),
        (
            "POST",
            "/2021-10-31/functions/cart/url",
            "CreateFunctionUrlConfig",
        ),
        ("PATCH", "/2015-03-31/nothing", "PATCH /2015-03-31/nothing"),
    ] {
        let answer = desk.call(method, path, &json!({})).await;
        Desk::refused(&answer, "UnknownOperationException", 400);
        let message = answer.body["Message"].as_str().unwrap();
        assert!(message.ends_with(name), "{message}");
    }
}

#[tokio::test]
async fn members_that_are_not_served_are_refused_by_name() {
    let desk = Desk::new().await;
    for (change, part) in [
        (json!({ "Publish": true }), "Publish is not supported"),
        (json!({ "Runtime": "nodejs22.x" }), "no nodejs22.x here"),
        (
            json!({ "Code": { "S3Bucket": "b", "S3Key": "k" } }),
            "Code in S3",
        ),
        (json!({ "Code": { "ImageUri": "i" } }), "ImageUri"),
        (json!({ "Code": {} }), "provide a source"),
        (json!({ "Runtime": null }), "Runtime is missing"),
        (json!({ "Handler": null }), "Handler is missing"),
        (
            json!({ "Code": { "ZipFile": "bm8gemlw" } }),
            "Could not unzip uploaded file",
        ),
    ] {
        let answer = desk.create(change).await;
        Desk::refused(&answer, "InvalidParameterValueException", 400);
        let message = answer.body["Message"].as_str().unwrap();
        assert!(message.contains(part), "{part} in {message}");
    }
    let listed = desk.get("/2015-03-31/functions").await.body;
    assert_eq!(listed["Functions"], json!([]));
}

#[tokio::test]
async fn malformed_calls_are_refused() {
    let desk = Desk::new().await;
    let answer = desk
        .call("POST", "/2015-03-31/functions", &json!({ "Role": 1 }))
        .await;
    Desk::refused(&answer, "InvalidRequestContentException", 400);
    let not_base64 = json!({ "Code": { "ZipFile": "§" } });
    let answer = desk.create(not_base64).await;
    Desk::refused(&answer, "InvalidRequestContentException", 400);
    let deep = "[".repeat(100_000);
    let request = http::Request::post("/2015-03-31/functions").body(deep.into());
    let answer = desk.send(request.unwrap()).await;
    Desk::refused(&answer, "InvalidRequestContentException", 400);
    let name = json!({ "FunctionName": "a b" });
    Desk::refused(&desk.create(name).await, "ValidationException", 400);
}

#[tokio::test]
async fn empty_members_of_tools_are_no_demands() {
    let desk = Desk::new().await;
    let created = desk
        .create(json!({
            "Publish": false,
            "Layers": [],
            "VpcConfig": { "SubnetIds": [], "SecurityGroupIds": [] },
            "TracingConfig": { "Mode": "PassThrough" },
            "Code": { "ZipFile": package("x") },
        }))
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
}
