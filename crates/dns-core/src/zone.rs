//! One hosted zone, laid out for lookup: names, record sets and their policies.
//!
//! It picks nothing: which of a group's entries is answered is decided by [`crate::policy`].
//! Source: RFC 1034 §4.3.2, RFC 4592; Route 53 developer guide, "Choosing a routing policy".

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use base::region::{RegionId, RegionName};
use base::units::Ttl;

use crate::cidr;
use crate::health::{Health, HealthSource, Verdict};
use crate::name::{self, Name};
use crate::rdata::Rdata;
use crate::record_type::RecordType;

pub mod build;
mod rrset;

pub(crate) use rrset::Rrset;

/// A hosted zone as it is stored: what [`build::zone`] lays out.
#[derive(Clone, Debug)]
pub struct ZoneSource {
    /// The zone's id, without a prefix.
    pub id: String,
    /// The name at the zone's top.
    pub apex: Name,
    /// Its record sets, in any order.
    pub sets: Vec<SetSource>,
}

/// A record set as it is stored.
#[derive(Clone, Debug)]
pub struct SetSource {
    /// The name that owns it.
    pub name: Name,
    /// The type of its records.
    pub record_type: RecordType,
    /// What tells it from others of its name and type; empty for simple routing.
    pub set_identifier: String,
    /// How it is chosen among others of its name and type.
    pub routing: Routing,
    /// What its health hangs on, where that is anything.
    pub health: Option<HealthSource>,
    /// What it answers.
    pub data: Data,
}

/// How a record set is chosen among those of its name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// It is the only one.
    Simple,
    /// In proportion to its weight.
    Weighted(u8),
    /// When this region is the closest to the client.
    Latency(RegionName),
    /// First, or when the first is unhealthy.
    Failover(Role),
    /// Together with up to seven others.
    Multivalue,
    /// When the client's address lies in a location.
    Cidr {
        /// The collection that has the location; all of a group have the same.
        collection: Arc<cidr::Collection>,
        /// The location; [`cidr::DEFAULT_LOCATION`] for all other clients.
        location: String,
    },
}

/// The two roles of failover routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Answered while healthy, and when nothing is.
    Primary,
    /// Answered while the primary is unhealthy.
    Secondary,
}

/// The routing policies, which record sets of one name and type must share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One record set, always.
    Simple,
    /// By weight, at random.
    Weighted,
    /// By the client's distance to regions.
    Latency,
    /// Primary, then secondary.
    Failover,
    /// Several at once.
    Multivalue,
    /// By the block that the client's address lies in.
    Cidr,
}

impl Routing {
    /// Returns the policy.
    pub const fn policy(&self) -> Policy {
        match self {
            Self::Simple => Policy::Simple,
            Self::Weighted(_) => Policy::Weighted,
            Self::Latency(_) => Policy::Latency,
            Self::Failover(_) => Policy::Failover,
            Self::Multivalue => Policy::Multivalue,
            Self::Cidr { .. } => Policy::Cidr,
        }
    }
}

/// What a record set answers.
#[derive(Clone, Debug)]
pub enum Data {
    /// Its own records.
    Records {
        /// How long they may be kept.
        ttl: Ttl,
        /// One or more values.
        values: Vec<Rdata>,
    },
    /// What another name answers for the same type.
    Alias {
        /// The other name: of this zone, or one that Hither made.
        target: Name,
        /// Whether the target's health counts as this record set's own.
        evaluate_target_health: bool,
    },
}

/// A hosted zone, laid out.
#[derive(Debug)]
pub struct Zone {
    id: String,
    apex: Name,
    nodes: Vec<Node>,
    by_name: NameMap<NodeIndex>,
    groups: Vec<Group>,
    conditions: Vec<Condition>,
    negative: Option<Rrset>,
}

/// The position of a node in its zone.
type NodeIndex = usize;

/// The position of a group in its zone.
pub(crate) type GroupIndex = usize;

/// A name that exists in a zone, perhaps only because names below it do.
#[derive(Debug)]
pub(crate) struct Node {
    name: Name,
    groups: Box<[GroupIndex]>,
    /// The delegation at or above this name.
    cut: Option<NodeIndex>,
    /// `*` right below this name.
    wildcard: Option<NodeIndex>,
}

/// The record sets of one name and type.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) record_type: RecordType,
    pub(crate) code: u16,
    pub(crate) policy: Policy,
    /// Never empty.
    pub(crate) entries: Box<[Entry]>,
}

/// One record set of a group.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) set_identifier: String,
    pub(crate) routing: Routing,
    /// The region of latency routing; of other policies it means nothing.
    pub(crate) region: RegionId,
    /// Where its verdict is; without one it is always healthy.
    condition: Option<usize>,
    pub(crate) target: Target,
}

/// What an entry answers.
#[derive(Debug)]
pub(crate) enum Target {
    Records(Rrset),
    Alias { name: Name, to: AliasTo },
}

