//! One item's register in one region: its voter, and the operations that are under way there.
//!
//! It is not a replicated log, and has no leader: whoever has an operation proposes. One operation
//! at a time; the others wait.
//! Source: Paxos Made Simple (Lamport, 2001); CASPaxos (Rystsov, 2018), of which it has the idea
//! that a value follows from the one that is read.
//!
//! ```text
//! read   Looking ──nothing undecided──► done          vote seen ──► Preparing
//! write  Preparing ──promises, no vote──► Proposing ──votes──► chosen ──► done
//!            │           └─a vote: proposed in its place──────► chosen ──► Preparing
//!            └─refused──► Resting ──► Preparing
//! ```

mod attempt;
mod recall;
mod telling;

use std::collections::VecDeque;

use base::region::RegionId;
use bytes::Bytes;
use clock::time::Moment;

use crate::edition::{Edition, Incarnation, OperationId};
use crate::limits::WAITING_MAX;
use crate::members::Members;
use crate::message::Message;
use crate::planted::Planted;
use crate::voter::{Durable, Voter};

use attempt::Running;
use recall::Recall;
use telling::Telling;

/// A write, as what it makes of an item. It may be asked several times, about several editions.
pub trait Write {
    /// Decides what follows an item, none where there is no item. The same item, the same answer.
    fn decide(&self, current: Option<&Bytes>) -> Decision;
}

/// What a write makes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Its condition does not hold.
    Refuse,
    /// The item that follows, none where it is deleted.
    Follow(Option<Bytes>),
}

/// What is asked of a register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask<W> {
    /// The last edition.
    Read,
    /// A next one.
    Write(W),
}

/// How an operation has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The last edition at a moment between the question and this answer, none where nothing was
    /// written yet.
    Read(Option<Edition>),
    /// The write has made an edition.
    Written {
        /// The edition that it followed.
        before: Option<Edition>,
        /// The edition that it made.
        after: Edition,
    },
    /// The write's condition does not hold for what was the last edition at a moment between the
    /// question and this answer.
    Refused(Option<Edition>),
    /// Writes of other regions were in the way. It has made no edition, and never will.
    ///
    /// Source: DynamoDB API reference, `ReplicatedWriteConflictException`.
    Conflict,
    /// Too few voters answer. It has made no edition, and never will.
    Unavailable,
    /// Too few voters answer, or too much has happened since. It has made an edition, will make
    /// one, or never will.
    Unknown,
}

/// What the shell has to do, in this order and no other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Makes memory durable. What comes after it must not happen before it is.
    Persist(Durable),
    /// Sends a message, which may be lost.
    Send {
        /// The voter that it is for.
        to: RegionId,
        /// The message.
        message: Message,
    },
    /// Answers an operation.
    Done {
        /// The operation.
        operation: OperationId,
        /// How it has ended.
        outcome: Outcome,
    },
}

/// Too many operations of the item wait in this region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{WAITING_MAX} operations of the item are waiting")]
pub struct Full;

/// An item's register in one region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Register<W> {
    here: RegionId,
    members: Members,
    voter: Voter,
    /// Where the directory was lost: until the item is recalled, the voter is not used.
    lost: Option<Recall>,
    running: Option<Running<W>>,
    waiting: VecDeque<(OperationId, Ask<W>)>,
    telling: Option<Telling>,
    outputs: VecDeque<Output>,
    planted: Planted,
    /// Only for [`Planted::SentBeforeDurable`].
    persist_late: bool,
}

impl<W: Write> Register<W> {
    /// Goes on with what is durable; [`Durable::default`] where the directory never had the item.
    pub fn restored(here: RegionId, members: Members, durable: Durable) -> Self {
        let planted = Planted::Nothing;
        Self {
            here,
            members,
            voter: Voter { durable, planted },
            lost: None,
            running: None,
            waiting: VecDeque::new(),
            telling: None,
            outputs: VecDeque::new(),
            planted,
            persist_late: false,
        }
    }

    /// Begins in a directory that took a lost one's place, and has not recalled the item yet. It
    /// neither votes nor proposes until both other voters have said what they hold.
    ///
    /// Shape: `incarnation` is above those of all earlier directories of the region.
    pub fn lost(now: Moment, here: RegionId, members: Members, incarnation: Incarnation) -> Self {
        let durable = Durable {
            incarnation,
            ..Durable::default()
        };
        let mut register = Self::restored(here, members, durable);
        register.start_recall(now);
        register
    }

