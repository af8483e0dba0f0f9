//! How long after its acknowledgement a write is visible in another region.
//!
//! Two regions, joined by relays of a known delay; 500 writes a second; a sample of them is
//! looked for in the other region until it is there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use wan::links::Links;
use wan::relay::Relay;

use crate::bench::dynamodb::{Head, call, get_body, make_table, put_body, wait_until_active};
use crate::bench::folder;
use crate::bench::http::Connection;
use crate::bench::region::{self, Binary, Ports, Start};
use crate::bench::report::{Figure, Goal};

pub(super) fn measure(binary: &Binary) -> Result<Vec<Figure>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = folder("replication")?;
    let (near, far) = (Ports::find(0)?, Ports::find(1)?);
    let manifest = region::manifest(&folder, &[(NEAR, near), (FAR, far)])?;
    let links = Links::none()?;
    links.set_rtt(NEAR, FAR, 2 * DELAY);
    let relays = {
        let _inside = runtime.enter();
        join(&links, &folder, (near, far))?
    };
    let start = |name, ports, via: &Path| {
        let start = Start {
            binary,
            folder: &folder,
            manifest: &manifest,
            name,
            ports,
            via: Some(via),
            credentials: None,
            cache_mib: None,
        };
        start.start()
    };
    let _near = start(NEAR, near, &folder.join("near.json"))?;
    let _far = start(FAR, far, &folder.join("far.json"))?;
    let mut seen = runtime.block_on(async {
        make_table(near.api()).await?;
        let replica = format!(
            r#"{{"TableName":"bench","ReplicaUpdates":[{{"Create":{{"RegionName":"{FAR}"}}}}]}}"#
        );
        call(near.api(), "UpdateTable", &replica).await?;
        wait_until_active(near.api()).await?;
        wait_until_active(far.api()).await?;
        probe(near, far).await
    })?;
    drop(relays);
    seen.sort();
    let at = |share: usize| {
        seen.get(seen.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    let most = millis(DELAY + MARGIN);
    Ok(vec![
        Figure::new(
            "visible 20 ms away after acknowledgement, p50",
            millis(at(50)),
            "ms",
        ),
        Figure::new(
            "visible 20 ms away after acknowledgement, p99",
            millis(at(99)),
            "ms",
        )
        .goal(Goal::AtMost(most)),
    ])
}

/// Opens the relays between two regions and writes the dial table of each.
fn join(links: &Links, folder: &Path, (near, far): (Ports, Ports)) -> Result<Vec<Relay>> {
    let mut relays = Vec::new();
    let ways = [("near.json", NEAR, FAR, far), ("far.json", FAR, NEAR, near)];
    for (file, from, to, target) in ways {
        let mut table = serde_json::Map::new();
        for address in [target.api(), target.http(), target.https(), target.link()] {
            let relay = Relay::tcp(links, from, to, address)?;
            table.insert(address.to_string(), relay.address().to_string().into());
            relays.push(relay);
        }
        let gossip = target.gossip();
        let relay = Relay::udp(links, from, to, gossip)?;
        table.insert(gossip.to_string(), relay.address().to_string().into());
        relays.push(relay);
        let table = serde_json::Value::Object(table).to_string();
        std::fs::write(folder.join(file), table).context("write a dial table")?;
    }
    Ok(relays)
}

/// Writes at a steady rate, and returns how long the sampled writes took to be visible.
async fn probe(near: Ports, far: Ports) -> Result<Vec<Duration>> {
    let start = Instant::now() + START_PAUSE;
    let next = Arc::new(AtomicU64::new(0));
    let mut lanes = JoinSet::new();
    for _ in 0..WRITERS {
        let next = Arc::clone(&next);
        lanes.spawn(async move {
            let mut writer = Connection::open(near.api()).await?;
            let mut reader = Connection::open(far.api()).await?;
            let put = Head::new("PutItem", (NEAR, &near.api().to_string()));
            let get = Head::new("GetItem", (FAR, &far.api().to_string()));
            let mut seen = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let due = start + Duration::from_secs(1) * u32::try_from(at)? / RATE;
                if start + LENGTH <= due {
                    return anyhow::Ok(seen);
                }
                tokio::time::sleep_until(due.into()).await;
                let item = format!("w{at}");
                writer
                    .ok(&put.with(&put_body(&item)))
                    .await
                    .context("PutItem")?;
                if at.is_multiple_of(SAMPLED) {
                    let key = get.with(&get_body(&item));
                    seen.push(visible(&mut reader, &key).await?);
                }
            }
        });
    }
    let mut seen = Vec::new();
    while let Some(lane) = lanes.join_next().await {
        seen.extend(lane.context("a lane of the probe")??);
    }
    let over = start.elapsed().saturating_sub(LENGTH);
    anyhow::ensure!(
        over < LENGTH / 50,
        "{RATE} writes a second were not reached: they ended {over:?} late"
    );
    Ok(seen)
}

/// Asks for an item until it is there; returns how long that took.
async fn visible(reader: &mut Connection, get: &[u8]) -> Result<Duration> {
    let acknowledged = Instant::now();
    // Nothing can be there before the delay is over: asking earlier would only cost.
    tokio::time::sleep(DELAY.saturating_sub(Duration::from_millis(4))).await;
    while acknowledged.elapsed() < Duration::from_secs(5) {
        let response = reader.call(get).await?;
        anyhow::ensure!(
            response.status == 200,
            "GetItem: {} {}",
            response.status,
            response.head
        );
        if response.body.windows(6).any(|window| window == b"\"Item\"") {
            return Ok(acknowledged.elapsed());
        }
        // Asking without a pause would take the processor from those who are measured.
        tokio::time::sleep(LOOK).await;
    }
    anyhow::bail!("a write is not visible after five seconds")
}

const NEAR: &str = "us-east-1";

const FAR: &str = "eu-west-1";

/// One-way delay of the link.
const DELAY: Duration = Duration::from_millis(20);

/// How often a sampled write is looked for. Half a millisecond; it adds half of that on average.
const LOOK: Duration = Duration::from_micros(500);

/// What may come on top of the delay.
const MARGIN: Duration = Duration::from_millis(5);

/// Time to make ready in before the first write.
const START_PAUSE: Duration = Duration::from_millis(100);

/// Writes per second.
const RATE: u32 = 500;

/// How long it writes.
const LENGTH: Duration = Duration::from_secs(10);

/// Connections that write; each waits for its sampled writes to be visible.
const WRITERS: usize = 16;

/// One write in so many is looked for.
const SAMPLED: u64 = 10;
