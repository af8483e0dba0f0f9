//! The reference model: what is true, whatever the regions think.
//!
//! It shares no code with the cores, and knows of time only what happened in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use clock::time::Moment;
use health_core::check::{CheckKind, Checks, Target};

/// Datagrams of a region remembered, for somebody to send again. 64.
const RECORDED_MAX: usize = 64;

/// What is true.
#[derive(Debug)]
pub struct Model {
    regions: Vec<Truth>,
    /// Pairs of which the first has got a datagram of the second, in the present lives of both.
    knows: BTreeSet<(usize, usize)>,
    /// By listener and speaker.
    hearing: BTreeMap<(usize, usize), Hearing>,
    /// By endpoint name and region: whether the region's probes reach it.
    reach: BTreeMap<(String, usize), bool>,
    names: Vec<String>,
    /// By sender.
    recorded: BTreeMap<usize, VecDeque<Arc<[u8]>>>,
    /// When the ways between the regions last changed.
    disturbed: Moment,
}

/// What is true of one region's process.
#[derive(Clone, Copy, Debug)]
struct Truth {
    alive: bool,
    frozen: bool,
    /// Since when it is as it is: running, frozen or dead.
    since: Moment,
    /// When it was last dead.
    dead_until: Option<Moment>,
    /// Whether it has said farewell.
    leaving: bool,
}

/// When one region last got anything from another.
#[derive(Clone, Copy, Debug, Default)]
struct Hearing {
    last: Option<Moment>,
    /// The end of the latest silence of at least [`SILENCE`].
    silent_until: Option<Moment>,
}

/// The least silence that counts as one. What the core calls missing, less the jitter by which
/// the copy of a datagram that counts here may come after the one that it took.
const SILENCE: Duration = Duration::from_millis(770);

impl Model {
    /// Makes the model of a world that starts.
    pub fn new(regions: usize, checks: &Checks) -> Self {
        let truth = Truth {
            alive: true,
            frozen: false,
            since: crate::clocks::START,
            dead_until: None,
            leaving: false,
        };
        let names = checks.specs().iter().filter_map(|spec| match &spec.kind {
            CheckKind::Endpoint(endpoint) => match &endpoint.target {
                Target::Name(name) => Some(name.clone()),
                Target::Address(_) | Target::AddressNamed(..) => None,
            },
            CheckKind::Calculated(_) => None,
        });
        Self {
            regions: vec![truth; regions],
            knows: BTreeSet::new(),
            hearing: BTreeMap::new(),
            reach: BTreeMap::new(),
            names: names.collect(),
            recorded: BTreeMap::new(),
            disturbed: Moment::default(),
        }
    }

    /// Notes that a process started.
    pub fn started(&mut self, now: Moment, region: usize) {
        self.set(region, |truth| {
            *truth = Truth {
                alive: true,
                frozen: false,
                since: now,
                dead_until: Some(now),
                leaving: false,
            };
        });
        // Whoever starts has heard nobody, and counts silence from here.
        self.hearing.retain(|(listener, _), _| *listener != region);
        self.knows
            .retain(|(one, other)| *one != region && *other != region);
    }

    /// Notes that a process died.
    pub fn died(&mut self, now: Moment, region: usize) {
        self.set(region, |truth| {
            truth.alive = false;
            truth.frozen = false;
            truth.since = now;
        });
    }

    /// Notes that a process says farewell, or takes it back.
    pub fn leaves(&mut self, region: usize, leaving: bool) {
        self.set(region, |truth| truth.leaving = leaving);
    }

    /// Notes that a process stands still.
    pub fn froze(&mut self, now: Moment, region: usize) {
        self.set(region, |truth| {
            truth.frozen = true;
            truth.since = now;
        });
    }

    /// Notes that a process goes on.
    pub fn thawed(&mut self, now: Moment, region: usize) {
        self.set(region, |truth| {
            truth.frozen = false;
            truth.since = now;
        });
    }

    fn set(&mut self, region: usize, change: impl FnOnce(&mut Truth)) {
        if let Some(truth) = self.regions.get_mut(region) {
            change(truth);
        }
    }

    fn truth(&self, region: usize) -> Option<&Truth> {
        self.regions.get(region)
    }

