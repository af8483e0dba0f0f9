//! Tests of goals and of both forms of a report.

use super::{Figure, Form, Goal, Report, Row};

fn report() -> Report {
    Report {
        figures: vec![
            Figure::new("reads", 900.0, "/s")
                .beside("peer", 300.0)
                .goal(Goal::TimesPeer(2.0)),
            Figure::new("memory", 61.25, "MiB").goal(Goal::AtMost(60.0)),
            Figure::new("time", 1.5, "µs"),
        ],
        rows: vec![Row {
            work: "GetItem".to_owned(),
            server: "ours",
            rate: 900.0,
            millis: [1.0, 2.0, 3.0],
            cpu_us: 10.0,
        }],
        failures: vec!["dns: no peer".to_owned()],
    }
}

#[test]
fn a_table_for_people() {
    let table = report().render(Form::Table).expect("it renders");
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[1].starts_with("reads") && lines[1].contains("3.00"),
        "{table}"
    );
    assert!(
        lines[1].ends_with("yes") && lines[2].ends_with("NO"),
        "{table}"
    );
    assert_eq!(lines[4], "not measured: dns: no peer");
    assert!(lines[7].starts_with("GetItem") && lines[7].contains("2.00"));
}

#[test]
fn json_for_machines() {
    let json = report().render(Form::Json).expect("it renders");
    let report: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let goals = report["goals"].as_array().expect("an array");
    assert_eq!(goals.len(), 2, "a ratio, and a bound");
    assert_eq!(goals[0]["value"], 3.0);
    assert_eq!(goals[0]["goal"], 2.0);
    assert_eq!(goals[0]["met"], true);
    assert_eq!(goals[1]["met"], false);
    let figures = report["figures"].as_array().expect("an array");
    assert!(figures[1]["goal"].is_null() && figures[1]["met"].is_null());
    assert_eq!(report["rows"][0]["millis"]["p99"], 2.0);
    assert_eq!(report["failures"][0], "dns: no peer");
}

#[test]
fn without_its_peer_a_ratio_does_not_count_as_met() {
    let alone = Figure::new("reads", 1.0, "/s").goal(Goal::TimesPeer(2.0));
    assert_eq!(alone.met(), None);
    let report = Report {
        figures: vec![alone],
        ..Report::default()
    };
    let table = report.render(Form::Table).expect("it renders");
    assert!(table.trim_end().ends_with("no peer"), "{table}");
    let json = report.render(Form::Json).expect("it renders");
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json["goals"][0]["met"], false);
    assert!(json["goals"][0]["value"].is_null());
}
