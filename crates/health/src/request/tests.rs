//! Requests as they go out.

use super::get;

#[test]
fn paths_are_carried_as_given_or_escaped() {
    let uri = |path| get(path, "a.test", "x").map(|request| request.uri().to_string());
    assert_eq!(
        uri("/health?deep=1&x=%20").as_deref(),
        Some("/health?deep=1&x=%20")
    );
    assert_eq!(uri("/a#b").as_deref(), Some("/a%23b"));
    assert_eq!(
        uri("/{x}|^`\"<>\\").as_deref(),
        Some("/%7Bx%7D%7C%5E%60%22%3C%3E%5C")
    );
}

#[test]
fn every_visible_character_can_stand_in_a_path() {
    for byte in 0x21..=0x7e_u8 {
        let path = format!("/a{}b", char::from(byte));
        assert!(get(&path, "a.test", "x").is_some(), "{path}");
    }
}

#[test]
fn a_host_that_is_no_header_makes_no_request() {
    assert!(get("/", "a\r\nb", "x").is_none());
}
