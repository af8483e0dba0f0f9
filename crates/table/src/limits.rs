//! Bounds of tables, each with its reason.

use std::time::Duration;

use replica_core::limits::RECORD_BYTES_MAX;

/// Most items of one transaction. 1,001.
/// Source: DynamoDB API reference, `TransactWriteItems`; a user's has at most 100; a change of
/// a CIDR collection of Route 53 may name 1,000 blocks, and changes the collection itself.
pub const TRANSACTION_ITEMS_MAX: usize = 1_001;

/// Most bytes of one transaction's items, keys included. 30 MiB: what peers take as one record,
/// with room for what surrounds each item in it.
pub const TRANSACTION_BYTES_MAX: usize = 30 << 20;

const _: () = assert!(
    TRANSACTION_BYTES_MAX as u64 + (1 << 20) < RECORD_BYTES_MAX.as_u64(),
    "the largest transaction must fit in a record"
);

/// Item locks of one region. 4,096: two writes of different items meet on one lock rarely, and
/// all of them together take under 400 KiB.
pub const LOCKS: usize = 4_096;

/// Rows that one step of a scan, collection or trim reads from the store. 256.
pub const STEP_ROWS: usize = 256;

/// Bytes that one step of a scan reads from the store. 1 MiB, DynamoDB's page.
pub const STEP_BYTES: usize = 1 << 20;

/// Bytes that one listing of a table's races reads. 4 MiB: five of the largest, or thousands of
/// small ones.
pub const CONFLICTS_BYTES: usize = 4 << 20;

/// Bytes of items that one answer to an inquiry reads. 4 MiB: ten of the largest, or thousands.
pub const LISTED_BYTES: usize = 4 << 20;

/// Pauses in giving stamps that are kept: restarts with writes between them. 64; the oldest is
/// forgotten beyond it, and with it an older copy of the directory from before it.
pub const PAUSES_MAX: usize = 64;

/// How often the promise that others drop tombstones by is written anew at most. 1 s, as often as
/// tombstones are swept; each costs an idle region one flush of the disk.
pub const PROMISE_PERIOD: Duration = Duration::from_secs(1);

/// Most items that one sweep of a table deletes since they have expired. 64, one record of the
/// log: a caller's write waits for no more than that.
pub const EXPIRY_ITEMS: usize = 64;

/// Most pages of so many items that one sweep of a table looks at. 16: of items that are left to
/// other regions, a sweep a second looks at a thousand, and deletes them once that is over.
pub const EXPIRY_PAGES: usize = 16;

/// Item collections whose sizes are kept in memory. 16,384, some 2 MiB where keys are short; beyond
/// it all are forgotten, and counted anew when they are asked for.
pub const COLLECTIONS_MAX: usize = 16_384;

/// Large item collections that wait to be counted. 256: one is counted at a time; others wait to be
/// asked for again.
pub const COLLECTIONS_DUE_MAX: usize = 256;

/// How long an item that has expired is left to the region that wrote it. 5 s: many times what a
/// region takes to find it, and its delete to come here.
pub const EXPIRY_GRACE_SECS: u64 = 5;

/// How long ago an item's time may lie for the item to expire. Five years.
/// Source: DynamoDB developer guide, "Using time to live (TTL)".
pub const EXPIRY_SECS_MAX: u64 = 5 * 365 * 86_400 + 2 * 86_400;

/// Most items that cannot be read of which one sweep for expired ones tells. 100; that some are
/// there is the news.
pub(crate) const DAMAGED_TOLD_MAX: usize = 100;
