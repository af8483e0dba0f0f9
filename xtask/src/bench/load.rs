//! The load generator: connections that each send one request after the other.
//!
//! Closed loop: a slow server gets fewer requests, never a queue. Bounded in time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::bench::http::Connection;
use crate::bench::runtime;

/// How long and how wide a load is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) connections: u64,
    pub(super) warm_up: Duration,
    pub(super) measured: Duration,
}

impl Load {
    /// 64 connections, two seconds to warm up, five measured.
    pub(super) const USUAL: Self = Self {
        connections: 64,
        warm_up: Duration::from_secs(2),
        measured: Duration::from_secs(5),
    };
}

/// What a load found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// Requests answered with 200 while it measured.
    pub(super) requests: u64,
    /// Requests per second.
    pub(super) rate: f64,
    /// Milliseconds below which 50, 99 and 99.9 percent of the answers came.
    pub(super) millis: [f64; 3],
}

/// What is sent, and what is taken for its answer.
pub(super) trait Ask: Clone + Send + Sync + 'static {
    /// Writes request number `at` into `out`, which is empty.
    fn write(&self, at: u64, out: &mut Vec<u8>);

    /// Returns whether the body of an answer says that all was done that was asked for.
    fn is_done(&self, body: &[u8]) -> bool;
}

/// Sends what `ask` makes of a running number, on every connection, until the time is over.
///
/// `between` is called when the warm-up ends and when the measuring ends.
/// Errors: any answer other than 200, or without what was asked for, ends the load.
pub(super) fn run(
    address: SocketAddr,
    load: Load,
    ask: &impl Ask,
    mut between: impl FnMut() -> Result<()>,
) -> Result<Outcome> {
    runtime()?.block_on(async {
        let start = Instant::now();
        let from = start + load.warm_up;
        let until = from + load.measured;
        let mut tasks = JoinSet::new();
        for lane in 0..load.connections {
            let ask = ask.clone();
            let mut connection = Connection::open(address).await?;
            tasks.spawn(async move {
                let mut took = histogram()?;
                let (mut sent, mut request) = (0, Vec::new());
                loop {
                    request.clear();
                    ask.write(sent * load.connections + lane, &mut request);
                    sent += 1;
                    let began = Instant::now();
                    done(&ask, connection.ok(&request).await?)?;
                    let now = Instant::now();
                    if until <= now {
                        return anyhow::Ok(took);
                    }
                    if from <= now {
                        took.saturating_record(micros(now - began));
                    }
                }
            });
        }
        tokio::time::sleep_until(from.into()).await;
        between()?;
        tokio::time::sleep_until(until.into()).await;
        between()?;
        let mut took = histogram()?;
        while let Some(ended) = tasks.join_next().await {
            took.add(ended.context("a connection of the load")??)?;
        }
        Ok(outcome(&took, load.measured))
    })
}

/// Sends `requests` requests, each once, over some connections; the time that they take is not
/// bounded, their number is.
///
/// Errors: any answer other than 200, or without what was asked for, ends the load.
pub(super) fn fill(
    address: SocketAddr,
    connections: u64,
    requests: u64,
    ask: &impl Ask,
) -> Result<()> {
    runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        for lane in 0..connections {
            let ask = ask.clone();
            let mut connection = Connection::open(address).await?;
            tasks.spawn(async move {
                let (mut at, mut request) = (lane, Vec::new());
                while at < requests {
                    request.clear();
                    ask.write(at, &mut request);
                    done(&ask, connection.ok(&request).await?)?;
                    at += connections;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.context("a connection of the load")??;
        }
        Ok(())
    })
}

/// Checks that an answer does all that was asked for: one that does less would be counted as fast.
pub(super) fn done(ask: &impl Ask, body: &[u8]) -> Result<()> {
    anyhow::ensure!(
        ask.is_done(body),
        "answered with less than was asked for: {}",
        String::from_utf8_lossy(body.get(..200).unwrap_or(body))
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
fn outcome(took: &Histogram<u64>, measured: Duration) -> Outcome {
    let below = |share| took.value_at_quantile(share) as f64 / 1e3;
    Outcome {
        requests: took.len(),
        rate: took.len() as f64 / measured.as_secs_f64(),
        millis: [below(0.5), below(0.99), below(0.999)],
    }
}

/// Makes a histogram of microseconds up to a minute, to three digits.
fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, 60_000_000, 3).context("make a histogram")
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
