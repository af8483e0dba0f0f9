//! Health checks as the health plane takes them, and what it saw as the API tells it.
//!
//! It probes nothing.
//! Source: Route 53 API reference, `HealthCheckConfig`, `HealthCheckObservation`.

use std::net::IpAddr;
use std::time::Duration;

use base::region::RegionId;
use clock::time::WallTime;
use health_core::check::{
    BadCheck, CalculatedCheck, CheckId, CheckKind, CheckSpec, EndpointCheck, FailureThreshold,
    HttpProbe, Interval, Protocol, Sni, Target,
};
use health_core::view::HealthView;

use super::{HealthCheck, HealthCheckConfig, Tags};

/// The tag that asks for an interval shorter than Route 53 has.
pub const INTERVAL_TAG: &str = "hither:interval";

/// A health check that cannot be probed as it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadConfig {
    /// A value is out of its bounds.
    #[error(transparent)]
    Check(#[from] BadCheck),
    /// A type that is not probed here.
    #[error("health checks of type {0} are not supported")]
    Kind(String),
    /// The address is none.
    #[error("{0:?} is no IP address")]
    Address(String),
    /// The tag's value is no duration.
    #[error("tag {INTERVAL_TAG} {0:?} must be a duration such as 500ms or 1s")]
    IntervalTag(String),
    /// A search string without a type that searches, or the reverse.
    #[error("a search string belongs to the types HTTP_STR_MATCH and HTTPS_STR_MATCH alone")]
    SearchString,
}

/// Route 53's own interval where none is given. 30 seconds.
const INTERVAL_SECS: u32 = 30;
/// Route 53's own threshold where none is given. 3.
const THRESHOLD: u8 = 3;

/// Returns a check as the health plane takes it.
///
/// Errors: [`BadConfig`] when it cannot be probed.
pub fn spec(check: &HealthCheck, tags: Option<&Tags>) -> Result<CheckSpec, BadConfig> {
    let config = &check.config;
    Ok(CheckSpec {
        id: CheckId::parse(&check.id)?,
        kind: kind(config, tags)?,
        inverted: config.inverted.unwrap_or(false),
        disabled: config.disabled.unwrap_or(false),
    })
}

fn kind(config: &HealthCheckConfig, tags: Option<&Tags>) -> Result<CheckKind, BadConfig> {
    if config.kind == "CALCULATED" {
        let children = config
            .child_health_checks
            .iter()
            .map(|id| CheckId::parse(id))
            .collect::<Result<Vec<_>, _>>()?;
        let threshold = config.health_threshold.unwrap_or(0);
        return Ok(CheckKind::Calculated(CalculatedCheck::try_new(
            children, threshold,
        )?));
    }
    let sni = match config.enable_sni {
        Some(false) => Sni::Off,
        Some(true) | None => Sni::On,
    };
    let searches = config.kind.ends_with("_STR_MATCH");
    if searches != config.search_string.is_some() {
        return Err(BadConfig::SearchString);
    }
    let path = config.resource_path.as_deref().unwrap_or("/");
    let probe = || HttpProbe::try_new(path, config.search_string.as_deref());
    let (protocol, port) = match config.kind.as_str() {
        "HTTP" | "HTTP_STR_MATCH" => (Protocol::Http(probe()?), 80),
        "HTTPS" | "HTTPS_STR_MATCH" => (Protocol::Https(probe()?, sni), 443),
        "TCP" => (Protocol::Tcp, 443),
        other => return Err(BadConfig::Kind(other.to_owned())),
    };
    let address = config
        .ip_address
        .as_ref()
        .map(|text| {
            text.parse::<IpAddr>()
                .map_err(|_| BadConfig::Address(text.clone()))
        })
        .transpose()?;
    let name = config.fully_qualified_domain_name.as_deref();
    Ok(CheckKind::Endpoint(EndpointCheck {
        protocol,
        target: Target::try_new(address, name)?,
        port: config.port.unwrap_or(port),
        interval: Interval::try_new(interval(config, tags)?)?,
        threshold: FailureThreshold::try_new(config.failure_threshold.unwrap_or(THRESHOLD))?,
    }))
}

fn interval(config: &HealthCheckConfig, tags: Option<&Tags>) -> Result<Duration, BadConfig> {
    let own = config.request_interval.unwrap_or(INTERVAL_SECS);
    match tags.and_then(|tags| tags.tags.get(INTERVAL_TAG)) {
        None => Ok(Duration::from_secs(u64::from(own))),
        Some(text) => {
            let number = |unit: &str| text.strip_suffix(unit)?.parse::<u64>().ok();
            number("ms")
                .map(Duration::from_millis)
                .or_else(|| number("s").map(Duration::from_secs))
                .ok_or_else(|| BadConfig::IntervalTag(text.clone()))
        }
    }
}

/// What one region last saw of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The region that probed.
    pub region: RegionId,
    /// What it saw, in Route 53's words.
    pub status: String,
    /// When.
    pub at: WallTime,
}

/// Which of a region's observations to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The latest.
    Last,
    /// The latest failure.
    LastFailure,
}

/// Returns what each region last saw of a check.
pub fn reports(view: &HealthView, check: &str, wanted: Wanted) -> Vec<Report> {
    let verdict = CheckId::parse(check)
        .ok()
        .and_then(|id| view.checks.get(&id));
    let votes = verdict.map(|verdict| &verdict.votes).into_iter().flatten();
    votes
        .filter_map(|(region, vote)| {
            let observation = match wanted {
                Wanted::Last => Some(vote.last),
                Wanted::LastFailure => vote.last_failure,
            }?;
            Some(Report {
                region: *region,
                status: observation.outcome.to_string(),
                at: observation.at,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
