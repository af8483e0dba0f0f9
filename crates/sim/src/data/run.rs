//! One seeded run of the data world: chaos, then a dead region, then peace.
//!
//! It is the only place where chaos, world and oracles meet.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use store::port::Durability;

use crate::chance::Chance;
use crate::clocks::START;
use crate::data::chaos::{self, Change, Temper};
use crate::data::client::{self, Operation, Verb};
use crate::data::oracle;
use crate::data::world::{REGIONS, World};
use crate::network::Network;

/// What a run is made with.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// All chance of the run.
    pub seed: u64,
    /// How many steps of chaos there are.
    pub steps: u64,
    /// When writes of clients count as done.
    pub durability: Durability,
    /// A known mistake.
    pub mistake: Mistake,
    /// How many regions lose their directories on the way.
    pub loses: Loss,
}

/// How many regions lose their directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// None.
    None,
    /// One of the three.
    One,
    /// Two of the three, about at once.
    Two,
}

/// A known mistake in the code under test; by default none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mistake {
    /// In links or meshes.
    pub link: replica_core::planted::Planted,
    /// In tables.
    pub table: table::planted::Planted,
    /// In the store: writes are acknowledged before they are on disk.
    pub acknowledges_early: bool,
    /// In the store: a write that the disk failed counts as written.
    pub forgets_failures: bool,
}

/// How a run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many regions lost their directories.
    pub loses: Loss,
    /// When writes of clients counted as done.
    pub durability: Durability,
    /// The step that it ended with.
    pub step: u64,
    /// How many events happened.
    pub events: u64,
    /// How many writes are in the regions' logs in the end.
    pub writes: usize,
    /// How many lost races the regions' conflict logs tell of in the end.
    pub races: usize,
    /// How often a region's power was cut.
    pub crashes: u64,
    /// How often a region's disk failed.
    pub failures: u64,
    /// How much time passed in the world.
    pub time: Duration,
    /// A digest of everything: equal for equal seeds.
    pub digest: u64,
    /// What was wrong, if anything was.
    pub violation: Option<String>,
    /// The latest changes of the world, oldest first.
    pub changes: VecDeque<(Duration, Change)>,
}

/// Changes kept for the report. 40.
const CHANGES_MAX: usize = 40;

/// How long after the last fault nothing of it may be left. 20 s: the largest jump of a clock,
/// the deadline of a silent link, the rests, and five rounds of sweeping, twice.
const QUIET: Duration = Duration::from_secs(20);

impl Mistake {
    /// Returns whether tombstones go once every region has acknowledged them.
    pub fn drops_on_acknowledgement(&self) -> bool {
        self.table == table::planted::Planted::TombstonesDroppedOnAcknowledgement
    }
}

/// Runs one seed to its end, or to the first violation. A panic of the code is one.
pub fn run(options: Options) -> Report {
    let mut run = Run::new(options);
    let whole = catch_unwind(AssertUnwindSafe(|| run.whole()));
    let violation = whole.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()));
        Err(format!("it panics: {}", text.unwrap_or_default()))
    });
    let writes = run.world.ledger.open().writes().count();
    Report {
        seed: options.seed,
        loses: options.loses,
        durability: options.durability,
        step: run.step,
        events: run.world.happened(),
        writes,
        races: oracle::races(&run.world),
        crashes: run.world.crashes(),
        failures: run.world.failures(),
        time: run.world.now().since(START),
        digest: run.world.digest(),
        violation: violation.err(),
        changes: run.changes,
    }
}

struct Run {
    world: World,
    plan: Chance,
    temper: Temper,
    steps: u64,
    step: u64,
    loses: Loss,
    changes: VecDeque<(Duration, Change)>,
}

impl Run {
    fn new(options: Options) -> Self {
        let mut chance = Chance::new(options.seed);
        let mut plan = chance.split();
        let temper = Temper::choose(&mut plan);
        let jitter_ms = chance.below(10);
        let network = Network::new(chance.split(), REGIONS.len(), (1, 115), jitter_ms);
        let world = World::new(chance, network, (options.durability, options.mistake));
        for region in &world.regions {
            region.clocks().jump(temper.skew(&mut plan));
        }
        Self {
            world,
            plan,
            temper,
            steps: options.steps,
            step: 0,
            loses: options.loses,
            changes: VecDeque::new(),
        }
    }

