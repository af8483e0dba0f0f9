//! Limits of function processes: what is refused, killed or dropped.

use std::time::Duration;

use base::units::ByteCount;

/// Longest start of an instance, until it asks for its first invocation. 10 s.
/// Source: Lambda developer guide, "Lambda execution environment" (init phase).
pub const INIT_MAX: Duration = Duration::from_secs(10);

/// Largest answer of a function. 6 MiB and 100 bytes.
/// Source: the Runtime Interface Emulator's `MaxPayloadSize`; Lambda quotas say 6 MB.
pub const ANSWER_BYTES_MAX: ByteCount = ByteCount::bytes(6 * 1024 * 1024 + 100);

/// Largest payload of a synchronous invocation. 6 MiB and 100 bytes, as its answer.
/// Source: Lambda developer guide, "Lambda quotas".
pub const PAYLOAD_BYTES_MAX: ByteCount = ANSWER_BYTES_MAX;

/// Instances of a function that sets no concurrency of its own. 32.
/// AWS's default of 1,000 is shared by an account's functions and its machines; here it is one
/// machine's memory and cores, so that more processes would only wait for each other.
pub const INSTANCES_DEFAULT: u32 = 32;

/// Most instances that start at once for one function. 4.
/// Starting costs tens of milliseconds of a core; those that wait are served by the first ready.
pub const STARTING_MAX: usize = 4;

/// Most invocations that wait for an instance of one function. 1,024; beyond it: throttled.
pub const WAITING_MAX: usize = 1_024;

/// Most payload bytes that wait for an instance of one function. 64 MiB; beyond it: throttled.
pub const WAITING_BYTES_MAX: ByteCount = ByteCount::mib(64);

/// How long an instance beyond the last may lie idle. 5 minutes; the last one stays.
pub const IDLE_MAX: Duration = Duration::from_mins(5);

/// How often idle instances are looked through. 30 s.
pub const IDLE_SWEEP: Duration = Duration::from_secs(30);

/// First pause before another start after a second failure in a row. 100 ms, doubled each time.
pub const BACK_OFF_FIRST: Duration = Duration::from_millis(100);

/// Longest pause between starts of a function that keeps failing. 30 s.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// Longest pause through which invocations wait. 1 s; in a longer one they get the last error.
pub const BACK_OFF_PATIENCE: Duration = Duration::from_secs(1);

/// How long an invocation waits for an instance that has just answered to ask for more. 10 ms:
/// a runtime asks within one, a start takes several; beyond it another instance is started.
pub const ANSWERED_PATIENCE: Duration = Duration::from_millis(10);

/// How long a process asked to end by SIGTERM may take before SIGKILL. 500 ms.
/// Source: Lambda developer guide, "Lambda execution environment" (shutdown phase).
pub const STOP_GRACE: Duration = Duration::from_millis(500);

/// How often a start is tried again when its program file is still open for writing. 20 times,
/// 5 ms apart: a process forked at that moment holds the file until it becomes another program.
pub const BUSY_FILE_RETRIES: u32 = 20;

/// Pause between the tries of [`BUSY_FILE_RETRIES`]. 5 ms.
pub const BUSY_FILE_PAUSE: Duration = Duration::from_millis(5);

/// Most connections that one instance may hold to its Runtime API. 64; more wait in the backlog.
pub const CONNECTIONS_MAX: usize = 64;

/// Unpacked size of a function's code. 250 MB.
/// Source: Lambda developer guide, "Lambda quotas" (262,144,000 bytes).
pub const CODE_BYTES_MAX: ByteCount = ByteCount::bytes(262_144_000);

/// Most files and directories of a function's code. 65,536; each is an inode.
pub const CODE_ENTRIES_MAX: usize = 65_536;

/// Longest name of a file in a function's code, with its directories. 1,024 bytes; with the
/// region's own directories in front it stays below the 4,096 that a path may have.
pub const CODE_NAME_BYTES_MAX: usize = 1_024;

/// Longest name of a file or directory alone. 255 bytes, `NAME_MAX` of Linux file systems.
pub const FILE_NAME_BYTES_MAX: usize = 255;

/// Longest log line. 16 KiB; longer ones are split.
pub const LOG_LINE_BYTES_MAX: ByteCount = ByteCount::kib(16);

/// Log kept of one function. 1 MiB of text; the oldest lines go first.
pub const LOG_BYTES_MAX: ByteCount = ByteCount::mib(1);

/// Log returned with an invocation that asks for it. The last 4 KiB.
/// Source: Lambda API reference, `Invoke`, `LogType`.
pub const LOG_TAIL_BYTES_MAX: ByteCount = ByteCount::kib(4);

/// Most asynchronous invocations accepted and not ended. 1,024; beyond it: throttled.
pub const EVENTS_MAX: usize = 1_024;

/// Pauses before an asynchronous invocation that failed is tried again: 1 and 2 minutes.
/// Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous
/// invocation".
pub const EVENT_PAUSES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// First and longest pause before an asynchronous invocation that could not be run is tried
/// again. 1 s to 5 minutes, doubled each time. Source: as [`EVENT_PAUSES`].
pub const EVENT_THROTTLED_PAUSE: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_mins(5));

/// How long an asynchronous invocation may wait for an instance. 6 hours.
/// Source: Lambda API reference, `PutFunctionEventInvokeConfig`, `MaximumEventAgeInSeconds`.
pub const EVENT_AGE_MAX: Duration = Duration::from_hours(6);

/// How long a look for an interpreter may take. 10 s.
pub const PROBE_MAX: Duration = Duration::from_secs(10);

/// How often an instance's memory is read for its reports, at most. 100 ms.
pub const MEMORY_READ_EVERY: Duration = Duration::from_millis(100);
