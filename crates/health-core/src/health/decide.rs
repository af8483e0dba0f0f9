//! Deciding: quorum, regions, checks, and the view of it all.
//!
//! The rules stand in `judge` and `vote`; here the evidence is gathered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::region::RegionId;

use crate::book::Electorate;
use crate::gossip::Standing;
use crate::health::{Health, Now, Output};
use crate::judge::{Because, Departure, Endpoint, Evidence, Hearing, HoldDown, RegionState, Track};
use crate::limits::VIEW_REFRESH;
use crate::peer::Peer;
use crate::planted::Planted;
use crate::view::{HealthView, Quorum, RegionVerdict};

impl Health {
    /// Brings every decision up to date, and publishes what changed.
    pub(super) fn settle(&mut self, now: Now) {
        self.notice_silences(now);
        let mut changed = false;
        if std::mem::take(&mut self.news) {
            changed |= self.decide_quorum(now);
            changed |= self.decide_regions(now);
            // A verdict moves the electorate, and with it what a quorum is.
            changed |= self.decide_quorum(now);
            if self.quorum.held {
                changed |= self.decide_checks(now);
            }
        }
        let stale = self
            .published_at
            .is_none_or(|at| now.moment.since(at) >= VIEW_REFRESH);
        if changed || self.generation == 0 {
            self.generation += 1;
        }
        if changed || stale {
            self.publish(now);
        }
        self.finish(now);
    }

    fn notice_silences(&mut self, now: Now) {
        if self.planted == Planted::MissingHeartbeatTimeout {
            return;
        }
        let mut moved = Vec::new();
        for (region, peer) in &mut self.peers {
            let before = peer.hearing();
            if peer.notice(now.moment) {
                moved.push((*region, before, peer.hearing()));
            }
        }
        for (region, before, after) in moved {
            self.news = true;
            if before < Hearing::Doubted {
                self.question(now.moment, region);
            }
            if (before == Hearing::Missed) != (after == Hearing::Missed) {
                self.beat_soon(now);
            }
        }
    }

    /// Returns the electors: this region, and all that are not down or gone.
    fn electors(&self) -> BTreeSet<RegionId> {
        let elects = |(region, peer): (&RegionId, &Peer)| {
            let track = self.tracks.get(region)?;
            let counts = match (track.state(), track.because()) {
                (RegionState::Up | RegionState::Suspect, _) => true,
                // It still hears and speaks.
                (RegionState::Down, Because::Draining) => peer.hearing() < Hearing::Missed,
                (RegionState::Down, _) => false,
            };
            counts.then_some(*region)
        };
        let mut electors: BTreeSet<RegionId> = self.peers.iter().filter_map(elects).collect();
        electors.insert(self.region);
        electors
    }

    fn decide_quorum(&mut self, now: Now) -> bool {
        let electors = self.electors();
        let mut heard = 1;
        let mut endpoint_known = false;
        for region in &electors {
            let Some(peer) = self.peers.get(region) else {
                continue;
            };
            if peer.ever_heard() && peer.hearing() < Hearing::Missed {
                heard += 1;
            }
            endpoint_known |= peer.endpoint != Endpoint::Unknown;
        }
        let of = electors.len();
        // With two regions left no majority can be heard without the other: its endpoint speaks.
        let held = 2 * heard > of || (of == 2 && endpoint_known);
        let held = held || self.planted == Planted::IgnoreQuorum;
        let turned = held != self.quorum.held || self.generation == 0;
        let since = if turned { now.wall } else { self.quorum.since };
        self.quorum = Quorum {
            held,
            heard,
            of,
            since,
        };
        turned
    }

    fn decide_regions(&mut self, now: Now) -> bool {
        let electors = self.electors();
        let evidence: Vec<(RegionId, Evidence)> = self
            .tracks
            .keys()
            .map(|region| (*region, self.evidence(now, *region, &electors)))
            .collect();
        let hold_down = match self.planted {
            Planted::NoHoldDown => HoldDown::Skipped,
            Planted::Nothing
            | Planted::IgnoreQuorum
            | Planted::MissingHeartbeatTimeout
            | Planted::VotesOfTheSilent
            | Planted::AcceptReplays => HoldDown::Kept,
        };
        let mut changed = false;
        for (region, evidence) in evidence {
            let Some(track) = self.tracks.get_mut(&region) else {
                continue;
            };
            changed |= if self.quorum.held {
                track.judge(now.moment, now.wall, &evidence, hold_down)
            } else {
                track.depart(now.wall, &evidence)
            };
        }
        changed
    }

