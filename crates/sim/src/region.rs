//! One region's process: its parts, its clocks, and whether it runs.
//!
//! It reaches the others only through the effects that its parts return.

use std::sync::Arc;

use base::region::RegionId;
use clock::port::Clock as _;
use clock::time::Moment;
use health_core::check::Checks;
use health_core::health::{Health, Input, Now, Output, PeerSpec, Settings};
use health_core::planted::Planted;
use health_core::replay::Incarnation;
use health_core::seal::Seal;
use health_core::view::HealthView;

use crate::clocks::Clocks;
use crate::effect::Effect;

/// Whether a region's process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Running,
    /// It stands still, and its sockets fill up.
    Frozen,
    /// It is gone, and its sockets with it.
    Dead,
}

/// Datagrams that wait in the socket of a frozen process. 256; further ones are lost.
const SOCKET_DATAGRAMS_MAX: usize = 256;

/// What every life of a region is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many regions there are.
    pub regions: usize,
    /// Whether regions have endpoints that can be asked.
    pub endpoints: bool,
    /// The checks.
    pub checks: Checks,
    /// A known mistake in the health plane.
    pub planted: Planted,
}

/// One region.
#[derive(Debug)]
pub struct Region {
    at: usize,
    /// Its clocks.
    pub clocks: Clocks,
    life: Life,
    lives: u64,
    health: Health,
    view: Arc<HealthView>,
    socket: Vec<Arc<[u8]>>,
}

/// Returns the id of the region at a place in the world.
pub fn id(at: usize) -> RegionId {
    RegionId(u16::try_from(at + 1).unwrap_or(u16::MAX))
}

/// Returns the place in the world of a region.
pub fn place(id: RegionId) -> usize {
    usize::from(id.0).saturating_sub(1)
}

impl Region {
    /// Starts a region for the first time.
    pub fn new(at: usize, clocks: Clocks, seed: u64, setup: &Setup) -> (Self, Vec<Effect>) {
        let mut health = health(at, &clocks, 1, seed, setup);
        let view = first_view(&mut health);
        let mut region = Self {
            at,
            clocks,
            life: Life::Running,
            lives: 1,
            health,
            view,
            socket: Vec::new(),
        };
        let effects = region.configure(&setup.checks);
        (region, effects)
    }

    /// Starts the process anew after it died.
    pub fn restart(&mut self, seed: u64, setup: &Setup) -> Vec<Effect> {
        debug_assert_eq!(self.life, Life::Dead, "only the dead are started");
        self.lives += 1;
        self.life = Life::Running;
        self.health = health(self.at, &self.clocks, self.lives, seed, setup);
        self.view = first_view(&mut self.health);
        self.configure(&setup.checks)
    }

    /// Ends the process without a word.
    pub fn kill(&mut self) {
        self.life = Life::Dead;
        self.socket.clear();
    }

    /// Makes the process stand still.
    pub fn freeze(&mut self) {
        self.life = Life::Frozen;
    }

    /// Lets a frozen process go on: its timers fire before its sockets are read, which is the
    /// harder order.
    pub fn thaw(&mut self) -> Vec<Effect> {
        self.life = Life::Running;
        let mut effects = self.wake();
        for datagram in std::mem::take(&mut self.socket) {
            effects.extend(self.receive(datagram));
        }
        effects
    }

    /// Takes in a datagram as far as the process can.
    pub fn receive(&mut self, datagram: Arc<[u8]>) -> Vec<Effect> {
        match self.life {
            Life::Running => self.feed(Input::Datagram(&datagram)),
            Life::Frozen => {
                if self.socket.len() < SOCKET_DATAGRAMS_MAX {
                    self.socket.push(datagram);
                }
                Vec::new()
            }
            Life::Dead => Vec::new(),
        }
    }

    /// Feeds the health plane. What it refuses is its right to refuse.
    pub fn feed(&mut self, input: Input<'_>) -> Vec<Effect> {
        let now = self.reading();
        drop(self.health.handle_input(now, input));
        self.drain()
    }

    /// Does what is due.
    pub fn wake(&mut self) -> Vec<Effect> {
        let now = self.reading();
        self.health.handle_timeout(now);
        self.drain()
    }

    /// Returns when [`Region::wake`] is due; never while the process does not run.
    pub fn wakes_at(&self) -> Option<Moment> {
        (self.life == Life::Running).then(|| self.health.poll_timeout())
    }

    /// Returns whether the process runs.
    pub fn life(&self) -> Life {
        self.life
    }

    /// Returns how often the process was started.
    pub fn lives(&self) -> u64 {
        self.lives
    }

    /// Returns the latest view of this life.
    pub fn view(&self) -> &Arc<HealthView> {
        &self.view
    }

    fn configure(&mut self, checks: &Checks) -> Vec<Effect> {
        self.feed(Input::Checks(checks))
    }

    fn reading(&self) -> Now {
        Now {
            moment: self.clocks.now(),
            wall: self.clocks.wall(),
        }
    }

    fn drain(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(output) = self.health.poll_output() {
            match output {
                Output::Send { to, datagram } => effects.push(Effect::Datagram {
                    to: place(to),
                    bytes: datagram,
                }),
                Output::Probe(probe) => effects.push(Effect::Probe(probe)),
                Output::View(view) => self.view = view,
            }
        }
        effects
    }
}

fn health(at: usize, clocks: &Clocks, lives: u64, seed: u64, setup: &Setup) -> Health {
    let others = (0..setup.regions).filter(|other| *other != at);
    let settings = Settings {
        region: id(at),
        peers: others
            .map(|other| PeerSpec {
                region: id(other),
                has_endpoint: setup.endpoints,
            })
            .collect(),
        seal: Seal::new("world", &[7; 32]),
        // From the wall clock as in production: after a jump back a life may start below the last.
        incarnation: Incarnation(
            u64::try_from(clocks.wall().as_micros())
                .unwrap_or(1)
                .wrapping_add(lives),
        ),
        seed,
    };
    let now = Now {
        moment: clocks.now(),
        wall: clocks.wall(),
    };
    let mut health = Health::try_new(now, settings).expect("a world has few regions");
    health.plant(setup.planted);
    health
}

fn first_view(health: &mut Health) -> Arc<HealthView> {
    std::iter::from_fn(|| health.poll_output())
        .find_map(|output| match output {
            Output::View(view) => Some(view),
            Output::Send { .. } | Output::Probe(_) => None,
        })
        .expect("a core begins with a view")
}
