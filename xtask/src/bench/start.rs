//! Start to serving, and idle memory, of a region with empty data.
//!
//! Serving means that an AWS call is answered, not that a port is bound.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::bench::region::{self, Binary, Ports, REGION, Start};
use crate::bench::report::{Figure, Goal};
use crate::bench::{dynamodb, folder, runtime};

/// Milliseconds until a region serves, and MiB that it holds idle, at most.
pub(super) type Goals = (f64, f64);

pub(super) fn measure(binary: &Binary, (started, idle): Goals) -> Result<Vec<Figure>> {
    let mut starts = Vec::new();
    let mut resident = Vec::new();
    for _ in 0..STARTS {
        let folder = folder("start")?;
        let ports = Ports::find(0)?;
        let manifest = region::manifest(&folder, &[(REGION, ports)])?;
        let start = Start::alone(binary, &folder, &manifest, ports);
        let runtime = runtime()?;
        let began = Instant::now();
        let mut process = start.spawn()?;
        process.wait_for(Duration::from_secs(20), || {
            let tables = dynamodb::call(ports.api(), "ListTables", "{}");
            runtime.block_on(tables).is_ok()
        })?;
        starts.push(began.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(IDLE);
        resident.push(process.resident_mib()?);
    }
    Ok(vec![
        Figure::new("start to serving", median(&mut starts), "ms").goal(Goal::AtMost(started)),
        Figure::new("idle memory", median(&mut resident), "MiB").goal(Goal::AtMost(idle)),
    ])
}

/// Returns the middle of an odd number of values.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The name of this part.
pub(super) const NAME: &str = "start";

/// What a first look asks for, and what the whole is to reach.
pub(super) const SMOKE: Goals = (300.0, 60.0);
pub(super) const AIMED: Goals = (50.0, 20.0);

/// Starts measured; the middle one counts.
const STARTS: usize = 5;

/// How long a region is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(3);
