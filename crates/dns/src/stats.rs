//! What the listeners counted: queries, answers by code, what was shed.
//!
//! It keeps no names and no addresses.

use std::sync::atomic::{AtomicU64, Ordering};

use dns_core::answer::Outcome;
use dns_core::reply::Rcode;

/// The counters of a server: one set for each task, so that no two cores share a cache line.
#[derive(Debug)]
pub struct Stats {
    udp: Vec<Counters>,
    tcp: Counters,
}

/// The counters of one task.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counters {
    answers: [AtomicU64; Rcode::ALL.len()],
    truncated: AtomicU64,
    dropped: AtomicU64,
    unsent: AtomicU64,
    connections: AtomicU64,
    refused: AtomicU64,
}

/// All counters at one moment. They only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages that came by UDP.
    pub udp_queries: u64,
    /// Messages that came by TCP.
    pub tcp_queries: u64,
    /// Answers by response code.
    pub answers: [(Option<Rcode>, u64); Rcode::ALL.len()],
    /// Answers that were cut, so that the asker comes back by TCP.
    pub truncated: u64,
    /// Messages that deserved no answer.
    pub dropped: u64,
    /// Answers that the kernel had no room for.
    pub unsent: u64,
    /// TCP connections that were accepted.
    pub connections: u64,
    /// TCP connections that were closed at once, because there were too many.
    pub refused: u64,
}

impl Stats {
    pub(crate) fn new(sockets: usize) -> Self {
        Self {
            udp: (0..sockets).map(|_| Counters::default()).collect(),
            tcp: Counters::default(),
        }
    }

    pub(crate) fn udp(&self, at: usize) -> Option<&Counters> {
        self.udp.get(at)
    }

    pub(crate) fn tcp(&self) -> &Counters {
        &self.tcp
    }

    /// Reads the counters.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for ((place, _), rcode) in totals.answers.iter_mut().zip(Rcode::ALL) {
            *place = Some(rcode);
        }
        for counters in &self.udp {
            totals.udp_queries += counters.add_to(&mut totals);
        }
        totals.tcp_queries += self.tcp.add_to(&mut totals);
        totals
    }
}

impl Totals {
    /// Returns how many answers had this code.
    pub fn answers_with(&self, rcode: Rcode) -> u64 {
        let found = self.answers.iter().find(|(of, _)| *of == Some(rcode));
        found.map_or(0, |(_, count)| *count)
    }
}

impl Counters {
    /// Counts one message.
    pub(crate) fn count(&self, outcome: Outcome) {
        match outcome {
            Outcome::Reply { rcode, truncated } => {
                let at = Rcode::ALL.iter().position(|of| *of == rcode);
                if let Some(counter) = at.and_then(|at| self.answers.get(at)) {
                    add(counter);
                }
                if truncated {
                    add(&self.truncated);
                }
            }
            Outcome::Drop => add(&self.dropped),
        }
    }

    /// Counts an answer that could not be sent.
    pub(crate) fn count_unsent(&self) {
        add(&self.unsent);
    }

    /// Counts a connection that was accepted.
    pub(crate) fn count_connection(&self) {
        add(&self.connections);
    }

    /// Counts a connection that was closed at once.
    pub(crate) fn count_refused(&self) {
        add(&self.refused);
    }

    /// Adds the counters to the totals, and returns how many messages came.
    fn add_to(&self, totals: &mut Totals) -> u64 {
        let mut queries = read(&self.dropped);
        for ((_, total), counter) in totals.answers.iter_mut().zip(&self.answers) {
            *total += read(counter);
            queries += read(counter);
        }
        totals.dropped += read(&self.dropped);
        totals.truncated += read(&self.truncated);
        totals.unsent += read(&self.unsent);
        totals.connections += read(&self.connections);
        totals.refused += read(&self.refused);
        queries
    }
}

/// One task writes a counter, so a plain load and store would do; they are atomic for readers.
fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
