//! How soon a write is visible in another region, and what replication costs.
//!
//! ```text
//! visible     2,000 writes/s over a delay: from the acknowledgement until it is there
//! rate        10,000 writes/s, both regions on this machine: reached, cost, bytes on the wire
//! partition   a minute's cut at 2,000 writes/s: flowing again, caught up, what writers notice
//! copy        a new replica of 1,000,000 items
//! Cassandra   two datacentres, without a delay, beside ours without a delay
//! ```
//!
//! It asserts nothing; the load generator and the relays take their part of the two cores.

mod cassandra;
mod client;
mod copy;
mod cql;
mod pair;
mod partition;
mod rate;
mod steady;

use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::bench::region::Binary;
use crate::bench::report::{Figure, Goal, Report};
use pair::Pair;
use steady::{Seen, Steady};

/// What a first look needs: 500 writes a second over the delay.
pub(super) fn measure(binary: &Binary) -> Result<Vec<Figure>> {
    let runtime = runtime()?;
    let seen = visible(binary, &runtime, SMOKE, Some(DELAY))?;
    Ok(vec![
        Figure::new(
            "visible 20 ms away after acknowledgement, p50",
            millis(seen.visible(0.5)),
            "ms",
        ),
        Figure::new(
            "visible 20 ms away after acknowledgement, p99",
            millis(seen.visible(0.99)),
            "ms",
        )
        .goal(Goal::AtMost(millis(DELAY) + LATE_MS)),
    ])
}

/// Runs the benchmark, or the named parts of it. What cannot run says why and leaves the others.
///
/// Errors: for a word that names no part.
pub(super) fn whole(binary: &Binary, only: &str) -> Result<Report> {
    let asked: Vec<&str> = only.split(',').filter(|word| !word.is_empty()).collect();
    let parts: [(&str, Part); 5] = [
        ("visible", over_a_delay),
        ("rate", rate::measure),
        ("partition", partition::measure),
        ("copy", copy::measure),
        ("cassandra", cassandra::measure),
    ];
    let names = parts.map(|(name, _)| name);
    if let Some(word) = asked.iter().find(|word| !names.contains(word)) {
        anyhow::bail!("{word:?} names no part: there are {names:?}");
    }
    let runtime = runtime()?;
    let mut report = Report::default();
    for (name, part) in parts {
        if asked.is_empty() || asked.contains(&name) {
            eprintln!("── {name}");
            match part(binary, &runtime) {
                Ok(figures) => report.figures.extend(figures),
                Err(error) => report.failures.push(format!("{name}: {error:#}")),
            }
        }
    }
    Ok(report)
}

type Part = fn(&Binary, &Runtime) -> Result<Vec<Figure>>;

fn over_a_delay(binary: &Binary, runtime: &Runtime) -> Result<Vec<Figure>> {
    let seen = visible(binary, runtime, USUAL, Some(DELAY))?;
    let beyond = |time: Duration| millis(time) - millis(DELAY);
    Ok(vec![
        Figure::new(
            "visible after acknowledgement, beyond 20 ms one way, 2,000/s, p50",
            beyond(seen.visible(0.5)),
            "ms",
        )
        .goal(Goal::AtMost(1.0)),
        Figure::new(
            "visible after acknowledgement, beyond 20 ms one way, 2,000/s, p99",
            beyond(seen.visible(0.99)),
            "ms",
        )
        .goal(Goal::AtMost(LATE_MS)),
        Figure::new(
            "acknowledged on disk, 2,000/s, p50",
            millis(seen.acknowledged(0.5)),
            "ms",
        ),
        Figure::new(
            "acknowledged on disk, 2,000/s, p99",
            millis(seen.acknowledged(0.99)),
            "ms",
        ),
    ])
}

/// Starts two regions with one table, and writes at a steady rate.
fn visible(
    binary: &Binary,
    runtime: &Runtime,
    steady: Steady,
    delay: Option<Duration>,
) -> Result<Seen> {
    let pair = Pair::start(binary, runtime, delay)?;
    runtime.block_on(async {
        pair.make_table().await?;
        pair.replicate().await?;
        steady.run(pair.clients(), delay.unwrap_or_default()).await
    })
}

/// Two threads: it generates the load and relays at once.
fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// One-way delay of the link.
const DELAY: Duration = Duration::from_millis(20);

/// What may come on top of the delay, 99 times of 100.
const LATE_MS: f64 = 5.0;

const SMOKE: Steady = Steady {
    rate: 500,
    length: Duration::from_secs(10),
    writers: 16,
};

const USUAL: Steady = Steady {
    rate: 2_000,
    length: Duration::from_secs(20),
    writers: 32,
};
