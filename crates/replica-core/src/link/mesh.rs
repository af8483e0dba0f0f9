//! What concerns all of a region's links together: relays, the frontier, trimming, backfill.
//!
//! It carries no records. It says which regions are out of reach, so that their records are
//! asked of the others; below which stamp tombstones may go; up to where logs may be trimmed;
//! and which tables have come from all their sources.

use std::collections::{BTreeMap, BTreeSet};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::time::Moment;

use crate::frontier::Frontier;
use crate::limits::RELAY_AFTER;
use crate::link::copies::{Fill, Fills};
use crate::planted::Planted;
use crate::vector::VersionVector;

/// All of a region's links together.
#[derive(Debug)]
pub struct Mesh {
    own: RegionId,
    peers: BTreeMap<RegionId, Peer>,
    frontier: Frontier,
    fills: Fills,
    given: BTreeSet<(TableId, RegionId)>,
    /// Tables that have come whole, once told.
    filled: BTreeSet<TableId>,
    planted: Planted,
}

#[derive(Clone, Debug)]
struct Peer {
    /// Since when its records do not come; none while they do.
    gone: Option<Moment>,
    durable: VersionVector,
}

impl Mesh {
    /// Makes the links of region `own` to `peers`, none of which is up at `now`.
    pub fn new(now: Moment, own: RegionId, peers: impl IntoIterator<Item = RegionId>) -> Self {
        let gone = Peer {
            gone: Some(now),
            durable: VersionVector::default(),
        };
        let peers: BTreeMap<_, _> = peers.into_iter().map(|peer| (peer, gone.clone())).collect();
        debug_assert!(!peers.contains_key(&own), "no region is its own peer");
        Self {
            own,
            frontier: Frontier::new(peers.keys().copied().chain([own])),
            peers,
            fills: Fills::new(),
            given: BTreeSet::new(),
            filled: BTreeSet::new(),
            planted: Planted::Nothing,
        }
    }

    /// Puts a known mistake in.
    #[cfg(feature = "planted")]
    pub fn plant(&mut self, mistake: Planted) {
        self.planted = mistake;
    }

    /// Notes that the records of `peer` come again.
    pub fn up(&mut self, peer: RegionId) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.gone = None;
        }
    }

    /// Notes that the records of `peer` come no more.
    pub fn down(&mut self, now: Moment, peer: RegionId) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.gone.get_or_insert(now);
        }
    }

    /// Returns the regions that are out of reach at `now`: others are asked for their records.
    pub fn unreachable(&self, now: Moment) -> BTreeSet<RegionId> {
        let away = |peer: &Peer| peer.gone.is_some_and(|gone| gone + RELAY_AFTER <= now);
        self.peers
            .iter()
            .filter(|(_, peer)| away(peer) && self.planted != Planted::RelayForgotten)
            .map(|(region, _)| *region)
            .collect()
    }

    /// Returns when the next region counts as out of reach.
    pub fn poll_timeout(&self, now: Moment) -> Option<Moment> {
        let at = self
            .peers
            .values()
            .filter_map(|peer| Some(peer.gone? + RELAY_AFTER));
        at.filter(|at| now < *at).min()
    }

    /// Notes what `peer` has on disk.
    pub fn durable(&mut self, peer: RegionId, durable: &VersionVector) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            for (origin, seq) in durable.iter() {
                peer.durable.advance(origin, seq);
            }
        }
    }

    /// Notes the stamp up to which a region, perhaps this one, has durably applied every origin.
    pub fn stable(&mut self, region: RegionId, stable: Hlc) {
        self.frontier.note(region, stable);
    }

    /// Returns the stamp up to which every region has durably applied every origin.
    pub fn frontier(&self) -> Hlc {
        self.frontier.stable()
    }

    /// Runs a round of the frontier at local stamp `now`. Returns the limit below which
    /// tombstones may go.
    pub fn round(&mut self, now: Hlc) -> Option<Hlc> {
        if self.planted == Planted::OneRound {
            return Some(self.frontier.stable());
        }
        self.frontier.round(now)
    }

    /// Returns up to where every region has every log on disk; `own` is what this one has.
    /// A region that has said nothing yet has nothing.
    pub fn floor(&self, own: &VersionVector) -> VersionVector {
        let mut floor = own.clone();
        for peer in self.peers.values() {
            floor.meet(&peer.durable);
        }
        debug_assert!(own.covers(&floor), "nothing that is not on disk is trimmed");
        floor
    }

    /// Takes over which tables are to be filled here. Returns those that have come already, and
    /// when their replicas were made.
    pub fn fill(&mut self, fills: Fills) -> Vec<(TableId, i64)> {
        // A source gives more as the primary one than otherwise, and what it gave to an earlier
        // replica is gone: neither counts.
        let old = std::mem::replace(&mut self.fills, fills);
        let key = |fill: &Fill| (fill.made, fill.sources.first().copied());
        self.given.retain(|(table, source)| {
            let fill = self.fills.get(table);
            fill.map(key) == old.get(table).map(key)
                && fill.is_some_and(|fill| fill.sources.contains(source))
        });
        let made = |fill: &Fill| fill.made;
        self.filled.retain(|table| {
            let fill = self.fills.get(table);
            fill.is_some() && fill.map(made) == old.get(table).map(made)
        });
        let made = |(table, fill): (&TableId, &Fill)| (*table, fill.made);
        let tables: Vec<_> = self.fills.iter().map(made).collect();
        tables
            .into_iter()
            .filter(|(table, _)| self.complete(*table))
            .collect()
    }

    /// Notes that `source` has given all it has of `table` to the replica that was made at
    /// `made`. Returns whether all sources have, once.
    pub fn filled(&mut self, table: TableId, made: i64, source: RegionId) -> bool {
        let asked = self
            .fills
            .get(&table)
            .is_some_and(|fill| fill.made == made && fill.sources.contains(&source));
        if asked {
            self.given.insert((table, source));
        }
        asked && self.complete(table)
    }

    /// Returns the tables that are being filled, and from which regions.
    pub const fn fills(&self) -> &Fills {
        &self.fills
    }

    fn complete(&mut self, table: TableId) -> bool {
        let given =
            |source: &RegionId| *source == self.own || self.given.contains(&(table, *source));
        let complete = self
            .fills
            .get(&table)
            .is_some_and(|fill| fill.sources.iter().all(given));
        complete && self.filled.insert(table)
    }
}

#[cfg(test)]
mod tests;
