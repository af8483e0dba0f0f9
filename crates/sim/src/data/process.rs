//! One region's process: its tables, both sides of its links, and the sweeper, without sockets.
//!
//! It stands where the shell `replica` stands, and does the same in the same order. It ends with
//! a kill; the disk and the clocks outlive it.

mod copying;

pub mod ends;

mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::region::{RegionId, RegionName};
use clock::hlc::Hlc;
use clock::port::Clock as _;
use clock::time::Moment;
use replica_core::frame::Frame;
use replica_core::limits::REDIAL;
use replica_core::link::Now;
use replica_core::link::mesh::Mesh;
use replica_core::link::receive::{self, ApplyFault};
use replica_core::link::send::{self, CopyRead, LogRead};
use replica_core::vector::Seq;
use store::port::Durability;
use table::def::TableDef;
use table::tables::{Options, Tables};
use table::write::WriteError;

use crate::clocks::Clocks;
use crate::data::client::{self, Operation};
use crate::data::process::ends::{Receiving, Role, Sending};
use crate::data::process::sweep::{SWEEP, Sweep};
use crate::data::run::Mistake;
use crate::data::tap::Tap;
use crate::data::tasks::{Tasks, at_once};

/// Something that the world carries out for a process.
#[derive(Debug)]
pub enum Effect {
    /// A frame goes out.
    Say(u64, Frame),
    /// This end of a connection is closed.
    Hang(u64, Role),
    /// A peer is dialled.
    Dial(usize),
    /// A client is told that its operation is done, or refused: position 0.
    Done(Operation, Seq),
    /// Something that must not be.
    Wrong(String),
}

/// A region's own place among all.
#[derive(Clone)]
pub struct Place {
    /// Its number in the world.
    pub at: usize,
    /// All regions' names.
    pub names: Vec<RegionName>,
    /// Its clocks.
    pub clocks: Clocks,
}

/// One life of a region.
pub struct Process {
    place: Place,
    disk: Tap,
    /// Its tables.
    pub tables: Tables<Tap>,
    carts: Arc<TableDef>,
    sending: BTreeMap<usize, Sending>,
    receiving: BTreeMap<usize, Receiving>,
    mesh: Mesh,
    unreachable: BTreeSet<RegionId>,
    tasks: Tasks<Done>,
    progressed: Box<dyn FnMut() -> bool>,
    sweep: Sweep,
    /// Some region has lost its directory: copies are to be expected.
    pub knows_lost: bool,
    /// The log is being begun anew.
    is_beginning: bool,
    mistake: Mistake,
    effects: Vec<Effect>,
}

/// What a task came to.
enum Done {
    Sender(usize, send::Input),
    Receiver(usize, receive::Input),
    Client(Operation, Result<Seq, WriteError>),
    Begun,
    Met,
    Swept(Hlc),
}

impl Place {
    fn id(&self, at: usize) -> RegionId {
        self.names[at].id()
    }

    fn peers(&self) -> impl Iterator<Item = usize> + use<> {
        let own = self.at;
        (0..self.names.len()).filter(move |at| *at != own)
    }
}

impl Process {
    /// Starts a region's process over its disk.
    pub fn start(
        place: Place,
        disk: Tap,
        incarnation: u64,
        (durability, mistake): (Durability, Mistake),
    ) -> Self {
        let ids: BTreeSet<RegionId> = place.names.iter().map(RegionName::id).collect();
        let (region, now) = (place.id(place.at), place.clocks.now());
        let options = Options {
            region,
            members: ids.clone(),
            clock: Arc::new(place.clocks.clone()),
            entropy: Arc::new(Given(incarnation)),
            durability,
        };
        let tables = at_once(Tables::open(disk.clone(), options)).expect("a disk of this region");
        tables.plant(mistake.table);
        let carts = tables.define(client::carts(ids));
        let mut mesh = Mesh::new(now, region, place.peers().map(|peer| place.id(peer)));
        mesh.plant(mistake.link);
        let mut progress = tables.progress();
        let progressed = move || {
            let changed = progress.has_changed().unwrap_or(false);
            progress.mark_unchanged();
            changed
        };
        let sending = |peer| (peer, Sending::new(&place, now, mistake));
        let receiving = |peer| (peer, Receiving::new(place.id(peer), mistake));
        Self {
            sending: place.peers().map(sending).collect(),
            receiving: place.peers().map(receiving).collect(),
            disk,
            tables,
            carts,
            mesh,
            unreachable: BTreeSet::new(),
            tasks: Tasks::default(),
            progressed: Box::new(progressed),
            sweep: Sweep {
                at: now,
                ..Sweep::default()
            },
            knows_lost: false,
            is_beginning: false,
            mistake,
            effects: Vec::new(),
            place,
        }
    }

