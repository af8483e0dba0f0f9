//! The priorities of the developer guide, and keys that are none.

use proptest::prelude::*;

use super::*;

fn tree(keys: &[&str]) -> (RouteTree, Vec<RouteKey>) {
    let keys: Vec<_> = keys.iter().map(|k| RouteKey::parse(k).unwrap()).collect();
    let mut tree = RouteTree::default();
    for (number, key) in keys.iter().enumerate() {
        tree.add(key, number);
    }
    (tree, keys)
}

#[track_caller]
fn check(keys: &[&str], request: &str, expect: Option<(&str, Fit)>) {
    let (tree, keys) = tree(keys);
    let (method, path) = request.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let found = tree.find(&method, path);
    let found = found.map(|(number, fit)| (keys[number].as_str(), fit));
    assert_eq!(found, expect, "{request}");
}

const GUIDE: [&str; 5] = [
    "GET /pets/dog/1",
    "GET /pets/dog/{id}",
    "GET /pets/{proxy+}",
    "ANY /{proxy+}",
    "$default",
];

#[test]
fn the_guides_examples() {
    check(
        &GUIDE,
        "GET /pets/dog/1",
        Some(("GET /pets/dog/1", Fit::Full)),
    );
    check(
        &GUIDE,
        "GET /pets/dog/2",
        Some(("GET /pets/dog/{id}", Fit::Full)),
    );
    check(
        &GUIDE,
        "GET /pets/cat/1",
        Some(("GET /pets/{proxy+}", Fit::Greedy)),
    );
    check(&GUIDE, "POST /test/5", Some(("ANY /{proxy+}", Fit::Greedy)));
    check(&GUIDE, "GET /", Some(("$default", Fit::Default)));
}

#[test]
fn the_more_specific_route_wins() {
    let keys = [
        "ANY /a/{x}",
        "GET /a/{x}",
        "ANY /a/b",
        "GET /{p+}",
        "GET /{y}/b",
    ];
    check(&keys, "GET /a/b", Some(("ANY /a/b", Fit::Full)));
    check(&keys, "GET /a/c", Some(("GET /a/{x}", Fit::Full)));
    check(&keys, "PUT /a/c", Some(("ANY /a/{x}", Fit::Full)));
    check(&keys, "GET /z/b", Some(("GET /{y}/b", Fit::Full)));
    check(&keys, "GET /a/b/c", Some(("GET /{p+}", Fit::Greedy)));
    check(&keys, "PUT /a/b/c", None);
}

#[test]
fn a_full_match_beats_a_longer_greedy_prefix() {
    let keys = ["GET /a/{x}/{y}", "GET /a/b/{p+}"];
    check(&keys, "GET /a/b/c", Some(("GET /a/{x}/{y}", Fit::Full)));
    check(&keys, "GET /a/b/c/d", Some(("GET /a/b/{p+}", Fit::Greedy)));
}

#[test]
fn a_literal_with_another_method_does_not_hide_a_variable() {
    let keys = ["POST /a/b", "GET /a/{x}"];
    check(&keys, "GET /a/b", Some(("GET /a/{x}", Fit::Full)));
}

#[test]
fn slashes_and_escapes() {
    check(&["GET /a"], "GET /a/", Some(("GET /a", Fit::Full)));
    check(&["GET /a"], "GET //a", None);
    check(&["GET /{x}"], "GET //", None);
    check(&["GET /"], "GET /", Some(("GET /", Fit::Full)));
    check(
        &["GET /caf\u{e9}"],
        "GET /caf%C3%A9",
        Some(("GET /caf\u{e9}", Fit::Full)),
    );
    check(
        &["ANY /{proxy+}"],
        "GET /a%2Fb",
        Some(("ANY /{proxy+}", Fit::Greedy)),
    );
    check(&["ANY /{x}"], "GET /a%2Fb", Some(("ANY /{x}", Fit::Full)));
}

#[track_caller]
fn check_variables(key: &str, path: &str, expect: &[(&str, &str)]) {
    let key = RouteKey::parse(key).unwrap();
    let found = key.variables(path);
    let found: Vec<_> = found.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(found, expect, "{path}");
}

