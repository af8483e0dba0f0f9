//! The loop: one heap of events in the order of time, then of their making.
//!
//! It judges nothing and chooses no fault.

use std::sync::Arc;
use std::time::Duration;

use clock::time::Moment;
use health_core::check::{CheckKind, Target};
use health_core::gossip::Standing;
use health_core::health::{Attempt, Input, Probe, ProbeTarget};
use health_core::observation::{Failure, Outcome, Success};

use crate::agenda::Agenda;
use crate::chance::Chance;
use crate::clocks::{Clocks, START};
use crate::effect::Effect;
use crate::model::Model;
use crate::network::Network;
use crate::region::{Life, Region, Setup, place};

/// A world of regions.
#[derive(Debug)]
pub struct World {
    now: Moment,
    events: Agenda<(usize, Event)>,
    /// For each region, the wake-up that counts; an earlier one in the heap is void.
    wakes: Vec<Option<Moment>>,
    /// What is true, apart from what the regions think.
    pub model: Model,
    /// The ways between the regions.
    pub network: Network,
    /// The regions.
    pub regions: Vec<Region>,
    /// Chance for whatever has no generator of its own.
    pub chance: Chance,
    setup: Setup,
    digest: u64,
    happened: u64,
}

/// Something that happens to a region. What was meant for an earlier life is void.
#[derive(Debug)]
enum Event {
    Datagram {
        from: usize,
        bytes: Arc<[u8]>,
        genuine: Option<Genuine>,
    },
    Wake,
    Probed {
        life: u64,
        attempt: Attempt,
        outcome: Outcome,
    },
}

/// A datagram that comes from its sender, for the first time.
#[derive(Clone, Copy, Debug)]
struct Genuine {
    /// The life of the region it was meant for.
    life: u64,
    /// Whether it showed that life that it was of its moment.
    proof: bool,
}

/// What happened in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// To whom.
    pub region: usize,
}

impl World {
    /// Makes a world in which every region has just started.
    pub fn new(mut chance: Chance, network: Network, setup: Setup) -> Self {
        let mut world = Self {
            now: START,
            events: Agenda::default(),
            wakes: vec![None; setup.regions],
            model: Model::new(setup.regions, &setup.checks),
            network,
            regions: Vec::new(),
            chance: chance.split(),
            setup,
            digest: 0,
            happened: 0,
        };
        for at in 0..world.setup.regions {
            let skew = i64::try_from(chance.below(600_000)).unwrap_or(0) - 300_000;
            let clocks = Clocks::new(skew);
            let (region, effects) = Region::new(at, clocks, chance.bits(), &world.setup);
            world.regions.push(region);
            world.carry_out(at, effects);
        }
        world
    }

    /// Returns the time.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Returns a digest of all that happened so far.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Returns how many events have happened.
    pub fn happened(&self) -> u64 {
        self.happened
    }

    /// Lets the next event happen, unless it lies after `until`: then time moves on to there.
    pub fn step(&mut self, until: Moment) -> Option<Step> {
        loop {
            let Some((at, (region, event))) = self.events.take(until) else {
                self.now = self.now.max(until);
                return None;
            };
            self.now = self.now.max(at);
            if self.happen(region, event) {
                return Some(Step { at, region });
            }
        }
    }

    /// Starts a region's next life.
    pub fn restart(&mut self, at: usize) {
        let seed = self.chance.bits();
        self.model.started(self.now, at);
        let effects = self.at(at, |region, setup| region.restart(seed, setup));
        self.carry_out(at, effects);
    }

    /// Ends a region's process without a word.
    pub fn kill(&mut self, at: usize) {
        self.model.died(self.now, at);
        self.at(at, |region, _| region.kill());
    }

    /// Makes a region's process stand still.
    pub fn freeze(&mut self, at: usize) {
        self.model.froze(self.now, at);
        self.at(at, |region, _| region.freeze());
    }

    /// Lets a frozen process go on.
    pub fn thaw(&mut self, at: usize) {
        self.model.thawed(self.now, at);
        let effects = self.at(at, |region, _| region.thaw());
        self.carry_out(at, effects);
    }

    /// Tells a region's health plane something.
    pub fn tell(&mut self, at: usize, input: Input<'_>) {
        if let Input::Stand(standing) = &input {
            self.model.leaves(at, *standing == Standing::Leaving);
        }
        let effects = self.at(at, |region, _| region.feed(input));
        self.carry_out(at, effects);
    }

    /// Sends bytes as if a region had sent them.
    pub fn inject(&mut self, from: usize, to: usize, bytes: &Arc<[u8]>) {
        self.send(from, to, bytes, None);
    }

    fn send(&mut self, from: usize, to: usize, bytes: &Arc<[u8]>, genuine: Option<Genuine>) {
        for (copy, after) in self.network.carry(from, to).into_iter().enumerate() {
            let event = Event::Datagram {
                from,
                bytes: Arc::clone(bytes),
                genuine: genuine.filter(|_| copy == 0),
            };
            self.push(self.now + after, to, event);
        }
    }

