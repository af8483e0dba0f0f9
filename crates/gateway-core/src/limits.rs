//! Limits of the data path.
//!
//! Limits of the control plane (how many APIs an account may have) are the facade's.

use std::time::Duration;

use base::units::ByteCount;

/// Largest request line and headers together. 10,240 bytes; beyond it the answer is 431.
/// Source: API Gateway developer guide, "Quotas for HTTP APIs".
pub const HEADER_BYTES_MAX: ByteCount = ByteCount::kib(10);

/// Largest request body. 10 MB; beyond it the answer is 413.
/// Source: API Gateway developer guide, "Quotas for HTTP APIs" (payload size).
pub const BODY_BYTES_MAX: ByteCount = ByteCount::mib(10);

/// Largest request body that is kept so that it can be sent twice. 64 KiB.
/// Larger ones stream to HTTP targets once and are not repeated.
pub const REPLAY_BYTES_MAX: ByteCount = ByteCount::kib(64);

/// How long an integration may take at most, and does by default. 30 s.
/// Source: API Gateway developer guide, "Quotas for HTTP APIs" (maximum integration timeout).
pub const INTEGRATION_PATIENCE: Duration = Duration::from_secs(30);

/// Shortest time that an integration may be given. 50 ms.
/// Source: API Gateway v2 API reference, `TimeoutInMillis`.
pub const INTEGRATION_PATIENCE_MIN: Duration = Duration::from_millis(50);

/// Longest route key. 512 bytes; it bounds the depth of the route tree.
/// Source: API Gateway v2 API reference has none for HTTP APIs; request lines bound it anyway.
pub const ROUTE_KEY_BYTES_MAX: usize = 512;

/// Longest key of an API mapping. 300 characters.
/// Source: API Gateway developer guide, "API mappings for HTTP APIs", restrictions.
pub const MAPPING_KEY_BYTES_MAX: usize = 300;

/// Most regions that are asked for one request, the first included. 3.
pub const ATTEMPTS_MAX: usize = 3;

/// Share of requests that may be sent a second time, in thousandths. 10 %.
/// Above it a failing fleet would be hit by its own repeats.
pub const REPEAT_SHARE_MILLI: u64 = 100;

/// Most repeats that may be saved up. 100; it lets a quiet gateway repeat at once.
pub const REPEATS_SAVED_MAX: u64 = 100;

/// How far the clock of the region that handed a request over may differ. 30 s.
/// It bounds how long a stolen handover could be played again.
pub const HANDOVER_AGE_MAX: Duration = Duration::from_secs(30);

/// Longest token of a session. 2,048 bytes, a fifth of what a request's headers may take: sixty
/// regions with positions of twenty digits.
pub const SESSION_BYTES_MAX: usize = 2_048;

/// How long a browser keeps a token. 86,400 s, one day: what a client saw before is everywhere, or
/// its region has been away for longer than anybody's session.
pub const SESSION_SECS_MAX: u32 = 86_400;

/// How long a request waits for its session's positions. 2 s, many times what a record takes to
/// come from the farthest region; then a region that has them is asked.
pub const SESSION_PATIENCE: Duration = Duration::from_secs(2);
