//! The bounds of the gossip socket and of the probes.

use std::time::Duration;

/// Most datagrams taken from the socket before anything else has its turn. 64.
pub const BATCH_MAX: usize = 64;

/// Most words to a running plane that wait to be taken. 16; further senders wait.
pub const WORDS_MAX: usize = 16;

/// How long a farewell takes: the core says it three times, 50 ms apart. 150 ms.
pub const FAREWELL: Duration = Duration::from_millis(150);

/// Most headers of a response that is read. 100; more are a failure.
pub const RESPONSE_HEADERS_MAX: usize = 100;

/// Most names that the operating system is asked for at a time. 16, each a thread; further probes
/// wait, within their own time.
pub const LOOKUPS_MAX: usize = 16;
