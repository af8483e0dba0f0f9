//! Functions that fail, hang, crash or never start.

use std::time::Duration;

use bytes::Bytes;
use clock::port::Clock as _;
use clock::wall::System;
use function::call::{Call, Ending};
use gateway_core::invoke::{Invoke, InvokeError};

use crate::bootstrap::{World, begin, f, later, number, package, text};

#[tokio::test]
async fn an_error_that_the_runtime_reports_is_the_answer() {
    let world = World::new();
    let answer = world.answer(r#"{"do": "fail"}"#).await;
    assert_eq!(answer.ending, Ending::Reported);
    assert_eq!(answer.function_error(), Some("Unhandled"));
    assert_eq!(
        text(&answer),
        r#"{"errorType": "ValueError", "errorMessage": "as told", "stackTrace": []}"#
    );
}

#[tokio::test]
async fn a_process_that_ends_is_told_and_replaced() {
    let world = World::new();
    let first = number(&world.text("{}").await, "pid");
    let answer = world.answer(r#"{"do": "exit", "code": 3}"#).await;
    assert_eq!(answer.ending, Ending::Exited);
    let expect = format!(
        r#"{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {} Error: Runtime exited with error: exit status 3"}}"#,
        answer.request_id
    );
    assert_eq!(text(&answer), expect);
    assert!(
        answer
            .log_tail
            .unwrap()
            .contains("Error Type: Runtime.ExitError")
    );
    assert_ne!(number(&world.text("{}").await, "pid"), first);
    let quiet = world.answer(r#"{"do": "exit", "code": 0}"#).await;
    assert!(text(&quiet).contains("Runtime exited without providing a reason"));
}

#[tokio::test]
async fn a_process_that_takes_too_long_is_killed_and_replaced() {
    let world = World::with(|spec| spec.timeout = Duration::from_secs(1));
    let first = number(&world.text("{}").await, "pid");
    let answer = world.answer(r#"{"do": "hang"}"#).await;
    assert_eq!(answer.ending, Ending::TimedOut);
    let expect = format!(
        r#"{{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: {} Error: Task timed out after 1.00 seconds"}}"#,
        answer.request_id
    );
    assert_eq!(text(&answer), expect);
    let tail = answer.log_tail.unwrap();
    assert!(
        tail.contains("Task timed out after 1.00 seconds\n"),
        "{tail}"
    );
    assert!(tail.ends_with("Status: timeout\n"), "{tail}");
    assert_ne!(number(&world.text("{}").await, "pid"), first);
    assert!(!is_alive(first));
}

#[tokio::test]
async fn the_whole_group_is_killed() {
    let world = World::with(|spec| spec.timeout = Duration::from_secs(1));
    let child = number(&world.text(r#"{"do": "child"}"#).await, "child");
    assert!(is_alive(child));
    world.answer(r#"{"do": "hang"}"#).await;
    gone(child).await;
}

#[tokio::test]
async fn a_caller_gives_up_before_the_function_does() {
    let world = World::new();
    world.text("{}").await;
    let soon = System.now() + Duration::from_millis(50);
    let given_up = world.host.invoke_with(Call {
        deadline: soon,
        ..world.gated()
    });
    assert_eq!(given_up.await.err(), Some(InvokeError::TimedOut));
    // What it began it ends, and its instance serves on.
    world.open_gate();
    assert!(world.text("{}").await.contains("echo"));
}

#[tokio::test]
async fn who_waits_in_vain_has_not_begun() {
    let world = World::with(|spec| spec.concurrency = Some(1));
    let first = world.begin_gated();
    world.begun(1).await;
    let soon = System.now() + Duration::from_millis(50);
    let second = Call::new(f(), Bytes::from_static(b"{}"), soon);
    let refused = world.host.invoke_with(second).await.err();
    assert_eq!(refused, Some(InvokeError::Throttled));
    world.open_gate();
    assert!(first.ended().await.is_ok());
}

async fn start_fails(world: &World, expect: &str) {
    let answer = world.answer("{}").await;
    assert_eq!(answer.ending, Ending::NotStarted);
    assert_eq!(answer.function_error(), Some("Unhandled"));
    assert!(text(&answer).contains(expect), "{}", text(&answer));
    let payload = Bytes::from_static(b"{}");
    let gateway = world.host.invoke(&f(), payload, later()).await;
    assert_eq!(gateway, Err(InvokeError::Unavailable));
}

fn with_init(how: &'static str) -> World {
    World::with(|spec| {
        spec.environment.insert("INIT".into(), how.into());
    })
}

#[tokio::test]
async fn a_start_that_exits_is_told() {
    start_fails(
        &with_init("exit"),
        "Runtime exited with error: exit status 7",
    )
    .await;
}

#[tokio::test]
async fn a_start_that_reports_its_error_is_told_in_its_own_words() {
    let error = r#"{"errorType": "Init.Broken", "errorMessage": "no table"}"#;
    start_fails(&with_init("error"), error).await;
}

#[tokio::test]
async fn a_bootstrap_that_cannot_be_run_is_told() {
    let world = World::new();
    for (bootstrap, mode, expect) in [
        (&b"#!/bin/sh\n"[..], 0o644, "Permission denied"),
        (b"#!/no/such/shell\n", 0o755, "No such file"),
        (b"\x7fELF and nothing else", 0o755, "Exec format error"),
    ] {
        let code = world.put(package(bootstrap, mode));
        world.change(|spec| spec.code = code);
        start_fails(&world, "Runtime.InvalidEntrypoint").await;
        assert!(world.text("{}").await.contains(expect), "{expect}");
    }
}

#[tokio::test]
async fn code_that_is_not_here_yet_is_told_and_tried_again() {
    let world = World::new();
    let arriving = package(b"#!/bin/sh\nexit 5\n", 0o755);
    let code = function::spec::CodeHash::of(&arriving);
    world.change(|spec| spec.code = code);
    start_fails(&world, "it has not arrived").await;
    world.put(arriving);
    assert!(world.text("{}").await.contains("exit status 5"));
}

#[tokio::test]
async fn runtimes_that_cannot_run_here_are_told() {
    let world = World::with(|spec| spec.runtime = "nodejs22.x".into());
    start_fails(&world, "Runtime.InvalidEntrypoint").await;
    assert!(world.host.check_runtime("nodejs22.x").await.is_err());
    assert!(world.host.check_runtime("provided.al2023").await.is_ok());
}

#[tokio::test]
async fn dropping_the_host_ends_its_processes() {
    let world = World::new();
    let pid = number(&world.text("{}").await, "pid");
    drop(world);
    gone(pid).await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_runs_and_takes_no_more() {
    let world = World::new();
    let pid = number(&world.text("{}").await, "pid");
    let running = world.begin_gated();
    world.begun(2).await;
    let host = world.host.clone();
    let stopping = begin(async move { host.shutdown(Duration::from_mins(1)).await });
    while world.invoke("{}").await.err() != Some(InvokeError::Unavailable) {
        tokio::task::yield_now().await;
    }
    world.open_gate();
    assert_eq!(text(&running.ended().await.unwrap()), "\"waited\"");
    assert!(stopping.ended().await);
    gone(pid).await;
}

fn is_alive(pid: i32) -> bool {
    // A process that has ended and was not waited for by its parent is dead all the same.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits until a process is dead; the kernel ends it soon after its signal.
async fn gone(pid: i32) {
    while is_alive(pid) {
        tokio::task::yield_now().await;
    }
}
