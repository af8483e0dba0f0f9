//! The calls that drain this region, tell how far that is, and take it back.
//!
//! They power nothing off, and cut no client: a region that is drained serves whoever still comes.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::json;

use base::region::RegionId;
use control::control::ControlError;
use control::drains::Drain;
use control::tables::{ReplicaStatus, TableView};
use health_core::judge::{Because, RegionState};
use replica_core::vector::VersionVector;
use store::port::Store;

use super::{Admin, answer};
use crate::limits::DRAIN_TOLD;

/// What keeps a drained region from being powered off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Waits {
    /// The region holds itself for one that serves.
    is_routed_to: bool,
    /// How long resolvers may still keep its address.
    ///
    /// Units: seconds.
    cached: u64,
    /// Requests under way.
    requests: u64,
    /// How many records each region that is linked has still to get from here.
    behind: BTreeMap<String, u64>,
    /// The regions that are not linked. They get what they lack from those that are.
    away: Vec<String>,
    /// Tables whose other whole replicas all are in regions that are not linked and were not known
    /// to have everything: regions that are linked pass over the records of tables that they do not
    /// have, and have nothing of them to give.
    unsent: Vec<String>,
}

impl Waits {
    /// Returns what is waited for, in words; nothing where the region can be powered off.
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.is_routed_to {
            words.push("the other regions to be told".to_owned());
        }
        if self.cached > 0 {
            words.push(format!(
                "resolvers to forget its address: {} s",
                self.cached
            ));
        }
        if self.requests > 0 {
            words.push(format!("requests to end: {}", self.requests));
        }
        let behind = self.behind.iter().filter(|(_, records)| **records > 0);
        for (region, records) in behind {
            words.push(format!("{region} to get what it lacks: {records} records"));
        }
        if !self.unsent.is_empty() {
            let tables = self.unsent.join(", ");
            words.push(format!("a region with a replica to be linked, of {tables}"));
        }
        if self.behind.is_empty() {
            words.push("a region to be linked, which then has all that is here".to_owned());
        }
        words
    }
}

impl<S: Store> Admin<S> {
    /// Drains this region, tells of its drain, or takes it back.
    ///
    /// `asked` is the region that the caller means, which must be this one.
    pub(super) async fn drain(&self, method: &Method, asked: Option<&String>) -> Response<Bytes> {
        let control = &self.sources.control;
        let own = &control.project().region;
        if asked.map(String::as_str) != Some(own.as_str()) {
            let text = format!("this is region {own}: a region is drained by its own node");
            return answer(StatusCode::CONFLICT, &json!({"message": text}));
        }
        let done = match *method {
            Method::PUT if control.drain_of(own).is_none() && self.is_last() => {
                let text = format!("no other region serves: {own} is the last one, and stays");
                return answer(StatusCode::CONFLICT, &json!({"message": text}));
            }
            Method::PUT => control.drain(own).await.map(|_| ()),
            Method::DELETE => control.undrain(own).await.map(|_| ()),
            _ => Ok(()),
        };
        match done {
            Ok(()) => self.drained(),
            Err(error) => refused(&error),
        }
    }

    /// Returns whether no other region serves, or is to go on serving.
    fn is_last(&self) -> bool {
        let control = &self.sources.control;
        let health = self.sources.health.borrow().clone();
        let mut others = control.project().regions.iter();
        !others.any(|other| {
            other.name != control.project().region
                && health.serves(other.name.id())
                && control.drain_of(&other.name).is_none()
        })
    }

    fn drained(&self) -> Response<Bytes> {
        let control = &self.sources.control;
        let own = &control.project().region;
        let Some(drain) = control.drain_of(own) else {
            let told = json!({"region": own.as_str(), "draining": false});
            return answer(StatusCode::OK, &told);
        };
        let waits = self.waits(&drain);
        let words = waits.words();
        let told = json!({
            "region": own.as_str(),
            "draining": true,
            "since_micros": drain.since,
            "safe_to_power_off": words.is_empty(),
            "waits_for": words,
            "dns_seconds": waits.cached,
            "requests": waits.requests,
            "lacks_records": waits.behind,
            "away": waits.away,
            "unsent": waits.unsent,
            "only_here": self.only_here(),
        });
        answer(StatusCode::OK, &told)
    }

