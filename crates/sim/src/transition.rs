//! What can go wrong, and choosing what goes wrong next.
//!
//! It applies faults and forms no opinion on what should follow.

use std::time::Duration;

use health_core::gossip::Standing;
use health_core::health::Input;

use crate::chance::Chance;
use crate::network::pairs;
use crate::region::{Life, Region, id};
use crate::world::World;

/// A change of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The ways between the regions change.
    Ways(Ways),
    /// Something happens to the process at a place.
    Process(usize, Act),
    /// A process says farewell, and ends a little later.
    Leave(usize),
    /// An endpoint comes or goes, for one region's probes.
    Reach {
        /// The endpoint, by its place among the names.
        name: usize,
        /// Whose probes.
        from: usize,
        /// Whether they reach it.
        reached: bool,
    },
    /// Somebody sends again what a region sent before, a datagram at a time.
    Replay {
        /// Whose datagrams.
        from: usize,
        /// How many more follow.
        times: u8,
    },
}

/// A change of the ways between the regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ways {
    /// Nothing gets from one region to another.
    Cut(usize, usize),
    /// Something does again.
    Mend(usize, usize),
    /// The regions fall into two groups that do not reach each other.
    Part(Vec<usize>),
    /// Datagrams are lost and doubled, in millionths.
    Lossy {
        /// Lost.
        loss: u32,
        /// Arriving twice.
        duplication: u32,
    },
    /// All is whole, and nothing is lost.
    Heal,
}

/// Something that happens to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It ends without a word.
    Kill,
    /// It starts again, if it is dead.
    Restart,
    /// It stands still.
    Freeze,
    /// It goes on, if it stands still.
    Thaw,
    /// It says how it stands.
    Stand(Standing),
    /// Its wall clock jumps. Units: milliseconds.
    Jump(i64),
    /// It is told that its connection to another region broke.
    Doubt(usize),
}

/// Chooses what happens next.
pub fn choose(chance: &mut Chance, world: &World) -> Transition {
    let count = world.regions.len();
    let at = chance.index(count);
    let other = (at + 1 + chance.index(count - 1)) % count;
    let act = |act| Transition::Process(at, act);
    match chance.below(24) {
        0 | 1 => Transition::Ways(Ways::Cut(at, other)),
        2 => Transition::Ways(Ways::Mend(at, other)),
        3 => {
            let group = (0..count).filter(|_| chance.one_in(2));
            Transition::Ways(Ways::Part(group.collect()))
        }
        4..=6 => Transition::Ways(Ways::Heal),
        7 => Transition::Ways(Ways::Lossy {
            loss: u32::try_from(chance.below(80_000)).unwrap_or(0),
            duplication: u32::try_from(chance.below(50_000)).unwrap_or(0),
        }),
        8 => act(Act::Kill),
        9 | 10 => act(Act::Restart),
        11 => Transition::Leave(at),
        12 => act(Act::Freeze),
        13 | 14 => act(Act::Thaw),
        15 => act(Act::Stand(if chance.one_in(3) {
            Standing::Draining
        } else {
            Standing::Serving
        })),
        16 => act(Act::Jump(jump(chance))),
        17 => act(Act::Doubt(other)),
        18 => Transition::Replay {
            from: at,
            times: 20,
        },
        _ => Transition::Reach {
            name: chance.index(world.model.names().len()),
            from: at,
            reached: chance.one_in(2),
        },
    }
}

/// Up to an hour either way.
fn jump(chance: &mut Chance) -> i64 {
    i64::try_from(chance.below(7_200_000)).unwrap_or(0) - 3_600_000
}

/// Returns how long it takes until something else goes wrong: mostly soon, sometimes long.
pub fn pause(chance: &mut Chance) -> Duration {
    let most = match chance.below(8) {
        0 => 30_000,
        1..=3 => 3_000,
        _ => 400,
    };
    Duration::from_millis(chance.below(most))
}

/// Changes the world. What cannot be, such as killing the dead, changes nothing.
///
/// Returns what belongs to it and follows after a while.
pub fn apply(world: &mut World, transition: &Transition) -> Option<(Duration, Transition)> {
    match transition {
        Transition::Ways(change) => ways(world, change),
        Transition::Process(at, act) => process(world, *at, *act),
        Transition::Leave(at) => {
            process(world, *at, Act::Stand(Standing::Leaving));
            let end = Transition::Process(*at, Act::Kill);
            return Some((Duration::from_millis(150), end));
        }
        Transition::Reach {
            name,
            from,
            reached,
        } => {
            if let Some(name) = world.model.names().get(*name).cloned() {
                world.model.set_reach(&name, *from, *reached);
            }
        }
        Transition::Replay { from, times } => {
            replay(world, *from, *times);
            let (from, times) = (*from, times.checked_sub(1)?);
            let next = Transition::Replay { from, times };
            return Some((Duration::from_millis(100), next));
        }
    }
    None
}

fn ways(world: &mut World, change: &Ways) {
    world.model.disturbed(world.now());
    match change {
        Ways::Cut(from, to) => world.network.cut(*from, *to),
        Ways::Mend(from, to) => world.network.mend(*from, *to),
        Ways::Part(group) => {
            for (one, other) in pairs(world.regions.len()) {
                if group.contains(&one) != group.contains(&other) {
                    world.network.cut(one, other);
                    world.network.cut(other, one);
                }
            }
        }
        Ways::Lossy { loss, duplication } => {
            world.network.loss = *loss;
            world.network.duplication = *duplication;
        }
        Ways::Heal => world.network.heal(),
    }
}

fn process(world: &mut World, at: usize, act: Act) {
    let life = world.regions.get(at).map_or(Life::Dead, Region::life);
    match (act, life) {
        (Act::Kill, Life::Running | Life::Frozen) => world.kill(at),
        (Act::Restart, Life::Dead) => world.restart(at),
        (Act::Freeze, Life::Running) => world.freeze(at),
        (Act::Thaw, Life::Frozen) => world.thaw(at),
        (Act::Stand(standing), Life::Running) => world.tell(at, Input::Stand(standing)),
        (Act::Doubt(of), Life::Running) => world.tell(at, Input::Doubt(id(of))),
        (Act::Jump(by_ms), _) => {
            if let Some(region) = world.regions.get(at) {
                region.clocks.jump(by_ms * 1_000);
            }
        }
        (Act::Kill, Life::Dead)
        | (Act::Restart, Life::Running | Life::Frozen)
        | (Act::Freeze | Act::Stand(_) | Act::Doubt(_), Life::Frozen | Life::Dead)
        | (Act::Thaw, Life::Running | Life::Dead) => {}
    }
}

fn replay(world: &mut World, from: usize, at: u8) {
    let recorded = world.model.recorded(from);
    let Some(bytes) = recorded.iter().rev().cycle().nth(usize::from(at)) else {
        return;
    };
    for to in (0..world.regions.len()).filter(|to| *to != from) {
        world.inject(from, to, bytes);
    }
}