    fn at<T>(&mut self, at: usize, act: impl FnOnce(&mut Region, &Setup) -> T) -> T {
        let region = self.regions.get_mut(at).expect("faults name regions");
        region.clocks.set(self.now);
        act(region, &self.setup)
    }

    /// Lets an event happen. Returns whether it did.
    fn happen(&mut self, at: usize, event: Event) -> bool {
        let life = self.at(at, |region, _| region.life());
        let lives = self.at(at, |region, _| region.lives());
        let kind = match &event {
            Event::Datagram { .. } => 1,
            Event::Wake => 2,
            Event::Probed { .. } => 3,
        };
        let effects = match event {
            Event::Datagram { .. } if life == Life::Dead => return false,
            Event::Datagram {
                from,
                bytes,
                genuine,
            } => {
                if let (Some(genuine), Life::Running) = (genuine, life) {
                    let proof = genuine.proof && genuine.life == lives;
                    self.model.arrived(self.now, from, at, proof);
                }
                self.at(at, |region, _| region.receive(bytes))
            }
            Event::Wake => {
                let due = self.wakes.get(at).copied().flatten();
                if life != Life::Running || due.is_none_or(|due| self.now < due) {
                    return false;
                }
                if let Some(wake) = self.wakes.get_mut(at) {
                    *wake = None;
                }
                self.at(at, |region, _| region.wake())
            }
            Event::Probed { life: of, .. } if of != lives || life == Life::Dead => return false,
            Event::Probed { .. } if life == Life::Frozen => {
                // The answer waits in the socket until the process goes on.
                self.push(self.now + Duration::from_millis(50), at, event);
                return false;
            }
            Event::Probed {
                attempt, outcome, ..
            } => self.at(at, |region, _| {
                region.feed(Input::Probed { attempt, outcome })
            }),
        };
        self.note(at, kind);
        self.carry_out(at, effects);
        true
    }

    /// Folds what happened into the digest, the region's latest decision included.
    fn note(&mut self, at: usize, kind: u64) {
        self.happened += 1;
        let generation = self.at(at, |region, _| region.view().generation);
        let event = self.now.as_micros() ^ (at as u64) << 56 ^ kind << 48 ^ generation << 32;
        self.digest = (self.digest ^ event)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(17);
    }

    fn carry_out(&mut self, from: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Datagram { to, bytes } => {
                    self.model.sent(from, &bytes);
                    let genuine = Genuine {
                        life: self.at(to, |region, _| region.lives()),
                        proof: self.model.can_prove(from, to),
                    };
                    self.send(from, to, &bytes, Some(genuine));
                }
                Effect::Probe(probe) => self.probe(from, &probe),
            }
        }
        let due = self.at(from, |region, _| region.wakes_at());
        let wake = self.wakes.get_mut(from);
        if let (Some(due), Some(wake)) = (due, wake)
            && *wake != Some(due)
        {
            *wake = Some(due);
            self.push(due.max(self.now), from, Event::Wake);
        }
    }

    fn push(&mut self, at: Moment, region: usize, event: Event) {
        self.events.add(at, (region, event));
    }

    fn probe(&mut self, from: usize, probe: &Probe) {
        let (outcome, after) = match &probe.target {
            ProbeTarget::Region(region) => self.ask(from, place(*region), probe),
            ProbeTarget::Check(spec) => {
                let reached = match &spec.kind {
                    CheckKind::Endpoint(endpoint) => match &endpoint.target {
                        Target::Name(name) => self.model.reaches(name, from),
                        Target::Address(_) | Target::AddressNamed(..) => false,
                    },
                    CheckKind::Calculated(_) => false,
                };
                self.answer(reached, probe)
            }
        };
        let event = Event::Probed {
            life: self.at(from, |region, _| region.lives()),
            attempt: probe.attempt,
            outcome,
        };
        self.push(self.now + after, from, event);
    }

    fn answer(&mut self, reached: bool, probe: &Probe) -> (Outcome, Duration) {
        let soon = Duration::from_millis(self.chance.between(1, 100));
        if reached {
            (Outcome::Success(Success::Connected), soon)
        } else if self.chance.one_in(2) {
            (Outcome::Failure(Failure::Refused), soon)
        } else {
            let late = probe.patience.total;
            (Outcome::Failure(Failure::ConnectTimeout), late)
        }
    }

    /// Asks the endpoint of a region: over the ways there and back, twice.
    fn ask(&mut self, from: usize, to: usize, probe: &Probe) -> (Outcome, Duration) {
        let (there, back) = (self.network.way(from, to), self.network.way(to, from));
        let round = there.delay + back.delay;
        let patience = probe.patience.total;
        let late = (Outcome::Failure(Failure::ConnectTimeout), patience);
        if there.cut || back.cut || round * 2 > patience {
            return late;
        }
        match self.at(to, |region, _| region.life()) {
            Life::Running => (Outcome::Success(Success::Status(404)), round * 2),
            Life::Frozen => late,
            Life::Dead => (Outcome::Failure(Failure::Refused), round),
        }
    }
}
