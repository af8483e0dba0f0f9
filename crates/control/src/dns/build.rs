//! From stored resources to what a region answers from.
//!
//! It never fails: what makes no sense is left out and named, since another region may have
//! written it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base::region::RegionName;
use base::units::Ttl;
use dns_core::health::{CheckId, HealthSource};
use dns_core::internal::RegionAddresses;
use dns_core::latency::{Latency, Network, Rtt};
use dns_core::name::Name;
use dns_core::rdata::Rdata;
use dns_core::record_type::RecordType;
use dns_core::zone::{self, SetSource, Zone, ZoneSource};
use dns_core::zones::Zones;

use super::cidr::{self, Collections};
use super::{Data, HostedZone, LatencyEntry, RecordSet, Routing};
use crate::project::Project;

/// Returns where clients reach each region.
pub fn addresses(project: &Project) -> Vec<RegionAddresses> {
    let regions = project.regions.iter();
    let address = |region: &crate::project::Region| RegionAddresses {
        name: region.name.clone(),
        addresses: region.addresses.clone(),
    };
    regions.map(address).collect()
}

/// A resource that is left out of what is answered or probed, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Problem {
    /// The zone, record set, network or health check.
    pub what: String,
    /// Why it is left out.
    pub why: String,
}

/// Lays out all zones, older ones first, so that of two with one name the older is answered.
pub(super) fn zones(
    mut hosted: Vec<(HostedZone, Vec<RecordSet>)>,
    regions: &[RegionAddresses],
    collections: &Collections,
) -> (Zones, Vec<Problem>) {
    hosted.sort_by(|(a, _), (b, _)| (a.created_micros, &a.id).cmp(&(b.created_micros, &b.id)));
    let mut problems = Vec::new();
    let mut laid_out = Vec::with_capacity(hosted.len());
    for (hosted, sets) in hosted {
        match zone(&hosted, &sets, collections) {
            Some((zone, found)) => {
                laid_out.push(Arc::new(zone));
                problems.extend(found);
            }
            None => problems.push(problem(&hosted.id, &"the zone's name is none")),
        }
    }
    (Zones::new(laid_out, regions), problems)
}

/// Lays out one zone; `None` when its name is none.
pub fn zone(
    hosted: &HostedZone,
    sets: &[RecordSet],
    collections: &Collections,
) -> Option<(Zone, Vec<Problem>)> {
    let apex = Name::parse(&hosted.name).ok()?;
    let mut problems = Vec::new();
    let mut sources = Vec::with_capacity(sets.len());
    for set in sets {
        match source(set, collections) {
            Ok(source) => sources.push(source),
            Err(why) => {
                let what = format!("{} {} {}", hosted.id, set.name, set.record_type);
                problems.push(Problem { what, why });
            }
        }
    }
    let (zone, found) = zone::build::zone(ZoneSource {
        id: hosted.id.clone(),
        apex,
        sets: sources,
    });
    problems.extend(found.iter().map(|why| problem(&hosted.id, why)));
    Some((zone, problems))
}

/// Returns a record set as zones are laid out from.
///
/// Errors: a sentence that says what in it makes no sense.
pub fn source(set: &RecordSet, collections: &Collections) -> Result<SetSource, String> {
    let name = Name::parse(&set.name).map_err(|error| error.to_string())?;
    let record_type = RecordType::parse(&set.record_type).ok_or("the type is none")?;
    let data = match &set.data {
        Data::Records { ttl, values } => zone::Data::Records {
            ttl: Ttl::seconds(*ttl),
            values: values
                .iter()
                .map(|value| Rdata::parse(record_type, value))
                .collect::<Result<_, _>>()
                .map_err(|error| error.to_string())?,
        },
        Data::Alias {
            dns_name,
            evaluate_target_health,
            ..
        } => zone::Data::Alias {
            target: Name::parse(dns_name).map_err(|error| error.to_string())?,
            evaluate_target_health: *evaluate_target_health,
        },
    };
    Ok(SetSource {
        name,
        record_type,
        set_identifier: set.set_identifier.clone(),
        routing: routing(&set.routing, collections)?,
        health: set
            .health_check
            .as_ref()
            .map(|id| HealthSource::Check(CheckId::new(id))),
        data,
    })
}

fn routing(routing: &Routing, collections: &Collections) -> Result<zone::Routing, String> {
    Ok(match routing {
        Routing::Simple => zone::Routing::Simple,
        Routing::Weighted(weight) => zone::Routing::Weighted(*weight),
        Routing::Latency(region) => {
            zone::Routing::Latency(RegionName::parse(region).map_err(|error| error.to_string())?)
        }
        Routing::Primary => zone::Routing::Failover(zone::Role::Primary),
        Routing::Secondary => zone::Routing::Failover(zone::Role::Secondary),
        Routing::Multivalue => zone::Routing::Multivalue,
        Routing::Cidr {
            collection,
            location,
        } => zone::Routing::Cidr {
            collection: cidr::laid_out(collection, collections),
            location: location.clone(),
        },
    })
}

/// Lays out the networks of clients.
pub(super) fn latency<'e>(
    entries: impl Iterator<Item = &'e LatencyEntry>,
) -> (Latency, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut networks = Vec::new();
    for entry in entries {
        match network(entry) {
            Some(network) => networks.push(network),
            None => problems.push(problem(
                &entry.network,
                &"neither address nor prefix length",
            )),
        }
    }
    (Latency::new(networks), problems)
}

/// Returns an entry as a network; `None` when its text is none.
pub(super) fn network(entry: &LatencyEntry) -> Option<Network> {
    let (address, prefix) = entry.network.split_once('/')?;
    let rtts = entry.rtt_micros.iter().filter_map(|(region, micros)| {
        let region = RegionName::parse(region).ok()?;
        Some((
            region.id(),
            Rtt::from_duration(Duration::from_micros(u64::from(*micros))),
        ))
    });
    Some(Network {
        address: address.parse::<IpAddr>().ok()?,
        prefix: prefix.parse().ok()?,
        rtts: rtts.collect(),
    })
}

pub(super) fn problem(what: &str, why: &impl ToString) -> Problem {
    Problem {
        what: what.to_owned(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests;
