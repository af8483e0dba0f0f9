//! A seeded world of three regions: messages that are lost, doubled and late, disks that are slow,
//! crashes, cuts, directories that are lost.
//!
//! It judges nothing but progress once faults have ended; answers are the oracle's.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use base::region::RegionId;
use clock::time::Moment;
use register_core::edition::{Incarnation, OperationId};
use register_core::members::Members;
use register_core::message::Message;
use register_core::planted::Planted;
use register_core::register::{Ask, Outcome, Output, Register};
use register_core::voter::Durable;

use crate::chance::Chance;
use crate::oracle::{self, Call};
use crate::write::Append;

const REGIONS: [RegionId; 3] = [RegionId(1), RegionId(2), RegionId(3)];

/// How long faults last, and how long what they left behind may take.
const FAULTS: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_secs(40);

/// Calls of one run while there are faults.
const CALLS: usize = 60;

/// What has happened in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) steps: u64,
    outcomes: [u64; 6],
    crashes: u64,
    losses: u64,
    recalls: u64,
    gone: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        for (sum, count) in self.outcomes.iter_mut().zip(other.outcomes) {
            *sum += count;
        }
        self.crashes += other.crashes;
        self.losses += other.losses;
        self.recalls += other.recalls;
        self.gone += other.gone;
    }

    /// Returns whether everything has happened that the world has. Three regions do not keep each
    /// other from writing eight times: a conflict is scripted beside the register.
    pub(crate) fn happened(&self) -> bool {
        let [read, written, refused, _conflict, unavailable, unknown] = self.outcomes;
        let faults = [self.crashes, self.losses, self.recalls, self.gone];
        let outcomes = [read, written, refused, unavailable, unknown];
        outcomes.iter().chain(&faults).all(|count| *count > 0)
    }
}

enum Event {
    Deliver(RegionId, RegionId, Box<Message>),
    Synced(usize, u64),
    Wake(usize),
    Call(usize),
    Fault,
    Restart(usize),
}

/// What a call asks for.
#[derive(Clone, Copy)]
enum Asked {
    Read,
    /// A write, which refuses as [`Append`] says.
    Append {
        refuses: Option<usize>,
    },
}

struct Region {
    register: Option<Register<Append>>,
    durable: Durable,
    /// The directory took a lost one's place, and has not recalled the item yet.
    lost: bool,
    outbox: VecDeque<Output>,
    is_writing: bool,
    /// Counts starts, so that a disk write of an earlier one is told.
    starts: u64,
    calls: Vec<usize>,
    is_gone: bool,
}

struct World {
    chance: Chance,
    now: Moment,
    step: u64,
    events: BinaryHeap<Reverse<(Moment, u64)>>,
    what: std::collections::HashMap<u64, Event>,
    regions: Vec<Region>,
    members: Members,
    cut: [bool; 3],
    calls: Vec<Call>,
    planted: Planted,
    counts: Counts,
    is_quiet: bool,
    loss: u64,
    late: u64,
    wipes: u64,
}

/// Runs one seed. Errors: what an oracle complains about.
pub(crate) fn run(seed: u64, planted: Planted) -> Result<Counts, String> {
    let mut world = World::new(seed, planted);
    for at in 0..3 {
        world.start(at);
        world.after(5, Event::Call(at));
    }
    world.after(100, Event::Fault);
    world.until(FAULTS);
    world.heal();
    world.until(REST);
    world.calls_in_quiet()?;
    oracle::check(&world.calls)?;
    world.counts.steps = world.step;
    Ok(world.counts)
}

impl World {
    fn new(seed: u64, planted: Planted) -> Self {
        let mut chance = Chance(seed);
        let witness = chance.percent(40).then(|| REGIONS[chance.index(3)]);
        let region = |_| Region {
            register: None,
            durable: Durable::default(),
            lost: false,
            outbox: VecDeque::new(),
            is_writing: false,
            starts: 0,
            calls: Vec::new(),
            is_gone: false,
        };
        Self {
            now: Moment::default(),
            step: 0,
            events: BinaryHeap::new(),
            what: std::collections::HashMap::new(),
            regions: (0..3).map(region).collect(),
            members: Members::try_new(REGIONS, witness).expect("they are three"),
            cut: [false; 3],
            calls: Vec::new(),
            planted,
            counts: Counts::default(),
            is_quiet: false,
            loss: [0, 5, 20][chance.index(3)],
            late: [0, 10, 40][chance.index(3)],
            wipes: [0, 30, 70][chance.index(3)],
            chance,
        }
    }

