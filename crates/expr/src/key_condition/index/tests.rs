//! Tests of key conditions against keys of several attributes.

use item::key::{KeyAttribute, KeyKind, KeyValue, encode_sort};
use item::value::AttributeValue;
use proptest::prelude::*;

use super::IndexRange;
use crate::key_condition::{BindError, SortRange};
use crate::parse;
use crate::placeholders::Placeholders;

fn keys(names: &[&str]) -> Vec<KeyAttribute> {
    let key = |name: &&str| KeyAttribute {
        name: (*name).to_owned(),
        kind: KeyKind::S,
    };
    names.iter().map(key).collect()
}

fn bind(text: &str) -> Result<IndexRange, BindError> {
    let values = ["a", "b", "c"].map(|value| (format!(":{value}"), AttributeValue::from(value)));
    let mut placeholders = Placeholders::new(None, Some(values.into())).unwrap();
    parse::key_condition(text, &mut placeholders)
        .unwrap()
        .bind_index(&keys(&["p", "q"]), &keys(&["s", "t", "u"]))
}

#[track_caller]
fn ranges(text: &str, equal: &[&str], range: Option<SortRange>) {
    let values = |values: &[&str]| values.iter().map(|value| KeyValue::from(*value)).collect();
    let expected = IndexRange {
        partition: values(&["a", "b"]),
        equal: values(equal),
        range,
    };
    assert_eq!(bind(text), Ok(expected), "{text}");
}

#[track_caller]
fn refuses(text: &str, message: &str) {
    let error = bind(text).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(message), "{text}");
}

#[test]
fn the_partition_is_equal_and_sort_attributes_are_tested_from_the_left() {
    ranges("p = :a AND q = :b", &[], None);
    ranges("s = :c AND q = :b AND p = :a", &["c"], None);
    let less = Some(SortRange::Lt("c".into()));
    ranges("p = :a AND q = :b AND s = :b AND t < :c", &["b"], less);
    let begins = Some(SortRange::BeginsWith("a".into()));
    let text = "p = :a AND q = :b AND s = :b AND t = :c AND begins_with(u, :a)";
    ranges(text, &["b", "c"], begins);
}

#[test]
fn what_leaves_gaps_or_goes_on_after_a_range_is_refused() {
    let missed = |name: &str| format!("Query condition missed key schema element: {name}");
    refuses("p = :a", &missed("q"));
    refuses("p = :a AND q = :b AND t = :c", &missed("s"));
    refuses("p = :a AND q = :b AND x = :c", &missed("s"));
    let not = "Query key condition not supported";
    refuses("p = :a AND q < :b", not);
    refuses("p = :a AND q = :b AND s < :c AND t = :c", not);
}

proptest! {
    #[test]
    fn bytes_and_values_agree(
        sort in prop::collection::vec("[a-c]{0,2}", 3),
        equal in prop::collection::vec("[a-c]{0,2}", 0..3),
        bound in "[a-c]{0,2}",
        test in 0..7_usize,
    ) {
        let value = || KeyValue::from(bound.as_str());
        let range = match test {
            0 => None,
            1 => Some(SortRange::Lt(value())),
            2 => Some(SortRange::Le(value())),
            3 => Some(SortRange::Gt(value())),
            4 => Some(SortRange::Ge(value())),
            5 => Some(SortRange::Between(value(), "c".into())),
            _ => Some(SortRange::BeginsWith(value())),
        };
        let values = |all: &[String]| all.iter().map(|one| KeyValue::from(one.as_str())).collect();
        let (sort, equal): (Vec<KeyValue>, Vec<KeyValue>) = (values(&sort), values(&equal));
        let partition = Vec::new();
        let range = IndexRange { partition, equal, range };
        // An item's key follows the sort key.
        let mut entry: Vec<u8> = sort.iter().flat_map(encode_sort).collect();
        entry.extend_from_slice(&[0, 7]);
        let (from, to) = range.bytes();
        let is_inside = from <= entry && to.is_none_or(|to| entry < to);
        prop_assert_eq!(is_inside, range.contains(&sort));
    }
}
