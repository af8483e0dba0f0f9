//! Operations on APIs, quick creation included.
//!
//! Source: API Gateway v2 API reference, `Apis` and `Api`.

use api_protocol::fault::Fault;
use control::gateway::{
    Api, ApiMapping, Cors, Deployment, Deploys, DomainName, Integration, Kind, Route, Stage,
};
use control::resource::{Change, Resource};
use gateway_core::config::endpoint_name;
use serde_json::{Value, json};
use store::port::Store;

use crate::answer::{Answer, page, present, time};
use crate::facade::Call;
use crate::fault::{bad_request, not_found, too_many};
use crate::integrations::quick_backend;
use crate::limits::{APIS_MAX, DESCRIPTION_MAX, NAME_MAX};
use crate::members::Members;
use crate::operation::Verb;
use crate::routes::check_key;
use crate::tags::check_tags;
use crate::{ids, stages};

/// The name of the stage without a path segment.
pub(crate) const DEFAULT_STAGE: &str = "$default";

impl<S: Store> Call<'_, S> {
    pub(crate) async fn api(&self, verb: Verb<'_>) -> Result<Answer, Fault> {
        match verb {
            Verb::Create => self.create_api().await,
            Verb::List => {
                let apis = Api::in_region(self.control, self.region()).into_iter();
                let own = apis.filter(|api| api.account == self.account);
                page(
                    &self.query,
                    own.map(|api| (api.id.clone(), self.show(&api))),
                )
            }
            Verb::Get(id) => Ok(Answer::Found(self.show(&self.find_api(id)?))),
            Verb::Update(id) => self.update_api(id).await,
            Verb::Delete(id) => self.delete_api(id).await,
        }
    }

    /// Returns an API of the caller.
    ///
    /// Errors: `NotFoundException`.
    pub(crate) fn find_api(&self, id: &str) -> Result<Api, Fault> {
        Api::find(self.control, self.region(), id)
            .filter(|api| api.account == self.account)
            .ok_or_else(|| not_found("API", &format!("{}:{id}", self.account)))
    }

    async fn create_api(&self) -> Result<Answer, Fault> {
        let mut body = Members::read(self.body)?;
        let name = body.required("name")?;
        match body.required("protocolType")?.as_str() {
            "HTTP" => {}
            other => {
                return Err(bad_request(format!(
                    "protocolType {other} is not supported"
                )));
            }
        }
        let tags = check_tags(body.map("tags")?.unwrap_or_default())?;
        let quick = (body.text("target")?, body.text("routeKey")?);
        let mut api = Api {
            region: self.region().to_owned(),
            account: self.account.clone(),
            id: ids::new(self.control.entropy(), 10),
            name: check_name(name)?,
            description: None,
            version: None,
            cors: None,
            endpoint_disabled: false,
            ip_address_type: "ipv4".to_owned(),
            created_micros: self.now(),
            tags,
        };
        read_settings(&mut body, &mut api)?;
        body.finish()?;
        let apis = Api::in_region(self.control, self.region());
        let own = apis.iter().filter(|known| known.account == self.account);
        if own.count() >= APIS_MAX {
            return Err(too_many("APIs", APIS_MAX));
        }
        let mut changes = vec![Change::create(&api)];
        match quick {
            (Some(target), key) => self.quick_create(&api, &target, key, &mut changes)?,
            (None, Some(_)) => return Err(bad_request("routeKey needs a target")),
            (None, None) => {}
        }
        self.change(changes).await?;
        Ok(Answer::Created(self.show(&api)))
    }

    /// Adds an integration, a route to it, and a default stage that deploys automatically.
    fn quick_create(
        &self,
        api: &Api,
        target: &str,
        key: Option<String>,
        changes: &mut Vec<Change>,
    ) -> Result<(), Fault> {
        let key = key.unwrap_or_else(|| "$default".to_owned());
        check_key(&key)?;
        let integration = Integration {
            region: api.region.clone(),
            api: api.id.clone(),
            id: ids::new(self.control.entropy(), 7),
            description: None,
            managed: true,
            backend: quick_backend(&self.control.project().region, target)?,
        };
        let route = Route {
            region: api.region.clone(),
            api: api.id.clone(),
            id: ids::new(self.control.entropy(), 7),
            key,
            integration: Some(integration.id.clone()),
            operation_name: None,
            managed: true,
        };
        let mut stage = stages::new(api, DEFAULT_STAGE, api.created_micros);
        stage.managed = true;
        stage.deploys = Deploys::Automatically;
        changes.push(Change::create(&integration));
        changes.push(Change::create(&route));
        changes.push(Change::create(&stage));
        Ok(())
    }

    async fn update_api(&self, id: &str) -> Result<Answer, Fault> {
        let old = self.find_api(id)?;
        let mut api = old.clone();
        let mut body = Members::read(self.body)?;
        if let Some(name) = body.text("name")? {
            api.name = check_name(name)?;
        }
        read_settings(&mut body, &mut api)?;
        body.finish()?;
        self.change(vec![Change::replace(&old, &api)]).await?;
        Ok(Answer::Found(self.show(&api)))
    }

    async fn delete_api(&self, id: &str) -> Result<Answer, Fault> {
        let api = self.find_api(id)?;
        if let Some(mapping) = self.mapping_of(id, None) {
            return Err(bad_request(format!(
                "Remove the API mappings of the API first: domain {} has one",
                mapping.domain
            )));
        }
        let mut changes = Vec::new();
        self.remove_all::<Route>(id, &mut changes);
        self.remove_all::<Integration>(id, &mut changes);
        self.remove_all::<Stage>(id, &mut changes);
        self.remove_all::<Deployment>(id, &mut changes);
        changes.push(Change::remove(&api));
        self.change(changes).await?;
        Ok(Answer::Gone)
    }

    pub(crate) async fn delete_cors(&self, id: &str) -> Result<Answer, Fault> {
        let old = self.find_api(id)?;
        let mut api = old.clone();
        api.cors = None;
        self.change(vec![Change::replace(&old, &api)]).await?;
        Ok(Answer::Gone)
    }

    /// Returns a mapping of this region that shows an API, or one stage of it.
    pub(crate) fn mapping_of(&self, api: &str, stage: Option<&str>) -> Option<ApiMapping> {
        let domains = DomainName::in_region(self.control, self.region());
        domains
            .iter()
            .flat_map(|domain| ApiMapping::of_owner(self.control, self.region(), &domain.name))
            .find(|mapping| mapping.api == api && stage.is_none_or(|stage| mapping.stage == stage))
    }

    fn remove_all<K: Kind + Resource>(&self, api: &str, changes: &mut Vec<Change>) {
        let all = K::of_owner(self.control, self.region(), api);
        changes.extend(all.iter().map(Change::remove));
    }

    fn show(&self, api: &Api) -> Value {
        let host = endpoint_name(&api.id, &self.control.project().region);
        present(json!({
            "apiEndpoint": format!("https://{host}"),
            "apiId": api.id,
            "apiKeySelectionExpression": API_KEY_SELECTION,
            "corsConfiguration": api.cors,
            "createdDate": time(api.created_micros),
            "description": api.description,
            "disableExecuteApiEndpoint": api.endpoint_disabled,
            "ipAddressType": api.ip_address_type,
            "name": api.name,
            "protocolType": "HTTP",
            "routeSelectionExpression": ROUTE_SELECTION,
            "tags": api.tags,
            "version": api.version,
        }))
    }
}

