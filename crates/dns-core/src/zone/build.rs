//! From stored record sets to a zone laid out for lookup.
//!
//! It never fails: what contradicts the rest is left out and named, so that one bad record set,
//! as two regions writing at once can make, does not take a zone away.

use std::collections::{BTreeMap, BTreeSet};

use base::region::RegionId;
use base::units::Ttl;

use super::{
    AliasTo, Condition, Data, Entry, Found, Group, GroupIndex, Node, NodeIndex, Routing, Rrset,
    SetSource, Target, Zone, ZoneSource,
};
use crate::internal;
use crate::limits::ALIAS_CHAIN_MAX;
use crate::name::Name;
use crate::record_type::RecordType;

/// Something in a zone's source that is not answered, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A record set's name lies outside its zone.
    #[error("{name} lies outside the zone")]
    Outside {
        /// The name.
        name: Name,
    },
    /// A CNAME record has company at its name, or stands at the zone's top.
    #[error("CNAME of {name} conflicts with other records of that name")]
    CnameConflict {
        /// The name.
        name: Name,
    },
    /// Record sets of one name and type have different policies, or a simple one has company.
    #[error("set {set_identifier:?} of {name} {record_type} has another routing policy")]
    MixedPolicies {
        /// The name.
        name: Name,
        /// The type.
        record_type: RecordType,
        /// The set that is left out.
        set_identifier: String,
    },
    /// Record sets of one name and type go by different CIDR collections.
    #[error("set {set_identifier:?} of {name} {record_type} has another CIDR collection")]
    MixedCollections {
        /// The name.
        name: Name,
        /// The type.
        record_type: RecordType,
        /// The set that is left out.
        set_identifier: String,
    },
    /// A record set has no value.
    #[error("{name} {record_type} has no value")]
    NoValue {
        /// The name.
        name: Name,
        /// The type.
        record_type: RecordType,
    },
    /// An alias leads nowhere or back to itself.
    #[error("alias {name} {record_type} leads to {target}, which answers nothing")]
    DeadAlias {
        /// The alias.
        name: Name,
        /// Its type.
        record_type: RecordType,
        /// Where it leads.
        target: Name,
    },
    /// The zone has no SOA record, which negative answers need.
    #[error("the zone has no SOA record")]
    NoSoa,
}

/// Lays out a zone, and names what could not be.
pub fn zone(source: ZoneSource) -> (Zone, Vec<Problem>) {
    let mut problems = Vec::new();
    let grouped = group(source.sets, &source.apex, &mut problems);
    let mut zone = Zone {
        id: source.id,
        negative: None,
        nodes: Vec::new(),
        by_name: super::NameMap::default(),
        groups: Vec::new(),
        conditions: Vec::new(),
        apex: source.apex,
    };
    lay_out_names(&mut zone, grouped.keys().map(|(name, _)| name));
    let mut sources = Vec::new();
    for ((name, record_type), sets) in grouped {
        let at = zone.groups.len();
        if let Some(node) = zone.by_name.get(&name).copied() {
            push_group(&mut zone, node, at);
        }
        zone.groups.push(lay_out_group(record_type, &sets));
        sources.push((name, sets));
    }
    link_cuts_and_wildcards(&mut zone);
    resolve_aliases(&mut zone, &sources, &mut problems);
    list_conditions(&mut zone, &sources);
    zone.negative = negative_soa(&zone);
    if zone.negative.is_none() {
        problems.push(Problem::NoSoa);
    }
    (zone, problems)
}

type Grouped = BTreeMap<(Name, RecordType), Vec<SetSource>>;

fn group(sets: Vec<SetSource>, apex: &Name, problems: &mut Vec<Problem>) -> Grouped {
    let mut grouped = Grouped::new();
    for set in sets {
        let (name, record_type) = (set.name.clone(), set.record_type);
        let empty = matches!(&set.data, Data::Records { values, .. } if values.is_empty());
        if !name.is_within(apex) {
            problems.push(Problem::Outside { name });
        } else if empty {
            problems.push(Problem::NoValue { name, record_type });
        } else {
            grouped.entry((name, record_type)).or_default().push(set);
        }
    }
    let crowded: Vec<Name> = grouped
        .keys()
        .filter(|(_, record_type)| *record_type == RecordType::Cname)
        .filter(|(name, _)| {
            let company = RecordType::all()
                .filter(|other| *other != RecordType::Cname)
                .any(|other| grouped.contains_key(&(name.clone(), other)));
            company || name == apex
        })
        .map(|(name, _)| name.clone())
        .collect();
    for name in crowded {
        grouped.remove(&(name.clone(), RecordType::Cname));
        problems.push(Problem::CnameConflict { name });
    }
    for ((name, record_type), sets) in &mut grouped {
        sets.sort_by(|a, b| a.set_identifier.cmp(&b.set_identifier));
        let policy = sets.first().map(|set| set.routing.policy());
        let first = sets.first().map(|set| set.routing.clone());
        let collection = first.as_ref().and_then(collection_of);
        let mut kept = 0;
        sets.retain(|set| {
            let alone = matches!(set.routing, Routing::Simple) && kept == 1;
            let fits = Some(set.routing.policy()) == policy && !alone;
            if fits && collection_of(&set.routing) != collection {
                problems.push(Problem::MixedCollections {
                    name: name.clone(),
                    record_type: *record_type,
                    set_identifier: set.set_identifier.clone(),
                });
                return false;
            }
            kept += usize::from(fits);
            if !fits {
                problems.push(Problem::MixedPolicies {
                    name: name.clone(),
                    record_type: *record_type,
                    set_identifier: set.set_identifier.clone(),
                });
            }
            fits
        });
    }
    grouped
}

