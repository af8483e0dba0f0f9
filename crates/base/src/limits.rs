//! Limits that more than one crate must agree on.
//!
//! A limit of one crate alone lives in that crate's own `limits.rs`.

use crate::units::ByteCount;

/// Largest item, attribute names and values together. 400 KiB.
/// Source: DynamoDB developer guide, "Service, account, and table quotas".
pub const ITEM_BYTES_MAX: ByteCount = ByteCount::kib(400);

/// Largest request body of an AWS API call. 16 MiB; beyond it the answer is 413.
/// Source: DynamoDB developer guide, "Quotas" (`BatchWriteItem`).
pub const API_BODY_BYTES_MAX: ByteCount = ByteCount::mib(16);

/// Largest request body of `CreateFunction` and `UpdateFunctionCode`. 70 MiB.
/// Source: Lambda developer guide, "Quotas": 50 MB zipped by direct upload, here after base64.
pub const FUNCTION_BODY_BYTES_MAX: ByteCount = ByteCount::mib(70);

/// Most regions of one project. 32; vectors with one entry a region stay small.
pub const REGIONS_MAX: usize = 32;

/// Deepest nesting of lists and maps in an item. 32.
/// Source: DynamoDB developer guide, "Quotas" (nested attribute depth).
pub const NESTING_MAX: usize = 32;
