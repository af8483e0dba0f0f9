//! Locks of items, held until a write is done even where its caller has gone.
//!
//! They order writes within one region; nothing is locked across regions.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use base::name::TableId;

use crate::limits::LOCKS;

/// The locks of one region's items.
pub(crate) struct Locks {
    shards: Vec<Arc<Mutex<()>>>,
}

/// Locks that are held. They are freed when this is dropped.
pub(crate) struct Held {
    _guards: Vec<OwnedMutexGuard<()>>,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..LOCKS).map(|_| Arc::default()).collect(),
        }
    }

    /// Returns which locks `items` need.
    pub(crate) fn needed<'a>(items: impl Iterator<Item = (TableId, &'a [u8])>) -> BTreeSet<usize> {
        items.map(|(table, key)| shard(table, key)).collect()
    }

    /// Takes locks, in one order for all callers, so that none wait in a ring.
    pub(crate) async fn hold(&self, needed: BTreeSet<usize>) -> Held {
        let mut guards = Vec::with_capacity(needed.len());
        for shard in needed {
            guards.push(Arc::clone(&self.shards[shard]).lock_owned().await);
        }
        Held { _guards: guards }
    }
}

fn shard(table: TableId, key: &[u8]) -> usize {
    // A fixed hasher: the order of locks must not differ between two runs of one seed.
    let mut hasher =
        std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::new().build_hasher();
    hasher.write_u64(table.0);
    hasher.write(key);
    usize::try_from(hasher.finish() % LOCKS as u64).unwrap_or(0)
}