    /// Starts a client's operation.
    pub fn operate(&mut self, operation: Operation) {
        let (tables, writes) = (
            self.tables.clone(),
            client::writes(&operation, self.place.clocks.wall(), &self.carts),
        );
        self.tasks.spawn(async move {
            let written = tables.transact(writes).await;
            let position = written.map(|written| written.first().map_or(Seq(0), |it| it.position));
            Done::Client(operation, position)
        });
    }

    /// Does all that follows from what was heard, then what is due. Returns what the world is to
    /// do.
    pub fn turn(&mut self) -> Vec<Effect> {
        self.settle();
        self.handle_timeouts();
        self.settle();
        std::mem::take(&mut self.effects)
    }

    fn settle(&mut self) {
        loop {
            let finished = self.tasks.run();
            let mut busy = !finished.is_empty();
            for done in finished {
                self.take(done);
            }
            if (self.progressed)() {
                self.learn_local();
                busy = true;
            }
            busy |= self.drain();
            self.find_unreachable();
            self.start_sweep();
            if !busy {
                return;
            }
        }
    }

    /// Returns when [`Process::turn`] is due at the latest.
    pub fn wakes_at(&self) -> Moment {
        let now = self.place.clocks.now();
        let senders = self.sending.values().map(|sending| {
            let dial = match (sending.connection, sending.dialing) {
                (None, None) => Some(sending.redial),
                (None, Some((_, until))) => Some(until),
                (Some(_), _) => sending.sender.poll_timeout(),
            };
            dial.unwrap_or(self.sweep.at + SWEEP)
        });
        let receivers = self.receiving.values();
        let receivers = receivers.filter_map(|receiving| receiving.receiver.poll_timeout());
        let due = senders.chain(receivers).chain(self.mesh.poll_timeout(now));
        due.min()
            .map_or(self.sweep.at + SWEEP, |due| due.min(self.sweep.at + SWEEP))
    }

    fn now(&self) -> Now {
        Now {
            moment: self.place.clocks.now(),
            wall: self.place.clocks.wall(),
        }
    }

    fn handle_timeouts(&mut self) {
        let now = self.now();
        let is_due = |due: Option<Moment>| due.is_some_and(|due| due <= now.moment);
        for (peer, sending) in &mut self.sending {
            if is_due(sending.sender.poll_timeout()) {
                let local = self.tables.local();
                sending.sender.handle_input(now, send::Input::Local(local));
                sending.sender.handle_timeout(now);
            }
            if is_due(sending.dialing.map(|(_, until)| until)) {
                sending.dialing = None;
                sending.redial = now.moment + REDIAL.0;
            }
            let idle = sending.connection.is_none() && sending.dialing.is_none();
            if idle && sending.redial <= now.moment {
                // Until the world has dialled, nothing further is due.
                sending.redial = now.moment + REDIAL.1;
                self.effects.push(Effect::Dial(*peer));
            }
        }
        for Receiving { receiver, .. } in self.receiving.values_mut() {
            if is_due(receiver.poll_timeout()) {
                receiver.handle_timeout(now);
            }
        }
        if self.sweep.at + SWEEP <= now.moment {
            self.sweep(now);
        }
    }

