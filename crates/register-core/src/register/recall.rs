//! How a voter whose directory was lost comes by its memory.
//!
//! It mends no second loss: where two of three have lost theirs, the item stays refused.
//!
//! Both others note, durably and before they answer, that the earlier directory is gone. From then
//! on their answers say so, and no proposer counts an answer of the lost directory beside them.
//! So whatever the lost voter promised or voted either counts beside an answer that was given
//! before, and then that promise or vote is among what the two tell; or it counts nowhere.

use base::region::RegionId;
use clock::time::Moment;

use crate::edition::{Incarnation, Vote};
use crate::limits::{ANSWER_WAIT, WAITS_MAX};
use crate::members::MAJORITY;
use crate::message::Message;
use crate::planted::Planted;
use crate::register::{Outcome, Output, Register, Write};
use crate::voter::Durable;

/// A memory that is being recalled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Recall {
    incarnation: Incarnation,
    answers: Vec<(RegionId, Durable)>,
    waits: u32,
    pub(super) deadline: Moment,
}

impl<W: Write> Register<W> {
    pub(super) fn start_recall(&mut self, now: Moment) {
        let incarnation = self.voter.durable.incarnation;
        self.lost = Some(Recall {
            incarnation,
            answers: Vec::new(),
            waits: 0,
            deadline: now + ANSWER_WAIT,
        });
        for other in self.members.others(self.here) {
            self.send(other, Message::Recall { incarnation });
        }
    }

    /// Asks again, and refuses what has waited too long.
    pub(super) fn recall_again(&mut self, now: Moment) {
        let Some(lost) = self.lost.as_mut().filter(|lost| lost.deadline <= now) else {
            return;
        };
        lost.deadline = now + ANSWER_WAIT;
        lost.waits += 1;
        if lost.waits >= WAITS_MAX {
            lost.waits = 0;
            for (operation, _) in self.waiting.drain(..) {
                let outcome = Outcome::Unavailable;
                self.outputs.push_back(Output::Done { operation, outcome });
            }
        }
        let incarnation = lost.incarnation;
        for other in self.members.others(self.here) {
            self.send(other, Message::Recall { incarnation });
        }
    }

    pub(super) fn recalled(
        &mut self,
        now: Moment,
        from: RegionId,
        incarnation: Incarnation,
        durable: Durable,
    ) {
        let Some(lost) = &mut self.lost else { return };
        if lost.incarnation != incarnation {
            return;
        }
        lost.answers.retain(|(region, _)| *region != from);
        lost.answers.push((from, durable));
        if lost.answers.len() < MAJORITY {
            return;
        }
        let Some(mut durable) = together(self.here, incarnation, &lost.answers) else {
            return;
        };
        if self.planted == Planted::RecalledVoteDropped {
            durable.vote = None;
        }
        self.lost = None;
        self.voter.durable = durable;
        self.persist();
        self.run_next(now);
        self.persist_late();
    }
}

/// Makes one memory of those of both other voters. None where neither has the value of what is
/// chosen, which no correct history brings about.
fn together(
    here: RegionId,
    incarnation: Incarnation,
    answers: &[(RegionId, Durable)],
) -> Option<Durable> {
    let chosen = answers.iter().map(|(_, durable)| durable.chosen).max()?;
    // Promises and votes of the edition after the last: those of earlier ones are history.
    let last = || {
        let held = answers.iter().map(|(_, durable)| durable);
        held.filter(|durable| durable.chosen == chosen)
    };
    let edition = last().find_map(|durable| durable.edition.clone());
    if edition.is_none() && chosen > 0 {
        return None;
    }
    let votes = || last().filter_map(|durable| durable.vote.as_ref());
    let vote: Option<&Vote> = votes().max_by_key(|vote| vote.ballot);
    let promised = last().map(|durable| durable.promised).max();
    let mut known: Vec<(RegionId, Incarnation)> = Vec::new();
    let others = answers.iter().flat_map(|(from, durable)| {
        let own = std::iter::once((*from, durable.incarnation));
        durable.known.iter().copied().chain(own)
    });
    for (region, its) in others.filter(|(region, its)| *region != here && its.0 > 0) {
        match known.iter_mut().find(|(other, _)| *other == region) {
            Some((_, last)) => *last = its.max(*last),
            None => known.push((region, its)),
        }
    }
    known.sort_unstable();
    Some(Durable {
        incarnation,
        chosen,
        edition,
        promised: promised.unwrap_or_default(),
        vote: vote.cloned(),
        known,
    })
}
