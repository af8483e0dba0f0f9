//! Limits of keys and numbers. The limits of whole items stand in `base::limits`.

/// Longest partition key value. 2,048 bytes.
/// Source: DynamoDB developer guide, "Quotas" (partition keys).
pub const PARTITION_KEY_BYTES_MAX: usize = 2048;

/// Longest sort key value. 1,024 bytes.
/// Source: DynamoDB developer guide, "Quotas" (sort keys).
pub const SORT_KEY_BYTES_MAX: usize = 1024;

/// Most significant digits of a number. 38; they fit in an `i128`.
/// Source: DynamoDB developer guide, "Data types" (number).
pub const NUMBER_DIGITS_MAX: usize = 38;

/// Largest power of ten of a number's first digit. 125.
/// Source: DynamoDB developer guide, "Data types" (number).
pub const NUMBER_POWER_MAX: i16 = 125;

/// Smallest power of ten of a number's first digit. -130.
/// Source: DynamoDB developer guide, "Data types" (number).
pub const NUMBER_POWER_MIN: i16 = -130;
