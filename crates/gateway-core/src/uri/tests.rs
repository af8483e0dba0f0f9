//! Templates filled as the developer guide shows, and texts that are none.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(template: &str, variables: &[(&str, &str)], rest: [Option<&str>; 2], expect: &str) {
    let variables: Vec<_> = variables
        .iter()
        .map(|(n, v)| (*n, (*v).to_owned()))
        .collect();
    let [tail, query] = rest;
    let template = UriTemplate::parse(template).unwrap();
    assert_eq!(
        template.fill(&variables, tail, query).unwrap().to_string(),
        expect
    );
}

#[test]
fn variables_are_put_in_and_escaped() {
    let proxy = "https://pets.example/petstore/{proxy+}";
    check(
        proxy,
        &[("proxy", "a/b c")],
        [None, None],
        "/petstore/a/b%20c",
    );
    check(
        proxy,
        &[("proxy", "a?x=1#f")],
        [None, None],
        "/petstore/a%3Fx=1%23f",
    );
    check(
        "http://h/{a}?x={a}",
        &[("a", "1")],
        [None, Some("y=2")],
        "/1?x=1&y=2",
    );
    check("http://h", &[], [None, None], "/");
    check("http://h?z=1", &[], [None, None], "/?z=1");
}

#[test]
fn the_default_route_passes_the_whole_path() {
    check(
        "http://h",
        &[],
        [Some("/store/checkout"), None],
        "/store/checkout",
    );
    check("http://h/base/", &[], [Some("/a"), Some("q")], "/base/a?q");
}

#[test]
fn ports_follow_the_scheme() {
    let port = |text| UriTemplate::parse(text).unwrap().port;
    assert_eq!(port("http://h"), 80);
    assert_eq!(port("https://h/x"), 443);
    assert_eq!(port("https://h:8443"), 8443);
    assert_eq!(
        UriTemplate::parse("http://[::1]:9/").unwrap().host(),
        "[::1]"
    );
}

#[test]
fn other_texts_are_no_backends() {
    for text in [
        "",
        "h",
        "ftp://h",
        "http://",
        "http://u@h",
        "http://{h}/",
        "http://h/#f",
    ] {
        UriTemplate::parse(text).expect_err(text);
    }
    for text in [
        "http://h/{",
        "http://h/}",
        "http://h/{}",
        "http://h/a b",
        "http://h:99999/",
    ] {
        UriTemplate::parse(text).expect_err(text);
    }
}

#[test]
fn dot_segments_lead_nowhere() {
    let template = UriTemplate::parse("http://h/public/{x}").unwrap();
    for value in ["..", "a/../b", ".", "a\\..\\b"] {
        template
            .fill(&[("x", value.to_owned())], None, None)
            .expect_err(value);
    }
    for tail in ["/../a", "/%2e%2E/a", "/a/%2e", "/..%2f..%2fa"] {
        template.fill(&[], Some(tail), None).expect_err(tail);
    }
    check("http://h/{x}", &[("x", "...")], [None, None], "/...");
}

proptest! {
    #[test]
    fn a_value_never_leaves_its_place(value in ".{0,40}") {
        let template = UriTemplate::parse("http://h/a/{x}?k=v").unwrap();
        let Ok(uri) = template.fill(&[("x", value)], None, None) else {
            return Ok(());
        };
        prop_assert!(uri.path().starts_with("/a/"));
        prop_assert_eq!(uri.query(), Some("k=v"));
    }
}
