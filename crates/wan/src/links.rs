//! Who is how far from whom, and which ways are cut.
//!
//! A link is two ways, one for each direction. All of it can change while relays run; relays
//! hold their ways and look at them for every piece that they carry.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clock::port::Entropy;
use clock::time::Moment;
use clock::wall::System;
use tokio::sync::watch;
use toml::de::{DeTable, DeValue};

use crate::pace::Pace;

/// The links between places: regions, and cities of clients (`c-london`).
#[derive(Clone, Debug)]
pub struct Links {
    ways: Arc<Mutex<Ways>>,
    others: Others,
    pace: Pace,
}

/// What holds for pairs that nobody has named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    /// They are joined without delay.
    Joined,
    /// They are not linked.
    Apart,
}

type Ways = BTreeMap<(String, String), Arc<Way>>;

/// A table of round trips could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// The text is not such a table.
    #[error("read the table of round trips: {0}")]
    Table(String),
    /// The thread that waits for moments could not be started.
    #[error("start the thread that delivers on time")]
    Thread(#[from] io::Error),
}

impl Links {
    /// Makes the links of the public figures in `regions.toml`, without jitter.
    pub fn public() -> Result<Self, LinksError> {
        Self::parse(include_str!("../regions.toml"))
    }

    /// Reads links from `[rtt_ms]`, lines of `"FROM TO" = MILLISECONDS`.
    ///
    /// Errors: [`LinksError::Table`] for any other shape.
    pub fn parse(table: &str) -> Result<Self, LinksError> {
        let links = Self {
            others: Others::Apart,
            ..Self::none()?
        };
        for (a, b, rtt) in round_trips(table)? {
            links.set_rtt(&a, &b, rtt);
        }
        Ok(links)
    }

    /// Makes links without delay between any two places; [`Links::set_rtt`] gives them one.
    pub fn none() -> Result<Self, LinksError> {
        Ok(Self {
            ways: Arc::default(),
            others: Others::Joined,
            pace: Pace::precise()?,
        })
    }

    /// Returns the same links, timed by the runtime's clock: for tests that pause it.
    ///
    /// Units: the runtime's timers round up to whole milliseconds.
    #[must_use]
    pub fn on_runtime_clock(self) -> Self {
        Self {
            pace: Pace::of_runtime(),
            ..self
        }
    }

    /// Returns the one-way delay, `None` where there is no link. A place is at itself.
    pub fn delay(&self, from: &str, to: &str) -> Option<Duration> {
        match self.way(from, to) {
            Some(way) => Some(way.delay()),
            None => self.joined(from, to).then_some(Duration::ZERO),
        }
    }

    /// Returns every place that has a link, by name.
    pub fn places(&self) -> Vec<String> {
        let mut places: Vec<String> = self.lock().keys().map(|(from, _)| from.clone()).collect();
        places.dedup();
        places
    }

    /// Sets the round trip between two places, half for each direction. Makes the link if needed.
    pub fn set_rtt(&self, a: &str, b: &str, rtt: Duration) {
        self.set_delay(a, b, rtt / 2);
        self.set_delay(b, a, rtt / 2);
    }

    /// Sets the one-way delay of what is sent from here on. Makes the way if needed.
    pub fn set_delay(&self, from: &str, to: &str, delay: Duration) {
        self.open(from, to).delay_us.store(micros(delay), RELAXED);
    }

    /// Sets the mean of an extra, exponentially spread delay; zero is off. Order is kept.
    pub fn set_jitter(&self, from: &str, to: &str, mean: Duration) {
        self.open(from, to).jitter_us.store(micros(mean), RELAXED);
    }

    /// Cuts the link between two places: bytes wait, datagrams are lost, nobody is told.
    pub fn cut(&self, a: &str, b: &str) {
        self.cut_oneway(a, b);
        self.cut_oneway(b, a);
    }

    /// Cuts one direction alone.
    pub fn cut_oneway(&self, from: &str, to: &str) {
        self.open(from, to).cut.send_replace(true);
    }

    /// Cuts a place off from all others.
    pub fn isolate(&self, place: &str) {
        for ((from, to), way) in self.lock().iter() {
            if from == place || to == place {
                way.cut.send_replace(true);
            }
        }
    }

    /// Joins the link between two places again; what waited is delivered at once.
    pub fn heal(&self, a: &str, b: &str) {
        self.open(a, b).cut.send_replace(false);
        self.open(b, a).cut.send_replace(false);
    }

