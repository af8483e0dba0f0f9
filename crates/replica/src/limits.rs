//! Bounds of the links' tasks; those of the protocol are in `replica_core::limits`.

use std::time::Duration;

/// Greetings that are held with dialling peers at a time. 64; further ones wait to be accepted.
pub const GREETINGS_MAX: usize = 64;

/// Greetings that are held with one address at a time. 16; further ones are hung up on, so that
/// whoever holds many of them open at one address does not keep peers at others out. On a laptop
/// all regions dial from one address.
pub const GREETINGS_OF_ADDRESS_MAX: usize = 16;

/// Connections for inquiries that are answered at a time. 8: each reads a few MiB at most for one
/// answer; further ones are hung up on, and their regions tell that.
pub const INQUIRIES_MAX: usize = 8;

/// How long an inquiry's next question, or its answer, may take. 10 s.
pub const INQUIRY_PATIENCE: Duration = Duration::from_secs(10);

/// How long a join token counts at most. 15 min: enough to carry it to another machine by hand.
pub const INVITATION_LIFE_MAX: Duration = Duration::from_mins(15);

/// How long a region waits, before it answers an inquiry, for what the asking one has. 2 s: many
/// times the way between any two regions; a link that is cut is not waited for.
pub const CATCH_UP: Duration = Duration::from_secs(2);

/// How often sums are asked for before what still differs is looked at key by key. 3: of what is on
/// its way hardly anything differs the second time.
pub const SUMS_ROUNDS: usize = 3;

/// How often a bucket is looked at until its keys hold still. 6; what is written all the time can
/// be told in order even so.
pub const LOOKS_MAX: usize = 6;

/// Buckets of a table that one comparison looks at key by key. 1,024 of the 65,536; what is left is
/// told.
pub const BUCKETS_LOOKED_AT: usize = 1_024;

/// Differences that one comparison keeps. 10,000; beyond it is told that there are more.
pub const DIFFERENCES_MAX: usize = 10_000;

/// How long a connection to a peer may take to be made. 1 s: on a lossy way the second attempt
/// of the kernel has been answered by then.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

/// Encoded bytes that wait for the socket before the sender is asked for more. 256 KiB: what
/// waits there can no longer be passed by what is more urgent.
pub const OUTBOUND_BYTES: usize = 256 * 1024;

/// Bytes that are read from a connection's socket at a time, before TLS opens them. 64 KiB: four
/// of its largest records; RFC 8446 §5.2.
pub const WIRE_BYTES: usize = 64 * 1024;

/// Room that is made before each read of what TLS has opened. 16 KiB, its largest record; RFC
/// 8446 §5.1.
pub const INBOUND_BYTES: usize = 16 * 1024;

/// Events that wait for the task that watches all links. 256; beyond it links wait.
pub const EVENTS_MAX: usize = 256;

/// How long what a sender knows of its peer may be older than the published status. 20 ms.
pub const REPORT_SENDING: Duration = Duration::from_millis(20);

/// The same of a receiver, whose latencies cost more to sum up. 250 ms.
pub const REPORT_RECEIVING: Duration = Duration::from_millis(250);

/// How often tombstones and logs are swept. 1 s.
pub const SWEEP: Duration = Duration::from_secs(1);

/// A connection that lasted this long was a success, and redialling starts over. 1 s.
pub const LASTING: Duration = Duration::from_secs(1);

/// Connections of one address that come to nothing and are told in the log, in each
/// [`TELLING_SPAN`]. 16; the rest are counted. A port scanner must not fill a disk, and a peer
/// that is refused dials every 5 s.
pub const TOLD_OF_ADDRESS_MAX: u32 = 16;

/// Addresses whose connections are told of in each [`TELLING_SPAN`]. 256; others are counted.
pub const TOLD_ADDRESSES_MAX: usize = 256;

/// How long [`TOLD_OF_ADDRESS_MAX`] and [`TOLD_ADDRESSES_MAX`] count. 1 min.
pub const TELLING_SPAN: Duration = Duration::from_mins(1);
