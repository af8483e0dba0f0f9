//! Hosted zones: made, listed, renamed in their comment, removed.
//!
//! A zone is made together with its SOA and NS record sets, and removed with them.
//! Source: Route 53 API reference, "Actions on hosted zones".

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::xml::{Element, XmlWriter};
use control::dns::{Data, HostedZone, RecordSet, Routing, TAGS, Tags, ZONE, zone_id};
use control::resource::Change;
use dns_core::internal;
use dns_core::name::Name;
use store::port::Store;

use crate::change_id::ChangeId;
use crate::facade::{Call, Reply, Route53};
use crate::faults;
use crate::limits::{COMMENT_CHARACTERS_MAX, PAGE_MAX, ZONE_REFERENCE_CHARACTERS_MAX, ZONES_MAX};
use crate::operation::bare;

/// Route 53's own time to live of a new zone's SOA record. 900 seconds.
const SOA_TTL: u32 = 900;
/// Route 53's own time to live of a new zone's NS records. 172,800 seconds.
const NS_TTL: u32 = 172_800;

impl<S: Store> Route53<S> {
    /// Returns a zone that belongs to the caller.
    pub(crate) fn zone_of(&self, caller: &Caller, id: &str) -> Result<HostedZone, Fault> {
        self.control
            .get::<HostedZone>(id, ZONE)
            .filter(|zone| zone.account == caller.account.to_string())
            .ok_or_else(|| faults::no_such_hosted_zone(id))
    }

    pub(crate) fn zones_of(&self, caller: &Caller) -> Vec<HostedZone> {
        let account = caller.account.to_string();
        let mut zones = self.control.all::<HostedZone>();
        zones.retain(|zone| zone.account == account);
        zones
    }

    pub(crate) async fn create_hosted_zone(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let document = call.document("CreateHostedZoneRequest")?;
        let (name, reference, comment) = read_zone(&document)?;
        let _turn = self.changing.lock().await;
        let account = call.caller.account.to_string();
        let zone = HostedZone {
            id: zone_id(&account, &reference),
            account,
            name: name.to_string(),
            caller_reference: reference,
            comment,
            created_micros: self.control.clock().wall().as_micros(),
            name_servers: self.name_servers(),
        };
        if self.control.get::<HostedZone>(&zone.id, ZONE).is_some() {
            let message = "A hosted zone has already been created with the specified caller \
                           reference.";
            return Err(faults::conflict("HostedZoneAlreadyExists", message));
        }
        if ZONES_MAX <= self.zones_of(call.caller).len() {
            let message = format!("The account already has the {ZONES_MAX} hosted zones it may.");
            return Err(Fault::caller("TooManyHostedZones", message));
        }
        let mut changes = vec![Change::create(&zone)];
        let sets = required_sets(&zone);
        changes.extend(sets.iter().map(Change::create));
        let position = self
            .control
            .change(changes)
            .await
            .map_err(faults::not_changed)?;
        let reply = Reply::document("CreateHostedZoneResponse", |xml| {
            write_zone(&zone, sets.len(), xml);
            self.write_change(position, None, xml);
            write_delegation(&zone, xml);
        });
        Ok(reply.created(&format!("hostedzone/{}", zone.id)))
    }

    /// Returns the names of the regions' name servers, this region's first.
    fn name_servers(&self) -> Vec<String> {
        let project = self.control.project();
        let mut regions: Vec<_> = project.regions.iter().map(|region| &region.name).collect();
        regions.sort_by_key(|name| **name != project.region);
        regions.into_iter().map(internal::name_server).collect()
    }

    pub(crate) fn hosted_zone(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        let zone = self.zone_of(call.caller, id)?;
        let count = self.control.list::<RecordSet>(id, "").len();
        Ok(Reply::document("GetHostedZoneResponse", |xml| {
            write_zone(&zone, count, xml);
            write_delegation(&zone, xml);
        }))
    }

    pub(crate) fn hosted_zone_count(&self, call: &Call<'_>) -> Reply {
        let count = self.zones_of(call.caller).len();
        Reply::document("GetHostedZoneCountResponse", |xml| {
            xml.leaf("HostedZoneCount", &count.to_string());
        })
    }

    pub(crate) fn list_hosted_zones(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let items_max = items_max(call, PAGE_MAX)?;
        let marker = call.parameters.first("marker");
        if call.parameters.first("delegationsetid").is_some() {
            return Err(Fault::unknown_operation(
                "ListHostedZones of a delegation set",
            ));
        }
        let private = call.parameters.first("hostedzonetype") == Some("PrivateHostedZone");
        let mut zones = self.zones_of(call.caller);
        zones.retain(|zone| {
            !private && marker.is_none_or(|marker| bare(marker) <= zone.id.as_str())
        });
        let next = zones.get(items_max).map(|zone| zone.id.clone());
        zones.truncate(items_max);
        Ok(Reply::document("ListHostedZonesResponse", |xml| {
            self.write_zones(&zones, xml);
            if let Some(marker) = marker {
                xml.leaf("Marker", marker);
            }
            write_page(next.is_some(), items_max, xml);
            if let Some(next) = &next {
                xml.leaf("NextMarker", next);
            }
        }))
    }