#[test]
fn variables_are_decoded() {
    check_variables(
        "GET /a/{x}/b/{y}",
        "/a/1%202/b/3",
        &[("x", "1 2"), ("y", "3")],
    );
    check_variables("ANY /a/{proxy+}", "/a/b/c%20d/", &[("proxy", "b/c d")]);
    check_variables("$default", "/a", &[]);
    check_variables("GET /a", "/a", &[]);
}

#[track_caller]
fn check_bad(text: &str) {
    RouteKey::parse(text).expect_err(text);
}

#[test]
fn other_texts_are_no_route_keys() {
    for text in [
        "",
        "GET",
        "GET a",
        "get /a",
        "FETCH /a",
        "GET /a/",
        "GET /a//b",
        "$connect",
    ] {
        check_bad(text);
    }
    for text in [
        "GET /{x+}/a",
        "GET /a{x}",
        "GET /{}",
        "GET /{x}/{x}",
        "GET /{a b}",
        "GET /a b",
    ] {
        check_bad(text);
    }
    check_bad(&format!("GET /{}", "a".repeat(600)));
}

/// A slow second opinion: ranks every route by itself and takes the best.
fn naive(keys: &[RouteKey], method: &Method, path: &str) -> Option<usize> {
    let segments: Vec<&str> = remainder(path).map_or_else(Vec::new, |p| p.split('/').collect());
    let rank = |key: &RouteKey| -> Option<(Fit, Vec<u8>, u8)> {
        let Some(pattern) = &key.pattern else {
            return Some((Fit::Default, Vec::new(), 0));
        };
        let any = match &pattern.method {
            Some(own) if own == method => 0,
            Some(_) => return None,
            None => 1,
        };
        let mut shape = Vec::new();
        for (at, own) in pattern.segments.iter().enumerate() {
            match (own, segments.get(at)) {
                (Segment::Greedy(_), Some(_)) => {
                    shape.push(2);
                    return Some((Fit::Greedy, shape, any));
                }
                (Segment::Literal(text), Some(segment)) if text == segment => shape.push(0),
                (Segment::Variable(_), Some(segment)) if !segment.is_empty() => shape.push(1),
                _ => return None,
            }
        }
        (pattern.segments.len() == segments.len()).then_some((Fit::Full, shape, any))
    };
    let ranked = keys.iter().enumerate();
    let ranked = ranked.filter_map(|(number, key)| Some((rank(key)?, number)));
    ranked.min().map(|(_, number)| number)
}

fn any_key() -> impl Strategy<Value = String> {
    let method = prop_oneof![Just("GET"), Just("PUT"), Just("ANY")];
    let segment = prop_oneof![3 => "[ab]", 1 => Just("{v}".to_owned())];
    (method, prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(
        |(m, segments, greedy)| {
            let mut path = String::new();
            for (at, segment) in segments.iter().enumerate() {
                path.push('/');
                path.push_str(&segment.replace('v', &format!("v{at}")));
            }
            match (greedy, path.is_empty()) {
                (true, _) => format!("{m} {path}/{{g+}}"),
                (false, true) => format!("{m} /"),
                (false, false) => format!("{m} {path}"),
            }
        },
    )
}

proptest! {
    #[test]
    fn the_tree_agrees_with_ranking_every_route(
        keys in prop::collection::vec(any_key(), 0..12),
        put in any::<bool>(),
        path in "(/[abc]){0,5}/?",
    ) {
        let keys: Vec<_> = keys.iter().map(|k| RouteKey::parse(k).unwrap()).collect();
        let mut tree = RouteTree::default();
        for (number, key) in keys.iter().enumerate() {
            tree.add(key, number);
        }
        let method = if put { Method::PUT } else { Method::GET };
        let found = tree.find(&method, &path).map(|(number, _)| number);
        prop_assert_eq!(found, naive(&keys, &method, &path));
    }

    #[test]
    fn no_text_ends_the_process(text in ".{0,60}", path in ".{0,60}") {
        if let Ok(key) = RouteKey::parse(&text) {
            key.variables(&path);
        }
    }
}
