//! Our decisions beside those of another evaluator, for generated policies and requests.
//!
//! It asks what both have and read alike, of an identity's policy alone and with the resource's
//! beside it. Not asked is what the other one has not, and what the tests of operators, evaluation
//! and documents hold alone: variables in conditions, `IfExists` on sets, keys in another case,
//! ARNs in conditions but as texts, keys of which nothing is known, boundaries, policies of
//! sessions, and callers of another account.

mod planted;

use std::collections::BTreeMap;
use std::sync::Arc;

use iam::context::Context;
use iam::decision::{Cause, Decision, Policies, decide};
use iam::kind::Kind;
use iam::policy::Policy;
use iam::request::Request;
use iam_rs as other;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::world::{KNOWN, account, anna};

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Allowed,
    Denied,
    NotAllowed,
}

/// One condition: operator, key, values.
type Test = (String, &'static str, Vec<&'static str>);

#[derive(Clone, Debug)]
struct Statement {
    allows: bool,
    not_action: bool,
    actions: Vec<&'static str>,
    not_resource: bool,
    resources: Vec<&'static str>,
    tests: Vec<Test>,
}

#[derive(Clone, Debug)]
struct Asked {
    action: &'static str,
    resource: &'static str,
    text: Option<&'static str>,
    number: Option<&'static str>,
    date: Option<&'static str>,
    truth: Option<bool>,
    address: Option<&'static str>,
    set: Option<Vec<&'static str>>,
}

const ACTIONS: [&str; 5] = [
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:DeleteItem",
    "s3:GetObject",
];
const ACTION_PATTERNS: [&str; 10] = [
    "*",
    "dynamodb:*",
    "dynamodb:Get*",
    "DynamoDB:getitem",
    "dynamodb:?u*",
    "s3:*",
    "dynamodb:PutItem",
    "dynamodb:*Item",
    "dynamodb:Quer",
    "s3:Get?bject",
];
const RESOURCES: [&str; 6] = [
    "arn:aws:dynamodb:eu-west-1:111122223333:table/a",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/b",
    "arn:aws:dynamodb:us-east-1:111122223333:table/a",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/a/index/x",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/anna-x",
    "arn:aws:s3:::bucket/a:b",
];
const RESOURCE_PATTERNS: [&str; 11] = [
    "*",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/a",
    "arn:aws:dynamodb:*:*:table/a",
    "arn:aws:dynamodb:eu-*:111122223333:table/*",
    "arn:aws:dynamodb:eu-west-?:*:table/?",
    "arn:aws:dynamodb:*:*:table/*/index/*",
    "arn:aws:dynamodb:*:*:table/${aws:username}-*",
    "arn:*:dynamodb:*:*:*",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:::*:b",
    "arn:aws:s3:::bucket",
];
const TEXTS: [&str; 6] = ["a", "b", "A", "ab", "abc", ""];
const TEXT_PATTERNS: [&str; 7] = ["a", "a*", "?b", "*c", "A", "b", "*"];
const NUMBERS: [&str; 5] = ["-1", "0", "2", "2.5", "10"];
const DATES: [&str; 3] = [
    "2026-11-23T09:00:00Z",
    "2026-11-23T10:00:00+01:00",
    "2027-01-01T00:00:00Z",
];
const ADDRESSES: [&str; 4] = ["203.0.113.7", "203.0.114.7", "10.1.2.3", "2001:db8::7"];
const NETWORKS: [&str; 6] = [
    "203.0.113.0/24",
    "203.0.113.7",
    "203.0.112.0/20",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "2001:db8::/32",
];

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    let most = of.len().min(3);
    subsequence(of.to_vec(), 1..=most)
}

fn one_test(
    operators: &'static [&'static str],
    key: &'static str,
    values: &'static [&'static str],
) -> impl Strategy<Value = Test> {
    (select(operators), some(values))
        .prop_map(move |(operator, values)| (operator.to_owned(), key, values))
}

