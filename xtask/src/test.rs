//! `cargo xtask test`: every test of every crate, then the end-to-end tests.
//!
//! It judges nothing itself: it starts the runners and adds up their counts.

use anyhow::Result;

use crate::run::{self, Runner, Tally, Verdict};
use crate::tools::{Tools, target};
use crate::{needs, root, tidy};

pub(crate) fn test(filter: &[&str]) -> Result<Verdict> {
    let tally = tally(filter)?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.verdict())
}

/// Runs all tests whose names contain one of `filter`, all tests when it is empty.
pub(crate) fn tally(filter: &[&str]) -> Result<Tally> {
    needs::check()?;
    let tools = Tools::install()?;
    let mut nextest = tools.command("cargo");
    nextest.args([
        "nextest",
        "run",
        "--workspace",
        "--no-fail-fast",
        "--no-tests=pass",
    ]);
    let mut tally = run::tally(Runner::Nextest, nextest.args(filter))?;
    if filter.is_empty() {
        for package in tidy::packages_with_doc_tests()? {
            let mut command = tools.command("cargo");
            tally += run::tally(
                Runner::Cargo,
                command.args(["test", "--quiet", "--doc", "-p", &package]),
            )?;
        }
    }
    tally += end_to_end(&tools, filter)?;
    Ok(tally)
}

/// Builds the program once and runs the scripts that start it.
fn end_to_end(tools: &Tools, filter: &[&str]) -> Result<Tally> {
    let mut build = tools.command("cargo");
    run::must(build.args(["build", "-p", "hither", "-p", "cart", "-p", "sdk-walk"]))?;
    // What others wrote for DynamoDB; those whose own tools are missing here are left out.
    let mut clients = tools.command("python3");
    clients
        .arg(root().join("tests/e2e/dynamodb/clients/install.py"))
        .arg(target().join("tools/clients"));
    run::must(&mut clients)?;
    let mut pytest = tools.command("python3");
    pytest
        // With the reason of each test that is skipped.
        .args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"])
        .arg(root().join("tests/e2e"))
        .env("HITHER_BIN", target().join("debug/hither"))
        .env("HITHER_TOOLS", tools.program(""));
    if !filter.is_empty() {
        pytest.args(["-k", &filter.join(" or ")]);
    }
    run::tally(Runner::Pytest, &mut pytest)
}
