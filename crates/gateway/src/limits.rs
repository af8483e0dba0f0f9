//! Limits of the gateway's connections.
//!
//! Limits of a request itself are gateway-core's.

use std::time::Duration;

use base::units::ByteCount;

/// Most client connections at once. 8,192; beyond it new ones wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 8_192;

/// How long a TLS handshake may take. 10 s.
pub const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take for a request's head, and how long HTTP/1.1 waits between
/// requests. 60 s; it bounds what a client that sends a byte at a time can hold.
pub const HEAD_PATIENCE: Duration = Duration::from_mins(1);

/// How long a body may stand still. 20 s, in either direction.
pub const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// How long a client may take nothing of what is sent to it. 60 s.
pub const WRITE_PATIENCE: Duration = Duration::from_mins(1);

/// Largest head that is read at all. 16 KiB; above gateway-core's limit, so that the client
/// sees the API's own 431 in most cases, and the connection's above.
pub const HEAD_BYTES_MAX: ByteCount = ByteCount::kib(16);

/// Read buffer of an HTTP/1.1 connection. 64 KiB.
pub const BUFFER_BYTES_MAX: ByteCount = ByteCount::kib(64);

/// Most requests at once on one HTTP/2 connection. 128.
pub const STREAMS_MAX: u32 = 128;

/// Most HTTP/2 streams that a client reset before they were accepted. 32; beyond it the
/// connection ends, which stops a flood of requests that are cancelled at once.
/// Source: CVE-2023-44487 (rapid reset).
pub const STREAMS_RESET_MAX: usize = 32;

/// Most HTTP/2 streams that this side reset because of a client's errors. 128.
/// Source: CVE-2025-8671 (made you reset).
pub const STREAMS_FAILED_MAX: usize = 128;

/// Flow-control window of an HTTP/2 stream. 256 KiB.
pub const STREAM_WINDOW: ByteCount = ByteCount::kib(256);

/// Flow-control window of an HTTP/2 connection. 1 MiB; it bounds what uploads may hold.
pub const CONNECTION_WINDOW: ByteCount = ByteCount::mib(1);

/// How often a silent HTTP/2 connection is asked for a sign of life. 30 s.
pub const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How long a connection to a backend may take. 3 s; the next region can still be asked then.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// Most names of backends that the operating system is asked for at a time. 32, each a thread and
/// each another name; requests for further ones wait, within [`CONNECT_PATIENCE`].
pub const LOOKUPS_MAX: usize = 32;

/// Most addresses of one backend name that are tried. 4.
pub const ADDRESSES_MAX: usize = 4;

/// Most idle connections to one backend. 64; more are closed.
pub const IDLE_PER_BACKEND_MAX: usize = 64;

/// Most backends to which idle connections are kept. 1,024; others connect anew each time.
pub const BACKENDS_MAX: usize = 1_024;

/// How long an idle connection to a backend is kept. 45 s, below the usual 60 s of servers.
pub const IDLE_PATIENCE: Duration = Duration::from_secs(45);

/// Most kept connections that are tried for one request. 2; then a fresh one is made.
pub const KEPT_TRIES_MAX: usize = 2;

/// How long to wait after the system refused to accept a connection. 50 ms.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Memory for request bodies that are held whole, of all requests together. 128 MiB, twelve of
/// the largest; beyond it a request gets a 503.
pub const BODIES_BYTES_MAX: ByteCount = ByteCount::mib(128);
