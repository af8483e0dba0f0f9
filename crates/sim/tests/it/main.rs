//! Many seeds without a violation, every planted mistake found, and one seed twice the same.

mod data;
mod merging;

use health_core::planted::Planted;
use sim::run::{Options, Report, run};

/// Events before peace, in each run.
const EVENTS: u64 = 3_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    assert!(number.is_some(), "{variable} is a number, not {text:?}");
    number
}

fn go(seed: u64, planted: Planted) -> Report {
    run(Options {
        seed,
        events: EVENTS,
        planted,
    })
}

#[test]
fn nothing_is_ever_wrong() {
    let seeds = number("HITHER_SEEDS").unwrap_or(256);
    let wrong: Vec<String> = (0..seeds)
        .map(|seed| go(seed, Planted::Nothing))
        .filter(|report| report.violation.is_some())
        .map(|report| report.to_string())
        .collect();
    let count = wrong.len();
    assert!(wrong.is_empty(), "{count} seeds\n{}", wrong.join("\n"));
}

#[test]
fn replay() {
    let seed = number("HITHER_SEED").unwrap_or(1);
    let report = go(seed, Planted::Nothing);
    assert!(report.violation.is_none(), "{report}");
}

#[test]
fn one_seed_runs_the_same_twice_and_another_differs() {
    let trace = |seed| {
        let report = go(seed, Planted::Nothing);
        (report.digest, report.events, report.time, report.changes)
    };
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}

/// Finds a planted mistake in few seeds, and says how many it took.
#[track_caller]
fn found(planted: Planted) {
    let caught = (0..64).find(|seed| go(*seed, planted).violation.is_some());
    assert!(caught.is_some(), "{planted:?} went unnoticed");
}

#[test]
fn ignoring_the_quorum_is_found() {
    found(Planted::IgnoreQuorum);
}

#[test]
fn never_noticing_silence_is_found() {
    found(Planted::MissingHeartbeatTimeout);
}

#[test]
fn counting_the_votes_of_the_silent_is_found() {
    found(Planted::VotesOfTheSilent);
}

#[test]
fn returning_without_a_hold_down_is_found() {
    found(Planted::NoHoldDown);
}

#[test]
fn accepting_replays_is_found() {
    found(Planted::AcceptReplays);
}
