//! Limits of DynamoDB's API that no crate below knows.

/// Longest name of an attribute. 65,535 bytes.
/// Source: DynamoDB developer guide, "Quotas" (attribute names).
pub(crate) const ATTRIBUTE_NAME_BYTES_MAX: usize = 65_535;

/// Most keys of one `BatchGetItem`. 100.
/// Source: DynamoDB API reference, `BatchGetItem`.
pub(crate) const BATCH_GET_KEYS_MAX: usize = 100;

/// Most items that one `BatchGetItem` returns, by their sizes. 16 MiB; the rest is unprocessed.
/// Source: DynamoDB API reference, `BatchGetItem`.
pub(crate) const BATCH_GET_BYTES_MAX: usize = 16 << 20;

/// Most writes of one `BatchWriteItem`. 25.
/// Source: DynamoDB API reference, `BatchWriteItem`.
pub(crate) const BATCH_WRITES_MAX: usize = 25;

/// Most actions of one transaction. 100.
/// Source: DynamoDB API reference, `TransactWriteItems`.
pub(crate) const TRANSACT_ACTIONS_MAX: usize = 100;

/// Most items of one transaction, by their sizes. 4 MiB.
/// Source: DynamoDB API reference, `TransactWriteItems`.
pub(crate) const TRANSACT_BYTES_MAX: usize = 4 << 20;

/// Longest `ClientRequestToken`. 36 characters.
/// Source: DynamoDB service model, `ClientRequestToken`.
pub(crate) const TOKEN_CHARS_MAX: usize = 36;

/// How long a `ClientRequestToken` is remembered. 10 minutes.
/// Source: DynamoDB API reference, `TransactWriteItems`.
pub(crate) const TOKEN_SECS: u64 = 600;

/// Most tokens remembered. 65,536, some 8 MiB; beyond it the oldest are forgotten early.
pub(crate) const TOKENS_MAX: usize = 65_536;

/// Most segments of a parallel scan. 1,000,000.
/// Source: DynamoDB API reference, `Scan`.
pub(crate) const SEGMENTS_MAX: i64 = 1_000_000;

/// Most tables named on one page of `ListTables`. 100.
/// Source: DynamoDB API reference, `ListTables`.
pub(crate) const LIST_TABLES_MAX: usize = 100;

/// Most tags of a table. 50.
/// Source: DynamoDB developer guide, "Tagging restrictions".
pub(crate) const TAGS_MAX: usize = 50;

/// Most tags on one page of `ListTagsOfResource`. 10.
/// Source: DynamoDB API reference, `ListTagsOfResource`.
pub(crate) const LIST_TAGS_MAX: usize = 10;
