//! Tests of plans: a table of statements, and what they mean whatever the plan is.

use expr::condition::{Condition, Operand};
use expr::key_condition::{KeyRange, SortRange};
use expr::path::{Path, Step};
use expr::update::{Action, SetOperand, SetValue};
use item::key::{Key, KeyAttribute, KeyKind, KeySchema, KeyValue};
use item::value::AttributeValue;

use super::{Keys, List, Plan, Reads, Select};
use crate::statement;

mod meaning;
mod table;

fn attribute(name: &str, kind: KeyKind) -> KeyAttribute {
    let name = name.to_owned();
    KeyAttribute { name, kind }
}

fn schema(partition: &str, sort: Option<(&str, KeyKind)>) -> KeySchema {
    KeySchema {
        partition: attribute(partition, KeyKind::S),
        sort: sort.map(|(name, kind)| attribute(name, kind)),
    }
}

/// Plans a statement against the table it names: `One` has the key pk, `Two` pk and a number sk,
/// `Txt` pk and a text sk; the index `gxx` has the key g and a number h.
fn plan(text: &str, parameters: &[AttributeValue]) -> Result<Plan, String> {
    let shown = |error: crate::error::PartiqlError| error.to_string();
    let statement = statement::parse(text).map_err(shown)?;
    let table = match statement.table() {
        "One" => schema("pk", None),
        "Txt" => schema("pk", Some(("sk", KeyKind::S))),
        _ => schema("pk", Some(("sk", KeyKind::N))),
    };
    let index = schema("g", Some(("h", KeyKind::N)));
    let keys = Keys {
        table: &table,
        index: statement.index().map(|_| &index),
    };
    super::of(&statement, keys, parameters).map_err(shown)
}

/// Writes a plan as the table below does.
fn shown(plan: &Plan) -> String {
    match plan {
        Plan::Select(select) => shown_select(select),
        Plan::Insert(insert) => format!("insert {} {:?}", key(&insert.key), insert.item),
        Plan::Update(update) => {
            let changes = update.changes.actions().iter().map(action);
            let changes: Vec<_> = changes.collect();
            let returning = update
                .returning
                .map(|returning| format!(" -> {returning:?}"));
            format!(
                "update {} {} if {}{}",
                key(&update.key),
                changes.join(", "),
                condition(&update.condition),
                returning.unwrap_or_default()
            )
        }
        Plan::Delete(delete) => {
            let condition = delete.condition.as_ref().map(condition);
            let condition = condition.map(|condition| format!(" if {condition}"));
            let returning = if delete.returns_old { " -> AllOld" } else { "" };
            let key = key(&delete.key);
            format!("delete {key}{}{returning}", condition.unwrap_or_default())
        }
        Plan::Check(check) => {
            format!(
                "check {} if {}",
                key(&check.key),
                condition(&check.condition)
            )
        }
    }
}

fn shown_select(select: &Select) -> String {
    let mut out = match &select.reads {
        Reads::Key(only) => format!("key {}", key(only)),
        Reads::Keys(keys) if keys.is_empty() => "nothing".to_owned(),
        Reads::Keys(keys) => {
            let keys: Vec<_> = keys.iter().map(key).collect();
            format!("keys {}", keys.join(" "))
        }
        Reads::Ranges { ranges, direction } => {
            let ranges: Vec<_> = ranges.iter().map(range).collect();
            let direction = format!("{direction:?}").to_lowercase();
            format!("ranges {} {direction}", ranges.join(" "))
        }
        Reads::All => "all".to_owned(),
    };
    if let Some(filter) = &select.filter {
        out = format!("{out} if {}", condition(filter));
    }
    if let List::Paths(paths) = &select.list {
        let paths: Vec<_> = paths
            .iter()
            .map(|one| format!("{}={}", one.name, path(&one.path)))
            .collect();
        out = format!("{out} list {}", paths.join(" "));
    }
    out
}

fn key_value(value: &KeyValue) -> String {
    match value {
        KeyValue::S(text) => text.clone(),
        KeyValue::N(number) => number.to_string(),
        KeyValue::B(bytes) => format!("{bytes:?}"),
    }
}

fn key(key: &Key) -> String {
    let sort = key.sort.as_ref().map(key_value);
    let sort = sort.map(|sort| format!("/{sort}"));
    format!("{}{}", key_value(&key.partition), sort.unwrap_or_default())
}

