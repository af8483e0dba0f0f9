//! Running other programs, and counting the tests that they ran.
//!
//! Their output goes through unchanged.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// Whether a task found everything in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is wrong.
    Passed,
    /// Something is, and has been said.
    Failed,
}

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    pub(crate) fn verdict(self) -> Verdict {
        if self.failed == 0 {
            Verdict::Passed
        } else {
            Verdict::Failed
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs a command; returns whether it succeeded.
pub(crate) fn run(command: &mut Command) -> Result<bool> {
    let status = command
        .status()
        .with_context(|| format!("start {}", shown(command)))?;
    Ok(status.success())
}

/// Runs a command that must succeed.
pub(crate) fn must(command: &mut Command) -> Result<()> {
    anyhow::ensure!(run(command)?, "{} failed", shown(command));
    Ok(())
}

/// Runs a command and returns what it printed to standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start {}", shown(command)))?;
    anyhow::ensure!(output.status.success(), "{} failed", shown(command));
    String::from_utf8(output.stdout).context("its output is UTF-8")
}

/// Runs a test runner, shows its output and returns its tally.
///
/// A runner that fails without a count, as when tests do not compile, counts as one failure.
pub(crate) fn tally(runner: Runner, command: &mut Command) -> Result<Tally> {
    let shown = shown(command);
    if std::io::stderr().is_terminal() {
        // Behind a pipe they would not colour what a person is about to see.
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {shown}"))?;
    let out = child.stdout.take().context("stdout is piped")?;
    let err = child.stderr.take().context("stderr is piped")?;
    let (mut tally, on_err) = std::thread::scope(|scope| {
        let errors = scope.spawn(|| {
            let mut tally = Tally::default();
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                eprintln!("{line}");
                tally += runner.count(&line).unwrap_or_default();
            }
            tally
        });
        let mut tally = Tally::default();
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            println!("{line}");
            tally += runner.count(&line).unwrap_or_default();
        }
        (tally, errors.join().unwrap_or_default())
    });
    tally += on_err;
    let success = child
        .wait()
        .with_context(|| format!("run {shown}"))?
        .success();
    if !success && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

/// A program that runs tests and closes with a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// cargo-nextest, which also shows the closing lines of single tests that failed.
    Nextest,
    /// cargo test.
    Cargo,
    /// pytest.
    Pytest,
}

impl Runner {
    /// Reads the runner's closing line; `None` for any other line.
    fn count(self, line: &str) -> Option<Tally> {
        let line = without_colours(line);
        let line = line.trim();
        let counts = match self {
            Self::Nextest => line.strip_prefix("Summary [")?.split_once("run:")?.1,
            Self::Cargo => line.strip_prefix("test result: ")?,
            Self::Pytest => line.trim_matches(['=', ' ']).split_once(" in ")?.0,
        };
        let words: Vec<&str> = counts
            .split([' ', ',', ';', '.'])
            .filter(|word| !word.is_empty())
            .collect();
        let before = |noun: &str| {
            let at = words.iter().position(|word| *word == noun)?;
            words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
        };
        let (passed, failed) = (before("passed"), before("failed"));
        let errors = before("error").or_else(|| before("errors"));
        passed.or(failed).or(errors)?;
        Some(Tally {
            passed: passed.unwrap_or(0),
            failed: failed.unwrap_or(0) + errors.unwrap_or(0),
        })
    }
}

/// Takes the escape sequences of colours out of a line.
fn without_colours(line: &str) -> String {
    let mut pieces = line.split('\u{1b}');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // A sequence is `[`, numbers and semicolons, then the letter that ends it.
        let end = piece.find(|c: char| c.is_ascii_alphabetic());
        text.push_str(end.and_then(|at| piece.get(at + 1..)).unwrap_or_default());
    }
    text
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
