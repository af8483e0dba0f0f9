//! `cargo xtask faults`: real regions under kills, failing disks, damage and cuts, with a ledger.
//!
//! It judges nothing itself: `tests/e2e/faults` does, and its short forms are ordinary tests.

use anyhow::Result;

use crate::root;
use crate::run::{self, Verdict};
use crate::tools::{Tools, target};

/// Runs one fault, or `all`; `rounds` as on the command line, or none for the fault's own number.
pub(crate) fn faults(name: &str, rounds: &[&str]) -> Result<Verdict> {
    let tools = Tools::install()?;
    let mut build = tools.command("cargo");
    run::must(build.args(["build", "-p", "hither", "--bin", "hither"]))?;
    let mut python = tools.command("python3");
    python
        .arg(root().join("tests/e2e/faults/long.py"))
        .arg(name)
        .args(rounds)
        .env("HITHER_BIN", target().join("debug/hither"))
        .env("HITHER_TOOLS", tools.program(""));
    Ok(if run::run(&mut python)? {
        Verdict::Passed
    } else {
        Verdict::Failed
    })
}
