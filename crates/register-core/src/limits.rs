//! Bounds of registers, each with its reason.

use std::time::Duration;

/// Authors of earlier editions that an edition names. 8: whoever proposed an edition and was
/// silent while up to eight later ones were chosen can still tell whether it was its own. Beyond
/// it the outcome is [`Outcome::Unknown`](crate::register::Outcome::Unknown).
pub const RECENT_MAX: usize = 8;

/// Attempts at one operation. 8: with [`BACKOFF`] doubling, the last waits longer than any round
/// trip between regions. Whoever has lost them all is told of a conflict.
pub const ATTEMPTS_MAX: u32 = 8;

/// How long answers are waited for before questions are asked again. 400 ms: above the longest
/// public round trip between regions, so that nothing is asked twice in a quiet network.
pub const ANSWER_WAIT: Duration = Duration::from_millis(400);

/// Silent waits within one attempt. 4: a region that is cut off refuses within 2 s.
pub const WAITS_MAX: u32 = 4;

/// The first rest of an operation that another region's has overtaken. 10 ms; it doubles, and
/// regions differ in it, so that two do not overtake each other for ever.
pub const BACKOFF: Duration = Duration::from_millis(10);

/// How often an edition is told to a region that does not confirm it. 8, [`ANSWER_WAIT`] apart;
/// later it learns of it with the next operation.
pub const TELLS_MAX: u32 = 8;

/// Operations of one item that wait in one region. 256; a further one is refused, as throttled.
pub const WAITING_MAX: usize = 256;