    fn after(&mut self, millis: u64, event: Event) {
        self.at(self.now + Duration::from_millis(millis), event);
    }

    fn at(&mut self, then: Moment, event: Event) {
        self.step += 1;
        self.events.push(Reverse((then, self.step)));
        self.what.insert(self.step, event);
    }

    fn until(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(Reverse((then, id))) = self.events.peek().copied() {
            if end < then {
                break;
            }
            self.events.pop();
            self.now = then;
            let event = self.what.remove(&id).expect("each is there once");
            self.happen(event);
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Deliver(from, to, message) => {
                let at = usize::from(to.0) - 1;
                if let Some(register) = &mut self.regions[at].register {
                    register.handle_message(now, from, *message);
                    self.pump(at);
                }
            }
            Event::Synced(at, start) => {
                if self.regions[at].starts == start && self.regions[at].is_writing {
                    self.synced(at);
                    self.drain(at);
                }
            }
            Event::Wake(at) => {
                if let Some(register) = &mut self.regions[at].register
                    && register.poll_timeout().is_some_and(|then| then <= now)
                {
                    register.handle_timeout(now);
                    self.pump(at);
                }
            }
            Event::Call(at) => {
                if self.is_quiet || self.calls.len() >= CALLS {
                    return;
                }
                if self.regions[at].calls.len() < 3 {
                    let refuses = self.chance.percent(40).then(|| self.chance.index(3));
                    let is_read = self.chance.percent(40);
                    self.call(
                        at,
                        if is_read {
                            Asked::Read
                        } else {
                            Asked::Append { refuses }
                        },
                    );
                }
                let pause = 5 + self.chance.below(150);
                self.after(pause, Event::Call(at));
            }
            Event::Fault => self.fault(),
            Event::Restart(at) => self.start(at),
        }
    }

    /// Asks for a read, or for a write with a condition.
    fn call(&mut self, at: usize, asked: Asked) -> Option<usize> {
        if self.members.witness() == Some(REGIONS[at]) {
            return None;
        }
        let register = self.regions[at].register.as_mut()?;
        let number = self.calls.len();
        let id = u8::try_from(number).expect("a run has few calls");
        let write = match asked {
            Asked::Read => None,
            Asked::Append { refuses } => Some(Append { id, refuses }),
        };
        let ask = write.clone().map_or(Ask::Read, Ask::Write);
        self.step += 1;
        let asked = self.step;
        self.calls.push(Call {
            write,
            asked,
            answered: None,
        });
        let operation = OperationId(number as u128);
        register
            .handle_operation(self.now, operation, ask)
            .expect("few wait");
        self.regions[at].calls.push(number);
        self.pump(at);
        Some(number)
    }

    /// Collects what a register has to say, in its order.
    fn pump(&mut self, at: usize) {
        let region = &mut self.regions[at];
        let Some(register) = &mut region.register else {
            return;
        };
        while let Some(output) = register.poll_output() {
            region.outbox.push_back(output);
        }
        if let Some(then) = register.poll_timeout() {
            self.at(then, Event::Wake(at));
        }
        self.drain(at);
    }

    /// Carries out what no disk write is before.
    fn drain(&mut self, at: usize) {
        while !self.regions[at].is_writing {
            match self.regions[at].outbox.pop_front() {
                None => return,
                Some(output @ Output::Persist(_)) => {
                    let region = &mut self.regions[at];
                    region.outbox.push_front(output);
                    region.is_writing = true;
                    let start = region.starts;
                    let takes = self.chance.below(8);
                    self.after(takes, Event::Synced(at, start));
                }
                Some(Output::Send { to, message }) => self.carry(REGIONS[at], to, message),
                Some(Output::Done { operation, outcome }) => self.answer(at, operation, outcome),
            }
        }
    }

    /// The disk write at the head of the outbox is durable.
    fn synced(&mut self, at: usize) {
        let region = &mut self.regions[at];
        region.is_writing = false;
        if let Some(Output::Persist(durable)) = region.outbox.pop_front() {
            region.durable = durable;
            self.counts.recalls += u64::from(std::mem::take(&mut region.lost));
        }
    }

