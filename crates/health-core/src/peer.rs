//! What we hear of one other region, and what it says of the rest.
//!
//! It judges nobody; it is the evidence.

use std::collections::BTreeMap;
use std::time::Duration;

use base::region::RegionId;
use clock::time::Moment;

use crate::gossip::{Gossip, Row, Standing};
use crate::judge::{Departure, Endpoint, Hearing, RegionState};
use crate::limits::{DOUBT_AFTER, ENDPOINT_FAILURES, FRESH_MAX, MISS_AFTER, SUSPECT_AFTER};
use crate::observation::{Failure, Outcome};
use crate::replay::{Admitted, Window};
use crate::sample::Samples;

/// One other region, as heard.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Whether it has an endpoint to ask when it is silent.
    pub(crate) has_endpoint: bool,
    pub(crate) window: Window,
    pub(crate) samples: Samples,
    pub(crate) endpoint: Endpoint,
    /// The latest heartbeat, to echo: when it left by the peer's clock, when it came by ours.
    pub(crate) echo: Option<(u64, Moment)>,
    pub(crate) in_a_row: u32,
    standing: Standing,
    heard_at: Moment,
    /// When the latest heartbeat heard left, by the peer's own clock. Units: microseconds.
    heard_sent: Option<u64>,
    hearing: Hearing,
    /// Somebody saw a connection to it break since it was last heard.
    doubted: bool,
    endpoint_failures: u8,
    /// Its endpoint refused us since we last heard it: its process is gone.
    gone: bool,
    said: BTreeMap<RegionId, Said>,
    said_at: Option<Moment>,
}

/// Whether a datagram proves that it is of this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It echoes what this life of ours sent a moment ago.
    Fresh,
    /// It does not.
    Unproven,
}

/// What a peer said of a third region, or of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) missed: bool,
    pub(crate) state: RegionState,
}

impl Peer {
    /// Starts to listen for a peer. Its silence counts from `now`.
    pub(crate) fn new(now: Moment, has_endpoint: bool) -> Self {
        Self {
            has_endpoint,
            window: Window::default(),
            samples: Samples::default(),
            endpoint: Endpoint::Unknown,
            echo: None,
            in_a_row: 0,
            standing: Standing::Serving,
            heard_at: now,
            heard_sent: None,
            hearing: Hearing::Heard,
            doubted: false,
            endpoint_failures: 0,
            gone: false,
            said: BTreeMap::new(),
            said_at: None,
        }
    }

    /// Takes in an authentic datagram. Only a `fresh` one is a heartbeat: any other may have
    /// waited in a socket or been held back on the way, and says how things were.
    pub(crate) fn hear(
        &mut self,
        now: Moment,
        gossip: &Gossip,
        admitted: Admitted,
        fresh: Freshness,
    ) {
        match admitted {
            Admitted::Reborn => {
                self.said.clear();
                self.said_at = None;
                self.in_a_row = 0;
                self.heard_sent = None;
            }
            Admitted::Newest => {}
            Admitted::Overtaken => return,
        }
        self.echo = Some((gossip.sent_micros, now));
        if fresh == Freshness::Unproven {
            return;
        }
        self.heard_at = now;
        self.heard_sent = Some(gossip.sent_micros);
        self.doubted = false;
        self.standing = gossip.standing;
        self.gone = gossip.standing == Standing::Leaving;
        self.endpoint = Endpoint::Unknown;
        self.endpoint_failures = 0;
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.said = gossip.rows.iter().map(said).collect();
        self.said_at = Some(now);
    }

    /// Returns whether a datagram left close to the latest heartbeat heard, by the peer's clock:
    /// the parts of one snapshot leave together, and only the first can prove its freshness.
    pub(crate) fn is_current(&self, gossip: &Gossip) -> bool {
        self.heard_sent.is_some_and(|sent| {
            Duration::from_micros(sent.abs_diff(gossip.sent_micros)) <= FRESH_MAX
        })
    }

