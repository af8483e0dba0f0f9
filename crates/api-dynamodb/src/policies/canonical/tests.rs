//! Equal policies have one form, and the form is its own.

use super::of;

#[track_caller]
fn check(document: &str, expected: &str) {
    let form = of(document).expect("a policy");
    assert_eq!(form.document, expected);
    assert_eq!(of(expected), Some(form), "the form of the form is the form");
}

#[test]
fn members_have_an_order_and_lists_of_one_are_that_one() {
    let canonical = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"a\",\"Effect\":\"Allow\",\
                     \"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:root\"},\
                     \"Action\":\"dynamodb:GetItem\",\"Resource\":\"*\",\
                     \"Condition\":{\"StringEquals\":{\"aws:PrincipalAccount\":\"1\"}}}]}";
    check(canonical, canonical);
    let mixed = r#"{ "Statement": {
        "Resource": ["*"], "Action": ["dynamodb:GetItem"], "Effect": "Allow", "Sid": "a",
        "Condition": { "StringEquals": { "aws:PrincipalAccount": ["1"] } },
        "Principal": { "AWS": ["123456789012", "arn:aws:iam::123456789012:root"] }
    }, "Version": "2012-10-17" }"#;
    check(mixed, canonical);
}

#[test]
fn a_policy_without_a_version_has_the_first_one() {
    check(
        r#"{"Statement":[]}"#,
        r#"{"Version":"2008-10-17","Statement":[]}"#,
    );
    for none in ["", "[]", "{}", r#"{"Statement":1}"#, r#"{"Statement":[1]}"#] {
        assert_eq!(of(none), None, "{none}");
    }
}

#[test]
fn what_everybody_may_do_is_noticed() {
    let policy = |effect: &str, principal: &str, more: &str| {
        let statement = format!(r#"{{"Effect":"{effect}","Principal":{principal}{more}}}"#);
        of(&format!(r#"{{"Statement":[{statement}]}}"#))
            .expect("a policy")
            .is_unbounded
    };
    assert!(policy("Allow", r#""*""#, ""));
    assert!(policy("Allow", r#"{"AWS":["1","*"]}"#, ""));
    assert!(!policy("Deny", r#""*""#, ""));
    assert!(!policy("Allow", r#"{"AWS":"1"}"#, ""));
    assert!(!policy("Allow", r#""*""#, r#","Condition":{}"#));
}
