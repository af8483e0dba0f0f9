//! The sending side of a link: what goes to one peer, and when.
//!
//! It reads no log itself: it says which part to read, and takes what was read. A sender exists
//! once for each peer; [`Input::Up`] and [`Input::Down`] tell it of connections.
//!
//! ```text
//!   Local, Ack, Want ──► which origin is behind? ──► ReadLog ──► LogRead ──► Data ──► Send
//!                                    │ none
//!                                    └► a page is asked for? ──► ReadCopy ──► CopyPage ──► Send
//! ```

mod cursors;

mod streams;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::time::Moment;

use crate::frame::copy::{CopyItem, CopyItems};
use crate::frame::greeting::Refusal;
use crate::frame::{Ack, Beat, Data, Frame, Sample, Trimmed, Want, record_cost};
use crate::limits::{FRAME_BYTES_CUT, FRAME_RECORDS_MAX, LOG_READS_MAX, PARK_FOR, WINDOW_BYTES};
use crate::link::pulse::{Due, PeerClock, Pulse};
use crate::link::send::cursors::Cursors;
use crate::link::send::streams::Streams;
use crate::link::share::Part;
use crate::link::{LinkError, Local, Now};
use crate::planted::Planted;
use crate::record::Record;
use crate::vector::{Seq, VersionVector};

/// The sending side of the link to one peer.
#[derive(Debug)]
pub struct Sender {
    own: RegionName,
    local: Local,
    pulse: Option<Pulse>,
    clock: PeerClock,
    cursors: Cursors,
    reading: Option<Reading>,
    tickets: u64,
    frames: VecDeque<Data>,
    sent: u64,
    consumed: u64,
    streams: Streams,
    /// How many reads of logs have passed the page that waits.
    passed: u32,
    outputs: VecDeque<Output>,
    applied: VersionVector,
    durable: VersionVector,
    /// The round whose records are gone, and the first position that is left.
    trimmed: Option<(u32, Seq)>,
    planted: Planted,
}

/// What a sender is told.
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
    /// What a [`Output::ReadLog`] came to.
    LogRead {
        /// The ticket of the output.
        ticket: u64,
        /// The part of the log that the peer may have.
        read: LogRead,
    },
    /// What a [`Output::ReadCopy`] came to.
    CopyRead {
        /// The ticket of the output.
        ticket: u64,
        /// The page.
        read: CopyRead,
    },
}

/// What reading a log came to.
#[derive(Clone, Debug)]
pub enum LogRead {
    /// Records, perhaps none.
    Part(Part),
    /// The position is gone.
    Trimmed {
        /// The first position left.
        first: Seq,
    },
    /// It could not be read; it is tried again after a rest.
    Failed,
}

/// What reading a page of a table came to.
#[derive(Clone, Debug)]
pub enum CopyRead {
    /// A page.
    Page {
        /// The items, by key.
        items: Vec<CopyItem>,
        /// Where the next page starts.
        next: Option<Bytes>,
    },
    /// Not possible yet: the table is unknown here, not known to be the peer's as well, or not back
    /// whole. Nothing may be here of it that only this region holds.
    Later,
    /// The store failed. What it holds may be nowhere else: the peer is told nothing.
    Failed,
}

/// What a sender wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a frame.
    Send(Frame),
    /// Read the durable records of `origin` after `after`, and answer with [`Input::LogRead`].
    ReadLog {
        /// To be given back.
        ticket: u64,
        /// Whose log.
        origin: RegionId,
        /// The position before.
        after: Seq,
        /// How much at most; a record that is larger alone is read alone.
        bytes_max: usize,
    },
    /// Read a page of a table, and answer with [`Input::CopyRead`]. Only once changes of the
    /// table go into the peer's frames may the page be read.
    ReadCopy {
        /// To be given back.
        ticket: u64,
        /// The table.
        table: TableId,
        /// The last key of the page before.
        after: Option<Bytes>,
        /// Which items.
        items: CopyItems,
        /// How much at most.
        bytes_max: usize,
    },
    /// The peer has applied or stored more.
    Acked,
    /// The peer needs records that are gone: only a copy of everything helps.
    NeedsResync {
        /// The first position left.
        first: Seq,
    },
    /// End the connection.
    Close(LinkError),
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    ticket: u64,
    origin: RegionId,
    round: u32,
    after: Seq,
}

