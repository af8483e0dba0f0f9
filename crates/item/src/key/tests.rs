//! Tests of keys and of their byte order.

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    Key, KeyAttribute, KeyError, KeyKind, KeyRole, KeySchema, KeyValue, decode_value,
    encode_partition, encode_sort, encode_sort_prefix, partition_hash, prefix_end,
};
use crate::number::Number;
use crate::value::{AttributeValue, Item, Kind};

fn attribute(name: &str, kind: KeyKind) -> KeyAttribute {
    KeyAttribute {
        name: name.to_owned(),
        kind,
    }
}

fn schema() -> KeySchema {
    KeySchema {
        partition: attribute("pk", KeyKind::S),
        sort: Some(attribute("sk", KeyKind::N)),
    }
}

#[test]
fn a_key_is_taken_from_an_item_and_given_back() {
    let mut item = Item::from_iter([("pk", "a"), ("other", "x")]);
    item.insert("sk", 7);
    let key = schema().key_of(&item).unwrap();
    assert_eq!(key.partition, KeyValue::from("a"));
    assert_eq!(key.sort, Some(KeyValue::from(7)));
    let surplus = KeyError::Surplus {
        name: "other".to_owned(),
    };
    assert_eq!(schema().exact_key_of(&item), Err(surplus));
    item.remove("other");
    assert_eq!(schema().exact_key_of(&item), Ok(key.clone()));
    assert_eq!(key.to_item(&schema()), item);
}

#[track_caller]
fn refused(pk: AttributeValue, sk: Option<AttributeValue>, expected: KeyError) {
    let mut item = Item::new();
    item.insert("pk", pk);
    sk.and_then(|sk| item.insert("sk", sk));
    assert_eq!(schema().key_of(&item), Err(expected));
}

#[test]
fn each_fault_of_a_key_has_its_error() {
    let name = || "pk".to_owned();
    refused(
        AttributeValue::from(1),
        None,
        KeyError::WrongType {
            name: name(),
            expected: KeyKind::S,
            actual: Kind::N,
        },
    );
    refused(
        AttributeValue::from(""),
        None,
        KeyError::Empty {
            name: name(),
            kind: KeyKind::S,
        },
    );
    refused(
        AttributeValue::from("x".repeat(2049)),
        None,
        KeyError::TooLong {
            name: name(),
            role: KeyRole::Partition,
            bytes: 2049,
        },
    );
    refused(
        AttributeValue::from("x".repeat(2048)),
        None,
        KeyError::Missing {
            name: "sk".to_owned(),
        },
    );
}

#[test]
fn the_bytes_on_disk_never_change() {
    assert_eq!(
        encode_sort(&KeyValue::from("a\0b")),
        b"\x20a\x00\xffb\x00\x01"
    );
    assert_eq!(
        encode_sort(&KeyValue::B(Bytes::from_static(b"\xff"))),
        b"\x30\xff\x00\x01"
    );
    assert_eq!(encode_sort(&KeyValue::from(0)), b"\x12");
    assert_eq!(encode_sort(&KeyValue::from(120)), [0x13, 132, 13, 0]);
    assert_eq!(encode_sort(&KeyValue::from(-120)), [0x11, !132, !13, 0xff]);
    let hash = |text: &str| partition_hash(&encode_partition(&KeyValue::from(text)));
    assert_eq!(
        ["a", "b", "customer-1"].map(hash),
        [HASHES[0], HASHES[1], HASHES[2]]
    );
}

/// Computed apart from this code, by a dozen lines of Python.
const HASHES: [u16; 3] = [27032, 18724, 55391];

#[test]
fn the_hash_spreads_partitions_evenly() {
    let mut slots = [0_u32; 16];
    for number in 0..16_000_i64 {
        let hash = partition_hash(&encode_partition(&KeyValue::from(number)));
        slots[usize::from(hash >> 12)] += 1;
    }
    assert!(
        slots.iter().all(|count| (850..1150).contains(count)),
        "{slots:?}"
    );
}

#[test]
fn malformed_keys_are_refused() {
    for bytes in [
        &b""[..],
        b"\x20a",
        b"\x20a\x00",
        b"\x20a\x00\x02",
        b"\x20\xff\x00\x01",
        b"\x77",
    ] {
        assert!(decode_value(bytes).is_err(), "{bytes:?}");
    }
    assert!(Key::decode(b"\x12\x12\x12").is_err());
}

fn any_value() -> impl Strategy<Value = KeyValue> {
    prop_oneof![
        "[a\u{0}\u{1}\u{ff}é\u{10ffff}]{0,6}".prop_map(KeyValue::S),
        proptest::collection::vec(
            prop_oneof![Just(0_u8), Just(1), Just(255), any::<u8>()],
            0..6
        )
        .prop_map(|bytes| KeyValue::B(Bytes::from(bytes))),
        (-300_i64..300, 0_u32..5)
            .prop_map(|(n, scale)| KeyValue::N(Number::parse(&format!("{n}E-{scale}")).unwrap())),
    ]
}

fn any_key() -> impl Strategy<Value = Key> {
    (any_value(), any_value()).prop_map(|(partition, sort)| Key {
        partition,
        sort: Some(sort),
    })
}

proptest! {
    #[test]
    fn the_order_of_bytes_is_the_order_of_keys(one in any_key(), two in any_key()) {
        prop_assert_eq!(one.encode().cmp(&two.encode()), one.cmp(&two));
        prop_assert_eq!(Key::decode(&one.encode()), Ok(one));
    }

    #[test]
    fn no_encoding_is_a_prefix_of_another(one in any_value(), two in any_value()) {
        let (a, b) = (encode_sort(&one), encode_sort(&two));
        prop_assert_eq!(a.starts_with(&b), one == two);
    }

    #[test]
    fn a_prefix_bounds_exactly_the_values_that_begin_with_it(
        prefix in "[a\u{0}\u{1}z]{0,3}",
        text in "[a\u{0}\u{1}z]{0,6}",
    ) {
        let begin = encode_sort_prefix(&KeyValue::S(prefix.clone()));
        let end = prefix_end(&begin).unwrap();
        let bytes = encode_sort(&KeyValue::S(text.clone()));
        let inside = begin <= bytes && bytes < end;
        prop_assert_eq!(inside, text.starts_with(&prefix));
    }

    #[test]
    fn a_bound_at_a_value_splits_as_the_values_do(one in any_value(), two in any_value()) {
        let end = prefix_end(&encode_sort(&one)).unwrap();
        prop_assert_eq!(encode_sort(&two) < end, two <= one);
    }
}
