//! A start after a kill amid writes: how long until reads, and until writes, of a large table.
//!
//! Items are small, so that their number and not their bytes is what a start could depend on.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::bench::dynamodb::{Calls, Head, call, get_body, is_processed, make_table, put_body};
use crate::bench::load::{self, Ask, Load};
use crate::bench::region::{self, Binary, Ports, REGION, Start};
use crate::bench::report::{Figure, Goal};
use crate::bench::{folder, runtime};

/// Fills a table, kills the region while it writes, starts it again.
pub(super) fn measure(binary: &Binary) -> Result<Vec<Figure>> {
    let folder = folder("restart")?;
    let ports = Ports::find(0)?;
    let manifest = region::manifest(&folder, &[(REGION, ports)])?;
    let start = Start::alone(binary, &folder, &manifest, ports);
    let address = ports.api();
    let process = start.start()?;
    runtime()?.block_on(make_table(address))?;
    let began = Instant::now();
    let writes = Calls {
        head: Head::new("BatchWriteItem", (REGION, &address.to_string())),
        body: |at, out: &mut Vec<u8>| out.extend_from_slice(batch(at).as_bytes()),
        is_done: is_processed,
    };
    load::fill(address, 16, ITEMS / BATCH, &writes).context("fill a table")?;
    eprintln!("filled in {:.0} s", began.elapsed().as_secs_f64());
    kill_amid_writes(process, address, &writes)?;
    let runtime = runtime()?;
    let began = Instant::now();
    let mut process = start.spawn()?;
    let mut until = |operation: &str, body: &str, shown: &str| {
        process.wait_for(Duration::from_mins(2), || {
            let answer = runtime.block_on(call(address, operation, body));
            answer.is_ok_and(|answer| answer.contains(shown))
        })?;
        anyhow::Ok(began.elapsed().as_secs_f64() * 1e3)
    };
    let reads = until("GetItem", &get_body(&key(ITEMS / 2)), PAYLOAD)?;
    let writes = until("PutItem", &put_body("after"), "")?;
    let resident = process.resident_mib()?;
    drop(process);
    std::fs::remove_dir_all(&folder).context("remove what was written")?;
    Ok(vec![
        Figure::new("first read after a kill, 10^7 items", reads, "ms").goal(Goal::AtMost(2e3)),
        Figure::new("first write after a kill, 10^7 items", writes, "ms").goal(Goal::AtMost(5e3)),
        Figure::new("memory after that start", resident, "MiB"),
    ])
}

/// Ends the process without a word while writes are on their way.
fn kill_amid_writes(
    process: crate::bench::process::Process,
    address: SocketAddr,
    writes: &impl Ask,
) -> Result<()> {
    let load = Load {
        connections: 16,
        warm_up: Duration::from_secs(1),
        measured: Duration::from_secs(5),
    };
    let mut process = Some(process);
    let ended = load::run(address, load, writes, || {
        // The load ends with the connections that this closes.
        drop(process.take());
        Ok(())
    });
    match (ended, process) {
        (Err(_), None) => Ok(()),
        (Err(error), Some(_)) => Err(error.context("write until the end of the process")),
        (Ok(_), _) => anyhow::bail!("the process outlived its end"),
    }
}

/// Writes the body of a BatchWriteItem of small items.
fn batch(at: u64) -> String {
    let mut text = r#"{"RequestItems":{"bench":["#.to_owned();
    for part in 0..BATCH {
        let comma = if part == 0 { "" } else { "," };
        let key = key(at * BATCH + part);
        _ = write!(
            text,
            r#"{comma}{{"PutRequest":{{"Item":{{"id":{{"S":"{key}"}},"v":{{"S":"{PAYLOAD}"}}}}}}}}"#
        );
    }
    text + "]}}"
}

/// Returns a key; consecutive ones lie apart, as those of a real table do.
fn key(at: u64) -> String {
    format!("k{:016x}", (at % ITEMS).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The name of this part.
pub(super) const NAME: &str = "restart";

/// Items of the table.
const ITEMS: u64 = 10_000_000;

/// Items of one request.
const BATCH: u64 = 25;

/// What makes an item 100 bytes.
const PAYLOAD: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst";
