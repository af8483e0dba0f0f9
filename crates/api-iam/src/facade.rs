//! The facade of IAM: one call in, one answer out.
//!
//! Every region answers alike: users, keys and policies are everywhere the same.
//! Source: IAM service model 2010-05-08.

use api_protocol::authority::Need;
use api_protocol::caller::{Authority, Caller};
use api_protocol::fault::Fault;
use api_protocol::query::{self, IAM};
use api_protocol::xml::XmlWriter;
use base::name::AccountId;
use bytes::Bytes;
use control::access::{self, User};
use control::control::Control;
use control::resource::Change;
use http::{Request, Response, StatusCode};
use iam::context::Context;
use iam::credentials::UserName;
use iam::principal::Identity;
use store::port::Store;
use tokio::sync::Mutex;

use crate::form::Form;
use crate::{fault, unserved};

/// The facade of IAM.
pub struct Iam<S> {
    control: Control<S>,
    /// Orders this region's changes: each is checked against what the last one left.
    turn: Mutex<()>,
}

/// One call, as the operations see it.
pub(crate) struct Call<'c, S> {
    pub(crate) control: &'c Control<S>,
    pub(crate) caller: &'c Caller,
    pub(crate) account: AccountId,
    pub(crate) form: Form,
}

/// What a call that succeeded is answered with.
pub(crate) struct Reply(Box<dyn FnOnce(&mut XmlWriter) + Send>);

impl Reply {
    /// Answers with a result.
    pub(crate) fn new(result: impl FnOnce(&mut XmlWriter) + Send + 'static) -> Self {
        Self(Box::new(result))
    }

    /// Answers that it is done.
    pub(crate) fn empty() -> Self {
        Self::new(|_| {})
    }
}

impl<S: Store> Iam<S> {
    /// Makes the facade over a region's resources.
    pub fn new(control: Control<S>) -> Self {
        Self {
            control,
            turn: Mutex::new(()),
        }
    }

    /// Answers one call.
    pub async fn handle(&self, caller: &Caller, request: &Request<Bytes>) -> Response<Bytes> {
        let call = Call {
            control: &self.control,
            caller,
            account: caller.account,
            form: Form::of(request),
        };
        let action = call.form.text("Action").unwrap_or_default().to_owned();
        match self.answer(&action, &call).await {
            Ok(Reply(result)) => query::reply(caller, IAM, &action, result),
            Err(fault) => query::fault(caller, IAM, &fault),
        }
    }

    async fn answer(&self, action: &str, call: &Call<'_, S>) -> Result<Reply, Fault> {
        if action.is_empty() {
            return Err(Fault::caller(
                "MissingAction",
                "The request is missing an action",
            ));
        }
        call.check(action)?;
        let reads = ["Get", "List", "Simulate"];
        if reads.iter().any(|verb| action.starts_with(verb)) {
            return call.read(action);
        }
        let _turn = self.turn.lock().await;
        match action {
            "CreateUser" => call.create_user().await,
            "UpdateUser" => call.update_user().await,
            "DeleteUser" => call.delete_user().await,
            "CreateAccessKey" => call.create_access_key().await,
            "UpdateAccessKey" => call.update_access_key().await,
            "DeleteAccessKey" => call.delete_access_key().await,
            "PutUserPolicy" => call.put_user_policy().await,
            "DeleteUserPolicy" => call.delete_user_policy().await,
            "CreatePolicy" => call.create_policy().await,
            "DeletePolicy" => call.delete_policy().await,
            "AttachUserPolicy" => call.attach_user_policy().await,
            "DetachUserPolicy" => call.detach_user_policy().await,
            "PutUserPermissionsBoundary" => call.put_user_permissions_boundary().await,
            "DeleteUserPermissionsBoundary" => call.delete_user_permissions_boundary().await,
            "TagUser" => call.tag_user().await,
            "UntagUser" => call.untag_user().await,
            other => Err(refused(other)),
        }
    }
}

