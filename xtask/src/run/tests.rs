//! Tests of counting: the closing lines of three test runners.

use std::process::Command;

use super::{Tally, count, tally};

#[track_caller]
fn check(line: &str, passed: u64, failed: u64) {
    assert_eq!(count(line), Some(Tally { passed, failed }));
}

#[test]
fn closing_lines() {
    check(
        "     Summary [   0.514s] 67 tests run: 67 passed, 0 skipped",
        67,
        0,
    );
    check(
        "     Summary [   9.1s] 9 tests run: 7 passed (1 slow), 2 failed, 3 skipped",
        7,
        2,
    );
    check(
        "test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured",
        30,
        0,
    );
    check(
        "========= 3 passed, 1 failed, 2 warnings in 0.12s =========",
        3,
        1,
    );
    check("1 failed, 2 passed, 1 error in 3.40s", 2, 2);
}

#[test]
fn other_lines() {
    assert_eq!(count("test manifest::nothing_failed ... ok"), None);
    assert_eq!(count("   Compiling wan v0.0.0"), None);
    assert_eq!(count("=== FAILURES ==="), None);
    assert_eq!(count("    Finished `test` profile in 1.2s"), None);
}

#[test]
fn a_runner_that_fails_without_a_count_is_one_failure() {
    let script = |text: &str| tally(Command::new("sh").args(["-c", text])).expect("a shell");
    assert_eq!(
        script("exit 3"),
        Tally {
            passed: 0,
            failed: 1
        }
    );
    assert_eq!(
        script("echo '2 passed in 0.1s'"),
        Tally {
            passed: 2,
            failed: 0
        }
    );
    assert_eq!(
        script("echo '2 passed in 0.1s' >&2; exit 1"),
        Tally {
            passed: 2,
            failed: 1
        }
    );
}
