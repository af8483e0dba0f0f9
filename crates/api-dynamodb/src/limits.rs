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

/// The longest that a call is held up on purpose. 1 minute, as long as clients wait.
pub(crate) const FAULT_LATENCY_MAX: std::time::Duration = std::time::Duration::from_mins(1);

/// How many moments of the past are kept for indexes that are late on purpose. 64: what was
/// overwritten since stays on disk until they go.
pub(crate) const LAG_PASTS_MAX: usize = 64;

/// The least time between two such moments. 5 ms.
pub(crate) const LAG_STEP_MIN: std::time::Duration = std::time::Duration::from_millis(5);

/// How many items a statement of PartiQL reads at once by their keys. 16, some 6 MiB at most.
pub(crate) const STATEMENT_GETS_AT_ONCE: usize = 16;

/// Most items of one transaction, by their sizes. 4 MiB.
/// Source: DynamoDB API reference, `TransactWriteItems`.
pub(crate) const TRANSACT_BYTES_MAX: usize = 4 << 20;

/// How long a `ClientRequestToken` is remembered. 10 minutes.
/// Source: DynamoDB API reference, `TransactWriteItems`.
pub(crate) const TOKEN_SECS: u64 = 600;

/// Most tokens remembered. 65,536, some 8 MiB; beyond it the oldest whose call is over are
/// forgotten early, and where all of them are running, no more are taken.
pub(crate) const TOKENS_MAX: usize = 65_536;

/// Most tokens forgotten with one transaction. 64, some 4 KiB of its batch; with more of them a
/// call that comes after many others waits for their deletes, with fewer than 2 they pile up.
pub(crate) const TOKENS_FORGOTTEN_MAX: usize = 64;

/// Most tables named on one page of `ListTables`. 100.
/// Source: DynamoDB API reference, `ListTables`.
pub(crate) const LIST_TABLES_MAX: usize = 100;

/// Most tags of a table. 50.
/// Source: DynamoDB developer guide, "Tagging restrictions".
pub(crate) const TAGS_MAX: usize = 50;

/// Most times that tags are changed anew because others change them too. 64, more than callers
/// that a table's settings ever have at once.
pub(crate) const TAG_TRIES_MAX: u32 = 64;

/// Most tags on one page of `ListTagsOfResource`. 10.
/// Source: DynamoDB API reference, `ListTagsOfResource`.
pub(crate) const LIST_TAGS_MAX: usize = 10;

/// How long records of streams are kept. 24 h.
/// Source: DynamoDB developer guide, "Change data capture for DynamoDB Streams".
pub(crate) const STREAM_SECS: i64 = 86_400;

/// The length of a shard of a stream. 4 h, about as long as the service's last.
pub(crate) const SHARD_SECS: u32 = 14_400;

/// The least length of a shard. 1 s; a day's shards of that length take 864 pages.
pub(crate) const SHARD_SECS_MIN: u32 = 1;

/// How long a shard iterator is good. 15 minutes.
/// Source: DynamoDB API reference, `GetShardIterator`.
pub(crate) const ITERATOR_SECS: i64 = 900;

/// Most records of one `GetRecords`. 1,000.
/// Source: DynamoDB API reference, `GetRecords`.
pub(crate) const RECORDS_MAX: usize = 1_000;

/// Most bytes that one `GetRecords` reads, but for the last record. 1 MiB.
/// Source: DynamoDB API reference, `GetRecords`.
pub(crate) const RECORDS_BYTES_MAX: usize = 1 << 20;

/// Most streams on one page of `ListStreams`. 100.
/// Source: DynamoDB API reference, `ListStreams`.
pub(crate) const LIST_STREAMS_MAX: usize = 100;

/// Most backups on one page of `ListBackups`. 100.
/// Source: DynamoDB service model, `BackupsInputLimit`.
pub(crate) const LIST_BACKUPS_MAX: usize = 100;

/// Most days that a table can be restored to, and how many it can where nobody says. 35.
/// Source: DynamoDB API reference, `PointInTimeRecoverySpecification`.
pub(crate) const REWIND_DAYS_MAX: i64 = 35;

