//! The plan: everything a manifest asks for, in the order in which it must be made.
//!
//! It is pure: it reads no file, asks no region and knows no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use base::region::RegionName;
use manifest::model::{self, Manifest, RouteKey, RouteTarget};

use crate::known::Known;
use crate::package::Code;
use crate::resource::Resource;
use crate::resource::certificate::{Certificate, Pem};
use crate::resource::function::Function;
use crate::resource::gateway::{
    Api, ApiMapping, DomainName, Integration, IntegrationKind, Permission, Route, SESSIONS_TAG,
    Stage,
};
use crate::resource::health_check::HealthCheck;
use crate::resource::records::{HostedZone, Record, Records};
use crate::resource::table::{Replica, Table, TimeToLive};

/// What a plan needs and the manifest does not hold.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The code of each function, by its name.
    pub code: BTreeMap<String, Code>,
    /// The certificate of each domain, by its name.
    pub certificates: BTreeMap<String, Pem>,
    /// Where each region's gateway listens for HTTPS, as its probes reach it.
    pub gateways: BTreeMap<RegionName, SocketAddr>,
    /// The role that functions run as, as an ARN.
    pub role: String,
    /// A text that no other deployment has used, for Route 53's caller references.
    ///
    /// Shape: at most 40 characters.
    pub reference: String,
}

/// Something that the manifest asks for and the inputs lack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A function has no code.
    #[error("plan the function {0}: its code is not given")]
    NoCode(String),
    /// A domain has no certificate.
    #[error("plan the domain {0}: its certificate is not given")]
    NoCertificate(String),
    /// A region has no gateway.
    #[error("plan the region {0}: the address of its gateway is not given")]
    NoGateway(RegionName),
    /// There is no region.
    #[error("plan a project without regions")]
    NoRegion,
}

/// Tasks in the order in which they must be done.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The tasks.
    pub tasks: Vec<Task>,
}

/// One resource that must be there after the plan is carried out.
#[derive(Clone, Debug)]
pub struct Task {
    /// Which of the five steps it belongs to.
    pub step: Step,
    /// The region it happens in; for what is global, the first of the manifest.
    pub region: RegionName,
    /// The resource.
    pub resource: Resource,
}

/// The five steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The app in each region.
    App,
    /// The global table.
    Data,
    /// The same API and domain in each region.
    Api,
    /// A health check of each region's own endpoint.
    Health,
    /// One latency record a region.
    Dns,
}

impl Step {
    /// Returns the step's number, from 1.
    pub fn number(self) -> u8 {
        match self {
            Self::App => 1,
            Self::Data => 2,
            Self::Api => 3,
            Self::Health => 4,
            Self::Dns => 5,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::App => "deploy the app in each region",
            Self::Data => "make the table global",
            Self::Api => "give each region the same API and domain",
            Self::Health => "check the health of each region's own endpoint",
            Self::Dns => "let DNS pick the nearest healthy region",
        })
    }
}

impl Plan {
    /// Returns each task with the commands that it comes to where nothing exists yet.
    ///
    /// Shape: names that AWS gives stand as placeholders in angle brackets.
    pub fn commands(&self) -> Vec<(&Task, Vec<String>)> {
        let known = Known::placeholders();
        self.tasks
            .iter()
            .map(|task| {
                let calls = task.resource.creating(&task.region, &known);
                let calls = calls.expect("placeholders stand for all names");
                (task, calls.iter().map(ToString::to_string).collect())
            })
            .collect()
    }
}

/// Returns what must be made for `manifest`, in order.
///
/// Errors: [`PlanError`] where the inputs lack what the manifest asks for.
pub fn plan(manifest: &Manifest, inputs: &Inputs) -> Result<Plan, PlanError> {
    let home = &manifest.regions.first().ok_or(PlanError::NoRegion)?.name;
    let mut tasks = Vec::new();
    for function in &manifest.functions {
        plan_function(manifest, inputs, function, &mut tasks)?;
    }
    for table in &manifest.tables {
        plan_table(table, &mut tasks);
    }
    for domain in &manifest.domains {
        for region in &manifest.regions {
            plan_api(manifest, inputs, domain, &region.name, &mut tasks)?;
        }
    }
    for domain in &manifest.domains {
        plan_health(manifest, inputs, domain, home, &mut tasks)?;
    }
    for domain in &manifest.domains {
        plan_records(manifest, inputs, domain, home, &mut tasks)?;
    }
    Ok(Plan { tasks })
}

