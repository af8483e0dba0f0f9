//! Paths and the operations they name.

use api_protocol::uri::segments;

use super::*;

#[track_caller]
fn check(method: &str, path: &str, expect: Option<(&str, &[&str])>) {
    let segments = segments(path);
    let named = named(method, &segments);
    let seen = named.as_ref().map(|n| (n.operation, &n.labels[..]));
    assert_eq!(seen, expect, "{method} {path}");
}

#[test]
fn paths_name_operations() {
    check(
        "POST",
        "/2015-03-31/functions",
        Some(("CreateFunction", &[])),
    );
    check(
        "POST",
        "/2015-03-31/functions/",
        Some(("CreateFunction", &[])),
    );
    check(
        "POST",
        "/2015-03-31/functions/cart/invocations",
        Some(("Invoke", &["cart"])),
    );
    check(
        "DELETE",
        "/2015-03-31/functions/cart/policy/gateway",
        Some(("RemovePermission", &["cart", "gateway"])),
    );
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:cart";
    check(
        "GET",
        "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Acart",
        Some(("ListTags", &[arn])),
    );
    check(
        "GET",
        "/2015-03-31/functions/cart/aliases",
        Some(("ListAliases", &["cart"])),
    );
}

#[test]
fn other_paths_name_none() {
    check("PATCH", "/2015-03-31/functions", None);
    check("GET", "/2015-03-31/functions/cart/nothing", None);
    check("GET", "/2015-03-31/functions/cart/policy/x/y", None);
    check("GET", "/", None);
}
