//! Every problem that parsing can report, as a person sees it, and a file without any.

mod accepted;
mod areas;
mod refused;

use super::{draft, parse};
use crate::problem::Code;
use crate::report::{Dress, render};

/// Renders the problems of a manifest whose usual parts are supplied unless it has its own.
#[track_caller]
fn report(body: &str) -> String {
    let text = complete(body);
    let (manifest, problems) = parse(&text, "hither.toml");
    let refused = problems.iter().any(crate::problem::Problem::is_error);
    assert_eq!(
        manifest.is_none(),
        refused,
        "a manifest unless it is refused"
    );
    render(&problems, Dress::Plain)
}

/// Returns the codes of a manifest, in the order of the report.
fn codes(body: &str) -> Vec<Code> {
    let (_, problems) = parse(&complete(body), "hither.toml");
    problems.iter().map(crate::problem::Problem::code).collect()
}

fn complete(body: &str) -> String {
    let mut text = body.to_owned();
    for (section, usual) in [
        ("project", "[project]\nname = \"shop\"\n"),
        ("regions", "[regions]\nus-east-1 = {}\neu-west-1 = {}\n"),
    ] {
        if !body.contains(&format!("[{section}]")) {
            text.push_str(usual);
        }
    }
    text
}

#[test]
fn a_draft_holds_what_can_be_understood() {
    let text = complete(
        "colour = 1\n[functions.cart]\nruntime = \"provided.al2023\"\ncode = \"x\"\n\
         timeout = \"5\"\n[functions.other]\nruntime = \"java\"\ncode = \"y\"\n",
    );
    assert!(parse(&text, "hither.toml").0.is_none());
    let (manifest, problems) = draft(&text, "hither.toml");
    let manifest = manifest.expect("it is TOML and has a project");
    let codes: Vec<&str> = manifest
        .functions
        .iter()
        .map(|function| function.code.value.as_str())
        .collect();
    assert_eq!((codes, problems.len()), (vec!["x"], 3));
    assert!(draft("[project\n", "hither.toml").0.is_none());
}
