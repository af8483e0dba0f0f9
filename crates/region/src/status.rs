//! What a node tells of itself and of what it sees of the others.
//!
//! It is read by `hither status` and by people; nothing of it steers anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use control::control::Control;
use control::system::SystemTable;
use function::host::Host;
use health_core::view::{HealthView, RegionVerdict};
use replica::comparing::Comparer;
use replica::joining::invitations::Invitations;
use replica::status::{Line, LinkStatus, PeerStatus};
use store::port::Store;
use store_fjall::commits::Commits;
use table::conflict::Pair;

use crate::draining::UnderWay;
use crate::node::Failure;
use crate::ports::DnsParts;

/// Where a node's status is read from.
pub(crate) struct Sources<S> {
    pub(crate) control: Control<S>,
    pub(crate) health: watch::Receiver<Arc<HealthView>>,
    pub(crate) links: watch::Receiver<Arc<LinkStatus>>,
    pub(crate) dns: DnsParts,
    pub(crate) functions: Host,
    /// What compares tables with those of other regions.
    pub(crate) comparer: Comparer<S>,
    /// Who may join the project by way of this region.
    pub(crate) invitations: Arc<Invitations>,
    /// What the store has committed.
    pub(crate) commits: Commits,
    /// Why the store has failed.
    pub(crate) failure: watch::Receiver<Option<Failure>>,
    /// What its clients wait for.
    pub(crate) under_way: UnderWay,
}

impl<S: Store> Sources<S> {
    /// Returns the whole status as one object.
    pub(crate) fn read(&self) -> Value {
        let project = self.control.project();
        let health = self.health.borrow().clone();
        let links = self.links.borrow().clone();
        let regions: Vec<Value> = project
            .regions
            .iter()
            .map(|region| {
                let verdict = health.regions.get(&region.name.id());
                let peer = links.peers.get(&region.name);
                json!({
                    "name": region.name.as_str(),
                    "own": region.name == project.region,
                    "address": region.https.ip().to_string(),
                    "state": verdict.map(|verdict| format!("{:?}", verdict.state).to_lowercase()),
                    "because": verdict.map(|verdict| verdict.because.to_string()),
                    "round_trip_ms": verdict.and_then(round_trip_ms),
                    "clock_offset_ms": verdict.and_then(offset_ms),
                    "replication": peer.map(replication),
                })
            })
            .collect();
        json!({
            "region": project.region.as_str(),
            "project": project.name,
            "pid": std::process::id(),
            "store_problem": self.failure.borrow().as_ref().map(ToString::to_string),
            "stamps_ahead_ms": links.stamps_ahead.map(ms),
            "regions": regions,
            "in_quorum": health.quorum.held,
            "applied": self.control.tables().applied().to_string(),
            "durable": self.control.tables().durable().to_string(),
            "commits": {
                "batches": self.commits.batches(),
                "groups": self.commits.groups(),
            },
            "tables": self.tables(),
            "health_checks": Self::checks(&health),
            "functions": self.functions(),
            "dns": {
                "generation": self.dns.views.borrow().generation().0,
                "udp_queries": self.dns.stats.totals().udp_queries,
                "tcp_queries": self.dns.stats.totals().tcp_queries,
            },
        })
    }

    /// Returns a table's digest, and the positions as of which it holds.
    pub(crate) fn digest(&self, name: &str) -> Option<Value> {
        let id = self.table_id(name)?;
        let (digest, vector) = self.control.tables().digest(id);
        Some(json!({
            "table": name,
            "region": self.control.project().region.as_str(),
            "digest": format!("{:032x}", digest.0),
            "as_of": vector.to_string(),
        }))
    }

    /// Returns the number of a table of this region, or of a system table.
    pub(crate) fn table_id(&self, name: &str) -> Option<base::name::TableId> {
        let system = SystemTable::ALL
            .into_iter()
            .find(|table| table.name() == name);
        let user = || self.control.table_named(name).map(|view| view.table.id());
        system.map(SystemTable::id).or_else(user)
    }