    /// Puts a known mistake in.
    #[cfg(feature = "planted")]
    pub fn plant(&mut self, planted: Planted) {
        self.planted = planted;
        self.voter.planted = planted;
        if planted == Planted::VotesUnrecalled {
            self.lost = None;
        }
    }

    /// Takes an operation of this region. A witness has none.
    ///
    /// Errors: [`Full`], and nothing is begun.
    pub fn handle_operation(
        &mut self,
        now: Moment,
        operation: OperationId,
        ask: Ask<W>,
    ) -> Result<(), Full> {
        if self.waiting.len() >= WAITING_MAX {
            return Err(Full);
        }
        self.waiting.push_back((operation, ask));
        self.run_next(now);
        self.persist_late();
        Ok(())
    }

    /// Takes a message of another voter. One of a stranger is dropped.
    pub fn handle_message(&mut self, now: Moment, from: RegionId, message: Message) {
        if from == self.here || !self.members.votes(from) {
            return;
        }
        if self.lost.is_some() {
            if let Message::Recalled {
                incarnation,
                durable,
            } = message
            {
                self.recalled(now, from, incarnation, durable);
            }
            return;
        }
        let known = self.voter.durable.chosen;
        if let Some(reply) = self.ask_own_voter(from, message.clone()) {
            self.send(from, reply);
        }
        if known < self.voter.durable.chosen {
            self.overtaken(now);
        }
        self.handle_answer(now, from, message);
        self.persist_late();
    }

    /// Does what time has come for.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.recall_again(now);
        self.tell_again(now);
        self.wait_again(now);
        self.persist_late();
    }

    /// Returns what is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns when [`Self::handle_timeout`] is to be called, none where nothing is waited for.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let lost = self.lost.as_ref().map(|lost| lost.deadline);
        let telling = self.telling.as_ref().map(|telling| telling.deadline);
        let running = self.running.as_ref().map(|running| running.deadline);
        [lost, telling, running].into_iter().flatten().min()
    }

    /// Returns the last edition that this region has learnt: what an eventually consistent read
    /// answers. None where it has learnt of none, or is not whole.
    pub fn learnt(&self) -> Option<&Edition> {
        self.voter.durable.edition.as_ref()
    }

    /// Returns whether this region has its memory of the item, so that it votes.
    pub const fn is_whole(&self) -> bool {
        self.lost.is_none()
    }

    /// Returns whether the register holds nothing but what is durable, so that it may be dropped
    /// from memory.
    pub fn is_idle(&self) -> bool {
        self.poll_timeout().is_none() && self.waiting.is_empty() && self.outputs.is_empty()
    }

    /// Hands a question or news to this region's voter, and has its memory made durable before
    /// whatever follows.
    fn ask_own_voter(&mut self, from: RegionId, message: Message) -> Option<Message> {
        let answer = self.voter.handle(from, message);
        if answer.changed {
            self.persist();
        }
        answer.reply
    }

    /// Takes an edition that is chosen.
    fn learn(&mut self, now: Moment, edition: Edition) {
        if self.voter.learn(edition) {
            self.persist();
            self.overtaken(now);
        }
    }

    fn persist(&mut self) {
        let forgets = self.planted == Planted::WitnessForgets;
        if forgets && self.members.witness() == Some(self.here) {
            self.voter.durable.edition = None;
        }
        if self.planted == Planted::SentBeforeDurable {
            self.persist_late = true;
        } else {
            let durable = self.voter.durable.clone();
            self.outputs.push_back(Output::Persist(durable));
        }
    }

    /// Only for [`Planted::SentBeforeDurable`].
    fn persist_late(&mut self) {
        if std::mem::take(&mut self.persist_late) {
            let durable = self.voter.durable.clone();
            self.outputs.push_back(Output::Persist(durable));
        }
    }

    fn send(&mut self, to: RegionId, message: Message) {
        self.outputs.push_back(Output::Send { to, message });
    }
}

#[cfg(test)]
mod tests;