impl<S: Store> Call<'_, S> {
    fn read(&self, action: &str) -> Result<Reply, Fault> {
        match action {
            "GetUser" => self.get_user(),
            "ListUsers" => self.list_users(),
            "ListAccessKeys" => self.list_access_keys(),
            "GetUserPolicy" => self.get_user_policy(),
            "ListUserPolicies" => self.list_user_policies(),
            "GetPolicy" => self.get_policy(),
            "ListPolicies" => self.list_policies(),
            "GetPolicyVersion" => self.get_policy_version(),
            "ListPolicyVersions" => self.list_policy_versions(),
            "ListAttachedUserPolicies" => self.list_attached_user_policies(),
            "ListUserTags" => self.list_user_tags(),
            "SimulatePrincipalPolicy" => self.simulate_principal_policy(),
            "SimulateCustomPolicy" => self.simulate_custom_policy(),
            other => Err(refused(other)),
        }
    }

    /// Checks that the caller may do what it asks.
    ///
    /// Errors: `AccessDenied`; `InvalidClientTokenId` for a session, since those of users have
    /// no multi-factor authentication here.
    fn check(&self, action: &str) -> Result<(), Fault> {
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
        context.know(&["iam:policyarn", "iam:permissionsboundary"]);
        if let Some(arn) = self.form.text("PolicyArn") {
            context.set("iam:policyarn", arn);
        }
        if let Some(arn) = self.form.text("PermissionsBoundary") {
            context.set("iam:permissionsboundary", arn);
        }
        let need = Need {
            action: &format!("iam:{action}"),
            resource: &self.resource(action),
            policy: None,
        };
        self.caller.check_with(identity, &need, &context)
    }

    /// Returns the ARN of what a call is about.
    ///
    /// Source: service authorization reference, "Actions, resources, and condition keys for AWS
    /// Identity and Access Management".
    fn resource(&self, action: &str) -> String {
        let account = self.account;
        let path = self.form.text("Path").unwrap_or("/");
        match (action, self.form.text("UserName")) {
            ("ListUsers" | "ListPolicies" | "SimulateCustomPolicy", _) => "*".to_owned(),
            ("CreateUser", Some(name)) => format!("arn:aws:iam::{account}:user{path}{name}"),
            ("CreatePolicy", _) => {
                let name = self.form.text("PolicyName").unwrap_or_default();
                format!("arn:aws:iam::{account}:policy{path}{name}")
            }
            (_, Some(name)) => {
                let known = UserName::parse(name);
                let known = known.and_then(|name| access::user(self.control, account, &name));
                let unknown = || format!("arn:aws:iam::{account}:user/{name}");
                known.map_or_else(unknown, |user| user.arn())
            }
            ("SimulatePrincipalPolicy", None) => self.text_or_any("PolicySourceArn"),
            (_, None) if self.form.text("PolicyArn").is_some() => self.text_or_any("PolicyArn"),
            (_, None) => match &self.caller.authority {
                Authority::Checked(identity) => identity.principal.arn().to_owned(),
                Authority::Unchecked => "*".to_owned(),
            },
        }
    }

    fn text_or_any(&self, name: &str) -> String {
        self.form.text(name).unwrap_or("*").to_owned()
    }

    /// Returns the user that a call names, or the caller where it names none.
    pub(crate) fn user(&self) -> Result<User, Fault> {
        if self.form.text("UserName").is_some() {
            return self.user_named(&self.form.user_name("UserName")?);
        }
        let own = match self
            .caller
            .checked()
            .map(|identity| identity.principal.identity())
        {
            Some(Identity::User { name }) => UserName::parse(name),
            Some(
                Identity::Root | Identity::Role { .. } | Identity::Service | Identity::Anonymous,
            )
            | None => None,
        };
        let own = own.ok_or_else(|| {
            fault::invalid("Must specify userName when calling with non-User credentials")
        })?;
        self.user_named(&own)
    }

    /// Returns a user by name.
    pub(crate) fn user_named(&self, name: &UserName) -> Result<User, Fault> {
        access::user(self.control, self.account, name).ok_or_else(|| fault::no_user(name.as_str()))
    }

    /// Returns whether the caller is no user, but the account itself.
    pub(crate) fn is_root(&self) -> bool {
        match &self.caller.authority {
            Authority::Unchecked => true,
            Authority::Checked(identity) => {
                matches!(identity.principal.identity(), Identity::Root)
            }
        }
    }

    /// Returns the time in microseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.control.clock().wall().as_micros()
    }

    /// Makes changes, all or none of them.
    pub(crate) async fn change(&self, changes: Vec<Change>) -> Result<(), Fault> {
        let changed = self.control.change(changes).await;
        changed
            .map(|_| ())
            .map_err(|error| fault::unchanged(&error))
    }
}

fn refused(action: &str) -> Fault {
    match unserved::why(action) {
        Some(why) => Fault::caller(
            "UnsupportedOperation",
            format!("{action} is not supported: {why}"),
        ),
        None => Fault::caller(
            "InvalidAction",
            format!("Could not find operation {action} for version 2010-05-08"),
        ),
    }
}

#[cfg(test)]
mod tests;
