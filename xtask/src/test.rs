//! `cargo xtask test`: every test of every crate, then the end-to-end tests.
//!
//! It judges nothing itself: it starts the runners and adds up their counts.

use anyhow::Result;

use crate::run::{self, Runner, Tally, Verdict};
use crate::tools::{Tools, target};
use crate::{root, tidy};

pub(crate) fn test(filter: &[&str]) -> Result<Verdict> {
    let tally = tally(filter)?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.verdict())
}

/// Runs all tests whose names contain one of `filter`, all tests when it is empty.
pub(crate) fn tally(filter: &[&str]) -> Result<Tally> {
    let tools = Tools::install()?;
    let nextest = |packages: &[&str]| {
        let mut command = tools.command("cargo");
        command.args(["nextest", "run", "--no-fail-fast", "--no-tests=pass"]);
        command.args(packages).args(filter);
        command
    };
    let mut tally = run::tally(
        Runner::Nextest,
        &mut nextest(&["--workspace", "--exclude", "testkit"]),
    )?;
    if filter.is_empty() {
        for package in tidy::packages_with_doc_tests()? {
            let mut command = tools.command("cargo");
            tally += run::tally(
                Runner::Cargo,
                command.args(["test", "--quiet", "--doc", "-p", &package]),
            )?;
        }
    }
    tally += end_to_end(&tools, nextest(&["-p", "testkit"]), filter)?;
    Ok(tally)
}

/// Builds the program once and runs the tests that start it.
fn end_to_end(tools: &Tools, mut nextest: std::process::Command, filter: &[&str]) -> Result<Tally> {
    run::must(
        tools
            .command("cargo")
            .args(["build", "-p", "hither", "-p", "cart"]),
    )?;
    let programs = target().join("debug");
    let with_program = |command: &mut std::process::Command| {
        command.env("HITHER_BIN", programs.join("hither"));
        command.env("HITHER_TOOLS", tools.program(""));
    };
    with_program(&mut nextest);
    let mut tally = run::tally(Runner::Nextest, &mut nextest)?;
    let scripts = root().join("tests/e2e");
    if scripts.is_dir() {
        let mut pytest = tools.command("python3");
        pytest
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .arg(scripts);
        if !filter.is_empty() {
            pytest.args(["-k", &filter.join(" or ")]);
        }
        with_program(&mut pytest);
        tally += run::tally(Runner::Pytest, &mut pytest)?;
    }
    Ok(tally)
}
