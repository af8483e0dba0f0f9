//! Evaluators with a mistake each, all of which the comparison finds.
//!
//! One is made by deciding rightly what is wrong: the other evaluator is given what is right.

use super::{Asked, Outcome, Statement, cases, document, ours, theirs};

type Decide = Box<dyn Fn(&[Statement], &Asked) -> Outcome>;

#[test]
fn a_mistaken_evaluator_is_found() {
    let cases = cases(3_000).into_iter().map(|(statements, asked)| {
        let expect = theirs(&document(&statements), &asked);
        (statements, asked, expect)
    });
    let cases: Vec<_> = cases.collect();
    for (name, decide) in mistakes() {
        let found = cases
            .iter()
            .any(|(statements, asked, expect)| decide(statements, asked) != *expect);
        assert!(found, "{name}: nothing tells it from the right way");
    }
}

fn mistakes() -> Vec<(&'static str, Decide)> {
    vec![
        ("an allow wins over a deny", Box::new(allow_over_deny)),
        (
            "the first statement decides",
            Box::new(first_statement_alone),
        ),
        ("the first value counts", Box::new(first_value_alone)),
        (
            "the first condition counts",
            Box::new(first_condition_alone),
        ),
        ("what is absent is empty", Box::new(absent_is_empty)),
        ("IfExists is not seen", operator("IfExists", "")),
        (
            "StringLike has no wildcards",
            operator("StringLike", "StringEquals"),
        ),
        (
            "case does not count",
            operator("StringEquals ", "StringEqualsIgnoreCase"),
        ),
        ("case counts", operator("IgnoreCase", "")),
        (
            "less is up to",
            operator("NumericLessThan ", "NumericLessThanEquals"),
        ),
        (
            "after is from",
            operator("DateGreaterThan ", "DateGreaterThanEquals"),
        ),
        ("all is any", operator("ForAllValues", "ForAnyValue")),
        ("any is all", operator("ForAnyValue", "ForAllValues")),
        ("NotAction is Action", text("NotAction", "Action")),
        ("NotResource is Resource", text("NotResource", "Resource")),
        (
            "a prefix is not seen",
            text("203.0.113.0/24", "203.0.113.0"),
        ),
        ("a `?` is a `*`", text("?", "*")),
        ("a `*` is a `?`", text("table/*", "table/?")),
        ("variables are letters", text("2012-10-17", "2008-10-17")),
    ]
}

fn allow_over_deny(statements: &[Statement], asked: &Asked) -> Outcome {
    let decide = |allows: bool| {
        let of = |statement: &&Statement| statement.allows == allows;
        let only: Vec<Statement> = statements.iter().filter(of).cloned().collect();
        if only.is_empty() {
            Outcome::NotAllowed
        } else {
            ours(&document(&only), asked)
        }
    };
    match decide(true) {
        Outcome::Allowed => Outcome::Allowed,
        Outcome::Denied | Outcome::NotAllowed => decide(false),
    }
}

fn first_statement_alone(statements: &[Statement], asked: &Asked) -> Outcome {
    ours(&document(statements.get(..1).unwrap_or_default()), asked)
}

fn first_value_alone(statements: &[Statement], asked: &Asked) -> Outcome {
    changed(statements, asked, |one| {
        for (_, _, values) in &mut one.tests {
            values.truncate(1);
        }
    })
}

fn first_condition_alone(statements: &[Statement], asked: &Asked) -> Outcome {
    changed(statements, asked, |one| one.tests.truncate(1))
}

fn absent_is_empty(statements: &[Statement], asked: &Asked) -> Outcome {
    let text = asked.text.or(Some(""));
    let asked = Asked {
        text,
        ..asked.clone()
    };
    ours(&document(statements), &asked)
}

/// Takes one operator for another. A space ends a name, so that a whole one can be meant.
fn operator(from: &'static str, to: &'static str) -> Decide {
    Box::new(move |statements, asked| {
        changed(statements, asked, |one| {
            for (operator, _, _) in &mut one.tests {
                let named = format!("{operator} ").replace(from, to);
                named.trim_end().clone_into(operator);
            }
        })
    })
}

/// Takes one word of the document for another.
fn text(from: &'static str, to: &'static str) -> Decide {
    Box::new(move |statements, asked| ours(&document(statements).replace(from, to), asked))
}

fn changed(statements: &[Statement], asked: &Asked, change: impl Fn(&mut Statement)) -> Outcome {
    let mut statements = statements.to_vec();
    statements.iter_mut().for_each(change);
    ours(&document(&statements), asked)
}
