//! Requests and what they ask for.

use super::*;

#[track_caller]
fn check(method: &str, path: &str, body: &str, expect: Result<Operation, BadRequest>) {
    assert_eq!(parse(method, path, body.as_bytes()), expect);
}

fn put(customer: &str, sku: &str, quantity: u32) -> Operation {
    Operation::Put {
        customer: customer.into(),
        sku: sku.into(),
        quantity,
    }
}

#[test]
fn paths_and_methods_choose_the_operation() {
    let list = Operation::List {
        customer: "ann".into(),
    };
    let remove = Operation::Remove {
        customer: "ann".into(),
        sku: "tea".into(),
    };
    check("GET", "/health", "", Ok(Operation::Health));
    check("HEAD", "/health", "", Ok(Operation::Health));
    check("GET", "/cart/ann", "", Ok(list.clone()));
    check("GET", "/cart/ann/", "", Ok(list));
    check("DELETE", "/cart/ann/tea", "", Ok(remove));
    check(
        "PUT",
        "/cart/ann/tea",
        r#"{"quantity":2}"#,
        Ok(put("ann", "tea", 2)),
    );
}

#[test]
fn names_are_percent_decoded_once() {
    check(
        "PUT",
        "/cart/a%2Fb/caf%C3%A9",
        r#"{"quantity":1}"#,
        Ok(put("a/b", "café", 1)),
    );
    check(
        "PUT",
        "/cart/100%2525/x",
        r#"{"quantity":1}"#,
        Ok(put("100%25", "x", 1)),
    );
}

#[test]
fn other_paths_are_not_found() {
    for path in ["/", "", "/carts/ann", "/health/x", "/cart", "/cart/a/b/c"] {
        check("GET", path, "", Err(BadRequest::NoSuchPath));
    }
}

#[test]
fn other_methods_are_told_the_right_ones() {
    check(
        "POST",
        "/health",
        "",
        Err(BadRequest::NoSuchMethod("GET, HEAD")),
    );
    check(
        "PUT",
        "/cart/ann",
        "",
        Err(BadRequest::NoSuchMethod("GET, HEAD")),
    );
    check(
        "GET",
        "/cart/ann/tea",
        "",
        Err(BadRequest::NoSuchMethod("PUT, DELETE")),
    );
}

#[test]
fn quantities_have_bounds_and_a_shape() {
    let bad = |body: &str| {
        let answer = parse("PUT", "/cart/ann/tea", body.as_bytes());
        assert!(matches!(answer, Err(BadRequest::Malformed(_))), "{body}");
    };
    for body in [
        "",
        "2",
        "[]",
        "{}",
        r#"{"quantity":0}"#,
        r#"{"quantity":10001}"#,
        r#"{"quantity":-1}"#,
        r#"{"quantity":1.5}"#,
        r#"{"quantity":"2"}"#,
        r#"{"quantity":2,"price":1}"#,
    ] {
        bad(body);
    }
    check(
        "PUT",
        "/cart/ann/tea",
        r#"{"quantity":10000}"#,
        Ok(put("ann", "tea", 10_000)),
    );
}

#[test]
fn names_have_bounds() {
    let long = format!("/cart/{}", "x".repeat(NAME_BYTES_MAX + 1));
    for path in [long.as_str(), "/cart/%00", "/cart/%ff"] {
        let answer = parse("GET", path, b"");
        assert!(matches!(answer, Err(BadRequest::Malformed(_))), "{path}");
    }
}