/// Returns the id of the collection that a record set goes by.
fn collection_of(routing: &Routing) -> Option<&str> {
    match routing {
        Routing::Cidr { collection, .. } => Some(collection.id()),
        Routing::Simple
        | Routing::Weighted(_)
        | Routing::Latency(_)
        | Routing::Failover(_)
        | Routing::Multivalue => None,
    }
}

/// Makes a node of each name and of all names between it and the top.
fn lay_out_names<'n>(zone: &mut Zone, names: impl Iterator<Item = &'n Name>) {
    let mut existing = BTreeSet::from([zone.apex.clone()]);
    for name in names {
        let mut at = Some(name.clone());
        while let Some(name) = at.take_if(|name| name.is_within(&zone.apex)) {
            let parent = name.parent();
            if !existing.insert(name) {
                break;
            }
            at = parent;
        }
    }
    for (at, name) in existing.into_iter().enumerate() {
        zone.by_name.insert(name.clone(), at);
        zone.nodes.push(Node {
            name,
            groups: Box::new([]),
            cut: None,
            wildcard: None,
        });
    }
}

fn push_group(zone: &mut Zone, node: NodeIndex, group: GroupIndex) {
    if let Some(node) = zone.nodes.get_mut(node) {
        let mut groups = std::mem::take(&mut node.groups).into_vec();
        groups.push(group);
        node.groups = groups.into();
    }
}

fn lay_out_group(record_type: RecordType, sets: &[SetSource]) -> Group {
    let entries: Box<[Entry]> = sets
        .iter()
        .map(|set| Entry {
            set_identifier: set.set_identifier.clone(),
            region: match &set.routing {
                Routing::Latency(region) => region.id(),
                Routing::Simple
                | Routing::Weighted(_)
                | Routing::Failover(_)
                | Routing::Multivalue
                | Routing::Cidr { .. } => RegionId::default(),
            },
            routing: set.routing.clone(),
            condition: None,
            target: match &set.data {
                Data::Records { ttl, values } => {
                    Target::Records(Rrset::new(record_type, *ttl, values))
                }
                Data::Alias { target, .. } => Target::Alias {
                    name: target.clone(),
                    to: AliasTo::Nowhere,
                },
            },
        })
        .collect();
    let policy = sets
        .first()
        .expect("a group is made by its first set")
        .routing
        .policy();
    debug_assert!(entries.len() == sets.len());
    Group {
        record_type,
        code: record_type.code(),
        policy,
        entries,
    }
}

fn link_cuts_and_wildcards(zone: &mut Zone) {
    for at in 0..zone.nodes.len() {
        let Some(node) = zone.nodes.get(at) else {
            break;
        };
        let name = node.name.clone();
        let mut cut = None;
        let mut above = Some(name.clone());
        // The delegation closest to the top hides all below it.
        while let Some(here) = above.take_if(|here| *here != zone.apex) {
            if let Some(node) = zone.by_name.get(&here).copied()
                && delegates(zone, node)
            {
                cut = Some(node);
            }
            above = here.parent();
        }
        let wildcard_of = name
            .is_wildcard()
            .then(|| name.parent().and_then(|parent| zone.by_name.get(&parent)))
            .flatten()
            .copied();
        if let Some(node) = zone.nodes.get_mut(at) {
            node.cut = cut;
        }
        if let Some(parent) = wildcard_of.and_then(|parent| zone.nodes.get_mut(parent)) {
            parent.wildcard = Some(at);
        }
    }
}

fn delegates(zone: &Zone, node: NodeIndex) -> bool {
    zone.nodes.get(node).is_some_and(|node| {
        !node.name.is_wildcard() && zone.group_of(node, RecordType::Ns.code()).is_some()
    })
}