fn any_test() -> impl Strategy<Value = Test> {
    const EXACT: &[&str] = &[
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringEqualsIfExists",
        "StringNotEqualsIfExists",
    ];
    const LIKE: &[&str] = &[
        "StringLike",
        "StringNotLike",
        "StringLikeIfExists",
        "StringNotLikeIfExists",
    ];
    const NUMERIC: &[&str] = &[
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "NumericLessThanIfExists",
    ];
    const DATE: &[&str] = &[
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "DateGreaterThanIfExists",
    ];
    const IP: &[&str] = &["IpAddress", "NotIpAddress", "IpAddressIfExists"];
    const SETS: &[&str] = &[
        "ForAllValues:StringEquals",
        "ForAllValues:StringNotEquals",
        "ForAllValues:StringLike",
        "ForAllValues:StringNotLike",
        "ForAnyValue:StringEquals",
        "ForAnyValue:StringNotEquals",
        "ForAnyValue:StringLike",
        "ForAnyValue:StringNotLike",
    ];
    let keys = ["x:text", "x:number", "x:truth", "x:address", "x:date"];
    prop_oneof![
        4 => one_test(EXACT, "x:text", &TEXTS),
        4 => one_test(LIKE, "x:text", &TEXT_PATTERNS),
        3 => one_test(NUMERIC, "x:number", &NUMBERS),
        2 => one_test(DATE, "x:date", &DATES),
        3 => one_test(IP, "x:address", &NETWORKS),
        2 => one_test(SETS, "dynamodb:LeadingKeys", &TEXT_PATTERNS[..6]),
        2 => one_test(SETS, "dynamodb:Attributes", &TEXT_PATTERNS[..6]),
        1 => (select(&["Bool", "BoolIfExists"][..]), select(&["true", "false"][..]))
            .prop_map(|(operator, value)| (operator.to_owned(), "x:truth", vec![value])),
        2 => (select(keys.to_vec()), select(&["true", "false"][..]))
            .prop_map(|(key, value)| ("Null".to_owned(), key, vec![value])),
    ]
}

fn any_statement() -> impl Strategy<Value = Statement> {
    (
        prop::bool::weighted(0.6),
        prop::bool::weighted(0.2),
        some(&ACTION_PATTERNS),
        prop::bool::weighted(0.2),
        some(&RESOURCE_PATTERNS),
        prop::collection::vec(any_test(), 0..3),
    )
        .prop_map(
            |(allows, not_action, actions, not_resource, resources, tests)| Statement {
                allows,
                not_action,
                actions,
                not_resource,
                resources,
                tests,
            },
        )
}

fn any_request() -> impl Strategy<Value = Asked> {
    let maybe = |of: &'static [&'static str]| prop::option::weighted(0.8, select(of));
    (
        select(&ACTIONS[..]),
        select(&RESOURCES[..]),
        maybe(&TEXTS),
        maybe(&NUMBERS),
        maybe(&DATES),
        prop::option::weighted(0.8, any::<bool>()),
        maybe(&ADDRESSES),
        prop::option::weighted(0.8, subsequence(TEXTS.to_vec(), 0..=3)),
    )
        .prop_map(
            |(action, resource, text, number, date, truth, address, set)| Asked {
                action,
                resource,
                text,
                number,
                date,
                truth,
                address,
                set,
            },
        )
}

fn any_case() -> impl Strategy<Value = (Vec<Statement>, Asked)> {
    (prop::collection::vec(any_statement(), 1..4), any_request())
}

fn list(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        _ => format!("[{}]", quoted.join(",")),
    }
}

fn document(statements: &[Statement]) -> String {
    document_for("", statements)
}

/// Returns a resource's document, all of whose statements are for anna.
fn document_of_resource(statements: &[Statement]) -> String {
    let principal = format!(r#""Principal":{{"AWS":"{}"}},"#, anna().arn());
    document_for(&principal, statements)
}

fn document_for(principal: &str, statements: &[Statement]) -> String {
    let each = statements.iter().map(|statement| {
        let mut conditions: BTreeMap<&str, BTreeMap<&str, &[&str]>> = BTreeMap::new();
        for (operator, key, values) in &statement.tests {
            conditions.entry(operator).or_default().insert(key, values);
        }
        let conditions: Vec<String> = conditions
            .iter()
            .map(|(operator, keys)| {
                let keys = keys
                    .iter()
                    .map(|(key, values)| format!("\"{key}\":{}", list(values)));
                format!("\"{operator}\":{{{}}}", keys.collect::<Vec<_>>().join(","))
            })
            .collect();
        format!(
            r#"{{{principal}"Effect":"{}","{}Action":{},"{}Resource":{},"Condition":{{{}}}}}"#,
            if statement.allows { "Allow" } else { "Deny" },
            if statement.not_action { "Not" } else { "" },
            list(&statement.actions),
            if statement.not_resource { "Not" } else { "" },
            list(&statement.resources),
            conditions.join(",")
        )
    });
    let each = each.collect::<Vec<_>>().join(",");
    format!(r#"{{"Version":"2012-10-17","Statement":[{each}]}}"#)
}

fn ours(text: &str, asked: &Asked) -> Outcome {
    ours_beside(text, None, asked)
}

fn ours_beside(text: &str, resource: Option<&str>, asked: &Asked) -> Outcome {
    let resource = resource.map(|text| {
        let policy = Policy::compile("resource", text, Kind::Resource);
        policy.unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
    });
    let policy = Policy::compile("policy", text, Kind::Managed);
    let identity = [Arc::new(
        policy.unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}")),
    )];
    let who = anna();
    let mut context = Context::new();
    who.describe(&mut context);
    context.know(KNOWN);
    let texts = [
        ("x:text", asked.text),
        ("x:number", asked.number),
        ("x:date", asked.date),
        ("x:address", asked.address),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            context.set(key, value);
        }
    }
    if let Some(truth) = asked.truth {
        context.set("x:truth", truth);
    }
    if let Some(set) = &asked.set {
        context.set_many("dynamodb:LeadingKeys", set.iter().copied());
        context.set_many("dynamodb:Attributes", set.iter().rev().copied().skip(1));
    }
    let request = Request {
        principal: &who,
        action: asked.action,
        resources: &[asked.resource],
        owner: account(),
        context: &context,
    };
    let policies = Policies {
        identity: &identity,
        resource: resource.as_ref(),
        ..Policies::default()
    };
    match decide(&policies, &request) {
        Decision::Allowed(_) => Outcome::Allowed,
        Decision::Denied(denial) => match denial.cause {
            Cause::Explicit(..) => Outcome::Denied,
            Cause::Implicit(_) => Outcome::NotAllowed,
        },
    }
}