    fn tables(&self) -> Vec<Value> {
        let views = self.control.tables_in(&self.control.project().region);
        let races = self.control.tables().races();
        let table = |(name, view): (String, control::tables::TableView)| {
            let replicas: Vec<Value> = view
                .replicas
                .values()
                .map(|replica| {
                    json!({
                        "region": replica.region,
                        "status": replica.status,
                        "salvaged": replica.salvaged,
                    })
                })
                .collect();
            let (digest, _) = self.control.tables().digest(view.table.id());
            json!({
                "name": name,
                "replicas": replicas,
                "digest": format!("{:032x}", digest.0),
                "races": self.races(races.get(&view.table.id())),
            })
        };
        views.into_iter().map(table).collect()
    }

    /// Tells a table's races since the node started, by winner and loser.
    fn races(&self, races: Option<&BTreeMap<Pair, u64>>) -> Vec<Value> {
        let races = races.into_iter().flatten();
        let race = |(pair, count): (&Pair, &u64)| {
            let name = |id| {
                let mut regions = self.control.project().regions.iter();
                let named = regions.find(|region| region.name.id() == id);
                named.map(|region| region.name.to_string())
            };
            json!({"winner": name(pair.winner), "loser": name(pair.loser), "count": count})
        };
        races.map(race).collect()
    }

    fn checks(health: &HealthView) -> Vec<Value> {
        let check = |(id, verdict): (
            &health_core::check::CheckId,
            &health_core::view::CheckVerdict,
        )| {
            json!({
                "id": id.as_str(),
                "healthy": health.healthy(id),
                "because": verdict.because.to_string(),
            })
        };
        health.checks.iter().map(check).collect()
    }

    fn functions(&self) -> Vec<Value> {
        let instances = self.functions.instances().into_iter();
        instances
            .map(|(name, count)| json!({"name": name.as_str(), "instances": count}))
            .collect()
    }
}

fn replication(peer: &PeerStatus) -> Value {
    let summaries: serde_json::Map<String, Value> = peer
        .receiving
        .latencies
        .iter()
        .map(|(origin, summary)| {
            let figures = json!({
                "p50_ms": micros_as_ms(summary.p50),
                "p99_ms": micros_as_ms(summary.p99),
                "max_ms": micros_as_ms(summary.max),
                "count": summary.count,
            });
            (origin.to_string(), figures)
        })
        .collect();
    let lacks = [peer.sending.needs_resync, peer.receiving.needs_resync];
    let needs_resync = lacks.iter().any(Option::is_some);
    json!({
        "sending": line(&peer.sending.line),
        "receiving": line(&peer.receiving.line),
        "backlog_records": peer.sending.backlog,
        "applied": peer.sending.applied.to_string(),
        "parked": peer.receiving.parked.keys().map(ToString::to_string).collect::<Vec<_>>(),
        "needs_resync": needs_resync,
        "copying_percent": peer.receiving.filling.values().min(),
        "clock_too_far_ahead": peer.is_clock_ahead(),
        "latency": summaries,
    })
}

fn line(line: &Line) -> Value {
    json!({
        "up": line.is_up(),
        "problem": line.problem,
        "bytes_in": line.bytes_in,
        "bytes_out": line.bytes_out,
    })
}

fn round_trip_ms(verdict: &RegionVerdict) -> Option<f64> {
    verdict.delay.map(|delay| ms(delay.rtt))
}

fn offset_ms(verdict: &RegionVerdict) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "shown to three places")]
    verdict.delay.map(|delay| delay.offset.0 as f64 / 1e3)
}

#[expect(clippy::cast_precision_loss, reason = "shown to three places")]
fn micros_as_ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}

fn ms(duration: Duration) -> f64 {
    base::units::as_millis_f64(duration)
}
