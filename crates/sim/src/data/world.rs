//! The loop: events happen in the order of time, then of their making.
//!
//! It judges nothing and chooses no fault.

use std::collections::BTreeMap;
use std::time::Duration;

use base::region::RegionName;
use clock::time::Moment;
use replica_core::vector::Seq;
use store::memory::MemStore;
use store::port::{BUFFERED_MAX, Durability};

use crate::agenda::Agenda;
use crate::chance::Chance;
use crate::clocks::{Clocks, START, micros};
use crate::data::client::Operation;
use crate::data::connection::{Connection, Parcel};
use crate::data::process::ends::Role;
use crate::data::process::{Effect, Place, Process};
use crate::data::run::Mistake;
use crate::data::tap::{Ledger, Tap};
use crate::network::Network;

/// The regions of the world.
pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

/// A world of regions with data.
pub struct World {
    now: Moment,
    events: Agenda<Event>,
    connections: BTreeMap<u64, Connection>,
    dialled: u64,
    chance: Chance,
    /// When writes of clients count as done.
    durability: Durability,
    mistake: Mistake,
    digest: u64,
    happened: u64,
    crashes: u64,
    failures: u64,
    /// The ways between the regions.
    pub network: Network,
    /// What is true.
    pub ledger: Ledger,
    /// The regions.
    pub regions: Vec<Region>,
}

/// What of a region outlives its process.
pub struct Region {
    place: Place,
    lives: u64,
    /// Whether the disk is to commit, and to flush.
    commits: bool,
    flushes: bool,
    /// How long the disk takes, in microseconds.
    pub disk_micros: (u64, u64),
    /// Its disk.
    pub disk: Tap,
    /// Its process, while it runs.
    pub process: Option<Process>,
}

#[derive(Debug)]
enum Event {
    /// The first parcel that this end of a connection sent arrives.
    Parcel { connection: u64, sender: Role },
    /// Something is due in a region, if this life is still its own.
    Wake { at: usize, life: u64 },
    /// The disk commits some of what waits.
    Commit { at: usize, life: u64 },
    /// The disk writes what is visible.
    Flush { at: usize, life: u64 },
    /// A process ends whose disk has failed.
    End { at: usize, life: u64 },
}

impl Region {
    /// Returns the region's clocks.
    pub fn clocks(&self) -> &Clocks {
        &self.place.clocks
    }

    /// Returns the region's number.
    pub fn id(&self) -> base::region::RegionId {
        self.place.names[self.place.at].id()
    }
}

impl World {
    /// Makes a world in which every region has just started.
    pub fn new(
        chance: Chance,
        network: Network,
        (durability, mistake): (Durability, Mistake),
    ) -> Self {
        let name = |name: &&str| RegionName::parse(name).expect("a region of AWS");
        let names: Vec<_> = REGIONS.iter().map(name).collect();
        let ledger = Ledger::default();
        ledger.open().keeps_acknowledged = durability == Durability::Disk;
        let mut world = Self {
            now: START,
            events: Agenda::default(),
            connections: BTreeMap::new(),
            dialled: 0,
            chance,
            durability,
            mistake,
            digest: 0,
            happened: 0,
            crashes: 0,
            failures: 0,
            network,
            ledger: ledger.clone(),
            regions: Vec::new(),
        };
        for at in 0..names.len() {
            let place = Place {
                at,
                names: names.clone(),
                clocks: Clocks::new(0),
            };
            let id = names[at].id();
            ledger.open().join(id);
            let disk = Tap::new(MemStore::new(), id, ledger.clone());
            if mistake.acknowledges_early {
                disk.disk.plant_early_acknowledgement();
            }
            if mistake.forgets_failures {
                disk.disk.plant_forgotten_failure();
            }
            world.regions.push(Region {
                place,
                lives: 0,
                commits: false,
                flushes: false,
                disk_micros: (100, 3_000),
                disk,
                process: None,
            });
            world.start(at);
            world.regions[at].disk.disk.hold();
        }
        world
    }

    /// Returns the time.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Returns how many events have happened.
    pub fn happened(&self) -> u64 {
        self.happened
    }

    /// Returns how often a region's power was cut.
    pub fn crashes(&self) -> u64 {
        self.crashes
    }

    /// Returns how often a region's disk failed.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Returns a digest of all that happened.
    pub fn digest(&self) -> u64 {
        self.digest ^ self.ledger.open().digest().rotate_left(32)
    }

