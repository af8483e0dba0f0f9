//! How policies are weighed, and what a denied caller is told.
//!
//! Source: IAM user guide, "Policy evaluation logic", "Cross-account policy evaluation logic".

use std::sync::Arc;

use base::name::AccountId;
use iam::decision::{Cause, Decision, Grant, Policies, PolicyType, decide};
use iam::kind::Kind;
use iam::policy::Policy;
use iam::principal::Principal;
use iam::request::Request;

use crate::world::Given::One;
use crate::world::{Givens, TABLE, account, allows, anna, context, other_account, policy};

const ALLOW: &str = r#"{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}"#;
const DENY: &str = r#"{"Effect":"Deny","Action":"dynamodb:*","Resource":"*"}"#;
const OTHER: &str = r#"{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}"#;

/// How a decision is written in the tables below.
fn show(decision: Decision<'_>) -> String {
    let of = |of: PolicyType| match of {
        PolicyType::Identity => "identity",
        PolicyType::Resource => "resource",
        PolicyType::Boundary => "boundary",
        PolicyType::Session => "session",
    };
    match decision {
        Decision::Allowed(Grant::Root) => "root".to_owned(),
        Decision::Allowed(Grant::Statement(by, _)) => format!("by {}", of(by)),
        Decision::Denied(denial) => match denial.cause {
            Cause::Explicit(by, _) => format!("denied by {}", of(by)),
            Cause::Implicit(by) => format!("not by {}", of(by)),
        },
    }
}

/// Policies in short: statements of each type, for nobody where there is no such policy.
#[derive(Clone, Copy, Default)]
struct Case<'c> {
    identity: &'c [&'c str],
    resource: Option<&'c str>,
    boundary: Option<&'c str>,
    session: Option<&'c str>,
}

impl<'c> Case<'c> {
    fn identity(self, identity: &'c [&'c str]) -> Self {
        Self { identity, ..self }
    }

    fn resource(self, resource: &'c str) -> Self {
        let resource = Some(resource);
        Self { resource, ..self }
    }

    fn boundary(self, boundary: &'c str) -> Self {
        let boundary = Some(boundary);
        Self { boundary, ..self }
    }

    fn session(self, session: &'c str) -> Self {
        let session = Some(session);
        Self { session, ..self }
    }
}

fn document(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
}

#[track_caller]
fn check(who: &Principal, owner: AccountId, case: Case<'_>, expect: &str) {
    let compile = |statement: &str, kind| policy(&document(statement), kind);
    let managed = |statement: &str| Arc::new(compile(statement, Kind::Managed));
    let identity: Vec<Arc<Policy>> = case.identity.iter().copied().map(managed).collect();
    let resource = case.resource.map(|text| compile(text, Kind::Resource));
    let boundary = case.boundary.map(|text| compile(text, Kind::Managed));
    let session: Option<Vec<Arc<Policy>>> = case
        .session
        .map(|text| vec![Arc::new(compile(text, Kind::Session))]);
    let policies = Policies {
        identity: &identity,
        resource: resource.as_ref(),
        boundary: boundary.as_ref(),
        session: session.as_deref(),
    };
    let context = context(who, &[]);
    let request = Request {
        principal: who,
        action: "dynamodb:GetItem",
        resources: &[TABLE],
        owner,
        context: &context,
    };
    assert_eq!(show(decide(&policies, &request)), expect);
}

fn role() -> Principal {
    Principal::role(account(), "/", "reader", "AROAREADERREADERREADE", "tuesday")
}

fn for_whom(effect: &str, principal: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{principal},"Action":"dynamodb:*","Resource":"{TABLE}"}}"#
    )
}

