//! Operations on integrations.
//!
//! Source: API Gateway v2 API reference, `Integrations`; "Integrations for HTTP APIs".

use api_protocol::fault::Fault;
use base::region::RegionName;
use control::gateway::{Backend, BackendKind, Integration, Kind, Route};
use control::resource::Change;
use gateway_core::invoke::FunctionArn;
use gateway_core::uri::UriTemplate;
use http::Method;
use serde_json::{Value, json};
use store::port::Store;

use crate::answer::{Answer, page, present};
use crate::facade::Call;
use crate::fault::{bad_request, conflict, not_found, too_many};
use crate::ids;
use crate::limits::{DESCRIPTION_MAX, INTEGRATIONS_MAX};
use crate::members::Members;
use crate::operation::Verb;

impl<S: Store> Call<'_, S> {
    pub(crate) async fn integration(&self, api: &str, verb: Verb<'_>) -> Result<Answer, Fault> {
        self.find_api(api)?;
        match verb {
            Verb::Create => self.create_integration(api).await,
            Verb::List => {
                let all = Integration::of_owner(self.control, self.region(), api);
                page(
                    &self.query,
                    all.iter().map(|one| (one.id.clone(), show(one))),
                )
            }
            Verb::Get(id) => Ok(Answer::Found(show(&self.find_integration(api, id)?))),
            Verb::Update(id) => self.update_integration(api, id).await,
            Verb::Delete(id) => self.delete_integration(api, id).await,
        }
    }

    /// Returns an integration of an API.
    ///
    /// Errors: `NotFoundException`.
    pub(crate) fn find_integration(&self, api: &str, id: &str) -> Result<Integration, Fault> {
        Integration::find(self.control, self.region(), api, id)
            .ok_or_else(|| not_found("Integration", id))
    }

    async fn create_integration(&self, api: &str) -> Result<Answer, Fault> {
        let mut body = Members::read(self.body)?;
        let kind = read_kind(&body.required("integrationType")?)?;
        let backend = Backend {
            kind,
            uri: String::new(),
            method: String::new(),
            payload_format: String::new(),
            timeout_millis: TIMEOUT_MILLIS_MAX,
        };
        let mut integration = Integration {
            region: self.region().to_owned(),
            api: api.to_owned(),
            id: ids::new(self.control.entropy(), 7),
            description: None,
            managed: false,
            backend,
        };
        self.read_settings(body, &mut integration)?;
        let all = Integration::of_owner(self.control, self.region(), api);
        if all.len() >= INTEGRATIONS_MAX {
            return Err(too_many("Integrations", INTEGRATIONS_MAX));
        }
        self.change(vec![Change::create(&integration)]).await?;
        Ok(Answer::Created(show(&integration)))
    }

    async fn update_integration(&self, api: &str, id: &str) -> Result<Answer, Fault> {
        let old = self.find_integration(api, id)?;
        let mut new = old.clone();
        let mut body = Members::read(self.body)?;
        if let Some(kind) = body.text("integrationType")? {
            new.backend.kind = read_kind(&kind)?;
        }
        self.read_settings(body, &mut new)?;
        self.change(vec![Change::replace(&old, &new)]).await?;
        Ok(Answer::Found(show(&new)))
    }

    async fn delete_integration(&self, api: &str, id: &str) -> Result<Answer, Fault> {
        let integration = self.find_integration(api, id)?;
        let routes = Route::of_owner(self.control, self.region(), api);
        let user = routes
            .iter()
            .find(|route| route.integration.as_deref() == Some(id));
        if let Some(route) = user {
            return Err(conflict(format!(
                "Cannot delete Integration '{id}' due to this Integration being referenced by \
                 the route with key '{}'",
                route.key
            )));
        }
        self.change(vec![Change::remove(&integration)]).await?;
        Ok(Answer::Gone)
    }

    /// Reads what creation and update share, and checks the whole.
    fn read_settings(&self, mut body: Members, one: &mut Integration) -> Result<(), Fault> {
        if let Some(description) = body.short("description", DESCRIPTION_MAX)? {
            one.description = Some(description);
        }
        let backend = &mut one.backend;
        if let Some(uri) = body.text("integrationUri")? {
            backend.uri = uri;
        }
        if let Some(method) = body.text("integrationMethod")? {
            backend.method = method;
        }
        if let Some(format) = body.text("payloadFormatVersion")? {
            backend.payload_format = format;
        }
        if let Some(millis) = body.integer("timeoutInMillis")? {
            backend.timeout_millis = u32::try_from(millis)
                .ok()
                .filter(|millis| (50..=TIMEOUT_MILLIS_MAX).contains(millis))
                .ok_or_else(|| bad_request("timeoutInMillis must be 50 to 30000"))?;
        }
        body.only("connectionType", &json!("INTERNET"))?;
        body.empty("requestParameters")?;
        body.empty("responseParameters")?;
        body.finish()?;
        complete(&self.control.project().region, backend)
    }
}

