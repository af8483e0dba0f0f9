//! The receiving side of a link: what is asked of one peer, and what is done with what comes.
//!
//! It applies nothing itself: it hands out frames one at a time and is told how they fared. A
//! receiver exists once for each peer; [`Input::Up`] and [`Input::Down`] tell it of connections.
//!
//! ```text
//!   an origin:  Flowing ── gap ─► Parked (COPY_RETRY) ─────► Flowing, a new round
//!                  │                                             ▲
//!                  └─ clock too far ahead, store failed ─► Parked (PARK_FOR)
//!
//!   records that are gone at the peer, or all of it where a lost directory is replaced:
//!   Flowing ── Trimmed ─► (beat: where its log stands) ─► its tables are copied ─► Skip ─► Flowing
//!                 └─ some were applied here ─► TooOld
//! ```
//!
//! What comes of an earlier round is thrown away, and counts as worked off. Nothing is lost by
//! it: the next round starts at what is applied.

mod inbox;

mod catch_up;

mod wants;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use base::name::TableId;
use base::region::RegionId;
use clock::time::Moment;

use crate::frame::copy::CopyItems;
use crate::frame::{Ack, Beat, Data, Frame};
use crate::limits::{COPY_RETRY, PARK_FOR};
use crate::link::copies::{Arrived, Copies, Fills, Kept, Portion, Word};
use crate::link::latency::{Latencies, Summary};
use crate::link::pulse::{Due, PeerClock, Pulse};
use crate::link::receive::catch_up::CatchUp;
use crate::link::receive::inbox::Inbox;
use crate::link::{LinkError, Local, Now, Owed};
use crate::planted::Planted;
use crate::record::Record;
use crate::vector::{Seq, VersionVector};

/// The receiving side of the link to one peer.
#[derive(Debug)]
pub struct Receiver {
    peer: RegionId,
    local: Local,
    pulse: Option<Pulse>,
    clock: PeerClock,
    wants: BTreeMap<RegionId, Wanted>,
    wants_changed: bool,
    rounds: u32,
    inbox: Inbox,
    told: Option<Told>,
    copies: Copies,
    latencies: BTreeMap<RegionId, Latencies>,
    catch_up: Option<CatchUp>,
    /// How often it was begun to catch up.
    catch_ups: u64,
    /// Where the peer's log stood when it last said so over this connection.
    head: Option<Seq>,
    outputs: VecDeque<Output>,
    planted: Planted,
}

/// What a receiver is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection is made and both sides have proved who they are. `Local` goes before.
    Up,
    /// The connection is gone.
    Down,
    /// Bytes came from the peer.
    Heard,
    /// A frame came from the peer.
    Frame(Frame),
    /// Where this region stands.
    Local(Local),
    /// The regions that are out of reach, whose records the peer is asked for as well.
    Relay(BTreeSet<RegionId>),
    /// How an [`Output::Apply`] fared. A fresh `Local` should be told before.
    Applied {
        /// The ticket of the output.
        ticket: u64,
        /// Whether it was applied.
        result: Result<(), ApplyFault>,
    },
    /// Which tables are to be filled here.
    Fill {
        /// The tables.
        fills: Fills,
        /// How far they are filled, as it is on disk.
        kept: BTreeMap<TableId, Kept>,
    },
    /// The tables that both regions replicate, while [`Receiver::needs_resync`].
    Shared(BTreeSet<TableId>),
    /// How an [`Output::Skip`] fared. A fresh `Local` should be told before.
    Skipped {
        /// The ticket of the output.
        ticket: u64,
        /// Whether it is on disk.
        skipped: bool,
    },
    /// How an [`Output::Merge`] fared.
    Merged {
        /// The ticket of the output.
        ticket: u64,
        /// Whether the page is merged, on disk.
        merged: bool,
    },
}

/// Why records could not be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyFault {
    /// Records before them are missing here.
    #[error("records before them are missing")]
    Gap,
    /// Their region's clock is too far ahead.
    #[error("their region's clock is {0:?} ahead")]
    TooFarAhead(Duration),
    /// They could not be stored.
    #[error("they could not be stored")]
    Store,
}

