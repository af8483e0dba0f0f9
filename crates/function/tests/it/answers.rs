//! What functions get and give.

use bytes::Bytes;
use function::call::{Call, Ending};
use function::limits::PAYLOAD_BYTES_MAX;
use gateway_core::invoke::{FunctionName, Invoke, InvokeError};

use crate::bootstrap::{World, call, f, later, number, text};

#[tokio::test]
async fn an_event_goes_in_and_an_answer_comes_out() {
    let world = World::new();
    let answer = world.answer(r#"{"a": [1, "é"]}"#).await;
    assert_eq!(answer.ending, Ending::Returned);
    assert_eq!(answer.function_error(), None);
    assert!(text(&answer).contains(r#""echo": {"a": [1, "\u00e9"]}"#));
}

#[tokio::test]
async fn an_instance_stays_warm() {
    // With room for a second one, a machine under load would start it beside the first.
    let world = World::with(|spec| spec.concurrency = Some(1));
    let first = number(&world.text("{}").await, "pid");
    for _ in 0..5 {
        assert_eq!(number(&world.text("{}").await, "pid"), first);
    }
    assert_eq!(world.host.instances()[&f()], 1);
}

#[tokio::test]
async fn the_process_finds_lambdas_surroundings() {
    let world = World::with(|spec| {
        spec.environment.insert("TABLE".into(), "carts".into());
    });
    let mut call = call(r#"{"do": "where"}"#);
    call.request_id = Some("8476a536-e9f4-11e8-9739-2dfe598c3fcd".into());
    call.client_context = Some(r#"{"client": 1}"#.into());
    let answer = text(&world.host.invoke_with(call).await.unwrap());
    for part in [
        r#""TABLE": "carts""#,
        r#""AWS_REGION": "eu-west-1""#,
        r#""AWS_ENDPOINT_URL": "http://127.0.0.12:4566""#,
        r#""AWS_LAMBDA_FUNCTION_NAME": "f""#,
        r#""_HANDLER": "app.handler""#,
        r#""files": ["bootstrap"]"#,
        r#""lambda-runtime-aws-request-id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd""#,
        r#""lambda-runtime-client-context": "{\"client\": 1}""#,
        r#""lambda-runtime-trace-id": "Root=1-"#,
        r#""lambda-runtime-deadline-ms": ""#,
        r#"arn:aws:lambda:eu-west-1:000000000000:function:f""#,
        r#""content-type": "application/json""#,
    ] {
        assert!(answer.contains(part), "{part} in {answer}");
    }
    // Nothing of this process's own environment leaks.
    assert!(!answer.contains("CARGO"), "{answer}");
}

#[tokio::test]
async fn invocations_at_once_have_instances_of_their_own_up_to_the_bound() {
    let world = World::with(|spec| spec.concurrency = Some(2));
    let calls: Vec<_> = (0..4).map(|_| world.begin_gated()).collect();
    // Two run, two wait for them.
    world.begun(2).await;
    assert_eq!(world.host.instances()[&f()], 2);
    world.open_gate();
    for call in calls {
        assert_eq!(text(&call.ended().await.unwrap()), "\"waited\"");
    }
    assert!(world.host.instances()[&f()] <= 2);
}

#[tokio::test]
async fn a_function_without_concurrency_is_throttled() {
    let world = World::with(|spec| spec.concurrency = Some(0));
    assert_eq!(world.invoke("{}").await.err(), Some(InvokeError::Throttled));
}

#[tokio::test]
async fn an_unknown_function_is_not_found() {
    let world = World::new();
    let other = FunctionName::parse("other").unwrap();
    let call = Call::new(other, Bytes::new(), later());
    let refused = world.host.invoke_with(call).await.err();
    assert_eq!(refused, Some(InvokeError::NotFound));
}

#[tokio::test]
async fn an_answer_may_be_six_mebibytes_and_no_more() {
    let world = World::new();
    let fits = 6 * 1024 * 1024;
    let event = |bytes: usize| format!(r#"{{"do": "large", "bytes": {bytes}}}"#);
    assert_eq!(world.answer(&event(fits)).await.payload.len(), fits + 2);
    let answer = world.answer(&event(fits + 99)).await;
    assert_eq!(answer.ending, Ending::TooLarge);
    assert_eq!(
        text(&answer),
        r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}"#
    );
    // The instance was told, and lives on.
    assert!(world.text("{}").await.contains("echo"));
}

#[tokio::test]
async fn a_payload_that_is_too_large_never_runs() {
    let world = World::new();
    let payload = Bytes::from(vec![b' '; PAYLOAD_BYTES_MAX.as_len() + 1]);
    let refused = world.host.invoke_with(Call::new(f(), payload, later()));
    assert!(matches!(refused.await, Err(InvokeError::Crashed(_))));
    assert_eq!(world.host.instances()[&f()], 0);
}

#[tokio::test]
async fn a_gateway_gets_the_payload_alone() {
    let world = World::new();
    let function = f();
    let invoke = |event: &'static str| {
        let payload = Bytes::from_static(event.as_bytes());
        Invoke::invoke(&world.host, &function, payload, later())
    };
    assert!(invoke("{}").await.unwrap().starts_with(b"{\"echo\""));
    let failed = invoke(r#"{"do": "fail"}"#).await;
    assert!(matches!(failed, Err(InvokeError::Crashed(text)) if text.contains("as told")));
}

#[tokio::test]
async fn an_accepted_event_runs_without_a_caller() {
    let world = World::new();
    let request_id = world.host.accept(call("{}")).unwrap();
    let end = format!("END RequestId: {request_id}");
    world
        .log_shows(|lines| lines.iter().any(|line| line.text == end))
        .await;
}
