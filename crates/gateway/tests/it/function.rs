//! Requests to functions over HTTP/1.1.

use std::sync::Arc;

use gateway_core::invoke::InvokeError;

use crate::world::{Answer, Authority, Behaviour, Region, config, get, with_body};

fn region() -> Region {
    Region::start(
        "eu-west-1",
        &Authority::new(),
        &[("ANY /cart/{proxy+}", "function")],
    )
}

#[tokio::test]
async fn a_function_gets_the_request_and_gives_the_response() {
    let region = region();
    let answer = region.ask(&with_body("POST", "/cart/a?x=1", "hello")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let event = answer.event();
    assert_eq!(event["routeKey"], "ANY /cart/{proxy+}");
    assert_eq!(event["rawPath"], "/cart/a");
    assert_eq!(event["rawQueryString"], "x=1");
    assert_eq!(event["body"], "hello");
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    assert_eq!(event["headers"]["x-forwarded-proto"], "http");
    assert_eq!(event["headers"]["host"], "api.shop.test");
    assert_eq!(event["headers"].get("connection"), None);
    let id = answer.header("apigw-requestid").unwrap();
    assert_eq!(event["requestContext"]["requestId"], id);
    let next = region.ask(&get("/cart/a")).await;
    assert_ne!(next.header("apigw-requestid"), Some(id));
}

#[track_caller]
fn check_error(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.body, format!("{{\"message\":\"{message}\"}}"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("apigw-requestid").is_some());
}

#[tokio::test]
async fn failures_have_the_words_of_aws() {
    let region = region();
    check_error(&region.ask(&get("/nowhere")).await, 404, "Not Found");
    let other = get("/").replace("api.shop.test", "other.test");
    check_error(&region.ask(&other).await, 403, "Forbidden");
    for (error, status, message) in [
        (InvokeError::NotFound, 500, "Internal Server Error"),
        (
            InvokeError::Crashed("secret".into()),
            500,
            "Internal Server Error",
        ),
        (InvokeError::TimedOut, 503, "Service Unavailable"),
        (InvokeError::Throttled, 503, "Service Unavailable"),
        (InvokeError::Unavailable, 503, "Service Unavailable"),
    ] {
        region.functions.set(Behaviour::Fail(error));
        check_error(&region.ask(&get("/cart/a")).await, status, message);
    }
    region.functions.set(Behaviour::Answer("{"));
    check_error(
        &region.ask(&get("/cart/a")).await,
        500,
        "Internal Server Error",
    );
    let counters = region.gateway.counters();
    assert_eq!(counters.requests, 8);
    assert_eq!(counters.responses, [0, 0, 2, 6]);
}

#[tokio::test]
async fn a_response_to_head_has_a_length_and_no_body() {
    let region = region();
    region
        .functions
        .set(Behaviour::Answer(r#"{"statusCode":200,"body":"12345"}"#));
    let answer = region.ask(&get("/cart/a").replace("GET", "HEAD")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.header("content-length"), Some("5"));
}

#[tokio::test]
async fn a_new_snapshot_is_served_without_a_restart() {
    let region = region();
    assert_eq!(region.ask(&get("/other")).await.status, 404);
    let routes = [("GET /other", "function")];
    let next = Arc::new(config(&region.name, &routes));
    region.change(|snapshot| snapshot.config = next).await;
    assert_eq!(region.ask(&get("/other")).await.status, 200);
    assert_eq!(region.ask(&get("/cart/a")).await.status, 404);
}
