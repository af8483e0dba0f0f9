//! The bounds of the DNS listeners.

use std::time::Duration;

/// Most UDP sockets that share the address. 16; the kernel spreads datagrams over them.
pub const UDP_SOCKETS_MAX: usize = 16;

/// Longest datagram read. 4,096 bytes; a longer one is cut by the kernel and so malformed.
/// Honest queries are below 512.
pub const DATAGRAM_BYTES_MAX: usize = 4_096;

/// Most datagrams answered before other tasks have their turn. 64.
pub const BATCH_MAX: usize = 64;

/// Most TCP connections at a time. 1,024; beyond it a new one is closed at once, and the
/// resolver asks another name server.
pub const CONNECTIONS_MAX: usize = 1_024;

/// How long a TCP connection may take for its next whole query, or for taking an answer. 10 s.
/// Source: RFC 7766 §6.2.3 asks for "a few seconds" at least.
pub const IDLE_MAX: Duration = Duration::from_secs(10);

/// Most answer bytes gathered before they are written, while queries wait to be read. 64 KiB.
pub const PIPELINE_BYTES_MAX: usize = 64 * 1024;

/// How often a free port is looked for that both UDP and TCP have free. 16.
pub const PORT_TRIES_MAX: usize = 16;
