//! From stored resources to what a region's gateway serves.
//!
//! It never fails: what makes no sense is left out and named.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::name::AccountId;
use gateway_core::config::{
    ApiParts, Config, DomainParts, IntegrationParts, MappingParts, OwnEndpoint, PayloadFormat,
    StageParts, TargetParts,
};
use gateway_core::cors::{Cors, Credentials};
use gateway_core::session::{SESSIONS_TAG, Sessions};
use store::port::Store;

use super::{
    Api, ApiMapping, Backend, BackendKind, Deployment, Deploys, DomainName, Integration, Kind,
    Route, Stage,
};
use crate::certificates::{self, Served};
use crate::control::Control;

/// What a region's gateway serves, as the resources say at one moment.
#[derive(Debug)]
pub struct Plan {
    /// APIs and domains.
    pub config: Arc<Config>,
    /// The certificate of each custom domain, by its name.
    pub certificates: BTreeMap<String, Served>,
    /// What makes no sense and is left out: the place, and why.
    pub problems: Vec<(String, String)>,
}

/// Makes the plan of this node's region.
pub fn plan<S: Store>(control: &Control<S>) -> Plan {
    let region = &control.project().region;
    let apis = Api::in_region(control, region.as_str());
    let apis = apis.into_iter().map(|api| api_parts(control, api));
    let domains = DomainName::in_region(control, region.as_str());
    let parts = domains.iter().map(|domain| domain_parts(control, domain));
    let (config, problems) = Config::build(region, apis.collect(), parts.collect());
    let mut problems: Vec<_> = problems
        .into_iter()
        .map(|problem| (problem.place, problem.what))
        .collect();
    let mut served = BTreeMap::new();
    for domain in domains {
        match certificate(control, &domain) {
            Ok(certificate) => {
                served.insert(domain.name, certificate);
            }
            Err(why) => problems.push((format!("domain {}", domain.name), why)),
        }
    }
    Plan {
        config: Arc::new(config),
        certificates: served,
        problems,
    }
}

fn certificate<S: Store>(control: &Control<S>, domain: &DomainName) -> Result<Served, String> {
    let arn = &domain.certificate_arn;
    let found = certificates::by_arn(control, arn);
    let found = found.ok_or_else(|| format!("certificate {arn} is missing"))?;
    certificates::served(control, &found).map_err(|error| format!("certificate {arn}: {error}"))
}

fn api_parts<S: Store>(control: &Control<S>, api: Api) -> ApiParts {
    let (region, id) = (api.region.as_str(), api.id.as_str());
    let current = routes_of(control, region, id);
    let stages = Stage::of_owner(control, region, id);
    let stages = stages.into_iter().map(|stage| {
        let routes = match &stage.deploys {
            Deploys::Automatically => current.clone(),
            Deploys::Chosen(None) => BTreeMap::new(),
            Deploys::Chosen(Some(deployment)) => {
                let deployment = Deployment::find(control, region, id, deployment);
                deployment.map_or_else(BTreeMap::new, |deployment| deployment.routes)
            }
        };
        let routes = routes.into_iter();
        StageParts {
            name: stage.name,
            variables: stage.variables,
            routes: routes
                .map(|(key, backend)| (key, backend.map(integration_parts)))
                .collect(),
        }
    });
    let stages = stages.collect();
    ApiParts {
        account: AccountId::parse(&api.account).unwrap_or(AccountId::DEFAULT),
        name: api.name,
        endpoint: if api.endpoint_disabled {
            OwnEndpoint::Disabled
        } else {
            OwnEndpoint::Enabled
        },
        cors: api.cors.map(cors_parts),
        sessions: sessions(&api.tags),
        stages,
        id: api.id,
    }
}

/// Returns an API's routes by key, each with the backend it leads to at this moment.
pub fn routes_of<S: Store>(
    control: &Control<S>,
    region: &str,
    api: &str,
) -> BTreeMap<String, Option<Backend>> {
    let backends: BTreeMap<_, _> = Integration::of_owner(control, region, api)
        .into_iter()
        .map(|integration| (integration.id, integration.backend))
        .collect();
    let routes = Route::of_owner(control, region, api).into_iter();
    let led = routes.map(|route| {
        let backend = route.integration.and_then(|id| backends.get(&id).cloned());
        (route.key, backend)
    });
    led.collect()
}

fn integration_parts(backend: Backend) -> IntegrationParts {
    IntegrationParts {
        patience: Duration::from_millis(backend.timeout_millis.into()),
        target: match backend.kind {
            BackendKind::Function => TargetParts::Function {
                uri: backend.uri,
                payload: if backend.payload_format == "1.0" {
                    PayloadFormat::V1
                } else {
                    PayloadFormat::V2
                },
            },
            BackendKind::Http => TargetParts::Http {
                uri: backend.uri,
                method: backend.method,
            },
        },
    }
}

fn sessions(tags: &BTreeMap<String, String>) -> Sessions {
    Sessions::of_tag(tags.get(SESSIONS_TAG).map(String::as_str))
}

fn cors_parts(cors: super::Cors) -> Cors {
    Cors {
        allow_origins: cors.allow_origins,
        allow_methods: cors.allow_methods,
        allow_headers: cors.allow_headers,
        expose_headers: cors.expose_headers,
        // A negative age tells browsers to keep nothing, as zero does.
        max_age: cors
            .max_age
            .map(|seconds| u32::try_from(seconds).unwrap_or(0)),
        credentials: match cors.allow_credentials {
            Some(true) => Credentials::Allowed,
            Some(false) | None => Credentials::Omitted,
        },
    }
}

fn domain_parts<S: Store>(control: &Control<S>, domain: &DomainName) -> DomainParts {
    let mappings = ApiMapping::of_owner(control, &domain.region, &domain.name);
    let mappings = mappings.into_iter().map(|mapping| MappingParts {
        key: mapping.key,
        api: mapping.api,
        stage: mapping.stage,
    });
    DomainParts {
        name: domain.name.clone(),
        certificate: domain.certificate_arn.clone(),
        sessions: sessions(&domain.tags),
        mappings: mappings.collect(),
    }
}
