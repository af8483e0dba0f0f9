//! Limits of Lambda's API: what is refused before anything is done.
//!
//! Source, where nothing else is said: Lambda developer guide, "Lambda quotas".

use std::time::Duration;

/// Largest deployment package sent with a call. 50 MB (52,428,800 bytes).
pub const PACKAGE_BYTES_MAX: usize = 52_428_800;

/// Largest payload of a synchronous invocation. 6 MiB and 100 bytes.
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;

/// Largest payload of an asynchronous invocation. 1 MiB.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Longest client context, as it is sent, in base64. 3,583 bytes.
/// Source: Lambda API reference, `Invoke`, `ClientContext`.
pub const CLIENT_CONTEXT_BYTES_MAX: usize = 3_583;

/// Environment variables of a function, names and values together. 4 KB.
pub const ENVIRONMENT_BYTES_MAX: usize = 4_096;

/// Longest time limit of a function. 900 s.
pub const TIMEOUT_SECS_MAX: u32 = 900;

/// Smallest and largest memory size of a function. 128 MB to 10,240 MB.
pub const MEMORY_MB: (u32, u32) = (128, 10_240);

/// Smallest and largest `/tmp` that can be asked for. 512 MB to 10,240 MB.
pub const EPHEMERAL_MB: (u32, u32) = (512, 10_240);

/// Instances that all functions of a region may have at once, as the account settings say. 1,000.
pub const CONCURRENCY_MAX: u32 = 1_000;

/// Unpacked size of a function's code, as the account settings say. 250 MB.
pub const UNPACKED_BYTES_MAX: u64 = 262_144_000;

/// Code of all functions of a region, zipped, as the account settings say. 75 GB.
pub const TOTAL_CODE_BYTES_MAX: u64 = 80_530_636_800;

/// Largest policy of a function. 20 KB.
pub const POLICY_BYTES_MAX: usize = 20_480;

/// Most tags of a function. 50.
pub const TAGS_MAX: usize = 50;

/// Functions that one page lists. 50.
/// Source: Lambda API reference, `ListFunctions`.
pub const PAGE_MAX: usize = 50;

/// How much longer than a function's time limit a caller waits: for a free instance, and for one
/// to start. 60 s, less than SDKs wait for an answer when they are told of long functions.
pub const PATIENCE_EXTRA: Duration = Duration::from_mins(1);
