//! A region that fills many replicas from two others, while replicas come and go and links flap.
//!
//! It moves no items: what counts is that each replica is told to be whole soon after calm. Links
//! and the mesh learn what is to be filled each in its own time, as the shell's tasks do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::time::{Moment, WallTime};
use replica_core::frame::Frame;
use replica_core::link::copies::{Fill, Fills, Holders};
use replica_core::link::mesh::Mesh;
use replica_core::link::receive::{self, Receiver};
use replica_core::link::send::{self, CopyRead, Sender};
use replica_core::link::{Local, Now};

use crate::world::Random;

/// How soon after calm all is to be whole. 3 s: a retry, a beat and a second telling take less.
const SOON: Duration = Duration::from_secs(3);

const TABLES: usize = 12;

/// A step of the world.
#[derive(Debug)]
enum Event {
    ToReceiver(usize, u32, Frame),
    ToSender(usize, u32, Frame),
    Merged(usize, u64, bool),
    Copied(usize, u64, CopyRead),
    /// A link, or the mesh after the last of them, looks what is to be filled.
    Look(usize),
    Filled(TableId, replica_core::link::copies::Portion, RegionId),
    Connect(usize),
    /// A replica that was whole counts as not whole: another region's write of it won.
    Revert(TableId, Fill),
}

struct Source {
    id: RegionId,
    sender: Sender,
    receiver: Receiver,
    /// The number of the connection, while there is one.
    connection: Option<u32>,
    knows: BTreeSet<TableId>,
}

