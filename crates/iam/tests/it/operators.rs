//! Condition operators, one case a line.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators", "Conditions with
//! multiple context keys or values".

use crate::world::Given::{Many, One};
use crate::world::{Givens, TABLE, allows, anna};

/// Whether a statement with this condition applies, as one that allows and as one that denies.
/// They differ where it cannot be told.
fn applies(condition: &str, givens: Givens) -> (bool, bool) {
    let statement = |effect: &str| {
        format!(
            r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#
        )
    };
    let document =
        |statements: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let asked = ("dynamodb:GetItem", TABLE);
    let allow = allows(&document(&statement("Allow")), &anna(), asked, givens);
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let deny = document(&format!("{all},{}", statement("Deny")));
    (allow, !allows(&deny, &anna(), asked, givens))
}

#[track_caller]
fn check(condition: &str, givens: Givens, expect: bool) {
    assert_eq!(
        applies(condition, givens),
        (expect, expect),
        "{condition} with {givens:?}"
    );
}

#[track_caller]
fn check_undecided(condition: &str, givens: Givens) {
    assert_eq!(
        applies(condition, givens),
        (false, true),
        "{condition} with {givens:?}"
    );
}

#[test]
fn texts() {
    let a: Givens = &[("x:k", One("Value"))];
    check(r#""StringEquals":{"x:k":"Value"}"#, a, true);
    check(r#""StringEquals":{"x:k":"value"}"#, a, false);
    check(r#""StringEquals":{"X:K":"Value"}"#, a, true); // keys have no case
    check(r#""StringEquals":{"x:k":"Val*"}"#, a, false); // no wildcards here
    check(r#""StringEquals":{"x:k":["other","Value"]}"#, a, true);
    check(r#""StringEquals":{"x:k":"Value"}"#, &[], false);
    check(r#""StringNotEquals":{"x:k":"Value"}"#, a, false);
    check(r#""StringNotEquals":{"x:k":"value"}"#, a, true);
    check(r#""StringNotEquals":{"x:k":["other","Value"]}"#, a, false);
    check(r#""StringNotEquals":{"x:k":["other","one"]}"#, a, true);
    check(r#""StringNotEquals":{"x:k":"Value"}"#, &[], true);
    check(r#""StringEqualsIgnoreCase":{"x:k":"vALUE"}"#, a, true);
    check(r#""StringEqualsIgnoreCase":{"x:k":"valu"}"#, a, false);
    check(r#""StringNotEqualsIgnoreCase":{"x:k":"vALUE"}"#, a, false);
    check(r#""StringNotEqualsIgnoreCase":{"x:k":"valu"}"#, a, true);
    check(r#""StringLike":{"x:k":"V*"}"#, a, true);
    check(r#""StringLike":{"x:k":"v*"}"#, a, false);
    check(r#""StringLike":{"x:k":"Val?e"}"#, a, true);
    check(r#""StringLike":{"x:k":"*"}"#, &[], false);
    check(r#""StringLike":{"x:k":["a*","*e"]}"#, a, true);
    check(r#""StringNotLike":{"x:k":"V*"}"#, a, false);
    check(r#""StringNotLike":{"x:k":"W*"}"#, a, true);
    check(r#""StringNotLike":{"x:k":"*"}"#, &[], true);
    check(r#""StringEquals":{"x:k":""}"#, &[("x:k", One(""))], true);
}

#[test]
fn variables_in_texts() {
    let own: Givens = &[("x:k", One("anna"))];
    check(r#""StringEquals":{"x:k":"${aws:username}"}"#, own, true);
    check(r#""StringEquals":{"x:k":"${aws:userName}x"}"#, own, false);
    check(
        r#""StringLike":{"x:k":"${aws:username}/*"}"#,
        &[("x:k", One("anna/b"))],
        true,
    );
    check(
        r#""StringLike":{"x:k":"a${*}"}"#,
        &[("x:k", One("a*"))],
        true,
    );
    check(
        r#""StringLike":{"x:k":"a${*}"}"#,
        &[("x:k", One("ab"))],
        false,
    );
    // A variable without a value is equal to nothing, and so unequal to everything.
    check(r#""StringEquals":{"x:k":"${x:none}"}"#, own, false);
    check(r#""StringNotEquals":{"x:k":"${x:none}"}"#, own, true);
    check(r#""StringEquals":{"x:k":"${x:none, 'anna'}"}"#, own, true);
    check(r#""StringEquals":{"x:k":["${x:none}","anna"]}"#, own, true);
}

#[test]
fn numbers() {
    let ten: Givens = &[("x:n", One("10"))];
    for (operator, nine, equal, eleven) in [
        ("NumericEquals", false, true, false),
        ("NumericNotEquals", true, false, true),
        ("NumericLessThan", false, false, true),
        ("NumericLessThanEquals", false, true, true),
        ("NumericGreaterThan", true, false, false),
        ("NumericGreaterThanEquals", true, true, false),
    ] {
        check(&format!(r#""{operator}":{{"x:n":"9"}}"#), ten, nine);
        check(&format!(r#""{operator}":{{"x:n":10}}"#), ten, equal);
        check(&format!(r#""{operator}":{{"x:n":"11"}}"#), ten, eleven);
        check(
            &format!(r#""{operator}":{{"x:n":"10"}}"#),
            &[],
            operator.contains("Not"),
        );
    }
    check(r#""NumericEquals":{"x:n":"10.0"}"#, ten, true);
    check(r#""NumericEquals":{"x:n":["1","10"]}"#, ten, true);
    check(r#""NumericNotEquals":{"x:n":["1","10"]}"#, ten, false);
    check(
        r#""NumericLessThan":{"x:n":"0.1"}"#,
        &[("x:n", One("-3e2"))],
        true,
    );
    let precise: Givens = &[("x:n", One("9007199254740993"))];
    check(
        r#""NumericEquals":{"x:n":"9007199254740992"}"#,
        precise,
        false,
    );
    check_undecided(r#""NumericEquals":{"x:n":"1"}"#, &[("x:n", One("one"))]);
    check_undecided(r#""NumericNotEquals":{"x:n":"1"}"#, &[("x:n", One("one"))]);
}

#[test]
fn moments() {
    let noon: Givens = &[("aws:CurrentTime", One("2026-11-23T12:00:00Z"))];
    for (operator, before, same, after) in [
        ("DateEquals", false, true, false),
        ("DateNotEquals", true, false, true),
        ("DateLessThan", false, false, true),
        ("DateLessThanEquals", false, true, true),
        ("DateGreaterThan", true, false, false),
        ("DateGreaterThanEquals", true, true, false),
    ] {
        let condition = |text: &str| format!(r#""{operator}":{{"aws:CurrentTime":"{text}"}}"#);
        check(&condition("2026-11-23T11:59:59Z"), noon, before);
        check(&condition("2026-11-23T13:00:00+01:00"), noon, same);
        check(&condition("2026-11-24"), noon, after);
        check(&condition("1795435200"), noon, same);
        check(&condition("2026-11-23"), &[], operator.contains("Not"));
    }
    check_undecided(r#""DateLessThan":{"x:d":"2026"}"#, &[("x:d", One("soon"))]);
}

#[test]
fn truth_and_absence() {
    let yes: Givens = &[("aws:SecureTransport", One("true"))];
    check(r#""Bool":{"aws:SecureTransport":"true"}"#, yes, true);
    check(r#""Bool":{"aws:SecureTransport":true}"#, yes, true);
    check(r#""Bool":{"aws:SecureTransport":"false"}"#, yes, false);
    check(
        r#""Bool":{"aws:SecureTransport":["false","true"]}"#,
        yes,
        true,
    );
    check(r#""Bool":{"aws:SecureTransport":"false"}"#, &[], false);
    check(
        r#""BoolIfExists":{"aws:SecureTransport":"false"}"#,
        &[],
        true,
    );
    check(
        r#""BoolIfExists":{"aws:SecureTransport":"false"}"#,
        yes,
        false,
    );
    check(r#""Null":{"aws:SecureTransport":"true"}"#, &[], true);
    check(r#""Null":{"aws:SecureTransport":"false"}"#, &[], false);
    check(r#""Null":{"aws:SecureTransport":"true"}"#, yes, false);
    check(r#""Null":{"aws:SecureTransport":false}"#, yes, true);
    check(r#""Null":{"x:k":"true"}"#, &[("x:k", Many(&[]))], true);
}

#[test]
fn addresses() {
    let from: Givens = &[("aws:SourceIp", One("203.0.113.9"))];
    check(
        r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#,
        from,
        true,
    );
    check(r#""IpAddress":{"aws:SourceIp":"203.0.113.9"}"#, from, true);
    check(
        r#""IpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.9/32"]}"#,
        from,
        true,
    );
    check(
        r#""IpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#,
        from,
        false,
    );
    check(
        r#""IpAddress":{"aws:SourceIp":"2001:db8::/32"}"#,
        from,
        false,
    );
    check(
        r#""NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]}"#,
        from,
        false,
    );
    check(
        r#""NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","198.51.100.0/24"]}"#,
        from,
        true,
    );
    check(r#""IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#, &[], false);
    check(r#""NotIpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#, &[], true);
    let six: Givens = &[("aws:SourceIp", One("2001:db8::7"))];
    check(r#""IpAddress":{"aws:SourceIp":"2001:DB8::/32"}"#, six, true);
}

#[test]
fn bytes_and_arns() {
    let bytes: Givens = &[("x:b", One("QmluYXJ5"))];
    check(r#""BinaryEquals":{"x:b":"QmluYXJ5"}"#, bytes, true);
    check(r#""BinaryEquals":{"x:b":"qmluYXJ5"}"#, bytes, false);
    let topic: Givens = &[(
        "aws:SourceArn",
        One("arn:aws:sns:eu-west-1:111122223333:a:b"),
    )];
    for operator in ["ArnEquals", "ArnLike"] {
        let not = operator.replace("Arn", "ArnNot");
        for (pattern, expect) in [
            ("arn:aws:sns:eu-west-1:111122223333:a:b", true),
            ("arn:aws:sns:*:111122223333:a:*", true),
            ("arn:aws:sns:eu-west-?:*:*", true),
            ("arn:aws:sns:*:a:b", false), // a `*` does not reach over a colon
            ("arn:aws:sns:eu-west-1:444455556666:*", false),
            ("*", true),
        ] {
            check(
                &format!(r#""{operator}":{{"aws:SourceArn":"{pattern}"}}"#),
                topic,
                expect,
            );
            check(
                &format!(r#""{not}":{{"aws:SourceArn":"{pattern}"}}"#),
                topic,
                !expect,
            );
        }
        check(
            &format!(r#""{operator}":{{"aws:SourceArn":"*"}}"#),
            &[],
            false,
        );
        check(&format!(r#""{not}":{{"aws:SourceArn":"*"}}"#), &[], true);
    }
    let own: Givens = &[("x:owner", One("arn:aws:iam::111122223333:user/anna"))];
    check(
        r#""ArnEquals":{"x:owner":"arn:aws:iam::*:user/${aws:username}"}"#,
        own,
        true,
    );
    check(
        r#""ArnEquals":{"x:owner":"${aws:PrincipalArn}"}"#,
        own,
        true,
    );
    check(
        r#""StringLike":{"aws:SourceArn":"arn:aws:sns:*:a:b"}"#,
        topic,
        true,
    );
}

#[test]
fn if_exists() {
    check(r#""StringEqualsIfExists":{"x:k":"a"}"#, &[], true);
    check(
        r#""StringEqualsIfExists":{"x:k":"a"}"#,
        &[("x:k", One("b"))],
        false,
    );
    check(
        r#""StringNotLikeIfExists":{"x:k":"a"}"#,
        &[("x:k", One("a"))],
        false,
    );
    check(r#""NumericLessThanIfExists":{"x:k":"1"}"#, &[], true);
    check(
        r#""ForAllValues:StringEqualsIfExists":{"x:k":"a"}"#,
        &[],
        true,
    );
    check(
        r#""ForAnyValue:StringEqualsIfExists":{"x:k":"a"}"#,
        &[],
        true,
    );
    check(
        r#""ForAnyValue:StringEqualsIfExists":{"x:k":"a"}"#,
        &[("x:k", Many(&["b"]))],
        false,
    );
}

#[test]
fn sets() {
    const AB: Givens = &[("x:k", Many(&["a", "b"]))];
    const AC: Givens = &[("x:k", Many(&["a", "c"]))];
    const C: Givens = &[("x:k", Many(&["c"]))];
    const NONE: Givens = &[("x:k", Many(&[]))];
    for (condition, ab, ac, c, none) in [
        (
            r#""ForAllValues:StringEquals":{"x:k":["a","b"]}"#,
            true,
            false,
            false,
            true,
        ),
        (
            r#""ForAnyValue:StringEquals":{"x:k":["a","b"]}"#,
            true,
            true,
            false,
            false,
        ),
        (
            r#""ForAllValues:StringNotEquals":{"x:k":["a","b"]}"#,
            false,
            false,
            true,
            true,
        ),
        (
            r#""ForAnyValue:StringNotEquals":{"x:k":["a","b"]}"#,
            false,
            true,
            true,
            false,
        ),
        (
            r#""ForAllValues:StringLike":{"x:k":"?"}"#,
            true,
            true,
            true,
            true,
        ),
        (
            r#""ForAnyValue:StringLike":{"x:k":"b*"}"#,
            true,
            false,
            false,
            false,
        ),
        (
            r#""ForAllValues:StringNotLike":{"x:k":"a*"}"#,
            false,
            false,
            true,
            true,
        ),
    ] {
        check(condition, AB, ab);
        check(condition, AC, ac);
        check(condition, C, c);
        check(condition, NONE, none);
        check(condition, &[], none);
    }
}

#[test]
fn sets_of_numbers_and_operators_for_one_value() {
    const AB: Givens = &[("x:k", Many(&["a", "b"]))];
    const C: Givens = &[("x:k", Many(&["c"]))];
    const NONE: Givens = &[("x:k", Many(&[]))];
    check(
        r#""ForAnyValue:NumericLessThan":{"x:k":"5"}"#,
        &[("x:k", Many(&["9", "3"]))],
        true,
    );
    check(
        r#""ForAllValues:NumericLessThan":{"x:k":"5"}"#,
        &[("x:k", Many(&["9", "3"]))],
        false,
    );
    check(
        r#""ForAllValues:StringEquals":{"x:k":"a"}"#,
        &[("x:k", One("a"))],
        true,
    );
    // What is for one value cannot be told of several, unless all are alike.
    check(r#""StringEquals":{"x:k":["a","b"]}"#, AB, true);
    check(r#""StringEquals":{"x:k":["a","b"]}"#, C, false);
    check_undecided(r#""StringEquals":{"x:k":"a"}"#, AB);
    check(r#""StringEquals":{"x:k":"a"}"#, NONE, false);
}

#[test]
fn all_operators_and_keys_must_hold() {
    let both: Givens = &[("x:a", One("1")), ("x:b", One("2"))];
    check(r#""StringEquals":{"x:a":"1","x:b":"2"}"#, both, true);
    check(r#""StringEquals":{"x:a":"1","x:b":"3"}"#, both, false);
    check(
        r#""StringEquals":{"x:a":"1"},"NumericLessThan":{"x:b":"3"}"#,
        both,
        true,
    );
    check(
        r#""StringEquals":{"x:a":"2"},"NumericLessThan":{"x:b":"3"}"#,
        both,
        false,
    );
    check("", &[], true);
    // What is false stays so beside what cannot be told.
    check(
        r#""StringEquals":{"x:a":"2"},"NumericLessThan":{"x:c":"3"}"#,
        both,
        false,
    );
}

#[test]
fn no_operator_tells_anything_of_a_key_that_is_not_known() {
    for condition in [
        r#""StringEquals":{"aws:PrincipalOrgID":"o-1"}"#,
        r#""StringNotEquals":{"aws:PrincipalOrgID":"o-1"}"#,
        r#""StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}"#,
        r#""StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}"#,
        r#""StringLike":{"x:unknown":"*"}"#,
        r#""Null":{"x:unknown":"true"}"#,
        r#""Null":{"x:unknown":"false"}"#,
        r#""Bool":{"x:unknown":"false"}"#,
        r#""BoolIfExists":{"x:unknown":"true"}"#,
        r#""NumericLessThan":{"x:unknown":"1"}"#,
        r#""DateGreaterThan":{"x:unknown":"2026-11-23"}"#,
        r#""IpAddress":{"x:unknown":"0.0.0.0/0"}"#,
        r#""NotIpAddressIfExists":{"x:unknown":"10.0.0.0/8"}"#,
        r#""ArnNotLike":{"x:unknown":"arn:aws:s3:::*"}"#,
        r#""ForAllValues:StringEquals":{"x:unknown":["a","b"]}"#,
        r#""ForAllValues:StringNotEqualsIfExists":{"x:unknown":"a"}"#,
        r#""ForAnyValue:StringEquals":{"x:unknown":"a"}"#,
        r#""ForAnyValue:StringNotLike":{"x:unknown":"a"}"#,
        // By a variable, too: whatever it stands for may be equal.
        r#""StringEquals":{"x:k":"${x:unknown}"}"#,
        r#""StringNotEquals":{"x:k":"${x:unknown}"}"#,
        r#""StringEqualsIgnoreCase":{"x:k":"${x:unknown, 'a'}"}"#,
        r#""ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:${x:unknown}"}"#,
    ] {
        let givens: Givens = &[
            ("x:k", One("a")),
            ("aws:SourceArn", One("arn:aws:sns:eu-west-1:111122223333:t")),
        ];
        check_undecided(condition, givens);
    }
    // What can be told whatever its value is, is told.
    let a: Givens = &[("x:k", One("a"))];
    check(r#""StringEquals":{"x:k":["${x:unknown}","a"]}"#, a, true);
    check(r#""StringLike":{"x:k":"b${x:unknown}"}"#, a, false);
    let beside = r#""Bool":{"x:unknown":"true"},"StringEquals":{"x:k":"b"}"#;
    check(beside, a, false);
}

#[test]
fn a_resource_by_a_variable_that_is_not_known_may_be_any() {
    let table = "arn:aws:dynamodb:eu-west-1:111122223333:table";
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let ask = |element: &str, pattern: &str| {
        let one = |effect: &str| {
            format!(r#"{{"Effect":"{effect}","Action":"*","{element}":"{table}/{pattern}"}}"#)
        };
        let document =
            |statements: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let asked = ("dynamodb:GetItem", TABLE);
        let allow = allows(&document(&one("Allow")), &anna(), asked, &[]);
        let deny = document(&format!("{all},{}", one("Deny")));
        (allow, !allows(&deny, &anna(), asked, &[]))
    };
    assert_eq!(ask("Resource", "${x:unknown}"), (false, true));
    assert_eq!(ask("NotResource", "${x:unknown}"), (false, true));
    assert_eq!(ask("Resource", "other-${x:unknown}"), (false, false));
    assert_eq!(ask("NotResource", "other-${x:unknown}"), (true, true));
}