impl Sender {
    /// Makes the sending side of region `own` towards one peer.
    pub fn new(own: RegionName) -> Self {
        Self {
            own,
            local: Local::default(),
            pulse: None,
            clock: PeerClock::default(),
            cursors: Cursors::default(),
            reading: None,
            tickets: 0,
            frames: VecDeque::new(),
            sent: 0,
            consumed: 0,
            streams: Streams::default(),
            passed: 0,
            outputs: VecDeque::new(),
            applied: VersionVector::default(),
            durable: VersionVector::default(),
            trimmed: None,
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
            Input::Local(local) => self.local = local,
            Input::LogRead { ticket, read } => self.log_read(now, ticket, read),
            Input::CopyRead { ticket, read } => {
                if let Err(error) = self.streams.read(ticket, read) {
                    self.outputs.push_back(Output::Close(error));
                }
            }
        }
        self.pump(now);
        self.debug_assert_invariants();
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        if let Some(pulse) = &mut self.pulse {
            match pulse.due(now, self.planted) {
                Due::Nothing => {}
                Due::End(why) => self.outputs.push_back(Output::Close(why)),
                Due::Beat => {
                    // What cannot go out does not pile up: one frame at a time waits.
                    let sample = pulse.beat(now);
                    let waits = |output: &Output| matches!(output, Output::Send(_));
                    if !self.outputs.iter().any(waits) {
                        self.say_beat(sample);
                    }
                }
            }
        }
        self.cursors.end_rests(now.moment);
        self.pump(now);
        self.debug_assert_invariants();
    }

