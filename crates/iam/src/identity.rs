//! Somebody who is known: who it is, and all of theirs that decisions weigh.
//!
//! It finds nobody and authenticates nobody: whoever keeps users makes it.

use std::sync::Arc;

use base::name::AccountId;
use clock::time::WallTime;

use crate::context::Context;
use crate::decision::Policies;
use crate::keys;
use crate::policy::Policy;
use crate::principal::{self, Principal};

/// Somebody who is known, with all that decisions need of them.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who it is.
    pub principal: Principal,
    /// The account.
    pub account: AccountId,
    /// Their own policies, and those attached to them.
    pub policies: Vec<Arc<Policy>>,
    /// The most that they may be granted.
    pub boundary: Option<Arc<Policy>>,
    /// Their tags, and those of their session.
    pub tags: Vec<(String, String)>,
    /// What they have of a session, where they come with one.
    pub session: Option<InSession>,
}

/// What a session adds to whose it is.
#[derive(Clone, Debug)]
pub struct InSession {
    /// The policies that limit it; none at all where nothing does.
    pub policies: Vec<Arc<Policy>>,
    /// When it was issued.
    pub issued: WallTime,
}

impl Identity {
    /// Makes the root user of an account.
    pub fn root(account: AccountId) -> Self {
        Self {
            principal: Principal::root(account),
            account,
            policies: Vec::new(),
            boundary: None,
            tags: Vec::new(),
            session: None,
        }
    }

    /// Returns whether no policy of its own limits it: then a resource's alone can refuse it.
    pub fn is_root(&self) -> bool {
        matches!(self.principal.identity(), principal::Identity::Root)
            && self.session_policies().is_none()
    }

    /// Returns the policies that a decision weighs, beside the resource's own.
    pub fn policies<'p>(&'p self, resource: Option<&'p Policy>) -> Policies<'p> {
        Policies {
            identity: &self.policies,
            resource,
            boundary: self.boundary.as_deref(),
            session: self.session_policies(),
        }
    }

    fn session_policies(&self) -> Option<&[Arc<Policy>]> {
        let policies = &*self.session.as_ref()?.policies;
        (!policies.is_empty()).then_some(policies)
    }

    /// Tells a context who asks: names, ids, tags, and since when.
    pub fn describe<'a>(&'a self, context: &mut Context<'a>) {
        self.principal.describe(context);
        for (tag, value) in &self.tags {
            context.set_tag(keys::PRINCIPAL_TAG, tag, value.as_str());
        }
        if let Some(session) = &self.session {
            context.set(keys::TOKEN_ISSUE_TIME, session.issued);
            context.set(keys::MULTI_FACTOR_AUTH_PRESENT, false);
        }
    }

    /// Returns whether any of its policies looks at a key: what none looks at need not be told.
    pub fn mentions(&self, key: &str) -> bool {
        let of_session = self.session_policies().into_iter().flatten();
        let all = self.policies.iter().chain(&self.boundary).chain(of_session);
        all.into_iter().any(|policy| policy.mentions(key))
    }
}
