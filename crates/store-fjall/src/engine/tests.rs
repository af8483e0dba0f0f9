//! Tests of the engine: the port's promises, and what is there after reopening.

use bytes::Bytes;

use store::conformance::{self, commit};
use store::port::{Batch, Durability, Space, Store, StoreError};

use super::{FjallStore, Memory};
use crate::directory::DirectoryError;

#[tokio::test]
async fn keeps_the_ports_promises() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let next = std::cell::Cell::new(0);
    let open = || {
        next.set(next.get() + 1);
        let path = dir.path().join(next.get().to_string());
        FjallStore::open(&path, Memory::default()).expect("opened")
    };
    conformance::run(open).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for round in 0..3_u8 {
        let store = FjallStore::open(dir.path(), Memory::default()).expect("opened");
        for before in 0..round {
            let value = store.get(Space::Items, &[before]).await.expect("readable");
            assert_eq!(value, Some(Bytes::copy_from_slice(&[before])));
        }
        let mut batch = Batch::default();
        batch.put(Space::Items, vec![round], vec![round]);
        batch.put(Space::Log, vec![round], vec![round]);
        commit(&store, batch, Durability::Disk)
            .await
            .expect("stored");
    }
}

#[test]
fn a_directory_that_is_open_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let _open = FjallStore::open(dir.path(), Memory::default()).expect("opened");
    let again = FjallStore::open(dir.path(), Memory::default());
    assert!(matches!(again, Err(DirectoryError::Locked { .. })));
}

#[tokio::test]
async fn a_store_that_takes_no_more_writes_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = FjallStore::open(dir.path(), Memory::default()).expect("opened");
    let mut failed = std::pin::pin!(store.failed());
    let mut batch = Batch::default();
    batch.put(Space::Items, b"a".to_vec(), "1");
    commit(&store, batch, Durability::Disk)
        .await
        .expect("stored");
    tokio::select! {
        biased;
        error = &mut failed => panic!("it works: {error}"),
        () = tokio::task::yield_now() => {}
    }
    // The engine panics at keys of 64 KiB, on the thread that writes.
    let mut batch = Batch::default();
    batch.put(Space::Items, vec![0; 1 << 16], "1");
    let refused = commit(&store, batch, Durability::Disk).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    assert!(matches!(failed.await, StoreError::Closed));
    let mut batch = Batch::default();
    batch.put(Space::Items, b"b".to_vec(), "1");
    let refused = commit(&store, batch, Durability::Disk).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
}