    fn waits(&self, drain: &Drain) -> Waits {
        let control = &self.sources.control;
        let project = control.project();
        let own = project.region.id();
        let health = self.sources.health.borrow().clone();
        let is_out = health.regions.get(&own).is_some_and(|verdict| {
            verdict.state == RegionState::Down && verdict.because == Because::Draining
        });
        let kept = u64::from(control.answers_are_kept()) + DRAIN_TOLD.as_secs();
        let passed = self.clock.wall().as_micros().saturating_sub(drain.since);
        let passed = u64::try_from(passed).unwrap_or(0) / 1_000_000;
        let mut waits = Waits {
            is_routed_to: !is_out,
            cached: kept.saturating_sub(passed),
            requests: self.sources.under_way.count(),
            ..Waits::default()
        };
        let links = self.sources.links.borrow().clone();
        let here = control.tables().durable();
        let is_linked = |id: RegionId| {
            let mut peers = links.peers.iter();
            peers.any(|(name, peer)| name.id() == id && peer.sending.line.is_up())
        };
        // What others wrote they have told each other themselves, but for those who cannot.
        let told_here = |origin: RegionId| origin == own || !is_linked(origin);
        let mut reached = BTreeSet::new();
        for (name, peer) in &links.peers {
            let lacks = lacked(&here, &peer.sending.durable, told_here);
            if is_linked(name.id()) {
                reached.insert(name.as_str());
                waits.behind.insert(name.to_string(), lacks);
            } else {
                if lacks == 0 {
                    reached.insert(name.as_str());
                }
                waits.away.push(name.to_string());
            }
        }
        waits.unsent = self.unsent(&reached);
        waits
    }

    /// Returns the tables that have whole replicas elsewhere, but in no region that is reached.
    fn unsent(&self, reached: &BTreeSet<&str>) -> Vec<String> {
        let own = self.sources.control.project().region.as_str();
        let views = self.sources.control.table_views().into_iter();
        let views = views.filter(|view| is_unsent(&whole_replicas(view), own, reached));
        views.map(|view| view.table.name).collect()
    }

    /// Returns the tables of which no other region has a whole replica: nobody serves them while
    /// this one is off.
    fn only_here(&self) -> Vec<String> {
        let own = self.sources.control.project().region.as_str();
        let is_only = |view: &TableView| whole_replicas(view) == BTreeSet::from([own]);
        let views = self.sources.control.table_views().into_iter();
        views.filter(is_only).map(|view| view.table.name).collect()
    }
}

/// Returns the regions that have a whole replica of a table.
fn whole_replicas(view: &TableView) -> BTreeSet<&str> {
    let replicas = view.replicas.iter();
    let whole = replicas.filter(|(_, replica)| replica.status == ReplicaStatus::Active);
    whole.map(|(region, _)| region.as_str()).collect()
}

/// Returns whether a table that is whole here and elsewhere is whole in no region that is reached.
fn is_unsent(whole: &BTreeSet<&str>, own: &str, reached: &BTreeSet<&str>) -> bool {
    whole.contains(own) && whole.len() > 1 && whole.is_disjoint(reached)
}

/// Returns how many records of some origins are here and not at a peer.
fn lacked(here: &VersionVector, there: &VersionVector, of: impl Fn(RegionId) -> bool) -> u64 {
    let origins = here.iter().filter(|(origin, _)| of(*origin));
    let lacked = origins.map(|(origin, seq)| seq.0.saturating_sub(there.at(origin).0));
    lacked.fold(0, u64::saturating_add)
}

fn refused(error: &ControlError) -> Response<Bytes> {
    let text = json!({"message": error.to_string()});
    answer(StatusCode::INTERNAL_SERVER_ERROR, &text)
}

#[cfg(test)]
mod tests;
