//! Bounds of replication, each with its reason.

use std::time::Duration;

use base::units::ByteCount;

/// Largest log record. 32 MiB: a transaction of 100 items within 4 MB has ample room.
/// A longer one is a fault of the sender, and its frame is refused.
pub const RECORD_BYTES_MAX: ByteCount = ByteCount::mib(32);

/// Most changes in one record. 100, the items of one transaction; a batch of control is within.
/// Source: DynamoDB API reference, `TransactWriteItems`.
pub const RECORD_CHANGES_MAX: usize = 1_000;

/// Where a data frame is cut. 1 MiB; a record that is larger alone travels alone.
/// Larger frames hold back the frames behind them, smaller ones cost more tags and wake-ups.
pub const FRAME_BYTES_CUT: ByteCount = ByteCount::mib(1);

/// Largest frame body that is accepted. 34 MiB: the largest record, alone, with ample overhead.
/// A longer one is a fault of the peer, and the connection ends.
pub const FRAME_BYTES_MAX: ByteCount = ByteCount::mib(34);

/// Largest frame body before both sides have proved who they are. 1 KiB.
pub const GREETING_BYTES_MAX: ByteCount = ByteCount::kib(1);

/// Most records in one frame. 32,768: beyond it the frame is cut.
pub const FRAME_RECORDS_MAX: usize = 32_768;

/// Log bytes that a sender may have under way before the receiver has worked them off. 8 MiB:
/// 250 Mbit/s over a round trip of 270 ms. The receiver buffers no more than this and one frame.
pub const WINDOW_BYTES: ByteCount = ByteCount::mib(8);

/// Bytes of one page of a table's copy. 256 KiB: a log frame waits behind one page at most.
pub const COPY_PAGE_BYTES: ByteCount = ByteCount::kib(256);

/// Pages of one table's copy that may be under way before the receiver has merged them. 8: 2 MiB,
/// 60 Mbit/s a table over a round trip of 270 ms. With [`COPIES_MAX`] the receiver buffers 8 MiB.
pub const COPY_WINDOW: usize = 8;

/// Most items in one page of a table's copy. 8,192; one page is one batch of the store.
pub const COPY_ITEMS_MAX: usize = 8_192;

/// Largest question of an inquiry. 32 KiB: two of the longest keys, and a vector.
pub const QUESTION_BYTES_MAX: ByteCount = ByteCount::kib(32);

/// Most entries of one answer to an inquiry. 4,096: 32 MiB with the longest keys, and 150 KiB with
/// keys as they are.
pub const ENTRIES_MAX: usize = 4_096;

/// Longest reason that an answer gives why a table cannot be compared. 512 bytes.
pub const UNABLE_BYTES_MAX: usize = 512;

/// Most tables that are copied over one link at a time. 4; the others wait their turn.
pub const COPIES_MAX: usize = 4;

/// How long a link stays silent at most while there is nothing to say. 100 ms.
/// The frontier, the lag and the peers' clocks are known this exactly.
pub const BEAT_IDLE: Duration = Duration::from_millis(100);

/// How long a busy link goes without a beat at most. 1 s.
pub const BEAT_BUSY: Duration = Duration::from_secs(1);

/// After how much silence a peer counts as dead and the connection is dropped. 3 s.
/// TCP alone would wait for its back-off, which doubles the length of an outage.
pub const DEAD_AFTER: Duration = Duration::from_secs(3);

/// How long a connection attempt or a greeting may take. 3 s, as long as silence may last.
pub const GREETING_PATIENCE: Duration = DEAD_AFTER;

/// How long a region must be out of reach before its records are asked of others. 1 s.
pub const RELAY_AFTER: Duration = Duration::from_secs(1);

/// How long an origin rests after its records could not be applied. 1 s.
pub const PARK_FOR: Duration = Duration::from_secs(1);

/// How long a receiver waits before it asks again for a copy that was not ready. 200 ms.
pub const COPY_RETRY: Duration = Duration::from_millis(200);

/// After how long it is told again that a table is whole that is still to be filled. 1 s: a
/// replica of which that was missed serves so much later.
pub const TELL_AGAIN: Duration = Duration::from_secs(1);

/// Reads of a log that a page of a table's copy waits for at most. 16: up to 16 MiB of the log pass
/// it, and a log that never ends holds no copy up for ever.
pub const LOG_READS_MAX: u32 = 16;

/// First and longest wait before a lost peer is dialled again. 50 ms to 1 s, doubling, jittered:
/// replication flows within about a second after the network is whole again.
pub const REDIAL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Longest wait before a peer that refused is dialled again. 5 s: only an operator can help.
pub const REDIAL_REFUSED: Duration = Duration::from_secs(5);

/// How long replication latencies are kept, in slots of [`LATENCY_SLOT`]. Seven: the last whole
/// minute, and the slot that is filling.
pub const LATENCY_SLOTS: usize = 7;

/// The length of one slot of latencies. 10 s.
pub const LATENCY_SLOT: Duration = Duration::from_secs(10);

/// Most clock samples compared to find the least delayed. 16.
pub const SAMPLES_MAX: usize = 16;

/// Most attributes, elements or regions that one part of a merged item's state may name. 262,144:
/// an item of 400 KB has fewer attributes and elements; a longer one is a fault of the sender.
pub const MERGED_ENTRIES_MAX: usize = 262_144;

/// Longest name of an attribute in a merged item's state. 64 KiB, as DynamoDB allows.
/// Source: DynamoDB developer guide, "Quotas" (attribute names).
pub const MERGED_NAME_BYTES_MAX: usize = 65_536;

/// How long what is kept beside a merged item may be before a write writes the item whole, which
/// forgets what was removed from it. 64 KiB: a sixth of the largest item.
pub const MERGED_BYTES: usize = 65_536;

/// Longest that may be kept beside a merged item. 256 KiB: a write that would make it longer is
/// refused. What cannot be forgotten are counts, one for each region and counted attribute.
pub const MERGED_BYTES_MAX: usize = 256 * 1024;

/// How long delays are kept, in minutes, of a table and a region that have newer ones; what is
/// silent keeps its last, within [`DELAY_MINUTES_ALL`]. 180: what `ListMetrics` calls recent.
pub const DELAY_MINUTES: i64 = 180;

/// Most minutes of delays kept, of all tables and regions. 32,768: a busy minute takes about 1 KiB;
/// beyond it the oldest are forgotten.
pub const DELAY_MINUTES_ALL: usize = 32_768;

/// Most changes on their way to one peer whose delay is measured. 65,536, of 24 bytes each; of more
/// the newest.
pub const DELAYS_WAITING_MAX: usize = 65_536;
