//! From a request's host, method and path to the route that serves it, with the reason.
//!
//! It reads no body and asks nobody.
//! Source: API Gateway developer guide, "Create routes for HTTP APIs" and "Use API mappings to
//! connect API stages to a custom domain name".

use std::borrow::Cow;

use http::{HeaderMap, Method};

use crate::config::{Api, Config, Domain, OwnEndpoint, Route, Site, Stage};
use crate::cors::{Cors, is_preflight};
use crate::refusal::Refusal;
use crate::route::Fit;
use crate::session::Sessions;

/// What is asked, as far as routing needs it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'r> {
    /// The method.
    pub method: &'r Method,
    /// Host and port, from `:authority` or the `host` header.
    pub authority: &'r str,
    /// The path, percent-encoded as it came.
    pub path: &'r str,
    /// The headers.
    pub headers: &'r HeaderMap,
}

/// What happens to a request.
#[derive(Debug)]
pub enum Verdict<'c, 'r> {
    /// A route serves it.
    Serve(Plan<'c, 'r>),
    /// The gateway answers for the API: a browser's preflight request.
    Preflight(&'c Cors),
    /// An `OPTIONS` request without a route, to an API with CORS: 204 without CORS headers.
    Nothing,
    /// It is not served.
    Refuse(Refusal),
}

/// How a request is served.
#[derive(Debug)]
pub struct Plan<'c, 'r> {
    /// The API.
    pub api: &'c Api,
    /// Its stage.
    pub stage: &'c Stage,
    /// The route.
    pub route: &'c Route,
    /// How the route was found.
    pub fit: Fit,
    /// Under whose name the client asked.
    pub named: Named,
    /// Whether clients under that name have sessions.
    pub sessions: Sessions,
    /// The path variables, decoded, in the order of the route key.
    pub variables: Vec<(&'c str, String)>,
    /// The host's name, lower case, without a port.
    pub domain: Cow<'r, str>,
    /// The path as routes see it: without mapping key and stage name.
    pub path: Cow<'r, str>,
    /// The path as payload format 2.0 shows it: with the stage name, without the mapping key.
    pub raw_path: Cow<'r, str>,
}

/// Under whose name a client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The API's own endpoint in this region: only this region can answer for it.
    Endpoint,
    /// A custom domain, which other regions may serve as well.
    Domain,
}

impl Config {
    /// Decides what happens to a request.
    pub fn resolve<'c, 'r>(&'c self, asked: Question<'r>) -> Verdict<'c, 'r> {
        match self.find(asked) {
            Ok(verdict) => verdict,
            Err(refusal) => Verdict::Refuse(refusal),
        }
    }

    fn find<'c, 'r>(&'c self, asked: Question<'r>) -> Result<Verdict<'c, 'r>, Refusal> {
        let domain = host_name(asked.authority).ok_or(Refusal::NoHost)?;
        let (place, named, sessions) = match self.site(&domain).ok_or(Refusal::UnknownHost)? {
            Site::Endpoint(api) => {
                let place = endpoint_place(api, asked.path)?;
                (place, Named::Endpoint, api.sessions)
            }
            Site::Domain(domain) => {
                let place = domain_place(domain, asked.path)?;
                (place, Named::Domain, domain.sessions)
            }
        };
        let Place { api, stage, .. } = place;
        if let Some(cors) = &api.cors
            && is_preflight(asked.method, asked.headers)
        {
            return Ok(Verdict::Preflight(cors));
        }
        let Some((number, fit)) = stage.tree.find(asked.method, &place.path) else {
            if api.cors.is_some() && asked.method == Method::OPTIONS {
                return Ok(Verdict::Nothing);
            }
            return Err(Refusal::NoRoute);
        };
        let route = stage
            .routes
            .get(number)
            .expect("the tree holds numbers of this stage's routes");
        Ok(Verdict::Serve(Plan {
            api,
            stage,
            route,
            fit,
            named,
            sessions,
            variables: route.key.variables(&place.path),
            domain,
            path: place.path,
            raw_path: place.raw_path,
        }))
    }

    fn site(&self, domain: &str) -> Option<&Site> {
        self.hosts.get(domain).or_else(|| {
            let (_, parent) = domain.split_once('.')?;
            self.hosts.get(&format!("*.{parent}"))
        })
    }
}

/// A stage, and what is left of the path there.
struct Place<'c, 'r> {
    api: &'c Api,
    stage: &'c Stage,
    path: Cow<'r, str>,
    raw_path: Cow<'r, str>,
}

/// The first segment names a stage, else the stage is `$default`.
fn endpoint_place<'c, 'r>(api: &'c Api, path: &'r str) -> Result<Place<'c, 'r>, Refusal> {
    if matches!(api.endpoint, OwnEndpoint::Disabled) {
        return Err(Refusal::EndpointDisabled);
    }
    let first = path.strip_prefix('/').unwrap_or(path);
    let first = first.split('/').next().unwrap_or(first);
    if let Some(stage) = api.stages.get(first).filter(|_| first != "$default") {
        return Ok(Place {
            api,
            stage,
            path: strip(path, first),
            raw_path: Cow::Borrowed(path),
        });
    }
    let stage = api.stages.get("$default").ok_or(Refusal::NoStage)?;
    Ok(Place {
        api,
        stage,
        path: Cow::Borrowed(path),
        raw_path: Cow::Borrowed(path),
    })
}

/// The longest mapping key wins. A domain whose keys all have one level compares whole segments;
/// as soon as one has more, all keys compare as string prefixes, as AWS does.
fn domain_place<'c, 'r>(domain: &'c Domain, path: &'r str) -> Result<Place<'c, 'r>, Refusal> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let mapping = domain.mappings.iter().find(|mapping| {
        let Some(rest) = inner.strip_prefix(mapping.key.as_str()) else {
            return false;
        };
        let whole = mapping.key.is_empty() || rest.is_empty() || rest.starts_with('/');
        whole || domain.multi_level
    });
    let mapping = mapping.ok_or(Refusal::NoMapping)?;
    let api = mapping.api.as_ref();
    let stage = api.stages.get(&mapping.stage).ok_or(Refusal::NoStage)?;
    let path = strip(path, &mapping.key);
    Ok(Place {
        api,
        stage,
        raw_path: path.clone(),
        path,
    })
}

/// Returns `path` without its first part `key`; `/` where nothing is left.
fn strip<'r>(path: &'r str, key: &str) -> Cow<'r, str> {
    if key.is_empty() {
        return Cow::Borrowed(path);
    }
    let inner = path.strip_prefix('/').unwrap_or(path);
    match inner.strip_prefix(key) {
        Some("") | None => Cow::Borrowed("/"),
        Some(rest) if rest.starts_with('/') => Cow::Borrowed(rest),
        // A key that ended within a segment leaves a path without a slash.
        Some(rest) => Cow::Owned(format!("/{rest}")),
    }
}

/// Returns the name of a host, lower case, without port and final dot.
///
/// Shape: `None` for an empty name. An address in brackets keeps them.
pub fn host_name(authority: &str) -> Option<Cow<'_, str>> {
    let host = match authority.rfind(']') {
        Some(end) => authority.get(..=end)?,
        None => authority.split(':').next()?,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() {
        return None;
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(Cow::Owned(host.to_ascii_lowercase()));
    }
    Some(Cow::Borrowed(host))
}

#[cfg(test)]
mod tests;
