//! What one region's gateway serves: APIs, stages, integrations and domains, never changed.
//!
//! A new configuration replaces the whole. It decides nothing; `resolve` does.
//! Source: API Gateway v2 API reference.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use base::name::AccountId;
use base::region::RegionName;
use http::Method;

use crate::cors::Cors;
use crate::invoke::{FunctionArn, FunctionName};
use crate::limits::{INTEGRATION_PATIENCE, INTEGRATION_PATIENCE_MIN};
use crate::route::{RouteKey, RouteTree};
use crate::session::Sessions;
use crate::uri::UriTemplate;

/// The suffix of the names that Hither gives to endpoints.
const INTERNAL_SUFFIX: &str = "hither.internal";

/// Everything that one region's gateway serves.
#[derive(Debug, Default)]
pub struct Config {
    pub(crate) hosts: HashMap<String, Site>,
    domains: Vec<(String, String)>,
}

/// What answers under one host name.
#[derive(Debug)]
pub(crate) enum Site {
    /// An API's own endpoint.
    Endpoint(Arc<Api>),
    /// A custom domain.
    Domain(Domain),
}

/// An HTTP API.
#[derive(Debug)]
pub struct Api {
    /// The API's id.
    pub id: String,
    /// The account that owns it.
    pub account: AccountId,
    /// The name its owner gave it.
    pub name: String,
    /// Whether its own endpoint answers.
    pub endpoint: OwnEndpoint,
    /// Which other sites' scripts may call it.
    pub cors: Option<Cors>,
    /// Whether clients of its own endpoint have sessions.
    pub sessions: Sessions,
    pub(crate) stages: BTreeMap<String, Stage>,
}

/// Whether an API answers under its own endpoint's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnEndpoint {
    /// It does.
    Enabled,
    /// Only custom domains lead to it.
    Disabled,
}

/// A stage of an API with the routes it serves.
#[derive(Debug)]
pub struct Stage {
    /// The stage's name, `$default` for the one without a path segment.
    pub name: String,
    /// The stage variables by name.
    pub variables: BTreeMap<String, String>,
    pub(crate) tree: RouteTree,
    pub(crate) routes: Vec<Route>,
}

/// A route and where it leads.
#[derive(Debug)]
pub struct Route {
    /// What it matches.
    pub key: RouteKey,
    /// Where it leads; `None` where its integration cannot be used.
    pub integration: Option<Integration>,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub struct Integration {
    /// How long it may take.
    pub patience: Duration,
    /// What it is.
    pub target: Target,
}

/// The backend of an integration.
#[derive(Clone, Debug)]
pub enum Target {
    /// A function of this region.
    Function {
        /// Which.
        name: FunctionName,
        /// In what form it gets the request.
        payload: PayloadFormat,
    },
    /// An HTTP server.
    Http {
        /// Where, with places for path variables.
        uri: UriTemplate,
        /// The method to use; `None` for the client's own.
        method: Option<Method>,
    },
}

/// The form of a function's payload.
/// Source: API Gateway developer guide, "Lambda proxy integrations", payload format version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadFormat {
    /// Format 1.0, that of REST APIs.
    V1,
    /// Format 2.0.
    V2,
}

/// A custom domain.
#[derive(Debug)]
pub struct Domain {
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) sessions: Sessions,
    /// Whether any mapping has several levels, which changes how all of them match.
    pub(crate) multi_level: bool,
}

/// One API mapping of a domain; its key is without slashes at the ends.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) key: String,
    pub(crate) api: Arc<Api>,
    pub(crate) stage: String,
}

/// An API as its owner configured it.
#[derive(Clone, Debug)]
pub struct ApiParts {
    /// The API's id.
    pub id: String,
    /// The account that owns it.
    pub account: AccountId,
    /// The name its owner gave it.
    pub name: String,
    /// Whether its own endpoint answers.
    pub endpoint: OwnEndpoint,
    /// Which other sites' scripts may call it.
    pub cors: Option<Cors>,
    /// Whether clients of its own endpoint have sessions.
    pub sessions: Sessions,
    /// Its stages.
    pub stages: Vec<StageParts>,
}

