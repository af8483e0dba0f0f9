//! Limits of the manifest: what is refused, and what is shown.
//!
//! Limits that AWS sets name their source; the others are ours.

use std::time::Duration;

use base::units::ByteCount;

/// Largest manifest. 1 MiB; a larger file is refused unread.
pub const FILE_BYTES_MAX: ByteCount = ByteCount::mib(1);

/// Most mistakes printed in one report. 50; the rest are counted.
pub const PROBLEMS_SHOWN_MAX: usize = 50;

/// Most routes of one domain. 300.
/// Source: API Gateway developer guide, "Quotas for HTTP APIs" (routes per API).
pub const ROUTES_MAX: usize = 300;

/// Most tags of one table. 50.
/// Source: DynamoDB developer guide, "Tagging restrictions".
pub const TAGS_MAX: usize = 50;

/// Longest tag key and tag value. 128 and 256 characters.
/// Source: DynamoDB developer guide, "Tagging restrictions".
pub const TAG_CHARS_MAX: (usize, usize) = (128, 256);

/// Longest attribute name. 255 bytes for a key attribute.
/// Source: DynamoDB developer guide, "Supported data types and naming rules".
pub const ATTRIBUTE_BYTES_MAX: usize = 255;

/// Largest environment of a function, names and values together. 4 KiB.
/// Source: Lambda developer guide, "Quotas".
pub const ENVIRONMENT_BYTES_MAX: usize = 4096;

/// Shortest and longest time limit of a function. 1 to 900 seconds.
/// Source: Lambda developer guide, "Quotas".
pub const FUNCTION_TIMEOUT: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_mins(15));

/// Least and most memory of a function, in MiB.
/// Source: Lambda developer guide, "Quotas".
pub const FUNCTION_MEMORY_MIB: (u64, u64) = (128, 10_240);

/// Most instances of a function in one region. 1,000.
/// Source: Lambda developer guide, "Quotas" (concurrent executions).
pub const CONCURRENCY_MAX: u64 = 1_000;

/// Shortest and longest pause between two probes of a health check.
/// Source: Route 53 API reference, `RequestInterval` (30 s); the lower end is ours.
pub const PROBE_INTERVAL: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(30));

/// Fewest and most probes in a row that change a verdict.
/// Source: Route 53 API reference, `FailureThreshold`.
pub const FAILURES: (u64, u64) = (1, 10);

/// Longest path of a health check. 255 characters.
/// Source: Route 53 API reference, `ResourcePath`.
pub const HEALTH_PATH_CHARS_MAX: usize = 255;

/// Longest time to live of a domain's answers. One day.
pub const TTL_MAX: Duration = Duration::from_hours(24);

/// A time to live above this draws a hint, since clients keep a dead region's address so long.
pub const TTL_ADVISED_MAX: Duration = Duration::from_mins(1);

/// Interval times failures above this draws a hint, since a dead region stays in DNS so long.
pub const DETECTION_ADVISED_MAX: Duration = Duration::from_secs(30);

/// Longest round trip that a client may be said to have. 10 seconds.
pub const RTT_MAX: Duration = Duration::from_secs(10);

/// Most client networks. 1,024; each is one entry of the latency map.
pub const CLIENTS_MAX: usize = 1_024;