    /// Lets events happen until `until`.
    pub fn run(&mut self, until: Moment) {
        while let Some((at, event)) = self.events.take(until) {
            self.reach(at.max(self.now));
            self.happen(event);
        }
        self.reach(until);
    }

    /// Lets a region's disk fail while it writes. The process ends a while after it was told.
    pub fn fail(&mut self, at: usize) {
        let region = &self.regions[at];
        if region.process.is_none() || region.disk.disk.has_failed() {
            return;
        }
        self.failures += 1;
        let life = region.lives;
        let waiting = region.disk.disk.waiting();
        let some = self.chance.index(waiting + 1);
        self.regions[at].disk.disk.fail(some);
        self.turn(at);
        let after = Duration::from_micros(self.chance.below(300_000));
        self.events.add(self.now + after, Event::End { at, life });
    }

    /// Starts a region's process, where it is not running, or on a disk that has failed.
    pub fn start(&mut self, at: usize) {
        if self.regions[at].disk.disk.has_failed() {
            self.kill(at);
        }
        let incarnation = self.chance.bits();
        let how = (self.durability, self.mistake);
        let region = &mut self.regions[at];
        if region.process.is_none() {
            region.lives += 1;
            let (place, disk) = (region.place.clone(), region.disk.clone());
            let mut process = Process::start(place, disk, incarnation, how);
            process.knows_lost = !self.ledger.open().lost_directories().is_empty();
            region.process = Some(process);
            self.turn(at);
        }
    }

    /// Cuts a region's power: its process ends, and what was not on disk is gone.
    pub fn kill(&mut self, at: usize) {
        let region = &mut self.regions[at];
        if region.process.take().is_none() {
            return;
        }
        self.crashes += 1;
        // The disk may have got further than anybody was told.
        if self.chance.one_in(2) {
            let waiting = region.disk.disk.waiting();
            let some = self.chance.index(waiting + 1);
            region.disk.disk.step(some);
        }
        if self.chance.one_in(4) {
            region.disk.disk.persist();
        }
        region.disk = region.disk.crash();
        (region.commits, region.flushes) = (false, false);
        let ends: Vec<(u64, Role)> = self
            .connections
            .iter()
            .filter_map(|(number, connection)| match connection {
                Connection { from, .. } if *from == at => Some((*number, Role::Sending)),
                Connection { to, .. } if *to == at => Some((*number, Role::Receiving)),
                Connection { .. } => None,
            })
            .collect();
        // Nobody is left to send again what a cut holds back.
        for connection in self.connections.values_mut() {
            let Connection { from, to, .. } = *connection;
            let out = self.network.way(at, if from == at { to } else { from });
            connection.silent |= (from == at || to == at) && out.cut;
        }
        // Of some the peers hear nothing: the machine itself is without power.
        for (connection, role) in ends {
            if self.chance.one_in(2) {
                self.hang(connection, role);
            }
        }
    }

    /// Starts a region on an empty disk, in the place of what it had.
    pub fn replace(&mut self, at: usize) {
        self.kill(at);
        let id = self.regions[at].id();
        self.ledger.open().replaced(id);
        self.regions[at].disk = Tap::new(MemStore::new(), id, self.ledger.clone());
        self.start(at);
        self.regions[at].disk.disk.hold();
        for region in &mut self.regions {
            if let Some(process) = &mut region.process {
                process.knows_lost = true;
            }
        }
    }

    /// Lets a client operate in a region, where it runs.
    pub fn operate(&mut self, at: usize, operation: Operation) {
        if let Some(process) = &mut self.regions[at].process {
            process.operate(operation);
            self.turn(at);
        }
    }

    /// Lets the connections that `from` dialled to `to` lose everything, without a word.
    pub fn silence(&mut self, from: usize, to: usize) {
        for connection in self.connections.values_mut() {
            connection.silent |= (connection.from, connection.to) == (from, to);
        }
    }

    /// Resets the connections that `from` dialled to `to`: both ends hear of it.
    pub fn reset(&mut self, from: usize, to: usize) {
        let found = self.connections.iter();
        let found = found.filter(|(_, it)| (it.from, it.to) == (from, to));
        let found: Vec<u64> = found.map(|(number, _)| *number).collect();
        for connection in found {
            self.end(connection, Role::Sending);
            self.end(connection, Role::Receiving);
        }
    }

    fn reach(&mut self, now: Moment) {
        self.now = now;
        for region in &self.regions {
            region.place.clocks.set(now);
        }
    }

