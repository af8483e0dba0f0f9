//! The facade of API Gateway: one call in, one answer out.
//!
//! It serves the region of its node; calls for other regions do not reach it.

use std::borrow::Cow;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::rest_json::{self, Dialect};
use api_protocol::uri::{Parameters, segments};
use bytes::Bytes;
use control::control::Control;
use control::resource::Change;
use http::{Method, Request, Response};
use store::port::Store;
use tokio::sync::Mutex;

use crate::answer::Answer;
use crate::fault::unchanged;
use crate::operation::Operation;

/// The facade of API Gateway.
pub struct ApiGateway<S> {
    control: Control<S>,
    /// Orders the changes of this region's resources, which refer to each other.
    turn: Mutex<()>,
}

/// One call, as the operations see it.
pub(crate) struct Call<'c, S> {
    pub(crate) control: &'c Control<S>,
    pub(crate) account: String,
    pub(crate) query: Parameters,
    pub(crate) body: &'c [u8],
}

impl<S: Store> ApiGateway<S> {
    /// Makes the facade over a region's resources.
    pub fn new(control: Control<S>) -> Self {
        Self {
            control,
            turn: Mutex::new(()),
        }
    }

    /// Answers one call.
    pub async fn handle(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        match self.answer(caller, &request).await {
            Ok(answer) => answer.write(caller),
            Err(fault) => rest_json::fault(Dialect::ApiGateway, caller, &fault),
        }
    }

    async fn answer(&self, caller: &Caller, request: &Request<Bytes>) -> Result<Answer, Fault> {
        let path = segments(request.uri().path());
        let path: Vec<&str> = path.iter().map(Cow::as_ref).collect();
        let operation = Operation::of(request.method(), &path)?;
        self.check(caller, request.method(), &path)?;
        let _turn = if operation.changes() {
            Some(self.turn.lock().await)
        } else {
            None
        };
        let call = Call {
            control: &self.control,
            account: caller.account.to_string(),
            query: Parameters::of_uri(request.uri()),
            body: request.body(),
        };
        match operation {
            Operation::Api(verb) => call.api(verb).await,
            Operation::DeleteCors(api) => call.delete_cors(api).await,
            Operation::Integration(api, verb) => call.integration(api, verb).await,
            Operation::Route(api, verb) => call.route(api, verb).await,
            Operation::Stage(api, verb) => call.stage(api, verb).await,
            Operation::Deployment(api, verb) => call.deployment(api, verb).await,
            Operation::Domain(verb) => call.domain(verb).await,
            Operation::Mapping(domain, verb) => call.mapping(domain, verb).await,
            Operation::GetTags(arn) => call.get_tags(&arn),
            Operation::Tag(arn) => call.tag(&arn).await,
            Operation::Untag(arn) => call.untag(&arn).await,
        }
    }

    /// Checks that the caller may do what it asks: actions are methods, and resources are paths.
    ///
    /// Source: service authorization reference, "Actions, resources, and condition keys for
    /// Amazon API Gateway Management V2".
    fn check(&self, caller: &Caller, method: &Method, path: &[&str]) -> Result<(), Fault> {
        let region = &self.control.project().region;
        let path = path.strip_prefix(&["v2"]).unwrap_or(path).join("/");
        let resource = format!("arn:aws:apigateway:{region}::/{}", folded(&path));
        caller.check(&format!("apigateway:{method}"), &resource)
    }
}

/// Returns a path with the names of domains as they are kept: they are found in any case, and
/// leave for one is leave for what is found.
fn folded(path: &str) -> String {
    let mut above = "";
    let folded = path.split('/').map(|segment| {
        if std::mem::replace(&mut above, segment) == "domainnames" {
            Cow::Owned(segment.to_ascii_lowercase())
        } else {
            Cow::Borrowed(segment)
        }
    });
    folded.collect::<Vec<_>>().join("/")
}

impl<S: Store> Call<'_, S> {
    /// Returns the region that is served.
    pub(crate) fn region(&self) -> &str {
        self.control.project().region.as_str()
    }

    /// Returns the time in microseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.control.clock().wall().as_micros()
    }

    /// Makes changes, all or none of them.
    pub(crate) async fn change(&self, changes: Vec<Change>) -> Result<(), Fault> {
        let changed = self.control.change(changes).await;
        changed.map(|_| ()).map_err(|error| unchanged(&error))
    }
}
