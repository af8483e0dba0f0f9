//! Every problem that parsing can report, as a person sees it, and a file without any.

mod accepted;
mod areas;
mod refused;

use super::parse;
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
