//! Tests of updates.

use std::collections::BTreeMap;

use item::number::Number;
use item::value::{AttributeValue, Item};

use super::Update;
use crate::error::EvalError;
use crate::parse;
use crate::placeholders::Placeholders;

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(Number::parse(text).unwrap())
}

fn texts<const N: usize>(elements: [&str; N]) -> AttributeValue {
    AttributeValue::Ss(elements.map(str::to_owned).into())
}

fn list<const N: usize>(elements: [&str; N]) -> AttributeValue {
    AttributeValue::L(elements.map(AttributeValue::from).into())
}

fn map<const N: usize>(entries: [(&str, AttributeValue); N]) -> AttributeValue {
    AttributeValue::M(BTreeMap::from(
        entries.map(|(name, value)| (name.to_owned(), value)),
    ))
}

fn item() -> Item {
    Item::from_iter([
        ("pk", AttributeValue::from("key")),
        ("n", 5.into()),
        ("s", "text".into()),
        ("ss", texts(["a", "b"])),
        ("l", list(["p", "q", "r"])),
        ("m", map([("x", 1.into()), ("l", list(["t"]))])),
    ])
}

fn update(text: &str) -> Update {
    let values = [
        (":n", AttributeValue::from(2)),
        (":s", "new".into()),
        (":t", "newer".into()),
        (":l", list(["u", "v"])),
        (":ss", texts(["b", "c"])),
        (":ab", texts(["a", "b"])),
        (":ns", AttributeValue::Ns([Number::from(1_i64)].into())),
        (":most", number("9e125")),
    ];
    let values = values.map(|(key, value)| (key.to_owned(), value));
    let mut placeholders = Placeholders::new(None, Some(values.into())).unwrap();
    parse::update(text, &mut placeholders).unwrap()
}

/// Checks that of all attributes only those given change; `None` for one that goes.
#[track_caller]
fn check<const N: usize>(text: &str, changes: [(&str, Option<AttributeValue>); N]) {
    let mut expected = item();
    for (name, value) in changes {
        match value {
            Some(value) => expected.insert(name, value),
            None => expected.remove(name),
        };
    }
    assert_eq!(update(text).apply(&item()), Ok(expected), "{text}");
}

#[track_caller]
fn refuses(text: &str, error: EvalError) {
    assert_eq!(update(text).apply(&item()), Err(error), "{text}");
}

#[test]
fn values_are_those_before_the_update() {
    check("SET a = :s", [("a", Some("new".into()))]);
    check(
        "SET n = s, s = n",
        [("n", Some("text".into())), ("s", Some(5.into()))],
    );
    check("SET a = n REMOVE n", [("a", Some(5.into())), ("n", None)]);
    check("SET n = n + :n", [("n", Some(7.into()))]);
    check("SET n = :n - n", [("n", Some((-3).into()))]);
    check("SET a = if_not_exists(a, :n) + :n", [("a", Some(4.into()))]);
    check("SET n = if_not_exists(n, :n)", []);
    check("SET a = if_not_exists(b, m.x)", [("a", Some(1.into()))]);
    check(
        "SET l = list_append(l, :l)",
        [("l", Some(list(["p", "q", "r", "u", "v"])))],
    );
    check(
        "SET l = list_append(:l, m.l)",
        [("l", Some(list(["u", "v", "t"])))],
    );
    refuses("SET a = gone", EvalError::MissingAttribute);
    refuses("SET a = gone + :n", EvalError::MissingAttribute);
    refuses("SET a = s + :n", EvalError::WrongType);
    refuses("SET a = list_append(s, :l)", EvalError::WrongType);
    refuses("SET a = list_append(gone, :l)", EvalError::MissingAttribute);
}

#[test]
fn sums_that_do_not_fit_are_refused() {
    use item::number::NumberError::Overflow;
    refuses("SET a = :most + :most", Overflow.into());
    refuses("SET a = :most - n", Overflow.into());
}

