//! What a record set leads to: alias targets and health checks.
//!
//! Source: Route 53 API reference, data type `AliasTarget`; messages as clients report them.

use base::region::RegionName;
use control::dns::{Data, RecordSet, Routing};
use dns_core::cidr::DEFAULT_LOCATION;
use dns_core::internal;
use dns_core::name::Name;
use dns_core::record_type::RecordType;

use super::{Change, Sets, Zone};

/// What record sets may lead to besides each other.
pub(crate) struct Targets<'z> {
    /// The regions of the project.
    pub(crate) regions: Vec<&'z RegionName>,
}

impl Targets<'_> {
    /// Returns what is wrong with where a change's record set leads.
    pub(super) fn wrong(&self, zone: &Zone<'_>, change: &Change, sets: &Sets) -> Option<String> {
        if let Routing::Latency(region) = &change.set.routing {
            let ours = self.regions.iter().any(|name| name.as_str() == region);
            let aws = RegionName::parse(region).is_ok_and(|name| name.is_aws());
            if !ours && !aws {
                return Some(format!("{} names no region: {region}", change.described()));
            }
        }
        if let Some(message) = no_location(zone, change) {
            return Some(message);
        }
        let Data::Alias {
            hosted_zone_id,
            dns_name,
            ..
        } = &change.set.data
        else {
            return None;
        };
        let record_type = change.record_type;
        if matches!(record_type, RecordType::Ns | RecordType::Soa) {
            return Some(format!("{} cannot be an alias.", change.described()));
        }
        let tried = format!(
            "Tried to create an alias that targets {dns_name}, type {record_type} in zone \
             {hosted_zone_id}, but"
        );
        let not_found = || Some(format!("{tried} that target was not found"));
        let Ok(target) = Name::parse(dns_name) else {
            return not_found();
        };
        if *hosted_zone_id == zone.hosted.id {
            if !target.is_within(&zone.apex) {
                return Some(format!(
                    "{tried} the alias target name does not lie within the target zone"
                ));
            }
            let prefix = format!("{} {record_type} ", target.sort_key());
            let found = sets
                .range(prefix.clone()..)
                .next()
                .is_some_and(|(key, _): (&String, &RecordSet)| key.starts_with(&prefix));
            return if found { None } else { not_found() };
        }
        let gateway = self
            .regions
            .iter()
            .find(|name| internal::gateway_zone_id(name.id()) == *hosted_zone_id);
        match gateway {
            Some(region) if internal::gateway_region(&target).as_ref() == Some(*region) => {
                let addresses = matches!(record_type, RecordType::A | RecordType::Aaaa);
                if addresses { None } else { not_found() }
            }
            Some(_) => Some(format!(
                "{tried} the alias target name does not lie within the target zone"
            )),
            None => not_found(),
        }
    }
}

/// Returns why a location of IP-based routing is none.
fn no_location(zone: &Zone<'_>, change: &Change) -> Option<String> {
    let Routing::Cidr {
        collection,
        location,
    } = &change.set.routing
    else {
        return None;
    };
    let described = change.described();
    let Some(found) = zone.collections.get(collection) else {
        return Some(format!(
            "{described} names no CIDR collection: {collection}"
        ));
    };
    (location != DEFAULT_LOCATION && !found.has_location(location)).then(|| {
        format!("{described} names no location of CIDR collection {collection}: {location}")
    })
}
