//! The facade: a call in, an answer out.
//!
//! It holds nothing but the way to the region's resources and to what runs functions.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::rest_json::{self, Dialect};
use api_protocol::uri::{self, Parameters};
use base::region::RegionName;
use bytes::Bytes;
use control::control::Control;
use control::functions::{self, Function};
use control::resource::Change;
use http::{HeaderMap, Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::port::Store;
use tokio::sync::Mutex;

use crate::configuration::arn;
use crate::port::Runner;
use crate::{fault, name, operations};

/// Lambda, as one region serves it.
pub struct Lambda<S, R> {
    pub(crate) control: Control<S>,
    pub(crate) runner: R,
    /// Orders changes of functions in this region: code that loses its last function is removed,
    /// and must not be while another function is given it.
    pub(crate) deploying: Mutex<()>,
}

/// One call, read as far as all operations need it.
pub(crate) struct Call<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) labels: Vec<&'a str>,
    pub(crate) query: Parameters,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
}

/// The one member of a function to be made by which leave is given.
#[derive(Deserialize)]
struct NewFunction {
    #[serde(rename = "FunctionName")]
    function_name: Option<String>,
}

impl<S: Store, R: Runner> Lambda<S, R> {
    /// Makes the facade over a region's resources.
    pub fn new(control: Control<S>, runner: R) -> Self {
        Self {
            control,
            runner,
            deploying: Mutex::new(()),
        }
    }

    /// Answers a call.
    pub async fn handle(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        let segments = uri::segments(parts.uri.path());
        let named = operations::named(parts.method.as_str(), &segments);
        let answer = match named {
            Some(named) => {
                let call = Call {
                    caller,
                    labels: named.labels,
                    query: Parameters::of_uri(&parts.uri),
                    headers: &parts.headers,
                    body: &body,
                };
                match self.check(named.operation, &call) {
                    Ok(()) => self.perform(named.operation, &call).await,
                    Err(fault) => Err(fault),
                }
            }
            None => {
                let unknown = format!("{} {}", parts.method, parts.uri.path());
                Err(Fault::unknown_operation(&unknown))
            }
        };
        answer.unwrap_or_else(|fault| rest_json::fault(Dialect::Lambda, caller, &fault))
    }

    async fn perform(&self, operation: &str, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        match operation {
            "Invoke" => self.invoke(call).await,
            "CreateFunction" => self.create_function(call).await,
            "GetFunction" => self.get_function(call),
            "GetFunctionConfiguration" => self.get_function_configuration(call),
            "ListFunctions" => self.list_functions(call),
            "ListVersionsByFunction" => self.list_versions_by_function(call),
            "UpdateFunctionCode" => self.update_function_code(call).await,
            "UpdateFunctionConfiguration" => self.update_function_configuration(call).await,
            "DeleteFunction" => self.delete_function(call).await,
            "AddPermission" => self.add_permission(call).await,
            "GetPolicy" => self.get_policy(call),
            "RemovePermission" => self.remove_permission(call).await,
            "TagResource" => self.tag_resource(call).await,
            "UntagResource" => self.untag_resource(call).await,
            "ListTags" => self.list_tags(call),
            "GetFunctionCodeSigningConfig" => self.get_function_code_signing_config(call),
            "PutFunctionConcurrency" => self.put_function_concurrency(call).await,
            "GetFunctionConcurrency" => self.get_function_concurrency(call),
            "DeleteFunctionConcurrency" => self.delete_function_concurrency(call).await,
            "GetAccountSettings" => Ok(self.get_account_settings(call)),
            other => Err(Fault::unknown_operation(other)),
        }
    }

    /// Checks that the caller may do what it asks.
    ///
    /// Source: service authorization reference, "Actions, resources, and condition keys for AWS
    /// Lambda".
    fn check(&self, operation: &str, call: &Call<'_>) -> Result<(), Fault> {
        let Some(identity) = call.caller.checked() else {
            return Ok(());
        };
        if identity.is_root() {
            return Ok(());
        }
        let action = match operation {
            "Invoke" | "InvokeAsync" | "InvokeWithResponseStream" => "InvokeFunction",
            other => other,
        };
        let (region, account) = (self.region(), call.caller.account);
        let label = call.labels.first().copied();
        let named = match (operation, label) {
            ("CreateFunction", _) => call.parse::<NewFunction>()?.function_name,
            (_, Some(label)) => Some(label.to_owned()),
            (_, None) => None,
        };
        let resource = match &named {
            None => "*".to_owned(),
            Some(text) => match name::parse(region, account, text, None) {
                Ok(name) => format!("arn:aws:lambda:{region}:{account}:function:{name}"),
                // It names no function of this place: the operation says so.
                Err(_) => text.clone(),
            },
        };
        call.caller.check(&format!("lambda:{action}"), &resource)
    }

    /// Returns the region that is served.
    pub(crate) fn region(&self) -> &RegionName {
        &self.control.project().region
    }

    /// Returns the function that a call's path names.
    pub(crate) fn function(&self, call: &Call<'_>) -> Result<Function, Fault> {
        let name = self.name_in(call)?;
        let account = call.caller.account;
        functions::function(&self.control, self.region(), account, name)
            .ok_or_else(|| fault::no_function(self.region(), account, name, None))
    }

    /// Returns the bare name of the function that a call's path names.
    pub(crate) fn name_in<'a>(&self, call: &Call<'a>) -> Result<&'a str, Fault> {
        let text = call.labels.first().copied().unwrap_or_default();
        let qualifier = call.query.first("Qualifier");
        name::parse(self.region(), call.caller.account, text, qualifier)
    }

    /// Stores a changed function with a fresh revision.
    pub(crate) async fn change(
        &self,
        old: &Function,
        mut new: Function,
    ) -> Result<Function, Fault> {
        new.revision = self.fresh_revision();
        let changed = self.control.change(vec![Change::replace(old, &new)]).await;
        changed.map_err(|error| fault::of_change(&error, &arn(old)))?;
        Ok(new)
    }

    /// Returns a revision that no function has had.
    pub(crate) fn fresh_revision(&self) -> String {
        let entropy = self.control.entropy();
        let bits = std::array::from_fn(|_| entropy.random());
        api_protocol::request_id::RequestId::from_bits(bits).as_uuid()
    }
}

impl Call<'_> {
    /// Reads the body.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        rest_json::parse(Dialect::Lambda, self.body)
    }

    /// Answers with JSON.
    pub(crate) fn reply(&self, status: StatusCode, body: &Value) -> Response<Bytes> {
        rest_json::reply(self.caller, status, body.to_string())
    }

    /// Answers 204.
    pub(crate) fn no_content(&self) -> Response<Bytes> {
        rest_json::no_content(self.caller)
    }
}

/// Checks the revision that a call expects.
///
/// Errors: `PreconditionFailedException` where the function has another.
pub(crate) fn check_revision(function: &Function, expected: Option<&str>) -> Result<(), Fault> {
    match expected {
        Some(expected) if !expected.is_empty() && expected != function.revision => {
            Err(fault::stale_revision())
        }
        Some(_) | None => Ok(()),
    }
}