    /// Looks at the silence. Returns whether our hearing of it changed.
    pub(crate) fn notice(&mut self, now: Moment) -> bool {
        let before = self.hearing;
        let silence = now.since(self.heard_at);
        self.hearing = if self.gone || silence >= MISS_AFTER {
            Hearing::Missed
        } else if silence >= SUSPECT_AFTER {
            Hearing::Suspected
        } else if self.doubted || silence >= DOUBT_AFTER {
            Hearing::Doubted
        } else {
            Hearing::Heard
        };
        if self.hearing == Hearing::Missed {
            self.in_a_row = 0;
        }
        before != self.hearing
    }

    /// Returns when the silence changes our hearing next, if it lasts.
    pub(crate) fn next_notice(&self) -> Option<Moment> {
        let after = match self.hearing {
            Hearing::Heard => DOUBT_AFTER,
            Hearing::Doubted => SUSPECT_AFTER,
            Hearing::Suspected => MISS_AFTER,
            Hearing::Missed => return None,
        };
        Some(self.heard_at + after)
    }

    /// Doubts it until it is heard again, however short its silence is.
    pub(crate) fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Leaves out of the silence a time in which this process itself slept.
    pub(crate) fn forgive(&mut self, now: Moment, slept: Duration) {
        self.heard_at = (self.heard_at + slept).min(now);
    }

    /// Takes in what the endpoint said to a question asked because of the silence.
    pub(crate) fn endpoint_said(&mut self, outcome: Outcome) {
        if self.hearing < Hearing::Doubted {
            // It was heard while the question was under way.
            return;
        }
        match outcome {
            // Any answer, also an unfriendly one, comes from a living process.
            Outcome::Success(_)
            | Outcome::Failure(
                Failure::Status(_) | Failure::NotFound(_) | Failure::Malformed | Failure::Tls,
            ) => {
                self.endpoint = Endpoint::Answers;
                self.endpoint_failures = 0;
                self.gone = false;
            }
            // Nothing listens, or a relay on the way has nobody to pass the connection to.
            Outcome::Failure(Failure::Refused | Failure::Closed) => {
                self.endpoint = Endpoint::Dead;
                self.gone = true;
            }
            Outcome::Failure(
                Failure::ConnectTimeout
                | Failure::Unreachable
                | Failure::ResponseTimeout
                | Failure::Unresolved
                | Failure::Lost,
            ) => {
                self.endpoint_failures = self.endpoint_failures.saturating_add(1);
                if self.endpoint_failures >= ENDPOINT_FAILURES {
                    self.endpoint = Endpoint::Dead;
                }
            }
        }
    }

    /// Returns how well we hear it, as last noticed.
    pub(crate) fn hearing(&self) -> Hearing {
        self.hearing
    }

    /// Returns whether it was ever heard.
    pub(crate) fn ever_heard(&self) -> bool {
        self.heard_sent.is_some()
    }

    /// Returns how long it has been silent.
    pub(crate) fn silence(&self, now: Moment) -> Duration {
        now.since(self.heard_at)
    }

    /// Returns what it said of `region`, unless that is too old to count.
    pub(crate) fn says_of(&self, now: Moment, region: RegionId) -> Option<Said> {
        let fresh = self.said_at.is_some_and(|at| now.since(at) < SUSPECT_AFTER);
        fresh.then(|| self.said.get(&region).copied()).flatten()
    }

    /// Returns whether it said that it leaves. A draining region that falls silent has left.
    pub(crate) fn departure(&self) -> Option<Departure> {
        match self.standing {
            Standing::Serving => None,
            Standing::Draining if self.hearing < Hearing::Missed => Some(Departure::Draining),
            Standing::Draining | Standing::Leaving => Some(Departure::Leaving),
        }
    }
}

fn said(row: &Row) -> (RegionId, Said) {
    let said = Said {
        missed: row.missed,
        state: row.state,
    };
    (row.region, said)
}