fn theirs(text: &str, asked: &Asked) -> Outcome {
    theirs_of(&[text], asked)
}

fn theirs_of(texts: &[&str], asked: &Asked) -> Outcome {
    use other::{ContextValue, Principal, PrincipalId};

    let policy = |text: &&str| other::IAMPolicy::from_json(text).expect("they read the document");
    let policies: Vec<_> = texts.iter().map(policy).collect();
    let text_of = |text: &str| ContextValue::String(text.to_owned());
    let mut context = other::Context::new().with_string("aws:username", "anna");
    let texts = [
        ("x:text", asked.text),
        ("x:number", asked.number),
        ("x:date", asked.date),
        ("x:address", asked.address),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            context.insert(key.to_owned(), text_of(value));
        }
    }
    if let Some(truth) = asked.truth {
        context.insert("x:truth".to_owned(), ContextValue::Boolean(truth));
    }
    if let Some(set) = &asked.set {
        let list = |texts: Vec<&str>| {
            ContextValue::StringList(texts.into_iter().map(str::to_owned).collect())
        };
        let rest = set.iter().rev().copied().skip(1).collect();
        context.insert("dynamodb:LeadingKeys".to_owned(), list(set.clone()));
        context.insert("dynamodb:Attributes".to_owned(), list(rest));
    }
    let who = Principal::Aws(PrincipalId::String(anna().arn().to_owned()));
    let resource = other::Arn::parse(asked.resource).expect("an ARN");
    let request = other::IAMRequest::new_with_context(who, asked.action, resource, context);
    match other::evaluate_policies(&policies, &request).expect("they decide") {
        other::Decision::Allow => Outcome::Allowed,
        other::Decision::Deny => Outcome::Denied,
        other::Decision::NotApplicable => Outcome::NotAllowed,
    }
}

proptest! {
    #![proptest_config(Config::with_cases(4_000))]

    #[test]
    fn both_decide_alike((statements, asked) in any_case()) {
        let text = document(&statements);
        prop_assert_eq!(ours(&text, &asked), theirs(&text, &asked), "{}", text);
    }

    #[test]
    fn both_decide_alike_of_what_an_identity_and_a_resource_say(
        (own, asked) in any_case(),
        of_resource in prop::collection::vec(any_statement(), 1..4),
    ) {
        let (own, of_resource) = (document(&own), document_of_resource(&of_resource));
        let ours = ours_beside(&own, Some(&of_resource), &asked);
        let theirs = theirs_of(&[&own, &of_resource], &asked);
        prop_assert_eq!(ours, theirs, "{} beside {}", own, of_resource);
    }
}

/// Returns cases that are the same in each run.
fn cases(count: usize) -> Vec<(Vec<Statement>, Asked)> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let case = any_case();
    let mut next = || case.new_tree(&mut runner).expect("a case").current();
    std::iter::repeat_with(&mut next).take(count).collect()
}

#[test]
fn every_outcome_is_met_often() {
    let mut counts = BTreeMap::new();
    for (statements, asked) in cases(2_000) {
        *counts
            .entry(ours(&document(&statements), &asked))
            .or_insert(0) += 1;
    }
    for outcome in [Outcome::Allowed, Outcome::Denied, Outcome::NotAllowed] {
        assert!(
            counts.get(&outcome).is_some_and(|count| 100 < *count),
            "{counts:?}"
        );
    }
}