    /// Returns the next thing to do. Log frames come before pages, so a caller that takes outputs
    /// only while its connection has room lets the log pass the bulk.
    pub fn poll_output(&mut self, now: Now) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let frame = match self.frames.pop_front() {
            Some(data) => {
                self.sent += data.cost();
                Frame::Data(data)
            }
            None => self.streams.frame()?,
        };
        if let Some(pulse) = &mut self.pulse {
            pulse.said(now);
        }
        self.pump(now);
        self.debug_assert_invariants();
        Some(Output::Send(frame))
    }

    /// Returns when [`Sender::handle_timeout`] is due; before it, `Local` should be fresh.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let pulse = self.pulse.as_ref()?;
        let due = pulse.due_at(self.planted);
        self.cursors.poll_timeout().into_iter().chain([due]).min()
    }

    /// Returns whether the link is up.
    pub const fn is_up(&self) -> bool {
        self.pulse.is_some()
    }

    /// Returns what the peer has applied, as far as it has said.
    pub const fn applied(&self) -> &VersionVector {
        &self.applied
    }

    /// Returns what the peer has on disk, as far as it has said.
    pub const fn durable(&self) -> &VersionVector {
        &self.durable
    }

    /// Returns how many records of our own log the peer has not applied.
    pub fn backlog(&self) -> u64 {
        let own = self.own.id();
        let head = self.local.durable.at(own).0;
        head.saturating_sub(self.applied.at(own).0)
    }

    /// Returns how far each table that the peer copies from here has been read for it.
    ///
    /// Units: per cent.
    pub fn copying(&self) -> BTreeMap<TableId, u8> {
        self.streams.progress()
    }

    /// Returns the first position left, when the peer needs a copy of everything.
    pub fn needs_resync(&self) -> Option<Seq> {
        self.trimmed.map(|(_, first)| first)
    }

    /// Returns what is known of the way to the peer and of its clock.
    pub const fn clock(&self) -> &PeerClock {
        &self.clock
    }

    fn up(&mut self, now: Now) {
        self.down();
        self.pulse = Some(Pulse::new(now));
    }

    fn down(&mut self) {
        self.pulse = None;
        self.cursors = Cursors::default();
        self.reading = None;
        self.frames.clear();
        (self.sent, self.consumed) = (0, 0);
        self.streams = Streams::default();
        self.passed = 0;
        self.outputs.clear();
    }

    fn hear(&mut self, now: Now, frame: Frame) {
        let Some(pulse) = &mut self.pulse else {
            return;
        };
        pulse.heard(now);
        match frame {
            Frame::Ack(ack) => {
                pulse.sampled(now, ack.sample, &mut self.clock);
                self.acked(ack);
            }
            Frame::Want(wants) => self.wanted(&wants),
            Frame::CopyRequest(request) => {
                if !self.streams.asked(request) {
                    self.close("too many copies at a time");
                }
            }
            Frame::CopyTaken(request) => self.streams.taken(&request),
            Frame::CopyStop(table) => self.streams.stop(table),
            Frame::Refuse(refusal) => {
                self.outputs
                    .push_back(Output::Close(LinkError::Refused(refusal)));
            }
            Frame::Hello(_)
            | Frame::Welcome(_)
            | Frame::Data(_)
            | Frame::Beat(_)
            | Frame::Trimmed(_)
            | Frame::CopyPage(_)
            | Frame::CopyLater(_) => self.close("a frame that no receiver sends"),
        }
    }

    fn acked(&mut self, ack: Ack) {
        if ack.consumed < self.consumed || self.sent < ack.consumed {
            return self.close("an impossible window");
        }
        self.consumed = ack.consumed;
        // Taken as it is said: a crash takes a peer back, and a lost directory to the beginning.
        (self.applied, self.durable) = (ack.applied, ack.durable);
        if self.outputs.back() != Some(&Output::Acked) {
            self.outputs.push_back(Output::Acked);
        }
    }

    fn wanted(&mut self, wants: &[Want]) {
        let own = self.own.id();
        let has = self.local.durable.at(own);
        if let Some(want) = wants.iter().find(|want| want.origin == own) {
            // A log that was written on after it had lost its end gives positions twice; only
            // the stamps tell that the peer's records are others.
            let same = want.after.generation() == has.generation();
            let pauses = self.local.pauses.iter();
            let strange = same && pauses.into_iter().any(|pause| pause.holds(want.last));
            if has < want.after || strange {
                return self.rewound(want.after, has);
            }
        }
        self.cursors.want(wants, self.planted);
        // Another round starts where the peer has filled what was missing.
        let cursors = &self.cursors;
        self.trimmed
            .take_if(|(round, _)| !cursors.serves(own, *round));
        self.frames
            .retain(|data| cursors.serves(data.origin, data.round));
    }

    /// Another region has seen more of our log than we have: ours is an older copy.
    fn rewound(&mut self, had: Seq, has: Seq) {
        let region = self.own.clone();
        let origin = region.id();
        let refusal = Refusal::Rewound { region, has, had };
        self.outputs.push_back(Output::Send(Frame::Refuse(refusal)));
        self.outputs
            .push_back(Output::Close(LinkError::Rewound { origin, has, had }));
    }

    fn log_read(&mut self, now: Now, ticket: u64, read: LogRead) {
        let Some(reading) = self.reading.take_if(|reading| reading.ticket == ticket) else {
            return;
        };
        let end = self.local.durable.at(reading.origin);
        let own = reading.origin == self.own.id();
        let Some(cursor) = self.cursors.get_mut(reading.origin, reading.round) else {
            return;
        };
        debug_assert_eq!(cursor.sent, reading.after, "only reading moves a cursor");
        match read {
            LogRead::Part(part) if part.to <= reading.after => cursor.stuck = Some(end),
            LogRead::Part(part) => {
                let after = cursor.claim;
                (cursor.sent, cursor.claim) = (part.to, part.to);
                self.cut(reading, after, part);
            }
            LogRead::Trimmed { first } => {
                cursor.trimmed = true;
                let (origin, round) = (reading.origin, reading.round);
                if own {
                    self.trimmed = Some((round, first));
                    let trimmed = Trimmed {
                        origin,
                        round,
                        first,
                    };
                    self.outputs
                        .push_back(Output::Send(Frame::Trimmed(trimmed)));
                    self.outputs.push_back(Output::NeedsResync { first });
                }
            }
            LogRead::Failed => cursor.rests = Some(now.moment + PARK_FOR),
        }
    }

    /// Cuts what was read into frames.
    fn cut(&mut self, reading: Reading, after: Seq, part: Part) {
        let mut data = Data {
            origin: reading.origin,
            round: reading.round,
            after,
            to: part.to,
            records: Vec::new(),
        };
        let mut bytes = 0;
        for record in part.records {
            let cost = record_cost(&record);
            let full =
                bytes + cost > FRAME_BYTES_CUT.as_len() || data.records.len() == FRAME_RECORDS_MAX;
            if full && !data.records.is_empty() {
                let to = data.records.last().map_or(data.after, |last| last.seq);
                let next = Data {
                    after: to,
                    records: Vec::new(),
                    ..data
                };
                self.queue(Data { to, ..data });
                data = next;
                bytes = 0;
            }
            bytes += cost;
            data.records.push(record);
        }
        self.queue(data);
    }

    fn queue(&mut self, data: Data) {
        debug_assert!(
            data.records.iter().all(|record: &Record| {
                record.origin == data.origin && data.after < record.seq && record.seq <= data.to
            }),
            "a frame holds what it says"
        );
        self.frames.push_back(data);
    }

    /// Starts what can be started: one read of a log at a time, and one of a page where the log
    /// has nothing to say, or has passed it often enough.
    fn pump(&mut self, now: Now) {
        if self.pulse.is_none() {
            return;
        }
        let is_idle = self.reading.is_none() && self.frames.is_empty() && !self.read_log(now);
        if is_idle || LOG_READS_MAX <= self.passed {
            self.read_page();
        }
    }

    fn read_page(&mut self) {
        let ticket = self.tickets + 1;
        if let Some(read) = self.streams.next(ticket) {
            (self.tickets, self.passed) = (ticket, 0);
            self.outputs.push_back(read);
        }
    }

    /// Returns whether there is something to read.
    fn read_log(&mut self, now: Now) -> bool {
        let room = WINDOW_BYTES
            .as_u64()
            .saturating_sub(self.sent - self.consumed);
        let next = self.cursors.next(now.moment, &self.local);
        let Some((origin, cursor)) = next.filter(|_| room > 0) else {
            return false;
        };
        self.tickets += 1;
        self.reading = Some(Reading {
            ticket: self.tickets,
            origin,
            round: cursor.round,
            after: cursor.sent,
        });
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        self.outputs.push_back(Output::ReadLog {
            ticket: self.tickets,
            origin,
            after: cursor.sent,
            bytes_max: room.min(FRAME_BYTES_CUT.as_len()),
        });
        self.cursors.took_turn(origin);
        self.passed += u32::from(self.streams.is_due());
        true
    }

    fn say_beat(&mut self, sample: Sample) {
        let local = &self.local;
        self.outputs.push_back(Output::Send(Frame::Beat(Beat {
            head: local.head,
            horizon: local.horizon,
            stable: local.stable,
            applied: local.told(&local.applied),
            durable: local.told(&local.durable),
            sample,
        })));
    }

    fn close(&mut self, why: &'static str) {
        self.outputs
            .push_back(Output::Close(LinkError::Protocol(why)));
    }

    fn debug_assert_invariants(&self) {
        debug_assert!(self.consumed <= self.sent, "nothing unsent is worked off");
        debug_assert!(
            self.reading.is_none() || self.frames.is_empty(),
            "the log is read on only when the last part is on its way"
        );
        debug_assert!(
            self.pulse.is_some() || (self.frames.is_empty() && self.reading.is_none()),
            "without a connection nothing is under way"
        );
        debug_assert!(
            self.frames
                .iter()
                .all(|data| self.cursors.serves(data.origin, data.round)),
            "only what is wanted waits"
        );
    }
}

#[cfg(test)]
mod tests;
