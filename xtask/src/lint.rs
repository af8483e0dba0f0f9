//! `cargo xtask lint`: formatting, clippy, dependencies, spelling.
//!
//! All of them run, so that one run reports everything.

use anyhow::Result;

use crate::run::{self, Verdict};
use crate::tools::Tools;

pub(crate) fn lint() -> Result<Verdict> {
    let failed = failures()?;
    if failed.is_empty() {
        println!("lint: all {} in order", LINTS.len());
        return Ok(Verdict::Passed);
    }
    println!("lint: not in order: {}", failed.join(", "));
    Ok(Verdict::Failed)
}

/// Runs every lint and returns the names of those that found something.
pub(crate) fn failures() -> Result<Vec<&'static str>> {
    let tools = Tools::install()?;
    let mut failed = Vec::new();
    for (name, program, arguments) in LINTS {
        println!("── {name}");
        if !run::run(tools.command(program).args(*arguments))? {
            failed.push(*name);
        }
    }
    Ok(failed)
}

const LINTS: &[(&str, &str, &[&str])] = &[
    ("rustfmt", "cargo", &["fmt", "--all", "--", "--check"]),
    (
        "clippy",
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ),
    (
        "cargo-deny",
        "cargo",
        &[
            "deny",
            "--offline",
            "--log-level",
            "error",
            "check",
            "bans",
            "licenses",
            "sources",
        ],
    ),
    ("typos", "typos", &[]),
    ("taplo", "taplo", &["fmt", "--check"]),
];
