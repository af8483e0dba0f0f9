//! Reads beside sustained writes: what a full write buffer or a compaction costs who only reads.
//!
//! Writes are paced, not as many as go: it measures pauses, no rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::bench::dynamodb::work::{self, Work};
use crate::bench::http::Connection;
use crate::bench::load::{self, Ask, Load};
use crate::bench::region::{self, Binary};
use crate::bench::report::{Figure, Goal};
use crate::bench::{folder, runtime};

/// Measures GetItem idle and while items are written.
pub(super) fn measure(binary: &Binary) -> Result<Vec<Figure>> {
    let region = region::alone(binary, &folder("dynamodb")?)?;
    let address = region.ports.api();
    work::fill(address, ITEMS)?;
    let get = Work::Get.asked(address, ITEMS);
    let read = |measured| {
        let load = Load {
            connections: 4,
            warm_up: Duration::from_secs(2),
            measured,
        };
        load::run(address, load, &get, || Ok(()))
    };
    let idle = read(IDLE)?.millis;
    let is_over = Arc::new(AtomicBool::new(false));
    let (busy, written) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| runtime()?.block_on(write(address, &is_over)));
        let busy = read(BUSY);
        is_over.store(true, Ordering::Relaxed);
        let written = writing
            .join()
            .map_err(|_| anyhow::anyhow!("the writers ended"))?;
        anyhow::Ok((busy?.millis, written?))
    })?;
    let delay = |name, value| Figure::new(name, value, "ms");
    Ok(vec![
        Figure::new("writes while reads are measured", written, "/s")
            .beside("asked for", f64::from(WRITES_A_SECOND))
            .goal(Goal::TimesPeer(0.98)),
        delay("GetItem p99 beside no writes", idle[1]),
        delay("GetItem p99.9 beside no writes", idle[2]),
        delay("GetItem p99 beside writes", busy[1]).goal(Goal::AtMost(idle[1] * 5.0)),
        delay("GetItem p99.9 beside writes", busy[2]),
    ])
}

/// Writes at a steady rate until it is over; returns how many a second were written.
async fn write(address: std::net::SocketAddr, is_over: &Arc<AtomicBool>) -> Result<f64> {
    let put = Work::Put.asked(address, ITEMS);
    let began = Instant::now();
    let mut lanes = JoinSet::new();
    for lane in 0..WRITERS {
        let (put, is_over) = (put.clone(), Arc::clone(is_over));
        let mut connection = Connection::open(address).await?;
        lanes.spawn(async move {
            let (mut sent, mut request) = (0_u32, Vec::new());
            while !is_over.load(Ordering::Relaxed) {
                let at = u64::from(sent) * u64::from(WRITERS) + u64::from(lane);
                request.clear();
                put.write(at, &mut request);
                load::done(&put, connection.ok(&request).await?)?;
                sent += 1;
                // What was late is caught up with: the rate holds over all.
                let due = began + Duration::from_secs(1) * WRITERS / WRITES_A_SECOND * sent;
                tokio::time::sleep_until(due.into()).await;
            }
            anyhow::Ok(sent)
        });
    }
    let mut sent = 0;
    while let Some(ended) = lanes.join_next().await {
        sent += ended.context("a writer")??;
    }
    Ok(f64::from(sent) / began.elapsed().as_secs_f64())
}

/// The name of this part.
pub(super) const NAME: &str = "stall";

/// Items in each of both tables: a gigabyte each, far more than the cache holds.
const ITEMS: u64 = 1_000_000;

const WRITES_A_SECOND: u32 = 5_000;

/// Connections that write. 50: each writes a hundred times a second.
const WRITERS: u32 = 50;

/// How long reads are measured beside no writes, and beside writes.
const IDLE: Duration = Duration::from_secs(5);
const BUSY: Duration = Duration::from_secs(30);
