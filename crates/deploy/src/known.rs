//! What AWS has named in answer to earlier calls, and later ones need.
//!
//! While planning nothing is known, and placeholders stand for the names.

use std::collections::BTreeMap;
use std::fmt;

use base::region::RegionName;

/// A name that AWS gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The id of a domain's API in a region.
    ApiId(String, RegionName),
    /// The host name of that API's own endpoint.
    ApiHost(String, RegionName),
    /// The id of the integration of one route of a domain, in a region.
    IntegrationId(String, RegionName, String),
    /// The ARN of a domain's certificate in a region.
    CertificateArn(String, RegionName),
    /// The name that a domain's records in a region point at.
    DomainTarget(String, RegionName),
    /// The hosted zone of that name.
    DomainTargetZone(String, RegionName),
    /// The id of the health check of a domain's endpoint in a region.
    HealthCheckId(String, RegionName),
    /// The id of the hosted zone of a domain's records.
    ZoneId(String),
    /// The name servers of that zone, separated by spaces.
    NameServers(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiId(_, region) => write!(f, "<API id in {region}>"),
            Self::ApiHost(_, region) => write!(f, "<API endpoint in {region}>"),
            Self::IntegrationId(_, region, uri) => {
                write!(f, "<integration of {uri} in {region}>")
            }
            Self::CertificateArn(_, region) => write!(f, "<certificate in {region}>"),
            Self::DomainTarget(_, region) => write!(f, "<regional domain name in {region}>"),
            Self::DomainTargetZone(_, region) => write!(f, "<regional hosted zone in {region}>"),
            Self::HealthCheckId(_, region) => write!(f, "<health check of {region}>"),
            Self::ZoneId(domain) => write!(f, "<hosted zone of {domain}>"),
            Self::NameServers(domain) => write!(f, "<name servers of {domain}>"),
        }
    }
}

/// A name was needed before any call had given it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use {0} before it is known")]
pub struct NotKnown(pub Key);

/// The names known so far.
#[derive(Clone, Debug, Default)]
pub struct Known {
    names: BTreeMap<Key, String>,
    gaps: Gaps,
}

/// What stands for a name that is not known.
#[derive(Clone, Copy, Debug, Default)]
enum Gaps {
    #[default]
    AreErrors,
    AreNamed,
}

impl Known {
    /// Makes an empty set for planning, in which placeholders stand for all names.
    pub fn placeholders() -> Self {
        Self {
            names: BTreeMap::new(),
            gaps: Gaps::AreNamed,
        }
    }

    /// Returns a name.
    ///
    /// Errors: [`NotKnown`], except while planning.
    pub fn name(&self, key: Key) -> Result<String, NotKnown> {
        match (self.names.get(&key), self.gaps) {
            (Some(name), _) => Ok(name.clone()),
            (None, Gaps::AreNamed) => Ok(key.to_string()),
            (None, Gaps::AreErrors) => Err(NotKnown(key)),
        }
    }

    /// Keeps a name.
    pub(crate) fn learn(&mut self, key: Key, name: impl Into<String>) {
        self.names.insert(key, name.into());
    }
}
