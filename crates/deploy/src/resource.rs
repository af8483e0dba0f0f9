//! What a deployment makes, one kind a module: the calls, and when which is due.
//!
//! Each kind knows how to find what exists, so that a second run changes nothing.

pub mod certificate;
pub mod function;
pub mod gateway;
pub mod health_check;
pub mod records;
pub mod table;

use base::region::RegionName;

use crate::call::Call;
use crate::execute::{Change, DeployError, Session};
use crate::known::{Known, NotKnown};

/// One thing that a deployment makes.
#[derive(Clone, Debug)]
pub enum Resource {
    /// A function in a region.
    Function(function::Function),
    /// A global table's first replica.
    Table(table::Table),
    /// A further replica of a global table.
    Replica(table::Replica),
    /// A table's expiry attribute.
    TimeToLive(table::TimeToLive),
    /// An HTTP API in a region.
    Api(gateway::Api),
    /// A backend of an API.
    Integration(gateway::Integration),
    /// A route of an API.
    Route(gateway::Route),
    /// An API's default stage.
    Stage(gateway::Stage),
    /// An API's right to call a function.
    Permission(gateway::Permission),
    /// A domain's certificate in a region.
    Certificate(certificate::Certificate),
    /// A domain's presence in a region.
    DomainName(gateway::DomainName),
    /// Which API a domain shows in a region.
    ApiMapping(gateway::ApiMapping),
    /// The health check of a region's own endpoint, and its tags.
    HealthCheck(health_check::HealthCheck),
    /// The hosted zone of a domain.
    HostedZone(records::HostedZone),
    /// A domain's records.
    Records(records::Records),
}

impl Resource {
    /// Returns what the resource is called in reports.
    pub fn title(&self) -> String {
        match self {
            Self::Function(function) => format!("function {}", function.name),
            Self::Table(table) => format!("table {}", table.name),
            Self::Replica(replica) => format!("replica of table {}", replica.table),
            Self::TimeToLive(ttl) => format!("expiry of table {}", ttl.table),
            Self::Api(api) => format!("API of {}", api.domain),
            Self::Integration(integration) => {
                format!("integration {} of {}", integration.uri, integration.domain)
            }
            Self::Route(route) => format!("route {} of {}", route.key, route.domain),
            Self::Stage(stage) => format!("stage of {}", stage.domain),
            Self::Permission(permission) => {
                format!(
                    "permission of {} to call {}",
                    permission.domain, permission.function
                )
            }
            Self::Certificate(certificate) => format!("certificate of {}", certificate.domain),
            Self::DomainName(name) => format!("domain name {}", name.domain),
            Self::ApiMapping(mapping) => format!("API mapping of {}", mapping.domain),
            Self::HealthCheck(check) => format!("health check of {}", check.domain),
            Self::HostedZone(zone) => format!("hosted zone {}", zone.name),
            Self::Records(records) => format!("records of {}", records.domain),
        }
    }

    /// Returns the calls that make the resource where nothing of it exists.
    ///
    /// Errors: [`NotKnown`] before the resources that it builds on exist.
    pub fn creating(&self, region: &RegionName, known: &Known) -> Result<Vec<Call>, NotKnown> {
        match self {
            Self::Function(function) => Ok(function.creating(region)),
            Self::Table(table) => Ok(vec![table.creating(region)]),
            Self::Replica(replica) => Ok(vec![replica.creating()]),
            Self::TimeToLive(ttl) => Ok(vec![ttl.setting(region)]),
            Self::Api(api) => Ok(vec![api.creating(region)]),
            Self::Integration(integration) => Ok(vec![integration.creating(region, known)?]),
            Self::Route(route) => Ok(vec![route.creating(region, known)?]),
            Self::Stage(stage) => Ok(vec![stage.creating(region, known)?]),
            Self::Permission(permission) => Ok(vec![permission.creating(region, known)?]),
            Self::Certificate(certificate) => Ok(vec![certificate.importing(region, None)]),
            Self::DomainName(name) => Ok(vec![name.creating(region, known)?]),
            Self::ApiMapping(mapping) => Ok(vec![mapping.creating(region, known)?]),
            Self::HealthCheck(check) => Ok(vec![check.creating(known)?, check.tagging(known)?]),
            Self::HostedZone(zone) => Ok(vec![zone.creating(region)]),
            Self::Records(records) => Ok(vec![records.creating(region, known)?]),
        }
    }

    /// Makes the world have the resource, and returns what had to be done.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        match self {
            Self::Function(function) => function.ensure(session).await,
            Self::Table(table) => table.ensure(session).await,
            Self::Replica(replica) => replica.ensure(session).await,
            Self::TimeToLive(ttl) => ttl.ensure(session).await,
            Self::Api(api) => api.ensure(session).await,
            Self::Integration(integration) => integration.ensure(session).await,
            Self::Route(route) => route.ensure(session).await,
            Self::Stage(stage) => stage.ensure(session).await,
            Self::Permission(permission) => permission.ensure(session).await,
            Self::Certificate(certificate) => certificate.ensure(session).await,
            Self::DomainName(name) => name.ensure(session).await,
            Self::ApiMapping(mapping) => mapping.ensure(session).await,
            Self::HealthCheck(check) => check.ensure(session).await,
            Self::HostedZone(zone) => zone.ensure(session).await,
            Self::Records(records) => records.ensure(session).await,
        }
    }
}
