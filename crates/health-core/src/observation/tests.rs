//! Codes round-trip, and texts read as Route 53's.

use proptest::prelude::{any, proptest};

use super::{Failure, Outcome, Success};

#[track_caller]
fn text(outcome: Outcome, expect: &str) {
    assert_eq!(outcome.to_string(), expect);
}

#[test]
fn texts_are_those_of_get_health_check_status() {
    text(Outcome::of_status(200), "Success: HTTP Status Code 200, OK");
    text(
        Outcome::of_status(503),
        "Failure: HTTP Status Code 503, Service Unavailable",
    );
    text(Outcome::of_status(299), "Success: HTTP Status Code 299");
    text(
        Outcome::Failure(Failure::ConnectTimeout),
        "Failure: The health checker could not establish a connection within the timeout limit.",
    );
}

#[test]
fn two_and_three_hundreds_are_healthy() {
    for (status, healthy) in [(199, false), (200, true), (399, true), (400, false)] {
        assert_eq!(Outcome::of_status(status).is_success(), healthy, "{status}");
    }
}

#[test]
fn every_outcome_has_its_own_code() {
    let all = [
        Outcome::Success(Success::Connected),
        Outcome::Success(Success::Status(204)),
        Outcome::Failure(Failure::Status(500)),
        Outcome::Failure(Failure::NotFound(200)),
        Outcome::Failure(Failure::ConnectTimeout),
        Outcome::Failure(Failure::Refused),
        Outcome::Failure(Failure::Unreachable),
        Outcome::Failure(Failure::Closed),
        Outcome::Failure(Failure::Tls),
        Outcome::Failure(Failure::ResponseTimeout),
        Outcome::Failure(Failure::Malformed),
        Outcome::Failure(Failure::Unresolved),
        Outcome::Failure(Failure::Lost),
    ];
    for outcome in all {
        let (code, status) = outcome.to_code();
        assert_eq!(Outcome::of_code(code, status), Some(outcome));
    }
}

proptest! {
    #[test]
    fn an_outcome_has_one_encoding(code in any::<u8>(), status in any::<u16>()) {
        if let Some(outcome) = Outcome::of_code(code, status) {
            assert_eq!(outcome.to_code(), (code, status));
        }
    }
}
