//! A batch of changes against a zone: what it makes of the zone, or everything wrong with it.
//!
//! It stores nothing and changes all or nothing.
//! Source: Route 53 API reference, `ChangeResourceRecordSets`; messages as clients report them.

use std::collections::{BTreeMap, BTreeSet};

use control::dns::cidr::Collections;
use control::dns::{Data, HostedZone, RecordSet, Routing, build};
use dns_core::name::Name;
use dns_core::record_type::RecordType;

use crate::limits::{BATCH_CHARACTERS_MAX, BATCH_RECORDS_MAX, RECORD_SETS_MAX};

mod group;
mod target;
mod values;

pub(crate) use target::Targets;

/// What to do with a record set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make it; it must not exist.
    Create,
    /// Remove it; it must exist with these values.
    Delete,
    /// Make it or replace it.
    Upsert,
}

/// One change of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) action: Action,
    pub(crate) set: RecordSet,
    pub(crate) name: Name,
    pub(crate) record_type: RecordType,
}

impl Change {
    fn key(&self) -> String {
        RecordSet::key(&self.name, &self.set.record_type, &self.set.set_identifier)
    }

    /// Names the record set as Route 53's messages about sets do: `RRSet with DNS name …`.
    fn described(&self) -> String {
        let (name, record_type) = (&self.name, self.record_type);
        match self.set.set_identifier.as_str() {
            "" => format!("RRSet with DNS name {name}, type {record_type}"),
            id => format!("RRSet with DNS name {name}, type {record_type}, SetIdentifier {id}"),
        }
    }
}

/// A zone's record sets by key.
pub(crate) type Sets = BTreeMap<String, RecordSet>;

/// The zone that a batch changes.
pub(crate) struct Zone<'z> {
    pub(crate) hosted: &'z HostedZone,
    pub(crate) apex: Name,
    pub(crate) sets: Sets,
    pub(crate) targets: Targets<'z>,
    pub(crate) collections: &'z Collections,
}

/// Applies a batch.
///
/// Errors: every mistake of the batch, in its order.
pub(crate) fn apply(zone: &Zone<'_>, batch: &[Change]) -> Result<Sets, Vec<String>> {
    let mut messages = too_large(batch);
    for change in batch {
        messages.extend(values::wrong(change));
    }
    if !messages.is_empty() {
        return Err(messages);
    }
    let mut sets = zone.sets.clone();
    let mut touched = BTreeSet::new();
    for change in batch {
        let key = change.key();
        match step(change, &key, &mut sets) {
            Ok(()) => {
                touched.insert(key);
            }
            Err(message) => messages.push(message),
        }
    }
    let standing = |change: &&Change| {
        change.action != Action::Delete && sets.get(&change.key()) == Some(&change.set)
    };
    for change in batch.iter().filter(standing) {
        messages.extend(misplaced(zone, change, &sets));
        messages.extend(group::conflicts(change, &sets));
        messages.extend(zone.targets.wrong(zone, change, &sets));
    }
    messages.extend(missing(zone, &sets));
    if RECORD_SETS_MAX < sets.len() {
        messages.push(format!(
            "Number of records limit of {RECORD_SETS_MAX} exceeded."
        ));
    }
    if messages.is_empty() {
        messages.extend(unanswered(zone, &sets, &touched));
    }
    if messages.is_empty() {
        Ok(sets)
    } else {
        Err(messages)
    }
}

fn step(change: &Change, key: &str, sets: &mut Sets) -> Result<(), String> {
    let (name, record_type) = (&change.name, change.record_type);
    let identifier = match change.set.set_identifier.as_str() {
        "" => String::new(),
        id => format!(", set-identifier='{id}'"),
    };
    let place = format!("[name='{name}', type='{record_type}'{identifier}]");
    match (change.action, sets.get(key)) {
        (Action::Create, Some(_)) => Err(format!(
            "Tried to create resource record set {place} but it already exists"
        )),
        (Action::Delete, None) => Err(format!(
            "Tried to delete resource record set {place} but it was not found"
        )),
        (Action::Delete, Some(current)) if !is_same(&change.set, current) => Err(format!(
            "Tried to delete resource record set {place} but the values provided do not match \
             the current values"
        )),
        (Action::Delete, Some(_)) => {
            sets.remove(key);
            Ok(())
        }
        (Action::Create, None) | (Action::Upsert, _) => {
            sets.insert(key.to_owned(), change.set.clone());
            Ok(())
        }
    }
}

