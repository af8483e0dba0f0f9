//! A new replica of a table of a million items, copied while nobody writes.
//!
//! No relay stands between, so that the copy alone takes the time.

use std::time::Instant;

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::bench::dynamodb::{Calls, Head, is_written, put_body};
use crate::bench::load;
use crate::bench::region::Binary;
use crate::bench::replication::pair::{NEAR, Pair};
use crate::bench::report::{Figure, Goal};

pub(super) fn measure(binary: &Binary, runtime: &Runtime) -> Result<Vec<Figure>> {
    let pair = Pair::start(binary, runtime, None)?;
    runtime.block_on(pair.make_table())?;
    let near = pair.near.ports.api();
    let puts = Calls {
        head: Head::new("PutItem", (NEAR, &near.to_string())),
        body: |at, out: &mut Vec<u8>| out.extend_from_slice(put_body(&format!("k{at}")).as_bytes()),
        is_done: is_written,
    };
    load::fill(near, 64, ITEMS, &puts)?;
    pair.near.process.settle()?;
    let began = Instant::now();
    runtime.block_on(pair.replicate())?;
    let secs = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a million")]
    let rate = ITEMS as f64 / secs;
    Ok(vec![
        Figure::new("items copied to a new replica", rate, "/s").goal(Goal::AtLeast(100_000.0)),
        Figure::new(
            "a new replica of 1,000,000 items is active after",
            secs,
            "s",
        ),
        Figure::new("its memory then", pair.far.process.resident_mib()?, "MiB"),
    ])
}

const ITEMS: u64 = 1_000_000;