    /// Joins all links again.
    pub fn heal_all(&self) {
        for way in self.lock().values() {
            way.cut.send_replace(false);
        }
    }

    /// Returns whether one direction is cut.
    pub fn is_cut(&self, from: &str, to: &str) -> bool {
        self.way(from, to).is_some_and(|way| way.is_cut())
    }

    /// Returns one direction, ready to carry; `None` where there is no link.
    pub(crate) fn line(&self, from: &str, to: &str) -> Option<Line> {
        let way = if self.joined(from, to) {
            self.open(from, to)
        } else {
            self.way(from, to)?
        };
        Some(Line {
            way,
            pace: self.pace.clone(),
        })
    }

    /// Returns whether a pair that has no way is joined all the same. A place is at itself.
    fn joined(&self, from: &str, to: &str) -> bool {
        from == to || self.others == Others::Joined
    }

    fn way(&self, from: &str, to: &str) -> Option<Arc<Way>> {
        let key = (from.to_owned(), to.to_owned());
        self.lock().get(&key).cloned()
    }

    fn open(&self, from: &str, to: &str) -> Arc<Way> {
        let key = (from.to_owned(), to.to_owned());
        Arc::clone(self.lock().entry(key).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Ways> {
        // Nothing panics with the lock held.
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One direction of a link.
#[derive(Debug)]
struct Way {
    delay_us: AtomicU64,
    jitter_us: AtomicU64,
    cut: watch::Sender<bool>,
}

impl Default for Way {
    fn default() -> Self {
        Self {
            delay_us: AtomicU64::new(0),
            jitter_us: AtomicU64::new(0),
            cut: watch::Sender::new(false),
        }
    }
}

impl Way {
    fn delay(&self) -> Duration {
        Duration::from_micros(self.delay_us.load(RELAXED))
    }

    fn is_cut(&self) -> bool {
        *self.cut.borrow()
    }

    fn extra(&self) -> Duration {
        let mean = self.jitter_us.load(RELAXED);
        if mean == 0 {
            return Duration::ZERO;
        }
        // 53 random bits make a number in (0, 1]; 20 means are as good as never exceeded.
        let bits = u32::try_from(System.random() >> 32).unwrap_or(0);
        let uniform = (f64::from(bits) + 1.0) / (f64::from(u32::MAX) + 1.0);
        Duration::from_micros(mean).mul_f64((-uniform.ln()).min(20.0))
    }
}

/// One direction of a link with the clock that it runs by.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    way: Arc<Way>,
    pace: Pace,
}

impl Line {
    /// Returns when what is sent at this moment is there.
    pub(crate) fn due(&self) -> Moment {
        self.pace.now() + self.way.delay() + self.way.extra()
    }

    /// Waits until `due`, and on while the way is cut.
    pub(crate) async fn deliver(&self, due: Moment) {
        self.pace.until(due).await;
        if self.way.is_cut() {
            // It fails only when the sender is gone, and we hold it.
            _ = self.way.cut.subscribe().wait_for(|cut| !cut).await;
        }
    }

    /// Waits until `due`; returns whether the way is whole.
    pub(crate) async fn arrive(&self, due: Moment) -> bool {
        self.pace.until(due).await;
        !self.way.is_cut()
    }

    /// Returns whether the way is cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.way.is_cut()
    }
}

fn round_trips(table: &str) -> Result<Vec<(String, String, Duration)>, LinksError> {
    let wrong = |what: &str| LinksError::Table(what.to_owned());
    let document = DeTable::parse(table).map_err(|error| wrong(error.message()))?;
    let rtt_ms = document
        .get_ref()
        .get("rtt_ms")
        .and_then(|value| value.get_ref().as_table())
        .ok_or_else(|| wrong("there is no [rtt_ms]"))?;
    let rows = rtt_ms.iter().map(|(key, value)| {
        let key = key.get_ref();
        let (a, b) = key
            .split_once(' ')
            .ok_or_else(|| wrong(&format!("{key:?} is no pair")))?;
        let millis = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::Integer(integer) => integer.as_str().parse().ok(),
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let rtt = millis
            .filter(|millis: &f64| (0.0..=60_000.0).contains(millis))
            .ok_or_else(|| wrong(&format!("{key:?} needs 0 to 60000 ms")))?;
        let rtt = Duration::from_secs_f64(rtt / 1e3);
        Ok((a.to_owned(), b.trim().to_owned(), rtt))
    });
    rows.collect()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Each value stands alone; no other memory is published with it.
const RELAXED: Ordering = Ordering::Relaxed;

#[cfg(test)]
mod tests;
