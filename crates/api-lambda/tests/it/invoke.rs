//! Invocations, on their way to the runner and back.

use std::time::Duration;

use api_lambda::port::{LogWanted, Outcome, RunError};
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::json;

use crate::desk::Desk;

const INVOKE: &str = "/2015-03-31/functions/cart/invocations";

fn request(headers: &[(&str, &str)], body: &'static str) -> Request<Bytes> {
    let mut request = Request::post(INVOKE);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from_static(body.as_bytes())).unwrap()
}

#[tokio::test]
async fn a_payload_goes_in_and_comes_out() {
    let desk = Desk::with_cart().await;
    let answer = desk.send(request(&[], r#"{"a": 1}"#)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, json!("fine"));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.header("x-amz-function-error"), None);
    let run = desk.notes.run.lock().unwrap();
    assert_eq!(run[0].function, "cart");
    assert_eq!(&run[0].payload[..], br#"{"a": 1}"#);
    assert_eq!(run[0].log, LogWanted::None);
    assert_eq!(answer.header("x-amzn-requestid"), Some(&*run[0].request_id));
    // The function's own limit is 3 s; a free instance is waited for beyond it.
    assert!(Duration::from_secs(3) < run[0].patience);
}

#[tokio::test]
async fn nothing_sent_is_an_empty_object() {
    let desk = Desk::with_cart().await;
    desk.send(request(&[], "")).await;
    assert_eq!(&desk.notes.run.lock().unwrap()[0].payload[..], b"{}");
}

#[tokio::test]
async fn errors_and_logs_come_in_headers() {
    let desk = Desk::with_cart().await;
    *desk.notes.outcome.lock().unwrap() = Ok(Outcome {
        payload: Bytes::from_static(br#"{"errorType":"E"}"#),
        function_error: Some("Unhandled"),
        log_tail: Some("START\né\n".to_owned()),
        executed_version: "$LATEST",
    });
    let answer = desk.send(request(&[("X-Amz-Log-Type", "Tail")], "1")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["errorType"], "E");
    assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"));
    assert_eq!(answer.header("x-amz-log-result"), Some("U1RBUlQKw6kK"));
    assert_eq!(desk.notes.run.lock().unwrap()[0].log, LogWanted::Tail);
}

#[tokio::test]
async fn a_client_context_is_decoded() {
    let desk = Desk::with_cart().await;
    // {"client":1}
    let headers = [("X-Amz-Client-Context", "eyJjbGllbnQiOjF9")];
    desk.send(request(&headers, "1")).await;
    let context = desk.notes.run.lock().unwrap()[0].client_context.clone();
    assert_eq!(context.as_deref(), Some(r#"{"client":1}"#));
    for broken in ["%", "bm8ganNvbg=="] {
        let headers = [("X-Amz-Client-Context", broken)];
        let answer = desk.send(request(&headers, "1")).await;
        Desk::refused(&answer, "InvalidRequestContentException", 400);
    }
}

#[tokio::test]
async fn events_are_accepted_and_dry_runs_run_nothing() {
    let desk = Desk::with_cart().await;
    let headers = [("X-Amz-Invocation-Type", "Event")];
    let accepted = desk.send(request(&headers, "1")).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    let headers = [("X-Amz-Invocation-Type", "DryRun")];
    let dry = desk.send(request(&headers, "1")).await;
    assert_eq!(dry.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.notes.accepted.lock().unwrap().len(), 1);
    assert_eq!(desk.notes.run.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_invoked_is_refused() {
    let desk = Desk::with_cart().await;
    let broken = desk.send(request(&[], "{")).await;
    Desk::refused(&broken, "InvalidRequestContentException", 400);
    let headers = [("X-Amz-Invocation-Type", "Never")];
    let unknown = desk.send(request(&headers, "1")).await;
    Desk::refused(&unknown, "ValidationException", 400);
    let large = Request::post(INVOKE).body(Bytes::from(vec![b' '; 6_291_557]));
    let large = desk.send(large.unwrap()).await;
    Desk::refused(&large, "RequestTooLargeException", 413);
    let headers = ("X-Amz-Invocation-Type", "Event");
    let event = Request::post(INVOKE)
        .header(headers.0, headers.1)
        .body(Bytes::from(vec![b' '; 1024 * 1024 + 1]));
    let event = desk.send(event.unwrap()).await;
    Desk::refused(&event, "RequestTooLargeException", 413);
    let path = "/2015-03-31/functions/other/invocations";
    let other = desk.call("POST", path, &json!({})).await;
    Desk::refused(&other, "ResourceNotFoundException", 404);
}

#[tokio::test]
async fn what_the_runner_refuses_has_lambdas_names() {
    let desk = Desk::with_cart().await;
    for (error, code, status) in [
        (RunError::NotFound, "ResourceNotFoundException", 404),
        (RunError::Throttled, "TooManyRequestsException", 429),
        (RunError::TimedOut, "ServiceException", 500),
        (
            RunError::Unavailable("it stops".into()),
            "ServiceException",
            500,
        ),
    ] {
        *desk.notes.outcome.lock().unwrap() = Err(error);
        let answer = desk.send(request(&[], "1")).await;
        Desk::refused(&answer, code, status);
    }
}
