//! `cargo xtask fuzz`: libFuzzer on one target, for a budget of seconds.
//!
//! ```text
//! fuzz/corpus/NAME ──► read only: the inputs that are kept ─┐
//! target/fuzz/corpus/NAME ◄──► what this machine has found ─┴─► libFuzzer ──► target/fuzz/found
//! ```
//!
//! It needs a nightly compiler, and installs cargo-fuzz itself. What is found is not kept by
//! itself: an input that shows a mistake is copied to `fuzz/corpus/NAME`, where an ordinary test
//! runs it. Source: LLVM, libFuzzer.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::root;
use crate::run::{self, Verdict};
use crate::tools::target;

/// Fuzzes one target, or with `all` each of them in turn, and says how often it was run.
pub(crate) fn fuzz(name: &str, secs: &str) -> Result<Verdict> {
    let secs: u32 = secs.parse().context("a budget is a number of seconds")?;
    let all = names()?;
    let chosen: Vec<&String> = all
        .iter()
        .filter(|own| name == "all" || *own == name)
        .collect();
    anyhow::ensure!(!chosen.is_empty(), "the targets are: {}", all.join(", "));
    let cargo_fuzz = install()?;
    let mut failed = false;
    for name in chosen {
        println!("── {name}, {secs} s");
        failed |= !run::run(&mut command(&cargo_fuzz, name, secs)?)?;
    }
    Ok(if failed {
        Verdict::Failed
    } else {
        Verdict::Passed
    })
}

fn command(cargo_fuzz: &Path, name: &str, secs: u32) -> Result<Command> {
    let home = target().join("fuzz");
    let (found, artifacts) = (
        home.join("corpus").join(name),
        home.join("found").join(name),
    );
    for folder in [&found, &artifacts] {
        std::fs::create_dir_all(folder).context("make a folder for what is found")?;
    }
    let mut command = Command::new("cargo");
    command.current_dir(root().join("fuzz"));
    command.env("RUSTUP_TOOLCHAIN", NIGHTLY);
    // Compiled by a cargo of its own, which must not inherit what this one was told.
    command.env_remove("CARGO").env_remove("RUSTC");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(cargo_fuzz.to_owned()).chain(std::env::split_paths(&path));
    command.env(
        "PATH",
        std::env::join_paths(paths).context("extend the path")?,
    );
    command.args(["fuzz", "run", "--sanitizer", "none", "--target-dir"]);
    command.arg(home.join("build")).arg(name).arg(&found);
    command.arg(root().join("fuzz/corpus").join(name)).arg("--");
    command.arg(format!("-max_total_time={secs}"));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.args(LIMITS);
    let dictionary = root().join(format!("fuzz/dictionaries/{name}.dict"));
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    Ok(command)
}

/// Returns the targets' names, in order.
fn names() -> Result<Vec<String>> {
    let folder = std::fs::read_dir(root().join("fuzz/fuzz_targets")).context("list the targets")?;
    let stem = |entry: std::fs::DirEntry| Some(entry.path().file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = folder.flatten().filter_map(stem).collect();
    names.sort();
    Ok(names)
}

/// Installs the pinned cargo-fuzz unless it is there; returns the folder of its program.
fn install() -> Result<std::path::PathBuf> {
    let home = target()
        .join("tools")
        .join(format!("cargo-fuzz-{CARGO_FUZZ}"));
    if !home.join("bin/cargo-fuzz").exists() {
        println!("installing cargo-fuzz {CARGO_FUZZ} into {}", home.display());
        let mut install = Command::new("cargo");
        install.args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ]);
        run::must(install.arg("--root").arg(&home))?;
    }
    Ok(home.join("bin"))
}

/// The budget of a target where none is named.
pub(crate) const BUDGET_SECS: &str = "60";

/// The version that is installed.
const CARGO_FUZZ: &str = "0.13.2";

/// The toolchain that instruments: coverage that a fuzzer reads is not in stable Rust.
const NIGHTLY: &str = "nightly";

/// One input may take ten seconds and 1 GiB, and be 4 KiB long.
///
/// No sanitizer: this code has no `unsafe` of its own, and is tried twice as often without.
const LIMITS: [&str; 4] = [
    "-timeout=10",
    "-rss_limit_mb=1024",
    "-max_len=4096",
    "-print_final_stats=1",
];
