//! A small world of cores: one heap of events, delayed and lossy links, kills and freezes.
//!
//! It judges nothing. The same seed gives the same run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use base::region::RegionId;
use clock::time::{Moment, WallTime};
use health_core::check::{CheckKind, Checks, Target};
use health_core::gossip::Standing;
use health_core::health::{
    Attempt, Health, Input, Now, Output, PeerSpec, Probe, ProbeTarget, Settings,
};
use health_core::observation::{Failure, Outcome, Success};
use health_core::planted::Planted;
use health_core::replay::Incarnation;
use health_core::seal::Seal;
use health_core::view::HealthView;

/// Wall time at the world's start: 2026-01-01.
const WALL_START: i64 = 1_767_225_600_000_000;

/// A generator of the world's chances.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(crate) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// One direction between two regions.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub(crate) delay: u64,
    pub(crate) jitter: u64,
    pub(crate) cut: bool,
}

/// What a region's process is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Life {
    Running,
    Frozen,
    Dead,
}

pub(crate) struct Node {
    pub(crate) core: Health,
    pub(crate) life: Life,
    pub(crate) lives: u64,
    pub(crate) skew: i64,
    pub(crate) view: Arc<HealthView>,
    /// What arrives while the process is frozen, as in a socket's buffer.
    waiting: Vec<Arc<[u8]>>,
    wake_at: u64,
}

pub(crate) struct Config {
    pub(crate) seed: u64,
    pub(crate) regions: usize,
    pub(crate) delay_ms: (u64, u64),
    pub(crate) jitter_ms: u64,
    pub(crate) loss_percent: u64,
    pub(crate) endpoints: bool,
    pub(crate) planted: Planted,
    pub(crate) checks: Checks,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Deliver {
        to: usize,
        datagram: Arc<[u8]>,
    },
    Probed {
        node: usize,
        life: u64,
        attempt: Attempt,
        outcome: Coded,
    },
    Wake {
        node: usize,
        life: u64,
    },
}

/// An outcome in an order, for the heap.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Coded {
    Connected,
    Refused,
    Timeout,
}

pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) now: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) paths: Vec<Vec<Path>>,
    pub(crate) chance: Chance,
    /// By check address and region: whether the region's probes succeed.
    pub(crate) reach: BTreeMap<(String, usize), bool>,
    /// Every datagram sent, latest last, for whoever wants to send one again.
    pub(crate) recorded: Vec<(usize, Arc<[u8]>)>,
    /// A trace of what happened, to compare two runs.
    pub(crate) trace: u64,
    /// How far the clock that incarnations are taken from has gone back.
    pub(crate) gone_back: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
}

