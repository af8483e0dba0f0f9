//! What each action needs leave for: the resources that it is about, and its condition keys.
//!
//! Policies decide, not this. A parameter that an action does not take changes nothing here, as
//! it changes nothing in what is done.
//! Source: service authorization reference, "Actions, resources, and condition keys for AWS
//! Identity and Access Management".

use api_protocol::authority::Need;
use api_protocol::caller::Authority;
use api_protocol::fault::Fault;
use control::access::{self, User};
use http::StatusCode;
use iam::context::Context;
use iam::credentials::UserName;
use store::port::Store;

use crate::facade::Call;

/// What an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Nothing that has an ARN.
    Nothing,
    /// The user that `UserName` names, or the caller where there is none.
    User,
    /// That user, and what it is called and where it is afterwards.
    UserAndTarget,
    /// The user that is made.
    MadeUser,
    /// The policy that `PolicyArn` names.
    Policy,
    /// The policy that is made.
    MadePolicy,
    /// The user that `PolicySourceArn` names.
    Source,
}

/// Returns what an action is about; `None` for one that is not served.
pub(crate) fn about(action: &str) -> Option<About> {
    Some(match action {
        "ListUsers" | "ListPolicies" | "SimulateCustomPolicy" => About::Nothing,
        "GetUser"
        | "DeleteUser"
        | "CreateAccessKey"
        | "ListAccessKeys"
        | "UpdateAccessKey"
        | "DeleteAccessKey"
        | "PutUserPolicy"
        | "GetUserPolicy"
        | "DeleteUserPolicy"
        | "ListUserPolicies"
        | "AttachUserPolicy"
        | "DetachUserPolicy"
        | "ListAttachedUserPolicies"
        | "PutUserPermissionsBoundary"
        | "DeleteUserPermissionsBoundary"
        | "TagUser"
        | "UntagUser"
        | "ListUserTags" => About::User,
        "UpdateUser" => About::UserAndTarget,
        "CreateUser" => About::MadeUser,
        "GetPolicy" | "GetPolicyVersion" | "ListPolicyVersions" | "DeletePolicy" => About::Policy,
        "CreatePolicy" => About::MadePolicy,
        "SimulatePrincipalPolicy" => About::Source,
        _ => return None,
    })
}

impl<S: Store> Call<'_, S> {
    /// Checks that the caller may do what it asks.
    ///
    /// Errors: `AccessDenied`; `InvalidClientTokenId` for a session, since those of users have
    /// no multi-factor authentication here.
    pub(crate) fn check(&self, action: &str, about: About) -> Result<(), Fault> {
        let Some(identity) = self.caller.checked() else {
            return Ok(());
        };
        if identity.session.is_some() {
            let message = "The security token included in the request is invalid";
            let fault = Fault::caller("InvalidClientTokenId", message);
            return Err(fault.with_status(StatusCode::FORBIDDEN));
        }
        if identity.is_root() {
            return Ok(());
        }
        let mut context = Context::new();
        self.caller.describe(&mut context);
        context.know(&[POLICY_ARN, PERMISSIONS_BOUNDARY]);
        if let Some(arn) = self.attached(action) {
            context.set(POLICY_ARN, arn);
        }
        if let Some(arn) = self.boundary(action) {
            context.set(PERMISSIONS_BOUNDARY, arn);
        }
        for resource in self.resources(about) {
            let need = Need {
                action: &format!("iam:{action}"),
                resource: &resource,
                policy: None,
            };
            self.caller.check_with(identity, &need, &context)?;
        }
        Ok(())
    }

    /// Returns the ARNs of what a call is about; each of them needs leave.
    fn resources(&self, about: About) -> Vec<String> {
        let account = self.account;
        let made = |kind: &str, name: &str| {
            let path = self.form.text("Path").unwrap_or("/");
            let name = self.form.text(name).unwrap_or_default();
            format!("arn:aws:iam::{account}:{kind}{path}{name}")
        };
        let one = match about {
            About::Nothing => "*".to_owned(),
            About::User => self.user_or_caller(),
            About::UserAndTarget => {
                let source = self.user_or_caller();
                return std::iter::once(source).chain(self.target()).collect();
            }
            About::MadeUser => made("user", "UserName"),
            About::Policy => self.text_or_any("PolicyArn"),
            About::MadePolicy => made("policy", "PolicyName"),
            About::Source => self.text_or_any("PolicySourceArn"),
        };
        vec![one]
    }

    /// Returns the ARN of the user that a call names, or of the caller where it names none.
    fn user_or_caller(&self) -> String {
        let account = self.account;
        match (self.form.text("UserName"), &self.caller.authority) {
            (Some(name), _) => {
                let unknown = || format!("arn:aws:iam::{account}:user/{name}");
                self.known_user().map_or_else(unknown, |user| user.arn())
            }
            (None, Authority::Checked(identity)) => identity.principal.arn().to_owned(),
            (None, Authority::Unchecked) => "*".to_owned(),
        }
    }

    /// Returns the ARN that the user of a call is to have, where it is another than it has.
    ///
    /// Source: IAM API reference, "UpdateUser" (leave on source and target).
    fn target(&self) -> Option<String> {
        let mut user = self.known_user()?;
        let before = user.arn();
        if let Some(path) = self.form.text("NewPath") {
            path.clone_into(&mut user.path);
        }
        if let Some(name) = self.form.text("NewUserName") {
            name.clone_into(&mut user.name);
        }
        Some(user.arn()).filter(|after| *after != before)
    }

    /// Returns the policy that an action attaches or detaches; `None` for other actions.
    fn attached(&self, action: &str) -> Option<&str> {
        let has_one = matches!(action, "AttachUserPolicy" | "DetachUserPolicy");
        self.form.text("PolicyArn").filter(|_| has_one)
    }

    /// Returns the boundary that an action sets, or that the user has whose rights it changes;
    /// `None` for other actions.
    fn boundary(&self, action: &str) -> Option<String> {
        match action {
            "CreateUser" | "PutUserPermissionsBoundary" => {
                self.form.text("PermissionsBoundary").map(str::to_owned)
            }
            "AttachUserPolicy"
            | "DetachUserPolicy"
            | "PutUserPolicy"
            | "DeleteUserPolicy"
            | "DeleteUserPermissionsBoundary" => self.known_user()?.boundary,
            _ => None,
        }
    }

    /// Returns the user that a call names, if there is one of that name.
    fn known_user(&self) -> Option<User> {
        let name = UserName::parse(self.form.text("UserName")?)?;
        access::user(self.control, self.account, &name)
    }

    fn text_or_any(&self, name: &str) -> String {
        self.form.text(name).unwrap_or("*").to_owned()
    }
}

/// The policy that a call attaches or detaches. One ARN.
const POLICY_ARN: &str = "iam:policyarn";
/// The boundary that a call sets, or that its user has. One ARN.
const PERMISSIONS_BOUNDARY: &str = "iam:permissionsboundary";