struct World {
    now: Moment,
    events: BTreeMap<(Moment, u64), Event>,
    count: u64,
    connections: u32,
    random: Random,
    sources: Vec<Source>,
    mesh: Mesh,
    fills: Fills,
    reports: VecDeque<Event>,
    calm: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let names = ["us-east-1", "eu-west-1", "ap-northeast-1"];
        let names = names.map(|name| RegionName::parse(name).expect("a region"));
        let ids = names.clone().map(|name| name.id());
        let now = Moment::from_micros(1_000_000);
        let source = |name: &RegionName| Source {
            id: name.id(),
            sender: Sender::new(name.clone()),
            receiver: Receiver::new(name.id()),
            connection: None,
            knows: BTreeSet::new(),
        };
        let mut world = Self {
            now,
            events: BTreeMap::new(),
            count: 0,
            connections: 0,
            random: Random(seed),
            sources: names[1..].iter().map(source).collect(),
            mesh: Mesh::new(now, ids[0], [ids[1], ids[2]]),
            fills: Fills::new(),
            reports: VecDeque::new(),
            calm: false,
        };
        for at in 0..2 {
            world.add(0, Event::Connect(at));
        }
        world
    }

    fn add(&mut self, millis: u64, event: Event) {
        self.count += 1;
        let due = self.now + Duration::from_millis(millis);
        self.events.insert((due, self.count), event);
    }

    fn some_millis(&mut self, bound: usize) -> u64 {
        self.random.below(bound) as u64
    }

    fn now(&self) -> Now {
        Now {
            moment: self.now,
            wall: WallTime::from_micros(0),
        }
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while self.now < end {
            while let Some(due) = self.events.first_entry()
                && due.key().0 <= self.now
            {
                let event = due.remove();
                self.happen(event);
            }
            for at in 0..2 {
                let now = self.now();
                let Source {
                    sender, receiver, ..
                } = &mut self.sources[at];
                let due = |at: Option<Moment>| at.is_some_and(|at| at <= now.moment);
                if due(sender.poll_timeout()) {
                    sender.handle_timeout(now);
                }
                if due(receiver.poll_timeout()) {
                    receiver.handle_timeout(now);
                }
                self.drain(at);
            }
            self.report();
            self.now = self.now + Duration::from_millis(1);
        }
    }

    fn happen(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::ToReceiver(at, connection, frame) => {
                let source = &mut self.sources[at];
                if source.connection == Some(connection) {
                    let input = receive::Input::Frame(frame);
                    source.receiver.handle_input(now, input);
                }
            }
            Event::ToSender(at, connection, frame) => {
                let source = &mut self.sources[at];
                if source.connection == Some(connection) {
                    let input = send::Input::Frame(frame);
                    source.sender.handle_input(now, input);
                }
            }
            Event::Merged(at, ticket, merged) => {
                let input = receive::Input::Merged { ticket, merged };
                self.sources[at].receiver.handle_input(now, input);
            }
            Event::Copied(at, ticket, read) => {
                let input = send::Input::CopyRead { ticket, read };
                self.sources[at].sender.handle_input(now, input);
            }
            Event::Look(at) => match self.sources.get_mut(at) {
                Some(source) => {
                    let (fills, kept) = (self.fills.clone(), BTreeMap::new());
                    let input = receive::Input::Fill { fills, kept };
                    source.receiver.handle_input(now, input);
                }
                None => self.mesh.fill(self.fills.clone()),
            },
            Event::Filled(..) => {
                if let Some(Event::Filled(table, portion, source)) = self.reports.pop_front() {
                    self.mesh.filled(table, portion, source);
                }
            }
            Event::Connect(at) => {
                self.connections += 1;
                let source = &mut self.sources[at];
                source.connection = Some(self.connections);
                let (sender, receiver) = (&mut source.sender, &mut source.receiver);
                sender.handle_input(now, send::Input::Local(Local::default()));
                sender.handle_input(now, send::Input::Up);
                receiver.handle_input(now, receive::Input::Local(Local::default()));
                receiver.handle_input(now, receive::Input::Up);
            }
            Event::Revert(table, fill) => {
                self.fills.entry(table).or_insert(fill);
                self.refill();
            }
        }
        (0..2).for_each(|at| self.drain(at));
    }

    /// Lets all learn what is to be filled, in any order.
    fn refill(&mut self) {
        for at in 0..3 {
            let late = self.some_millis(30);
            self.add(late, Event::Look(at));
        }
    }

    fn flap(&mut self, at: usize) {
        let now = self.now();
        let source = &mut self.sources[at];
        if source.connection.take().is_some() {
            source.sender.handle_input(now, send::Input::Down);
            source.receiver.handle_input(now, receive::Input::Down);
            let late = self.some_millis(60);
            self.add(late, Event::Connect(at));
        }
    }

    fn drain(&mut self, at: usize) {
        let now = self.now();
        while let Some(output) = self.sources[at].sender.poll_output(now) {
            let connection = self.sources[at].connection.unwrap_or_default();
            match output {
                send::Output::Send(frame) => {
                    self.add(5, Event::ToReceiver(at, connection, frame));
                }
                send::Output::ReadCopy {
                    ticket,
                    table,
                    after,
                    ..
                } => {
                    let read = self.read(at, table, after);
                    let late = self.some_millis(20);
                    self.add(late, Event::Copied(at, ticket, read));
                }
                send::Output::Acked => {}
                send::Output::ReadLog { .. }
                | send::Output::NeedsResync { .. }
                | send::Output::Close(_) => panic!("{output:?}"),
            }
        }
        while let Some(output) = self.sources[at].receiver.poll_output() {
            let connection = self.sources[at].connection.unwrap_or_default();
            match output {
                receive::Output::Send(frame) => self.add(5, Event::ToSender(at, connection, frame)),
                receive::Output::Merge { arrived, .. } => {
                    let ticket = arrived.ticket;
                    let merged = self.calm || self.random.below(8) > 0;
                    let late = self.some_millis(40);
                    self.add(late, Event::Merged(at, ticket, merged));
                }
                receive::Output::Filled { table, portion } => {
                    let filled = Event::Filled(table, portion, self.sources[at].id);
                    self.reports.push_back(filled);
                    // The reports keep their order, whenever they are read.
                    let late = self.some_millis(30);
                    self.add(late, Event::Filled(table, portion, self.sources[at].id));
                }
                receive::Output::Heard(_) => {}
                receive::Output::Apply { .. }
                | receive::Output::Skip { .. }
                | receive::Output::Repaid { .. }
                | receive::Output::TooOld { .. }
                | receive::Output::Close(_) => panic!("{output:?}"),
            }
        }
    }

    /// Reads a page of a table of three.
    fn read(&self, at: usize, table: TableId, after: Option<Bytes>) -> CopyRead {
        if !self.sources[at].knows.contains(&table) {
            return CopyRead::Later;
        }
        let place = after.map_or(0, |after| after[0]);
        let next = (place < 2).then(|| Bytes::copy_from_slice(&[place + 1]));
        let items = Vec::new();
        CopyRead::Page { items, next }
    }

    /// Does what control does with replicas that are whole; it may fail to.
    fn report(&mut self) {
        for (table, given) in self.mesh.take_filled(self.now) {
            let fails = !self.calm && self.random.below(4) == 0;
            let fill = self.fills.get(&table).filter(|fill| **fill == given);
            let Some(fill) = fill.filter(|_| !fails).cloned() else {
                continue;
            };
            self.fills.remove(&table);
            self.refill();
            if !self.calm && self.random.below(2) == 0 {
                let late = self.some_millis(40);
                self.add(late, Event::Revert(table, fill));
            }
        }
    }

    fn chaos(&mut self) {
        let table = TableId((1 << 20) + self.random.below(TABLES) as u64);
        let ids: Vec<RegionId> = self.sources.iter().map(|source| source.id).collect();
        let at = self.random.below(2);
        match self.random.below(20) {
            0..4 => {
                let made = i64::try_from(self.now.as_micros()).expect("small");
                let sources = match self.random.below(3) {
                    0 => vec![ids[at]],
                    _ => vec![ids[at], ids[1 - at]],
                };
                let fill = Fill {
                    made,
                    sources,
                    holders: Holders::Primary,
                };
                self.fills.insert(table, fill);
                self.refill();
            }
            4 => {
                self.fills.remove(&table);
                self.refill();
            }
            5 => {
                if let Some(fill) = self.fills.get_mut(&table) {
                    fill.sources.reverse();
                    self.refill();
                }
            }
            6 => self.flap(at),
            7 => drop(self.sources[at].knows.remove(&table)),
            _ => drop(self.sources[at].knows.insert(table)),
        }
    }
}

fn all_is_whole_soon_after_calm(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..300 {
        world.chaos();
        let pause = 1 + world.some_millis(15);
        world.pass(pause);
    }
    world.calm = true;
    for source in &mut world.sources {
        source.knows = (0..TABLES as u64)
            .map(|at| TableId((1 << 20) + at))
            .collect();
    }
    let calm = world.now;
    while !world.fills.is_empty() {
        let late = world.now.since(calm);
        assert!(late <= SOON, "seed {seed}: {:?} wait", world.fills);
        world.pass(10);
    }
}

#[test]
fn replicas_are_whole_soon_whatever_came_before() {
    (0..200).for_each(all_is_whole_soon_after_calm);
}