    pub(crate) fn list_hosted_zones_by_name(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let items_max = items_max(call, PAGE_MAX)?;
        let dns_name = call.parameters.first("dnsname");
        let from_id = call.parameters.first("hostedzoneid").map(bare);
        let key = |name: &str| Name::parse(name).map(|name| name.sort_key());
        let from = match dns_name {
            Some(name) => key(name).map_err(|error| bad_domain(name, &error))?,
            None if from_id.is_some() => {
                let message = "A hosted zone ID needs a DNS name beside it.";
                return Err(faults::invalid_input(message));
            }
            None => String::new(),
        };
        let zones = self.zones_of(call.caller).into_iter();
        let mut zones: Vec<_> = zones
            .map(|zone| (key(&zone.name).unwrap_or_default(), zone))
            .filter(|(key, zone)| {
                (key.as_str(), zone.id.as_str()) >= (from.as_str(), from_id.unwrap_or_default())
            })
            .collect();
        zones.sort_by(|(a_key, a), (b_key, b)| (a_key, &a.id).cmp(&(b_key, &b.id)));
        let mut zones: Vec<_> = zones.into_iter().map(|(_, zone)| zone).collect();
        let next = zones.get(items_max).cloned();
        zones.truncate(items_max);
        Ok(Reply::document("ListHostedZonesByNameResponse", |xml| {
            self.write_zones(&zones, xml);
            if let Some(name) = dns_name {
                xml.leaf("DNSName", name);
            }
            if let Some(id) = from_id {
                xml.leaf("HostedZoneId", id);
            }
            write_page(next.is_some(), items_max, xml);
            if let Some(next) = &next {
                xml.leaf("NextDNSName", &next.name);
                xml.leaf("NextHostedZoneId", &next.id);
            }
        }))
    }

    fn write_zones(&self, zones: &[HostedZone], xml: &mut XmlWriter) {
        xml.within("HostedZones", |xml| {
            for zone in zones {
                let count = self.control.list::<RecordSet>(&zone.id, "").len();
                write_zone(zone, count, xml);
            }
        });
    }

    pub(crate) async fn update_comment(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        let document = call.document("UpdateHostedZoneCommentRequest")?;
        let comment = read_comment(&document)?;
        let old = self.zone_of(call.caller, id)?;
        let zone = HostedZone {
            comment,
            ..old.clone()
        };
        let change = Change::replace(&old, &zone);
        self.control
            .change(vec![change])
            .await
            .map_err(faults::not_changed)?;
        let count = self.control.list::<RecordSet>(id, "").len();
        Ok(Reply::document("UpdateHostedZoneCommentResponse", |xml| {
            write_zone(&zone, count, xml);
        }))
    }

    pub(crate) async fn delete_hosted_zone(
        &self,
        call: &Call<'_>,
        id: &str,
    ) -> Result<Reply, Fault> {
        let _turn = self.changing.lock().await;
        let zone = self.zone_of(call.caller, id)?;
        let sets = self.control.list::<RecordSet>(id, "");
        if !sets.iter().all(|set| is_required(&zone, set)) {
            let message = "The specified hosted zone contains non-required resource record sets \
                           and so cannot be deleted.";
            return Err(Fault::caller("HostedZoneNotEmpty", message));
        }
        let tags = Tags::partition_of("hostedzone", id);
        let tags = self.control.get::<Tags>(&tags, TAGS);
        let mut changes = vec![Change::remove(&zone)];
        changes.extend(sets.iter().map(Change::remove));
        changes.extend(tags.iter().map(Change::remove));
        let position = self
            .control
            .change(changes)
            .await
            .map_err(faults::not_changed)?;
        Ok(Reply::document("DeleteHostedZoneResponse", |xml| {
            self.write_change(position, None, xml);
        }))
    }

    pub(crate) fn change(&self, id: &str) -> Result<Reply, Fault> {
        let known = |change: &ChangeId| {
            let origin = base::region::RegionId(change.position.origin);
            self.control.project().region_of(origin).is_some()
        };
        let change = ChangeId::parse(id)
            .filter(known)
            .ok_or_else(|| faults::no_such_change(id))?;
        Ok(Reply::document("GetChangeResponse", |xml| {
            self.write_change_info(change, None, xml);
        }))
    }

    pub(crate) fn dnssec(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        self.zone_of(call.caller, id)?;
        Ok(Reply::document("GetDNSSECResponse", |xml| {
            xml.within("Status", |xml| xml.leaf("ServeSignature", "NOT_SIGNING"));
            xml.within("KeySigningKeys", |_| ());
        }))
    }
}

