//! Known mistakes that a simulation can put in, to prove that it would find them.
//!
//! No release can carry one: only the feature `planted` offers a way to set it.

/// A mistake to put into the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Planted {
    /// No mistake.
    #[default]
    Nothing,
    /// Judges peers by our own hearing alone.
    IgnoreQuorum,
    /// Never notices a peer's silence.
    MissingHeartbeatTimeout,
    /// Counts the votes of regions that are down or silent.
    VotesOfTheSilent,
    /// Takes a region back on its first heartbeat.
    NoHoldDown,
    /// Accepts a datagram it has seen before.
    AcceptReplays,
}