fn range(range: &KeyRange) -> String {
    let sort = range.sort.as_ref().map(|sort| match sort {
        SortRange::Eq(value) => format!("/={}", key_value(value)),
        SortRange::Lt(value) => format!("/<{}", key_value(value)),
        SortRange::Le(value) => format!("/<={}", key_value(value)),
        SortRange::Gt(value) => format!("/>{}", key_value(value)),
        SortRange::Ge(value) => format!("/>={}", key_value(value)),
        SortRange::Between(from, to) => format!("/{}..{}", key_value(from), key_value(to)),
        SortRange::BeginsWith(prefix) => format!("/{}*", key_value(prefix)),
    });
    format!(
        "{}{}",
        key_value(&range.partition),
        sort.unwrap_or_default()
    )
}

fn path(path: &Path) -> String {
    let steps = path.steps().iter().map(|step| match step {
        Step::Name(name) => format!(".{name}"),
        Step::Index(index) => format!("[{index}]"),
    });
    format!("{}{}", path.name(), steps.collect::<String>())
}

fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Path(one) => path(one),
        Operand::Value(value) => shown_value(value),
        Operand::Size(inner) => format!("size({})", self::operand(inner)),
    }
}

/// Writes a value as a statement does.
fn shown_value(value: &AttributeValue) -> String {
    let list = |all: Vec<String>| all.join(",");
    match value {
        AttributeValue::S(text) => format!("'{}'", text.replace('\'', "''")),
        AttributeValue::N(number) => number.to_string(),
        AttributeValue::B(bytes) => format!("{bytes:?}"),
        AttributeValue::Bool(truth) => truth.to_string(),
        AttributeValue::Null => "null".to_owned(),
        AttributeValue::M(map) => {
            let entry = |(name, value): (&String, &AttributeValue)| {
                format!("'{}':{}", name.replace('\'', "''"), shown_value(value))
            };
            format!("{{{}}}", list(map.iter().map(entry).collect()))
        }
        AttributeValue::L(all) => format!("[{}]", list(all.iter().map(shown_value).collect())),
        AttributeValue::Ss(set) => {
            let text = |text: &String| shown_value(&AttributeValue::S(text.clone()));
            format!("<<{}>>", list(set.iter().map(text).collect()))
        }
        AttributeValue::Ns(set) => {
            format!(
                "<<{}>>",
                list(set.iter().map(ToString::to_string).collect())
            )
        }
        AttributeValue::Bs(set) => format!("<<{set:?}>>"),
    }
}

fn condition(one: &Condition) -> String {
    let joined = |all: &[Condition], word: &str| {
        let all: Vec<_> = all.iter().map(condition).collect();
        format!("({})", all.join(word))
    };
    match one {
        Condition::And(all) => joined(all, " and "),
        Condition::Or(any) => joined(any, " or "),
        Condition::Not(negated) => format!("not {}", condition(negated)),
        Condition::Compare {
            left,
            comparator,
            right,
        } => format!("{}{}{}", operand(left), comparator.as_str(), operand(right)),
        Condition::Between {
            operand: tested,
            lower,
            upper,
        } => format!(
            "{} in {}..{}",
            operand(tested),
            operand(lower),
            operand(upper)
        ),
        Condition::In {
            operand: tested,
            candidates,
        } => {
            let candidates: Vec<_> = candidates.iter().map(operand).collect();
            format!("{} in [{}]", operand(tested), candidates.join(","))
        }
        Condition::Exists(one) => format!("+{}", path(one)),
        Condition::NotExists(one) => format!("-{}", path(one)),
        Condition::HasType {
            operand: tested,
            kind,
        } => format!("{} is {kind}", operand(tested)),
        Condition::BeginsWith {
            operand: tested,
            prefix,
        } => format!("begins({},{})", operand(tested), operand(prefix)),
        Condition::Contains {
            operand: tested,
            element,
        } => format!("contains({},{})", operand(tested), operand(element)),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Set { path: to, value } => format!("{}={}", path(to), set_value(value)),
        Action::Remove { path: to } => format!("remove {}", path(to)),
        Action::Add { path: to, value } => format!("{}+={}", path(to), shown_value(value)),
        Action::Delete { path: to, value } => format!("{}-={}", path(to), shown_value(value)),
    }
}

fn set_value(value: &SetValue) -> String {
    match value {
        SetValue::Operand(operand) => set_operand(operand),
        SetValue::Plus(one, two) => format!("{}+{}", set_operand(one), set_operand(two)),
        SetValue::Minus(one, two) => format!("{}-{}", set_operand(one), set_operand(two)),
    }
}

fn set_operand(operand: &SetOperand) -> String {
    match operand {
        SetOperand::Path(one) => path(one),
        SetOperand::Value(value) => shown_value(value),
        SetOperand::IfNotExists(one, other) => format!("({} or {})", path(one), set_operand(other)),
        SetOperand::ListAppend(one, two) => {
            format!("append({},{})", set_operand(one), set_operand(two))
        }
        SetOperand::Nested(value) => format!("({})", set_value(value)),
    }
}
