//! Tests of the stored form of items.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;

use super::{CodecError, decode, encode};
use crate::number::Number;
use crate::size::item_size;
use crate::value::{AttributeValue, Item};
use crate::view::ItemRef;

/// Items with every type of value, nested up to four levels.
fn any_item() -> impl Strategy<Value = Item> {
    proptest::collection::btree_map("[a-cé]{0,3}", any_value(), 0..5).prop_map(Item::from)
}

fn any_number() -> impl Strategy<Value = Number> {
    (any::<i64>(), -20_i32..20)
        .prop_map(|(digits, power)| Number::parse(&format!("{digits}E{power}")).unwrap())
}

fn any_bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

fn any_value() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        "\\PC{0,8}".prop_map(AttributeValue::S),
        any_number().prop_map(AttributeValue::N),
        any_bytes().prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
        proptest::collection::btree_set("[a-z]{0,3}", 1..4).prop_map(AttributeValue::Ss),
        proptest::collection::btree_set(any_number(), 1..4).prop_map(AttributeValue::Ns),
        proptest::collection::btree_set(any_bytes(), 1..4).prop_map(AttributeValue::Bs),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            proptest::collection::btree_map("[a-c]{0,2}", inner, 0..4).prop_map(AttributeValue::M),
        ]
    })
}

#[test]
fn the_bytes_on_disk_never_change() {
    let mut item = Item::from_iter([("s", "é")]);
    item.insert("n", -120);
    item.insert("t", true);
    item.insert("l", AttributeValue::L(vec![AttributeValue::Null]));
    item.insert(
        "m",
        AttributeValue::M(BTreeMap::from([("k".to_owned(), 0.into())])),
    );
    item.insert("b", Bytes::from_static(b"\x00"));
    item.insert(
        "ss",
        AttributeValue::Ss(BTreeSet::from(["x".to_owned(), "y".to_owned()])),
    );
    let expected: &[u8] = b"\x01\x07\
        \x01b\x30\x01\x00\
        \x01l\x41\x02\0\0\0\x01\x01\
        \x01m\x40\x04\0\0\0\x01\x01k\x12\
        \x01n\x11\x7b\xf2\xff\
        \x01s\x20\x02\xc3\xa9\
        \x02ss\x42\x05\0\0\0\x02\x01x\x01y\
        \x01t\x03";
    assert_eq!(encode(&item), expected);
    assert_eq!(decode(expected), Ok(item));
}

#[track_caller]
fn refused(bytes: &[u8], error: CodecError) {
    assert_eq!(decode(bytes), Err(error), "{bytes:02x?}");
}

#[test]
fn each_fault_of_stored_bytes_has_its_error() {
    refused(b"", CodecError::Length);
    refused(b"\x02\x00", CodecError::UnknownVersion(2));
    refused(b"\x01\x01", CodecError::Length);
    refused(b"\x01\x00\x00", CodecError::Length);
    refused(b"\x01\x80\x00", CodecError::Length);
    refused(b"\x01\x01\x01a\x99", CodecError::UnknownType(0x99));
    refused(b"\x01\x01\x01\xff\x01", CodecError::NotUtf8);
    refused(b"\x01\x01\x01a\x13\x00", CodecError::BadNumber);
    refused(b"\x01\x02\x01b\x01\x01a\x01", CodecError::NotAscending);
    refused(b"\x01\x02\x01a\x01\x01a\x01", CodecError::NotAscending);
    refused(
        b"\x01\x01\x01a\x42\x05\0\0\0\x02\x01y\x01x",
        CodecError::NotAscending,
    );
    refused(
        b"\x01\x01\x01a\x41\x03\0\0\0\x01\x01\x01",
        CodecError::Length,
    );
}

#[test]
fn endless_nesting_is_refused() {
    let mut nested = vec![0x01];
    for _ in 0..100 {
        let mut outer = vec![0x41];
        outer.extend(u32::try_from(nested.len() + 1).unwrap().to_le_bytes());
        outer.push(1);
        outer.extend(&nested);
        nested = outer;
    }
    let mut item = vec![1, 1, 1, b'a'];
    item.extend(nested);
    refused(&item, CodecError::TooDeep);
}

proptest! {
    #[test]
    fn encoding_leads_back(item in any_item()) {
        let bytes = encode(&item);
        prop_assert_eq!(decode(&bytes), Ok(item.clone()));
        let view = ItemRef::parse(&bytes).unwrap();
        prop_assert_eq!(view.size(), Ok(item_size(&item)));
        prop_assert_eq!(view.len(), item.len());
        for (name, value) in &item {
            let found = view.get(name).unwrap().unwrap();
            prop_assert_eq!(found.kind(), value.kind());
            prop_assert_eq!(found.to_value(), Ok(value.clone()));
        }
        prop_assert!(view.get("absent").unwrap().is_none());
    }

    #[test]
    fn one_item_has_one_encoding(item in any_item(), at in any::<prop::sample::Index>(), byte: u8) {
        let bytes = encode(&item);
        let mut other = bytes.clone();
        other[at.index(bytes.len())] = byte;
        match decode(&other) {
            Ok(read) => prop_assert_eq!(encode(&read), other),
            Err(_) => prop_assert_ne!(other, bytes),
        }
    }

    #[test]
    fn no_bytes_break_the_decoder(body in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut bytes = vec![1];
        bytes.extend(body);
        let read = decode(&bytes);
        let walked = ItemRef::parse(&bytes).and_then(|view| view.size());
        prop_assert_eq!(read.is_ok(), walked.is_ok());
        prop_assert_eq!(read.err(), walked.err());
    }
}
