//! The Runtime API's refusals, asked by a runtime out of turn.

use crate::bootstrap::World;

#[track_caller]
fn check(answer: &str, expect: &[&str]) {
    for part in expect {
        assert!(answer.contains(part), "{part} in {answer}");
    }
}

#[tokio::test]
async fn calls_out_of_turn_are_refused_with_lambdas_bodies() {
    let world = World::new();
    let event = r#"{"do": "probe", "requests": [
        ["POST", "/2018-06-01/runtime/invocation/no-such-id/response", "x"],
        ["POST", "/2018-06-01/runtime/init/error", "{}"],
        ["GET", "/2018-06-01/runtime/restore/next"],
        ["DELETE", "/2018-06-01/runtime/invocation/next"],
        ["GET", "/2018-06-01/ping"],
        ["POST", "/2020-01-01/extension/register", "{}"]]}"#;
    check(
        &world.text(event).await,
        &[
            r#"[400, "{\"errorType\":\"InvalidRequestID\",\"errorMessage\":\"Invalid request ID\"}"]"#,
            r#"[403, "{\"errorType\":\"InvalidStateTransition\",\"errorMessage\":\"State transition from Running to InitError failed for runtime. Error: State transition is not allowed\"}"]"#,
            r#"[404, "404 page not found\n"]"#,
            r#"[200, "pong"]"#,
            r#"[403, "{\"errorType\":\"Extension.NotSupported\""#,
        ],
    );
}

#[tokio::test]
async fn an_event_asked_for_twice_is_the_same_event() {
    let world = World::new();
    let event = r#"{"do": "probe", "requests": [["GET", "/2018-06-01/runtime/invocation/next"]]}"#;
    let answer = world.text(event).await;
    check(&answer, &["[200, ", r#"\"do\": \"probe\""#]);
}
