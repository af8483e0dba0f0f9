//! The write buffers of all namespaces, held to one bound together.
//!
//! It decides when a buffer goes to a table on disk, in the engine's place; it writes no table.
//!
//! The engine asks its worker for a table with every batch that finds a buffer too large. A worker
//! that is busy for long finds its queue full then, has to wait for room in the queue that it
//! alone empties, and never writes a table again: memory and the journal grow without end. So
//! the engine's own limit is never reached, and the committer asks, once a buffer.

use std::time::Duration;

use fjall::{AbstractTree, Keyspace, PersistMode};

use base::units::ByteCount;
use store::port::StoreError;

use crate::engine::{Keyspaces, failed};

/// Most buffers that wait to be written to tables. 2: one is being written, one waits behind it
/// and behind a compaction; four of one namespace would make the engine sleep in steps of 100 ms.
const SEALED_MAX: usize = 2;

/// How long the committer waits before it looks again whether a buffer was written. 1 ms.
const ROOM_POLL: Duration = Duration::from_millis(1);

/// What the namespaces' newest writes may take together, before the largest goes to disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffers {
    pub(crate) bytes_max: ByteCount,
}

impl Buffers {
    /// Gives the largest buffer to the engine's worker where all together are too large, and waits
    /// while too many are on their way: who writes faster than the disk takes it is held up here.
    ///
    /// Errors: where the engine writes no more.
    pub(crate) fn keep(self, keyspaces: &Keyspaces) -> Result<(), StoreError> {
        let size = |keyspace: &&Keyspace| keyspace.tree.active_memtable().size();
        let sum: u64 = keyspaces.all().map(|keyspace| size(&keyspace)).sum();
        if sum < self.bytes_max.as_u64() {
            return Ok(());
        }
        if let Some(largest) = keyspaces.all().max_by_key(size) {
            largest.rotate_memtable().map_err(failed)?;
        }
        while SEALED_MAX <= sealed(keyspaces) {
            // It fails where the worker has ended.
            let alive = keyspaces.database.persist(PersistMode::Buffer);
            alive.map_err(failed)?;
            pause();
        }
        Ok(())
    }
}

/// Returns how many buffers wait to be written.
pub(crate) fn sealed(keyspaces: &Keyspaces) -> usize {
    keyspaces
        .all()
        .map(|keyspace| keyspace.tree.sealed_memtable_count())
        .sum()
}

/// Holds up the committer's own thread, which has nothing else to do.
#[expect(
    clippy::disallowed_methods,
    reason = "an engine's pacing, below every simulated seam"
)]
fn pause() {
    std::thread::sleep(ROOM_POLL);
}

#[cfg(test)]
mod tests;
