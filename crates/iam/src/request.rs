//! What is asked: who wants to do what, with which resources, and what else is known.
//!
//! It decides nothing.

use base::name::AccountId;

use crate::context::Context;
use crate::principal::Principal;

/// One request that needs a decision.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// What for, as in `dynamodb:GetItem`.
    pub action: &'a str,
    /// The ARNs of what it is about, all of which must be allowed; `*` alone for an action that
    /// is about none. None at all is refused.
    pub resources: &'a [&'a str],
    /// The account that owns the resources.
    pub owner: AccountId,
    /// What else is known.
    pub context: &'a Context<'a>,
}