/// What a receiver wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a frame.
    Send(Frame),
    /// Apply records exactly once, and answer with [`Input::Applied`]. There is one at a time.
    Apply {
        /// To be given back.
        ticket: u64,
        /// Whose records.
        origin: RegionId,
        /// The position before.
        after: Seq,
        /// The position after.
        to: Seq,
        /// The records.
        records: Vec<Record>,
    },
    /// Merge a page of a table, and answer with [`Input::Merged`].
    Merge {
        /// The table.
        table: TableId,
        /// The page.
        arrived: Arrived,
    },
    /// The peer said where it stands.
    Heard(Beat),
    /// The peer has given all of its portion of a table.
    Filled {
        /// The table.
        table: TableId,
        /// What it was.
        portion: Portion,
    },
    /// All that the peer's log says up to `to` has come in copies, but for what is owed: count it
    /// as applied, note what is owed, both at once, and answer with [`Input::Skipped`].
    Skip {
        /// To be given back.
        ticket: u64,
        /// The position.
        to: Seq,
        /// What the peer has still to give.
        owed: Owed,
    },
    /// The peer has given what it owed of a table.
    Repaid {
        /// The table.
        table: TableId,
        /// What it was.
        items: CopyItems,
    },
    /// Records that are needed here are gone at the peer, and copies do not tell what was
    /// deleted meanwhile: this region's data is too old.
    TooOld {
        /// The first position that is left.
        first: Seq,
    },
    /// End the connection.
    Close(LinkError),
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    round: u32,
    parked: Option<Parked>,
}

/// An origin whose records rest for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Until when.
    pub until: Moment,
    /// Why.
    pub why: ApplyFault,
}

/// What the last acknowledgement said.
#[derive(Debug)]
struct Told {
    consumed: u64,
    applied: VersionVector,
    durable: VersionVector,
}

impl Receiver {
    /// Makes the receiving side towards `peer`.
    pub fn new(peer: RegionId) -> Self {
        let flowing = Wanted {
            round: 0,
            parked: None,
        };
        Self {
            peer,
            local: Local::default(),
            pulse: None,
            clock: PeerClock::default(),
            wants: BTreeMap::from([(peer, flowing)]),
            wants_changed: false,
            rounds: 0,
            inbox: Inbox::default(),
            told: None,
            copies: Copies::default(),
            latencies: BTreeMap::new(),
            catch_up: None,
            catch_ups: 0,
            head: None,
            outputs: VecDeque::new(),
            planted: Planted::Nothing,
        }
    }

    /// Puts a known mistake in.
    #[cfg(feature = "planted")]
    pub fn plant(&mut self, mistake: Planted) {
        self.planted = mistake;
    }

