//! Tests of order and bounds of a report.

use std::fmt::Write;

use super::{Dress, render};
use crate::limits::PROBLEMS_SHOWN_MAX;
use crate::parse::parse;

#[test]
fn shows_so_many_and_counts_the_rest() {
    let mut text = "[project]\nname = \"shop\"\n[regions]\nlab = {}\n[functions]\n".to_owned();
    let mistakes = PROBLEMS_SHOWN_MAX + 7;
    for at in 0..mistakes {
        _ = writeln!(text, "f{at} = 1");
    }
    let (_, problems) = parse(&text, "hither.toml");
    assert_eq!(problems.len(), mistakes, "all are reported to a program");
    let shown = render(&problems, Dress::Plain);
    assert_eq!(shown.matches("H0004").count(), PROBLEMS_SHOWN_MAX);
    assert!(
        shown.ends_with("7 more are not shown.\n57 mistakes, 0 hints\n"),
        "{shown}"
    );
}

#[test]
fn mistakes_come_before_hints() {
    let text = "[domains.\"a.b\"]\nroutes = { \"GET /\" = \"http://x\" }\n[project]\nnam = 1\n";
    let (_, problems) = parse(text, "hither.toml");
    let shown = render(&problems, Dress::Plain);
    let at = |code| {
        shown
            .find(code)
            .unwrap_or_else(|| panic!("{code} in {shown}"))
    };
    assert!(at("H0003") < at("H0036"));
}

#[test]
fn nothing_to_say_is_empty() {
    assert_eq!(render(&[], Dress::Colour), "");
}
