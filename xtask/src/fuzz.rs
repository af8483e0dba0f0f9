//! `cargo xtask fuzz`: libFuzzer on one target, for a budget of seconds.
//!
//! ```text
//! fuzz/corpus/NAME ──► read only: the inputs that are kept ─┐
//! target/fuzz/corpus/NAME ◄──► what this machine has found ─┴─► libFuzzer ──► target/fuzz/found
//! ```
//!
//! It needs a nightly compiler, and installs cargo-fuzz itself. What is found is not kept by
//! itself: an input that shows a mistake is copied to `fuzz/corpus/NAME`, where an ordinary test
//! runs it, and `cargo xtask fuzz-keep` adds the few that together reach the most.
//! Source: LLVM, libFuzzer.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::root;
use crate::run::{self, Verdict};
use crate::tools::target;

mod keep;

/// Fuzzes one target, or with `all` each of them in turn, and says how often it was run.
pub(crate) fn fuzz(name: &str, secs: &str) -> Result<Verdict> {
    let secs: u32 = secs.parse().context("a budget is a number of seconds")?;
    let chosen = chosen(name)?;
    let cargo_fuzz = install()?;
    let mut failed = false;
    for name in chosen {
        println!("── {name}, {secs} s");
        let mut command = command(&cargo_fuzz, &name)?;
        command.arg(format!("-max_total_time={secs}"));
        failed |= !run::run(&mut command)?;
    }
    Ok(if failed {
        Verdict::Failed
    } else {
        Verdict::Passed
    })
}

/// Keeps what one target, or with `all` each of them, has found: the few inputs that reach the
/// most.
pub(crate) fn keep(name: &str) -> Result<Verdict> {
    let chosen = chosen(name)?;
    let cargo_fuzz = install()?;
    for name in chosen {
        let folder = target().join("fuzz/merge").join(&name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("empty the folder of a merge")?;
        }
        std::fs::create_dir_all(folder.join("out")).context("make a folder for a merge")?;
        let told = folder.join("told");
        let mut command = merge(&cargo_fuzz, &name, &folder.join("out"))?;
        command.arg(format!("-merge_control_file={}", told.display()));
        run::must(command.arg("-merge=1"))?;
        let told = std::fs::read_to_string(&told).context("read what the merge told")?;
        let kept = root().join("fuzz/corpus").join(&name);
        let added = keep::add(&keep::parse(&told), &kept)?;
        println!("── {name}: {added} inputs added");
    }
    Ok(Verdict::Passed)
}

fn chosen(name: &str) -> Result<Vec<String>> {
    let all = names()?;
    let is_chosen = |own: &&String| name == "all" || *own == name;
    let chosen: Vec<String> = all.iter().filter(is_chosen).cloned().collect();
    anyhow::ensure!(!chosen.is_empty(), "the targets are: {}", all.join(", "));
    Ok(chosen)
}

/// Returns what runs a target over what was found and what is kept.
fn command(cargo_fuzz: &Path, name: &str) -> Result<Command> {
    over(cargo_fuzz, name, &[found(name)?, kept(name)])
}

/// Returns what runs a target over the same inputs and lets none of them be added to.
fn merge(cargo_fuzz: &Path, name: &str, out: &Path) -> Result<Command> {
    over(
        cargo_fuzz,
        name,
        &[out.to_owned(), kept(name), found(name)?],
    )
}

/// Returns the folder of what was found, which is there then.
fn found(name: &str) -> Result<PathBuf> {
    let found = target().join("fuzz/corpus").join(name);
    std::fs::create_dir_all(&found).context("make a folder for what is found")?;
    Ok(found)
}

fn kept(name: &str) -> PathBuf {
    root().join("fuzz/corpus").join(name)
}

fn over(cargo_fuzz: &Path, name: &str, corpora: &[PathBuf]) -> Result<Command> {
    let home = target().join("fuzz");
    let artifacts = home.join("found").join(name);
    std::fs::create_dir_all(&artifacts).context("make a folder for what is found")?;
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
    command.arg(home.join("build")).arg(name);
    command.args(corpora).arg("--");
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.args(LIMITS);
    command.arg(format!("-max_len={}", length_max(name)));
    if LENGTH_MAX < length_max(name) {
        // Long inputs from the first second on: the budget is too short to grow to them.
        command.arg("-len_control=0");
    }
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
fn install() -> Result<PathBuf> {
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

/// One input may take ten seconds and 1 GiB.
///
/// No sanitizer: this code has no `unsafe` of its own, and is tried twice as often without.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"];

/// Returns how long an input may be, in bytes: beyond the bound of what is read, where that is
/// more than [`LENGTH_MAX`].
fn length_max(name: &str) -> u32 {
    match name {
        // Statements of 8,192 characters.
        "partiql_statement" => 9 * 1_024,
        // Policies of 131,072 characters.
        "iam_policy" => 132 * 1_024,
        // Clauses of 4 KiB, and requests that hold one.
        "expressions" => 4_608,
        "dynamodb_json" => 8_192,
        // What unpacks to more than 16 MiB, at the thousandfold that gzip reaches.
        "gzip_body" => 20 * 1_024,
        _ => LENGTH_MAX,
    }
}

/// How long an input may be otherwise. 4 KiB.
const LENGTH_MAX: u32 = 4_096;
