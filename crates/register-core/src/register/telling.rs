//! Tells the other voters of an edition until they have it.
//!
//! It is not what makes an edition last: that is done when it is chosen.

use base::region::RegionId;
use clock::time::Moment;

use crate::edition::{Ballot, Edition};
use crate::limits::{ANSWER_WAIT, TELLS_MAX};
use crate::message::Message;
use crate::register::{Register, Write};

/// The last edition that was chosen from here, and who has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Telling {
    number: u64,
    have: Vec<RegionId>,
    tells: u32,
    pub(super) deadline: Moment,
}

impl<W: Write> Register<W> {
    /// Starts to tell of an edition that was chosen in `ballot`. Whoever has voted in it has the
    /// value.
    pub(super) fn tell(
        &mut self,
        now: Moment,
        edition: &Edition,
        ballot: Ballot,
        voted: &[RegionId],
    ) {
        let number = edition.number;
        for other in self.members.others(self.here) {
            let message = if voted.contains(&other) {
                Message::Chosen { number, ballot }
            } else {
                let edition = edition.clone();
                Message::Learn { edition }
            };
            self.send(other, message);
        }
        self.telling = Some(Telling {
            number,
            have: Vec::new(),
            tells: 1,
            deadline: now + ANSWER_WAIT,
        });
    }

    /// Tells it again to those that have not confirmed it.
    pub(super) fn tell_again(&mut self, now: Moment) {
        let Some(telling) = self
            .telling
            .as_mut()
            .filter(|telling| telling.deadline <= now)
        else {
            return;
        };
        // A later edition makes this one history.
        let edition = self.voter.durable.edition.clone();
        let edition = edition.filter(|edition| edition.number == telling.number);
        let Some(edition) = edition.filter(|_| telling.tells < TELLS_MAX) else {
            self.telling = None;
            return;
        };
        telling.tells += 1;
        telling.deadline = now + ANSWER_WAIT;
        let have = telling.have.clone();
        for other in self.members.others(self.here) {
            if !have.contains(&other) {
                let edition = edition.clone();
                self.send(other, Message::Learn { edition });
            }
        }
    }

    /// Notes who has it. Once all have, a witness need not keep it.
    pub(super) fn told(&mut self, from: RegionId, number: u64) {
        let Some(telling) = &mut self.telling else {
            return;
        };
        if number < telling.number || telling.have.contains(&from) {
            return;
        }
        telling.have.push(from);
        let number = telling.number;
        let have = telling.have.len();
        if have == self.members.others(self.here).count() {
            self.telling = None;
            if let Some(witness) = self.members.witness() {
                self.send(witness, Message::Settled { number });
            }
        }
    }
}
