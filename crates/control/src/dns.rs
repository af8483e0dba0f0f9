//! DNS resources: hosted zones, record sets, CIDR collections, health checks, their tags, client
//! networks.
//!
//! It knows no XML. What a region answers from and probes is made of them by [`zones`],
//! [`latency`] and [`checks`].
//! Source: Route 53 API reference, data types `HostedZone`, `ResourceRecordSet`, `HealthCheck`.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base::region::RegionName;
use dns_core::latency::Latency;
use dns_core::name::Name;
use dns_core::zones::Zones;
use health_core::check::CheckSpec;
use serde::{Deserialize, Serialize};
use store::port::Store;

use crate::control::Control;
use crate::resource::Resource;
use crate::system::SystemTable;

pub mod build;
pub mod check;
pub mod cidr;

use build::Problem;

/// A hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedZone {
    /// Its id, without a prefix.
    pub id: String,
    /// The account that made it.
    pub account: String,
    /// The name at its top, as Route 53 writes names.
    pub name: String,
    /// What made the call that created it unique.
    pub caller_reference: String,
    /// What its owner says about it.
    pub comment: Option<String>,
    /// When it was made, in microseconds since 1970.
    pub created_micros: i64,
    /// The names of its name servers.
    pub name_servers: Vec<String>,
}

/// A record set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// The id of its zone.
    pub zone: String,
    /// The name that owns it, as Route 53 writes names.
    pub name: String,
    /// The type of its records, as Route 53 writes types.
    pub record_type: String,
    /// What tells it from others of its name and type; empty for simple routing.
    pub set_identifier: String,
    /// How it is chosen.
    pub routing: Routing,
    /// What it answers.
    pub data: Data,
    /// The health check that decides whether it is answered.
    pub health_check: Option<String>,
}

/// How a record set is chosen among those of its name and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Routing {
    /// It is the only one.
    Simple,
    /// In proportion to its weight.
    Weighted(u8),
    /// When this region is the closest to the client.
    Latency(String),
    /// First.
    Primary,
    /// When the first is unhealthy.
    Secondary,
    /// Together with others.
    Multivalue,
    /// When the client's address lies in a location of a CIDR collection.
    Cidr {
        /// The collection's id.
        collection: String,
        /// The location's name; `*` for clients in no other.
        location: String,
    },
}

/// What a record set answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Data {
    /// Its own records.
    Records {
        /// How long they may be kept, in seconds.
        ttl: u32,
        /// Their values, as they were given.
        values: Vec<String>,
    },
    /// What another name answers.
    Alias {
        /// The zone that the other name is said to lie in.
        hosted_zone_id: String,
        /// The other name, as Route 53 writes names.
        dns_name: String,
        /// Whether the other's health counts as its own.
        evaluate_target_health: bool,
    },
}

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Its id.
    pub id: String,
    /// The account that made it.
    pub account: String,
    /// What made the call that created it unique.
    pub caller_reference: String,
    /// Rises with each update.
    pub version: u64,
    /// What it looks at.
    pub config: HealthCheckConfig,
}

/// What a health check looks at, as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each member is the one of that name in Route 53's API"
)]
pub struct HealthCheckConfig {
    pub kind: String,
    pub ip_address: Option<String>,
    pub port: Option<u16>,
    pub resource_path: Option<String>,
    pub fully_qualified_domain_name: Option<String>,
    pub search_string: Option<String>,
    pub request_interval: Option<u32>,
    pub failure_threshold: Option<u8>,
    pub measure_latency: Option<bool>,
    pub inverted: Option<bool>,
    pub disabled: Option<bool>,
    pub health_threshold: Option<u16>,
    pub child_health_checks: Vec<String>,
    pub enable_sni: Option<bool>,
    pub regions: Vec<String>,
    pub insufficient_data_health_status: Option<String>,
}

/// The tags of a hosted zone or a health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// `hostedzone` or `healthcheck`.
    pub resource_type: String,
    /// The id of the zone or check.
    pub resource_id: String,
    /// The tags.
    pub tags: BTreeMap<String, String>,
}

/// A network of clients and how far the regions are from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyEntry {
    /// The network, as in `192.0.2.0/24`.
    pub network: String,
    /// The round-trip time to each region, in microseconds.
    pub rtt_micros: BTreeMap<String, u32>,
}

impl RecordSet {
    /// Returns the sort key of a record set: keys are ordered as Route 53 lists record sets.
    ///
    /// Shape: a space separates the parts; neither names nor types hold one, and all that they
    /// hold sorts after it.
    pub fn key(name: &Name, record_type: &str, set_identifier: &str) -> String {
        format!("{} {record_type} {set_identifier}", name.sort_key())
    }
}

impl Resource for HostedZone {
    const TABLE: SystemTable = SystemTable::Zones;

    fn partition(&self) -> String {
        self.id.clone()
    }

    fn sort(&self) -> String {
        ZONE.to_owned()
    }
}

/// The sort key of a hosted zone.
pub const ZONE: &str = "zone";

impl Resource for RecordSet {
    const TABLE: SystemTable = SystemTable::Records;

