//! Variables replaced, and those that are refused. No ARNs.

use super::{BadVariable, Template, Variables, Wildcards, read};
use crate::context::Context;

fn context() -> Context<'static> {
    let mut context = Context::new();
    context.set("aws:username", "anna");
    context.set_tag("aws:PrincipalTag/", "Team", "a*b");
    context.set("aws:SecureTransport", true);
    context.set_many("aws:TagKeys", ["one"]);
    context
}

#[track_caller]
fn check(pattern: &str, text: &str, expect: Option<bool>) {
    let parts = read(pattern, Variables::Replaced, Wildcards::Yes).expect("a template");
    let found = Template::of(parts).matches(text, &context());
    assert_eq!(found, expect, "{pattern:?} and {text:?}");
}

#[test]
fn variables_are_replaced_by_what_is_known() {
    check("home/${aws:username}/*", "home/anna/x", Some(true));
    check("home/${AWS:UserName}/*", "home/bert/x", Some(false));
    check("${aws:SecureTransport}", "true", Some(true));
    check("${aws:PrincipalTag/team}", "a*b", Some(true));
    check("${aws:PrincipalTag/team}", "axb", Some(false)); // a value is no pattern
    check("x${aws:userid}", "x", None);
    check("${aws:TagKeys}", "one", None); // several values cannot stand in for one
    check("${aws:userid, 'nobody'}", "nobody", Some(true));
    check("${aws:userid,'a}b'}", "a}b", Some(true));
    check("${aws:username, 'nobody'}", "nobody", Some(false));
}

#[test]
fn signs_in_braces_stand_for_themselves() {
    check("a${*}b", "a*b", Some(true));
    check("a${*}b", "axb", Some(false));
    check("a${?}b", "a?b", Some(true));
    check("a${?}b", "axb", Some(false));
    check("${$}{aws:username}", "${aws:username}", Some(true));
    check("a$b", "a$b", Some(true));
}

#[test]
fn an_older_version_has_no_variables() {
    let parts = read("${aws:username}", Variables::Literal, Wildcards::No).expect("a template");
    let template = Template::of(parts);
    assert_eq!(template.matches("${aws:username}", &context()), Some(true));
    assert_eq!(template.matches("anna", &context()), Some(false));
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
    assert_eq!(template.matches_any_case("ANNA-äx", &context()), Some(true));
    assert_eq!(
        template.matches_any_case("anne-äx", &context()),
        Some(false)
    );
}
