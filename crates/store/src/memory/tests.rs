//! Tests of the store in memory: the port's promises, and what a crash takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::MemStore;
use crate::conformance;
use crate::port::{Batch, Durability, Space, Store, StoreError};

#[tokio::test]
async fn keeps_the_ports_promises() {
    conformance::run(MemStore::new).await;
}

fn put(key: &str) -> Batch {
    let mut batch = Batch::default();
    batch.put(Space::Items, key.into(), key.to_owned());
    batch
}

#[tokio::test]
async fn a_crash_takes_what_had_not_reached_the_disk() {
    let store = MemStore::held();
    let done = Arc::new(AtomicUsize::new(0));
    let failed = Arc::new(AtomicUsize::new(0));
    for (key, durability) in [
        ("synced", Durability::Disk),
        ("buffered", Durability::Buffered),
        ("waiting", Durability::Disk),
    ] {
        let (done, failed) = (done.clone(), failed.clone());
        let completion = move |result: Result<(), StoreError>| {
            let counter = if result.is_ok() { &done } else { &failed };
            counter.fetch_add(1, Ordering::Relaxed);
        };
        store.submit(put(key), durability, Box::new(completion));
    }
    assert_eq!(store.step(1), 1);
    assert_eq!(store.step(1), 1);
    assert_eq!(done.load(Ordering::Relaxed), 2);
    assert!(
        store
            .get(Space::Items, b"buffered")
            .await
            .expect("open")
            .is_some()
    );

    let after = store.crash();
    assert_eq!(failed.load(Ordering::Relaxed), 1);
    assert!(matches!(
        store.get(Space::Items, b"synced").await,
        Err(StoreError::Closed)
    ));
    assert!(
        after
            .get(Space::Items, b"synced")
            .await
            .expect("open")
            .is_some()
    );
    assert!(
        after
            .get(Space::Items, b"buffered")
            .await
            .expect("open")
            .is_none()
    );
    assert!(
        after
            .get(Space::Items, b"waiting")
            .await
            .expect("open")
            .is_none()
    );
}

#[test]
fn what_waits_for_the_disk_behind_a_waiting_batch_is_not_told_before_it() {
    let store = MemStore::held();
    let told = Arc::new(AtomicUsize::new(0));
    let count = || {
        let told = told.clone();
        Box::new(move |_: Result<(), StoreError>| {
            told.fetch_add(1, Ordering::Relaxed);
        })
    };
    store.submit(put("first"), Durability::Buffered, Box::new(|_| ()));
    store.flushed(count());
    store.submit(put("second"), Durability::Buffered, Box::new(|_| ()));
    store.flushed(count());
    store.persist();
    assert_eq!(told.load(Ordering::Relaxed), 0, "neither has taken effect");
    store.step(1);
    store.persist();
    assert_eq!(told.load(Ordering::Relaxed), 1, "the second still waits");
    store.step(1);
    store.persist();
    assert_eq!(told.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_failed_disk_takes_nothing_more_and_may_show_what_it_does_not_hold() {
    let store = MemStore::held();
    let failed = Arc::new(AtomicUsize::new(0));
    let submit = |key| {
        let failed = failed.clone();
        let completion = move |result: Result<(), StoreError>| {
            let is_failure = matches!(result, Err(StoreError::Failed(_)));
            failed.fetch_add(usize::from(is_failure), Ordering::Relaxed);
        };
        store.submit(put(key), Durability::Disk, Box::new(completion));
    };
    submit("half");
    submit("waiting");
    store.fail(1);
    submit("late");
    assert_eq!(failed.load(Ordering::Relaxed), 3);
    assert!(store.has_failed());
    let get = async |store: &MemStore, key: &str| {
        let found = store.get(Space::Items, key.as_bytes()).await;
        found.expect("read").is_some()
    };
    assert!(get(&store, "half").await && !get(&store, "waiting").await);
    let after = store.crash();
    assert!(!get(&after, "half").await && !after.has_failed());
}
