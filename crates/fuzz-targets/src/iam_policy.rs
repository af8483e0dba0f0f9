//! Policies of IAM: compiled for every place they may stand in, then asked.
//!
//! It attaches none. Source: IAM user guide, "Policy reference".

use std::sync::Arc;

use base::name::AccountId;
use iam::context::Context;
use iam::decision::{Decision, Policies, decide};
use iam::kind::Kind;
use iam::policy::Policy;
use iam::principal::Principal;
use iam::request::Request;

/// Takes the text of a policy.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for kind in [Kind::Managed, Kind::Inline, Kind::Session, Kind::Resource] {
        let stored = Policy::stored("stored", text, kind);
        let allowed = asked(&stored);
        assert!(
            !(stored.is_closed() && allowed),
            "what cannot be read allows nothing"
        );
        match Policy::compile("compiled", text, kind) {
            Ok(compiled) => {
                assert!(!stored.is_closed(), "what compiles can be read");
                assert_eq!(asked(&compiled), allowed, "both read it alike");
            }
            Err(mistakes) => assert!(!mistakes.message().is_empty(), "a mistake has words"),
        }
    }
}

/// Returns whether a policy allows the one request that is always asked.
fn asked(policy: &Policy) -> bool {
    let who = Principal::user(AccountId::DEFAULT, "/", "anna", "AIDAANNAANNAANNAANNAA");
    let mut context = Context::new();
    who.describe(&mut context);
    context.set("aws:SourceIp", "203.0.113.9");
    context.set("aws:SecureTransport", "true");
    context.set("aws:CurrentTime", "2026-01-02T03:04:05Z");
    context.set_many("dynamodb:LeadingKeys", ["a", "b"]);
    let request = Request {
        principal: &who,
        action: "dynamodb:GetItem",
        resources: &["arn:aws:dynamodb:us-east-1:000000000000:table/scores"],
        owner: AccountId::DEFAULT,
        context: &context,
    };
    let attached = [Arc::new(policy.clone())];
    let policies = [
        Policies {
            identity: &attached,
            ..Policies::default()
        },
        Policies {
            resource: Some(policy),
            ..Policies::default()
        },
    ];
    let answers = policies.map(|policies| {
        let decision = decide(&policies, &request);
        if let Decision::Denied(denial) = decision {
            assert!(!denial.message(&request).is_empty(), "a denial has words");
        }
        decision.is_allowed()
    });
    answers.contains(&true)
}
