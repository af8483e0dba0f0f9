//! `cargo xtask bench NAME`: figures beside those of peers, from one run on one machine.
//!
//! ```text
//! release binary ─┐
//! peer ───────────┴─► one load generator ─► figure: ours, theirs, ratio, goal
//! ```
//!
//! It asserts nothing: figures of a busy machine fail no test. Loads are bounded in time,
//! connections and rate, and go to loopback alone.

mod debian;
mod dns;
mod dynamodb;
mod http;
mod load;
mod process;
mod proxy;
mod region;
mod replication;
mod report;
mod start;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::root;
use crate::run::{self, Verdict};
use crate::tools::target;
pub(crate) use dynamodb::serve_ceiling;
pub(crate) use report::Form;
use report::Report;

/// Runs one benchmark and prints its figures.
pub(crate) fn bench(name: &str, only: &str, form: Form) -> Result<Verdict> {
    if cfg!(debug_assertions) {
        return again_in_release(name, only, form);
    }
    let report = match name {
        "smoke" => smoke()?,
        "dynamodb" => {
            let part = dynamodb::Part::parse(only)?;
            dynamodb::whole(&region::build()?, part)
        }
        "replication" => replication::whole(&region::build()?, only)?,
        _ => {
            anyhow::bail!("there is no benchmark {name:?}; there are: smoke, dynamodb, replication")
        }
    };
    print!("{}", report.render(form)?);
    // A goal that is not met says so; what was not measured says nothing.
    Ok(if report.failures.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed
    })
}

/// Starts this program again, optimised: the load generator must not be what is measured.
fn again_in_release(name: &str, only: &str, form: Form) -> Result<Verdict> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "run",
        "--release",
        "--quiet",
        "-p",
        "xtask",
        "--",
        "bench",
        name,
        "--only",
        only,
    ]);
    if form == Form::Json {
        cargo.arg("--json");
    }
    let success = run::run(cargo.current_dir(root()))?;
    Ok(if success {
        Verdict::Passed
    } else {
        Verdict::Failed
    })
}

/// Every figure that a first look needs. A part that cannot run says why and leaves the others.
fn smoke() -> Result<Report> {
    let binary = region::build()?;
    let mut report = Report::default();
    let parts: [(&str, Part); 5] = [
        ("start", |binary| start::measure(binary, start::SMOKE)),
        ("dynamodb", dynamodb::measure),
        ("replication", replication::measure),
        ("dns", dns::measure),
        ("proxy", proxy::measure),
    ];
    for (name, part) in parts {
        eprintln!("── {name}");
        match part(&binary) {
            Ok(figures) => report.figures.extend(figures),
            Err(error) => report.failures.push(format!("{name}: {error:#}")),
        }
    }
    Ok(report)
}

type Part = fn(&region::Binary) -> Result<Vec<report::Figure>>;

/// Returns an empty folder under the target directory.
fn folder(name: &str) -> Result<PathBuf> {
    let folder = target().join("bench").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("empty a folder of the last run")?;
    }
    std::fs::create_dir_all(&folder).context("make a folder for the run")?;
    Ok(folder)
}

/// Makes a runtime for the load generator: one thread, so that its cost is known.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start a runtime")
}
