//! Known mistakes that a simulation can put in, to prove that it would find them.
//!
//! No release can carry one: only the feature `planted` offers a way to set it.

/// A mistake to put into a link or a mesh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Planted {
    /// No mistake.
    #[default]
    Nothing,
    /// Never drops a silent peer (sender, receiver).
    MissingDeadline,
    /// Skips one record where a connection starts, and hides it (sender).
    ResumeTooFar,
    /// Asks nobody for the records of a region that is out of reach (mesh).
    RelayForgotten,
    /// Drops tombstones in one round in place of two (mesh).
    OneRound,
}
