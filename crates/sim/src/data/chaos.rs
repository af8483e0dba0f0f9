//! What can happen to the data world, and choosing what happens next.
//!
//! It applies what was chosen and forms no opinion on what should follow.

use std::time::Duration;

use crate::chance::Chance;
use crate::data::client::{self, Operation};
use crate::data::world::{REGIONS, World};

/// A change of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A client operates in a region.
    Operate(usize, Operation),
    /// Nothing gets from one region to another.
    Cut(usize, usize),
    /// A region reaches no other, and none reaches it.
    Isolate(usize),
    /// Something gets from one region to another again.
    Mend(usize, usize),
    /// All ways are whole.
    Heal,
    /// One direction takes this long, in milliseconds.
    Stretch(usize, usize, u64),
    /// What one region has dialled to another loses everything, without a word.
    Silence(usize, usize),
    /// What one region has dialled to another is reset.
    Reset(usize, usize),
    /// A region's power is cut.
    Kill(usize),
    /// A region starts on an empty disk.
    Replace(usize),
    /// A region starts again.
    Start(usize),
    /// A region's wall clock stands this far ahead of the truth, in microseconds.
    Clock(usize, i64),
    /// A region's disk takes up to this long, in microseconds.
    Disk(usize, u64),
    /// A region's disk fails while it writes.
    Fail(usize),
}

/// What one seed is like: some faults are common in one run and rare in another.
#[derive(Clone, Copy, Debug)]
pub struct Temper {
    /// Faults among the steps, in a thousand.
    faults: u64,
    /// How far wall clocks stand apart, in microseconds.
    skew: u64,
    /// The longest ordinary pause between steps, in microseconds.
    pause: u64,
    kills: bool,
    wild_clocks: bool,
}

/// How far a wall clock may be wrong at most. 2 s: four times what regions tolerate of another.
const WILD_MICROS: u64 = 2_000_000;

impl Temper {
    /// Chooses a temper.
    pub fn choose(chance: &mut Chance) -> Self {
        let skew = [2_000, 50_000, 225_000];
        let pause = [2_000, 10_000, 40_000];
        let faults = [10, 60, 150];
        Self {
            faults: faults[chance.index(3)],
            skew: skew[chance.index(3)],
            pause: pause[chance.index(3)],
            kills: chance.below(3) > 0,
            wild_clocks: chance.one_in(3),
        }
    }

    /// Returns how far ahead of the truth a wall clock stands.
    pub fn skew(&self, chance: &mut Chance) -> i64 {
        let within = if self.wild_clocks && chance.one_in(2) {
            WILD_MICROS
        } else {
            self.skew
        };
        i64::try_from(chance.below(2 * within + 1)).unwrap_or(0)
            - i64::try_from(within).unwrap_or(0)
    }

    /// Returns the time until the next step.
    pub fn pause(&self, chance: &mut Chance) -> Duration {
        Duration::from_micros(match chance.below(100) {
            0 => chance.below(2_000_000),
            1..4 => chance.below(200_000),
            _ => chance.below(self.pause),
        })
    }
}

/// Chooses what happens in step `number`.
pub fn choose(chance: &mut Chance, temper: Temper, world: &World, number: u64) -> Change {
    let at = chance.index(REGIONS.len());
    let to = (at + 1 + chance.index(REGIONS.len() - 1)) % REGIONS.len();
    if world.regions[at].process.is_none() && chance.one_in(20) {
        return Change::Start(at);
    }
    if chance.below(1_000) >= temper.faults {
        return Change::Operate(at, client::choose(chance, number));
    }
    match chance.below(17) {
        0..3 => Change::Cut(at, to),
        3 => Change::Isolate(at),
        4 | 5 => Change::Mend(at, to),
        6 | 7 => Change::Heal,
        8 => Change::Stretch(at, to, chance.below(400)),
        9 => Change::Silence(at, to),
        10 => Change::Reset(at, to),
        11 | 12 if temper.kills => Change::Kill(at),
        11..14 => Change::Clock(at, temper.skew(chance)),
        14 => Change::Disk(at, [500, 5_000, 80_000][chance.index(3)]),
        15 if temper.kills => Change::Fail(at),
        _ => Change::Start(at),
    }
}

/// Changes the world.
pub fn apply(world: &mut World, change: &Change) {
    match change {
        Change::Operate(at, operation) => world.operate(*at, operation.clone()),
        Change::Cut(from, to) => world.network.cut(*from, *to),
        Change::Isolate(at) => {
            for other in (0..world.regions.len()).filter(|other| other != at) {
                world.network.cut(*at, other);
                world.network.cut(other, *at);
            }
        }
        Change::Mend(from, to) => world.network.mend(*from, *to),
        Change::Heal => world.network.heal(),
        Change::Stretch(from, to, millis) => {
            let delay = Duration::from_millis(*millis);
            world.network.stretch(*from, *to, delay);
        }
        Change::Silence(from, to) => world.silence(*from, *to),
        Change::Reset(from, to) => world.reset(*from, *to),
        Change::Kill(at) => world.kill(*at),
        Change::Replace(at) => world.replace(*at),
        Change::Start(at) => world.start(*at),
        Change::Fail(at) => world.fail(*at),
        Change::Clock(at, ahead) => {
            let clocks = world.regions[*at].clocks();
            clocks.jump(ahead - clocks.skew_micros());
        }
        Change::Disk(at, micros) => world.regions[*at].disk_micros = (micros / 5, *micros),
    }
}
