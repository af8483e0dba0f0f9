//! Bounds of replication, each with its reason.

use base::units::ByteCount;

/// Largest log record. 32 MiB: a transaction of 100 items within 4 MB has ample room.
/// A longer one is a fault of the sender, and its frame is refused.
pub const RECORD_BYTES_MAX: ByteCount = ByteCount::mib(32);

/// Most changes in one record. 100, the items of one transaction; a batch of control is within.
/// Source: DynamoDB API reference, `TransactWriteItems`.
pub const RECORD_CHANGES_MAX: usize = 1_000;
