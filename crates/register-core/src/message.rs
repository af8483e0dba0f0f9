//! What voters of an item say to each other.
//!
//! It is no wire format: the shell encodes messages, adds the item's key and the two regions, and
//! may lose, repeat and reorder them.

use base::region::RegionId;

use crate::edition::{Ballot, Edition, Incarnation, OperationId, Vote};
use crate::voter::Durable;

/// Names one attempt at an operation, so that late answers are told from those of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    /// The operation.
    pub operation: OperationId,
    /// Counts its attempts.
    pub count: u32,
}

/// Which memory an answer comes from, and which memories it knows to be lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Standing {
    /// The directory of the region that answers.
    pub incarnation: Incarnation,
    /// The directories of other regions: earlier ones of these regions are lost.
    pub known: Vec<(RegionId, Incarnation)>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Asks what the voter holds. Answered by [`Message::Held`].
    Look {
        /// The attempt.
        attempt: Attempt,
        /// The edition after the one that is known where it is asked.
        number: u64,
    },
    /// Asks for a promise to vote in no lower ballot. Answered by [`Message::Held`],
    /// [`Message::Refused`] or [`Message::Behind`].
    Prepare {
        /// The attempt.
        attempt: Attempt,
        /// The edition to be chosen.
        number: u64,
        /// The ballot.
        ballot: Ballot,
    },
    /// Asks for a vote. Answered by [`Message::Voted`], [`Message::Refused`], [`Message::Held`]
    /// or [`Message::Behind`].
    Propose {
        /// The attempt.
        attempt: Attempt,
        /// What to vote for.
        vote: Vote,
    },
    /// Tells that an edition is chosen. Answered by [`Message::Learnt`].
    Learn {
        /// The edition.
        edition: Edition,
    },
    /// Tells a voter that what it voted for is chosen. Answered by [`Message::Learnt`].
    Chosen {
        /// The edition.
        number: u64,
        /// The ballot that chose it: whoever voted in it or a later one has its value.
        ballot: Ballot,
    },
    /// Tells a witness that both regions have an edition.
    Settled {
        /// The edition.
        number: u64,
    },
    /// Asks for everything the voter holds, since this region has lost it, and has it note so.
    /// Answered by [`Message::Recalled`].
    Recall {
        /// The directory that takes the lost one's place.
        incarnation: Incarnation,
    },
    /// What a voter holds.
    Held {
        /// The attempt that asked.
        attempt: Attempt,
        /// Where the answer comes from.
        standing: Standing,
        /// The last edition that it knows to be chosen.
        chosen: u64,
        /// That edition, where it is not known where it was asked. A witness may not have it.
        newer: Option<Edition>,
        /// Its vote for the edition after that.
        vote: Option<Vote>,
    },
    /// A vote.
    Voted {
        /// The attempt that asked.
        attempt: Attempt,
        /// Where the answer comes from.
        standing: Standing,
        /// The ballot.
        ballot: Ballot,
    },
    /// A higher ballot is promised.
    Refused {
        /// The attempt that asked.
        attempt: Attempt,
        /// That ballot.
        promised: Ballot,
    },
    /// The edition before the one that is asked about is not known here to be chosen.
    Behind {
        /// The attempt that asked.
        attempt: Attempt,
    },
    /// What is chosen is known here.
    Learnt {
        /// The last edition that is known to be chosen.
        number: u64,
    },
    /// Everything a voter holds, after it has noted whose memory is lost.
    Recalled {
        /// The directory that asked.
        incarnation: Incarnation,
        /// What it holds.
        durable: Durable,
    },
}
