//! The names that Hither itself makes: gateways and name servers of each region.
//!
//! They live in a zone of their own, built from the regions' addresses, that no user can change.

use std::net::IpAddr;

use base::region::{RegionId, RegionName};
use base::units::Ttl;

use crate::health::HealthSource;
use crate::limits::{GATEWAY_TTL, NAME_SERVER_TTL};
use crate::name::Name;
use crate::rdata::Rdata;
use crate::record_type::RecordType;
use crate::zone::{Data, Routing, SetSource, ZoneSource};

/// The zone that holds every name Hither makes.
pub const APEX: &str = "hither.internal";

/// A region and where its clients reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionAddresses {
    /// The region.
    pub name: RegionName,
    /// Its public addresses.
    pub addresses: Vec<IpAddr>,
}

/// Returns the hosted zone id by which Route 53 aliases name a region's gateway.
pub fn gateway_zone_id(region: RegionId) -> String {
    format!("ZHITHER{:06X}", region.0)
}

/// Returns the name of a region's name server, as NS records have it.
pub fn name_server(region: &RegionName) -> String {
    format!("ns-1.{region}.{APEX}")
}

/// Returns the name under which a region's gateway answers for `label`: an API or a domain.
pub fn gateway_name(label: &str, region: &RegionName) -> String {
    format!("{label}.execute-api.{region}.{APEX}")
}

/// Returns the region whose gateway has this name; `None` for other names.
pub fn gateway_region(name: &Name) -> Option<RegionName> {
    let labels: Vec<_> = name.labels().collect();
    match labels.as_slice() {
        [_, b"execute-api", region, b"hither", b"internal"] => {
            RegionName::parse(std::str::from_utf8(region).ok()?).ok()
        }
        _ => None,
    }
}

/// Returns whether Hither made the name.
pub fn is_internal(name: &Name) -> bool {
    name.as_wire().ends_with(b"\x06hither\x08internal\0") && {
        let apex = Name::parse(APEX).expect("the constant is a name");
        name.is_within(&apex)
    }
}

/// Returns the zone's source for these regions.
pub(crate) fn zone(regions: &[RegionAddresses]) -> ZoneSource {
    let apex = Name::parse(APEX).expect("the constant is a name");
    let mut sets = Vec::new();
    let mut servers = Vec::new();
    for region in regions {
        let server = name_server(&region.name);
        let health = Some(HealthSource::Region(region.name.id()));
        push_addresses(
            &gateway_name("*", &region.name),
            region,
            GATEWAY_TTL,
            health,
            &mut sets,
        );
        push_addresses(&server, region, NAME_SERVER_TTL, None, &mut sets);
        servers.extend(Rdata::parse(RecordType::Ns, &server));
    }
    let first = regions
        .first()
        .map_or_else(|| APEX.to_owned(), |region| name_server(&region.name));
    let soa = format!(
        "{first} hostmaster.{APEX} 1 7200 900 1209600 {}",
        GATEWAY_TTL.as_secs()
    );
    let soa = Rdata::parse(RecordType::Soa, &soa).into_iter().collect();
    let own: [(RecordType, Vec<Rdata>); 2] = [(RecordType::Soa, soa), (RecordType::Ns, servers)];
    for (record_type, values) in own.into_iter().filter(|(_, values)| !values.is_empty()) {
        sets.push(simple(
            apex.clone(),
            record_type,
            NAME_SERVER_TTL,
            values,
            None,
        ));
    }
    ZoneSource {
        id: "HITHER".to_owned(),
        apex,
        sets,
    }
}

fn push_addresses(
    name: &str,
    region: &RegionAddresses,
    ttl: Ttl,
    health: Option<HealthSource>,
    sets: &mut Vec<SetSource>,
) {
    let Ok(name) = Name::parse(name) else {
        return;
    };
    let of = |wanted: RecordType| {
        let texts = region
            .addresses
            .iter()
            .map(|address| address.to_canonical().to_string());
        texts
            .filter_map(|text| Rdata::parse(wanted, &text).ok())
            .collect::<Vec<_>>()
    };
    for record_type in [RecordType::A, RecordType::Aaaa] {
        let values = of(record_type);
        if !values.is_empty() {
            sets.push(simple(
                name.clone(),
                record_type,
                ttl,
                values,
                health.clone(),
            ));
        }
    }
}

fn simple(
    name: Name,
    record_type: RecordType,
    ttl: Ttl,
    values: Vec<Rdata>,
    health: Option<HealthSource>,
) -> SetSource {
    SetSource {
        name,
        record_type,
        set_identifier: String::new(),
        routing: Routing::Simple,
        health,
        data: Data::Records { ttl, values },
    }
}

#[cfg(test)]
mod tests;