fn plan_function(
    manifest: &Manifest,
    inputs: &Inputs,
    function: &model::Function,
    tasks: &mut Vec<Task>,
) -> Result<(), PlanError> {
    let code = inputs
        .code
        .get(&function.name)
        .ok_or_else(|| PlanError::NoCode(function.name.clone()))?;
    for region in &manifest.regions {
        let resource = Resource::Function(Function {
            name: function.name.clone(),
            runtime: function.runtime.clone(),
            role: inputs.role.clone(),
            handler: function.handler.clone(),
            code: code.clone(),
            environment: function.environment.clone(),
            timeout_secs: whole_secs(function.timeout),
            memory_mib: i64::from(function.memory_mib),
            concurrency: function.concurrency.map(i64::from),
        });
        push(tasks, Step::App, &region.name, resource);
    }
    Ok(())
}

/// The first region of a table makes it; the others are added to it one by one.
fn plan_table(table: &model::Table, tasks: &mut Vec<Task>) {
    let Some((home, others)) = table.regions.split_first() else {
        return;
    };
    let key = std::iter::once(&table.partition_key).chain(&table.sort_key);
    let resource = Resource::Table(Table {
        name: table.name.to_string(),
        key: key
            .map(|key| (key.name.clone(), key.kind.as_str()))
            .collect(),
        stream: table.stream.map(model::StreamView::as_str),
        tags: table.tags.clone(),
    });
    push(tasks, Step::Data, home, resource);
    for region in others {
        let resource = Resource::Replica(Replica {
            table: table.name.to_string(),
            home: home.clone(),
            region: region.clone(),
        });
        push(tasks, Step::Data, region, resource);
    }
    if let Some(attribute) = &table.ttl {
        let resource = Resource::TimeToLive(TimeToLive {
            table: table.name.to_string(),
            attribute: attribute.clone(),
        });
        push(tasks, Step::Data, home, resource);
    }
}

/// The API of a domain in one region, and the domain over it.
fn plan_api(
    manifest: &Manifest,
    inputs: &Inputs,
    domain: &model::Domain,
    region: &RegionName,
    tasks: &mut Vec<Task>,
) -> Result<(), PlanError> {
    let name = || domain.name.clone();
    let account = manifest.project.account;
    let mut add = |resource| push(tasks, Step::Api, region, resource);
    add(Resource::Api(Api {
        domain: name(),
        name: format!("{}-{}", manifest.project.name, domain.name),
    }));
    let mut uris = BTreeSet::new();
    let mut functions = BTreeSet::new();
    for route in &domain.routes {
        let (uri, kind) = match &route.target {
            RouteTarget::Function(function) => {
                functions.insert(function.clone());
                let arn = format!("arn:aws:lambda:{region}:{account}:function:{function}");
                (arn, IntegrationKind::Function)
            }
            RouteTarget::Url(url) => (proxied(url, &route.key), IntegrationKind::Http),
        };
        if uris.insert(uri.clone()) {
            add(Resource::Integration(Integration {
                domain: name(),
                uri: uri.clone(),
                kind,
            }));
        }
        add(Resource::Route(Route {
            domain: name(),
            key: route.key.to_string(),
            uri,
        }));
    }
    add(Resource::Stage(Stage { domain: name() }));
    for function in functions {
        add(Resource::Permission(Permission {
            domain: name(),
            function,
            account: account.to_string(),
        }));
    }
    let pem = inputs
        .certificates
        .get(&domain.name)
        .ok_or_else(|| PlanError::NoCertificate(name()))?;
    add(Resource::Certificate(Certificate {
        domain: name(),
        pem: pem.clone(),
    }));
    add(Resource::DomainName(DomainName {
        domain: name(),
        tags: domain_tags(domain),
    }));
    add(Resource::ApiMapping(ApiMapping { domain: name() }));
    Ok(())
}

