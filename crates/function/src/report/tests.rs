//! Lambda's own lines and bodies, letter by letter.

use super::*;

struct Fixed(u64);

impl Entropy for Fixed {
    fn random(&self) -> u64 {
        self.0
    }
}

fn report(status: Status) -> String {
    report_line(&Report {
        request_id: "id",
        duration: Duration::from_micros(1_234_567),
        memory_mb: 128,
        used_mb: Some(31),
        init: (status != Status::Answered).then_some(Duration::from_micros(45_670)),
        status,
    })
}

#[test]
fn lines_are_as_lambda_writes_them() {
    assert_eq!(start_line("id"), "START RequestId: id Version: $LATEST");
    assert_eq!(end_line("id"), "END RequestId: id");
    assert_eq!(
        report(Status::Answered),
        "REPORT RequestId: id\tDuration: 1234.57 ms\tBilled Duration: 1235 ms\t\
         Memory Size: 128 MB\tMax Memory Used: 31 MB\t"
    );
    assert_eq!(
        report(Status::TimedOut),
        "REPORT RequestId: id\tDuration: 1234.57 ms\tBilled Duration: 1235 ms\t\
         Memory Size: 128 MB\tMax Memory Used: 31 MB\tInit Duration: 45.67 ms\tStatus: timeout"
    );
    assert_eq!(
        init_report_line(Duration::from_secs(10), "timeout"),
        "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"
    );
}

#[test]
fn a_timeout_names_moment_invocation_and_limit() {
    assert_eq!(
        timed_out_message(
            WallTime::from_micros(1_767_225_600_123_456),
            "id",
            Duration::from_secs(3)
        ),
        "2026-01-01T00:00:00.123Z id Task timed out after 3.00 seconds"
    );
}

#[test]
fn error_bodies_are_json_whatever_the_text() {
    let body = error_body("Runtime.ExitError", "a \"b\" \\ \n\t\u{1} é");
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        r#"{"errorType":"Runtime.ExitError","errorMessage":"a \"b\" \\ \n\t\u0001 é"}"#
    );
}

#[test]
fn identifiers_have_their_shapes() {
    assert_eq!(
        request_id(&Fixed(u64::MAX)),
        "ffffffff-ffff-4fff-bfff-ffffffffffff"
    );
    assert_eq!(
        request_id(&Fixed(0)),
        "00000000-0000-4000-8000-000000000000"
    );
    let at = WallTime::from_micros(1_767_225_600_000_000);
    assert_eq!(
        log_stream(at, &Fixed(0xab)),
        "2026/01/01/[$LATEST]00000000000000ab00000000000000ab"
    );
    assert_eq!(
        trace_id(at, &Fixed(u64::MAX)),
        "Root=1-6955b900-ffffffffffffffffffffffff;Parent=ffffffffffffffff;Sampled=0"
    );
}
