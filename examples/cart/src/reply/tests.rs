//! Items and refusals as answers.

use super::*;

fn item(sku: &str, quantity: AttributeValue) -> Item {
    HashMap::from([
        ("customer".to_owned(), AttributeValue::S("ann".into())),
        ("sku".to_owned(), AttributeValue::S(sku.into())),
        ("quantity".to_owned(), quantity),
        (
            "written_in".to_owned(),
            AttributeValue::S("eu-west-1".into()),
        ),
    ])
}

#[test]
fn a_cart_lists_its_lines_in_order() {
    let items = [
        item("cup", AttributeValue::N("1".into())),
        item("tea", AttributeValue::N("3".into())),
    ];
    let reply = cart("us-east-1", "ann", &items);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.body,
        json!({
            "customer": "ann",
            "lines": [
                { "sku": "cup", "quantity": 1, "written_in": "eu-west-1" },
                { "sku": "tea", "quantity": 3, "written_in": "eu-west-1" },
            ],
            "served_by": "us-east-1",
        })
    );
}

#[test]
fn items_of_another_shape_are_no_lines() {
    let items = [
        item("cup", AttributeValue::S("one".into())),
        item("tea", AttributeValue::N("1e2".into())),
        HashMap::new(),
    ];
    assert_eq!(cart("r1", "ann", &items).body["lines"], json!([]));
    assert_eq!(stored("r1", &items[0]).status, 503);
}

#[test]
fn a_line_of_another_writer_needs_no_region() {
    let mut other = item("tea", AttributeValue::N("2".into()));
    other.remove("written_in");
    let reply = stored("r1", &other);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["line"]["written_in"], Value::Null);
}

#[test]
fn refusals_have_their_statuses() {
    assert_eq!(refused(&BadRequest::NoSuchPath).status, 404);
    assert_eq!(refused(&BadRequest::Malformed("x")).status, 400);
    let method = refused(&BadRequest::NoSuchMethod("PUT, DELETE"));
    assert_eq!((method.status, method.allow), (405, Some("PUT, DELETE")));
    assert_eq!(no_such_line("ann", "tea").status, 404);
}