    fn take(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Sender(peer, input) => {
                if let Some(Sending { sender, .. }) = self.sending.get_mut(&peer) {
                    sender.handle_input(now, input);
                }
            }
            Done::Receiver(peer, input) => {
                // What was applied is told together with that it was.
                let local = self.tables.local();
                if let Some(receiving) = self.receiving.get_mut(&peer) {
                    let receiver = &mut receiving.receiver;
                    if receiving.connection.is_some() {
                        receiver.handle_input(now, receive::Input::Local(local));
                    }
                    receiver.handle_input(now, input);
                }
            }
            Done::Client(operation, Ok(position)) => {
                self.effects.push(Effect::Done(operation, position));
            }
            Done::Client(operation, Err(WriteError::Refused(_))) => {
                self.effects.push(Effect::Done(operation, Seq(0)));
            }
            // What became of it is told by nobody, and the process ends.
            Done::Client(_, Err(WriteError::Store(_))) if self.disk.disk.has_failed() => {}
            Done::Client(operation, Err(error)) => {
                let name = operation.name;
                self.effects
                    .push(Effect::Wrong(format!("{name} failed: {error}")));
            }
            Done::Begun => self.is_beginning = false,
            Done::Met => self.learn_local(),
            Done::Swept(collected) => {
                self.sweep.running = false;
                self.sweep.collected = collected.max(self.sweep.collected);
            }
        }
    }

    fn learn_local(&mut self) {
        let now = self.now();
        let local = self.tables.local();
        for sending in self.sending.values_mut() {
            if sending.connection.is_some() {
                let input = send::Input::Local(local.clone());
                sending.sender.handle_input(now, input);
            }
        }
        for receiving in self.receiving.values_mut() {
            if receiving.connection.is_some() {
                let input = receive::Input::Local(local.clone());
                receiving.receiver.handle_input(now, input);
            }
        }
    }

    /// Does what senders and receivers want done. Returns whether there was any.
    fn drain(&mut self) -> bool {
        let now = self.now();
        let mut busy = false;
        for peer in self.place.peers() {
            while let Some(output) = self
                .sending
                .get_mut(&peer)
                .and_then(|sending| sending.sender.poll_output(now))
            {
                busy = true;
                self.send(peer, output);
            }
            while let Some(output) = self
                .receiving
                .get_mut(&peer)
                .and_then(|receiving| receiving.receiver.poll_output())
            {
                busy = true;
                self.receive(peer, output);
            }
        }
        busy
    }

    fn send(&mut self, peer: usize, output: send::Output) {
        let connection = self.sending.get(&peer).and_then(|it| it.connection);
        match output {
            send::Output::Send(frame) => {
                if let Some(connection) = connection {
                    self.effects.push(Effect::Say(connection, frame));
                }
            }
            send::Output::ReadLog {
                ticket,
                origin,
                after,
                bytes_max,
            } => {
                let (tables, to) = (self.tables.clone(), self.place.id(peer));
                self.tasks.spawn(async move {
                    let read = tables.log_for(to, origin, after, bytes_max).await;
                    let read = read.unwrap_or(LogRead::Failed);
                    Done::Sender(peer, send::Input::LogRead { ticket, read })
                });
            }
            send::Output::Acked => {
                if self.knows_lost {
                    self.tables.note_welcome(self.place.id(peer));
                }
                if let Some(Sending { sender, .. }) = self.sending.get(&peer) {
                    self.mesh.durable(self.place.id(peer), sender.durable());
                }
            }
            send::Output::Close(error) => self.close(peer, connection, Role::Sending, &error),
            send::Output::ReadCopy {
                ticket,
                table,
                after,
                items,
                bytes_max,
            } if self.knows_lost => {
                let (tables, to) = (self.tables.clone(), self.place.id(peer));
                self.tasks.spawn(async move {
                    let read = tables.copy_for(to, table, after, (items, bytes_max));
                    let read = read.await.unwrap_or(CopyRead::Failed);
                    Done::Sender(peer, send::Input::CopyRead { ticket, read })
                });
            }
            send::Output::NeedsResync { .. } if self.knows_lost => {}
            send::Output::NeedsResync { .. } | send::Output::ReadCopy { .. } => {
                self.effects
                    .push(Effect::Wrong(format!("peer {peer} needs {output:?}")));
            }
        }
    }

    fn receive(&mut self, peer: usize, output: receive::Output) {
        let connection = self.receiving.get(&peer).and_then(|it| it.connection);
        match output {
            receive::Output::Send(frame) => {
                if let Some(connection) = connection {
                    self.effects.push(Effect::Say(connection, frame));
                }
            }
            receive::Output::Apply {
                ticket,
                origin,
                after,
                to,
                records,
            } => {
                let tables = self.tables.clone();
                self.tasks.spawn(async move {
                    let result = tables.apply(origin, after, to, records).await;
                    let result = result.map_err(|error| ApplyFault::from(&error));
                    Done::Receiver(peer, receive::Input::Applied { ticket, result })
                });
            }
            receive::Output::Heard(beat) => {
                let id = self.place.id(peer);
                self.tables.note_horizon(id, beat.head, beat.horizon);
                self.mesh.durable(id, &beat.durable);
                self.mesh.stable(id, beat.stable);
                let (now, shared) = (self.now(), self.tables.shared_with(id));
                let receiving = self.receiving.get_mut(&peer);
                let receiver = receiving.map(|receiving| &mut receiving.receiver);
                if let Some(receiver) = receiver.filter(|it| it.needs_resync().is_some()) {
                    receiver.handle_input(now, receive::Input::Shared(shared));
                }
            }
            receive::Output::Close(error) => self.close(peer, connection, Role::Receiving, &error),
            receive::Output::Merge { .. }
            | receive::Output::Skip { .. }
            | receive::Output::Repaid { .. }
                if self.knows_lost =>
            {
                self.copy(peer, output);
            }
            receive::Output::Merge { .. }
            | receive::Output::Filled { .. }
            | receive::Output::Skip { .. }
            | receive::Output::Repaid { .. }
            | receive::Output::TooOld { .. } => {
                self.effects
                    .push(Effect::Wrong(format!("of peer {peer} comes {output:?}")));
            }
        }
    }

    fn find_unreachable(&mut self) {
        let now = self.now();
        let unreachable = self.mesh.unreachable(now.moment);
        if unreachable == self.unreachable {
            return;
        }
        for Receiving { receiver, .. } in self.receiving.values_mut() {
            let input = receive::Input::Relay(unreachable.clone());
            receiver.handle_input(now, input);
        }
        self.unreachable = unreachable;
    }
}

/// The one number that a process asks chance for: its data directory's identity.
struct Given(u64);

impl clock::port::Entropy for Given {
    fn random(&self) -> u64 {
        self.0
    }
}
