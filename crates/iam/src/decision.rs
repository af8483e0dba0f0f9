//! Decisions: all policies that concern a request, weighed, with the reason.
//!
//! It reads no documents, and finds no policies: the caller brings those that apply.
//! Source: IAM user guide, "Policy evaluation logic", "Troubleshoot access denied error messages".
//!
//! ```text
//! any policy denies ──────────────────────────────────────────────► denied, explicitly
//! root user of the owner's account ───────────────────────────────► allowed
//! resource's policy names the user or the session (same account) ─► allowed
//! no identity policy allows, nor the resource's (same account) ───► denied
//! another account: both must allow ───────────────────────────────► else denied
//! a boundary or a session policy is there and does not allow ─────► denied
//! ```

use std::sync::Arc;

use crate::action::Action;
use crate::arn::Target;
use crate::policy::{Policy, Question, Word};
use crate::principal::{Identity, Naming};
use crate::request::Request;

/// The policies that concern a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policies<'p> {
    /// Those of the identity: its own, and those attached to it.
    pub identity: &'p [Arc<Policy>],
    /// That of the resource.
    pub resource: Option<&'p Policy>,
    /// The most that the identity may be granted.
    pub boundary: Option<&'p Policy>,
    /// Those that the session was made with; `None` where it was made with none.
    pub session: Option<&'p [Arc<Policy>]>,
}

/// What is decided, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'p> {
    /// It may be done.
    Allowed(Grant<'p>),
    /// It may not.
    Denied(Denial<'p>),
}

/// Why something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant<'p> {
    /// The root user asks, in its own account.
    Root,
    /// A statement allows it: of the first resource, where there are several.
    Statement(PolicyType, Source<'p>),
}

/// Why something may not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial<'p> {
    /// The resource, by its place in the request.
    pub resource: usize,
    /// The reason.
    pub cause: Cause<'p>,
}

/// The reason of a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause<'p> {
    /// A statement denies it.
    Explicit(PolicyType, Source<'p>),
    /// No policy of this type allows it.
    Implicit(PolicyType),
}

/// A type of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyType {
    /// Attached to the principal, or inside of it.
    Identity,
    /// The resource's own.
    Resource,
    /// The principal's boundary.
    Boundary,
    /// The session's.
    Session,
}

/// A statement, as decisions name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'p> {
    /// The policy.
    pub policy: &'p str,
    /// The statement's place in it, from 0; past the last where the policy cannot be read and so
    /// denies as a whole.
    pub statement: usize,
    /// The statement's id, where it has one.
    pub sid: Option<&'p str>,
}

/// Decides a request: every one of its resources must be allowed.
pub fn decide<'p>(policies: &Policies<'p>, request: &Request<'_>) -> Decision<'p> {
    let action = Action::of(request.action);
    let mut first = None;
    for (at, resource) in request.resources.iter().enumerate() {
        let question = Question {
            principal: request.principal,
            action: &action,
            target: Target::of(resource),
            context: request.context,
        };
        match decide_one(policies, request, &question) {
            Ok(grant) => first = first.or(Some(grant)),
            Err(cause) => {
                return Decision::Denied(Denial {
                    resource: at,
                    cause,
                });
            }
        }
    }
    match first {
        Some(grant) => Decision::Allowed(grant),
        None => Decision::Denied(Denial {
            resource: 0,
            cause: Cause::Implicit(PolicyType::Identity),
        }),
    }
}

/// A statement that allows, and how closely it names who asks.
type Allow<'p> = Option<(Source<'p>, Naming)>;