#[test]
fn nothing_is_allowed_that_is_not_allowed() {
    let identity = |identity| Case::default().identity(identity);
    check(&anna(), account(), identity(&[]), "not by identity");
    check(&anna(), account(), identity(&[OTHER]), "not by identity");
    check(&anna(), account(), identity(&[OTHER, ALLOW]), "by identity");
    check(
        &anna(),
        account(),
        identity(&[ALLOW, DENY]),
        "denied by identity",
    );
    check(
        &anna(),
        account(),
        identity(&[DENY, ALLOW]),
        "denied by identity",
    );
    check(
        &Principal::root(account()),
        account(),
        identity(&[]),
        "root",
    );
    check(
        &Principal::root(other_account()),
        account(),
        identity(&[]),
        "not by resource",
    );
    check(
        &Principal::anonymous(),
        account(),
        identity(&[ALLOW]),
        "not by resource",
    );
}

#[test]
fn a_denial_anywhere_wins() {
    let named = r#"{"AWS":"arn:aws:iam::111122223333:user/anna"}"#;
    let (allowed, denied) = (for_whom("Allow", named), for_whom("Deny", "\"*\""));
    let all = Case {
        identity: &[ALLOW],
        resource: Some(&allowed),
        boundary: Some(ALLOW),
        session: None,
    };
    check(&anna(), account(), all, "by resource");
    check(
        &anna(),
        account(),
        all.identity(&[ALLOW, DENY]),
        "denied by identity",
    );
    check(
        &anna(),
        account(),
        all.resource(&denied),
        "denied by resource",
    );
    check(&anna(), account(), all.boundary(DENY), "denied by boundary");
    check(&anna(), account(), all.session(DENY), "denied by session");
    let only = Case::default().resource(&denied);
    check(
        &Principal::root(account()),
        account(),
        only,
        "denied by resource",
    );
}

