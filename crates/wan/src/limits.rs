//! Limits of the relays: what they hold, and for how long.

use std::time::Duration;

use base::units::ByteCount;

/// Most bytes on their way in one direction of one connection. 32 MiB, then the sender waits.
/// 1 Gbit/s over the longest one-way delay of the table (229 ms) keeps 28.6 MB on its way.
pub const IN_FLIGHT_BYTES_MAX: ByteCount = ByteCount::mib(32);

/// Most pieces on their way in one direction. 65,536, then the sender waits.
pub const IN_FLIGHT_PIECES_MAX: usize = 65_536;

/// Most bytes read from a socket at once. 64 KiB.
pub const READ_BYTES_MAX: ByteCount = ByteCount::kib(64);

/// Most connections of one relay. 4,096, then clients wait to be accepted.
pub const CONNECTIONS_MAX: usize = 4_096;

/// Most datagrams on their way in one direction of a relay. 8,192, then they are dropped.
pub const IN_FLIGHT_DATAGRAMS_MAX: usize = 8_192;

/// Most client addresses that a relay of datagrams remembers. 512, each with a socket; datagrams
/// of further clients are dropped until some fall silent.
pub const DATAGRAM_CLIENTS_MAX: usize = 512;

/// How long a silent client's socket is kept. 10 s, more than a resolver waits for an answer.
pub const DATAGRAM_IDLE: Duration = Duration::from_secs(10);

/// Pause after the operating system refused to accept a connection. 10 ms.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Tries to find a port that is free for TCP and UDP alike. 32.
pub const BIND_TRIES_MAX: usize = 32;