fn decide_one<'p>(
    policies: &Policies<'p>,
    request: &Request<'_>,
    question: &Question<'_>,
) -> Result<Grant<'p>, Cause<'p>> {
    let is_root = matches!(request.principal.identity(), Identity::Root);
    let is_own = request.principal.account() == Some(request.owner);
    // All are asked before any is weighed: a denial may stand in the last of them.
    let identity = ask_all(
        policies.identity.iter().map(AsRef::as_ref),
        PolicyType::Identity,
        question,
    )?;
    let resource = ask_all(
        policies.resource.into_iter(),
        PolicyType::Resource,
        question,
    )?;
    let boundary = ask_all(
        policies.boundary.into_iter(),
        PolicyType::Boundary,
        question,
    )?;
    let of_session = policies
        .session
        .unwrap_or_default()
        .iter()
        .map(AsRef::as_ref);
    let session = ask_all(of_session, PolicyType::Session, question)?;

    if is_root && is_own {
        return Ok(Grant::Root);
    }
    let by_resource = resource.map(|(source, _)| Grant::Statement(PolicyType::Resource, source));
    if !has_policies(request.principal.identity()) {
        return by_resource.ok_or(Cause::Implicit(PolicyType::Resource));
    }
    let by_identity = if is_root {
        Some(Grant::Root)
    } else {
        identity.map(|(source, _)| Grant::Statement(PolicyType::Identity, source))
    };
    let grant = if is_own {
        let naming = resource.map(|(_, naming)| naming);
        // A user's session is not the user: its policies limit what the user is granted.
        let is_user = matches!(request.principal.identity(), Identity::User { .. });
        match (naming, by_resource) {
            // What is granted to oneself by name, nothing that is merely silent takes away.
            (Some(Naming::Itself), Some(grant)) if !is_user || policies.session.is_none() => {
                return Ok(grant);
            }
            // One's account may use the resource: that is for the account to hand on.
            (Some(Naming::Account) | None, _) | (_, None) => by_identity,
            (Some(Naming::Everybody | Naming::Role | Naming::Itself), grant) => {
                by_identity.or(grant)
            }
        }
        .ok_or(Cause::Implicit(PolicyType::Identity))?
    } else {
        by_resource.ok_or(Cause::Implicit(PolicyType::Resource))?;
        by_identity.ok_or(Cause::Implicit(PolicyType::Identity))?
    };
    if policies.boundary.is_some() && boundary.is_none() {
        return Err(Cause::Implicit(PolicyType::Boundary));
    }
    if policies.session.is_some() && session.is_none() {
        return Err(Cause::Implicit(PolicyType::Session));
    }
    Ok(grant)
}

/// Asks policies of one type.
///
/// Errors: the first statement that denies.
fn ask_all<'p>(
    policies: impl Iterator<Item = &'p Policy>,
    of: PolicyType,
    question: &Question<'_>,
) -> Result<Allow<'p>, Cause<'p>> {
    let mut allow: Allow<'p> = None;
    for policy in policies {
        let source = |statement| Source {
            policy: policy.name(),
            statement,
            sid: policy.sid(statement),
        };
        let Word {
            deny,
            allow: allowed,
        } = policy.ask(question);
        if let Some(statement) = deny {
            return Err(Cause::Explicit(of, source(statement)));
        }
        if let Some((statement, naming)) = allowed
            && allow.is_none_or(|(_, known)| known < naming)
        {
            allow = Some((source(statement), naming));
        }
    }
    Ok(allow)
}

/// Returns whether policies can be attached to an identity at all.
fn has_policies(identity: &Identity) -> bool {
    match identity {
        Identity::Root | Identity::User { .. } | Identity::Role { .. } => true,
        Identity::Service | Identity::Anonymous => false,
    }
}

impl Decision<'_> {
    /// Returns whether it may be done.
    pub fn is_allowed(&self) -> bool {
        match self {
            Self::Allowed(_) => true,
            Self::Denied(_) => false,
        }
    }
}

impl Denial<'_> {
    /// Returns AWS's message.
    pub fn message(&self, request: &Request<'_>) -> String {
        let action = request.action;
        let mut message = format!(
            "User: {} is not authorized to perform: {action}",
            request.principal.arn()
        );
        let resource = request.resources.get(self.resource).copied();
        if let Some(arn) = resource.filter(|arn| *arn != "*") {
            message += " on resource: ";
            message += arn;
        }
        match self.cause {
            Cause::Explicit(of, source) => {
                message += " with an explicit deny in ";
                message += of.with_article();
                // Policies inside of an identity or a resource have no ARN of their own.
                if of != PolicyType::Resource && source.policy.starts_with("arn:") {
                    message += ": ";
                    message += source.policy;
                }
            }
            Cause::Implicit(of) => {
                message += " because no ";
                message += of.name();
                message += " allows the ";
                message += action;
                message += " action";
            }
        }
        message
    }
}

impl PolicyType {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
        }
    }

    fn with_article(self) -> &'static str {
        match self {
            Self::Identity => "an identity-based policy",
            Self::Resource => "a resource-based policy",
            Self::Boundary => "a permissions boundary",
            Self::Session => "a session policy",
        }
    }
}
