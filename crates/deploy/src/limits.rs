//! Limits of a deployment: how long it waits, and how much it reads.

use std::time::Duration;

use base::units::ByteCount;

/// How long one call may take, connecting included. 60 seconds.
/// An upload of the largest function over 10 Mbit/s takes 56.
pub const CALL_PATIENCE: Duration = Duration::from_mins(1);

/// How long a connection may take to open. 5 seconds.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// How long looking for credentials may take, a service that lends them included. 10 seconds.
/// The chain gives an instance's metadata service, which most machines lack, about eight.
pub const CREDENTIALS_PATIENCE: Duration = Duration::from_secs(10);

/// How often one call is sent when the endpoint says that it may pass later. 5 times.
pub const CALL_TRIES_MAX: u32 = 5;

/// The pause before a call is sent again; it doubles each time. 100 ms.
pub const CALL_PAUSE: Duration = Duration::from_millis(100);

/// How often a state is asked for before a wait fails. 300 times, about five minutes.
pub const WAIT_TRIES_MAX: u32 = 300;

/// The first pause between two looks at a state. 20 ms; it doubles up to [`WAIT_PAUSE_MAX`].
pub const WAIT_PAUSE: Duration = Duration::from_millis(20);

/// The longest pause between two looks at a state. 1 second.
pub const WAIT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// How often a change is sent again that names what other regions have just made. 50 times:
/// it covers a replication delay of several seconds.
pub const SETTLE_TRIES_MAX: u32 = 50;

/// Largest answer that is read. 16 MiB.
pub const REPLY_BYTES_MAX: ByteCount = ByteCount::mib(16);

/// Most pages of one list. 100; with 100 entries a page it is far beyond AWS's quotas.
pub const PAGES_MAX: usize = 100;

/// Most files of a function's directory. 10,000.
pub const CODE_FILES_MAX: usize = 10_000;

/// Deepest directory of a function's code. 32; a symbolic link to a parent ends here.
pub const CODE_DEPTH_MAX: usize = 32;

/// Largest function, unpacked. 250 MiB.
/// Source: Lambda developer guide, "Quotas" (deployment package size, unzipped).
pub const CODE_BYTES_MAX: ByteCount = ByteCount::mib(250);
