//! The facade of IAM: one call in, one answer out.
//!
//! Every region answers alike: users, keys and policies are everywhere the same.
//! Source: IAM service model 2010-05-08.

use api_protocol::caller::{Authority, Caller};
use api_protocol::fault::Fault;
use api_protocol::query::{self, IAM};
use api_protocol::xml::XmlWriter;
use base::name::AccountId;
use bytes::Bytes;
use control::access::{self, User};
use control::control::Control;
use control::resource::Change;
use http::{Request, Response};
use iam::credentials::UserName;
use iam::principal::Identity;
use store::port::Store;
use tokio::sync::Mutex;

use crate::form::Form;
use crate::{fault, need, unserved};

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
        let about = need::about(action).ok_or_else(|| refused(action))?;
        let reads = ["Get", "List", "Simulate"];
        if reads.iter().any(|verb| action.starts_with(verb)) {
            call.check(action, about)?;
            return call.read(action);
        }
        let _turn = self.turn.lock().await;
        // What is checked is what is changed: no other call comes between.
        call.check(action, about)?;
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
