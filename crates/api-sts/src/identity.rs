//! STS: who am I, and whose key is this.
//!
//! It gives out no temporary credentials: those calls are refused by name.
//! Source: STS service model 2011-06-15.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::query::{self, STS};
use api_protocol::uri::Parameters;
use bytes::Bytes;
use http::{Request, Response};

/// The facade of STS.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sts;

impl Sts {
    /// Answers one call.
    pub fn handle(&self, caller: &Caller, request: &Request<Bytes>) -> Response<Bytes> {
        let parameters = query::parameters(request);
        match called(&parameters) {
            Ok(Action::GetCallerIdentity) => get_caller_identity(caller),
            Ok(Action::GetAccessKeyInfo) => get_access_key_info(caller, &parameters)
                .unwrap_or_else(|fault| query::fault(caller, STS, &fault)),
            Err(fault) => query::fault(caller, STS, &fault),
        }
    }
}

/// The calls that are served.
enum Action {
    GetCallerIdentity,
    GetAccessKeyInfo,
}

fn called(parameters: &Parameters) -> Result<Action, Fault> {
    match parameters.first("Action") {
        Some("GetCallerIdentity") => Ok(Action::GetCallerIdentity),
        Some("GetAccessKeyInfo") => Ok(Action::GetAccessKeyInfo),
        Some(name) if NOT_SERVED.contains(&name) => Err(Fault::caller(
            "UnsupportedOperation",
            format!("{name} is not supported: requests are signed with access keys themselves"),
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

/// Every key speaks for its whole account, as a root user's does.
fn get_caller_identity(caller: &Caller) -> Response<Bytes> {
    let account = caller.account.to_string();
    query::reply(caller, STS, "GetCallerIdentity", |xml| {
        xml.leaf("Arn", &format!("arn:aws:iam::{account}:root"));
        xml.leaf("UserId", &account);
        xml.leaf("Account", &account);
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
const NOT_SERVED: [&str; 9] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetSessionToken",
    "GetWebIdentityToken",
];

#[cfg(test)]
mod tests;