    fn happen(&mut self, event: Event) {
        let (kind, of) = match event {
            Event::Parcel { connection, sender } => {
                (1 + u64::from(sender == Role::Sending), connection)
            }
            Event::Wake { at, .. } => (3, at as u64),
            Event::Commit { at, .. } => (4, at as u64),
            Event::Flush { at, .. } => (5, at as u64),
            Event::End { at, .. } => (6, at as u64),
        };
        self.happened += 1;
        let event_digest = self.now.as_micros() ^ kind << 60 ^ of << 40;
        self.digest = (self.digest ^ event_digest)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(17);
        match event {
            Event::Parcel { connection, sender } => self.arrive(connection, sender),
            Event::Wake { at, life } => {
                if self.lives(at, life) && self.wake_is_due(at) {
                    self.turn(at);
                }
            }
            Event::Commit { at, life } => {
                if self.lives(at, life) {
                    let region = &mut self.regions[at];
                    region.commits = false;
                    let waiting = region.disk.disk.waiting();
                    let some = 1 + self.chance.index(waiting);
                    region.disk.disk.step(some);
                    self.turn(at);
                    if !self.regions[at].flushes {
                        let most = micros(BUFFERED_MAX);
                        let after = Duration::from_micros(self.chance.between(1_000, most));
                        self.regions[at].flushes = true;
                        self.events.add(self.now + after, Event::Flush { at, life });
                    }
                }
            }
            Event::Flush { at, life } => {
                if self.lives(at, life) {
                    self.regions[at].flushes = false;
                    self.regions[at].disk.disk.persist();
                    self.turn(at);
                }
            }
            Event::End { at, life } => {
                if self.lives(at, life) {
                    self.kill(at);
                }
            }
        }
    }

    fn lives(&self, at: usize, life: u64) -> bool {
        let region = &self.regions[at];
        region.lives == life && region.process.is_some()
    }

    fn wake_is_due(&self, at: usize) -> bool {
        let process = self.regions[at].process.as_ref();
        process.is_some_and(|process| process.wakes_at() <= self.now)
    }

    /// Lets a region do all it can, and carries out what it wants.
    fn turn(&mut self, at: usize) {
        let Some(process) = &mut self.regions[at].process else {
            return;
        };
        let effects = process.turn();
        let wake = process.wakes_at().max(self.now + Duration::from_micros(1));
        for effect in effects {
            self.carry_out(at, effect);
        }
        let life = self.regions[at].lives;
        self.events.add(wake, Event::Wake { at, life });
        let region = &mut self.regions[at];
        if !region.commits && region.disk.disk.waiting() > 0 {
            let (least, most) = region.disk_micros;
            let due = self.now + Duration::from_micros(self.chance.between(least, most));
            region.commits = true;
            self.events.add(due, Event::Commit { at, life });
        }
    }

    fn carry_out(&mut self, at: usize, effect: Effect) {
        match effect {
            Effect::Say(connection, frame) => {
                let Some(found) = self.connections.get_mut(&connection) else {
                    return;
                };
                let sender = if found.from == at {
                    Role::Sending
                } else {
                    Role::Receiving
                };
                let parcel = Parcel::pack(&frame);
                self.post(connection, sender, parcel, Duration::ZERO);
            }
            Effect::Hang(connection, role) => self.hang(connection, role),
            Effect::Dial(peer) => self.dial(at, peer),
            Effect::Done(operation, position) => {
                if position > Seq(0) {
                    let id = self.regions[at].id();
                    let mut truth = self.ledger.open();
                    truth.acknowledged(id, position, &operation.name);
                }
            }
            Effect::Wrong(what) => {
                let id = self.regions[at].id();
                self.ledger.open().wrong(format!("{id}: {what}"));
            }
        }
    }

    fn dial(&mut self, from: usize, to: usize) {
        self.dialled += 1;
        let connection = self.dialled;
        let made = Connection::new(from, to, self.now);
        self.connections.insert(connection, made);
        if let Some(process) = &mut self.regions[from].process {
            process.dialing(to, connection);
        }
        // The handshake takes a round trip of its own before the last word of the dialler.
        let round = self.network.way(from, to).delay + self.network.way(to, from).delay;
        self.post(connection, Role::Sending, Parcel::Hello, round * 2);
    }