/// Returns whether a record set is one that every zone must have.
pub(crate) fn is_required(zone: &HostedZone, set: &RecordSet) -> bool {
    set.name == zone.name && matches!(set.record_type.as_str(), "SOA" | "NS")
}

fn required_sets(zone: &HostedZone) -> [RecordSet; 2] {
    let set = |record_type: &str, ttl, values| RecordSet {
        zone: zone.id.clone(),
        name: zone.name.clone(),
        record_type: record_type.to_owned(),
        set_identifier: String::new(),
        routing: Routing::Simple,
        data: Data::Records { ttl, values },
        health_check: None,
    };
    let servers: Vec<String> = zone
        .name_servers
        .iter()
        .map(|name| format!("{name}."))
        .collect();
    let first = servers.first().cloned().unwrap_or_else(|| ".".to_owned());
    let mailbox = format!("hostmaster.{}.", internal::APEX);
    let soa = format!("{first} {mailbox} 1 7200 900 1209600 86400");
    [set("NS", NS_TTL, servers), set("SOA", SOA_TTL, vec![soa])]
}

fn read_zone(document: &Element) -> Result<(Name, String, Option<String>), Fault> {
    let text = document.text_of("Name").unwrap_or_default();
    let name = Name::parse(text).map_err(|error| bad_domain(text, &error))?;
    if name.parent().is_none() || internal::is_internal(&name) {
        let message = format!("{name} is reserved and cannot be a hosted zone.");
        return Err(Fault::caller("InvalidDomainName", message));
    }
    let reference = document.text_of("CallerReference").unwrap_or_default();
    if !(1..=ZONE_REFERENCE_CHARACTERS_MAX).contains(&reference.chars().count()) {
        let message = "The caller reference must have 1 to 128 characters.";
        return Err(faults::invalid_input(message));
    }
    let config = document.child("HostedZoneConfig");
    let private = config.and_then(|config| config.text_of("PrivateZone")) == Some("true");
    if private || document.child("VPC").is_some() {
        return Err(faults::invalid_input(
            "Private hosted zones are not supported.",
        ));
    }
    if document
        .text_of("DelegationSetId")
        .is_some_and(|id| !id.is_empty())
    {
        return Err(faults::invalid_input(
            "Reusable delegation sets are not supported.",
        ));
    }
    let comment = config.map(read_comment).transpose()?.flatten();
    Ok((name, reference.to_owned(), comment))
}

fn read_comment(parent: &Element) -> Result<Option<String>, Fault> {
    let comment = parent
        .text_of("Comment")
        .filter(|comment| !comment.is_empty());
    if comment.is_some_and(|comment| COMMENT_CHARACTERS_MAX < comment.chars().count()) {
        return Err(faults::invalid_input(
            "A comment has at most 256 characters.",
        ));
    }
    Ok(comment.map(str::to_owned))
}

fn bad_domain(name: &str, error: &dyn std::error::Error) -> Fault {
    let message = format!("{name:?} is no domain name: {error}.");
    Fault::caller("InvalidDomainName", message)
}

/// Reads how many items the caller wants on a page.
pub(crate) fn items_max(call: &Call<'_>, page_max: usize) -> Result<usize, Fault> {
    match call.parameters.first("maxitems") {
        None => Ok(page_max),
        Some(text) => match text.parse::<usize>() {
            Ok(wanted) if 0 < wanted => Ok(wanted.min(page_max)),
            Ok(_) | Err(_) => Err(faults::invalid_input(format!(
                "MaxItems must be a number above 0, not {text:?}."
            ))),
        },
    }
}

/// Writes the end of a list.
pub(crate) fn write_page(truncated: bool, items_max: usize, xml: &mut XmlWriter) {
    xml.leaf("IsTruncated", if truncated { "true" } else { "false" });
    xml.leaf("MaxItems", &items_max.to_string());
}

fn write_zone(zone: &HostedZone, sets: usize, xml: &mut XmlWriter) {
    xml.within("HostedZone", |xml| {
        xml.leaf("Id", &format!("/hostedzone/{}", zone.id));
        xml.leaf("Name", &zone.name);
        xml.leaf("CallerReference", &zone.caller_reference);
        xml.within("Config", |xml| {
            if let Some(comment) = &zone.comment {
                xml.leaf("Comment", comment);
            }
            xml.leaf("PrivateZone", "false");
        });
        xml.leaf("ResourceRecordSetCount", &sets.to_string());
    });
}

fn write_delegation(zone: &HostedZone, xml: &mut XmlWriter) {
    xml.within("DelegationSet", |xml| {
        xml.within("NameServers", |xml| {
            for server in &zone.name_servers {
                xml.leaf("NameServer", server);
            }
        });
    });
}
