//! One seeded run: chaos, then peace, then nothing may be left of it.
//!
//! It is the only place where transitions, world and oracles meet.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use health_core::check::{
    CheckId, CheckKind, CheckSpec, Checks, EndpointCheck, FailureThreshold, Interval, Protocol,
    Target,
};
use health_core::gossip::Standing;
use health_core::judge::Track;
use health_core::planted::Planted;

use crate::chance::Chance;
use crate::network::Network;
use crate::oracle::{self, Oracle, Violation};
use crate::region::Setup;
use crate::transition::{self, Act, Transition, Ways};
use crate::world::World;

/// What a run is made with.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// All chance of the run.
    pub seed: u64,
    /// How many events happen before peace.
    pub events: u64,
    /// A known mistake in the health plane.
    pub planted: Planted,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many events happened.
    pub events: u64,
    /// How much time passed in the world.
    pub time: Duration,
    /// A digest of everything: equal for equal seeds.
    pub digest: u64,
    /// What was wrong, if anything was.
    pub violation: Option<Violation>,
    /// The latest changes of the world, oldest first.
    pub changes: VecDeque<(Duration, Transition)>,
}

/// Changes kept for the report. 40.
const CHANGES_MAX: usize = 40;

/// Runs one seed to its end, or to the first violation.
pub fn run(options: Options) -> Report {
    let mut run = Run::new(options);
    let violation = run.whole().err();
    Report {
        seed: options.seed,
        events: run.world.happened(),
        time: run.world.now().since(crate::clocks::START),
        digest: run.world.digest(),
        violation,
        changes: run.changes,
    }
}

struct Run {
    world: World,
    oracle: Oracle,
    plan: Chance,
    checks: Checks,
    events: u64,
    changes: VecDeque<(Duration, Transition)>,
}

impl Run {
    fn new(options: Options) -> Self {
        let mut chance = Chance::new(options.seed);
        let plan = chance.split();
        let regions = 2 + chance.index(4);
        let checks = checks();
        let jitter_ms = chance.below(20);
        let network = Network::new(chance.split(), regions, (1, 115), jitter_ms);
        let setup = Setup {
            regions,
            // Two regions can only be told apart by their endpoints.
            endpoints: regions == 2 || chance.one_in(2),
            checks: checks.clone(),
            planted: options.planted,
        };
        Self {
            world: World::new(chance, network, setup),
            oracle: Oracle::default(),
            plan,
            checks,
            events: options.events,
            changes: VecDeque::new(),
        }
    }

    fn whole(&mut self) -> Result<(), Violation> {
        while self.world.happened() < self.events {
            let transition = transition::choose(&mut self.plan, &self.world);
            self.change(transition)?;
            let pause = transition::pause(&mut self.plan);
            self.pass(pause)?;
        }
        self.peace()
    }

    /// Heals everything, lets a minority stay dead, and waits until nothing is left to happen.
    fn peace(&mut self) -> Result<(), Violation> {
        self.change(Transition::Ways(Ways::Heal))?;
        let count = self.world.regions.len();
        let mut dead = 0;
        for at in 0..count {
            for act in [Act::Thaw, Act::Restart, Act::Stand(Standing::Serving)] {
                self.change(Transition::Process(at, act))?;
            }
        }
        self.pass(quiet())?;
        oracle::settled(&self.world, &self.checks)?;
        for at in 0..count {
            if 2 * (dead + 1) < count && self.plan.one_in(2) {
                dead += 1;
                self.change(Transition::Process(at, Act::Kill))?;
            }
        }
        self.pass(quiet())?;
        oracle::settled(&self.world, &self.checks)
    }

    /// Changes the world, and what follows from it at its time.
    fn change(&mut self, transition: Transition) -> Result<(), Violation> {
        let mut next = Some(transition);
        while let Some(transition) = next {
            let follows = transition::apply(&mut self.world, &transition);
            if self.changes.len() >= CHANGES_MAX {
                self.changes.pop_front();
            }
            for region in 0..self.world.regions.len() {
                self.oracle.look(&self.world, region)?;
            }
            let at = self.world.now().since(crate::clocks::START);
            self.changes.push_back((at, transition));
            next = match follows {
                Some((after, transition)) => {
                    self.pass(after)?;
                    Some(transition)
                }
                None => None,
            };
        }
        Ok(())
    }

    /// Lets time pass, and looks after every event.
    fn pass(&mut self, duration: Duration) -> Result<(), Violation> {
        let until = self.world.now() + duration;
        while let Some(step) = self.world.step(until) {
            self.oracle.look(&self.world, step.region)?;
        }
        Ok(())
    }
}

/// How long after the last fault nothing of it is left: the longest hold-down twice, since one
/// return may wait for another's vote, and the slowest check.
fn quiet() -> Duration {
    Track::hold_down_max() * 2 + Duration::from_secs(10)
}

fn checks() -> Checks {
    let spec = |at: u8| {
        let id = format!("check-{at}");
        let endpoint = EndpointCheck {
            protocol: Protocol::Tcp,
            target: Target::Name(format!("{id}.test")),
            port: 80,
            interval: Interval::try_new(Duration::from_secs(1)).expect("a second is allowed"),
            threshold: FailureThreshold::try_new(1 + at).expect("below ten"),
        };
        CheckSpec {
            id: CheckId::parse(&id).expect("a short id"),
            kind: CheckKind::Endpoint(endpoint),
            inverted: at == 2,
            disabled: false,
        }
        .into()
    };
    Checks::try_new(1, (0..3).map(spec).collect()).expect("three checks")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            events,
            time,
            violation,
            ..
        } = self;
        match violation {
            None => write!(
                f,
                "seed {seed:#x}: nothing wrong in {events} events, {time:?}"
            ),
            Some(Violation(what)) => {
                writeln!(
                    f,
                    "seed {seed:#x}, after {events} events, at {time:?}: {what}"
                )?;
                for (at, change) in &self.changes {
                    writeln!(f, "  {:>9.3} s  {change:?}", at.as_secs_f64())?;
                }
                write!(
                    f,
                    "replay: HITHER_SEED={seed:#x} cargo test -p sim --test it -- --exact replay"
                )
            }
        }
    }
}
