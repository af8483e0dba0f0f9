//! Tests of goals and of both forms of a report.

use super::{Figure, Form, Goal, Report};

fn report() -> Report {
    Report {
        figures: vec![
            Figure::new("reads", 900.0, "/s")
                .beside("peer", 300.0)
                .goal(Goal::TimesPeer(2.0)),
            Figure::new("memory", 61.25, "MiB").goal(Goal::AtMost(60.0)),
            Figure::new("time", 1.5, "µs"),
        ],
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
}

#[test]
fn json_for_machines() {
    let json = report().render(Form::Json).expect("it renders");
    let entries: Vec<serde_json::Value> = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(entries.len(), 5, "the ratio is a figure of its own");
    assert_eq!(entries[1]["value"], 3.0);
    assert_eq!(entries[1]["goal"], 2.0);
    assert_eq!(entries[1]["met"], true);
    assert_eq!(entries[2]["met"], false);
    assert!(entries[3]["goal"].is_null() && entries[3]["met"].is_null());
    assert_eq!(
        entries[4]["met"], false,
        "what was not measured met no goal"
    );
}

#[test]
fn without_its_peer_a_ratio_is_not_met_and_not_missed() {
    let alone = Figure::new("reads", 1.0, "/s").goal(Goal::TimesPeer(2.0));
    assert_eq!(alone.met(), None);
}
