//! The load generator: connections that each send one request after the other.
//!
//! Closed loop: a slow server gets fewer requests, never a queue. Bounded in time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
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
}

/// Sends what `next` makes of a running number, on every connection, until the time is over.
///
/// `between` is called when the warm-up ends and when the measuring ends.
/// Errors: any answer other than 200 ends the load.
pub(super) fn run(
    address: SocketAddr,
    load: Load,
    next: impl Fn(u64) -> Vec<u8> + Clone + Send + 'static,
    mut between: impl FnMut() -> Result<()>,
) -> Result<Outcome> {
    runtime()?.block_on(async {
        let start = Instant::now();
        let from = start + load.warm_up;
        let until = from + load.measured;
        let mut tasks = JoinSet::new();
        for lane in 0..load.connections {
            let next = next.clone();
            let mut connection = Connection::open(address).await?;
            tasks.spawn(async move {
                let mut counted = 0;
                let mut sent = 0;
                loop {
                    let request = next(sent * load.connections + lane);
                    sent += 1;
                    let status = connection.status(&request).await?;
                    anyhow::ensure!(status == 200, "answered with {status}");
                    let now = Instant::now();
                    if until <= now {
                        return Ok(counted);
                    }
                    counted += u64::from(from <= now);
                }
            });
        }
        tokio::time::sleep_until(from.into()).await;
        between()?;
        tokio::time::sleep_until(until.into()).await;
        between()?;
        let mut requests = 0;
        while let Some(ended) = tasks.join_next().await {
            requests += ended.context("a connection of the load")??;
        }
        let seconds = load.measured.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
        let rate = requests as f64 / seconds;
        Ok(Outcome { requests, rate })
    })
}
