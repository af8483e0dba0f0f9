//! 10,000 writes a second with both regions on this machine, and what replication adds to them.
//!
//! No relay stands between: it would take the processor from those who are measured.

use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::bench::region::Binary;
use crate::bench::replication::millis;
use crate::bench::replication::pair::Pair;
use crate::bench::replication::steady::{Seen, Steady};
use crate::bench::report::{Figure, Goal};

pub(super) fn measure(binary: &Binary, runtime: &Runtime) -> Result<Vec<Figure>> {
    let alone = cost_alone(binary, runtime)?;
    let pair = Pair::start(binary, runtime, None)?;
    let sent = "hither_link_sent_bytes_total";
    let (seen, cost, wire) = runtime.block_on(async {
        pair.make_table().await?;
        pair.replicate().await?;
        let wire = pair.near.counter(sent).await?;
        let before = (pair.near.process.cpu()?, pair.far.process.cpu()?);
        let seen = FAST.run(pair.clients(), Duration::ZERO).await?;
        let near = pair.near.process.cpu()?.saturating_sub(before.0);
        let far = pair.far.process.cpu()?.saturating_sub(before.1);
        let wire = pair.near.counter(sent).await? - wire;
        anyhow::Ok((seen, (near, far), wire))
    })?;
    let added = a_write(cost.0) + a_write(cost.1) - alone;
    let mut figures = told(&seen);
    figures.extend([
        Figure::new(
            "processor time a write, near region, replicated",
            a_write(cost.0),
            "µs",
        ),
        Figure::new("processor time a write, far region", a_write(cost.1), "µs"),
        Figure::new("processor time a write, a region alone", alone, "µs"),
        Figure::new(
            "processor time that replication adds to a write",
            added,
            "µs",
        ),
        Figure::new("bytes on the wire by bytes written", wire / WRITTEN, "×"),
    ]);
    Ok(figures)
}

fn told(seen: &Seen) -> Vec<Figure> {
    vec![
        // The rate was reached, or there would be no figure.
        Figure::new(
            "replicated durable writes/s, both regions here",
            f64::from(FAST.rate),
            "/s",
        )
        .goal(Goal::AtLeast(10_000.0)),
        Figure::new(
            "visible at that rate, p99",
            millis(seen.visible(0.99)),
            "ms",
        ),
        Figure::new(
            "acknowledged at that rate, p99",
            millis(seen.acknowledged(0.99)),
            "ms",
        ),
        Figure::new("visible at that rate, p50", millis(seen.visible(0.5)), "ms"),
    ]
}

/// Returns what the same writes cost a region without a replica, in microseconds a write.
fn cost_alone(binary: &Binary, runtime: &Runtime) -> Result<f64> {
    let pair = Pair::start(binary, runtime, None)?;
    runtime.block_on(async {
        pair.make_table().await?;
        let before = pair.near.process.cpu()?;
        let (near, _) = pair.clients();
        // Looked for where they were written: the same work for those who look.
        FAST.run((near, near), Duration::ZERO).await?;
        let spent = pair.near.process.cpu()?.saturating_sub(before);
        Ok(a_write(spent))
    })
}

fn a_write(spent: Duration) -> f64 {
    spent.as_secs_f64() * 1e6 / WRITES
}

const FAST: Steady = Steady {
    rate: 10_000,
    length: Duration::from_secs(15),
    writers: 128,
};

/// How many writes that is.
const WRITES: f64 = 150_000.0;

/// How many bytes: an item of 1 KB each.
const WRITTEN: f64 = WRITES * 1_024.0;
