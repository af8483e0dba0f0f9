//! Every number of the health plane: how often, how long, how many.
//!
//! Wire sizes stand in [`crate::gossip`], where the layout gives them.

use std::time::Duration;

/// Time between two heartbeats to every peer. 200 ms; five full snapshots a second, come what may.
pub const HEARTBEAT: Duration = Duration::from_millis(200);

/// Least time between two heartbeats when news cannot wait for the next one. 50 ms.
/// It bounds the extra work of a flapping link to four times the steady work.
pub const HEARTBEAT_GAP_MIN: Duration = Duration::from_millis(50);

/// Silence after which we ask a peer's endpoint whether it is there. 300 ms: one lost heartbeat
/// and a margin for jitter.
pub const DOUBT_AFTER: Duration = Duration::from_millis(300);

/// Silence after which a peer is a suspect. 600 ms, three heartbeats.
pub const SUSPECT_AFTER: Duration = Duration::from_millis(600);

/// Silence after which we tell the others that we miss a peer. 800 ms.
/// At 600 ms two lost heartbeats and one millisecond of jitter would count; here it takes three.
/// With 5 % loss that is one false vote in 8,000 heartbeats of a pair, and a verdict needs two
/// regions to cast one at the same time.
pub const MISS_AFTER: Duration = Duration::from_millis(800);

/// Time between two questions to the endpoint of a silent peer. 100 ms.
pub const ENDPOINT_INTERVAL: Duration = Duration::from_millis(100);

/// How long the endpoint of a silent peer has to answer. 700 ms, three of the longest round trips
/// between AWS regions.
pub const ENDPOINT_PATIENCE: Duration = Duration::from_millis(700);

/// Failed questions in a row after which a silent peer's endpoint counts as dead. 2.
pub const ENDPOINT_FAILURES: u8 = 2;

/// Heartbeats in a row that a region must be heard before it is taken back. 5, one second.
pub const RETURN_HEARTBEATS: u32 = 5;

/// Most losses that lengthen a region's return, each doubling it. 5: at most 16 seconds.
pub const FLAPS_MAX: u8 = 5;

/// Time without a loss after which one earlier loss is forgiven. 60 s.
pub const FLAP_FORGIVEN_AFTER: Duration = Duration::from_mins(1);

/// How long a region's vote on a check counts after it was last heard. 2 s, ten heartbeats:
/// a few lost datagrams take no vote away, and a silent region does not vote.
pub const VOTE_LIFE: Duration = Duration::from_secs(2);

/// A check is healthy when more than this share of the reporting regions say so. 18 %.
/// Source: Route 53 developer guide, "How Route 53 determines whether a health check is healthy".
pub const HEALTHY_ABOVE_PERCENT: usize = 18;

/// Most checks of one project. 1,000; a snapshot of their votes is at most 14 datagrams.
/// Source: Route 53 developer guide, "Quotas": 200 for an account before an increase.
pub const CHECKS_MAX: usize = 1_000;

/// Most children of a calculated check. 255.
/// Source: Route 53 API reference, `HealthCheckConfig.ChildHealthChecks`.
pub const CHILDREN_MAX: usize = 255;

/// Longest chain of calculated checks that is settled at once. 8; what lies deeper, or stands in
/// a circle, is settled as far as 8 rounds carry it.
pub const CALCULATED_DEPTH_MAX: usize = 8;

/// Most probes under way at once. 64; further ones start as these end.
pub const PROBES_INFLIGHT_MAX: usize = 64;

/// Time over which the first probes of checks are spread. 2 s, or the check's interval if shorter.
pub const PROBE_START_SPREAD: Duration = Duration::from_secs(2);

/// How long after its own time limit an unanswered probe is given up. 1 s.
/// The shell bounds each probe itself; this only catches one that was lost on the way.
pub const PROBE_LOST_AFTER: Duration = Duration::from_secs(1);

/// Shortest interval of a check. 100 ms.
pub const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Longest interval of a check. 5 min; Route 53 itself offers 10 s and 30 s.
pub const INTERVAL_MAX: Duration = Duration::from_mins(5);

/// Interval from which Route 53's own time limits hold; below it they shrink to two intervals.
pub const INTERVAL_AWS_MIN: Duration = Duration::from_secs(10);

/// Least time a probe may take, however short its interval. 1 s: TLS over the longest distance
/// between two AWS regions takes four round trips of about 230 ms.
pub const PROBE_TOTAL_MIN: Duration = Duration::from_secs(1);

/// Time to connect, HTTP and HTTPS. 4 s.
/// Source: Route 53 developer guide, "How Route 53 determines whether a health check is healthy".
pub const CONNECT_HTTP: Duration = Duration::from_secs(4);

/// Time from the connection to the status line. 2 s. Source: as [`CONNECT_HTTP`].
pub const STATUS: Duration = Duration::from_secs(2);

/// Time from the status line to the search string. 2 s. Source: as [`CONNECT_HTTP`].
pub const BODY: Duration = Duration::from_secs(2);

/// Time to connect, TCP checks. 10 s. Source: as [`CONNECT_HTTP`].
pub const CONNECT_TCP: Duration = Duration::from_secs(10);

/// Part of a response's body that is searched. 5,120 bytes. Source: as [`CONNECT_HTTP`].
pub const SEARCHED_BYTES: usize = 5_120;

/// Largest response head that is read. 16 KiB; a larger one is a failure.
/// Source: Route 53 developer guide, "Values that you specify when you create health checks".
pub const RESPONSE_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Longest search string, path or name of a check. 255 bytes.
/// Source: Route 53 API reference, `HealthCheckConfig`.
pub const TEXT_BYTES_MAX: usize = 255;

/// Longest id of a check. 64 characters. Source: Route 53 API reference, `HealthCheckId`.
pub const CHECK_ID_BYTES_MAX: usize = 64;

/// A wake-up later than this past its time was a pause of this process, not of its peers. 200 ms.
pub const LATE_MAX: Duration = Duration::from_millis(200);

/// Longest time between two views when nothing was decided. 1 s; delays and ages move on.
pub const VIEW_REFRESH: Duration = Duration::from_secs(1);

/// Round-trip samples kept of each peer. 8; the clock offset is that of the quickest of them.
/// Source: RFC 5905 §10, the clock filter.
pub const SAMPLES: usize = 8;

/// Oldest echo of ours by which a datagram proves that it is of this moment. 1 s, twice the
/// longest round trips on Earth. What waited in a socket or was held back on the way is older.
pub const FRESH_MAX: Duration = Duration::from_secs(1);

/// Datagrams of one sender that may overtake each other. 128.
pub const REPLAY_WINDOW: u64 = 128;
