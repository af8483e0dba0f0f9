//! Tests of the bound over all write buffers: it holds however fast writes come.

use base::units::ByteCount;
use store::conformance::commit;
use store::port::{Batch, Durability, Space, Store};

use crate::engine::{FjallStore, Memory};

#[tokio::test]
async fn buffers_stay_within_their_bound_and_lose_nothing() {
    const BATCHES: u16 = 400;
    const BYTES: usize = 4_096;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let memory = Memory {
        write_buffers: ByteCount::kib(64),
        ..Memory::default()
    };
    let store = FjallStore::open(dir.path(), memory).expect("opened");
    for number in 0..BATCHES {
        let mut batch = Batch::default();
        for space in [Space::Items, Space::History, Space::Digests] {
            batch.put(space, number.to_be_bytes().to_vec(), vec![7; BYTES]);
        }
        commit(&store, batch, Durability::Buffered)
            .await
            .expect("stored");
        // One share that fills, two on their way, and what the last batch added.
        let held = store.write_buffer_bytes().as_u64();
        assert!(held < 4 * 64 * 1_024, "{held} bytes after batch {number}");
    }
    for number in 0..BATCHES {
        let value = store.get(Space::Items, &number.to_be_bytes()).await;
        let value = value.expect("readable").expect("there");
        assert_eq!(value.len(), BYTES, "item {number}");
    }
}
