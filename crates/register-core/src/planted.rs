//! Known mistakes that a simulation can put in, to prove that it would find them.
//!
//! No release can carry one: only the feature `planted` offers a way to set it.

/// A mistake to put into a register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Planted {
    /// No mistake.
    #[default]
    Nothing,
    /// What depends on a promise or a vote leaves before that is durable.
    SentBeforeDurable,
    /// A voter votes although it has promised a higher ballot.
    PromiseBroken,
    /// A proposer's own vote is enough.
    OneVoteIsEnough,
    /// A proposer proposes its own write although a vote was reported to it.
    VoteOverwritten,
    /// A read answers with the edition below a vote that may be chosen.
    VoteUnread,
    /// A read answers with a vote that may not be chosen.
    VoteTaken,
    /// A failed condition is told from this region's own copy.
    RefusalUnconfirmed,
    /// A write that was overtaken is told to have failed, although it may be chosen yet.
    ConflictTooSoon,
    /// A write that was overtaken is done again, although it may have been chosen.
    AppliedTwice,
    /// A proposer's own voter does not promise what it asks of others.
    OwnPromiseUnmade,
    /// A witness drops a value as soon as it is chosen.
    WitnessForgets,
    /// A voter whose directory was lost votes at once.
    VotesUnrecalled,
    /// A voter that recalls its memory drops the votes of which the others tell it.
    RecalledVoteDropped,
}

impl Planted {
    /// All mistakes.
    pub const ALL: [Self; 13] = [
        Self::SentBeforeDurable,
        Self::PromiseBroken,
        Self::OneVoteIsEnough,
        Self::VoteOverwritten,
        Self::VoteUnread,
        Self::VoteTaken,
        Self::RefusalUnconfirmed,
        Self::ConflictTooSoon,
        Self::AppliedTwice,
        Self::OwnPromiseUnmade,
        Self::WitnessForgets,
        Self::VotesUnrecalled,
        Self::RecalledVoteDropped,
    ];
}
