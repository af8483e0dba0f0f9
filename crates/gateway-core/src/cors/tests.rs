//! Origins that match, origins that do not, and backends that answer by themselves.

use super::*;

fn cors(origins: &[&str]) -> Cors {
    Cors {
        allow_origins: origins.iter().map(|&o| o.to_owned()).collect(),
        allow_methods: vec!["GET".into(), "PUT".into()],
        allow_headers: vec!["*".into()],
        expose_headers: vec!["etag".into()],
        max_age: Some(300),
        credentials: Credentials::Omitted,
    }
}

fn from_origin(origin: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ORIGIN, HeaderValue::from_static(origin));
    headers.insert(
        ACCESS_CONTROL_REQUEST_METHOD,
        HeaderValue::from_static("PUT"),
    );
    headers
}

#[track_caller]
fn check(origins: &[&str], origin: &'static str, expect: Option<&str>) {
    let answer = cors(origins).preflight(&from_origin(origin));
    let allowed = answer
        .get(ACCESS_CONTROL_ALLOW_ORIGIN)
        .map(|v| v.to_str().unwrap());
    assert_eq!(allowed, expect, "{origin}");
    assert_eq!(
        answer.contains_key(ACCESS_CONTROL_ALLOW_METHODS),
        expect.is_some()
    );
}

#[test]
fn origins_are_named_by_scheme_or_all() {
    check(
        &["https://a.test"],
        "https://a.test",
        Some("https://a.test"),
    );
    check(&["https://a.test"], "https://b.test", None);
    check(&["https://a.test"], "https://a.test.evil", None);
    check(&["https://*"], "https://b.test", Some("https://b.test"));
    check(&["https://*"], "http://b.test", None);
    check(&["*"], "http://b.test", Some("*"));
}

#[test]
fn the_backends_own_headers_give_way() {
    let mut response = HeaderMap::new();
    response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("1"));
    let mut other = response.clone();
    let cors = cors(&["https://a.test"]);
    cors.apply(&from_origin("https://a.test"), &mut response);
    assert_eq!(response[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.test");
    assert_eq!(response[ACCESS_CONTROL_EXPOSE_HEADERS], "etag");
    assert!(!response.contains_key(ACCESS_CONTROL_MAX_AGE));
    cors.apply(&from_origin("https://b.test"), &mut other);
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn only_a_browsers_question_is_a_preflight() {
    let headers = from_origin("https://a.test");
    assert!(is_preflight(&Method::OPTIONS, &headers));
    assert!(!is_preflight(&Method::GET, &headers));
    assert!(!is_preflight(&Method::OPTIONS, &HeaderMap::new()));
}