/// Returns whether what is to be removed is what is there; a policy left out matches any.
fn is_same(given: &RecordSet, current: &RecordSet) -> bool {
    let sorted = |data: &Data| match data {
        Data::Records { ttl, values } => {
            let mut values = values.clone();
            values.sort();
            Data::Records { ttl: *ttl, values }
        }
        alias @ Data::Alias { .. } => alias.clone(),
    };
    let routing = given.routing == Routing::Simple || given.routing == current.routing;
    let check = given.health_check == current.health_check;
    routing && check && sorted(&given.data) == sorted(&current.data)
}

/// Returns what is wrong with the size of a batch.
fn too_large(batch: &[Change]) -> Vec<String> {
    let (mut records, mut characters) = (0, 0);
    for change in batch {
        let times = if change.action == Action::Upsert {
            2
        } else {
            1
        };
        if let Data::Records { values, .. } = &change.set.data {
            records += times * values.len();
            let of = |value: &String| value.chars().count();
            characters += times * values.iter().map(of).sum::<usize>();
        } else {
            records += times;
        }
    }
    let mut messages = Vec::new();
    if BATCH_RECORDS_MAX < records {
        messages.push(format!(
            "Number of records limit of {BATCH_RECORDS_MAX} exceeded."
        ));
    }
    if BATCH_CHARACTERS_MAX < characters {
        messages.push(format!(
            "Number of characters limit of {BATCH_CHARACTERS_MAX} exceeded."
        ));
    }
    messages
}

/// Returns why a record set may not stand at its name.
fn misplaced(zone: &Zone<'_>, change: &Change, sets: &Sets) -> Option<String> {
    let (name, record_type) = (&change.name, change.record_type);
    let apex = zone.apex.to_string();
    if !name.is_within(&zone.apex) {
        return Some(format!(
            "RRSet with DNS name {name} is not permitted in zone {apex}"
        ));
    }
    let at_apex = *name == zone.apex;
    if record_type == RecordType::Cname && at_apex {
        return Some(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {apex}"
        ));
    }
    if record_type == RecordType::Soa && !at_apex {
        return Some(format!(
            "RRSet of type SOA with DNS name {name} is permitted only at apex in zone {apex}"
        ));
    }
    if record_type == RecordType::Ns && name.is_wildcard() {
        return Some(format!(
            "RRSet of type NS with DNS name {name} is not permitted as a wildcard cannot delegate"
        ));
    }
    let prefix = format!("{} ", name.sort_key());
    let others = sets
        .range(prefix.clone()..)
        .take_while(|(key, _)| key.starts_with(&prefix))
        .map(|(_, set)| set.record_type.as_str());
    let is_cname = record_type == RecordType::Cname;
    let mut others = others.filter(|other| (*other == "CNAME") != is_cname);
    others.next().map(|_| {
        if is_cname {
            format!(
                "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with \
                 other records with the same DNS name in zone {apex}"
            )
        } else {
            // Two spaces before CNAME, as Route 53 has them.
            format!(
                "RRSet of type {record_type} with DNS name {name} is not permitted because a \
                 conflicting RRSet of type  CNAME with the same DNS name already exists in zone \
                 {apex}"
            )
        }
    })
}

/// Returns which of the record sets that every zone must have are gone.
fn missing(zone: &Zone<'_>, sets: &Sets) -> Vec<String> {
    let has = |record_type: &str| sets.contains_key(&RecordSet::key(&zone.apex, record_type, ""));
    let mut messages = Vec::new();
    if !has("SOA") {
        messages.push("A HostedZone must contain exactly one SOA record.".to_owned());
    }
    if !has("NS") {
        let message = "A HostedZone must contain at least one NS record for the zone itself.";
        messages.push(message.to_owned());
    }
    messages
}

/// Lays the zone out as the DNS server will, and returns what it would leave out of this batch.
fn unanswered(zone: &Zone<'_>, sets: &Sets, touched: &BTreeSet<String>) -> Vec<String> {
    let touches_alias = |key: &String| {
        let alias = |set: &RecordSet| matches!(set.data, Data::Alias { .. });
        sets.get(key).is_some_and(alias)
    };
    // Only aliases can be wrong in ways that the rules above do not see: circles and long chains.
    if !touched.iter().any(touches_alias) {
        return Vec::new();
    }
    let sets: Vec<RecordSet> = sets.values().cloned().collect();
    let problems = build::zone(zone.hosted, &sets, zone.collections).map(|(_, problems)| problems);
    let problems = problems.unwrap_or_default();
    problems.into_iter().map(|problem| problem.why).collect()
}

#[cfg(test)]
mod tests;
