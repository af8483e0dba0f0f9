//! Customers of all cities at once, with a ledger of what they were told.
//!
//! The load is bounded: so many customers, each with one request at a time and a pause between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};

use net::tasks::{Tasks, Token};

use crate::demo::figures::Samples;
use crate::demo::shopper::{City, Shopper};

/// Customers in each city.
const CUSTOMERS: usize = 4;

/// The pause between a customer's requests. 200 ms: five cities make about 60 requests a second.
const PAUSE: Duration = Duration::from_millis(200);

/// The parts of the story that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Before,
    During,
    After,
}

impl Phase {
    const fn of(number: u8) -> Self {
        match number {
            0 => Self::Before,
            1 => Self::During,
            _ => Self::After,
        }
    }
}

/// A running load.
pub(crate) struct Load {
    shared: Arc<Shared>,
    tasks: Tasks,
    stop: Token,
}

#[derive(Default)]
struct Shared {
    phase: AtomicU8,
    tally: Mutex<Tally>,
}

/// What the customers saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) broken_attempts: u64,
    pub(crate) failures: Vec<String>,
    pub(crate) times: BTreeMap<Phase, Samples>,
    /// Requests that each region answered.
    pub(crate) answered: BTreeMap<(Phase, String), u64>,
    /// What each customer was told is in the cart, by customer and article. No article is written
    /// twice, so that a write that is lost is missing.
    pub(crate) ledger: BTreeMap<(String, String), u64>,
}

impl Load {
    /// Starts customers in every city.
    pub(crate) fn start(
        cities: &[Arc<City>],
        domain: &str,
        tls: &Arc<rustls::ClientConfig>,
    ) -> Self {
        let (tasks, stop) = (Tasks::new(), Token::new());
        let shared = Arc::new(Shared::default());
        for city in cities {
            for number in 0..CUSTOMERS {
                let customer = format!("{}-{number}", city.name);
                let shopper = Shopper::new(Arc::clone(city), domain, Arc::clone(tls));
                let (shared, stop) = (Arc::clone(&shared), stop.clone());
                tasks.spawn(shop(shopper, customer, shared, stop));
            }
        }
        Self {
            shared,
            tasks,
            stop,
        }
    }

    /// Says which part of the story begins.
    pub(crate) fn enter(&self, phase: Phase) {
        self.shared.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Returns how many requests were answered so far.
    pub(crate) fn requests(&self) -> u64 {
        self.shared.lock().requests
    }

    /// Lets each customer end the request that runs, and returns what they saw.
    pub(crate) async fn stop(self) -> Tally {
        self.stop.cancel();
        // Requests end by themselves within their own patience.
        self.tasks.join().await;
        self.shared.lock().clone()
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn shop(mut shopper: Shopper, customer: String, shared: Arc<Shared>, stop: Token) {
    let mut quantity = 0;
    while !stop.is_cancelled() {
        quantity += 1;
        let sku = format!("article-{quantity}");
        let is_read = quantity % 4 == 0;
        let (method, path, body) = if is_read {
            (Method::GET, format!("/cart/{customer}"), Bytes::new())
        } else {
            let body = Bytes::from(format!("{{\"quantity\":{quantity}}}"));
            (Method::PUT, format!("/cart/{customer}/{sku}"), body)
        };
        let phase = Phase::of(shared.phase.load(Ordering::Relaxed));
        let answered = shopper.request(method.clone(), &path, body).await;
        {
            let mut tally = shared.lock();
            tally.requests += 1;
            tally.broken_attempts += std::mem::take(&mut shopper.broken);
            match answered {
                Ok(answer) if answer.status == StatusCode::OK => {
                    tally
                        .times
                        .entry(phase)
                        .or_default()
                        .push(answer.first_byte);
                    let by = (phase, answer.region.to_string());
                    *tally.answered.entry(by).or_default() += 1;
                    if !is_read {
                        tally.ledger.insert((customer.clone(), sku), quantity);
                    }
                }
                Ok(answer) => {
                    let body = String::from_utf8_lossy(&answer.body).into_owned();
                    let region = answer.region;
                    let status = answer.status;
                    tally
                        .failures
                        .push(format!("{method} {path} at {region}: {status} {body}"));
                }
                Err(error) => tally.failures.push(format!("{error:#}")),
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}