/// A stage as its owner configured it.
#[derive(Clone, Debug)]
pub struct StageParts {
    /// The stage's name.
    pub name: String,
    /// The stage variables by name.
    pub variables: BTreeMap<String, String>,
    /// The routes that are deployed to it, by key, each with its integration.
    pub routes: Vec<(String, Option<IntegrationParts>)>,
}

/// An integration as its owner configured it; its URI may name stage variables.
#[derive(Clone, Debug)]
pub struct IntegrationParts {
    /// How long it may take.
    pub patience: Duration,
    /// The backend.
    pub target: TargetParts,
}

/// A backend as its owner configured it.
#[derive(Clone, Debug)]
pub enum TargetParts {
    /// `AWS_PROXY`.
    Function {
        /// The function's ARN in either form.
        uri: String,
        /// In what form it gets the request.
        payload: PayloadFormat,
    },
    /// `HTTP_PROXY`.
    Http {
        /// The URI, with `{name}` for path variables.
        uri: String,
        /// The method to use; `ANY` for the client's own.
        method: String,
    },
}

/// A custom domain as its owner configured it.
#[derive(Clone, Debug)]
pub struct DomainParts {
    /// The domain's name; it may begin with `*.`.
    pub name: String,
    /// The name of its certificate.
    pub certificate: String,
    /// Whether its clients have sessions.
    pub sessions: Sessions,
    /// Its mappings.
    pub mappings: Vec<MappingParts>,
}

/// A mapping as its owner configured it.
#[derive(Clone, Debug)]
pub struct MappingParts {
    /// The base path, empty for the catch-all.
    pub key: String,
    /// The API's id.
    pub api: String,
    /// The stage's name.
    pub stage: String,
}

/// A part of a configuration that is left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The API or domain.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

impl Config {
    /// Builds the configuration of `region`, with all that had to be left out.
    pub fn build(
        region: &RegionName,
        apis: Vec<ApiParts>,
        domains: Vec<DomainParts>,
    ) -> (Self, Vec<Problem>) {
        let mut config = Self::default();
        let mut problems = Vec::new();
        let mut by_id = BTreeMap::new();
        for parts in apis {
            let api = Arc::new(build_api(region, parts, &mut problems));
            let host = endpoint_name(&api.id, region);
            by_id.insert(api.id.clone(), Arc::clone(&api));
            config.hosts.insert(host, Site::Endpoint(api));
        }
        for parts in domains {
            let name = parts.name.to_ascii_lowercase();
            let mut domain = build_domain(&name, parts.mappings, &by_id, &mut problems);
            domain.sessions = parts.sessions;
            config.domains.push((name.clone(), parts.certificate));
            config.hosts.insert(name, Site::Domain(domain));
        }
        (config, problems)
    }

    /// Returns each custom domain's name and the name of its certificate, in the order given.
    pub fn domains(&self) -> impl Iterator<Item = (&str, &str)> {
        let domains = self.domains.iter();
        domains.map(|(name, certificate)| (name.as_str(), certificate.as_str()))
    }
}

