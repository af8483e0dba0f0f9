//! Functions changed and deleted while they run.

use gateway_core::invoke::InvokeError;

use crate::bootstrap::{World, number, package, spec, text};

#[tokio::test]
async fn what_runs_ends_on_the_old_and_what_comes_begins_on_the_new() {
    let world = World::with(|spec| {
        spec.environment.insert("VERSION".into(), "old".into());
    });
    let running = world.begin_gated();
    world.begun(1).await;
    world.change(|spec| {
        spec.environment.insert("VERSION".into(), "new".into());
    });
    assert!(world.text("{}").await.contains(r#""version": "new""#));
    world.open_gate();
    assert_eq!(text(&running.ended().await.unwrap()), "\"waited\"");
    for _ in 0..3 {
        assert!(world.text("{}").await.contains(r#""version": "new""#));
    }
}

#[tokio::test]
async fn a_change_that_no_process_sees_keeps_the_process() {
    let world = World::new();
    let first = number(&world.text("{}").await, "pid");
    world.change(|spec| {
        spec.revision = "2".into();
        spec.concurrency = Some(1);
    });
    assert_eq!(number(&world.text("{}").await, "pid"), first);
}

#[tokio::test]
async fn a_deleted_function_is_not_found_and_what_runs_ends() {
    let world = World::new();
    let running = world.begin_gated();
    world.begun(1).await;
    world.publish([]);
    assert_eq!(world.invoke("{}").await.err(), Some(InvokeError::NotFound));
    world.open_gate();
    assert_eq!(text(&running.ended().await.unwrap()), "\"waited\"");
}

#[tokio::test]
async fn functions_do_not_disturb_each_other() {
    let world = World::with(|spec| spec.concurrency = Some(1));
    let pid = number(&world.text("{}").await, "pid");
    let code = world.put(package(b"#!/bin/sh\nexit 1\n", 0o755));
    world.change(|_| {});
    let own = world.text("{}").await;
    assert_eq!(number(&own, "pid"), pid);
    let broken = spec("broken", code);
    let current = spec("f", function::spec::CodeHash::of(b"x"));
    world.publish([broken, current]);
    assert!(world.text("{}").await.contains("it has not arrived"));
    assert_eq!(world.host.instances().len(), 2);
}