    /// Sends a parcel behind all others of its way.
    fn post(&mut self, connection: u64, sender: Role, parcel: Parcel, extra: Duration) {
        let now = self.now;
        let Some(found) = self.connections.get_mut(&connection) else {
            return;
        };
        let (from, to) = found.ends(sender);
        let way = self.network.way(from, to);
        let jitter = Duration::from_micros(self.chance.below(micros(way.jitter) + 1));
        let there = found.way(sender);
        let arrival = (now + way.delay + jitter + extra).max(there.last);
        there.last = arrival;
        there.put(parcel);
        self.events
            .add(arrival, Event::Parcel { connection, sender });
    }

    /// Tells the other end of a connection that this one is closed.
    fn hang(&mut self, connection: u64, role: Role) {
        self.post(connection, role, Parcel::End, Duration::ZERO);
    }

    fn arrive(&mut self, connection: u64, sender: Role) {
        let Some(found) = self.connections.get_mut(&connection) else {
            return;
        };
        let (from, to) = found.ends(sender);
        if self.network.way(from, to).cut {
            // The kernel sends it again until it gets through.
            let after = Duration::from_millis(self.chance.between(50, 300));
            self.events
                .add(self.now + after, Event::Parcel { connection, sender });
            return;
        }
        let silent = found.silent;
        let way = found.way(sender);
        let Some(parcel) = way.take().filter(|_| !silent) else {
            return;
        };
        match parcel {
            Parcel::Hello => self.greeted(connection, from, to),
            Parcel::Welcome => {
                let process = self.regions[to].process.as_mut();
                if process.is_some_and(|process| process.welcomed(from, connection)) {
                    self.turn(to);
                } else {
                    self.hang(connection, Role::Sending);
                }
            }
            Parcel::Frame(mut bytes) => {
                let role = sender.other();
                let frame = Parcel::unpack(&mut bytes);
                // Whoever has started anew knows nothing of it and says so; the dead say nothing.
                let Some(process) = &mut self.regions[to].process else {
                    return;
                };
                if !process.has(from, connection, role) {
                    return self.hang(connection, role);
                }
                let Some(frame) = frame else {
                    let what = format!("a frame of connection {connection} does not open");
                    return self.ledger.open().wrong(what);
                };
                process.hear(from, role, frame);
                self.turn(to);
            }
            Parcel::End => {
                self.end(connection, sender.other());
            }
        }
    }

    /// One end hears that the connection is gone. What still travels on it arrives nowhere.
    fn end(&mut self, connection: u64, role: Role) {
        let Some(found) = self.connections.get(&connection) else {
            return;
        };
        let (at, peer) = match role {
            Role::Sending => (found.from, found.to),
            Role::Receiving => (found.to, found.from),
        };
        if let Some(process) = &mut self.regions[at].process {
            process.hang(peer, connection, role);
            self.turn(at);
        }
        let open = |at: usize, peer: usize, role: Role| {
            let process = self.regions[at].process.as_ref();
            process.is_some_and(|process| process.has(peer, connection, role))
        };
        if !open(at, peer, role) && !open(peer, at, role.other()) {
            self.connections.remove(&connection);
        }
    }

    /// Returns whether two regions let each other's directories in; each tells the other where it
    /// does not. One that is met for the first time is let in once that is on disk.
    fn admit(&mut self, one: usize, other: usize) -> bool {
        let mut are_known = true;
        for (host, guest) in [(one, other), (other, one)] {
            let name = self.regions[guest].place.names[guest].clone();
            let process = |at: usize| self.regions[at].process.as_ref();
            let (Some(hosts), Some(guests)) = (process(host), process(guest)) else {
                return true;
            };
            let directory = guests.tables.directory();
            let known = hosts.tables.met(name.id());
            let had = hosts.tables.applied().at(name.id());
            if directory.admit(&name, known, had).is_err() {
                if let Some(process) = &mut self.regions[guest].process {
                    process.refused(host, had);
                    self.turn(guest);
                }
                return false;
            }
            if known != Some(directory.incarnation)
                && let Some(process) = &mut self.regions[host].process
            {
                process.meet(guest, directory.incarnation);
                self.turn(host);
                are_known = false;
            }
        }
        are_known
    }

    fn greeted(&mut self, connection: u64, from: usize, to: usize) {
        if !self.admit(from, to) {
            return self.hang(connection, Role::Receiving);
        }
        match &mut self.regions[to].process {
            Some(process) => {
                process.accept(from, connection);
                self.post(connection, Role::Receiving, Parcel::Welcome, Duration::ZERO);
                self.turn(to);
            }
            None => self.hang(connection, Role::Receiving),
        }
    }
}
