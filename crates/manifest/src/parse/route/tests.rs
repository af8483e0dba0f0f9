//! Tests of route keys and targets.

use super::{answers, key, shape, target};
use crate::model::RouteTarget;

#[track_caller]
fn check(text: &str, expect: Result<&str, &str>) {
    let read = key(text).map(|key| key.to_string());
    assert_eq!(
        read.as_deref(),
        expect.map_err(str::to_owned).as_ref().map(|s| *s)
    );
}

#[test]
fn keys() {
    check("$default", Ok("$default"));
    check("GET /", Ok("GET /"));
    check("ANY /cart/{proxy+}", Ok("ANY /cart/{proxy+}"));
    check("GET /static/*", Ok("GET /static/{proxy+}"));
    check("POST /a/{id}/b", Ok("POST /a/{id}/b"));
    check("/cart", Err("it has no method and path"));
    check("get /cart", Err("`get` is no method"));
    check("GET cart", Err("its path does not start with a slash"));
    check("GET /a//b", Err("its path has an empty segment"));
    check("GET /{a+}/b", Err("`{a+}` must be the last segment"));
    check("GET /{a}/{a}", Err("`a` stands twice in its path"));
    check("GET /x{a}", Err("its path has a '{'"));
    check("GET /{a", Err("`{a` must be a whole segment, `{name}`"));
    check("GET /{}", Err("`{}` has no proper name"));
    check("GET /a?b", Err("its path has a '?'"));
}

#[test]
fn targets() {
    let function = RouteTarget::Function("cart".to_owned());
    assert_eq!(target("function:cart"), Ok(function));
    assert!(target("https://example.com/x").is_ok());
    assert!(target("http://127.0.0.1:9000").is_ok());
    assert!(target("function:").is_err());
    assert!(target("http:///x").is_err());
    assert!(target("ftp://example.com").is_err());
}

#[test]
fn parameters_of_other_names_are_the_same_shape() {
    let shape_of = |text| shape(&key(text).unwrap());
    assert_eq!(shape_of("GET /a/{id}"), shape_of("GET /a/{name}"));
    assert_ne!(shape_of("GET /a/{id}"), shape_of("GET /a/{id+}"));
    assert_ne!(shape_of("GET /a"), shape_of("ANY /a"));
}

#[test]
fn answers_get() {
    let yes = |route, path| assert!(answers(&key(route).unwrap(), path), "{route} {path}");
    let no = |route, path| assert!(!answers(&key(route).unwrap(), path), "{route} {path}");
    yes("ANY /cart/{proxy+}", "/cart/health");
    yes("GET /{a}/b", "/x/b?q=1");
    no("GET /{a}/b", "/x/c");
    no("POST /x", "/x");
    no("GET /x", "/x/y");
    no("$default", "/x");
}
