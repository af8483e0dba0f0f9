//! The port that every engine implements.
//!
//! It promises order and durability, not meaning: keys and values are bytes. Batches become
//! visible and durable in the order in which they were submitted, each whole or not at all.

use std::fmt;
use std::future::Future;
use std::ops::Bound;

use bytes::Bytes;

/// A namespace of keys. One atomic batch may span them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Items of all tables, tombstones included.
    Items,
    /// Change logs of all origins.
    Log,
    /// Digest buckets of tables.
    Digests,
    /// Writes that lost a race.
    Conflicts,
    /// Tombstones by stamp, for their collection.
    Tombstones,
    /// Positions and the few facts about this store itself.
    Meta,
    /// Entries of secondary indexes.
    Indexes,
    /// What became of items, in order, for streams and for going back in time.
    History,
    /// Items of backups.
    Backups,
}

impl Space {
    /// All namespaces, in the order of their numbers on disk.
    pub const ALL: [Self; 9] = [
        Self::Items,
        Self::Log,
        Self::Digests,
        Self::Conflicts,
        Self::Tombstones,
        Self::Meta,
        Self::Indexes,
        Self::History,
        Self::Backups,
    ];

    /// Returns the name of the namespace on disk.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Log => "log",
            Self::Digests => "digests",
            Self::Conflicts => "conflicts",
            Self::Tombstones => "tombstones",
            Self::Meta => "meta",
            Self::Indexes => "indexes",
            Self::History => "history",
            Self::Backups => "backups",
        }
    }
}

/// One operation of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets a key.
    Put(Space, Vec<u8>, Bytes),
    /// Removes a key; nothing happens where it is not.
    Delete(Space, Vec<u8>),
}

/// Operations that take effect together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The operations, in order; a later one of the same key wins.
    pub ops: Vec<Op>,
}

impl Batch {
    /// Adds a put.
    pub fn put(&mut self, space: Space, key: Vec<u8>, value: impl Into<Bytes>) {
        self.ops.push(Op::Put(space, key, value.into()));
    }

    /// Adds a removal.
    pub fn delete(&mut self, space: Space, key: Vec<u8>) {
        self.ops.push(Op::Delete(space, key));
    }
}

/// When a batch counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on disk: it becomes visible only then.
    Disk,
    /// Once it is visible; it reaches the disk within [`BUFFERED_MAX`], after every batch before
    /// it. A crash may lose it together with everything after it.
    Buffered,
}

/// How long a buffered batch may stay off the disk. 50 ms.
/// What replication applies is sent again after a crash, so this bounds how much is re-sent.
pub const BUFFERED_MAX: std::time::Duration = std::time::Duration::from_millis(50);

/// Called once, in submission order, when a batch is done or has failed.
pub type Completion = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A part of a namespace to read.
#[derive(Clone, Debug)]
pub struct Range {
    /// The namespace.
    pub space: Space,
    /// The lower bound.
    pub from: Bound<Vec<u8>>,
    /// The upper bound.
    pub to: Bound<Vec<u8>>,
    /// From which end to read.
    pub order: Order,
    /// Stop after this many rows.
    pub rows_max: usize,
    /// Stop after the row with which keys and values reach this many bytes.
    pub bytes_max: usize,
}

/// The direction of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the lowest key.
    Ascending,
    /// From the highest key.
    Descending,
}

/// Rows of a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Keys and values in the order asked for.
    pub rows: Vec<(Bytes, Bytes)>,
    /// Whether the range may hold more rows than these.
    pub more: bool,
}

/// A failed storage operation. The store refuses writes after a failed one until it is reopened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk or the engine failed.
    #[error("use the store: {0}")]
    Failed(String),
    /// The store is shutting down, or failed earlier.
    #[error("use the store: it is closed")]
    Closed,
}

/// What a store holds, now or at one moment of its past.
pub trait Rowed: Send + Sync {
    /// Reads rows of a range.
    fn range(&self, range: Range) -> impl Future<Output = Result<Rows, StoreError>> + Send;
}

/// Ordered keys with atomic batches. Cheap to clone; all clones are one store.
pub trait Store: Clone + Send + Sync + 'static {
    /// What the store held at one moment. It keeps what was overwritten since from going.
    type Past: Rowed + 'static;

    /// Keeps what the store holds at this moment.
    fn past(&self) -> Self::Past;

    /// Returns the value of a key.
    fn get(
        &self,
        space: Space,
        key: &[u8],
    ) -> impl Future<Output = Result<Option<Bytes>, StoreError>> + Send;

    /// Reads rows of a range.
    fn range(&self, range: Range) -> impl Future<Output = Result<Rows, StoreError>> + Send;

    /// Hands in a batch; returns at once. `done` is called once it counts as done.
    ///
    /// Batches take effect in the order of these calls.
    fn submit(&self, batch: Batch, durability: Durability, done: Completion);

    /// Calls `done` once every batch that was handed in before is on disk.
    ///
    /// It does not hasten that: buffered batches still go within [`BUFFERED_MAX`].
    fn flushed(&self, done: Completion);
}

/// Returns the lowest key above every key that starts with `prefix`.
pub fn prefix_end(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