/// Points every alias at its group, and breaks those that lead too far, round in circles or away.
fn resolve_aliases(
    zone: &mut Zone,
    sources: &[(Name, Vec<SetSource>)],
    problems: &mut Vec<Problem>,
) {
    let mut found: Vec<Vec<AliasTo>> = zone.groups.iter().map(|g| aliases_of(zone, g)).collect();
    // After so many rounds of "one more than what I lead to", only endless chains stand higher.
    let mut depths = vec![0_usize; zone.groups.len()];
    for _ in 0..=ALIAS_CHAIN_MAX {
        let next = found.iter().map(|aliases| {
            let below = aliases.iter().filter_map(|to| match to {
                AliasTo::Group(group) => depths.get(*group).map(|depth| depth + 1),
                AliasTo::Internal => Some(1),
                AliasTo::Nowhere => None,
            });
            below.max().unwrap_or(0)
        });
        depths = next.collect();
    }
    for aliases in &mut found {
        for to in aliases {
            if let AliasTo::Group(group) = *to
                && depths
                    .get(group)
                    .is_none_or(|depth| ALIAS_CHAIN_MAX <= *depth)
            {
                *to = AliasTo::Nowhere;
            }
        }
    }
    for ((group, aliases), (name, _)) in zone.groups.iter_mut().zip(found).zip(sources) {
        let mut aliases = aliases.into_iter();
        for entry in &mut group.entries {
            if let Target::Alias { name: target, to } = &mut entry.target {
                *to = aliases.next().unwrap_or(AliasTo::Nowhere);
                if *to == AliasTo::Nowhere {
                    problems.push(Problem::DeadAlias {
                        name: name.clone(),
                        record_type: group.record_type,
                        target: target.clone(),
                    });
                }
            }
        }
    }
}

/// Returns where each alias of a group leads, before chains are checked.
fn aliases_of(zone: &Zone, group: &Group) -> Vec<AliasTo> {
    let targets = group
        .entries
        .iter()
        .filter_map(|entry| match &entry.target {
            Target::Alias { name, .. } => Some(name),
            Target::Records(_) => None,
        });
    targets
        .map(|target| {
            if internal::is_internal(target) {
                return AliasTo::Internal;
            }
            if !target.is_within(&zone.apex) {
                return AliasTo::Nowhere;
            }
            let node = match zone.find(target.as_wire()) {
                Found::Node(node) | Found::Wildcard(node) => node,
                Found::Referral { .. } | Found::NameError => return AliasTo::Nowhere,
            };
            let same_type = |at: &&GroupIndex| {
                zone.group(**at)
                    .is_some_and(|target| target.code == group.code)
            };
            node.groups
                .iter()
                .find(same_type)
                .map_or(AliasTo::Nowhere, |at| AliasTo::Group(*at))
        })
        .collect()
}

/// Lists the conditions of all entries, those of alias targets before those of aliases.
fn list_conditions(zone: &mut Zone, sources: &[(Name, Vec<SetSource>)]) {
    let mut order: Vec<GroupIndex> = Vec::with_capacity(zone.groups.len());
    let mut placed = vec![false; zone.groups.len()];
    // Chains are at most so long, so each round places at least the next link of each.
    for _ in 0..=ALIAS_CHAIN_MAX {
        for (at, group) in zone.groups.iter().enumerate() {
            let ready = group.entries.iter().all(|entry| match &entry.target {
                Target::Alias {
                    to: AliasTo::Group(target),
                    ..
                } => placed.get(*target).copied().unwrap_or(true),
                Target::Alias { .. } | Target::Records(_) => true,
            });
            if let Some(placed) = placed.get_mut(at)
                && ready
                && !*placed
            {
                *placed = true;
                order.push(at);
            }
        }
    }
    debug_assert_eq!(order.len(), zone.groups.len(), "no alias leads in a circle");
    for at in order {
        let (Some(group), Some((_, sets))) = (zone.groups.get_mut(at), sources.get(at)) else {
            continue;
        };
        let code = group.code;
        for (entry, set) in group.entries.iter_mut().zip(sets) {
            let target = match (&entry.target, &set.data) {
                (
                    Target::Alias { name, to },
                    Data::Alias {
                        evaluate_target_health: true,
                        ..
                    },
                ) => Some((*to, name.clone(), code)),
                (Target::Alias { .. } | Target::Records(_), _) => None,
            };
            if set.health.is_some() || target.is_some() {
                entry.condition = Some(zone.conditions.len());
                zone.conditions.push(Condition {
                    source: set.health.clone(),
                    target,
                });
            }
        }
    }
}

/// Returns the SOA record with the time to live of negative answers.
///
//= rfc2308 §3: the lesser of the record's own time to live and its last field.
fn negative_soa(zone: &Zone) -> Option<Rrset> {
    let apex = zone.node_named(zone.apex.as_wire())?;
    let group = zone.group_of(apex, RecordType::Soa.code())?;
    let Target::Records(set) = &group.entries.first()?.target else {
        return None;
    };
    let minimum = *set.data().next()?.last_chunk::<4>()?;
    let minimum = Ttl::seconds(u32::from_be_bytes(minimum));
    Some(set.with_ttl(set.ttl().min(minimum)))
}
