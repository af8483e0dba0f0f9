//! Properties over all inputs: no panic, spans inside the file, codes that are documented.

use proptest::prelude::{any, proptest};

use super::codes;
use crate::model::{Port, Ports};
use crate::parse::parse;
use crate::problem::Code;

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_cut_and_flip_of_a_manifest_is_answered(at in 0..VALID.len(), with in any::<char>()) {
        let cut = VALID.get(..at).unwrap_or_default();
        check(cut);
        check(&format!("{cut}{with}{}", VALID.get(at + 1..).unwrap_or_default()));
    }
}

fn check(text: &str) {
    let (manifest, problems) = parse(text, "hither.toml");
    assert_eq!(
        manifest.is_none(),
        problems.iter().any(crate::problem::Problem::is_error)
    );
    for problem in &problems {
        let span = problem.span();
        assert!(text.get(span.clone()).is_some(), "{span:?} of {problem:?}");
        assert!(problem.position().0 >= 1);
    }
    crate::report::render(&problems, crate::report::Dress::Plain);
}

#[test]
fn codes_are_numbered_without_gaps() {
    for (at, code) in Code::ALL.iter().enumerate() {
        assert_eq!(code.as_str(), format!("H{:04}", at + 1));
    }
}

#[test]
fn every_code_is_in_the_reference() {
    let reference = include_str!("../../../../../docs/reference/manifest-problems.md");
    for code in Code::ALL {
        let kind = if code.is_error() { "refused" } else { "hint" };
        let row = format!("| {code} | {kind} | {} |", code.summary());
        assert!(reference.contains(&row), "docs/reference lacks: {row}");
    }
}

#[test]
fn every_port_is_in_the_reference_with_its_defaults() {
    let reference = include_str!("../../../../../docs/reference/manifest.md");
    for port in Port::ALL {
        let (laptop, production) = (Ports::LAPTOP.of(port), Ports::PRODUCTION.of(port));
        let row = format!("| `{}` | {laptop} | {production} |", port.key());
        assert!(reference.contains(&row), "docs/reference lacks: {row}");
    }
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    let text = format!("a = {}", "[".repeat(100_000));
    assert!(codes(&text).contains(&Code::Syntax));
}

#[test]
fn too_large_a_file_is_refused_unread() {
    let text = "# x\n".repeat(300_000);
    let (manifest, problems) = parse(&text, "hither.toml");
    assert!(manifest.is_none());
    assert_eq!(problems[0].code(), Code::TooMany);
}

const VALID: &str = r#"[project]
name = "shop"
[regions]
us-east-1 = { address = "198.51.100.10", dns = 5353 }
[tables.carts]
partition_key = { customer = "S" }
tags = { team = "ä" }
[functions.cart]
runtime = "provided.al2023"
code = "bootstrap"
memory = "256 MiB"
[domains."api.shop.test"]
routes = { "ANY /cart/{proxy+}" = "function:cart" }
health = { path = "/health", interval = "1s", failures = 2 }
ttl = "5s"
[clients.tokyo]
subnet = "203.0.113.0/24"
rtt = { us-east-1 = "152.4ms" }
"#;