#[test]
fn in_one_account_either_policy_suffices() {
    for (principal, expect) in [
        (
            r#"{"AWS":"arn:aws:iam::111122223333:user/anna"}"#,
            "by resource",
        ),
        (
            r#"{"AWS":["arn:aws:iam::111122223333:user/bert","AIDAANNAANNAANNAANNAA"]}"#,
            "by resource",
        ),
        (r#"{"AWS":"*"}"#, "by resource"),
        ("\"*\"", "by resource"),
        // An account may hand on what it is given, and has not.
        (r#"{"AWS":"111122223333"}"#, "not by identity"),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
            "not by identity",
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:user/Anna"}"#,
            "not by identity",
        ),
        (
            r#"{"AWS":"arn:aws:iam::444455556666:user/anna"}"#,
            "not by identity",
        ),
        (
            r#"{"Service":"apigateway.amazonaws.com"}"#,
            "not by identity",
        ),
        (r#"{"Federated":"accounts.google.com"}"#, "not by identity"),
    ] {
        let resource = for_whom("Allow", principal);
        let case = Case::default().resource(&resource);
        check(&anna(), account(), case, expect);
        check(
            &anna(),
            account(),
            case.identity(&[ALLOW]),
            match expect {
                "by resource" if principal.contains('*') => "by identity",
                "by resource" => "by resource",
                _ => "by identity",
            },
        );
    }
}

#[test]
fn a_boundary_limits_all_that_is_not_granted_by_name() {
    let limited = Case::default().identity(&[ALLOW]).boundary(OTHER);
    check(&anna(), account(), limited, "not by boundary");
    check(&anna(), account(), limited.boundary(ALLOW), "by identity");
    let nothing = Case::default().identity(&[]).boundary(ALLOW);
    check(&anna(), account(), nothing, "not by identity");
    let everybody = for_whom("Allow", "\"*\"");
    check(
        &anna(),
        account(),
        limited.resource(&everybody),
        "not by boundary",
    );
    let named = for_whom("Allow", r#"{"AWS":"arn:aws:iam::111122223333:user/anna"}"#);
    check(&anna(), account(), limited.resource(&named), "by resource");
    let of_role = for_whom(
        "Allow",
        r#"{"AWS":"arn:aws:iam::111122223333:role/reader"}"#,
    );
    let case = Case::default().resource(&of_role).boundary(OTHER);
    check(&role(), account(), case, "not by boundary");
    check(
        &role(),
        account(),
        Case::default().resource(&of_role),
        "by resource",
    );
    let session = r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/reader/tuesday"}"#;
    let of_session = for_whom("Allow", session);
    check(
        &role(),
        account(),
        case.resource(&of_session),
        "by resource",
    );
}

#[test]
fn a_session_has_no_more_than_its_policies_allow() {
    let limited = Case::default().identity(&[ALLOW]).session(OTHER);
    check(&role(), account(), limited, "not by session");
    check(&role(), account(), limited.session(ALLOW), "by identity");
    let of_role = for_whom(
        "Allow",
        r#"{"AWS":"arn:aws:iam::111122223333:role/reader"}"#,
    );
    check(
        &role(),
        account(),
        limited.resource(&of_role),
        "not by session",
    );
    let session = r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/reader/tuesday"}"#;
    let of_session = for_whom("Allow", session);
    check(
        &role(),
        account(),
        limited.resource(&of_session),
        "by resource",
    );
    let named = for_whom("Allow", r#"{"AWS":"arn:aws:iam::111122223333:user/anna"}"#);
    check(
        &anna(),
        account(),
        limited.resource(&named),
        "not by session",
    );
}

#[test]
fn between_accounts_both_must_allow() {
    let anna = Principal::user(other_account(), "/", "anna", "AIDAANNAANNAANNAANNAA");
    let account_named = for_whom("Allow", r#"{"AWS":"444455556666"}"#);
    let both = Case::default().identity(&[ALLOW]).resource(&account_named);
    check(&anna, account(), both, "by identity");
    check(&anna, account(), both.identity(&[]), "not by identity");
    check(
        &anna,
        account(),
        Case::default().identity(&[ALLOW]),
        "not by resource",
    );
    check(&anna, account(), both.boundary(OTHER), "not by boundary");
    let wrong = for_whom("Allow", r#"{"AWS":"999999999999"}"#);
    check(&anna, account(), both.resource(&wrong), "not by resource");
    check(&Principal::root(other_account()), account(), both, "root");
}

#[test]
fn services_and_strangers_need_the_resources_word() {
    let service = Principal::service("apigateway.amazonaws.com");
    let named = for_whom(
        "Allow",
        r#"{"Service":["apigateway.amazonaws.com","x.example"]}"#,
    );
    let case = Case::default().resource(&named);
    check(&service, account(), case, "by resource");
    check(
        &Principal::service("sns.amazonaws.com"),
        account(),
        case,
        "not by resource",
    );
    check(&Principal::anonymous(), account(), case, "not by resource");
    let everybody = for_whom("Allow", "\"*\"");
    let open = Case::default().resource(&everybody);
    check(&Principal::anonymous(), account(), open, "by resource");
}

#[test]
fn all_but_some_are_denied() {
    let all_but = |names: &str| {
        format!(
            r#"{{"Effect":"Deny","NotPrincipal":{{"AWS":[{names}]}},"Action":"*","Resource":"*"}}"#
        )
    };
    let named =
        all_but(r#""arn:aws:iam::111122223333:user/anna","arn:aws:iam::111122223333:root""#);
    let case = Case::default().identity(&[ALLOW]).resource(&named);
    check(&anna(), account(), case, "by identity");
    let bert = Principal::user(account(), "/", "bert", "AIDABERTBERTBERTBERTB");
    check(&bert, account(), case, "denied by resource");
    check(&Principal::root(account()), account(), case, "root");
    let other = all_but(r#""arn:aws:iam::444455556666:root""#);
    let case = case.resource(&other);
    check(&anna(), account(), case, "denied by resource");
    check(
        &Principal::root(account()),
        account(),
        case,
        "denied by resource",
    );
}

#[track_caller]
fn allowed(statement: &str, action: &str, resource: &str, expect: bool) {
    let found = allows(&document(statement), &anna(), (action, resource), &[]);
    assert_eq!(found, expect, "{statement}: {action} on {resource}");
}

#[test]
fn actions_and_resources() {
    let get = "dynamodb:GetItem";
    for (actions, action, expect) in [
        (r#""*""#, get, true),
        (r#""dynamodb:*""#, get, true),
        (r#""dynamodb:Get*""#, get, true),
        (r#""DynamoDB:getitem""#, get, true),
        (r#""dynamodb:?etItem""#, get, true),
        (r#""dynamodb:*Item""#, get, true),
        (r#""dynamodb:GetItems""#, get, false),
        (r#""dynamodb:Get""#, get, false),
        (r#""s3:*""#, get, false),
        (r#"["s3:*","dynamodb:GetItem"]"#, get, true),
        (r#""dynamodb:*""#, "dynamodbstreams:GetRecords", false),
    ] {
        let statement = format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"*"}}"#);
        allowed(&statement, action, TABLE, expect);
        let negated = format!(r#"{{"Effect":"Allow","NotAction":{actions},"Resource":"*"}}"#);
        allowed(&negated, action, TABLE, !expect);
    }
    for (resources, resource, expect) in [
        (format!("\"{TABLE}\""), TABLE, true),
        (format!("\"{TABLE}/*\""), TABLE, false),
        (
            format!("[\"{TABLE}\",\"{TABLE}/index/*\"]"),
            crate::world::INDEX,
            true,
        ),
        ("\"arn:aws:dynamodb:*:*:table/s*\"".to_owned(), TABLE, true),
        (
            "\"arn:aws:dynamodb:us-*:*:table/s*\"".to_owned(),
            TABLE,
            false,
        ),
        ("\"arn:aws:dynamodb:*:*:table/*\"".to_owned(), "*", false),
        ("\"*\"".to_owned(), "*", true),
    ] {
        let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":{resources}}}"#);
        allowed(&statement, get, resource, expect);
        let negated = format!(r#"{{"Effect":"Allow","NotResource":{resources},"Action":"*"}}"#);
        allowed(&negated, get, resource, !expect);
    }
    let own = r#"{"Effect":"Allow","Action":"*",
        "Resource":"arn:aws:dynamodb:*:*:table/${aws:username}-*"}"#;
    allowed(
        own,
        get,
        "arn:aws:dynamodb:eu-west-1:111122223333:table/anna-x",
        true,
    );
    allowed(
        own,
        get,
        "arn:aws:dynamodb:eu-west-1:111122223333:table/bert-x",
        false,
    );
    // What is left out by something without a value is open: it is not allowed.
    let open = r#"{"Effect":"Allow","Action":"*",
        "NotResource":"arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}"}"#;
    allowed(open, get, TABLE, false);
}

#[test]
fn the_older_version_has_no_variables() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*",
        "Condition":{"StringEquals":{"x:k":"${aws:username}"}}}"#;
    for (version, own, literal) in [
        (r#""Version":"2012-10-17","#, true, false),
        (r#""Version":"2008-10-17","#, false, true),
        ("", false, true),
    ] {
        let text = format!(r#"{{{version}"Statement":{statement}}}"#);
        let ask = |givens: Givens| allows(&text, &anna(), ("x:Y", "*"), givens);
        assert_eq!(ask(&[("x:k", One("anna"))]), own, "{version}");
        assert_eq!(
            ask(&[("x:k", One("${aws:username}"))]),
            literal,
            "{version}"
        );
    }
}

#[test]
fn every_resource_must_be_allowed() {
    let text = document(&format!(
        r#"{{"Effect":"Allow","Action":"*","Resource":"{TABLE}"}}"#
    ));
    let identity = [Arc::new(policy(&text, Kind::Managed))];
    let policies = Policies {
        identity: &identity,
        ..Policies::default()
    };
    let (who, other) = (
        anna(),
        "arn:aws:dynamodb:eu-west-1:111122223333:table/other",
    );
    let context = context(&who, &[]);
    let ask = |resources: &[&str]| {
        let request = Request {
            principal: &who,
            action: "dynamodb:BatchGetItem",
            resources,
            owner: account(),
            context: &context,
        };
        match decide(&policies, &request) {
            Decision::Allowed(_) => None,
            Decision::Denied(denial) => Some(denial.resource),
        }
    };
    assert_eq!(ask(&[TABLE, TABLE]), None);
    assert_eq!(ask(&[TABLE, other]), Some(1));
    assert_eq!(ask(&[other, TABLE]), Some(0));
    assert_eq!(ask(&[]), Some(0), "nothing asked is nothing allowed");
}

#[test]
fn a_denial_is_told_in_awss_words() {
    let identity = [Arc::new(policy(&document(DENY), Kind::Managed))];
    let none = policy(&document(OTHER), Kind::Managed);
    let everything = [Arc::new(policy(&document(ALLOW), Kind::Managed))];
    let who = anna();
    let context = context(&who, &[]);
    let tell = |policies: Policies<'_>, resource: &str| {
        let request = Request {
            principal: &who,
            action: "dynamodb:GetItem",
            resources: &[resource],
            owner: account(),
            context: &context,
        };
        match decide(&policies, &request) {
            Decision::Allowed(_) => String::new(),
            Decision::Denied(denial) => denial.message(&request),
        }
    };
    let user = "User: arn:aws:iam::111122223333:user/anna is not authorized to perform: \
                dynamodb:GetItem";
    assert_eq!(
        tell(Policies::default(), TABLE),
        format!(
            "{user} on resource: {TABLE} because no identity-based policy allows the \
             dynamodb:GetItem action"
        )
    );
    assert_eq!(
        tell(Policies::default(), "*"),
        format!("{user} because no identity-based policy allows the dynamodb:GetItem action")
    );
    assert_eq!(
        tell(
            Policies {
                identity: &identity,
                ..Policies::default()
            },
            TABLE
        ),
        format!("{user} on resource: {TABLE} with an explicit deny in an identity-based policy")
    );
    let arn = "arn:aws:iam::111122223333:policy/no";
    let managed = Policy::compile(arn, &document(DENY), Kind::Managed).expect("a policy");
    let bounded = Policies {
        identity: &everything,
        boundary: Some(&managed),
        ..Policies::default()
    };
    assert_eq!(
        tell(bounded, TABLE),
        format!(
            "{user} on resource: {TABLE} with an explicit deny in a permissions boundary: {arn}"
        )
    );
    let bounded = Policies {
        identity: &everything,
        boundary: Some(&none),
        ..Policies::default()
    };
    assert_eq!(
        tell(bounded, TABLE),
        format!(
            "{user} on resource: {TABLE} because no permissions boundary allows the \
             dynamodb:GetItem action"
        )
    );
}

#[test]
fn a_decision_names_its_statement() {
    let text = document(
        r#"{"Sid":"Other","Effect":"Allow","Action":"s3:*","Resource":"*"},
           {"Sid":"Mine","Effect":"Allow","Action":"dynamodb:*","Resource":"*"}"#,
    );
    let identity = [
        Arc::new(policy(&document(OTHER), Kind::Managed)),
        Arc::new(Policy::compile("arn:mine", &text, Kind::Managed).expect("a policy")),
    ];
    let who = anna();
    let context = context(&who, &[]);
    let request = Request {
        principal: &who,
        action: "dynamodb:GetItem",
        resources: &[TABLE],
        owner: account(),
        context: &context,
    };
    let policies = Policies {
        identity: &identity,
        ..Policies::default()
    };
    let Decision::Allowed(Grant::Statement(by, source)) = decide(&policies, &request) else {
        panic!("it is allowed");
    };
    assert_eq!(by, PolicyType::Identity);
    assert_eq!(
        (source.policy, source.statement, source.sid),
        ("arn:mine", 1, Some("Mine"))
    );
}
