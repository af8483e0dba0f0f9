//! Tests of counting: the closing lines of three test runners.

use std::process::Command;

use super::{Runner, Tally, tally};

#[track_caller]
fn check(runner: Runner, line: &str, passed: u64, failed: u64) {
    assert_eq!(runner.count(line), Some(Tally { passed, failed }));
}

#[test]
fn closing_lines() {
    let line = "     Summary [   0.514s] 67 tests run: 67 passed, 0 skipped";
    check(Runner::Nextest, line, 67, 0);
    let line = "     Summary [   9.1s] 9 tests run: 7 passed (1 slow), 2 failed, 3 skipped";
    check(Runner::Nextest, line, 7, 2);
    let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.5s] \u{1b}[1m2\u{1b}[0m tests run: \
                \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped";
    check(Runner::Nextest, line, 2, 0);
    let line = "test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured";
    check(Runner::Cargo, line, 30, 0);
    let line = "========= 3 passed, 1 failed, 2 warnings in 0.12s =========";
    check(Runner::Pytest, line, 3, 1);
    check(Runner::Pytest, "1 failed, 2 passed, 1 error in 3.40s", 2, 2);
}

#[test]
fn other_lines() {
    // nextest shows what a failed test printed, libtest's own closing line included.
    assert_eq!(
        Runner::Nextest.count("test result: FAILED. 0 passed; 1 failed"),
        None
    );
    assert_eq!(Runner::Cargo.count("test nothing_failed ... ok"), None);
    assert_eq!(Runner::Pytest.count("=== FAILURES ==="), None);
    assert_eq!(Runner::Pytest.count("it sat in the sun"), None);
}

#[test]
fn a_runner_that_fails_without_a_count_is_one_failure() {
    let script = |text: &str| {
        let mut shell = Command::new("sh");
        tally(Runner::Pytest, shell.args(["-c", text])).expect("a shell")
    };
    let expect = |passed, failed| Tally { passed, failed };
    assert_eq!(script("exit 3"), expect(0, 1));
    assert_eq!(script("echo '2 passed in 0.1s'"), expect(2, 0));
    assert_eq!(script("echo '2 passed in 0.1s' >&2; exit 1"), expect(2, 1));
}
