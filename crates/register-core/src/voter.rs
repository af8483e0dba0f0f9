//! One voter's memory of an item, and its answers.
//!
//! It proposes nothing. What it answers is true only once its memory is durable.
//! Source: Paxos Made Simple (Lamport, 2001), one instance for each edition. An edition's
//! instance ends for a voter when it learns what was chosen: promises and votes are of the next.

use base::region::RegionId;

use crate::edition::{Ballot, Edition, Incarnation, Vote};
use crate::message::{Attempt, Message, Standing};
use crate::planted::Planted;

/// What a voter must not forget of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Durable {
    /// The directory that it is in.
    pub incarnation: Incarnation,
    /// The last edition that is known to be chosen, 0 where none is.
    pub chosen: u64,
    /// That edition. None before the first, and where a witness need not keep it.
    pub edition: Option<Edition>,
    /// No vote is given in a ballot below this one. Of the edition after the chosen one.
    pub promised: Ballot,
    /// The vote in the highest ballot. Of the edition after the chosen one.
    ///
    /// In a directory that took a lost one's place it may be another voter's: it is reported to
    /// whoever prepares, and never counted.
    pub vote: Option<Vote>,
    /// Directories of other regions that took a lost one's place.
    pub known: Vec<(RegionId, Incarnation)>,
}

/// A voter of an item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Voter {
    pub(crate) durable: Durable,
    pub(crate) planted: Planted,
}

/// An answer, and whether memory has to be durable before it leaves.
pub(crate) struct Answer {
    pub(crate) changed: bool,
    pub(crate) reply: Option<Message>,
}

impl Answer {
    const fn say(changed: bool, reply: Message) -> Self {
        Self {
            changed,
            reply: Some(reply),
        }
    }

    const SILENCE: Self = Self {
        changed: false,
        reply: None,
    };
}

impl Voter {
    /// Answers a question or takes a piece of news. Answers of others are none of its business.
    pub(crate) fn handle(&mut self, from: RegionId, message: Message) -> Answer {
        match message {
            Message::Look { attempt, number } => Answer::say(false, self.held(attempt, number)),
            Message::Prepare {
                attempt,
                number,
                ballot,
            } => self.prepare(attempt, number, ballot),
            Message::Propose { attempt, vote } => self.propose(attempt, vote),
            Message::Learn { edition } => {
                let changed = self.learn(edition);
                self.learnt(changed)
            }
            Message::Chosen { number, ballot } => {
                let changed = self.learn_voted(number, ballot);
                self.learnt(changed)
            }
            Message::Settled { number } => self.settle(number),
            Message::Recall { incarnation } => self.recall(from, incarnation),
            Message::Held { .. }
            | Message::Voted { .. }
            | Message::Refused { .. }
            | Message::Behind { .. }
            | Message::Learnt { .. }
            | Message::Recalled { .. } => Answer::SILENCE,
        }
    }

    fn prepare(&mut self, attempt: Attempt, number: u64, ballot: Ballot) -> Answer {
        let next = self.durable.chosen + 1;
        if next < number {
            return Answer::say(false, Message::Behind { attempt });
        }
        if number < next {
            return Answer::say(false, self.held(attempt, number));
        }
        if ballot < self.durable.promised {
            let promised = self.durable.promised;
            return Answer::say(false, Message::Refused { attempt, promised });
        }
        let changed = self.durable.promised != ballot;
        self.durable.promised = ballot;
        Answer::say(changed, self.held(attempt, number))
    }

    fn propose(&mut self, attempt: Attempt, vote: Vote) -> Answer {
        let next = self.durable.chosen + 1;
        if next < vote.edition.number {
            return Answer::say(false, Message::Behind { attempt });
        }
        if vote.edition.number < next {
            return Answer::say(false, self.held(attempt, vote.edition.number));
        }
        if vote.ballot < self.durable.promised && self.planted != Planted::PromiseBroken {
            let promised = self.durable.promised;
            return Answer::say(false, Message::Refused { attempt, promised });
        }
        let ballot = vote.ballot;
        self.durable.promised = ballot;
        self.durable.vote = Some(vote);
        let standing = self.standing();
        let voted = Message::Voted {
            attempt,
            standing,
            ballot,
        };
        Answer::say(true, voted)
    }

    /// Takes a chosen edition. Returns whether it is later than what was known.
    pub(crate) fn learn(&mut self, edition: Edition) -> bool {
        if edition.number <= self.durable.chosen {
            return false;
        }
        self.durable.chosen = edition.number;
        self.durable.edition = Some(edition);
        self.durable.promised = Ballot::default();
        self.durable.vote = None;
        true
    }

    /// Takes what was voted for as chosen. Every vote in the ballot that chose an edition, or in a
    /// later one, is for the same: this is what Paxos proves.
    fn learn_voted(&mut self, number: u64, ballot: Ballot) -> bool {
        let fits = |vote: &Vote| vote.edition.number == number && ballot <= vote.ballot;
        match self.durable.vote.clone().filter(fits) {
            Some(vote) => self.learn(vote.edition),
            None => false,
        }
    }

    fn learnt(&self, changed: bool) -> Answer {
        let number = self.durable.chosen;
        Answer::say(changed, Message::Learnt { number })
    }

    /// Drops a value that both regions have, each of them durably.
    ///
    /// Not earlier: where one region and the witness have chosen an edition, and that region is
    /// lost, the witness has the only copy.
    fn settle(&mut self, number: u64) -> Answer {
        let changed = self.durable.chosen == number && self.durable.edition.take().is_some();
        Answer {
            changed,
            reply: None,
        }
    }

    /// Notes that a region has lost its directory, then tells it everything.
    fn recall(&mut self, from: RegionId, incarnation: Incarnation) -> Answer {
        let known = &mut self.durable.known;
        let changed = match known.iter_mut().find(|(region, _)| *region == from) {
            Some((_, last)) if incarnation < *last => return Answer::SILENCE,
            Some((_, last)) => std::mem::replace(last, incarnation) != incarnation,
            None => {
                known.push((from, incarnation));
                known.sort_unstable();
                true
            }
        };
        let durable = self.durable.clone();
        let recalled = Message::Recalled {
            incarnation,
            durable,
        };
        Answer::say(changed, recalled)
    }

    fn held(&self, attempt: Attempt, number: u64) -> Message {
        let durable = &self.durable;
        let newer = durable.edition.clone();
        Message::Held {
            attempt,
            standing: self.standing(),
            chosen: durable.chosen,
            newer: newer.filter(|edition| number <= edition.number),
            vote: durable.vote.clone(),
        }
    }

    fn standing(&self) -> Standing {
        Standing {
            incarnation: self.durable.incarnation,
            known: self.durable.known.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
