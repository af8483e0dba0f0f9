//! Record sets in XML: read with every mistake of their shape named, and written.
//!
//! Whether a record set fits its zone is not decided here but in [`crate::changes`].
//! Source: Route 53 API reference, data type `ResourceRecordSet`; messages as clients report them.

use api_protocol::fault::Fault;
use api_protocol::xml::{Element, XmlWriter};
use base::region::RegionName;
use control::dns::{Data, RecordSet, Routing};
use dns_core::cidr::DEFAULT_LOCATION;
use dns_core::name::Name;
use dns_core::record_type::RecordType;

use crate::changes::{Action, Change};
use crate::cidr_xml::is_name;
use crate::faults::invalid_input;
use crate::limits::{LOCATION_CHARACTERS_MAX, SET_IDENTIFIER_CHARACTERS_MAX};
use crate::operation::bare;

/// Reads one change of a batch.
///
/// Errors: `InvalidInput` for a shape that no record set has.
pub(crate) fn read_change(zone: &str, change: &Element) -> Result<Change, Fault> {
    let action_text = required(change, "Action")?;
    let action = match action_text {
        "CREATE" => Action::Create,
        "DELETE" => Action::Delete,
        "UPSERT" => Action::Upsert,
        other => return Err(invalid_input(format!("{other:?} is no action."))),
    };
    let set = change.child("ResourceRecordSet");
    let set = set.ok_or_else(|| incomplete("Change", "ResourceRecordSet"))?;
    let name_text = required(set, "Name")?;
    let type_text = required(set, "Type")?;
    let place = Place {
        action: action_text,
        name: name_text,
        record_type: type_text,
        set_identifier: set.text_of("SetIdentifier"),
    };
    let record_type = RecordType::parse(type_text)
        .ok_or_else(|| invalid_input(format!("{type_text:?} is no type of record.")))?;
    let name = Name::parse(name_text).map_err(|error| {
        let message = format!("Invalid name {name_text:?}: {error}.");
        invalid_input(message)
    })?;
    let routing = read_routing(set, action, &place)?;
    let data = read_data(set, &place)?;
    let set = RecordSet {
        zone: zone.to_owned(),
        name: name.to_string(),
        record_type: type_text.to_owned(),
        set_identifier: place.set_identifier.unwrap_or_default().to_owned(),
        routing,
        data,
        health_check: set
            .text_of("HealthCheckId")
            .filter(|id| !id.is_empty())
            .map(|id| bare(id).to_owned()),
    };
    Ok(Change {
        action,
        set,
        name,
        record_type,
    })
}

/// Where in a batch something is wrong, as Route 53 names the place.
struct Place<'e> {
    action: &'e str,
    name: &'e str,
    record_type: &'e str,
    set_identifier: Option<&'e str>,
}

impl Place<'_> {
    fn fault(&self, what: &str) -> Fault {
        let Self {
            action,
            name,
            record_type,
            set_identifier,
        } = self;
        let set_identifier = set_identifier.unwrap_or("null");
        invalid_input(format!(
            "Invalid request: {what} in Change with [Action={action}, Name={name}, \
             Type={record_type}, SetIdentifier={set_identifier}]"
        ))
    }
}

const POLICIES: &str = "[Weight, Region, Failover, GeoLocation, or MultiValueAnswer]";
const KINDS: &str = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]";

fn read_routing(set: &Element, action: Action, place: &Place<'_>) -> Result<Routing, Fault> {
    for policy in ["GeoLocation", "GeoProximityLocation"] {
        if set.child(policy).is_some() {
            return Err(place.fault(&format!("{policy} routing is not supported")));
        }
    }
    let mut found = Vec::new();
    if let Some(weight) = set.text_of("Weight") {
        let weight = weight.parse().map_err(|_| {
            place.fault(&format!(
                "Weight must be a number from 0 to 255, not {weight:?},"
            ))
        })?;
        found.push(Routing::Weighted(weight));
    }
    if let Some(region) = set.text_of("Region") {
        let name = RegionName::parse(region)
            .map_err(|_| place.fault(&format!("{region:?} is no region")))?;
        found.push(Routing::Latency(name.as_str().to_owned()));
    }
    match set.text_of("Failover") {
        None => {}
        Some("PRIMARY") => found.push(Routing::Primary),
        Some("SECONDARY") => found.push(Routing::Secondary),
        Some(other) => return Err(place.fault(&format!("{other:?} is no role of failover"))),
    }
    match set.text_of("MultiValueAnswer") {
        None | Some("false") => {}
        Some("true") => found.push(Routing::Multivalue),
        Some(other) => return Err(place.fault(&format!("{other:?} is neither true nor false"))),
    }
    if let Some(config) = set.child("CidrRoutingConfig") {
        found.push(read_cidr(config, place)?);
    }
    let expected = |found: &str| {
        place.fault(&format!(
            "Expected exactly one of {POLICIES}, but found {found}"
        ))
    };
    let identifier = place.set_identifier;
    if let Some(identifier) = identifier
        && !(1..=SET_IDENTIFIER_CHARACTERS_MAX).contains(&identifier.chars().count())
    {
        return Err(place.fault("SetIdentifier must have 1 to 128 characters"));
    }
    match (found.len(), identifier, action) {
        // What is removed may leave its policy out: name, type and identifier say which it is.
        (0, None, _) | (0, Some(_), Action::Delete) => Ok(Routing::Simple),
        (0, Some(_), Action::Create | Action::Upsert) => Err(expected("none")),
        (1, None, _) => Err(place.fault("Missing field 'SetIdentifier'")),
        (1, Some(_), _) => Ok(found.remove(0)),
        (_, _, _) => Err(expected("more than one")),
    }
}

