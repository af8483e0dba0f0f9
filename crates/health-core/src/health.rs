//! The health plane of one region, as four verbs.
//!
//! It opens no socket and reads no clock: whoever drives it feeds inputs, calls
//! [`Health::handle_timeout`] at [`Health::poll_timeout`], and performs every
//! [`Health::poll_output`].
//!
//! ```text
//!   datagram ─► seal, replay window ─► peer: hearing, echo, statements ─► judge ─► tracks ┐
//!      │                                                                                  ├─► view
//!      └──────────────────────────────► book: votes ─► 18 % rule ◄── probers ◄── probed ──┘
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use base::limits::REGIONS_MAX;
use base::region::RegionId;
use clock::time::{Moment, WallTime};

use crate::book::Book;
use crate::check::{CheckSpec, Checks, Patience};
use crate::gossip::{GossipError, Standing};
use crate::judge::Track;
use crate::observation::Outcome;
use crate::peer::Peer;
use crate::planted::Planted;
use crate::replay::Incarnation;
use crate::schedule::Schedule;
use crate::seal::Seal;
use crate::view::{HealthView, Quorum};

pub use crate::schedule::Attempt;

mod beat;
mod decide;
mod probes;

/// What a core is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The region it stands in.
    pub region: RegionId,
    /// The other regions.
    pub peers: Vec<PeerSpec>,
    /// The seal of the project's datagrams.
    pub seal: Seal,
    /// This life of the process: higher than every earlier one, as wall time in microseconds is.
    pub incarnation: Incarnation,
    /// Where its randomness starts: different in each region, so that they do not march in step.
    pub seed: u64,
}

/// Another region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerSpec {
    /// The region.
    pub region: RegionId,
    /// Whether its endpoint can be asked when it is silent.
    pub has_endpoint: bool,
}

/// Both clocks, read together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock: all waiting is measured with it.
    pub moment: Moment,
    /// The wall clock: for people, and for the peers' offsets.
    pub wall: WallTime,
}

