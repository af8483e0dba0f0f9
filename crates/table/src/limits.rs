//! Bounds of tables, each with its reason.

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
