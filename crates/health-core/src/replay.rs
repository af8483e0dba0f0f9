//! The window that lets each datagram of a sender in once.
//!
//! It authenticates nothing: the seal was checked before.
//! Source: RFC 4303 §3.4.3, with the sender's incarnation in front.

use crate::limits::REPLAY_WINDOW;

/// One life of a process: higher than each of its earlier lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u64);

/// How a datagram stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// The first of a new life of the sender.
    Reborn,
    /// Later than everything before.
    Newest,
    /// Overtaken by a later one, and not seen yet.
    Overtaken,
}

/// Why a datagram is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// It was seen before, or is too old to tell.
    #[error("sequence {0} was seen before or is too old")]
    Replayed(u64),
    /// It comes from an earlier life of the sender.
    #[error("incarnation {0} has ended")]
    Ended(u64),
}

/// What was seen of one sender.
#[derive(Clone, Debug, Default)]
pub struct Window {
    incarnation: Incarnation,
    highest: u64,
    /// Bit n: `highest - n` was seen.
    seen: u128,
}

impl Window {
    /// Lets a datagram in, once.
    ///
    /// Errors: [`NotAdmitted`]; the window is unchanged then.
    pub fn admit(
        &mut self,
        incarnation: Incarnation,
        sequence: u64,
    ) -> Result<Admitted, NotAdmitted> {
        if incarnation < self.incarnation {
            return Err(NotAdmitted::Ended(incarnation.0));
        }
        if incarnation > self.incarnation {
            *self = Self {
                incarnation,
                highest: sequence,
                seen: 1,
            };
            return Ok(Admitted::Reborn);
        }
        if sequence > self.highest {
            let ahead = sequence - self.highest;
            let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            self.highest = sequence;
            return Ok(Admitted::Newest);
        }
        let behind = self.highest - sequence;
        if behind >= REPLAY_WINDOW || self.seen >> behind & 1 == 1 {
            return Err(NotAdmitted::Replayed(sequence));
        }
        self.seen |= 1 << behind;
        Ok(Admitted::Overtaken)
    }

    /// Returns the sender's latest life; zero before it was heard.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }
}

#[cfg(test)]
mod tests;
