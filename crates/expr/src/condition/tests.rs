//! Tests of what conditions say about items.

use std::collections::BTreeMap;

use bytes::Bytes;
use item::number::Number;
use item::value::{AttributeValue, Item};

use crate::parse;
use crate::placeholders::Placeholders;

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(Number::parse(text).unwrap())
}

fn item() -> Item {
    let list = AttributeValue::L(vec![2.into(), "dog".into(), AttributeValue::Null]);
    let mut item = Item::from_iter([
        ("n", 5.into()),
        ("s", AttributeValue::from("hello")),
        ("wide", "é𝄞".into()),
        ("b", Bytes::from_static(b"hi there").into()),
        ("t", true.into()),
        ("l", list.clone()),
        (
            "ss",
            AttributeValue::Ss(["x".to_owned(), "y".to_owned()].into()),
        ),
        (
            "ns",
            AttributeValue::Ns([Number::from(1_i64), Number::from(2_i64)].into()),
        ),
    ]);
    let inner = BTreeMap::from([("x".to_owned(), 1.into()), ("l".to_owned(), list)]);
    item.insert("m", AttributeValue::M(inner));
    item
}

fn evaluate(text: &str, values: &[(&str, AttributeValue)], item: Option<&Item>) -> bool {
    let map: BTreeMap<_, _> = values
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let values = (!map.is_empty()).then_some(map);
    let mut placeholders = Placeholders::new(None, values).unwrap();
    parse::condition(text, &mut placeholders)
        .unwrap()
        .evaluate(item)
}

#[track_caller]
fn holds(text: &str, value: impl Into<AttributeValue>) {
    assert!(
        evaluate(text, &[(":v", value.into())], Some(&item())),
        "{text}"
    );
}

#[track_caller]
fn fails(text: &str, value: impl Into<AttributeValue>) {
    assert!(
        !evaluate(text, &[(":v", value.into())], Some(&item())),
        "{text}"
    );
}

#[test]
fn equality_is_of_type_and_value() {
    holds("n = :v", number("5.00"));
    fails("n = :v", "5");
    holds("n <> :v", "5");
    fails("n <> :v", 5);
    holds(
        "ss = :v",
        AttributeValue::Ss(["y".to_owned(), "x".to_owned()].into()),
    );
    holds(
        "l = :v",
        AttributeValue::L(vec![2.into(), "dog".into(), AttributeValue::Null]),
    );
    fails(
        "l = :v",
        AttributeValue::L(vec!["dog".into(), 2.into(), AttributeValue::Null]),
    );
    holds("m.l[1] = :v", "dog");
    holds("m.l = l AND n = :v", 5);
}

#[test]
fn what_is_missing_equals_nothing() {
    fails("gone = :v", 5);
    holds("gone <> :v", 5);
    fails("gone = gone2 OR n = :v", 6);
    holds("gone <> gone2 AND n = :v", 5);
    fails("gone < :v", 5);
    fails("gone >= gone2 OR n = :v", 6);
    fails("gone BETWEEN :v AND n", 5);
    fails("gone IN (:v, gone2)", 5);
    fails("m.gone[0].x = :v", 5);
    fails("s.x = :v", 5);
    fails("l[3] = :v", 5);
    fails("size(gone) < :v", 100);
    assert!(evaluate("attribute_not_exists(pk)", &[], None));
    assert!(!evaluate("attribute_exists(pk) OR a < b", &[], None));
}

#[test]
fn only_texts_numbers_and_bytes_have_an_order() {
    holds("n < :v", number("5.0000001"));
    holds("n <= :v", 5);
    fails("n > :v", 5);
    holds("s > :v", "hell");
    holds("b < :v", Bytes::from_static(b"hi\xff"));
    fails("n < :v", "9");
    fails("t >= :v", 1);
    fails("l <= l2 OR s = :v", "x");
    assert!(evaluate(
        "n BETWEEN :a AND :b",
        &[(":a", 5.into()), (":b", 5.into())],
        Some(&item())
    ));
    assert!(!evaluate(
        "n BETWEEN :a AND s",
        &[(":a", 5.into())],
        Some(&item())
    ));
    holds(":v BETWEEN m.x AND n", 3);
    holds("n IN (s, l, :v)", 5);
    fails("n IN (s, l, :v)", "5");
}

#[test]
fn functions_look_into_values() {
    holds("begins_with(s, :v)", "hell");
    holds("begins_with(b, :v)", Bytes::from_static(b"hi"));
    fails("begins_with(n, :v)", "5");
    holds("contains(s, :v)", "ell");
    holds("contains(b, :v)", Bytes::from_static(b"the"));
    fails("contains(b, :v)", "the");
    holds("contains(ss, :v)", "x");
    fails("contains(ss, :v)", "xy");
    holds("contains(ns, :v)", 2);
    holds("contains(l, :v)", AttributeValue::Null);
    fails("contains(m, :v)", "x");
    holds("attribute_type(l, :v)", "L");
    fails("attribute_type(l, :v)", "M");
    fails("attribute_type(gone, :v)", "M");
    holds("attribute_exists(m.l[2]) AND n = :v", 5);
    fails("attribute_exists(m.l[3]) AND n = :v", 5);
    for (path, size) in [
        ("s", 5),
        ("wide", 3),
        ("b", 8),
        ("l", 3),
        ("m", 2),
        ("ss", 2),
        ("ns", 2),
    ] {
        holds(&format!("size({path}) = :v"), size);
    }
    fails("size(n) = :v", 1);
    fails("size(t) = :v", 1);
    fails("size(s) = :v", "5");
    holds("size(s) = n AND n = :v", 5);
}

#[test]
fn logic_combines() {
    holds("n = :v AND NOT s = :v", 5);
    holds("s = :v OR n = :v", 5);
    fails("NOT (s = :v OR n = :v)", 5);
    holds("NOT (s = :v AND n = :v) AND NOT NOT n = :v", 5);
}