#[test]
fn paths_lead_into_what_is_there() {
    check(
        "SET m.y = :n",
        [(
            "m",
            Some(map([("x", 1.into()), ("y", 2.into()), ("l", list(["t"]))])),
        )],
    );
    check("REMOVE m.x", [("m", Some(map([("l", list(["t"]))])))]);
    check("REMOVE m.gone, gone", []);
    check(
        "SET m.l[0] = :s REMOVE m.x",
        [("m", Some(map([("l", list(["new"]))])))],
    );
    refuses("SET gone.x = :n", EvalError::InvalidPath);
    refuses("SET n.x = :n", EvalError::InvalidPath);
    refuses("SET m[0] = :n", EvalError::InvalidPath);
    refuses("SET l.x = :n", EvalError::InvalidPath);
    refuses("SET l[3].x = :n", EvalError::InvalidPath);
    refuses("REMOVE gone.x", EvalError::InvalidPath);
    refuses("ADD gone.x :n", EvalError::InvalidPath);
    refuses("SET gone.x = nowhere", EvalError::InvalidPath);
    refuses("SET a = nowhere, l[3].x = :n", EvalError::InvalidPath);
}

#[test]
fn indexes_mean_the_list_as_it_was() {
    check("SET l[1] = :s", [("l", Some(list(["p", "new", "r"])))]);
    check(
        "SET l[9] = :t, l[5] = :s",
        [("l", Some(list(["p", "q", "r", "new", "newer"])))],
    );
    check("REMOVE l[0], l[2]", [("l", Some(list(["q"])))]);
    check(
        "REMOVE l[0] SET l[1] = :s",
        [("l", Some(list(["new", "r"])))],
    );
    check(
        "REMOVE l[0] SET l[7] = :s",
        [("l", Some(list(["q", "r", "new"])))],
    );
    check("REMOVE l[3], l[9]", []);
    // The third element and the appended one are not the same place.
    check(
        "REMOVE l[3] SET l[4] = :s",
        [("l", Some(list(["p", "q", "r", "new"])))],
    );
}

#[test]
fn add_and_delete_work_on_numbers_and_sets() {
    check("ADD n :n", [("n", Some(7.into()))]);
    check("ADD a :n", [("a", Some(2.into()))]);
    check("ADD a :ss", [("a", Some(texts(["b", "c"])))]);
    check("ADD ss :ss", [("ss", Some(texts(["a", "b", "c"])))]);
    check(
        "ADD m.x :n",
        [("m", Some(map([("x", 3.into()), ("l", list(["t"]))])))],
    );
    check("DELETE ss :ss", [("ss", Some(texts(["a"])))]);
    check("DELETE ss :ab", [("ss", None)]);
    check("DELETE a :ss", []);
    refuses("ADD s :n", EvalError::WrongType);
    refuses("ADD ss :ns", EvalError::WrongType);
    refuses("ADD ss :n", EvalError::WrongType);
    refuses("DELETE ss :ns", EvalError::WrongType);
    refuses("DELETE n :ns", EvalError::WrongType);
}

#[test]
fn an_update_that_only_takes_away_makes_no_item() {
    for makes in ["SET a = :n", "ADD n :n", "REMOVE a SET b = :n"] {
        assert!(update(makes).makes_item(), "{makes}");
    }
    for takes in ["REMOVE a", "DELETE ss :ss", "REMOVE a DELETE ss :ss"] {
        assert!(!update(takes).makes_item(), "{takes}");
    }
    assert!(Update::default().makes_item());
}

#[test]
fn what_an_update_touches_can_be_projected() {
    let touching = update("SET m.x = :n, l[1] = :s REMOVE gone");
    let after = touching.apply(&item()).unwrap();
    let before = touching.touched().apply(&item());
    assert_eq!(
        before,
        Item::from_iter([("l", list(["q"])), ("m", map([("x", 1.into())]))])
    );
    let after = touching.touched().apply(&after);
    assert_eq!(
        after,
        Item::from_iter([("l", list(["new"])), ("m", map([("x", 2.into())]))])
    );
}