    /// Gathers what speaks for and against a region.
    fn evidence(&self, now: Now, region: RegionId, electors: &BTreeSet<RegionId>) -> Evidence {
        let peer = self.peers.get(&region);
        let hearing = peer.map_or(Hearing::Heard, Peer::hearing);
        let (mut missed_by, mut heard_by) = (Vec::new(), Vec::new());
        for elector in electors.iter().filter(|elector| **elector != region) {
            if *elector == self.region {
                if hearing == Hearing::Missed {
                    missed_by.push(*elector);
                }
                continue;
            }
            let said = self.peers.get(elector);
            match said.and_then(|peer| peer.says_of(now.moment, region)) {
                Some(said) if said.missed => missed_by.push(*elector),
                Some(_) => heard_by.push(*elector),
                None => {}
            }
        }
        let electorate = electors.len() + usize::from(!electors.contains(&region));
        let electorate = match self.planted {
            Planted::IgnoreQuorum if hearing == Hearing::Missed => 1,
            Planted::IgnoreQuorum
            | Planted::Nothing
            | Planted::MissingHeartbeatTimeout
            | Planted::VotesOfTheSilent
            | Planted::NoHoldDown
            | Planted::AcceptReplays => electorate,
        };
        Evidence {
            hearing,
            ever_heard: peer.is_none_or(Peer::ever_heard),
            in_a_row: peer.map_or(u32::MAX, |peer| peer.in_a_row),
            missed_by,
            heard_by,
            electorate,
            endpoint: peer.map_or(Endpoint::Unknown, |peer| peer.endpoint),
            departure: peer.map_or_else(|| self.own_departure(), Peer::departure),
            ourselves: peer.is_none(),
        }
    }

    fn own_departure(&self) -> Option<Departure> {
        match self.standing {
            Standing::Serving => None,
            Standing::Draining => Some(Departure::Draining),
            Standing::Leaving => Some(Departure::Leaving),
        }
    }

    fn decide_checks(&mut self, now: Now) -> bool {
        let mut book = std::mem::take(&mut self.book);
        let changed = self.with_electorate(now, |electorate| book.decide(now.wall, electorate));
        self.book = book;
        changed
    }

    /// Calls `act` with who may vote on checks: the regions that are not down.
    fn with_electorate<T>(&self, now: Now, act: impl FnOnce(&Electorate<'_>) -> T) -> T {
        let electors = self.electors();
        let up = |region: RegionId| {
            let down = |track: &Track| {
                track.state() == RegionState::Down && *track.because() != Because::Draining
            };
            !self.tracks.get(&region).is_some_and(down)
        };
        let counts = |region: RegionId| electors.contains(&region) && up(region);
        act(&Electorate {
            now: now.moment,
            ourselves: self.region,
            counts: &counts,
            votes_expire: self.planted != Planted::VotesOfTheSilent,
        })
    }

    fn publish(&mut self, now: Now) {
        let regions = self
            .tracks
            .iter()
            .map(|(region, track)| (*region, self.verdict(now, *region, track)))
            .collect();
        let view = HealthView {
            generation: self.generation,
            at: now.wall,
            region: self.region,
            regions,
            checks: self.with_electorate(now, |electorate| self.book.verdicts(electorate)),
            quorum: self.quorum,
        };
        debug_assert_eq!(
            view.regions.len(),
            self.tracks.len(),
            "no region is left out"
        );
        self.published_at = Some(now.moment);
        self.outputs.push_back(Output::View(Arc::new(view)));
    }

    fn verdict(&self, now: Now, region: RegionId, track: &Track) -> RegionVerdict {
        let peer = self.peers.get(&region);
        let elsewhere: BTreeMap<RegionId, RegionState> = self
            .peers
            .iter()
            .filter_map(|(other, peer)| Some((*other, peer.says_of(now.moment, region)?.state)))
            .collect();
        RegionVerdict {
            state: track.state(),
            since: track.since(),
            because: track.because().clone(),
            silence: peer
                .filter(|peer| peer.ever_heard())
                .map(|peer| peer.silence(now.moment)),
            delay: peer.and_then(|peer| peer.samples.estimate()),
            elsewhere,
        }
    }
}
