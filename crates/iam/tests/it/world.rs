//! What the tests ask about: an account, its people, contexts in short form.

use base::name::AccountId;
use iam::context::Context;
use iam::decision::{Decision, Policies, decide};
use iam::kind::Kind;
use iam::policy::Policy;
use iam::principal::Principal;
use iam::request::Request;
use std::sync::Arc;

pub(crate) const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/scores";
pub(crate) const INDEX: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/scores/index/best";

/// The keys that are absent where they are not given.
pub(crate) const KNOWN: &[&str] = &[
    "x:address",
    "x:date",
    "x:d",
    "x:i",
    "x:k",
    "x:n",
    "x:none",
    "x:number",
    "x:text",
    "x:truth",
    "aws:currenttime",
    "aws:requestedregion",
    "aws:resourcetag/",
    "aws:securetransport",
    "aws:sourcearn",
    "aws:sourceip",
    "dynamodb:attributes",
    "dynamodb:enclosingoperation",
    "dynamodb:fulltablescan",
    "dynamodb:leadingkeys",
    "dynamodb:returnconsumedcapacity",
    "dynamodb:returnvalues",
    "dynamodb:select",
];

/// A key's values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given {
    /// One, by its nature.
    One(&'static str),
    /// Several, by its nature.
    Many(&'static [&'static str]),
}

pub(crate) type Givens = &'static [(&'static str, Given)];

pub(crate) fn account() -> AccountId {
    AccountId::parse("111122223333").expect("an account")
}

pub(crate) fn other_account() -> AccountId {
    AccountId::parse("444455556666").expect("an account")
}

pub(crate) fn anna() -> Principal {
    Principal::user(account(), "/", "anna", "AIDAANNAANNAANNAANNAA")
}

pub(crate) fn context(who: &Principal, givens: Givens) -> Context<'_> {
    let mut context = Context::new();
    who.describe(&mut context);
    context.know(KNOWN);
    for (key, given) in givens {
        match *given {
            Given::One(value) => context.set(key, value),
            Given::Many(values) => context.set_many(key, values.iter().copied()),
        }
    }
    context
}

#[track_caller]
pub(crate) fn policy(text: &str, kind: Kind) -> Policy {
    match Policy::compile("policy", text, kind) {
        Ok(policy) => policy,
        Err(mistakes) => panic!("{mistakes}\n{text}"),
    }
}

/// Returns whether one identity policy allows something to `who`.
#[track_caller]
pub(crate) fn allows(
    text: &str,
    who: &Principal,
    (action, resource): (&str, &str),
    givens: Givens,
) -> bool {
    let identity = [Arc::new(policy(text, Kind::Managed))];
    let policies = Policies {
        identity: &identity,
        ..Policies::default()
    };
    let context = context(who, givens);
    let request = Request {
        principal: who,
        action,
        resources: &[resource],
        owner: account(),
        context: &context,
    };
    match decide(&policies, &request) {
        Decision::Allowed(_) => true,
        Decision::Denied(_) => false,
    }
}
