//! Tests of what placeholders may look like.

use std::collections::BTreeMap;

use item::value::AttributeValue;

use super::Placeholders;

#[track_caller]
fn refuses(name: Option<(&str, &str)>, value: Option<&str>, message: &str) {
    let names = name.map(|(key, name)| BTreeMap::from([(key.to_owned(), name.to_owned())]));
    let values = value.map(|key| BTreeMap::from([(key.to_owned(), AttributeValue::Null)]));
    let error = Placeholders::new(names, values)
        .err()
        .map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(message));
}

#[test]
fn shapes_are_checked() {
    let invalid = "ExpressionAttributeNames contains invalid key: Syntax error; key: ";
    refuses(Some(("a", "a")), None, &format!("{invalid}\"a\""));
    refuses(Some(("#", "a")), None, &format!("{invalid}\"#\""));
    refuses(Some(("#a-b", "a")), None, &format!("{invalid}\"#a-b\""));
    refuses(
        Some(("#a", "")),
        None,
        "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a",
    );
    refuses(
        None,
        Some("#a"),
        "ExpressionAttributeValues contains invalid key: Syntax error; key: \"#a\"",
    );
    let empty = Placeholders::new(None, Some(BTreeMap::new())).unwrap_err();
    assert_eq!(
        empty.to_string(),
        "ExpressionAttributeValues must not be empty"
    );
    assert!(Placeholders::new(None, None).is_ok());
}

#[test]
fn sizes_are_bounded() {
    let long = format!(":{}", "x".repeat(255));
    refuses(
        None,
        Some(&long),
        "ExpressionAttributeValues contains invalid key: \
         The expression attribute map contains a key that is too long; size of key: 256",
    );
    let large = BTreeMap::from([(":v".to_owned(), AttributeValue::S("x".repeat(2 << 20)))]);
    assert!(Placeholders::new(None, Some(large)).is_err());
}