fn read_cidr(config: &Element, place: &Place<'_>) -> Result<Routing, Fault> {
    let collection = required(config, "CollectionId")?;
    let location = required(config, "LocationName")?;
    if location != DEFAULT_LOCATION && !is_name(location, LOCATION_CHARACTERS_MAX) {
        return Err(place.fault(&format!("{location:?} is no name of a CIDR location")));
    }
    Ok(Routing::Cidr {
        collection: collection.to_owned(),
        location: location.to_owned(),
    })
}

fn read_data(set: &Element, place: &Place<'_>) -> Result<Data, Fault> {
    let alias = set.child("AliasTarget");
    let ttl = set.text_of("TTL");
    let records = set.child("ResourceRecords");
    let expected = |found: &str| {
        place.fault(&format!(
            "Expected exactly one of {KINDS}, but found {found}"
        ))
    };
    if set.child("TrafficPolicyInstanceId").is_some() {
        return Err(place.fault("Traffic policies are not supported"));
    }
    match (alias, ttl, records) {
        (Some(alias), None, None) => read_alias(alias),
        (None, Some(ttl), Some(records)) => {
            let seconds = ttl.parse::<u32>().ok().filter(|ttl| *ttl <= TTL_MAX);
            let ttl = seconds.ok_or_else(|| {
                place.fault(&format!(
                    "TTL must be a number from 0 to {TTL_MAX}, not {ttl:?},"
                ))
            })?;
            let values: Vec<String> = records
                .children
                .iter()
                .filter(|record| record.name == "ResourceRecord")
                .map(|record| required(record, "Value").map(str::to_owned))
                .collect::<Result<_, _>>()?;
            if values.is_empty() {
                return Err(incomplete("ResourceRecords", "ResourceRecord"));
            }
            Ok(Data::Records { ttl, values })
        }
        (Some(_), _, _) => Err(expected("more than one")),
        (None, _, _) => Err(expected("none")),
    }
}

/// Longest time to live. 2,147,483,647 seconds.
/// Source: the `TTL` shape of Route 53's service model; RFC 2181 §8.
const TTL_MAX: u32 = 0x7fff_ffff;

fn read_alias(alias: &Element) -> Result<Data, Fault> {
    let missing = |member| incomplete("AliasTarget", member);
    let zone = alias
        .text_of("HostedZoneId")
        .ok_or_else(|| missing("HostedZoneId"))?;
    let target = alias.text_of("DNSName").ok_or_else(|| missing("DNSName"))?;
    let evaluate = alias.text_of("EvaluateTargetHealth");
    let evaluate_target_health = match evaluate.ok_or_else(|| missing("EvaluateTargetHealth"))? {
        "true" | "1" => true,
        "false" | "0" => false,
        other => {
            return Err(invalid_input(format!(
                "EvaluateTargetHealth is true or false, not {other:?}."
            )));
        }
    };
    let name = Name::parse(target)
        .map_err(|error| invalid_input(format!("Invalid alias target {target:?}: {error}.")))?;
    Ok(Data::Alias {
        hosted_zone_id: bare(zone).to_owned(),
        dns_name: name.to_string(),
        evaluate_target_health,
    })
}

fn required<'e>(parent: &'e Element, member: &str) -> Result<&'e str, Fault> {
    parent
        .text_of(member)
        .ok_or_else(|| incomplete(&parent.name, member))
}

/// Words a missing member as Route 53's schema validation does.
fn incomplete(element: &str, member: &str) -> Fault {
    invalid_input(format!(
        "Invalid XML ; cvc-complex-type.2.4.b: The content of element '{element}' is not \
         complete. One of '{{\"https://route53.amazonaws.com/doc/2013-04-01/\":{member}}}' is \
         expected."
    ))
}

/// Writes a record set.
pub(crate) fn write_set(set: &RecordSet, xml: &mut XmlWriter) {
    xml.within("ResourceRecordSet", |xml| {
        xml.leaf("Name", &set.name);
        xml.leaf("Type", &set.record_type);
        if !set.set_identifier.is_empty() {
            xml.leaf("SetIdentifier", &set.set_identifier);
        }
        match &set.routing {
            Routing::Simple => {}
            Routing::Weighted(weight) => xml.leaf("Weight", &weight.to_string()),
            Routing::Latency(region) => xml.leaf("Region", region),
            Routing::Primary => xml.leaf("Failover", "PRIMARY"),
            Routing::Secondary => xml.leaf("Failover", "SECONDARY"),
            Routing::Multivalue => xml.leaf("MultiValueAnswer", "true"),
            Routing::Cidr {
                collection,
                location,
            } => xml.within("CidrRoutingConfig", |xml| {
                xml.leaf("CollectionId", collection);
                xml.leaf("LocationName", location);
            }),
        }
        match &set.data {
            Data::Records { ttl, values } => {
                xml.leaf("TTL", &ttl.to_string());
                xml.within("ResourceRecords", |xml| {
                    for value in values {
                        xml.within("ResourceRecord", |xml| xml.leaf("Value", value));
                    }
                });
            }
            Data::Alias {
                hosted_zone_id,
                dns_name,
                evaluate_target_health,
            } => xml.within("AliasTarget", |xml| {
                xml.leaf("HostedZoneId", hosted_zone_id);
                xml.leaf("DNSName", dns_name);
                let evaluate = if *evaluate_target_health {
                    "true"
                } else {
                    "false"
                };
                xml.leaf("EvaluateTargetHealth", evaluate);
            }),
        }
        if let Some(id) = &set.health_check {
            xml.leaf("HealthCheckId", id);
        }
    });
}