    /// Returns whether what `speaker` sends to `listener` shows that it is of this moment: it has
    /// got something from the listener's present life that it can echo.
    pub fn can_prove(&self, speaker: usize, listener: usize) -> bool {
        self.knows.contains(&(speaker, listener))
    }

    /// Notes that a datagram of `speaker` reached the running process of `listener`, and whether
    /// it showed that it was of that moment.
    pub fn arrived(&mut self, now: Moment, speaker: usize, listener: usize, proof: bool) {
        self.knows.insert((listener, speaker));
        if !proof {
            return;
        }
        let began = self.silence_began(speaker, listener);
        let hearing = self.hearing.entry((listener, speaker)).or_default();
        if now.since(began) >= SILENCE {
            hearing.silent_until = Some(now);
        }
        hearing.last = Some(now);
    }

    /// Notes what was sent.
    pub fn sent(&mut self, from: usize, bytes: &Arc<[u8]>) {
        let recorded = self.recorded.entry(from).or_default();
        if recorded.len() >= RECORDED_MAX {
            recorded.pop_front();
        }
        recorded.push_back(Arc::clone(bytes));
    }

    /// Returns what a region sent last, oldest first.
    pub fn recorded(&self, from: usize) -> Vec<Arc<[u8]>> {
        let recorded = self.recorded.get(&from).into_iter().flatten();
        recorded.cloned().collect()
    }

    /// Notes that the ways between the regions changed.
    pub fn disturbed(&mut self, now: Moment) {
        self.disturbed = now;
    }

    /// Returns how long the ways have been as they are.
    pub fn undisturbed_for(&self, now: Moment) -> Duration {
        now.since(self.disturbed)
    }

    /// Changes whether a region's probes reach an endpoint.
    pub fn set_reach(&mut self, name: &str, from: usize, reached: bool) {
        self.reach.insert((name.to_owned(), from), reached);
    }

    /// Returns whether a region's probes reach an endpoint; from the start they do.
    pub fn reaches(&self, name: &str, from: usize) -> bool {
        self.reach
            .get(&(name.to_owned(), from))
            .copied()
            .unwrap_or(true)
    }

    /// Returns the names of the endpoints.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns whether a process is there, running or frozen.
    pub fn is_alive(&self, region: usize) -> bool {
        self.truth(region).is_some_and(|truth| truth.alive)
    }

    /// Returns whether a process runs.
    pub fn is_running(&self, region: usize) -> bool {
        self.truth(region)
            .is_some_and(|truth| truth.alive && !truth.frozen)
    }

    /// Returns for how long a process has been running, frozen or dead, whichever it is.
    pub fn same_for(&self, now: Moment, region: usize) -> Duration {
        self.truth(region)
            .map_or(Duration::ZERO, |truth| now.since(truth.since))
    }

    /// Returns whether a process was dead at any time in the last `window`, or says farewell.
    pub fn was_gone(&self, now: Moment, region: usize, window: Duration) -> bool {
        self.truth(region).is_some_and(|truth| {
            let lately = truth
                .dead_until
                .is_some_and(|until| now.since(until) < window);
            !truth.alive || truth.leaving || lately
        })
    }

    /// Returns whether `listener` was without a word of `speaker` for long enough to miss it, at
    /// any time in the last `window`.
    pub fn was_silent(
        &self,
        now: Moment,
        speaker: usize,
        listener: usize,
        window: Duration,
    ) -> bool {
        let hearing = self.hearing.get(&(listener, speaker));
        let ended = hearing.and_then(|hearing| hearing.silent_until);
        let lately = ended.is_some_and(|ended| now.since(ended) < window);
        lately || now.since(self.silence_began(speaker, listener)) >= SILENCE
    }

    /// Returns since when `listener` has not heard `speaker`.
    fn silence_began(&self, speaker: usize, listener: usize) -> Moment {
        let hearing = self.hearing.get(&(listener, speaker));
        let started = self.truth(listener).map_or_else(Moment::default, |truth| {
            truth.dead_until.unwrap_or(crate::clocks::START)
        });
        hearing.and_then(|hearing| hearing.last).unwrap_or(started)
    }
}
