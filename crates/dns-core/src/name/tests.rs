//! Tests of names: text to wire and back, and the order of lists.

use super::{BadName, Name};

#[track_caller]
fn check(text: &str, shown: &str) {
    let name = Name::parse(text).unwrap();
    assert_eq!(name.to_string(), shown);
    assert_eq!(Name::from_wire(name.as_wire()), Some(name.clone()));
    assert_eq!(Name::parse(shown), Ok(name));
}

#[test]
fn names_are_shown_as_route_53_shows_them() {
    check("api.shop.test", "api.shop.test.");
    check("API.Shop.TEST.", "api.shop.test.");
    check("*.shop.test", "\\052.shop.test.");
    check("\\052.shop.test", "\\052.shop.test.");
    check("_sip._tcp.shop.test", "_sip._tcp.shop.test.");
    check("a\\.b.test", "a\\056b.test.");
    check("x@y.test", "x\\100y.test.");
    check("\\377.test", "\\377.test.");
    check(".", ".");
}

#[test]
fn texts_that_are_no_name_say_why() {
    assert_eq!(Name::parse(""), Err(BadName::Empty));
    assert_eq!(Name::parse("a..b"), Err(BadName::LabelEmpty));
    assert_eq!(Name::parse(".a"), Err(BadName::LabelEmpty));
    assert_eq!(Name::parse("a b"), Err(BadName::Unsupported));
    assert_eq!(Name::parse("\u{e9}t\u{e9}.test"), Err(BadName::Unsupported));
    assert_eq!(Name::parse("\\777.test"), Err(BadName::Unsupported));
    assert_eq!(Name::parse(&"x".repeat(64)), Err(BadName::LabelTooLong));
    let long = vec!["x".repeat(60); 5].join(".");
    assert_eq!(Name::parse(&long), Err(BadName::NameTooLong));
}

#[test]
fn a_name_of_255_bytes_fits() {
    let text = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
    let name = Name::parse(&text).unwrap();
    assert_eq!(name.as_wire().len(), 255);
    assert_eq!(Name::parse(&format!("{text}b")), Err(BadName::NameTooLong));
}

#[test]
fn wire_that_is_no_name_is_refused() {
    for wire in [&b""[..], b"\x03ab\0", b"\x01a", b"\x01a\0\0", b"\xc0\x0c"] {
        assert_eq!(Name::from_wire(wire), None, "{wire:?}");
    }
}

#[test]
fn a_name_lies_within_its_parents_only() {
    let name = |text| Name::parse(text).unwrap();
    assert!(name("a.shop.test").is_within(&name("shop.test")));
    assert!(name("shop.test").is_within(&name("shop.test")));
    assert!(name("shop.test").is_within(&name(".")));
    assert!(!name("workshop.test").is_within(&name("shop.test")));
    assert_eq!(name("a.b").parent(), Some(name("b")));
    assert_eq!(name(".").parent(), None);
}

#[test]
fn lists_are_ordered_by_reversed_labels() {
    let mut names: Vec<_> = ["b.test", "a.b.test", "test", "*.test", "c.a.test", "a.test"]
        .map(|text| Name::parse(text).unwrap())
        .into();
    names.sort_by_key(Name::sort_key);
    let shown: Vec<_> = names.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "test.",
            "\\052.test.",
            "a.test.",
            "c.a.test.",
            "b.test.",
            "a.b.test."
        ]
    );
}

#[test]
fn two_names_never_share_a_place_in_the_order() {
    let key = |text| Name::parse(text).unwrap().sort_key();
    assert_ne!(key("a\\056b.test"), key("b.a.test"));
    assert_ne!(key("a\\134.test"), key("\\134a.test"));
}
