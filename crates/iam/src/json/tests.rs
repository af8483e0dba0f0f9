//! What is read as JSON and what is refused. No policies.

use super::{Node, read};
use crate::limits::DEPTH_MAX;
use crate::mistake::Problem;

#[test]
fn members_keep_their_order_and_their_doubles() {
    let found = read(r#" {"b": [true, null, 1, 1.5, -2], "a": "ä", "b": {}} "#).expect("JSON");
    let number = |text: &str| Node::Number(text.to_owned());
    let list = vec![
        Node::Bool(true),
        Node::Null,
        number("1"),
        number("1.5"),
        number("-2"),
    ];
    let map = vec![
        ("b".to_owned(), Node::List(list)),
        ("a".to_owned(), Node::Text("ä".to_owned())),
        ("b".to_owned(), Node::Map(Vec::new())),
    ];
    assert_eq!(found, Node::Map(map));
}

#[test]
fn depth_is_counted_before_it_is_entered() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(read(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(read(&nested(DEPTH_MAX + 1)), Err(Problem::TooDeep));
    assert_eq!(read(&"[".repeat(100_000)), Err(Problem::TooDeep));
    assert!(
        read(r#""[[[[[[[[[[[[[[[[[[\"[[[""#).is_ok(),
        "signs in texts are no depth"
    );
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    for (text, line, column) in [("", 1, 0), ("{\n\"a\" 1}", 2, 5), ("[1] x", 1, 5)] {
        assert_eq!(
            read(text),
            Err(Problem::Syntax { line, column }),
            "{text:?}"
        );
    }
}
