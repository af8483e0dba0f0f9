//! Tests of key conditions against key schemas.

use item::key::{KeyAttribute, KeyKind, KeySchema, KeyValue, encode_sort};
use item::value::AttributeValue;
use proptest::prelude::*;

use super::{BindError, KeyRange, SortRange};
use crate::parse;
use crate::placeholders::Placeholders;

fn schema(sort: Option<KeyKind>) -> KeySchema {
    let attribute = |name: &str, kind| KeyAttribute {
        name: name.to_owned(),
        kind,
    };
    KeySchema {
        partition: attribute("pk", KeyKind::S),
        sort: sort.map(|kind| attribute("sk", kind)),
    }
}

fn bind(text: &str, sort: Option<KeyKind>) -> Result<KeyRange, BindError> {
    let values = [
        (":p", AttributeValue::from("p")),
        (":a", "a".into()),
        (":b", "b".into()),
        (":n", 1.into()),
        (":e", "".into()),
        (":t", true.into()),
    ];
    let values = values.map(|(key, value)| (key.to_owned(), value));
    let mut placeholders = Placeholders::new(None, Some(values.into())).unwrap();
    parse::key_condition(text, &mut placeholders)
        .unwrap()
        .bind(&schema(sort))
}

#[track_caller]
fn ranges(text: &str, sort: SortRange) {
    let numeric = matches!(sort, SortRange::Eq(KeyValue::N(_)));
    let kind = if numeric { KeyKind::N } else { KeyKind::S };
    let expected = KeyRange {
        partition: "p".into(),
        sort: Some(sort),
    };
    assert_eq!(bind(text, Some(kind)), Ok(expected), "{text}");
}

#[track_caller]
fn refuses(text: &str, sort: Option<KeyKind>, message: &str) {
    let error = bind(text, sort).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(message), "{text}");
}

#[test]
fn conditions_become_ranges() {
    ranges("pk = :p AND sk = :a", SortRange::Eq("a".into()));
    ranges("sk < :a AND pk = :p", SortRange::Lt("a".into()));
    ranges(":a < sk AND :p = pk", SortRange::Gt("a".into()));
    ranges("pk = :p AND sk <= :a", SortRange::Le("a".into()));
    ranges("pk = :p AND :a <= sk", SortRange::Ge("a".into()));
    ranges(
        "pk = :p AND sk BETWEEN :a AND :b",
        SortRange::Between("a".into(), "b".into()),
    );
    ranges(
        "pk = :p AND begins_with(sk, :a)",
        SortRange::BeginsWith("a".into()),
    );
    ranges("pk = :p AND sk = :n", SortRange::Eq(1.into()));
    let whole = KeyRange {
        partition: "p".into(),
        sort: None,
    };
    assert_eq!(bind("pk = :p", Some(KeyKind::N)), Ok(whole));
}

#[test]
fn conditions_that_do_not_fit_the_schema_are_refused() {
    let missed = |name| format!("Query condition missed key schema element: {name}");
    let s = Some(KeyKind::S);
    refuses("sk = :a", s, &missed("pk"));
    refuses("extra = :p", None, &missed("pk"));
    refuses("pk = :p AND extra = :a", s, &missed("sk"));
    refuses(
        "pk = :p AND sk = :a",
        None,
        "Query key condition not supported",
    );
    refuses("pk > :p", s, "Query key condition not supported");
    refuses(
        "begins_with(pk, :p) AND sk = :a",
        s,
        "Query key condition not supported",
    );
    let kind = "One or more parameter values were invalid: \
                Condition parameter type does not match schema type";
    refuses("pk = :n", s, kind);
    refuses("pk = :p AND sk = :n", s, kind);
    refuses("pk = :t", s, kind);
    assert!(matches!(bind("pk = :e", s), Err(BindError::Key(_))));
}

fn any_range() -> impl Strategy<Value = SortRange> {
    let value = || "[a\u{0}b]{0,3}".prop_map(KeyValue::S);
    prop_oneof![
        value().prop_map(SortRange::Eq),
        value().prop_map(SortRange::Lt),
        value().prop_map(SortRange::Le),
        value().prop_map(SortRange::Gt),
        value().prop_map(SortRange::Ge),
        value().prop_map(SortRange::BeginsWith),
        (value(), value()).prop_map(|(lower, upper)| SortRange::Between(lower, upper)),
    ]
}

proptest! {
    #[test]
    fn the_bytes_of_a_range_hold_exactly_its_values(
        range in any_range(),
        value in "[a\u{0}b]{0,4}",
    ) {
        let value = KeyValue::S(value);
        let bytes = encode_sort(&value);
        let (from, to) = range.bytes();
        let inside = from <= bytes && to.is_none_or(|to| bytes < to);
        prop_assert_eq!(inside, range.contains(&value));
    }
}
