//! Tests of the engine: the port's promises, and what is there after reopening.

use std::fs;
use std::ops::Bound;
use std::path::Path;

use bytes::Bytes;

use store::conformance::{self, commit};
use store::port::{Batch, Durability, Order, Range, Space, Store, StoreError};

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

#[tokio::test]
async fn what_is_committed_is_counted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = FjallStore::open(dir.path(), Memory::default()).expect("opened");
    for key in 0..3_u8 {
        let mut batch = Batch::default();
        batch.put(Space::Items, vec![key], vec![key]);
        commit(&store, batch, Durability::Disk)
            .await
            .expect("stored");
    }
    // Each was waited for, so that none shared a flush.
    assert_eq!(store.commits().batches(), 3);
    assert_eq!(store.commits().groups(), 3);
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

/// How many rows the damaged tables hold; enough for many blocks.
const ROWS: u16 = 2_000;

/// Makes a store whose items are in a table on disk, in no memory.
async fn written(path: &Path) -> FjallStore {
    let store = FjallStore::open(path, Memory::default()).expect("opened");
    let mut batch = Batch::default();
    for row in 0..ROWS {
        let value = vec![row.to_be_bytes()[1]; 500];
        batch.put(Space::Items, row.to_be_bytes().to_vec(), value);
    }
    commit(&store, batch, Durability::Disk)
        .await
        .expect("stored");
    let items = store.inner.keyspaces.of(Space::Items).expect("made");
    items.rotate_memtable_and_wait().expect("written to disk");
    store
}

/// Flips a bit of each of the tables' first blocks, as a disk that loses data does.
fn damage(path: &Path) -> usize {
    let mut damaged = 0;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .parent()
                .is_some_and(|parent| parent.ends_with("tables"))
            {
                let mut bytes = fs::read(&path).expect("a table");
                let at = bytes.len().min(200) / 2;
                bytes[at] ^= 0x10;
                fs::write(&path, bytes).expect("written");
                damaged += 1;
            }
        }
    }
    damaged
}

fn all() -> Range {
    Range {
        space: Space::Items,
        from: Bound::Unbounded,
        to: Bound::Unbounded,
        order: Order::Ascending,
        rows_max: usize::MAX,
        bytes_max: usize::MAX,
    }
}

#[tokio::test]
async fn a_store_that_cannot_read_what_it_wrote_has_failed() {
    for by_range in [false, true] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = written(dir.path()).await;
        assert_ne!(damage(dir.path()), 0, "no table was written");
        let mut failed = std::pin::pin!(store.failed());
        // What is not there is no failure.
        let none = store.get(Space::Meta, b"nothing").await;
        assert_eq!(none.expect("readable"), None);
        tokio::select! {
            biased;
            error = &mut failed => panic!("it works: {error}"),
            () = tokio::task::yield_now() => {}
        }
        let error = if by_range {
            store.range(all()).await.err()
        } else {
            store.get(Space::Items, &[0, 0]).await.err()
        };
        let error = error.expect("the first block is damaged").to_string();
        assert_eq!(failed.await.to_string(), error);
    }
}