/// Reads what creation and update share; what is absent stays as it is.
fn read_settings(body: &mut Members, api: &mut Api) -> Result<(), Fault> {
    if let Some(description) = body.short("description", DESCRIPTION_MAX)? {
        api.description = Some(description);
    }
    if let Some(version) = body.short("version", NAME_MAX)? {
        api.version = Some(version);
    }
    if let Some(disabled) = body.flag("disableExecuteApiEndpoint")? {
        api.endpoint_disabled = disabled;
    }
    if let Some(kind) = body.text("ipAddressType")? {
        match kind.as_str() {
            "ipv4" | "dualstack" => api.ip_address_type = kind,
            _ => return Err(bad_request("ipAddressType must be ipv4 or dualstack")),
        }
    }
    if let Some(cors) = body.object("corsConfiguration")? {
        api.cors = Some(read_cors(cors)?);
    }
    body.only("routeSelectionExpression", &json!(ROUTE_SELECTION))?;
    body.only("apiKeySelectionExpression", &json!(API_KEY_SELECTION))?;
    body.only("disableSchemaValidation", &json!(false))
}

fn read_cors(mut body: Members) -> Result<Cors, Fault> {
    let max_age = body.integer("maxAge")?;
    let max_age = match max_age {
        Some(seconds) => Some(
            i32::try_from(seconds)
                .ok()
                .filter(|seconds| (-1..=86_400).contains(seconds))
                .ok_or_else(|| bad_request("maxAge must be -1 to 86400"))?,
        ),
        None => None,
    };
    let cors = Cors {
        allow_credentials: body.flag("allowCredentials")?,
        allow_headers: body.texts("allowHeaders")?.unwrap_or_default(),
        allow_methods: body.texts("allowMethods")?.unwrap_or_default(),
        allow_origins: body.texts("allowOrigins")?.unwrap_or_default(),
        expose_headers: body.texts("exposeHeaders")?.unwrap_or_default(),
        max_age,
    };
    body.finish()?;
    for origin in &cors.allow_origins {
        if origin != "*" && !origin.contains("://") {
            return Err(bad_request(format!("origin {origin:?} has no scheme")));
        }
    }
    if cors.allow_credentials == Some(true) && cors.allow_origins.iter().any(|own| own == "*") {
        return Err(bad_request("allowCredentials needs origins other than *"));
    }
    Ok(cors)
}

fn check_name(name: String) -> Result<String, Fault> {
    if name.is_empty() || name.chars().count() > NAME_MAX {
        return Err(bad_request("name must have 1 to 128 characters"));
    }
    Ok(name)
}

const ROUTE_SELECTION: &str = "$request.method $request.path";
const API_KEY_SELECTION: &str = "$request.header.x-api-key";