/// Most global secondary indexes of a table. 20.
/// Source: DynamoDB developer guide, "Quotas" (secondary indexes per table).
pub(crate) const GLOBAL_INDEXES_MAX: usize = 20;

/// Most local secondary indexes of a table. 5.
/// Source: DynamoDB developer guide, "Quotas" (secondary indexes per table).
pub(crate) const LOCAL_INDEXES_MAX: usize = 5;

/// Most attributes of each of the two parts of an index's key. 4.
/// Source: DynamoDB developer guide, "Multi-attribute keys pattern".
pub(crate) const INDEX_KEYS_MAX: usize = 4;

/// Most bytes of an item collection: the items of one partition, and their entries in local
/// indexes. 10 GiB. Source: DynamoDB developer guide, "Local secondary indexes".
pub(crate) const ITEM_COLLECTION_BYTES_MAX: u64 = 10 << 30;

/// Most attributes that all indexes of a table include. 100.
/// Source: DynamoDB developer guide, "Quotas" (projected secondary index attributes per table).
pub(crate) const INCLUDED_MAX: usize = 100;

/// Most units that a table, or an index of it, is provisioned to read a second. 40,000.
/// Source: DynamoDB developer guide, "Quotas" (throughput default quotas).
pub(crate) const TABLE_READ_UNITS_MAX: u64 = 40_000;

/// Most units that a table, or an index of it, is provisioned to write a second. 40,000.
/// Source: DynamoDB developer guide, "Quotas" (throughput default quotas).
pub(crate) const TABLE_WRITE_UNITS_MAX: u64 = 40_000;

/// Most units that all tables of a region, and their indexes, are provisioned to read a second, and
/// to write. 80,000. Source: DynamoDB developer guide, "Quotas" (throughput default quotas).
pub(crate) const ACCOUNT_UNITS_MAX: u64 = 80_000;

/// How often what is provisioned falls on a day without waiting in between. 4.
/// Source: DynamoDB developer guide, "Quotas" (decreasing provisioned throughput).
pub(crate) const DECREASES_A_DAY: u64 = 4;

/// How long it does not fall again after that. 1 h.
/// Source: DynamoDB developer guide, "Quotas" (decreasing provisioned throughput).
pub(crate) const DECREASE_SECS: i64 = 3_600;

/// How much capacity that was left unused is kept, in seconds' worth of it. 300.
/// Source: DynamoDB developer guide, "Burst and adaptive capacity".
pub(crate) const BURST_SECS: i64 = 300;

/// Most exports on one page of `ListExports`. 25.
/// Source: DynamoDB service model, `ListExportsMaxLimit`.
pub(crate) const LIST_EXPORTS_MAX: usize = 25;

/// Most exports that are asked for and not written yet. 300; the next one is refused.
/// Source: DynamoDB API reference, `ExportTableToPointInTime` (`LimitExceededException`).
pub(crate) const EXPORTS_RUNNING_MAX: usize = 300;

/// A data file of an export ends with the page that reaches this size, before it is packed. 32 MiB.
pub(crate) const EXPORT_FILE_BYTES: usize = 32 << 20;

/// Most bytes of one record of an item file, unpacked. 8 MiB: an item of 400 KB as JSON with every
/// letter escaped takes a quarter of that, one of short numbers in lists some 2 MB. A longer one
/// counts as an error and is not kept in memory.
pub(crate) const RECORD_BYTES_MAX: usize = 8 << 20;

/// Most levels of a record of Ion. 40: an item has 32, and stands in a record.
/// Source: DynamoDB developer guide, "Quotas" (nested attribute depth).
pub(crate) const ION_DEPTH_MAX: usize = 40;

/// Most values of a record of Ion, those within others among them. 409,600: an item has no more
/// bytes than that, and each value takes one at least.
/// Source: DynamoDB developer guide, "Quotas" (item size).
pub(crate) const ION_VALUES_MAX: usize = 400 << 10;

/// Most opening brackets of a record of JSON. 819,200: an item's texts have as many letters at
/// most as it has bytes, which are 400 KB, and so many values.
pub(crate) const JSON_BRACKETS_MAX: usize = 800 << 10;

