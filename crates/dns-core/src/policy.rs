//! Routing policies: which record sets of a group a client is given.
//!
//! It never gives nothing because of health: where all are unhealthy, all count as healthy.
//! Source: Route 53 developer guide, "How Route 53 chooses records when health checking is
//! configured", "Choosing a routing policy".

use std::net::IpAddr;

use crate::because::{By, Explain, Step, ToldBy};
use crate::cidr::{self, Collection};
use crate::health::Verdict;
use crate::latency::{Located, Rtt};
use crate::limits::{ALIAS_CHAIN_MAX, MULTIVALUE_MAX};
use crate::prefix::Family;
use crate::query::ClientSubnet;
use crate::view::{Judged, View, rtt_of};
use crate::zone::{AliasTo, Entry, Found, Group, Policy, Role, Routing, Rrset, Target, Verdicts};
use crate::zones::INTERNAL;

/// Who asks, as far as it decides an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    /// Where the packet came from.
    pub(crate) address: IpAddr,
    /// What the packet says of the client behind it.
    pub(crate) subnet: Option<ClientSubnet>,
}

/// Chooses record sets for one asker.
pub(crate) struct Chooser<'v, 'e, E> {
    view: &'v View,
    asker: Asker,
    random: Random,
    located: Option<Located<'v>>,
    /// Bits of the client's address that decided beside its distances.
    scope: u8,
    explain: &'e mut E,
}

/// The record sets that were picked, at most [`MULTIVALUE_MAX`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Picked<'v> {
    sets: [Option<&'v Rrset>; MULTIVALUE_MAX],
}

impl<'v> Picked<'v> {
    fn one(set: &'v Rrset) -> Self {
        let mut picked = Self::default();
        if let Some(place) = picked.sets.first_mut() {
            *place = Some(set);
        }
        picked
    }

    /// Returns the record sets.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'v Rrset> {
        self.sets.iter().filter_map(|set| *set)
    }
}

impl<'v, 'e, E: Explain> Chooser<'v, 'e, E> {
    pub(crate) fn new(view: &'v View, asker: Asker, seed: u64, explain: &'e mut E) -> Self {
        Self {
            view,
            asker,
            random: Random(seed),
            located: None,
            scope: 0,
            explain,
        }
    }

    /// Takes down a step.
    pub(crate) fn note(&mut self, step: impl FnOnce() -> Step) {
        self.explain.note(step);
    }

    /// Returns a random number below `below`; 0 for 0.
    pub(crate) fn random(&mut self, below: usize) -> usize {
        self.random.below(below)
    }

    /// Returns how many bits of the client's address decided so far.
    pub(crate) fn scope(&self) -> u8 {
        let located = self.located.map_or(0, |located| located.scope);
        located.max(self.scope)
    }