/// Something happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram arrived on the gossip socket.
    Datagram(&'a [u8]),
    /// A probe ended.
    Probed {
        /// Which.
        attempt: Attempt,
        /// How.
        outcome: Outcome,
    },
    /// The configuration of the checks changed.
    Checks(&'a Checks),
    /// The other regions are these from here on.
    Peers(&'a [PeerSpec]),
    /// Somebody saw a connection to this region break: look at once.
    Doubt(RegionId),
    /// What this region says of itself changed.
    Stand(Standing),
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a datagram to a region.
    Send {
        /// To whom.
        to: RegionId,
        /// What; at most [`crate::gossip::DATAGRAM_BYTES_MAX`] bytes.
        datagram: Arc<[u8]>,
    },
    /// Probe something, and answer with [`Input::Probed`].
    Probe(Probe),
    /// Publish a view: the first, a decision, or fresh delays.
    View(Arc<HealthView>),
}

/// A probe to make.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its number, to answer with.
    pub attempt: Attempt,
    /// What to probe.
    pub target: ProbeTarget,
    /// How long each step may take.
    pub patience: Patience,
}

/// What a probe looks at.
#[derive(Clone, Debug)]
pub enum ProbeTarget {
    /// The endpoint of a health check, which is always of the kind `Endpoint`.
    Check(Arc<CheckSpec>),
    /// The endpoint of a silent region: any HTTP answer will do.
    Region(RegionId),
}

/// An input was refused. The core is as before, and goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The datagram is not to be believed. The fault is the sender's.
    #[error(transparent)]
    Gossip(#[from] GossipError),
    /// The configuration is older than the one in force.
    #[error("checks of generation {given} are older than {held}")]
    OldChecks {
        /// The generation given.
        given: u64,
        /// The generation in force.
        held: u64,
    },
    /// More regions than a project may have.
    #[error("{0} other regions are more than a project may have")]
    TooManyRegions(usize),
}

/// The health plane of one region.
#[derive(Debug)]
pub struct Health {
    region: RegionId,
    seal: Seal,
    incarnation: Incarnation,
    sequence: u64,
    standing: Standing,
    /// Heartbeats that follow quickly on a farewell, since any one may be lost.
    farewells: u8,
    peers: BTreeMap<RegionId, Peer>,
    tracks: BTreeMap<RegionId, Track>,
    quorum: Quorum,
    book: Book,
    checks_generation: Option<u64>,
    schedule: Schedule,
    beat_at: Moment,
    beaten_at: Moment,
    /// Whether a decision may have changed since the last look.
    news: bool,
    generation: u64,
    published_at: Option<Moment>,
    /// The moment promised by the last `poll_timeout`, to notice that this process slept.
    promised: Moment,
    random: SplitMix,
    planted: Planted,
    outputs: VecDeque<Output>,
}

impl Health {
    /// Makes the health plane of a region; its first output is its first view.
    ///
    /// Errors: [`InputError::TooManyRegions`].
    pub fn try_new(now: Now, settings: Settings) -> Result<Self, InputError> {
        let Settings {
            region,
            peers,
            seal,
            incarnation,
            seed,
        } = settings;
        let mut random = SplitMix(seed);
        let quorum = Quorum {
            held: false,
            heard: 1,
            of: 1,
            since: now.wall,
        };
        let mut health = Self {
            region,
            seal,
            incarnation: incarnation.max(Incarnation(1)),
            sequence: 0,
            standing: Standing::Serving,
            farewells: 0,
            peers: BTreeMap::new(),
            tracks: BTreeMap::from([(region, Track::new(true, now.moment, now.wall))]),
            quorum,
            book: Book::default(),
            checks_generation: None,
            schedule: Schedule::default(),
            beat_at: now.moment + random.below(crate::limits::HEARTBEAT_GAP_MIN),
            beaten_at: now.moment,
            news: true,
            generation: 0,
            published_at: None,
            promised: now.moment,
            random,
            planted: Planted::Nothing,
            outputs: VecDeque::new(),
        };
        health.set_peers(now, &peers)?;
        health.settle(now);
        Ok(health)
    }

    /// Puts a known mistake in.
    #[cfg(feature = "planted")]
    pub fn plant(&mut self, planted: Planted) {
        self.planted = planted;
    }

    /// Takes one input in.
    ///
    /// Errors: [`InputError`]; the input changed nothing then.
    pub fn handle_input(&mut self, now: Now, input: Input<'_>) -> Result<(), InputError> {
        self.wake(now);
        let taken = match input {
            Input::Datagram(datagram) => self.hear(now, datagram).map_err(InputError::from),
            Input::Probed { attempt, outcome } => {
                self.probed(now, attempt, outcome);
                Ok(())
            }
            Input::Checks(checks) => self.set_checks(now, checks),
            Input::Peers(peers) => self.set_peers(now, peers),
            Input::Doubt(region) => {
                self.doubt(now, region);
                Ok(())
            }
            Input::Stand(standing) => {
                self.stand(now, standing);
                Ok(())
            }
        };
        self.settle(now);
        taken
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        self.wake(now);
        self.give_up_lost_probes(now);
        self.start_due_probes(now);
        if self.beat_at <= now.moment {
            // Votes and statements of silent regions age out at the pace of the heartbeats.
            self.news = true;
        }
        self.settle(now);
        if self.beat_at <= now.moment {
            self.beat(now);
        }
        self.finish(now);
    }

    /// Returns the next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns when [`Health::handle_timeout`] is to be called next.
    ///
    /// Shape: never more than a heartbeat after the last call.
    pub fn poll_timeout(&self) -> Moment {
        let silences = self.peers.values().filter_map(Peer::next_notice);
        let silences = if self.planted == Planted::MissingHeartbeatTimeout {
            None
        } else {
            silences.min()
        };
        let probes = self.schedule.next();
        silences
            .into_iter()
            .chain(probes)
            .fold(self.beat_at, Moment::min)
    }

    /// Returns the region this is the health plane of.
    pub fn region(&self) -> RegionId {
        self.region
    }

    /// Returns this life of the process, as the peers know it.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    fn set_peers(&mut self, now: Now, peers: &[PeerSpec]) -> Result<(), InputError> {
        if peers.len() >= REGIONS_MAX {
            return Err(InputError::TooManyRegions(peers.len()));
        }
        let others = || peers.iter().filter(|peer| peer.region != self.region);
        let gone: Vec<RegionId> = self
            .peers
            .keys()
            .filter(|region| !others().any(|peer| peer.region == **region))
            .copied()
            .collect();
        let others: Vec<PeerSpec> = others().copied().collect();
        for region in gone {
            self.peers.remove(&region);
            self.tracks.remove(&region);
            self.book.forget(region);
            self.cancel_question(region);
        }
        for PeerSpec {
            region,
            has_endpoint,
        } in others
        {
            self.peers
                .entry(region)
                .or_insert_with(|| Peer::new(now.moment, has_endpoint))
                .has_endpoint = has_endpoint;
            self.tracks
                .entry(region)
                .or_insert_with(|| Track::new(false, now.moment, now.wall));
        }
        self.news = true;
        Ok(())
    }

    /// Leaves out of every waiting time a time in which this process slept: whoever slept has
    /// no right to blame others for their silence.
    fn wake(&mut self, now: Now) {
        let slept = now.moment.since(self.promised);
        if slept > crate::limits::LATE_MAX {
            for peer in self.peers.values_mut() {
                peer.forgive(now.moment, slept);
            }
            self.schedule.forgive(slept);
        }
    }

    /// Ends every entry: notes the promise and checks what must hold.
    fn finish(&mut self, now: Now) {
        self.promised = self.poll_timeout().max(now.moment);
        self.debug_assert_invariants(now);
    }

    fn debug_assert_invariants(&self, now: Now) {
        if !cfg!(debug_assertions) {
            return;
        }
        debug_assert!(
            self.tracks.keys().eq(self
                .peers
                .keys()
                .chain([&self.region])
                .collect::<std::collections::BTreeSet<_>>()),
            "every region is judged, and nobody else"
        );
        debug_assert!(
            !self.peers.contains_key(&self.region),
            "nobody is its own peer"
        );
        debug_assert!(
            1 <= self.quorum.heard && self.quorum.heard <= self.quorum.of,
            "a region hears itself, and no more than there are"
        );
        debug_assert!(self.quorum.of <= self.tracks.len(), "electors are regions");
        debug_assert!(
            self.beat_at <= now.moment + crate::limits::HEARTBEAT,
            "the next heartbeat is never far"
        );
        debug_assert!(0 < self.generation, "a view was published from the start");
        debug_assert!(!self.news, "every entry ends with everything decided");
        self.schedule.debug_assert_invariants();
        self.book
            .debug_assert_invariants(|key| self.knows_check(key));
    }
}

/// A small generator for jitter, where nothing secret hangs on it.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
#[derive(Clone, Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a duration below `bound`.
    fn below(&mut self, bound: std::time::Duration) -> std::time::Duration {
        let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX).max(1);
        std::time::Duration::from_micros(self.next() % micros)
    }
}