/// Where an alias leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AliasTo {
    /// To a group of the same zone.
    Group(GroupIndex),
    /// To a name that Hither made, in its own zone.
    Internal,
    /// Nowhere: the target does not exist, or leads back here.
    Nowhere,
}

/// What an entry's health hangs on. A zone lists them so that a condition on a group comes after
/// the conditions of that group.
#[derive(Debug)]
struct Condition {
    source: Option<HealthSource>,
    /// The group that must have a healthy entry: an alias that evaluates its target.
    target: Option<(AliasTo, Name, u16)>,
}

/// The verdicts on a zone's conditions, one each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdicts(Box<[bool]>);

impl Verdicts {
    /// Returns whether an entry is healthy.
    pub(crate) fn healthy(&self, entry: &Entry) -> bool {
        match entry.condition {
            None => true,
            Some(at) => self.0.get(at).copied().unwrap_or(true),
        }
    }

    /// Returns whether a group has a healthy entry.
    pub(crate) fn any_healthy(&self, group: &Group) -> bool {
        group.entries.iter().any(|entry| self.healthy(entry))
    }
}

/// What looking up a name in a zone finds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'z> {
    /// The name itself.
    Node(&'z Node),
    /// A wildcard that stands for it.
    Wildcard(&'z Node),
    /// A delegation: others answer for it. `at` is the offset of the delegated name in the name.
    Referral { cut: &'z Node, at: usize },
    /// The name does not exist.
    NameError,
}

impl Zone {
    /// Returns the zone's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name at the zone's top.
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// Returns the SOA record of negative answers.
    pub(crate) fn negative(&self) -> Option<&Rrset> {
        self.negative.as_ref()
    }

    /// Returns whether any name but the top exists.
    pub(crate) fn has_names_below_apex(&self) -> bool {
        1 < self.nodes.len()
    }

    pub(crate) fn group(&self, at: GroupIndex) -> Option<&Group> {
        self.groups.get(at)
    }

    /// Finds what there is at `name`, which must lie within the zone.
    ///
    //= rfc1034 §4.3.2: down from the zone's top, stopping at delegations, wildcards last.
    //= rfc4592 §3.3.1: only the closest name that exists lends its wildcard.
    pub(crate) fn find(&self, name: &[u8]) -> Found<'_> {
        for (offset, suffix) in name::suffixes(name) {
            let Some(node) = self.node_named(suffix) else {
                continue;
            };
            if let Some(cut) = node.cut.and_then(|at| self.nodes.get(at)) {
                let at = name.len() - cut.name.as_wire().len();
                return Found::Referral { cut, at };
            }
            if offset == 0 {
                return Found::Node(node);
            }
            let wildcard = node.wildcard.and_then(|at| self.nodes.get(at));
            return wildcard.map_or(Found::NameError, Found::Wildcard);
        }
        Found::NameError
    }

    fn node_named(&self, name: &[u8]) -> Option<&Node> {
        self.by_name.get(name).and_then(|at| self.nodes.get(*at))
    }

    /// Finds the node of a name at or below a delegation: addresses of its name servers, and DS.
    pub(crate) fn below_cut(&self, name: &[u8]) -> Option<&Node> {
        self.node_named(name)
    }

    /// Finds a node's record sets of one type.
    pub(crate) fn group_of(&self, node: &Node, code: u16) -> Option<&Group> {
        node.groups
            .iter()
            .filter_map(|at| self.groups.get(*at))
            .find(|group| group.code == code)
    }

    /// Judges every condition. `internal` judges groups of Hither's own zone.
    pub(crate) fn judge(&self, health: &Health, internal: impl Fn(&Name, u16) -> bool) -> Verdicts {
        let mut verdicts = Verdicts(vec![true; self.conditions.len()].into());
        for (at, condition) in self.conditions.iter().enumerate() {
            let own = condition
                .source
                .as_ref()
                .is_none_or(|source| health.verdict(source) == Verdict::Healthy);
            let target = condition
                .target
                .as_ref()
                .is_none_or(|(to, name, code)| match to {
                    AliasTo::Group(group) => self
                        .groups
                        .get(*group)
                        .is_some_and(|group| verdicts.any_healthy(group)),
                    AliasTo::Internal => internal(name, *code),
                    AliasTo::Nowhere => false,
                });
            if let Some(verdict) = verdicts.0.get_mut(at) {
                *verdict = own && target;
            }
        }
        verdicts
    }
}

impl Node {
    /// Returns the name.
    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// Returns whether the name owns nothing itself.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

/// A map by name. Its hash is fixed: names come from our own snapshot, and lookups never grow it.
pub(crate) type NameMap<T> = HashMap<Name, T, BuildHasherDefault<NameHasher>>;

/// Multiplies and rotates, eight bytes at a time: names are short, and nobody else fills the map.
#[derive(Default)]
pub(crate) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let last = rest
            .iter()
            .fold(1_u64, |last, byte| (last << 8) | u64::from(*byte));
        self.write_u64(last);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, length: usize) {
        self.write_u64(length as u64);
    }
}

#[cfg(test)]
mod tests;
