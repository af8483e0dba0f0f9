//! Patterns of resources against ARNs, one a line. Conditions on ARNs are tested with operators.

use super::{ArnPattern, Target};
use crate::context::Context;
use crate::mistake::Problem;
use crate::template::{Match, Variables};

#[track_caller]
fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    let pattern = ArnPattern::parse_resource(pattern, Variables::Replaced).expect("a pattern");
    let mut context = Context::new();
    context.set("aws:username", "anna");
    for (texts, expect) in [(yes, Match::Yes), (no, Match::No)] {
        for text in texts {
            let found = pattern.matches(&Target::of(text), &context);
            assert_eq!(found, expect, "{pattern:?} and {text}");
        }
    }
}

const CARTS: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/carts";

#[test]
fn parts_are_compared_each_by_itself() {
    check("*", &[CARTS, "*", "whatever"], &[]);
    check(
        CARTS,
        &[CARTS],
        &["*", "arn:aws:dynamodb:eu-west-1:123456789012:table/Carts"],
    );
    check("arn:aws:dynamodb:*:*:table/carts", &[CARTS], &["*"]);
    check("arn:aws:dynamodb:eu-*:123456789012:table/c*", &[CARTS], &[]);
    check(
        "arn:aws:dynamodb:eu-west-?:123456789012:table/cart?",
        &[CARTS],
        &[],
    );
    check("arn:*:dynamodb:*:*:*", &[CARTS], &["arn:aws:s3:::x"]);
    let indexes = "arn:aws:dynamodb:eu-west-1:123456789012:table/carts/index/*";
    check(
        indexes,
        &["arn:aws:dynamodb:eu-west-1:123456789012:table/carts/index/a"],
        &[CARTS],
    );
}

#[test]
fn a_star_reaches_over_colons_in_the_resource_alone() {
    let stream = "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-11-23T09:00:00.000";
    check("arn:aws:dynamodb:*:*:table/t/stream/*", &[stream], &[]);
    check(
        "arn:aws:dynamodb:*:*:table/t/stream/*:00.000",
        &[stream],
        &[],
    );
    // The guide's own example.
    check(
        "arn:aws:someservice:*:111122223333:finance/*",
        &["arn:aws:someservice:us-east-2:111122223333:finance/document.txt"],
        &["arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"],
    );
}

#[test]
fn what_is_left_out_is_completed() {
    check("arn:aws:dynamodb", &[CARTS], &["arn:aws:s3:::x"]);
    check("arn:aws:dynamodb:eu-west-1", &[CARTS], &[]);
    check("arn:aws:dynamodb:us-*", &[], &[CARTS]);
    check(
        "arn:aws:s3:::bucket/*",
        &["arn:aws:s3:::bucket/a:b"],
        &["arn:aws:s3:::bucket"],
    );
}

#[test]
fn variables_stand_in_the_resource() {
    let own = "arn:aws:dynamodb:eu-west-1:123456789012:table/${aws:username}-*";
    check(
        own,
        &["arn:aws:dynamodb:eu-west-1:123456789012:table/anna-x"],
        &[CARTS],
    );
    let unknown = "arn:aws:dynamodb:eu-west-1:123456789012:table/${aws:userid}";
    let pattern = ArnPattern::parse_resource(unknown, Variables::Replaced).expect("a pattern");
    let mut context = Context::new();
    let found = |context: &Context<'_>| pattern.matches(&Target::of(CARTS), context);
    assert_eq!(found(&context), Match::Unknown);
    context.know(&["aws:userid"]);
    assert_eq!(found(&context), Match::Valueless);
    let odd = "arn:aws:dynamodb:eu-west-1:123456789012:table/a${*}b";
    check(
        odd,
        &["arn:aws:dynamodb:eu-west-1:123456789012:table/a*b"],
        &[CARTS],
    );
}

#[test]
fn what_iam_refuses_is_refused() {
    let refused =
        |text: &str| ArnPattern::parse_resource(text, Variables::Replaced).expect_err("a refusal");
    for text in ["", "carts", "table/*", "a*", "ARN:aws:s3:::x"] {
        assert_eq!(refused(text), Problem::Resource(text.to_owned()), "{text}");
    }
    for text in [
        "arn:aws:dynamodb:*:table/carts",
        "arn:aws:dynamodb:table/carts",
        "arn:aws:",
        "arn:aws",
    ] {
        assert_eq!(refused(text), Problem::Resource(text.to_owned()), "{text}");
    }
    assert_eq!(refused("arn:aws:*:::x"), Problem::ResourceVendor);
    assert!(matches!(
        refused("arn:error:s3:::x"),
        Problem::Partition { .. }
    ));
    for text in [
        "arn:aws:s3:${aws:RequestedRegion}::x",
        "arn:${aws:a}:s3:::x",
    ] {
        assert_eq!(
            refused(text),
            Problem::VariablePlace(text.to_owned()),
            "{text}"
        );
    }
    assert!(matches!(refused("arn:aws:s3:::${"), Problem::Variable(_)));
}
