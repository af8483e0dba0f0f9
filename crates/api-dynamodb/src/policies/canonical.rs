//! The one form in which equal policies are equal texts.
//!
//! It checks no policy. Members stand in one order, without blanks; a list of one is that one; an
//! account is its root. Source: DynamoDB's answers to GetResourcePolicy.

use serde_json::{Map, Value};

/// A policy in its form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) document: String,
    /// Whether a statement allows something to everybody, on no condition.
    pub(super) is_unbounded: bool,
}

/// Returns the form of a document; `None` for what is no policy at all.
pub(super) fn of(document: &str) -> Option<Form> {
    let Value::Object(mut policy) = serde_json::from_str(document).ok()? else {
        return None;
    };
    let version = policy.remove("Version");
    let version = version.unwrap_or_else(|| "2008-10-17".into());
    let statements = match policy.remove("Statement")? {
        Value::Array(all) => all,
        one @ Value::Object(_) => vec![one],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    let mut is_unbounded = false;
    let mut written = Vec::with_capacity(statements.len());
    for statement in statements {
        let Value::Object(mut statement) = statement else {
            return None;
        };
        if let Some(principal) = statement.get_mut("Principal") {
            name_roots(principal);
        }
        is_unbounded |= is_for_all(&statement);
        written.push(members(&STATEMENT, statement));
    }
    let id = policy.remove("Id").map(|id| format!("\"Id\":{id},"));
    let (id, statements) = (id.unwrap_or_default(), written.join(","));
    Some(Form {
        document: format!("{{\"Version\":{version},{id}\"Statement\":[{statements}]}}"),
        is_unbounded,
    })
}

/// Writes members in an order, those that it does not name last.
fn members(order: &[&str], mut object: Map<String, Value>) -> String {
    let mut written = Vec::with_capacity(object.len());
    let mut write = |name: &str, value: Value| {
        let name = Value::from(name);
        written.push(format!("{name}:{}", single(value)));
    };
    for name in order {
        if let Some(value) = object.remove(*name) {
            write(name, value);
        }
    }
    for (name, value) in object {
        write(&name, value);
    }
    format!("{{{}}}", written.join(","))
}

/// Replaces each list of one by that one.
fn single(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => list.pop().unwrap_or_default(),
        Value::Object(object) => {
            let members = object
                .into_iter()
                .map(|(name, value)| (name, single(value)));
            Value::Object(members.collect())
        }
        value @ (Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)) => value,
    }
}

/// Writes accounts as the names of their roots, each once.
fn name_roots(principal: &mut Value) {
    let Some(accounts) = principal.get_mut("AWS") else {
        return;
    };
    let taken = accounts.take();
    let listed = if let Value::Array(list) = taken {
        list
    } else {
        vec![taken]
    };
    let mut named: Vec<Value> = Vec::with_capacity(listed.len());
    for one in listed {
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        let root = one.as_str().filter(|text| is_account(text));
        let root = root.map(|account| Value::from(format!("arn:aws:iam::{account}:root")));
        let name = root.unwrap_or(one);
        if !named.contains(&name) {
            named.push(name);
        }
    }
    *accounts = Value::Array(named);
}

fn is_for_all(statement: &Map<String, Value>) -> bool {
    let holds_star = |value: &Value| match value {
        Value::String(text) => text == "*",
        Value::Array(list) => list.iter().any(|one| one == "*"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    let principal = statement.get("Principal");
    let all = principal.is_some_and(|principal| {
        holds_star(principal) || principal.get("AWS").is_some_and(holds_star)
    });
    all && statement
        .get("Effect")
        .is_some_and(|effect| effect == "Allow")
        && !statement.contains_key("Condition")
}

const STATEMENT: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

#[cfg(test)]
mod tests;
