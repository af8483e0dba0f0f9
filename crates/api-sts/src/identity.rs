//! STS: who am I, whose key is this, and credentials for a while.
//!
//! There are no roles and no federation: those calls are refused by name.
//! Source: STS service model 2011-06-15.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::query::{self, STS};
use api_protocol::timestamp::iso_seconds;
use api_protocol::uri::Parameters;
use bytes::Bytes;
use control::access::tokens::{self, Wish};
use control::control::Control;
use http::{Request, Response, StatusCode};
use iam::principal::{Identity, Principal};
use iam::session::Subject;
use store::port::Store;

/// The facade of STS.
pub struct Sts<S> {
    control: Control<S>,
}

impl<S: Store> Sts<S> {
    /// Makes the facade over a region's resources.
    pub fn new(control: Control<S>) -> Self {
        Self { control }
    }

    /// Answers one call.
    pub fn handle(&self, caller: &Caller, request: &Request<Bytes>) -> Response<Bytes> {
        let parameters = query::parameters(request);
        let answer = called(&parameters).and_then(|action| match action {
            Action::CallerIdentity => Ok(get_caller_identity(caller)),
            Action::AccessKeyInfo => get_access_key_info(caller, &parameters),
            Action::SessionToken => self.get_session_token(caller, &parameters),
        });
        answer.unwrap_or_else(|fault| query::fault(caller, STS, &fault))
    }

    /// Needs no leave: a session may do no more than whose it is.
    ///
    /// Source: STS API reference, `GetSessionToken`.
    fn get_session_token(
        &self,
        caller: &Caller,
        parameters: &Parameters,
    ) -> Result<Response<Bytes>, Fault> {
        let denied = |message: &str| {
            Fault::caller("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
        };
        let subject = match caller.checked() {
            None => Subject::Root,
            Some(identity) if identity.session.is_some() => {
                return Err(denied(
                    "Cannot call GetSessionToken with session credentials",
                ));
            }
            Some(identity) => match identity.principal.identity() {
                Identity::Root => Subject::Root,
                Identity::User { name } => Subject::User {
                    name: name.clone(),
                    id: identity.principal.id().to_owned(),
                },
                Identity::Role { .. } | Identity::Service | Identity::Anonymous => {
                    return Err(denied("Cannot call GetSessionToken as this principal"));
                }
            },
        };
        if parameters.first("TokenCode").is_some() || parameters.first("SerialNumber").is_some() {
            let message = "MultiFactorAuthentication failed: there are no devices for it";
            return Err(denied(message));
        }
        let life_secs = parameters.first("DurationSeconds").map(str::parse::<i64>);
        let life_secs = life_secs
            .transpose()
            .map_err(|_| Fault::caller("ValidationError", "DurationSeconds must be a number"))?;
        let wish = Wish {
            subject,
            account: caller.account,
            life_secs,
            policies: Vec::new(),
            tags: Vec::new(),
        };
        let issued = tokens::issue(&self.control, wish)
            .map_err(|error| Fault::caller("ValidationError", error.to_string()))?;
        Ok(query::reply(caller, STS, "GetSessionToken", |xml| {
            xml.within("Credentials", |xml| {
                xml.leaf("AccessKeyId", issued.session.access_key.as_str());
                xml.leaf("SecretAccessKey", issued.session.secret.reveal());
                xml.leaf("SessionToken", &issued.token);
                xml.leaf("Expiration", &iso_seconds(issued.session.expires));
            });
        }))
    }
}

/// The calls that are served.
enum Action {
    CallerIdentity,
    AccessKeyInfo,
    SessionToken,
}

fn called(parameters: &Parameters) -> Result<Action, Fault> {
    match parameters.first("Action") {
        Some("GetCallerIdentity") => Ok(Action::CallerIdentity),
        Some("GetAccessKeyInfo") => Ok(Action::AccessKeyInfo),
        Some("GetSessionToken") => Ok(Action::SessionToken),
        Some(name) if NOT_SERVED.contains(&name) => Err(Fault::caller(
            "UnsupportedOperation",
            format!("{name} is not supported: there are no roles and no federation here"),
        )),
        Some(name) => Err(Fault::caller(
            "InvalidAction",
            format!("Could not find operation {name} for version 2011-06-15"),
        )),
        None => Err(Fault::caller(
            "MissingAction",
            "The request is missing an action",
        )),
    }
}

/// Where nobody is checked, every key speaks for its whole account, as a root user's does.
///
/// It needs no leave. Source: STS API reference, `GetCallerIdentity`.
fn get_caller_identity(caller: &Caller) -> Response<Bytes> {
    let root = Principal::root(caller.account);
    let principal = caller
        .checked()
        .map_or(&root, |identity| &identity.principal);
    query::reply(caller, STS, "GetCallerIdentity", |xml| {
        xml.leaf("Arn", principal.arn());
        xml.leaf("UserId", principal.id());
        xml.leaf("Account", &caller.account.to_string());
    })
}

/// Only of the caller's own key: whose the others are is nobody else's business.
fn get_access_key_info(caller: &Caller, parameters: &Parameters) -> Result<Response<Bytes>, Fault> {
    let key = parameters.first("AccessKeyId").unwrap_or_default();
    if key.is_empty() || key != caller.access_key {
        let message = format!("AccessKeyId {key:?} is not the key that signed the request");
        return Err(Fault::caller("ValidationError", message));
    }
    Ok(query::reply(caller, STS, "GetAccessKeyInfo", |xml| {
        xml.leaf("Account", &caller.account.to_string());
    }))
}

/// Calls of the service model that give out credentials or read what AWS has sealed.
const NOT_SERVED: [&str; 8] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetWebIdentityToken",
];

#[cfg(test)]
mod tests;