impl Stage {
    /// Returns the routes that the stage serves.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

/// Returns the host name of an API's own endpoint.
pub fn endpoint_name(api_id: &str, region: &RegionName) -> String {
    format!("{api_id}.execute-api.{region}.{INTERNAL_SUFFIX}")
}

/// Returns the name that a domain's DNS records point to in one region.
pub fn regional_name(domain_id: &str, region: &RegionName) -> String {
    format!("d-{domain_id}.execute-api.{region}.{INTERNAL_SUFFIX}")
}

fn build_api(region: &RegionName, parts: ApiParts, problems: &mut Vec<Problem>) -> Api {
    let mut stages = BTreeMap::new();
    for stage in parts.stages {
        let mut report = |what: String| {
            problems.push(Problem {
                place: format!("API {}, stage {}", parts.id, stage.name),
                what,
            });
        };
        let mut tree = RouteTree::default();
        let mut routes = Vec::new();
        for (key, integration) in stage.routes {
            let key = match RouteKey::parse(&key) {
                Ok(key) => key,
                Err(error) => {
                    report(error.to_string());
                    continue;
                }
            };
            let integration = match integration {
                Some(parts) => build_integration(region, parts, &stage.variables),
                None => Err("it has no integration".to_owned()),
            };
            let integration = integration
                .map_err(|what| report(format!("route {key}: {what}")))
                .ok();
            tree.add(&key, routes.len());
            routes.push(Route { key, integration });
        }
        let name = stage.name.clone();
        let stage = Stage {
            name: stage.name,
            variables: stage.variables,
            tree,
            routes,
        };
        stages.insert(name, stage);
    }
    Api {
        id: parts.id,
        account: parts.account,
        name: parts.name,
        endpoint: parts.endpoint,
        cors: parts.cors,
        sessions: parts.sessions,
        stages,
    }
}

fn build_integration(
    region: &RegionName,
    parts: IntegrationParts,
    variables: &BTreeMap<String, String>,
) -> Result<Integration, String> {
    let target = match parts.target {
        TargetParts::Function { uri, payload } => {
            let uri = with_stage_variables(&uri, variables)?;
            let arn = FunctionArn::parse(&uri).map_err(|error| error.to_string())?;
            if arn.region != *region {
                return Err(format!("function {} is in {}", arn.name, arn.region));
            }
            if let Some(qualifier) = arn.qualifier {
                return Err(format!(
                    "function {}: versions and aliases ({qualifier}) cannot be targets",
                    arn.name
                ));
            }
            Target::Function {
                name: arn.name,
                payload,
            }
        }
        TargetParts::Http { uri, method } => {
            let uri = with_stage_variables(&uri, variables)?;
            let method = match method.as_str() {
                "ANY" => None,
                name => Some(Method::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?),
            };
            let uri = UriTemplate::parse(&uri).map_err(|error| error.to_string())?;
            Target::Http { uri, method }
        }
    };
    let patience = parts
        .patience
        .clamp(INTEGRATION_PATIENCE_MIN, INTEGRATION_PATIENCE);
    Ok(Integration { patience, target })
}

fn build_domain(
    name: &str,
    parts: Vec<MappingParts>,
    apis: &BTreeMap<String, Arc<Api>>,
    problems: &mut Vec<Problem>,
) -> Domain {
    let mut mappings = Vec::new();
    for mapping in parts {
        let key = mapping.key.trim_matches('/').to_owned();
        match apis.get(&mapping.api) {
            Some(api) => mappings.push(Mapping {
                key,
                api: Arc::clone(api),
                stage: mapping.stage,
            }),
            None => problems.push(Problem {
                place: format!("domain {name}"),
                what: format!(
                    "mapping {key:?} names API {}, which is missing",
                    mapping.api
                ),
            }),
        }
    }
    // The longest key first, so that the first match is the longest.
    mappings.sort_by(|a, b| b.key.len().cmp(&a.key.len()).then(a.key.cmp(&b.key)));
    Domain {
        multi_level: mappings.iter().any(|mapping| mapping.key.contains('/')),
        sessions: Sessions::Off,
        mappings,
    }
}

/// Puts the values of `${stageVariables.NAME}` into a URI.
fn with_stage_variables(uri: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    const OPEN: &str = "${stageVariables.";
    let mut out = String::with_capacity(uri.len());
    let mut rest = uri;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| format!("URI {uri:?} has a stage variable without an end"))?;
        let value = variables
            .get(name)
            .ok_or_else(|| format!("stage variable {name} is not set"))?;
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests;