/// Returns what AWS has no field for.
fn domain_tags(domain: &model::Domain) -> Vec<(String, String)> {
    let tag = |name: &str, value: String| (name.to_owned(), value);
    let mut tags = vec![tag("hither:ttl", format!("{}s", domain.ttl.as_secs()))];
    if domain.sessions {
        tags.insert(0, tag(SESSIONS_TAG, "on".to_owned()));
    }
    tags
}

fn plan_health(
    manifest: &Manifest,
    inputs: &Inputs,
    domain: &model::Domain,
    home: &RegionName,
    tasks: &mut Vec<Task>,
) -> Result<(), PlanError> {
    let Some(health) = &domain.health else {
        return Ok(());
    };
    for region in &manifest.regions {
        let resource = Resource::HealthCheck(HealthCheck {
            domain: domain.name.clone(),
            home: home.clone(),
            region: region.name.clone(),
            reference: format!("{}-check-{}", inputs.reference, tasks.len()),
            address: gateway(inputs, &region.name)?,
            path: health.path.clone(),
            failures: i64::from(health.failures),
            interval_secs: if health.interval < AWS_INTERVAL_SLOW {
                10
            } else {
                30
            },
            tags: vec![
                (
                    "Name".to_owned(),
                    format!("{}/{}", domain.name, region.name),
                ),
                ("hither:interval".to_owned(), shown(health.interval)),
            ],
        });
        push(tasks, Step::Health, &region.name, resource);
    }
    Ok(())
}

fn plan_records(
    manifest: &Manifest,
    inputs: &Inputs,
    domain: &model::Domain,
    home: &RegionName,
    tasks: &mut Vec<Task>,
) -> Result<(), PlanError> {
    // The parent of a subdomain is what people register and delegate.
    let zone = match domain.name.split_once('.') {
        Some((_, parent)) if parent.contains('.') => parent,
        Some(_) | None => &domain.name,
    };
    let zone = Resource::HostedZone(HostedZone {
        domain: domain.name.clone(),
        name: format!("{zone}."),
        reference: format!("{}-zone-{}", inputs.reference, tasks.len()),
    });
    push(tasks, Step::Dns, home, zone);
    let record = |region: &model::Region| {
        Ok(Record {
            region: region.name.clone(),
            record_type: if gateway(inputs, &region.name)?.is_ipv4() {
                "A"
            } else {
                "AAAA"
            },
            checked: domain.health.is_some(),
        })
    };
    let records = Resource::Records(Records {
        domain: domain.name.clone(),
        regions: manifest
            .regions
            .iter()
            .map(record)
            .collect::<Result<_, _>>()?,
    });
    push(tasks, Step::Dns, home, records);
    Ok(())
}

fn push(tasks: &mut Vec<Task>, step: Step, region: &RegionName, resource: Resource) {
    tasks.push(Task {
        step,
        region: region.clone(),
        resource,
    });
}

fn gateway(inputs: &Inputs, region: &RegionName) -> Result<SocketAddr, PlanError> {
    let address = inputs.gateways.get(region).copied();
    address.ok_or_else(|| PlanError::NoGateway(region.clone()))
}

/// Returns the URI that passes a route's path on to a server: API Gateway does so by itself
/// for `$default` only, and elsewhere by path variables.
fn proxied(url: &str, key: &RouteKey) -> String {
    match key {
        RouteKey::Default => url.to_owned(),
        RouteKey::Path { path, .. } => {
            format!("{}{}", url.trim_end_matches('/'), path.replace("+}", "}"))
        }
    }
}

/// Returns whole seconds, rounded up: AWS knows no others.
fn whole_secs(duration: Duration) -> i64 {
    let up = u64::from(duration.subsec_nanos() != 0);
    i64::try_from(duration.as_secs().saturating_add(up)).unwrap_or(i64::MAX)
}

/// Writes a duration as the manifest does, `500ms` or `1s`.
fn shown(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

/// From here on AWS's slower interval is the closer one.
const AWS_INTERVAL_SLOW: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests;