    fn partition(&self) -> String {
        self.zone.clone()
    }

    /// Shape: a name that is none keeps its own text, so that it stays apart from all others.
    fn sort(&self) -> String {
        match Name::parse(&self.name) {
            Ok(name) => Self::key(&name, &self.record_type, &self.set_identifier),
            Err(_) => format!("{} {} {}", self.name, self.record_type, self.set_identifier),
        }
    }
}

impl Resource for HealthCheck {
    const TABLE: SystemTable = SystemTable::HealthChecks;

    fn partition(&self) -> String {
        self.id.clone()
    }

    fn sort(&self) -> String {
        CHECK.to_owned()
    }
}

/// The sort key of a health check.
pub const CHECK: &str = "check";

impl Tags {
    /// Returns the partition key of a resource's tags.
    pub fn partition_of(resource_type: &str, resource_id: &str) -> String {
        format!("route53 {resource_type} {resource_id}")
    }
}

impl Resource for Tags {
    const TABLE: SystemTable = SystemTable::Tags;

    fn partition(&self) -> String {
        Self::partition_of(&self.resource_type, &self.resource_id)
    }

    fn sort(&self) -> String {
        TAGS.to_owned()
    }
}

/// The sort key of tags.
pub const TAGS: &str = "tags";

impl Resource for LatencyEntry {
    const TABLE: SystemTable = SystemTable::Latency;

    fn partition(&self) -> String {
        "networks".to_owned()
    }

    fn sort(&self) -> String {
        self.network.clone()
    }
}

impl LatencyEntry {
    /// Returns what is wrong with an entry.
    pub fn problem(&self) -> Option<String> {
        let unknown = |region: &&String| RegionName::parse(region).is_err();
        match build::network(self) {
            None => Some(format!(
                "{:?} is no network such as 192.0.2.0/24",
                self.network
            )),
            Some(network) if network.prefix_max() < network.prefix => {
                Some(format!("{:?} has too long a prefix", self.network))
            }
            Some(_) => {
                let region = self.rtt_micros.keys().find(unknown)?;
                Some(format!("{region:?} is no region"))
            }
        }
    }
}

/// Lays out the zones that a region has, with what is left out of them.
///
/// Its cost grows with all record sets: once for each change of resources, not of health.
pub fn zones<S: Store>(control: &Control<S>) -> (Zones, Vec<Problem>) {
    let hosted = control.all::<HostedZone>().into_iter().map(|zone| {
        let sets = control.list::<RecordSet>(&zone.id, "");
        (zone, sets)
    });
    let (collections, mut problems) = cidr::lay_out(control, cidr::all(control));
    let regions = build::addresses(control.project());
    let (zones, found) = build::zones(hosted.collect(), &regions, &collections);
    problems.extend(found);
    (zones, problems)
}

/// Lays out the networks of clients that a region knows, with what is left out.
pub fn latency<S: Store>(control: &Control<S>) -> (Latency, Vec<Problem>) {
    build::latency(control.all::<LatencyEntry>().iter())
}

/// Returns the health checks that can be probed; one that cannot counts as healthy.
pub fn checks<S: Store>(control: &Control<S>) -> (Vec<CheckSpec>, Vec<Problem>) {
    let (mut specs, mut problems) = (Vec::new(), Vec::new());
    for check in control.all::<HealthCheck>() {
        let tags = control.get::<Tags>(&Tags::partition_of("healthcheck", &check.id), TAGS);
        match check::spec(&check, tags.as_ref()) {
            Ok(spec) => specs.push(spec),
            Err(error) => problems.push(build::problem(&check.id, &error)),
        }
    }
    (specs, problems)
}

/// Returns the id of the hosted zone that this call creates: the same for the same call, in
/// whatever region it lands, so that a call sent twice makes one zone.
///
/// Shape: `Z` and 20 letters and digits.
pub fn zone_id(account: &str, caller_reference: &str) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";
    let hash = hash("hostedzone", account, caller_reference);
    let letters = hash.iter().take(20).filter_map(|byte| {
        let at = usize::from(byte % 32);
        ALPHABET.get(at).map(|letter| char::from(*letter))
    });
    std::iter::once('Z').chain(letters).collect()
}

/// Returns the id of the health check that this call creates: the same for the same call.
///
/// Shape: a UUID of version 8.
pub fn check_id(account: &str, caller_reference: &str) -> String {
    uuid(&hash("healthcheck", account, caller_reference))
}

/// Returns a hash as a UUID of version 8.
fn uuid(hash: &[u8]) -> String {
    let nibbles = hash
        .iter()
        .take(16)
        .flat_map(|byte| [byte >> 4, byte & 0xf]);
    let digits: String = nibbles
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect();
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    format!(
        "{}-{}-8{}-a{}-{}",
        part(0..8),
        part(8..12),
        part(13..16),
        part(17..20),
        part(20..32)
    )
}

fn hash(kind: &str, account: &str, caller_reference: &str) -> Vec<u8> {
    let text = format!("{kind}\0{account}\0{caller_reference}");
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests;