    /// Picks what a group answers, through aliases to the end.
    ///
    /// Shape: empty only where an alias leads nowhere, or where a policy that goes by the client's
    /// place has nothing for it.
    pub(crate) fn pick(&mut self, judged: Judged<'v>, group: &'v Group) -> Picked<'v> {
        let (mut judged, mut group) = (judged, group);
        for _ in 0..=ALIAS_CHAIN_MAX {
            if group.policy == Policy::Multivalue {
                return self.several(judged.verdicts, group);
            }
            let Some(entry) = self.one(judged.verdicts, group) else {
                self.explain.note(|| Step::NoneFits);
                return Picked::default();
            };
            self.explain.note(|| Step::Chosen {
                set_identifier: entry.set_identifier.clone(),
                policy: group.policy,
            });
            let (name, to) = match &entry.target {
                Target::Records(set) => return Picked::one(set),
                Target::Alias { name, to } => (name, *to),
            };
            let next =
                match to {
                    AliasTo::Group(at) => judged.zone.group(at).map(|group| (judged, group)),
                    AliasTo::Internal => self.view.zone(INTERNAL).and_then(|own| {
                        match own.zone.find(name.as_wire()) {
                            Found::Node(node) | Found::Wildcard(node) => {
                                Some((own, own.zone.group_of(node, group.code)?))
                            }
                            Found::Referral { .. } | Found::NameError => None,
                        }
                    }),
                    AliasTo::Nowhere => None,
                };
            let Some(next) = next else {
                self.explain.note(|| Step::DeadAlias(name.to_string()));
                return Picked::default();
            };
            self.explain.note(|| Step::Alias(name.to_string()));
            (judged, group) = next;
        }
        Picked::default()
    }

    /// Picks one entry by its group's policy, leaving out the unhealthy unless all are.
    fn one(&mut self, verdicts: &Verdicts, group: &'v Group) -> Option<&'v Entry> {
        let first = group.entries.first().expect("a group has an entry");
        if group.policy == Policy::Simple {
            return Some(first);
        }
        if let Routing::Cidr { collection, .. } = &first.routing {
            return self.by_location(verdicts, group, collection);
        }
        self.describe(verdicts, group);
        let open = !verdicts.any_healthy(group);
        if open {
            self.explain.note(|| Step::FailedOpen);
        }
        let usable = |entry: &&Entry| open || verdicts.healthy(entry);
        let candidates = || group.entries.iter().filter(usable);
        let chosen = match group.policy {
            Policy::Simple | Policy::Multivalue | Policy::Cidr => None,
            Policy::Weighted => self.by_weight(candidates),
            Policy::Latency => {
                let located = self.locate();
                candidates().min_by_key(|entry| self.distance(located, entry))
            }
            Policy::Failover => {
                // When all are unhealthy the primary is among the candidates, and it goes first.
                let primary = |entry: &&Entry| entry.routing == Routing::Failover(Role::Primary);
                candidates().find(primary).or_else(|| candidates().next())
            }
        };
        Some(chosen.unwrap_or(first))
    }

    /// Picks the entry of the smallest block around the client that has a healthy one, the default
    /// after all blocks. Where all that fit are unhealthy, the first that fits counts as healthy.
    fn by_location(
        &mut self,
        verdicts: &Verdicts,
        group: &'v Group,
        collection: &'v Collection,
    ) -> Option<&'v Entry> {
        let (client, told_by) = self.client();
        let (scope, blocks) = collection.find(client);
        self.scope = self.scope.max(scope);
        self.explain.note(|| Step::Client {
            address: client.address,
            told_by,
            network: blocks.clone().next().map(|(block, location)| {
                format!(
                    "{block} of location {location} in CIDR collection {}",
                    collection.id()
                )
            }),
            scope,
        });
        self.describe(verdicts, group);
        let locations = blocks.map(|(_, location)| location);
        let fitting = || {
            let locations = locations.clone().chain([cidr::DEFAULT_LOCATION]);
            locations
                .filter_map(|location| group.entries.iter().find(|entry| is_at(entry, location)))
        };
        if let Some(healthy) = fitting().find(|entry| verdicts.healthy(entry)) {
            return Some(healthy);
        }
        let first = fitting().next()?;
        self.explain.note(|| Step::FailedOpen);
        Some(first)
    }

    /// Returns the network that asks and who told it.
    fn client(&self) -> (ClientSubnet, ToldBy) {
        match self.asker.subnet {
            Some(subnet) if 0 < subnet.source => (subnet, ToldBy::Subnet),
            Some(_) | None => {
                let address = self.asker.address.to_canonical();
                let source = Family::of(address).bits();
                (ClientSubnet { address, source }, ToldBy::Packet)
            }
        }
    }

    fn by_weight<I>(&mut self, candidates: impl Fn() -> I) -> Option<&'v Entry>
    where
        I: Iterator<Item = &'v Entry>,
    {
        let total: usize = candidates().map(weight).sum();
        if total == 0 {
            // Weight 0 has its turn when nothing heavier is healthy: all of them alike.
            let count = candidates().count();
            return candidates().nth(self.random.below(count));
        }
        let mut left = self.random.below(total);
        candidates().find(|entry| match left.checked_sub(weight(entry)) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        })
    }

    /// Picks up to eight healthy entries, each as likely as any other.
    fn several(&mut self, verdicts: &Verdicts, group: &'v Group) -> Picked<'v> {
        self.describe(verdicts, group);
        let open = !verdicts.any_healthy(group);
        if open {
            self.explain.note(|| Step::FailedOpen);
        }
        let usable = |entry: &&Entry| open || verdicts.healthy(entry);
        let mut left = group.entries.iter().filter(usable).count();
        let mut picked = Picked::default();
        let mut places = picked.sets.iter_mut();
        for entry in group.entries.iter().filter(usable) {
            // Of those left, as many are taken as there are places left.
            let taken = self.random.below(left) < places.len();
            left -= 1;
            let Target::Records(set) = &entry.target else {
                continue;
            };
            if taken && let Some(place) = places.next() {
                *place = Some(set);
                self.explain.note(|| Step::Chosen {
                    set_identifier: entry.set_identifier.clone(),
                    policy: group.policy,
                });
            }
        }
        picked
    }

    /// Finds where the client is, once for each answer.
    fn locate(&mut self) -> Located<'v> {
        if let Some(located) = self.located {
            return located;
        }
        let (ClientSubnet { address, .. }, told_by) = self.client();
        let located = self.view.latency().locate(address);
        self.explain.note(|| Step::Client {
            address,
            told_by,
            network: located.network.map(ToString::to_string),
            scope: located.scope,
        });
        self.located = Some(located);
        located
    }

    /// Returns how far an entry's region is from the client, then from this region, then its
    /// number: always the same order, also where nothing is known.
    fn distance(&self, located: Located<'_>, entry: &Entry) -> (Rtt, Rtt, u16) {
        let client = located
            .network
            .map_or(Rtt::UNKNOWN, |network| rtt_of(&network.rtts, entry.region));
        (client, self.view.delay(entry.region), entry.region.0)
    }

    fn describe(&mut self, verdicts: &Verdicts, group: &Group) {
        let located = match group.policy {
            Policy::Latency => Some(self.locate()),
            Policy::Simple
            | Policy::Weighted
            | Policy::Failover
            | Policy::Multivalue
            | Policy::Cidr => None,
        };
        for entry in &group.entries {
            let distance = located.map(|located| {
                let (client, own, _) = self.distance(located, entry);
                if client == Rtt::UNKNOWN { own } else { client }
            });
            self.explain.note(|| Step::Candidate {
                set_identifier: entry.set_identifier.clone(),
                by: match &entry.routing {
                    Routing::Simple => By::Nothing,
                    Routing::Weighted(weight) => By::Weight(*weight),
                    Routing::Latency(region) => {
                        By::Distance(region.clone(), distance.unwrap_or(Rtt::UNKNOWN))
                    }
                    Routing::Failover(role) => By::Role(*role),
                    Routing::Multivalue => By::Chance,
                    Routing::Cidr { location, .. } => By::Location(location.clone()),
                },
                verdict: if verdicts.healthy(entry) {
                    Verdict::Healthy
                } else {
                    Verdict::Unhealthy
                },
            });
        }
    }
}

fn weight(entry: &Entry) -> usize {
    match entry.routing {
        Routing::Weighted(weight) => usize::from(weight),
        Routing::Simple
        | Routing::Latency(_)
        | Routing::Failover(_)
        | Routing::Multivalue
        | Routing::Cidr { .. } => 0,
    }
}

fn is_at(entry: &Entry, at: &str) -> bool {
    matches!(&entry.routing, Routing::Cidr { location, .. } if location == at)
}

/// Random numbers for one answer, from the seed that came with the question.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `below`; 0 for 0. The bias of at most 2⁻³² is of no consequence.
    fn below(&mut self, below: usize) -> usize {
        if below <= 1 {
            return 0;
        }
        let wide = u128::from(self.next()) * below as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}