    fn whole(&mut self) -> Result<(), String> {
        let lost = (self.loses != Loss::None).then(|| {
            let at = self.plan.index(REGIONS.len());
            (at, self.plan.below(self.steps))
        });
        while self.step < self.steps {
            if let Some((at, _)) = lost.filter(|(_, step)| *step == self.step) {
                match self.loses {
                    Loss::None => {}
                    Loss::One => self.replace(at)?,
                    Loss::Two => self.replace_others(at)?,
                }
            }
            self.step += 1;
            let change = chaos::choose(&mut self.plan, self.temper, &self.world, self.step);
            self.change(change)?;
            let pause = self.temper.pause(&mut self.plan);
            self.pass(pause)?;
        }
        if self.loses != Loss::None {
            self.heal()?;
            for at in 0..REGIONS.len() {
                self.change(Change::Start(at))?;
            }
            return self.until(oracle::unlike_after_loss);
        }
        let dead = self.plan.index(REGIONS.len());
        self.lose(dead)?;
        self.peace(dead)
    }

    /// Lets a region die while perhaps only one other has its last writes. What one survivor has,
    /// both come to have.
    fn lose(&mut self, dead: usize) -> Result<(), String> {
        let alive: Vec<usize> = (0..REGIONS.len()).filter(|at| *at != dead).collect();
        self.heal()?;
        for at in 0..REGIONS.len() {
            self.change(Change::Start(at))?;
        }
        self.pass(Duration::from_millis(1_500))?;
        let misses = alive[self.plan.index(alive.len())];
        self.change(Change::Cut(dead, misses))?;
        for number in 0..4 {
            let operation = client::choose(&mut self.plan, self.steps + 1 + number);
            self.change(Change::Operate(dead, operation))?;
            self.pass(Duration::from_millis(80))?;
        }
        self.change(Change::Kill(dead))?;
        self.change(Change::Heal)?;
        self.until(|world| oracle::differences(world, &alive))
    }

    /// Lets a region lose its directory, most often while it does not reach one other. Both others
    /// know its log: one that knows nothing of it would let the empty one in as the first.
    fn replace(&mut self, at: usize) -> Result<(), String> {
        self.heal()?;
        for region in 0..REGIONS.len() {
            self.change(Change::Start(region))?;
        }
        self.put(at, 1)?;
        self.pass(Duration::from_secs(4))?;
        let away = (at + 1 + self.plan.index(REGIONS.len() - 1)) % REGIONS.len();
        let other = REGIONS.len() - at - away;
        if self.plan.one_in(2) {
            // The last write of the directory reaches only the region that is away then.
            self.part(at, other)?;
            self.part(other, away)?;
            self.put(at, 2)?;
            self.pass(Duration::from_millis(800))?;
        }
        if !self.plan.one_in(4) {
            self.part(at, away)?;
        }
        self.change(Change::Replace(at))?;
        self.change(Change::Mend(at, other))?;
        self.change(Change::Mend(other, at))?;
        let pause = Duration::from_millis(self.plan.below(4_000));
        self.pass(pause)
    }

    /// Lets all regions but one lose their directories, most often while they do not reach it: they
    /// know of each other alone then, and take each other for the first.
    fn replace_others(&mut self, left: usize) -> Result<(), String> {
        self.heal()?;
        for at in 0..REGIONS.len() {
            self.change(Change::Start(at))?;
            self.put(at, 1)?;
        }
        self.pass(Duration::from_secs(4))?;
        let lost: Vec<usize> = (0..REGIONS.len()).filter(|at| *at != left).collect();
        if !self.plan.one_in(4) {
            self.change(Change::Isolate(left))?;
        }
        for at in lost {
            self.change(Change::Replace(at))?;
            let pause = Duration::from_millis(self.plan.below(1_500));
            self.pass(pause)?;
        }
        if self.plan.one_in(3) {
            // One of them comes back before the other does.
            let first = (left + 1 + self.plan.index(REGIONS.len() - 1)) % REGIONS.len();
            self.change(Change::Mend(left, first))?;
            self.change(Change::Mend(first, left))?;
        }
        let pause = Duration::from_millis(self.plan.below(4_000));
        self.pass(pause)
    }

