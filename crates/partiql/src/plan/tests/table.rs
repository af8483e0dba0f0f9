//! A table of statements and their plans or errors, in `table.txt` beside this file.
//!
//! Most statements were also given to DynamoDB Local 3.1.0: it reads the same items, or refuses
//! with the same words. Where the grammar is broken it repeats the statement, and DynamoDB does
//! not; the words here are those that the service was seen to give, or their like.

use item::value::AttributeValue;

use super::{Plan, plan, shown};

/// Returns the values of a line of literals.
fn values(literals: &str) -> Vec<AttributeValue> {
    let text = format!("INSERT INTO One VALUE {{'pk': 'x', 'v': [{literals}]}}");
    let Ok(Plan::Insert(insert)) = plan(&text, &[]) else {
        panic!("{literals}");
    };
    let values = insert.item.get("v").and_then(AttributeValue::as_l);
    values.unwrap_or_default().to_vec()
}

fn outcome(text: &str, parameters: &[AttributeValue]) -> String {
    match plan(text, parameters) {
        Ok(plan) => shown(&plan),
        Err(message) => format!("! {message}"),
    }
}

#[test]
fn statements_become_the_plans_and_errors_of_the_table() {
    let mut found = String::new();
    let (mut statement, mut parameters, mut count) = ("", Vec::new(), 0);
    for line in TABLE.lines() {
        if let Some(literals) = line.strip_prefix("  with ") {
            parameters = values(literals);
        } else if line.starts_with("  = ") {
            count += 1;
            found = format!("{found}  = {}\n", outcome(statement, &parameters));
            continue;
        } else {
            (statement, parameters) = (line, Vec::new());
        }
        found = format!("{found}{line}\n");
    }
    for (found, wanted) in found.lines().zip(TABLE.lines()) {
        assert_eq!(found, wanted);
    }
    assert!(count >= 150, "{count} statements");
}

const TABLE: &str = include_str!("table.txt");
