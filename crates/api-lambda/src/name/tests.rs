//! Every form of a function's name.

use super::*;

fn read(text: &str, qualifier: Option<&str>) -> Result<String, String> {
    let region = RegionName::parse("eu-west-1").unwrap();
    parse(&region, AccountId::DEFAULT, text, qualifier)
        .map(str::to_owned)
        .map_err(|fault| fault.code.into_owned())
}

#[track_caller]
fn check(text: &str, expect: Result<&str, &str>) {
    let expect = expect.map(str::to_owned).map_err(str::to_owned);
    assert_eq!(read(text, None), expect, "{text}");
}

#[test]
fn all_forms_are_read() {
    for text in [
        "cart",
        "cart:$LATEST",
        "function:cart",
        "000000000000:function:cart",
        "000000000000:function:cart:$LATEST",
        "arn:aws:lambda:eu-west-1:000000000000:function:cart",
        "arn:aws:lambda:eu-west-1:000000000000:function:cart:$LATEST",
    ] {
        check(text, Ok("cart"));
    }
    assert_eq!(read("cart", Some("$LATEST")), Ok("cart".to_owned()));
}

#[test]
fn other_versions_are_not_there() {
    check("cart:1", Err("ResourceNotFoundException"));
    check("cart:live", Err("ResourceNotFoundException"));
    let qualified = read("cart", Some("live"));
    assert_eq!(qualified, Err("ResourceNotFoundException".to_owned()));
}

#[test]
fn other_places_are_refused() {
    check(
        "arn:aws:lambda:us-east-1:000000000000:function:cart",
        Err("ResourceNotFoundException"),
    );
    check(
        "arn:aws:lambda:eu-west-1:111111111111:function:cart",
        Err("AccessDeniedException"),
    );
    check("111111111111:function:cart", Err("AccessDeniedException"));
}

#[test]
fn other_texts_are_no_names() {
    let long = "x".repeat(65);
    for text in [
        "",
        "a b",
        "café",
        "a:b:c",
        "function:",
        "arn:aws:lambda:eu-west-1:1:function:cart",
        "arn:aws:lambda:function:",
        "arn:aws:s3:::bucket",
        &long,
    ] {
        check(text, Err("ValidationException"));
    }
}