/// Returns the backend of a quick creation: a function's ARN, or a URL.
///
/// Errors: `BadRequestException` for any other target.
pub(crate) fn quick_backend(region: &RegionName, target: &str) -> Result<Backend, Fault> {
    let function = target.starts_with("arn:");
    let (kind, method, payload_format) = if function {
        (BackendKind::Function, "POST", "2.0")
    } else {
        (BackendKind::Http, "ANY", "1.0")
    };
    let mut backend = Backend {
        kind,
        uri: target.to_owned(),
        method: method.to_owned(),
        payload_format: payload_format.to_owned(),
        timeout_millis: TIMEOUT_MILLIS_MAX,
    };
    complete(region, &mut backend)?;
    Ok(backend)
}

/// Checks a backend as a whole, and fills in what may be left out.
fn complete(region: &RegionName, backend: &mut Backend) -> Result<(), Fault> {
    if backend.uri.is_empty() {
        return Err(bad_request("integrationUri is required"));
    }
    // The value of a stage variable is known only when a stage serves the integration.
    let settled = !backend.uri.contains("${stageVariables.");
    match backend.kind {
        BackendKind::Function => {
            if settled {
                check_function(region, &backend.uri)?;
            }
            if backend.method.is_empty() {
                "POST".clone_into(&mut backend.method);
            }
            if backend.method != "POST" {
                return Err(bad_request("integrationMethod of a function must be POST"));
            }
            match backend.payload_format.as_str() {
                "1.0" | "2.0" => Ok(()),
                "" => Err(bad_request(
                    "PayloadFormatVersion is a required parameter for integration",
                )),
                _ => Err(bad_request("payloadFormatVersion must be 1.0 or 2.0")),
            }
        }
        BackendKind::Http => {
            if settled {
                let template = UriTemplate::parse(&backend.uri);
                template.map_err(|error| bad_request(error.to_string()))?;
            }
            if backend.method.is_empty() {
                return Err(bad_request("HttpMethod must be specified for HTTP_PROXY"));
            }
            let known = Method::from_bytes(backend.method.as_bytes());
            if backend.method != "ANY" && known.is_err() {
                return Err(bad_request(
                    "integrationMethod must be ANY or an HTTP method",
                ));
            }
            if backend.payload_format.is_empty() {
                "1.0".clone_into(&mut backend.payload_format);
            }
            if backend.payload_format != "1.0" {
                return Err(bad_request(
                    "payloadFormatVersion of HTTP_PROXY must be 1.0",
                ));
            }
            Ok(())
        }
    }
}

fn check_function(region: &RegionName, uri: &str) -> Result<(), Fault> {
    let arn = FunctionArn::parse(uri)
        .map_err(|_| bad_request(format!("integrationUri {uri:?} is no function ARN")))?;
    if arn.region != *region {
        return Err(bad_request(format!(
            "a function of {} cannot be called from {region}: name this region's own",
            arn.region
        )));
    }
    if let Some(qualifier) = arn.qualifier {
        return Err(bad_request(format!(
            "function versions and aliases ({qualifier}) are not supported as targets"
        )));
    }
    Ok(())
}

fn read_kind(text: &str) -> Result<BackendKind, Fault> {
    match text {
        "AWS_PROXY" => Ok(BackendKind::Function),
        "HTTP_PROXY" => Ok(BackendKind::Http),
        other => Err(bad_request(format!(
            "integrationType {other} is not supported for HTTP APIs: use AWS_PROXY or HTTP_PROXY"
        ))),
    }
}

fn show(one: &Integration) -> Value {
    let backend = &one.backend;
    present(json!({
        "apiGatewayManaged": one.managed.then_some(true),
        "connectionType": "INTERNET",
        "description": one.description,
        "integrationId": one.id,
        "integrationMethod": backend.method,
        "integrationType": backend.kind,
        "integrationUri": backend.uri,
        "payloadFormatVersion": backend.payload_format,
        "timeoutInMillis": backend.timeout_millis,
    }))
}

/// Longest time that an integration may take, and the one it has by default.
const TIMEOUT_MILLIS_MAX: u32 = 30_000;
