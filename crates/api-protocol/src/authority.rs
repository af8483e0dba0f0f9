//! What callers may do: their policies asked, and the refusal in their service's words.
//!
//! It knows no service's actions: facades say what a call needs.
//! Source: IAM user guide, "Policy evaluation logic", "AWS global condition context keys".

use http::{HeaderValue, StatusCode};
use iam::context::Context;
use iam::decision::{self, Decision, Denial};
use iam::identity::Identity;
use iam::keys;
use iam::policy::Policy;
use iam::request::Request;

use crate::caller::{Authority, Caller, Wire};
use crate::fault::Fault;

/// What a call needs leave for.
#[derive(Clone, Copy, Debug)]
pub struct Need<'n> {
    /// The action, as in `dynamodb:GetItem`.
    pub action: &'n str,
    /// The ARN of what it is about; `*` for an action that is about nothing.
    pub resource: &'n str,
    /// The policy of what it is about, where it has one.
    pub policy: Option<&'n Policy>,
}

impl Caller {
    /// Returns who is to be asked about; `None` where the caller may do all.
    pub fn checked(&self) -> Option<&Identity> {
        match &self.authority {
            Authority::Unchecked => None,
            Authority::Checked(identity) => Some(identity),
        }
    }

    /// Tells a context who calls, from where, when and what for.
    pub fn describe<'a>(&'a self, context: &mut Context<'a>) {
        if let Some(identity) = self.checked() {
            identity.describe(context);
        }
        context.know(keys::OF_CALLS);
        let circumstances = &self.circumstances;
        if let Some(source) = circumstances.source {
            context.set(keys::SOURCE_IP, source);
        }
        context.set(keys::CURRENT_TIME, circumstances.now);
        context.set(keys::EPOCH_TIME, circumstances.now.as_micros() / 1_000_000);
        // The endpoint of the APIs speaks plain HTTP.
        context.set(keys::SECURE_TRANSPORT, false);
        context.set(keys::VIA_AWS_SERVICE, false);
        context.set(keys::REQUESTED_REGION, self.region.as_str());
        context.set(keys::RESOURCE_ACCOUNT, self.account.to_string());
        match circumstances.user_agent.as_ref().map(HeaderValue::to_str) {
            Some(Ok(agent)) => context.set(keys::USER_AGENT, agent),
            // It says something that no policy can compare.
            Some(Err(_)) => {}
            None => context.know(&[keys::USER_AGENT]),
        }
    }

    /// Checks that the caller may do one thing, where nothing but the caller and the resource
    /// matters.
    ///
    /// Errors: [`Caller::check_with`]'s.
    pub fn check(&self, action: &str, resource: &str) -> Result<(), Fault> {
        let Some(identity) = self.checked().filter(|identity| !identity.is_root()) else {
            return Ok(());
        };
        let mut context = Context::new();
        self.describe(&mut context);
        let need = Need {
            action,
            resource,
            policy: None,
        };
        self.check_with(identity, &need, &context)
    }

    /// Checks that an identity may do what a call needs, all of `context` considered.
    ///
    /// Errors: what the caller's service says where it may not.
    pub fn check_with(
        &self,
        identity: &Identity,
        need: &Need<'_>,
        context: &Context<'_>,
    ) -> Result<(), Fault> {
        let request = Request {
            principal: &identity.principal,
            action: need.action,
            resources: &[need.resource],
            owner: self.account,
            context,
        };
        match decision::decide(&identity.policies(need.policy), &request) {
            Decision::Allowed(_) => Ok(()),
            Decision::Denied(denial) => Err(self.denied(&denial, &request)),
        }
    }

    fn denied(&self, denial: &Denial<'_>, request: &Request<'_>) -> Fault {
        let message = denial.message(request);
        match self.service.wire() {
            Some(Wire::Json10 | Wire::Json11) => Fault::caller("AccessDeniedException", message),
            Some(Wire::RestJson) | None => {
                Fault::caller("AccessDeniedException", message).with_status(StatusCode::FORBIDDEN)
            }
            Some(Wire::RestXml | Wire::Query) => {
                Fault::caller("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
            }
        }
    }
}

#[cfg(test)]
mod tests;