    /// Takes one input in.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        match input {
            Input::Up => self.up(now),
            Input::Down => self.down(),
            Input::Heard => {
                if let Some(pulse) = &mut self.pulse {
                    pulse.heard(now);
                }
            }
            Input::Frame(frame) => self.hear(now, frame),
            Input::Local(local) => self.learn(local),
            Input::Relay(origins) => self.relay(&origins),
            Input::Applied { ticket, result } => self.applied(now, ticket, result),
            Input::Fill { fills, kept } => {
                self.copies.fill(self.peer, &fills, &kept);
                // Whoever watches may have seen that it was not asked for in between.
                let given = self.copies.given();
                let given = given.map(|(table, portion)| Output::Filled { table, portion });
                self.outputs.extend(given);
            }
            Input::Merged { ticket, merged } => self.merged(now, ticket, merged),
            Input::Shared(tables) => {
                if let Some(catch_up) = &mut self.catch_up {
                    catch_up.share(&tables, &mut self.copies);
                }
            }
            Input::Skipped { ticket, skipped } => self.skipped(ticket, skipped),
        }
        self.pump(now);
        self.debug_assert_invariants();
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        let over = |wanted: &Wanted| {
            wanted
                .parked
                .is_some_and(|parked| parked.until <= now.moment)
        };
        let due: Vec<_> = self
            .wants
            .iter()
            .filter(|(_, wanted)| over(wanted))
            .map(|(origin, _)| *origin)
            .collect();
        for origin in due {
            self.restart(origin, None);
        }
        let due = self
            .pulse
            .as_ref()
            .map(|pulse| pulse.due(now, self.planted));
        match due.unwrap_or(Due::Nothing) {
            Due::Nothing => {}
            Due::End(why) => self.outputs.push_back(Output::Close(why)),
            Due::Beat => self.say_ack(now),
        }
        self.pump(now);
        self.debug_assert_invariants();
    }

    /// Returns the next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns when [`Receiver::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let parked = self
            .wants
            .values()
            .filter_map(|wanted| wanted.parked.map(|parked| parked.until));
        let pulse = self.pulse.as_ref()?;
        let due = pulse.due_at(self.planted);
        let copies = self.copies.poll_timeout().filter(|_| self.may_copy());
        parked.chain(copies).chain([due]).min()
    }

    /// Returns whether the link is up.
    pub const fn is_up(&self) -> bool {
        self.pulse.is_some()
    }

    /// Returns the origins that rest, and why.
    pub fn parked(&self) -> impl Iterator<Item = (RegionId, Parked)> {
        self.wants
            .iter()
            .filter_map(|(origin, wanted)| wanted.parked.map(|parked| (*origin, parked)))
    }

    /// Returns the first position that the peer has left while ours is gone there, and its tables
    /// are copied instead.
    pub fn needs_resync(&self) -> Option<Seq> {
        self.catch_up.as_ref().map(CatchUp::first)
    }

    /// Returns the copies that come from the peer.
    pub const fn copies(&self) -> &Copies {
        &self.copies
    }

    /// Returns what is known of the way to the peer and of its clock.
    pub const fn clock(&self) -> &PeerClock {
        &self.clock
    }

    /// Returns the replication latencies of the last minute, from commit there to visible here.
    pub fn latencies(&mut self, now: Now) -> BTreeMap<RegionId, Summary> {
        self.latencies
            .iter_mut()
            .map(|(origin, latencies)| (*origin, latencies.summary(now.moment)))
            .collect()
    }

    fn up(&mut self, now: Now) {
        self.down();
        self.pulse = Some(Pulse::new(now));
        let origins: Vec<_> = self.wants.keys().copied().collect();
        for origin in origins {
            let parked = self.wants.get(&origin).and_then(|wanted| wanted.parked);
            self.restart(origin, parked);
        }
        self.begin_catch_up();
        debug_assert!(self.wants_changed, "a new sender knows no wants");
    }

    fn down(&mut self) {
        self.pulse = None;
        self.inbox.down();
        (self.told, self.head) = (None, None);
        self.copies.down();
        self.outputs.retain(|output| match output {
            Output::Send(_) | Output::Close(_) => false,
            Output::Apply { .. }
            | Output::Merge { .. }
            | Output::Heard(_)
            | Output::Filled { .. }
            | Output::Skip { .. }
            | Output::Repaid { .. }
            | Output::TooOld { .. } => true,
        });
    }

    fn hear(&mut self, now: Now, frame: Frame) {
        let Some(pulse) = &mut self.pulse else {
            return;
        };
        pulse.heard(now);
        match frame {
            Frame::Data(data) => self.data(data),
            Frame::Beat(beat) => {
                pulse.sampled(now, beat.sample, &mut self.clock);
                let head = beat.durable.at(self.peer);
                self.head = Some(head);
                if let Some(catch_up) = &mut self.catch_up {
                    catch_up.reach(head);
                }
                self.outputs.push_back(Output::Heard(beat));
            }
            Frame::Trimmed(trimmed) => self.gone(trimmed),
            Frame::CopyPage(page) => {
                if !self.copies.page(page) {
                    self.close("more pages than its window");
                }
            }
            Frame::CopyLater(table) => self.copies.later(now.moment, table),
            Frame::Refuse(refusal) => {
                self.outputs
                    .push_back(Output::Close(LinkError::Refused(refusal)));
            }
            Frame::Hello(_)
            | Frame::Welcome(_)
            | Frame::Ack(_)
            | Frame::Want(_)
            | Frame::CopyRequest(_)
            | Frame::CopyTaken(_)
            | Frame::CopyStop(_) => self.close("a frame that no sender sends"),
        }
    }

    fn data(&mut self, data: Data) {
        let wanted = self
            .wants
            .get(&data.origin)
            .is_some_and(|wanted| wanted.round == data.round && wanted.parked.is_none());
        if !wanted {
            self.inbox.skip(&data);
        } else if !self.inbox.push(data) {
            self.close("more than its window");
        }
    }

    fn applied(&mut self, now: Now, ticket: u64, result: Result<(), ApplyFault>) {
        let Some(applying) = self.inbox.done(ticket) else {
            return;
        };
        match result {
            Ok(()) => {
                // Only the peer's own clock is measured; a relayed record is taken at its word.
                let measured = self.clock.ahead().filter(|_| applying.origin == self.peer);
                let ahead = measured.unwrap_or(0);
                let latencies = self.latencies.entry(applying.origin).or_default();
                for stamp in applying.stamps {
                    let committed = stamp.0.saturating_sub(ahead);
                    let late = now.wall.as_micros().saturating_sub(committed);
                    latencies.note(now.moment, u64::try_from(late).unwrap_or(0));
                }
            }
            Err(_) if applying.stale => {}
            Err(why) => {
                let rest = match why {
                    ApplyFault::Gap => COPY_RETRY,
                    ApplyFault::TooFarAhead(_) | ApplyFault::Store => PARK_FOR,
                };
                let until = now.moment + rest;
                self.restart(applying.origin, Some(Parked { until, why }));
            }
        }
    }

    fn pump(&mut self, now: Now) {
        if let Some((ticket, data)) = self.inbox.take() {
            self.outputs.push_back(Output::Apply {
                ticket,
                origin: data.origin,
                after: data.after,
                to: data.to,
                records: data.records,
            });
        }
        while let Some((table, arrived)) = self.copies.merge() {
            self.outputs.push_back(Output::Merge { table, arrived });
        }
        if self.pulse.is_none() {
            return;
        }
        while let Some(word) = self.copies.word() {
            let frame = match word {
                Word::Taken(request) => Frame::CopyTaken(request),
                Word::Stop(table) => Frame::CopyStop(table),
            };
            self.say(now, frame);
        }
        while self.may_copy()
            && let Some(request) = self.copies.ask(now.moment)
        {
            self.say(now, Frame::CopyRequest(request));
        }
        if let Some(catch_up) = &mut self.catch_up
            && let Some((to, owed)) = catch_up.skip(&self.copies)
        {
            let ticket = catch_up.number();
            self.outputs.push_back(Output::Skip { ticket, to, owed });
        }
        if self.wants_changed {
            self.wants_changed = false;
            self.say_wants(now);
        }
        if self.has_news() {
            self.say_ack(now);
        }
    }

    /// Returns whether the sender is to be told more than it was.
    fn has_news(&self) -> bool {
        let Some(told) = &self.told else {
            return true;
        };
        let local = &self.local;
        let further = |origin: &RegionId| {
            told.applied.at(*origin) < local.told_at(&local.applied, *origin)
                || told.durable.at(*origin) < local.told_at(&local.durable, *origin)
        };
        told.consumed != self.inbox.consumed() || self.wants.keys().any(further)
    }

    fn say_ack(&mut self, now: Now) {
        let Some(pulse) = &mut self.pulse else {
            return;
        };
        let sample = pulse.beat(now);
        let told = Told {
            consumed: self.inbox.consumed(),
            applied: self.local.told(&self.local.applied),
            durable: self.local.told(&self.local.durable),
        };
        self.outputs.push_back(Output::Send(Frame::Ack(Ack {
            consumed: told.consumed,
            applied: told.applied.clone(),
            durable: told.durable.clone(),
            sample,
        })));
        self.told = Some(told);
    }

    fn say(&mut self, now: Now, frame: Frame) {
        if let Some(pulse) = &mut self.pulse {
            pulse.said(now);
            self.outputs.push_back(Output::Send(frame));
        }
    }

    fn close(&mut self, why: &'static str) {
        self.outputs
            .push_back(Output::Close(LinkError::Protocol(why)));
    }

    fn debug_assert_invariants(&self) {
        debug_assert!(
            self.wants.contains_key(&self.peer),
            "a peer is always asked for its own records"
        );
        self.inbox.debug_assert_invariants();
        debug_assert!(
            self.told.is_some() == self.pulse.is_some(),
            "a sender is told where we stand, and only while it listens"
        );
    }
}

#[cfg(test)]
mod tests;
