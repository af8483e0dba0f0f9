//! Variables replaced, and those that are refused. No ARNs.

use super::{BadVariable, Match, Template, Variables, Wildcards, read};
use crate::context::Context;

fn context() -> Context<'static> {
    let mut context = Context::new();
    context.set("aws:username", "anna");
    context.set_tag("aws:PrincipalTag/", "Team", "a*b");
    context.set("aws:SecureTransport", true);
    context.set_many("aws:TagKeys", ["one"]);
    context.know(&["aws:userid"]);
    context
}

#[track_caller]
fn check(pattern: &str, text: &str, expect: Match) {
    let parts = read(pattern, Variables::Replaced, Wildcards::Yes).expect("a template");
    let found = Template::of(parts).matches(text, &context());
    assert_eq!(found, expect, "{pattern:?} and {text:?}");
}

#[test]
fn variables_are_replaced_by_what_is_known() {
    check("home/${aws:username}/*", "home/anna/x", Match::Yes);
    check("home/${AWS:UserName}/*", "home/bert/x", Match::No);
    check("${aws:SecureTransport}", "true", Match::Yes);
    check("${aws:PrincipalTag/team}", "a*b", Match::Yes);
    check("${aws:PrincipalTag/team}", "axb", Match::No); // a value is no pattern
    check("x${aws:userid}", "x", Match::Valueless);
    check("${aws:TagKeys}", "one", Match::Valueless); // several values cannot stand in for one
    check("${aws:userid, 'nobody'}", "nobody", Match::Yes);
    check("${aws:userid,'a}b'}", "a}b", Match::Yes);
    check("${aws:username, 'nobody'}", "nobody", Match::No);
}

#[test]
fn of_a_variable_that_nothing_is_known_of_nothing_is_told() {
    check("home/${x:none}/*", "home/anna/x", Match::Unknown);
    check("home/${x:none}/*", "work/anna/x", Match::No); // whatever it is
    check("${x:none, 'nobody'}", "nobody", Match::Unknown); // perhaps it has a value
    check("${x:none}${aws:userid}", "x", Match::Valueless);
}

#[test]
fn signs_in_braces_stand_for_themselves() {
    check("a${*}b", "a*b", Match::Yes);
    check("a${*}b", "axb", Match::No);
    check("a${?}b", "a?b", Match::Yes);
    check("a${?}b", "axb", Match::No);
    check("${$}{aws:username}", "${aws:username}", Match::Yes);
    check("a$b", "a$b", Match::Yes);
}

#[test]
fn an_older_version_has_no_variables() {
    let parts = read("${aws:username}", Variables::Literal, Wildcards::No).expect("a template");
    let template = Template::of(parts);
    assert_eq!(template.matches("${aws:username}", &context()), Match::Yes);
    assert_eq!(template.matches("anna", &context()), Match::No);
}

#[test]
fn what_is_no_variable_is_refused() {
    for text in [
        "${",
        "${aws:username",
        "${}",
        "${username}",
        "${aws:}",
        "${:x}",
        "${aws:a, b}",
        "${aws:a, 'b}",
        "${aws:a, 'b'c'}",
        "${aws:*}",
        "${${aws:a}}",
    ] {
        let found = read(text, Variables::Replaced, Wildcards::Yes);
        assert_eq!(found, Err(BadVariable), "{text}");
    }
}

#[test]
fn case_is_left_aside_where_it_is_asked_for() {
    let parts = read("${aws:username}-ÄX", Variables::Replaced, Wildcards::No).expect("parts");
    let template = Template::of(parts);
    assert_eq!(template.matches_any_case("ANNA-äx", &context()), Match::Yes);
    assert_eq!(template.matches_any_case("anne-äx", &context()), Match::No);
    let parts = read("${x:none}", Variables::Replaced, Wildcards::No).expect("parts");
    let unknown = Template::of(parts).matches_any_case("anna", &context());
    assert_eq!(unknown, Match::Unknown);
}
