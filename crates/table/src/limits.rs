//! Bounds of tables, each with its reason.

use std::time::Duration;

/// Most items of one transaction. 100.
/// Source: DynamoDB API reference, `TransactWriteItems`; control's batches are held to ten times
/// that, since a change batch of Route 53 may name 1,000 records.
pub const TRANSACTION_ITEMS_MAX: usize = 1_000;

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

/// How often the promise that others drop tombstones by is written anew at most. 1 s, as often as
/// tombstones are swept; each costs an idle region one flush of the disk.
pub const PROMISE_PERIOD: Duration = Duration::from_secs(1);