    /// Puts an item that nobody else writes.
    fn put(&mut self, at: usize, number: u64) -> Result<(), String> {
        let operation = Operation {
            name: format!("last-{number}"),
            items: vec![(client::KEYS + number, Verb::Put)],
            lasts: None,
        };
        self.change(Change::Operate(at, operation))
    }

    fn part(&mut self, one: usize, other: usize) -> Result<(), String> {
        self.change(Change::Cut(one, other))?;
        self.change(Change::Cut(other, one))
    }

    /// Waits until nothing is left of all that was, and accounts for every write.
    fn peace(&mut self, dead: usize) -> Result<(), String> {
        self.change(Change::Start(dead))?;
        self.until(oracle::unsettled)?;
        match oracle::unaccounted(&self.world) {
            Some(what) => Err(what),
            None => Ok(()),
        }
    }

    /// Ends all faults but death. Clocks come close to each other.
    fn heal(&mut self) -> Result<(), String> {
        self.change(Change::Heal)?;
        for at in 0..REGIONS.len() {
            let ahead = i64::try_from(self.plan.below(100_000)).unwrap_or(0);
            self.change(Change::Clock(at, ahead))?;
            self.change(Change::Disk(at, 3_000))?;
            for to in (0..REGIONS.len()).filter(|to| *to != at) {
                let millis = self.plan.between(1, 115);
                self.change(Change::Stretch(at, to, millis))?;
            }
        }
        Ok(())
    }

    /// Lets time pass until nothing is left to wait for.
    fn until(&mut self, left: impl Fn(&World) -> Option<String>) -> Result<(), String> {
        let end = self.world.now() + QUIET;
        while let Some(what) = left(&self.world) {
            if end < self.world.now() {
                return Err(format!("after {QUIET:?} of quiet, {what}"));
            }
            self.pass(Duration::from_millis(250))?;
        }
        Ok(())
    }

    fn change(&mut self, change: Change) -> Result<(), String> {
        if self.changes.len() >= CHANGES_MAX {
            self.changes.pop_front();
        }
        let at = self.world.now().since(START);
        self.changes.push_back((at, change.clone()));
        chaos::apply(&mut self.world, &change);
        self.look()
    }

    fn pass(&mut self, duration: Duration) -> Result<(), String> {
        let until = self.world.now() + duration;
        self.world.run(until);
        self.look()
    }

    fn look(&self) -> Result<(), String> {
        if let Some(first) = self.world.ledger.open().violations().first() {
            return Err(first.clone());
        }
        if !self.world.ledger.open().lost_directories().is_empty() {
            return Ok(());
        }
        let count = REGIONS.len();
        for at in 0..count {
            let wrong = oracle::wrong_in(&self.world, at);
            let wrong = wrong.or_else(|| oracle::wrong_between(&self.world, at, (at + 1) % count));
            if let Some(what) = wrong {
                return Err(what);
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            step,
            events,
            writes,
            races,
            crashes,
            time,
            ..
        } = self;
        let Some(what) = &self.violation else {
            return write!(
                f,
                "seed {seed:#x}: nothing wrong in {step} steps, {events} events, {writes} writes, \
                 {races} races, {crashes} crashes, {time:?}"
            );
        };
        writeln!(f, "seed {seed:#x}, step {step}, at {time:?}: {what}")?;
        for (at, change) in &self.changes {
            writeln!(f, "  {:>9.6} s  {change:?}", at.as_secs_f64())?;
        }
        write!(
            f,
            "replay: HITHER_SEED={seed:#x} cargo test -p sim --test it -- --exact data::{}",
            match (self.loses, self.durability) {
                (Loss::One, _) => "replay_on_empty",
                (Loss::Two, _) => "replay_on_two_empty",
                (Loss::None, Durability::Disk) => "replay",
                (Loss::None, Durability::Buffered) => "replay_early",
            }
        )
    }
}
