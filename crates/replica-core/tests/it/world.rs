//! A few regions in memory: their logs, their cores, and the network between them.
//!
//! It checks each apply against the origin's own log: whatever a frame says it covers must be
//! there, in order, as it was written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::hlc::Hlc;
use clock::time::{Moment, WallTime};
use replica_core::frame::Frame;
use replica_core::limits::FRAME_BYTES_MAX;
use replica_core::link::mesh::Mesh;
use replica_core::link::receive::{self, ApplyFault, Receiver};
use replica_core::link::send::{self, LogRead, Sender};
use replica_core::link::share::Part;
use replica_core::link::{Local, Now};
use replica_core::planted::Planted;
use replica_core::record::{Change, Record};
use replica_core::vector::{Seq, VersionVector};

/// A small generator; the same seed gives the same numbers.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Returns a number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

struct Region {
    /// Each origin's records as this region has them.
    logs: BTreeMap<RegionId, Vec<Record>>,
    applied: VersionVector,
    durable: VersionVector,
    mesh: Mesh,
    unreachable: BTreeSet<RegionId>,
    alive: bool,
    ahead: bool,
}

/// One direction of data: region `from` dialled region `to`.
struct Link {
    sender: Sender,
    receiver: Receiver,
    connection: Option<Connection>,
    forbidden: bool,
    redial: Moment,
}

struct Connection {
    down: Way,
    up: Way,
    /// What is sent is lost, and nobody is told.
    silent: bool,
}

struct Way {
    bytes: VecDeque<BytesMut>,
}

/// Regions and the links between each two of them.
pub(crate) struct World {
    now: Moment,
    planted: Planted,
    names: Vec<RegionName>,
    regions: Vec<Region>,
    links: BTreeMap<(usize, usize), Link>,
    violations: Vec<String>,
    trace: Vec<String>,
}

impl World {
    pub(crate) fn new(count: usize) -> Self {
        Self::planted(count, Planted::Nothing)
    }

    pub(crate) fn planted(count: usize, planted: Planted) -> Self {
        let names: Vec<_> = (0..count)
            .map(|number| RegionName::parse(&format!("lab-{number}")).expect("a region name"))
            .collect();
        let mut world = Self {
            now: Moment::from_micros(1_000_000),
            planted,
            names,
            regions: Vec::new(),
            links: BTreeMap::new(),
            violations: Vec::new(),
            trace: Vec::new(),
        };
        for region in 0..count {
            let mesh = world.new_mesh(region);
            world.regions.push(Region {
                logs: BTreeMap::new(),
                applied: VersionVector::default(),
                durable: VersionVector::default(),
                mesh,
                unreachable: BTreeSet::new(),
                alive: true,
                ahead: false,
            });
        }
        for from in 0..count {
            for to in (0..count).filter(|to| *to != from) {
                let link = world.new_link(from, to);
                world.links.insert((from, to), link);
            }
        }
        world
    }

    /// Region `at` writes `count` records, each on disk at once.
    pub(crate) fn write(&mut self, at: usize, count: usize) {
        self.write_large(at, count, 10);
    }

    pub(crate) fn write_large(&mut self, at: usize, count: usize, bytes: usize) {
        let origin = self.id(at);
        let hlc = Hlc(self.now().wall.as_micros());
        let region = &mut self.regions[at];
        for _ in 0..count {
            let log = region.logs.entry(origin).or_default();
            let seq = Seq(log.len() as u64 + 1);
            region.applied.advance(origin, seq);
            region.durable.advance(origin, seq);
            log.push(Record {
                origin,
                seq,
                hlc,
                seen: region.applied.clone(),
                changes: vec![Change {
                    table: TableId(1 << 20),
                    key: Bytes::copy_from_slice(&seq.0.to_be_bytes()),
                    image: Some(Bytes::from(vec![0; bytes])),
                    stamp: None,
                    merged: None,
                }],
            });
        }
        self.progress(at);
    }