/// Most bytes of the window of a frame of zstd, which are kept in memory. 8 MiB, which `zstd -19`
/// keeps to; `--ultra` and `--long` do not.
/// Source: RFC 8878, section 3.1.1.1.2 (recommended support).
pub(crate) const ZSTD_WINDOW_BYTES_MAX: u64 = 8 << 20;

/// Most loads of one kind that are asked for and not done yet. 50; the next one is refused.
/// Source: DynamoDB developer guide, "Import format quotas and validation".
pub(crate) const LOADS_RUNNING_MAX: usize = 50;

/// Most loads that are worked on at once; the others wait. 4: each has a
/// batch and two pages of records in memory, which usually take some 20 MB, with records of many
/// small values 200 MB.
pub(crate) const LOADS_AT_ONCE: usize = 4;

/// Most objects of one load. 50,000; with more it fails.
/// Source: DynamoDB developer guide, "Import format quotas and validation".
pub(crate) const LOAD_OBJECTS_MAX: usize = 50_000;

/// Most items of one batch of a load, which is one transaction. 500; a larger one holds up the
/// writes of others for longer, a smaller one waits for the disk more often.
pub(crate) const LOAD_BATCH_ITEMS: usize = 500;

/// A batch of a load ends before the record with which its records reach this size, but for the
/// first. 4 MiB; with one more record it is well below what a transaction may have.
pub(crate) const LOAD_BATCH_BYTES: u64 = 4 << 20;

/// How many batches of an import are written before that is noted. 32: so many are written again
/// after a crash.
pub(crate) const LOAD_NOTED_BATCHES: usize = 32;

/// Most lines in one report of a load. 100,000; what is beyond is counted alone.
pub(crate) const LOAD_REPORTED_MAX: u64 = 100_000;

/// A report of a load ends with the line that reaches this size. 64 MiB: it shares the disk with
/// the store. What is beyond is counted alone.
pub(crate) const LOAD_REPORT_BYTES_MAX: u64 = 64 << 20;

/// Most letters of a message in a report; it may quote a record. 1,024.
pub(crate) const LOAD_MESSAGE_LETTERS_MAX: usize = 1_024;

/// Most items of one batch of a load that may have to be reported. 16, some 20 MB of JSON: each is
/// told together with the one that was there, which is rendered while the items wait.
pub(crate) const LOAD_BATCH_CONDITIONS: usize = 16;

/// Most bytes of a name in a key of an object: a part between slashes. 250: file systems take
/// 255, and an object that is being written has a longer name.
pub(crate) const OBJECT_NAME_BYTES_MAX: usize = 250;

/// Most imports on one page of `ListImports`. 25.
/// Source: DynamoDB service model, `ListImportsMaxLimit`.
pub(crate) const LIST_LOADS_MAX: usize = 25;

/// How many bulk operations a page has where nobody says. 10.
/// Source: DynamoDB API reference, `ListBulkOperations`.
pub(crate) const LIST_BULKS: usize = 10;

/// How often cancelling a bulk operation is tried. 8: each time somebody else was faster.
pub(crate) const CANCEL_TRIES_MAX: u32 = 8;

/// Removed replicas that are told as going until their regions know of it. 1,024: more than are
/// removed while a region is away; the oldest tables' are forgotten first.
pub(crate) const GOING_MAX: usize = 1_024;

/// How long the token of an export, an import or a bulk operation stands for it. 8 h.
/// Source: DynamoDB API reference, `ImportTable` (`ClientToken`).
pub(crate) const TRANSFER_TOKEN_SECS: i64 = 28_800;

/// The least time whose changes an incremental export tells. 15 minutes.
/// Source: DynamoDB developer guide, "Requesting a table export" (incremental export).
pub(crate) const EXPORT_SPAN_SECS_MIN: i64 = 900;

/// The longest time whose changes an incremental export tells. 24 h.
/// Source: DynamoDB developer guide, "Requesting a table export" (incremental export).
pub(crate) const EXPORT_SPAN_SECS_MAX: i64 = 86_400;