    fn carry(&mut self, from: RegionId, to: RegionId, message: Message) {
        let (here, there) = (usize::from(from.0) - 1, usize::from(to.0) - 1);
        let is_cut = self.cut[here] || self.cut[there];
        let copies = 1 + usize::from(!self.is_quiet && self.chance.percent(8));
        for _ in 0..copies {
            if !self.is_quiet && (is_cut || self.chance.percent(self.loss)) {
                continue;
            }
            let is_late = !self.is_quiet && self.chance.percent(self.late);
            let takes = 1 + self.chance.below(if is_late { 1_500 } else { 30 });
            self.after(takes, Event::Deliver(from, to, Box::new(message.clone())));
        }
    }

    fn answer(&mut self, at: usize, operation: OperationId, outcome: Outcome) {
        let number = usize::try_from(operation.0).expect("it is a call's");
        self.regions[at].calls.retain(|call| *call != number);
        self.counts.outcomes[match outcome {
            Outcome::Read(_) => 0,
            Outcome::Written { .. } => 1,
            Outcome::Refused(_) => 2,
            Outcome::Conflict => 3,
            Outcome::Unavailable => 4,
            Outcome::Unknown => 5,
        }] += 1;
        self.step += 1;
        self.calls[number].answered = Some((self.step, outcome));
    }

    fn start(&mut self, at: usize) {
        let region = &mut self.regions[at];
        if region.register.is_some() || region.is_gone {
            return;
        }
        region.starts += 1;
        let durable = region.durable.clone();
        let members = self.members.clone();
        let mut register = if region.lost {
            Register::lost(self.now, REGIONS[at], members, durable.incarnation)
        } else {
            Register::restored(REGIONS[at], members, durable)
        };
        register.plant(self.planted);
        region.register = Some(register);
        self.pump(at);
    }

    fn crash(&mut self, at: usize) {
        if self.regions[at].register.take().is_none() {
            return;
        }
        self.counts.crashes += 1;
        // What was being written may be on disk, and may not.
        if self.regions[at].is_writing && self.chance.percent(50) {
            self.synced(at);
        }
        let region = &mut self.regions[at];
        region.is_writing = false;
        region.outbox.clear();
        region.calls.clear();
    }

    /// Returns whether both others have all of their memory: one loss at a time is survived.
    fn others_are_whole(&self, at: usize) -> bool {
        let mut others = (0..3).filter(|other| *other != at);
        others.all(|other| !self.regions[other].lost)
    }

    fn fault(&mut self) {
        if self.is_quiet {
            return;
        }
        let at = self.chance.index(3);
        let other = self.chance.index(3);
        self.cut[other] = self.chance.percent(25);
        if self.chance.percent(40) && self.regions[at].register.is_some() {
            self.crash(at);
            if self.chance.percent(self.wipes) && self.others_are_whole(at) {
                self.wipe(at);
            }
            let down = self.chance.below(300);
            self.after(down, Event::Restart(at));
        }
        let pause = self.chance.below(200);
        self.after(pause, Event::Fault);
    }

    fn wipe(&mut self, at: usize) {
        let region = &mut self.regions[at];
        self.counts.losses += 1;
        region.lost = true;
        region.durable = Durable {
            incarnation: Incarnation(region.durable.incarnation.0 + 1),
            ..Durable::default()
        };
    }

    /// Ends all faults; now and then with a region that never comes back.
    fn heal(&mut self) {
        let at = self.chance.index(3);
        if self.chance.percent(50) && self.others_are_whole(at) {
            self.crash(at);
            self.regions[at].is_gone = true;
            self.counts.gone += 1;
        }
        self.is_quiet = true;
        self.cut = [false; 3];
        for at in 0..3 {
            self.start(at);
        }
    }

    /// Reads and writes in each region that is there. Errors: one does not get through.
    fn calls_in_quiet(&mut self) -> Result<(), String> {
        for at in 0..3 {
            for asked in [Asked::Read, Asked::Append { refuses: None }, Asked::Read] {
                let Some(number) = self.call(at, asked) else {
                    continue;
                };
                self.until(REST);
                match &self.calls[number].answered {
                    Some((_, Outcome::Read(_) | Outcome::Written { .. })) => {}
                    other => return Err(format!("no progress in quiet: {other:?}")),
                }
            }
        }
        Ok(())
    }
}
