//! What is up: the verdict of each health check and of each region.
//!
//! It probes nothing and counts no votes; it holds what the health plane concluded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use base::region::RegionId;

/// The id of a health check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(Arc<str>);

impl CheckId {
    /// Makes an id from the text the API gave out.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether something may be given to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers, or nothing is known against it.
    Healthy,
    /// It does not.
    Unhealthy,
}

/// What the health of a record set hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthSource {
    /// A health check.
    Check(CheckId),
    /// A region of ours being up.
    Region(RegionId),
}

/// The verdicts known to a region.
///
/// Shape: what is not in it is healthy: a new check is, until there is data.
/// Source: Route 53 developer guide, "How Route 53 determines whether a health check is healthy".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    checks: BTreeMap<CheckId, Verdict>,
    down: BTreeSet<RegionId>,
}

impl Health {
    /// Takes over the verdict of a check.
    pub fn set_check(&mut self, id: CheckId, verdict: Verdict) {
        self.checks.insert(id, verdict);
    }

    /// Takes over whether a region is up.
    pub fn set_region(&mut self, id: RegionId, verdict: Verdict) {
        match verdict {
            Verdict::Healthy => self.down.remove(&id),
            Verdict::Unhealthy => self.down.insert(id),
        };
    }

    /// Returns the verdict on what a record set hangs on.
    pub fn verdict(&self, source: &HealthSource) -> Verdict {
        match source {
            HealthSource::Check(id) => self.checks.get(id).copied().unwrap_or(Verdict::Healthy),
            HealthSource::Region(id) if self.down.contains(id) => Verdict::Unhealthy,
            HealthSource::Region(_) => Verdict::Healthy,
        }
    }
}
