//! Tests of sizes and depths.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{SizeError, check, depth, item_size, number_size, value_size};
use crate::number::Number;
use crate::value::{AttributeValue, Item};

#[track_caller]
fn number(text: &str, bytes: usize) {
    assert_eq!(number_size(Number::parse(text).unwrap()), bytes, "{text}");
}

#[test]
fn numbers_cost_a_byte_for_two_digits() {
    number("0", 1);
    number("1", 2);
    number("-1", 3);
    number("12", 2);
    number("123", 3);
    number("1000000", 2);
    number("0.5", 2);
    number("1.5", 3); // the pairs are 1 and 50
    number(&"1".repeat(38), 20);
    number(&format!("-{}.{}", "1".repeat(37), 1), 21);
}

#[test]
fn values_cost_what_the_guide_says() {
    assert_eq!(value_size(&AttributeValue::from("é")), 2);
    assert_eq!(value_size(&AttributeValue::Null), 1);
    assert_eq!(
        value_size(&AttributeValue::B(Bytes::from_static(b"abc"))),
        3
    );
    let list = AttributeValue::L(vec![AttributeValue::from(true), AttributeValue::from("ab")]);
    assert_eq!(value_size(&list), 3 + 2 + 3);
    let map = AttributeValue::M(BTreeMap::from([("key".to_owned(), list)]));
    assert_eq!(value_size(&map), 3 + 1 + 3 + 8);
    let item = Item::from_iter([("name", map)]);
    assert_eq!(item_size(&item), 4 + 15);
}

#[test]
fn the_limits_are_inclusive() {
    let exact = Item::from_iter([("a", "x".repeat(400 * 1024 - 1))]);
    assert_eq!(check(&exact), Ok(()));
    let over = Item::from_iter([("a", "x".repeat(400 * 1024))]);
    assert_eq!(
        check(&over),
        Err(SizeError::TooLarge {
            bytes: 400 * 1024 + 1
        })
    );
    let nest = |levels: usize| {
        let leaf = AttributeValue::from("leaf");
        (0..levels).fold(leaf, |inner, _| AttributeValue::L(vec![inner]))
    };
    assert_eq!(depth(&nest(32)), 32);
    assert_eq!(check(&Item::from_iter([("a", nest(32))])), Ok(()));
    assert_eq!(
        check(&Item::from_iter([("a", nest(33))])),
        Err(SizeError::TooDeep)
    );
}
