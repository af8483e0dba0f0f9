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
use crate::limits::{RELAY_AFTER, TELL_AGAIN};
use crate::link::copies::{Fill, Fills, Portion};
use crate::planted::Planted;
use crate::vector::VersionVector;

/// All of a region's links together.
#[derive(Debug)]
pub struct Mesh {
    own: RegionId,
    peers: BTreeMap<RegionId, Peer>,
    frontier: Frontier,
    fills: Fills,
    /// What sources have given. It counts as long as that is what they are asked for, and may be
    /// told before it is known here that it is.
    given: BTreeMap<(TableId, RegionId), Portion>,
    /// When it was last told of a table that it has come whole, and of which replica.
    told: BTreeMap<TableId, (i64, Moment)>,
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
            given: BTreeMap::new(),
            told: BTreeMap::new(),
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

    /// Takes over which tables are to be filled here.
    pub fn fill(&mut self, fills: Fills) {
        self.fills = fills;
        // A source gives more as the primary one than otherwise, and what it gave to an earlier
        // replica is gone: neither counts.
        self.given.retain(|(table, source), given| {
            let fill = self.fills.get(table);
            fill.and_then(|fill| fill.portion_of(*source)) == Some(*given)
        });
        let fills = &self.fills;
        self.told
            .retain(|table, (made, _)| fills.get(table).is_some_and(|fill| fill.made == *made));
    }

    /// Notes that `source` has given `portion` of `table`.
    ///
    /// It may be asked for only by the next [`Mesh::fill`]: links learn of that by themselves.
    pub fn filled(&mut self, table: TableId, portion: Portion, source: RegionId) {
        self.given.insert((table, source), portion);
    }

    /// Returns the tables that all their sources have given, and what that was. They are told again
    /// after [`TELL_AGAIN`] for as long as they are to be filled: whoever is told may have failed
    /// to act on it, or may have been told otherwise since.
    pub fn take_filled(&mut self, now: Moment) -> Vec<(TableId, Fill)> {
        let mut filled = Vec::new();
        for (table, fill) in &self.fills {
            let told = self.told.get(table);
            let is_due = told.is_none_or(|(_, told)| *told + TELL_AGAIN <= now);
            if is_due && self.is_whole(*table, fill) {
                filled.push((*table, fill.clone()));
            }
        }
        let told = filled.iter();
        let told = told.map(|(table, fill)| (*table, (fill.made, now)));
        self.told.extend(told);
        filled
    }

    /// Returns the tables that are being filled, and from which regions.
    pub const fn fills(&self) -> &Fills {
        &self.fills
    }

    fn is_whole(&self, table: TableId, fill: &Fill) -> bool {
        let given = |source: &RegionId| {
            let given = self.given.get(&(table, *source));
            *source == self.own || given.copied() == fill.portion_of(*source)
        };
        fill.sources.iter().all(given)
    }
}

#[cfg(test)]
mod tests;
