//! Bounds of a node's API endpoint, each with its reason.

use std::time::Duration;

/// How far a proof of a call of Hither itself may be from the node's time. 60 s: two machines'
/// clocks are not that far apart, and who hears a proof has no longer to repeat its call.
pub(crate) const PROOF_AGE_MAX: Duration = Duration::from_mins(1);

/// Connections served at once by the API endpoint. 4,096; each may hold one request's body.
pub(crate) const CONNECTIONS_MAX: usize = 4_096;

/// How long a client may take to send a request's head. 10 s, against slow clients.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take to send a request's body. 30 s.
pub(crate) const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// How much of a body that is too long is read on and dropped, so that its sender hears the answer.
/// 64 MiB, four of the longest requests but those that bring a function; who sends more is cut off.
pub(crate) const DISCARDED_BYTES_MAX: usize = 64 << 20;

/// How long that may take. 5 s.
pub(crate) const DISCARD_PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection to another region may take to be made. 3 s: a second attempt of the
/// kernel has been answered by then, and a region that is cut off is told of at once.
pub(crate) const FORWARD_CONNECT: Duration = Duration::from_secs(3);

/// How long another region may take to answer a forwarded call. 905 s: the longest that a
/// function runs, and a margin. Callers have their own patience, and hanging up ends the call.
pub(crate) const FORWARD_PATIENCE: Duration = Duration::from_secs(905);

/// Kept connections to each other region. 8; more calls at once than that make their own.
pub(crate) const FORWARD_KEPT_MAX: usize = 8;

/// How long a kept connection may wait for a call. 5 s: the other side hangs up after
/// [`HEAD_PATIENCE`], and a call that is sent just then may be lost.
pub(crate) const FORWARD_IDLE: Duration = Duration::from_secs(5);

/// How long DNS waits at the start for the other regions' word on each other. 2 s: longer than
/// they take to be heard, or to say that they miss one.
pub(crate) const HEALTH_PATIENCE: Duration = Duration::from_secs(2);

/// How much of a body is its beginning, which has room of its own. 16 KiB; most calls on items end
/// within it.
pub(crate) const SHORT_BODY_BYTES: usize = 16 << 10;

/// Bytes of the beginnings of bodies held at once. 64 MiB, as many as there are connections: over
/// HTTP/1.1 none ever waits.
pub(crate) const SHORT_BODIES_BYTES_MAX: usize = CONNECTIONS_MAX * SHORT_BODY_BYTES;

/// Bytes of bodies beyond their beginnings held at once. 128 MiB; further ones wait.
pub(crate) const BODIES_BYTES_MAX: usize = 128 << 20;

/// Bytes that packed bodies unpack to held at once. 64 MiB, four of the longest; further ones wait,
/// packed.
pub(crate) const UNPACKED_BYTES_MAX: usize = 64 << 20;

/// How long the accepting task rests when the system has no descriptors left. 50 ms.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a node may take to stop, all its parts together. 20 s; systemd's default is 90 s.
pub(crate) const DRAIN_GRACE: Duration = Duration::from_secs(20);

/// How long each part has at least to stop. 1 s: five parts stay within the patience of whoever
/// stops the node.
pub(crate) const DRAIN_LEAST: Duration = Duration::from_secs(1);

/// Streams of one HTTP/2 connection at once. 256, as hyper's own default.
pub(crate) const STREAMS_MAX: u32 = 256;

/// Races that one page of the conflict log shows at most. 1,000.
pub(crate) const CONFLICTS_SHOWN: usize = 1_000;

/// Races that are looked at for one page of those that are asked for. 10,000, as many as are kept
/// of a table; a page that ends there is followed by another.
pub(crate) const CONFLICTS_LOOKED_AT: usize = CONFLICTS_KEPT;

/// How long a comparison of a table with its other replicas may take. 60 s; what is not compared by
/// then is told.
pub(crate) const VERIFY_PATIENCE: Duration = Duration::from_mins(1);

/// Most keys that a comparison names. 100; how many there are is told beside them.
pub(crate) const DIFFERENCES_SHOWN: usize = 100;

/// How long the deletion of all tables may take. 60 s; what is left then is told.
pub(crate) const RESET_PATIENCE: Duration = Duration::from_mins(1);

/// How often it is looked whether all tables are gone. 20 ms.
pub(crate) const RESET_PAUSE: Duration = Duration::from_millis(20);

/// How long a race is kept in the conflict log. 30 days, in which somebody should have looked.
pub(crate) const CONFLICTS_AGE: Duration = Duration::from_hours(30 * 24);

/// Most races of one table that are kept. 10,000, the newest; a table on which regions contend all
/// the time has one a second for nearly three hours.
pub(crate) const CONFLICTS_KEPT: usize = 10_000;

/// Most bytes of one table's races that are kept. 64 MiB, eighty of the largest.
pub(crate) const CONFLICTS_BYTES: usize = 64 << 20;

/// How often races that are not to be kept are forgotten. 1 minute; until then there may be more
/// of them by what a minute brings.
pub(crate) const CONFLICTS_PERIOD: Duration = Duration::from_mins(1);

/// Longest body of an administrative call. 1 MiB.
pub(crate) const ADMIN_BODY_BYTES_MAX: usize = 1 << 20;

/// Items that cannot be read and were logged, while a node runs. 1,000; further ones are not.
pub(crate) const DAMAGED_KEPT_MAX: usize = 1_000;

/// How often items that have expired are looked for. 1 s, the unit that their times are in.
pub(crate) const EXPIRY_PERIOD: Duration = Duration::from_secs(1);

/// Most sessions that stay open. 1,024: beyond it the tokens are opened anew, each a decryption
/// and the compiling of its policies.
pub(crate) const SESSIONS_MAX: usize = 1_024;

/// How long a certificate of links counts. 24 h: what is stolen with a disk is soon worth nothing.
/// It is renewed when two thirds of that are over, so a node has 8 h to make another.
pub(crate) const LEAF_LIFE: Duration = Duration::from_hours(24);

/// How much of that lies before the certificate was made. 2 h: peers whose clocks are late by less
/// take it, and those that are early by less than the 8 h that are left.
pub(crate) const LEAF_PAST: Duration = Duration::from_hours(2);

/// How often it is asked whether the certificate of links is to be renewed. 1 min.
pub(crate) const LEAF_LOOK: Duration = Duration::from_mins(1);

/// How long after it began to drain a region counts on it that all the others know. 2 s: each is
/// told with every heartbeat, five a second.
pub(crate) const DRAIN_TOLD: Duration = Duration::from_secs(2);

/// How often it is looked whether this region has to be introduced to its project again. 1 s: a
/// glance at two maps.
pub(crate) const INTRODUCTION_LOOK: Duration = Duration::from_secs(1);
