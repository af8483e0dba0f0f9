//! An operation that is under way, attempt by attempt.
//!
//! It is not the voter: this region's is asked as the others are, only without a message.

use base::region::RegionId;
use clock::time::Moment;

use crate::edition::{Ballot, Edition, OperationId, Vote};
use crate::limits::{ANSWER_WAIT, ATTEMPTS_MAX, BACKOFF, WAITS_MAX};
use crate::members::MAJORITY;
use crate::message::{Attempt, Message, Standing};
use crate::planted::Planted;
use crate::register::{Ask, Decision, Outcome, Output, Register, Write};
use crate::voter::Durable;

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Running<W> {
    operation: OperationId,
    ask: Ask<W>,
    count: u32,
    phase: Phase,
    /// What this attempt asks.
    question: Option<Message>,
    answers: Vec<Answered>,
    waits: u32,
    pub(super) deadline: Moment,
    /// The highest round that was promised to somebody else.
    round: u64,
    /// What was proposed, until it is known whether that is what was chosen. As long as it is not,
    /// nothing else is proposed for this operation: it would be done twice.
    own: Option<Own>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Own {
    before: Option<Edition>,
    after: Edition,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Asks what the others hold.
    Looking,
    /// Asks for promises for the edition of this number.
    Preparing(u64),
    /// Asks for votes.
    Proposing(Vote),
    /// Waits, so that another one can finish.
    Resting,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Answered {
    from: RegionId,
    standing: Standing,
    chosen: u64,
    vote: Option<Vote>,
}

impl<W> Running<W> {
    const fn attempt(&self) -> Attempt {
        Attempt {
            operation: self.operation,
            count: self.count,
        }
    }

    fn answered(&mut self, answer: Answered) {
        self.answers.retain(|earlier| earlier.from != answer.from);
        self.answers.push(answer);
    }

    /// Returns the answers that count: none of a memory that another one knows to be lost.
    fn counted(&self) -> impl Iterator<Item = &Answered> {
        let lost = |answer: &Answered| {
            let known = self.answers.iter().flat_map(|other| &other.standing.known);
            let mut of_it = known.filter(|(region, _)| *region == answer.from);
            of_it.any(|(_, incarnation)| answer.standing.incarnation < *incarnation)
        };
        self.answers.iter().filter(move |answer| !lost(answer))
    }

    /// Returns how the operation has ended, if what it proposed is decided.
    fn decided(&mut self, durable: &Durable, planted: Planted) -> Option<Outcome> {
        let own = self.own.take_if(|own| own.after.number <= durable.chosen)?;
        if planted == Planted::AppliedTwice {
            return None;
        }
        let edition = durable.edition.as_ref();
        match edition.and_then(|edition| edition.author_of(own.after.number)) {
            Some(author) if author == self.operation => Some(Outcome::Written {
                before: own.before,
                after: own.after,
            }),
            Some(_) => None,
            None => Some(Outcome::Unknown),
        }
    }
}

impl<W: Write> Register<W> {
    /// Begins the next operation that waits.
    pub(super) fn run_next(&mut self, now: Moment) {
        while self.running.is_none() && self.lost.is_none() {
            let Some((operation, ask)) = self.waiting.pop_front() else {
                return;
            };
            let phase = match ask {
                Ask::Read => Phase::Looking,
                Ask::Write(_) => Phase::Preparing(0),
            };
            self.running = Some(Running {
                operation,
                ask,
                count: 0,
                phase,
                question: None,
                answers: Vec::new(),
                waits: 0,
                deadline: now,
                round: 0,
                own: None,
            });
            self.attempt(now);
        }
    }

    /// Begins the next attempt.
    fn attempt(&mut self, now: Moment) {
        let Some(running) = &mut self.running else {
            return;
        };
        if let Some(outcome) = running.decided(&self.voter.durable, self.planted) {
            return self.finish(now, outcome);
        }
        if running.count == ATTEMPTS_MAX {
            return self.give_up(now);
        }
        running.count += 1;
        running.waits = 0;
        running.answers.clear();
        let durable = &self.voter.durable;
        let attempt = running.attempt();
        let number = durable.chosen + 1;
        if running.phase == Phase::Looking {
            return self.ask(now, Message::Look { attempt, number });
        }
        if self.planted == Planted::RefusalUnconfirmed
            && let Ask::Write(write) = &running.ask
            && let current = durable.edition.as_ref()
            && let item = current.and_then(|edition| edition.value.as_ref())
            && write.decide(item) == Decision::Refuse
        {
            let outcome = Outcome::Refused(current.cloned());
            return self.finish(now, outcome);
        }
        running.phase = Phase::Preparing(number);
        let ballot = Ballot {
            round: durable.promised.round.max(running.round) + 1,
            region: self.here,
        };
        self.ask(
            now,
            Message::Prepare {
                attempt,
                number,
                ballot,
            },
        );
    }

    /// Asks all voters, this region's own first: its promise or vote is durable before another one
    /// hears of the ballot.
    fn ask(&mut self, now: Moment, question: Message) {
        let Some(running) = &mut self.running else {
            return;
        };
        running.question = Some(question.clone());
        running.deadline = now + ANSWER_WAIT;
        let kept = self.voter.durable.promised;
        let own = self.ask_own_voter(self.here, question.clone());
        if self.planted == Planted::OwnPromiseUnmade
            && let Message::Prepare { .. } = question
        {
            self.voter.durable.promised = kept;
        }
        for other in self.members.others(self.here) {
            self.send(other, question.clone());
        }
        if let Some(own) = own {
            self.handle_answer(now, self.here, own);
        }
    }

    /// Takes an answer. What belongs to no attempt of now only brings news.
    pub(super) fn handle_answer(&mut self, now: Moment, from: RegionId, message: Message) {
        match message {
            Message::Held {
                attempt,
                standing,
                chosen,
                newer,
                vote,
            } => {
                if let Some(edition) = newer {
                    self.learn(now, edition);
                }
                let answer = Answered {
                    from,
                    standing,
                    chosen,
                    vote,
                };
                self.held(now, attempt, answer);
            }
            Message::Voted {
                attempt,
                standing,
                ballot,
            } => self.voted(now, attempt, ballot, (from, standing)),
            Message::Refused { attempt, promised } => self.refused(now, attempt, promised),
            Message::Behind { attempt } => {
                let is_asked = self.running.as_ref().map(Running::attempt) == Some(attempt);
                if let Some(edition) = self.voter.durable.edition.clone().filter(|_| is_asked) {
                    self.send(from, Message::Learn { edition });
                }
            }
            Message::Learnt { number } => {
                self.told(from, number);
                self.ask_again(Some(from));
            }
            // Questions, which the voter has answered.
            Message::Look { .. }
            | Message::Prepare { .. }
            | Message::Propose { .. }
            | Message::Learn { .. }
            | Message::Chosen { .. }
            | Message::Settled { .. }
            | Message::Recall { .. }
            | Message::Recalled { .. } => {}
        }
    }

    fn held(&mut self, now: Moment, attempt: Attempt, answer: Answered) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.attempt() != attempt {
            return;
        }
        let durable = &self.voter.durable;
        let counts = match running.phase {
            // A witness may know of an edition whose value it does not have.
            Phase::Looking => answer.chosen <= durable.chosen,
            Phase::Preparing(number) => answer.chosen + 1 == number,
            Phase::Proposing(_) | Phase::Resting => false,
        };
        if !counts {
            return;
        }
        running.answered(answer);
        let counted: Vec<&Answered> = running.counted().collect();
        if counted.len() < MAJORITY {
            return;
        }
        let last = counted.iter().map(|answer| answer.chosen).max();
        let last = counted.iter().filter(|answer| Some(answer.chosen) == last);
        let votes = last.filter_map(|answer| answer.vote.as_ref());
        let vote = votes.max_by_key(|vote| vote.ballot).cloned();
        match (&running.phase, vote) {
            (Phase::Looking, Some(vote)) if self.planted == Planted::VoteTaken => {
                self.finish(now, Outcome::Read(Some(vote.edition)));
            }
            // It may be chosen: it has to be finished before anything is answered.
            (Phase::Looking, Some(_)) if self.planted != Planted::VoteUnread => {
                running.phase = Phase::Preparing(0);
                self.attempt(now);
            }
            (Phase::Looking, _) => {
                let outcome = Outcome::Read(durable.edition.clone());
                self.finish(now, outcome);
            }
            (_, Some(vote)) if self.planted != Planted::VoteOverwritten => {
                self.propose(now, vote.edition);
            }
            _ => self.decide(now),
        }
    }

    /// Decides what the operation makes of the last edition: a majority has promised that no other
    /// one follows it below this ballot.
    fn decide(&mut self, now: Moment) {
        let Some(running) = &mut self.running else {
            return;
        };
        if let Some(own) = &running.own {
            let edition = own.after.clone();
            return self.propose(now, edition);
        }
        let current = self.voter.durable.edition.clone();
        let Ask::Write(write) = &running.ask else {
            return self.finish(now, Outcome::Read(current));
        };
        let item = current.as_ref().and_then(|edition| edition.value.as_ref());
        match write.decide(item) {
            Decision::Refuse => self.finish(now, Outcome::Refused(current)),
            Decision::Follow(value) => {
                let after = Edition::after(current.as_ref(), running.operation, value);
                running.own = Some(Own {
                    before: current,
                    after: after.clone(),
                });
                self.propose(now, after);
            }
        }
    }

    fn propose(&mut self, now: Moment, edition: Edition) {
        let Some(running) = &mut self.running else {
            return;
        };
        let Some(Message::Prepare { ballot, .. }) = running.question else {
            return;
        };
        let vote = Vote { ballot, edition };
        running.phase = Phase::Proposing(vote.clone());
        running.answers.clear();
        let attempt = running.attempt();
        self.ask(now, Message::Propose { attempt, vote });
    }

    fn voted(
        &mut self,
        now: Moment,
        attempt: Attempt,
        ballot: Ballot,
        (from, standing): (RegionId, Standing),
    ) {
        let Some(running) = &mut self.running else {
            return;
        };
        let Phase::Proposing(vote) = &running.phase else {
            return;
        };
        if running.attempt() != attempt || vote.ballot != ballot {
            return;
        }
        let edition = vote.edition.clone();
        running.answered(Answered {
            from,
            standing,
            chosen: edition.number - 1,
            vote: None,
        });
        let voted: Vec<RegionId> = running.counted().map(|answer| answer.from).collect();
        let enough = if self.planted == Planted::OneVoteIsEnough {
            1
        } else {
            MAJORITY
        };
        if voted.len() >= enough {
            self.tell(now, &edition, ballot, &voted);
            self.learn(now, edition);
        }
    }

    fn refused(&mut self, now: Moment, attempt: Attempt, promised: Ballot) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.attempt() != attempt || running.phase == Phase::Resting {
            return;
        }
        if self.planted == Planted::ConflictTooSoon && running.own.is_some() {
            return self.finish(now, Outcome::Conflict);
        }
        running.round = running.round.max(promised.round);
        running.phase = Phase::Resting;
        let doubled = BACKOFF * (1 << running.count.min(ATTEMPTS_MAX));
        running.deadline = now + doubled + BACKOFF * self.members.rank(self.here);
    }

    /// An edition is chosen: what was asked about it or an earlier one is asked about the next.
    pub(super) fn overtaken(&mut self, now: Moment) {
        let Some(running) = &self.running else { return };
        let number = match &running.phase {
            Phase::Looking | Phase::Resting => return,
            Phase::Preparing(number) => *number,
            Phase::Proposing(vote) => vote.edition.number,
        };
        if number <= self.voter.durable.chosen {
            self.attempt(now);
        }
    }

    /// Waits on, asks again, or gives up.
    pub(super) fn wait_again(&mut self, now: Moment) {
        let Some(running) = self
            .running
            .as_mut()
            .filter(|running| running.deadline <= now)
        else {
            return;
        };
        if running.phase == Phase::Resting {
            return self.attempt(now);
        }
        running.deadline = now + ANSWER_WAIT;
        running.waits += 1;
        if running.waits > WAITS_MAX {
            return self.give_up(now);
        }
        self.ask_again(None);
    }

    /// Sends the question again, to one voter or to all, but for those that have answered.
    fn ask_again(&mut self, only: Option<RegionId>) {
        let Some(running) = &self.running else { return };
        let Some(question) = running.question.clone() else {
            return;
        };
        if running.phase == Phase::Resting {
            return;
        }
        let answered: Vec<RegionId> = running.counted().map(|one| one.from).collect();
        for other in self.members.others(self.here) {
            if !answered.contains(&other) && only.is_none_or(|only| only == other) {
                self.send(other, question.clone());
            }
        }
    }

    /// Ends an operation that did not get through, with what is certain of it.
    fn give_up(&mut self, now: Moment) {
        let Some(running) = &mut self.running else {
            return;
        };
        let decided = running.decided(&self.voter.durable, self.planted);
        let is_silent = running.waits > WAITS_MAX;
        let outcome = decided.unwrap_or(match &running.ask {
            Ask::Write(_) if running.own.is_some() => Outcome::Unknown,
            Ask::Write(_) if !is_silent => Outcome::Conflict,
            Ask::Read | Ask::Write(_) => Outcome::Unavailable,
        });
        self.finish(now, outcome);
    }

    fn finish(&mut self, now: Moment, outcome: Outcome) {
        if let Some(running) = self.running.take() {
            let operation = running.operation;
            self.outputs.push_back(Output::Done { operation, outcome });
        }
        self.run_next(now);
    }
}