    pub(crate) fn applied(&self, at: usize, origin: usize) -> u64 {
        self.regions[at].applied.at(self.id(origin)).0
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.clone()
    }

    pub(crate) fn trace(&self) -> &Vec<String> {
        &self.trace
    }

    /// Returns where regions that live differ.
    pub(crate) fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        for (origin, owner) in self.regions.iter().enumerate() {
            let id = self.id(origin);
            for (at, region) in self.regions.iter().enumerate() {
                if region.alive && owner.alive && region.logs.get(&id) != owner.logs.get(&id) {
                    differences.push(format!("{at} lacks records of {origin}"));
                }
            }
        }
        differences
    }

    /// Does one random thing that ordinary operation does. Returns whether there was any.
    pub(crate) fn step(&mut self, random: &mut Random) -> bool {
        let busy: Vec<_> = self
            .links
            .iter()
            .flat_map(|(pair, link)| {
                let connection = link.connection.as_ref();
                let down = connection.is_some_and(|it| !it.down.bytes.is_empty());
                let up = connection.is_some_and(|it| !it.up.bytes.is_empty());
                [(down, *pair, true), (up, *pair, false)]
            })
            .filter(|(busy, _, _)| *busy)
            .collect();
        if busy.is_empty() {
            let unconnected = self.links.values().any(|link| link.connection.is_none());
            self.pass(10);
            return unconnected;
        }
        let (_, pair, down) = busy[random.below(busy.len())];
        self.deliver(pair, down);
        true
    }

    /// Does `steps` random things, faults among them.
    pub(crate) fn chaos(&mut self, random: &mut Random, steps: usize) {
        let count = self.regions.len();
        for _ in 0..steps {
            let (from, to) = (random.below(count), random.below(count));
            match random.below(40) {
                0 if from != to => self.cut(from, to),
                1 if from != to => self.silence(from, to),
                2 => self.restart(from),
                3 => self.run_ahead(from, to == 0),
                4..10 => self.write(from, 1 + random.below(3)),
                10..16 => self.persist(from),
                16 => self.pass(1_000),
                17..20 => self.pass(20),
                _ => drop(self.step(random)),
            }
        }
    }

    /// Heals everything, and lets time pass until nothing changes.
    pub(crate) fn settle(&mut self) {
        for at in 0..self.regions.len() {
            self.run_ahead(at, false);
        }
        for _ in 0..3 {
            self.pass(2_500);
            for at in 0..self.regions.len() {
                self.persist(at);
            }
        }
    }

    /// Lets `millis` pass, and delivers all that is under way.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        self.deliver_all();
        while self.now < end {
            self.now = (self.now + Duration::from_millis(10)).min(end);
            self.tick();
            self.deliver_all();
        }
    }

    pub(crate) fn deliver_all(&mut self) {
        let mut random = Random(self.now.as_micros());
        let busy = |link: &Link| {
            let connection = link.connection.as_ref();
            connection.is_some_and(|it| !(it.down.bytes.is_empty() && it.up.bytes.is_empty()))
        };
        while self.links.values().any(busy) {
            self.step(&mut random);
        }
    }

    /// Ends the connection that `from` dialled, with all that is under way. It is dialled again.
    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        let now = self.now();
        self.trace.push(format!("cut {from} {to}"));
        let link = self.links.get_mut(&(from, to)).expect("a link");
        if link.connection.take().is_some() {
            link.sender.handle_input(now, send::Input::Down);
            link.receiver.handle_input(now, receive::Input::Down);
            link.redial = self.now + Duration::from_millis(50);
            let peer = self.names[from].id();
            self.regions[to].mesh.down(self.now, peer);
        }
        self.drain((from, to));
    }

    /// Lets the connection lose everything without a word.
    pub(crate) fn silence(&mut self, from: usize, to: usize) {
        self.trace.push(format!("silence {from} {to}"));
        let link = self.links.get_mut(&(from, to)).expect("a link");
        if let Some(connection) = &mut link.connection {
            connection.silent = true;
            connection.down.bytes.clear();
            connection.up.bytes.clear();
        }
    }

    /// Lets no connection from `from` to `to` come about.
    pub(crate) fn forbid(&mut self, from: usize, to: usize) {
        self.links.get_mut(&(from, to)).expect("a link").forbidden = true;
    }

    /// Ends a region for good.
    pub(crate) fn kill(&mut self, at: usize) {
        self.regions[at].alive = false;
        for pair in self.pairs_of(at) {
            self.cut(pair.0, pair.1);
            self.forbid(pair.0, pair.1);
        }
    }

    /// Ends a region's process; what was not on disk is gone when it comes back.
    pub(crate) fn restart(&mut self, at: usize) {
        self.trace.push(format!("restart {at}"));
        for pair in self.pairs_of(at) {
            self.cut(pair.0, pair.1);
            let fresh = self.new_link(pair.0, pair.1);
            let link = self.links.get_mut(&pair).expect("a link");
            if pair.0 == at {
                link.sender = fresh.sender;
            } else {
                link.receiver = fresh.receiver;
            }
        }
        let mesh = self.new_mesh(at);
        let region = &mut self.regions[at];
        (region.mesh, region.unreachable) = (mesh, BTreeSet::new());
        region.applied = region.durable.clone();
        for (origin, log) in &mut region.logs {
            let kept = usize::try_from(region.durable.at(*origin).0).expect("small");
            log.truncate(kept);
        }
    }

    /// Sets whether the region's stamps are too far ahead for the others.
    pub(crate) fn run_ahead(&mut self, at: usize, ahead: bool) {
        self.regions[at].ahead = ahead;
    }

    /// Puts what the region has applied on disk.
    pub(crate) fn persist(&mut self, at: usize) {
        let region = &mut self.regions[at];
        region.durable = region.applied.clone();
        self.progress(at);
    }

    fn id(&self, at: usize) -> RegionId {
        self.names[at].id()
    }

    fn now(&self) -> Now {
        let wall = i64::try_from(self.now.as_micros()).expect("small");
        Now {
            moment: self.now,
            wall: WallTime::from_micros(wall),
        }
    }

    fn local(&self, at: usize) -> Local {
        let region = &self.regions[at];
        Local {
            applied: region.applied.clone(),
            durable: region.durable.clone(),
            head: region.durable.at(self.id(at)),
            ..Local::default()
        }
    }

    fn pairs_of(&self, at: usize) -> Vec<(usize, usize)> {
        let pairs = self
            .links
            .keys()
            .filter(|(from, to)| *from == at || *to == at);
        pairs.copied().collect()
    }

    fn new_mesh(&self, at: usize) -> Mesh {
        let peers = (0..self.names.len()).filter(|peer| *peer != at);
        let mut mesh = Mesh::new(self.now, self.id(at), peers.map(|peer| self.id(peer)));
        mesh.plant(self.planted);
        mesh
    }

    fn new_link(&self, from: usize, to: usize) -> Link {
        assert_ne!(from, to, "no region is its own peer");
        let mut sender = Sender::new(self.names[from].clone());
        let mut receiver = Receiver::new(self.id(from));
        sender.plant(self.planted);
        receiver.plant(self.planted);
        Link {
            sender,
            receiver,
            connection: None,
            forbidden: false,
            redial: self.now,
        }
    }

    /// Tells a region's cores where it stands.
    fn progress(&mut self, at: usize) {
        let (now, local) = (self.now(), self.local(at));
        for pair in self.pairs_of(at) {
            let link = self.links.get_mut(&pair).expect("a link");
            if pair.0 == at {
                let input = send::Input::Local(local.clone());
                link.sender.handle_input(now, input);
            } else {
                let input = receive::Input::Local(local.clone());
                link.receiver.handle_input(now, input);
            }
            self.drain(pair);
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        for at in 0..self.regions.len() {
            let unreachable = self.regions[at].mesh.unreachable(self.now);
            if unreachable != self.regions[at].unreachable {
                self.trace.push(format!("{at} misses {unreachable:?}"));
                self.regions[at].unreachable.clone_from(&unreachable);
                for pair in self.pairs_of(at).into_iter().filter(|pair| pair.1 == at) {
                    let link = self.links.get_mut(&pair).expect("a link");
                    let input = receive::Input::Relay(unreachable.clone());
                    link.receiver.handle_input(now, input);
                    self.drain(pair);
                }
            }
        }
        let pairs: Vec<_> = self.links.keys().copied().collect();
        for pair in pairs {
            self.connect(pair);
            let link = self.links.get_mut(&pair).expect("a link");
            if link.sender.poll_timeout().is_some_and(|at| at <= self.now) {
                link.sender.handle_timeout(now);
            }
            if link
                .receiver
                .poll_timeout()
                .is_some_and(|at| at <= self.now)
            {
                link.receiver.handle_timeout(now);
            }
            self.drain(pair);
        }
    }

    fn connect(&mut self, (from, to): (usize, usize)) {
        let alive = self.regions[from].alive && self.regions[to].alive;
        let (now, sends, receives) = (self.now(), self.local(from), self.local(to));
        let link = self.links.get_mut(&(from, to)).expect("a link");
        if link.connection.is_some() || link.forbidden || !alive || self.now < link.redial {
            return;
        }
        let way = || Way {
            bytes: VecDeque::new(),
        };
        link.connection = Some(Connection {
            down: way(),
            up: way(),
            silent: false,
        });
        link.sender.handle_input(now, send::Input::Local(sends));
        link.sender.handle_input(now, send::Input::Up);
        let relay = self.regions[to].unreachable.clone();
        link.receiver
            .handle_input(now, receive::Input::Relay(relay));
        link.receiver
            .handle_input(now, receive::Input::Local(receives));
        link.receiver.handle_input(now, receive::Input::Up);
        self.trace.push(format!("connected {from} {to}"));
    }

    fn deliver(&mut self, pair: (usize, usize), down: bool) {
        let now = self.now();
        let link = self.links.get_mut(&pair).expect("a link");
        let Some(connection) = &mut link.connection else {
            return;
        };
        let way = if down {
            &mut connection.down
        } else {
            &mut connection.up
        };
        let Some(mut bytes) = way.bytes.pop_front() else {
            return;
        };
        let frame = Frame::take(&mut bytes, FRAME_BYTES_MAX.as_len());
        let frame = frame.expect("untouched").expect("whole");
        self.trace.push(format!("{pair:?} {down} {}", frame.name()));
        if down {
            link.receiver
                .handle_input(now, receive::Input::Frame(frame));
        } else {
            link.sender.handle_input(now, send::Input::Frame(frame));
        }
        self.drain(pair);
    }

    /// Does all that the two cores of a link want done.
    fn drain(&mut self, pair: (usize, usize)) {
        loop {
            let now = self.now();
            let link = self.links.get_mut(&pair).expect("a link");
            if let Some(output) = link.sender.poll_output(now) {
                self.send(pair, output);
            } else if let Some(output) = link.receiver.poll_output() {
                self.receive(pair, output);
            } else {
                return;
            }
        }
    }

    fn send(&mut self, pair: (usize, usize), output: send::Output) {
        let now = self.now();
        match output {
            send::Output::Send(frame) => self.post(pair, &frame, true),
            send::Output::ReadLog {
                ticket,
                origin,
                after,
                bytes_max,
            } => {
                let part = self.read(pair.0, origin, after, bytes_max);
                let read = LogRead::Part(part);
                let link = self.links.get_mut(&pair).expect("a link");
                link.sender
                    .handle_input(now, send::Input::LogRead { ticket, read });
            }
            send::Output::Acked => {}
            send::Output::Close(_) => self.cut(pair.0, pair.1),
            send::Output::ReadCopy { .. } | send::Output::NeedsResync { .. } => {
                self.violations.push(format!("{pair:?}: {output:?}"));
            }
        }
    }

    fn read(&self, at: usize, origin: RegionId, after: Seq, bytes_max: usize) -> Part {
        let region = &self.regions[at];
        let end = usize::try_from(region.durable.at(origin).0).expect("small");
        let start = usize::try_from(after.0).expect("small").min(end);
        let mut records = Vec::new();
        let mut bytes = 0;
        for record in &region.logs.get(&origin).map_or(&[][..], |log| &log[..end])[start..] {
            let size = record.encode().len();
            if bytes > 0 && bytes + size > bytes_max {
                break;
            }
            bytes += size;
            records.push(record.clone());
        }
        let to = records.last().map_or(after, |last| last.seq);
        let page = Part { records, to };
        if origin == self.id(at) {
            page.of_own(|_| true)
        } else {
            page.of_relayed(after, |_| true)
        }
    }

    fn receive(&mut self, pair: (usize, usize), output: receive::Output) {
        match output {
            receive::Output::Send(frame) => self.post(pair, &frame, false),
            receive::Output::Apply {
                ticket,
                origin,
                after,
                to,
                records,
            } => {
                let result = self.apply(pair.1, origin, (after, to), records);
                self.progress(pair.1);
                let now = self.now();
                let link = self.links.get_mut(&pair).expect("a link");
                link.receiver
                    .handle_input(now, receive::Input::Applied { ticket, result });
            }
            receive::Output::Heard(_) => {
                // The shell takes a link for up once records can come.
                let peer = self.id(pair.0);
                self.regions[pair.1].mesh.up(peer);
            }
            receive::Output::Close(_) => self.cut(pair.0, pair.1),
            receive::Output::Merge { .. }
            | receive::Output::Filled { .. }
            | receive::Output::Skip { .. }
            | receive::Output::Repaid { .. }
            | receive::Output::TooOld { .. } => {
                self.violations.push(format!("{pair:?}: {output:?}"));
            }
        }
    }

    fn apply(
        &mut self,
        at: usize,
        origin: RegionId,
        (after, to): (Seq, Seq),
        records: Vec<Record>,
    ) -> Result<(), ApplyFault> {
        let owner = self
            .names
            .iter()
            .position(|name| name.id() == origin)
            .expect("a region");
        let applied = self.regions[at].applied.at(origin);
        if applied < after {
            return Err(ApplyFault::Gap);
        }
        if self.regions[owner].ahead {
            return Err(ApplyFault::TooFarAhead(Duration::from_secs(1)));
        }
        let span = |seq: u64| usize::try_from(seq).expect("small");
        let truth = &self.regions[owner].logs[&origin][span(after.0)..span(to.0)];
        if truth != records {
            let found: Vec<_> = records.iter().map(|record| record.seq.0).collect();
            let claim = format!("{at} got {found:?} of {origin} for {after}..={to}");
            self.violations.push(claim);
        }
        let region = &mut self.regions[at];
        let log = region.logs.entry(origin).or_default();
        log.extend(records.into_iter().filter(|record| applied < record.seq));
        region.applied.advance(origin, to);
        self.trace.push(format!("{at} has {origin} up to {to}"));
        Ok(())
    }

    fn post(&mut self, pair: (usize, usize), frame: &Frame, down: bool) {
        let link = self.links.get_mut(&pair).expect("a link");
        let Some(connection) = &mut link.connection else {
            return;
        };
        let way = if down {
            &mut connection.down
        } else {
            &mut connection.up
        };
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes);
        if !connection.silent {
            way.bytes.push_back(bytes);
        }
    }
}