pub(crate) fn region(at: usize) -> RegionId {
    RegionId(u16::try_from(at + 1).expect("few regions"))
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let mut chance = Chance::new(config.seed);
        let count = config.regions;
        let (low, high) = config.delay_ms;
        let mut paths = vec![
            vec![
                Path {
                    delay: 0,
                    jitter: config.jitter_ms * 1_000,
                    cut: false
                };
                count
            ];
            count
        ];
        for (from, to) in (0..count).flat_map(|from| (from + 1..count).map(move |to| (from, to))) {
            let delay = low * 1_000 + chance.below((high - low) * 1_000 + 1);
            paths[from][to].delay = delay;
            paths[to][from].delay = delay;
        }
        let mut world = Self {
            config,
            now: 1_000_000,
            nodes: Vec::new(),
            paths,
            chance,
            reach: BTreeMap::new(),
            recorded: Vec::new(),
            trace: 0,
            gone_back: 0,
            events: BinaryHeap::new(),
            order: 0,
        };
        for node in 0..count {
            let skew = i64::try_from(world.chance.below(600_000)).expect("small") - 300_000;
            let core = world.core(node, skew, 1);
            let view = Arc::new(empty(region(node)));
            world.nodes.push(Node {
                core,
                life: Life::Running,
                lives: 1,
                skew,
                view,
                waiting: Vec::new(),
                wake_at: 0,
            });
            world.configure(node);
        }
        world
    }

    fn core(&mut self, node: usize, skew: i64, lives: u64) -> Health {
        let others = (0..self.config.regions).filter(|other| *other != node);
        let settings = Settings {
            region: region(node),
            peers: others
                .map(|other| PeerSpec {
                    region: region(other),
                    has_endpoint: self.config.endpoints,
                })
                .collect(),
            seal: Seal::new("world", &[7; 32]),
            incarnation: Incarnation(1_000 + lives - self.gone_back),
            seed: self.chance.next(),
        };
        let now = self.time(skew);
        let mut core = Health::try_new(now, settings).expect("few regions");
        core.plant(self.config.planted);
        core
    }

    fn configure(&mut self, node: usize) {
        let checks = self.config.checks.clone();
        self.input(node, Input::Checks(&checks))
            .expect("the only configuration");
    }

    fn time(&self, skew: i64) -> Now {
        let since = i64::try_from(self.now).expect("a short run");
        Now {
            moment: Moment::from_micros(self.now),
            wall: WallTime::from_micros(WALL_START + since + skew),
        }
    }

    pub(crate) fn input(
        &mut self,
        node: usize,
        input: Input<'_>,
    ) -> Result<(), health_core::health::InputError> {
        let now = self.time(self.nodes[node].skew);
        let taken = self.nodes[node].core.handle_input(now, input);
        self.drain(node);
        taken
    }

    /// Performs what a core wants, until it wants no more.
    fn drain(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].core.poll_output() {
            match output {
                Output::Send { to, datagram } => self.send(node, usize::from(to.0) - 1, datagram),
                Output::Probe(probe) => self.probe(node, &probe),
                Output::View(view) => {
                    let old = &self.nodes[node].view;
                    assert!(
                        old.generation <= view.generation,
                        "generations never go back"
                    );
                    self.trace = self
                        .trace
                        .wrapping_mul(31)
                        .wrapping_add(self.now ^ view.generation);
                    self.nodes[node].view = view;
                }
            }
        }
        let wake_at = self.nodes[node].core.poll_timeout().as_micros();
        if wake_at != self.nodes[node].wake_at {
            self.nodes[node].wake_at = wake_at;
            let life = self.nodes[node].lives;
            self.push(wake_at.max(self.now), Event::Wake { node, life });
        }
    }

    fn push(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((at, self.order, event)));
    }

    pub(crate) fn send(&mut self, from: usize, to: usize, datagram: Arc<[u8]>) {
        self.recorded.push((from, Arc::clone(&datagram)));
        if self.recorded.len() > 1_000 {
            self.recorded.drain(..500);
        }
        let path = self.paths[from][to];
        if path.cut || self.chance.percent(self.config.loss_percent) {
            return;
        }
        let at = self.now + path.delay + self.chance.below(path.jitter + 1);
        if self.chance.percent(1) {
            let datagram = Arc::clone(&datagram);
            self.push(at + 1_000, Event::Deliver { to, datagram });
        }
        self.push(at, Event::Deliver { to, datagram });
    }

    fn probe(&mut self, node: usize, probe: &Probe) {
        let (outcome, after) = match &probe.target {
            ProbeTarget::Region(region) => self.question(node, usize::from(region.0) - 1, probe),
            ProbeTarget::Check(spec) => {
                let CheckKind::Endpoint(endpoint) = &spec.kind else {
                    panic!("only endpoints are probed");
                };
                let Target::Name(name) = &endpoint.target else {
                    panic!("the world's checks have names");
                };
                let reached = self.reach.get(&(name.clone(), node)).copied();
                match reached.unwrap_or(true) {
                    true => (Coded::Connected, 20_000),
                    false if self.chance.one_in(2) => (Coded::Refused, 20_000),
                    false => (Coded::Timeout, micros(probe.patience.total)),
                }
            }
        };
        let event = Event::Probed {
            node,
            life: self.nodes[node].lives,
            attempt: probe.attempt,
            outcome,
        };
        self.push(self.now + after, event);
    }

    fn question(&self, from: usize, to: usize, probe: &Probe) -> (Coded, u64) {
        let (there, back) = (self.paths[from][to], self.paths[to][from]);
        let round = 2 * (there.delay + back.delay);
        let patience = micros(probe.patience.total);
        match self.nodes[to].life {
            _ if there.cut || back.cut || round > patience => (Coded::Timeout, patience),
            Life::Running => (Coded::Connected, round),
            Life::Frozen => (Coded::Timeout, patience),
            Life::Dead => (Coded::Refused, round / 2),
        }
    }

    /// Runs until `until`.
    pub(crate) fn run_until(&mut self, until: u64) {
        while let Some(Reverse((at, _, _))) = self.events.peek() {
            if *at > until {
                break;
            }
            let Some(Reverse((at, _, event))) = self.events.pop() else {
                break;
            };
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = until;
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + micros(duration));
    }

    /// Runs until `holds`, at most for `limit`. Returns how long it took.
    pub(crate) fn run_while(
        &mut self,
        limit: Duration,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> Option<Duration> {
        let start = self.now;
        let end = start + micros(limit);
        loop {
            if holds(self) {
                return Some(Duration::from_micros(self.now - start));
            }
            if self.now >= end {
                return None;
            }
            self.run_until((self.now + 5_000).min(end));
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver { to, datagram } => match self.nodes[to].life {
                Life::Dead => {}
                Life::Frozen => {
                    if self.nodes[to].waiting.len() < 200 {
                        self.nodes[to].waiting.push(datagram);
                    }
                }
                // A refused datagram is the core's to refuse: duplicates come here too.
                Life::Running => drop(self.input(to, Input::Datagram(&datagram))),
            },
            Event::Probed {
                node,
                life,
                attempt,
                outcome,
            } => {
                if self.nodes[node].lives != life || self.nodes[node].life == Life::Dead {
                    return;
                }
                if self.nodes[node].life == Life::Frozen {
                    let later = self.now + 50_000;
                    self.push(
                        later,
                        Event::Probed {
                            node,
                            life,
                            attempt,
                            outcome,
                        },
                    );
                    return;
                }
                let outcome = match outcome {
                    Coded::Connected => Outcome::Success(Success::Connected),
                    Coded::Refused => Outcome::Failure(Failure::Refused),
                    Coded::Timeout => Outcome::Failure(Failure::ConnectTimeout),
                };
                self.input(node, Input::Probed { attempt, outcome })
                    .expect("an outcome is never refused");
            }
            Event::Wake { node, life } => self.wake(node, life),
        }
    }

    fn wake(&mut self, node: usize, life: u64) {
        let Node {
            lives,
            life: state,
            wake_at,
            ..
        } = self.nodes[node];
        if lives != life || state != Life::Running || wake_at > self.now {
            return;
        }
        let now = self.time(self.nodes[node].skew);
        self.nodes[node].core.handle_timeout(now);
        self.nodes[node].wake_at = 0;
        self.drain(node);
    }

    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].life = Life::Dead;
        self.nodes[node].waiting.clear();
    }

    pub(crate) fn restart(&mut self, node: usize) {
        self.nodes[node].lives += 1;
        let (skew, lives) = (self.nodes[node].skew, self.nodes[node].lives);
        self.nodes[node].core = self.core(node, skew, lives);
        self.nodes[node].life = Life::Running;
        self.nodes[node].wake_at = 0;
        self.nodes[node].view = Arc::new(empty(region(node)));
        self.configure(node);
    }

    pub(crate) fn freeze(&mut self, node: usize) {
        self.nodes[node].life = Life::Frozen;
    }

    pub(crate) fn thaw(&mut self, node: usize) {
        self.nodes[node].life = Life::Running;
        self.nodes[node].wake_at = 0;
        // The timer fires first, before the buffer is read: the harder order.
        let life = self.nodes[node].lives;
        self.wake(node, life);
        for datagram in std::mem::take(&mut self.nodes[node].waiting) {
            drop(self.input(node, Input::Datagram(&datagram)));
        }
    }

    pub(crate) fn stand(&mut self, node: usize, standing: Standing) {
        self.input(node, Input::Stand(standing))
            .expect("always taken");
    }

    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        self.paths[from][to].cut = true;
    }

    pub(crate) fn heal(&mut self) {
        for path in self.paths.iter_mut().flatten() {
            path.cut = false;
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).expect("a short run")
}

fn empty(region: RegionId) -> HealthView {
    HealthView {
        generation: 0,
        at: WallTime::default(),
        region,
        regions: BTreeMap::new(),
        checks: BTreeMap::new(),
        quorum: health_core::view::Quorum {
            held: false,
            heard: 1,
            of: 1,
            since: WallTime::default(),
        },
    }
}
