//! The developer guide's examples, and answers that are no responses.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;

fn show(format: PayloadFormat, answer: &str) -> String {
    let answer = Bytes::copy_from_slice(answer.as_bytes());
    match read(format, &answer) {
        Err(error) => error.to_string(),
        Ok(response) => {
            let mut text = response.status().as_u16().to_string();
            for (name, value) in response.headers() {
                write!(text, " {name}:{}", value.to_str().unwrap_or("?")).unwrap();
            }
            format!("{text} | {}", String::from_utf8_lossy(response.body()))
        }
    }
}

#[track_caller]
fn check(answer: &str, expect: &str) {
    assert_eq!(show(PayloadFormat::V2, answer), expect, "{answer}");
}

#[test]
fn a_value_without_a_status_is_the_body() {
    check(
        r#""Hello from Lambda!""#,
        "200 content-type:application/json | Hello from Lambda!",
    );
    check(
        r#"{ "message": "Hi" }"#,
        r#"200 content-type:application/json | { "message": "Hi" }"#,
    );
    check("[1, 2]", "200 content-type:application/json | [1, 2]");
    check("null", "200 content-type:application/json | null");
    check("7", "200 content-type:application/json | 7");
}

#[test]
fn a_status_makes_it_a_response() {
    check(r#"{"statusCode":201}"#, "201 | ");
    check(
        r#"{"statusCode":"404","body":"x"}"#,
        "404 content-type:text/plain;charset=UTF-8 | x",
    );
    check(
        r#"{"statusCode":200,"headers":{"Content-Type":"a/b","X":1,"Y":true,"Z":null},"body":"x"}"#,
        "200 content-type:a/b x:1 y:true | x",
    );
    check(
        r#"{"statusCode":200,"cookies":["a=1","b=2"],"multiValueHeaders":{"x":["1","2"]}}"#,
        "200 x:1 x:2 set-cookie:a=1 set-cookie:b=2 | ",
    );
    check(
        r#"{"statusCode":200,"headers":{"x":"1"},"body":"aGk=","isBase64Encoded":true}"#,
        "200 x:1 content-type:text/plain;charset=UTF-8 | hi",
    );
}

#[test]
fn lengths_and_connections_are_the_gateways() {
    check(
        r#"{"statusCode":200,"headers":{"content-length":"9","connection":"x","x":"1"}}"#,
        "200 | ",
    );
    check(
        r#"{"statusCode":200,"headers":{"transfer-encoding":"chunked","upgrade":"x"}}"#,
        "200 | ",
    );
    check(r#"{"statusCode":204,"body":"x"}"#, "204 | ");
}

#[test]
fn wrong_fields_are_named() {
    check(
        r#"{"statusCode":99}"#,
        "use the field statusCode of the function's answer",
    );
    check(
        r#"{"statusCode":101}"#,
        "use the field statusCode of the function's answer",
    );
    check(
        r#"{"statusCode":200,"body":{}}"#,
        "use the field body of the function's answer",
    );
    check(
        r#"{"statusCode":200,"body":"%","isBase64Encoded":true}"#,
        "use the field body of the function's answer",
    );
    check(
        r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
        "use the field headers of the function's answer",
    );
    check(
        r#"{"statusCode":200,"headers":{"a":"c\r\nd: e"}}"#,
        "use the field headers of the function's answer",
    );
    check(
        r#"{"statusCode":200,"cookies":"a"}"#,
        "use the field cookies of the function's answer",
    );
    assert!(show(PayloadFormat::V2, "{").starts_with("read the function's answer as JSON"));
}

#[test]
fn format_1_demands_a_status() {
    let text = show(PayloadFormat::V1, r#""Hello""#);
    assert_eq!(text, "find a statusCode in the function's answer");
    assert_eq!(show(PayloadFormat::V1, r#"{"statusCode":200}"#), "200 | ");
}

proptest! {
    #[test]
    fn no_answer_ends_the_process(text in ".{0,80}") {
        show(PayloadFormat::V2, &text);
        show(PayloadFormat::V2, &format!(r#"{{"statusCode":200,"headers":{{"x":{text:?}}}}}"#));
    }
}
