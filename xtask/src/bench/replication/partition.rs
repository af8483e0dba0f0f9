//! A minute's cut between two regions that are written to, and what comes after it.
//!
//! ```text
//! marker ─ every 10 ms ─► near ══ cut ══► far ─ every 5 ms ─► lag: how old the oldest write is
//! writers ─ 2,000/s ────► near                                that is not there yet
//! ```

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::bench::dynamodb::{Head, get_body};
use crate::bench::http::Connection;
use crate::bench::region::Binary;
use crate::bench::replication::client::Server;
use crate::bench::replication::pair::Pair;
use crate::bench::replication::steady::at;
use crate::bench::replication::{DELAY, millis};
use crate::bench::report::{Figure, Goal};

pub(super) fn measure(binary: &Binary, runtime: &Runtime) -> Result<Vec<Figure>> {
    let pair = Pair::start(binary, runtime, Some(DELAY))?;
    runtime.block_on(async {
        pair.make_table().await?;
        pair.replicate().await?;
        run(&pair).await
    })
}

async fn run(pair: &Pair) -> Result<Vec<Figure>> {
    let start = Instant::now();
    let until = start + BEFORE + CUT + AFTER;
    let (near, far) = pair.clients();
    let marks = Marks::default();
    let mut writers = JoinSet::new();
    let next = Arc::new(AtomicU64::new(0));
    for _ in 0..WRITERS {
        writers.spawn(write(near, Arc::clone(&next), start, until));
    }
    let marking = tokio::spawn(mark(near, marks.clone(), until));
    let looking = tokio::spawn(look(far, marks, until));
    tokio::time::sleep(BEFORE).await;
    let cut = Instant::now();
    pair.cut();
    tokio::time::sleep(CUT).await;
    let healed = Instant::now();
    pair.heal();
    let mut took = Vec::new();
    while let Some(lane) = writers.join_next().await {
        took.extend(lane.context("a writer")??);
    }
    marking.await.context("the marker")??;
    let seen = looking.await.context("the look at it")??;
    told(&seen, &took, (start, cut, healed))
}

fn told(
    seen: &[Look],
    took: &[(Instant, Duration)],
    (start, cut, healed): (Instant, Instant, Instant),
) -> Result<Vec<Figure>> {
    let before = seen.iter().rfind(|lag| lag.at < healed);
    let before = before.context("nothing was seen before the heal")?.mark;
    let mut after = seen.iter().filter(|lag| healed <= lag.at);
    let flowing = after.clone().find(|lag| before < lag.mark);
    let flowing = flowing.context("nothing came after the heal")?.at - healed;
    let caught_up = after.find(|lag| before < lag.mark && lag.lag < Duration::from_secs(1));
    let caught_up = caught_up.context("it did not catch up")?.at - healed;
    let late = |from: Instant, until: Instant| {
        let within = took.iter().filter(|(at, _)| (from..until).contains(at));
        let mut within: Vec<Duration> = within.map(|(_, took)| *took).collect();
        within.sort();
        millis(at(&within, 0.99))
    };
    // Long enough that a hundredth of it is more than a stray write or two.
    let window = caught_up.max(Duration::from_secs(5));
    let usual = late(start, cut);
    let meanwhile = late(healed, healed + window);
    Ok(vec![
        Figure::new(
            "flows again after a cut of 60 s at 2,000/s",
            flowing.as_secs_f64(),
            "s",
        )
        .goal(Goal::AtMost(1.0 + 2.0 * DELAY.as_secs_f64())),
        Figure::new("lag below 1 s after that cut", caught_up.as_secs_f64(), "s")
            .goal(Goal::AtMost(10.0)),
        Figure::new("p99 of writes before the cut", usual, "ms"),
        Figure::new("p99 of writes while the cut lasts", late(cut, healed), "ms"),
        Figure::new("p99 of writes while it catches up", meanwhile, "ms"),
        Figure::new("that by the one before the cut", meanwhile / usual, "×")
            .goal(Goal::AtMost(1.2)),
    ])
}

/// Writes at the steady rate; returns when each was sent and how long it took.
async fn write(
    near: Server,
    next: Arc<AtomicU64>,
    start: Instant,
    until: Instant,
) -> Result<Vec<(Instant, Duration)>> {
    let mut writer = near.writer().await?;
    let mut took = Vec::new();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let due = start + Duration::from_secs(1) * u32::try_from(at)? / RATE;
        if until <= due {
            return Ok(took);
        }
        tokio::time::sleep_until(due.into()).await;
        let sent = Instant::now();
        writer.put(&format!("w{at}")).await?;
        took.push((sent, sent.elapsed()));
    }
}

/// When each value of the marker was acknowledged.
#[derive(Clone, Debug, Default)]
struct Marks(Arc<Mutex<Vec<Instant>>>);

impl Marks {
    fn with<T>(&self, see: impl FnOnce(&mut Vec<Instant>) -> T) -> T {
        see(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes ever higher values into one item.
async fn mark(near: Server, marks: Marks, until: Instant) -> Result<()> {
    let (mut connection, head) = open(near, "PutItem").await?;
    while Instant::now() < until {
        let mark = marks.with(|marks| marks.len());
        let item = format!(
            r#"{{"TableName":"bench","Item":{{"id":{{"S":"marker"}},"n":{{"N":"{mark}"}}}}}}"#
        );
        connection.ok(&head.with(&item)).await?;
        marks.with(|marks| marks.push(Instant::now()));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// What the far region had at a moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    /// The highest value there.
    mark: usize,
    /// Since when the next one is missing.
    lag: Duration,
}

async fn look(far: Server, marks: Marks, until: Instant) -> Result<Vec<Look>> {
    let (mut connection, head) = open(far, "GetItem").await?;
    let mut seen = Vec::new();
    let get = head.with(&get_body("marker"));
    loop {
        let at = Instant::now();
        if until <= at {
            return Ok(seen);
        }
        let body = connection.call(&get).await?.body;
        if let Some(mark) = read_mark(&body) {
            let missing = marks.with(|marks| marks.get(mark + 1).copied());
            let lag = missing.map_or(Duration::ZERO, |since| at.saturating_duration_since(since));
            seen.push(Look { at, mark, lag });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn read_mark(body: &[u8]) -> Option<usize> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body["Item"]["n"]["N"].as_str()?.parse().ok()
}

async fn open(server: Server, operation: &str) -> Result<(Connection, Head)> {
    let Server::Hither(region, address) = server else {
        anyhow::bail!("markers are written to regions of ours");
    };
    let head = Head::new(operation, (region, &address.to_string()));
    Ok((Connection::open(address).await?, head))
}

const BEFORE: Duration = Duration::from_secs(15);

const CUT: Duration = Duration::from_mins(1);

/// Longer than the goal of catching up, so that a miss has a figure.
const AFTER: Duration = Duration::from_secs(30);

/// Writes per second.
const RATE: u32 = 2_000;

const WRITERS: usize = 32;
