//! What the parts serve, made anew whenever resources or verdicts change.
//!
//! It holds no state but the last of each: every snapshot replaces its forerunner whole.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use base::region::{RegionId, RegionName};
use control::control::{Control, PeerReach, Reach};
use control::project::Project;
use control::published::Follower;
use dns_core::health::{CheckId, Health, Verdict};
use dns_core::latency::{Latency, Rtt};
use dns_core::view::{Generation, Published, View, ViewSource};
use dns_core::zones::Zones;
use function::spec::Functions;
use gateway::snapshot::{Certificates, Snapshot};
use gateway_core::failover;
use gateway_core::handover::HandoverKey;
use health::plane::Handle;
use health::roster::{Member, Roster};
use health_core::check::Checks;
use health_core::judge::Because;
use health_core::view::{CheckBecause, HealthView};
use net::tasks::Tasks;
use replica::status::{LinkStatus, PeerStatus};
use rustls::sign::CertifiedKey;
use store::port::Store;

use crate::limits::HEALTH_PATIENCE;

/// Runs `make` whenever one of two watches changes, until one is closed.
pub(crate) fn derive<
    T: Send + Sync + 'static,
    A: Send + Sync + 'static,
    B: Send + Sync + 'static,
>(
    tasks: &Tasks,
    mut one: watch::Receiver<A>,
    mut two: watch::Receiver<B>,
    sender: watch::Sender<Arc<T>>,
    mut make: impl FnMut() -> Option<T> + Send + 'static,
) {
    tasks.spawn(async move {
        loop {
            let changed = tokio::select! {
                changed = one.changed() => changed,
                changed = two.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
            one.mark_unchanged();
            two.mark_unchanged();
            if let Some(next) = make() {
                sender.send_replace(Arc::new(next));
            }
        }
    });
}

/// Runs `make` whenever resources change.
pub(crate) fn follow<T: Send + Sync + 'static>(
    tasks: &Tasks,
    follower: Follower,
    sender: watch::Sender<Arc<T>>,
    make: impl FnMut() -> Option<T> + Send + 'static,
) {
    let (keep, never) = watch::channel(());
    tasks.spawn(async move {
        let _keep = keep;
        follow_both(follower, never, sender, make).await;
    });
}

/// Runs `make` whenever resources or what another watch holds change.
pub(crate) fn follow_with<T: Send + Sync + 'static, A: Send + Sync + 'static>(
    tasks: &Tasks,
    follower: Follower,
    other: watch::Receiver<A>,
    sender: watch::Sender<Arc<T>>,
    make: impl FnMut() -> Option<T> + Send + 'static,
) {
    tasks.spawn(follow_both(follower, other, sender, make));
}

async fn follow_both<T, A>(
    mut follower: Follower,
    mut other: watch::Receiver<A>,
    sender: watch::Sender<Arc<T>>,
    mut make: impl FnMut() -> Option<T>,
) {
    loop {
        let goes_on = tokio::select! {
            changed = follower.changed() => changed,
            changed = other.changed() => changed.is_ok(),
        };
        if !goes_on {
            return;
        }
        follower.look();
        other.mark_unchanged();
        if let Some(next) = make() {
            sender.send_replace(Arc::new(next));
        }
        follower.published();
    }
}

/// Waits until it is known how each region and check is, at most [`HEALTH_PATIENCE`].
pub(crate) async fn until_known(mut health: watch::Receiver<Arc<HealthView>>) {
    let known = health.wait_for(|view| is_known(view));
    // Out of time, or with no more to come, what counts is what there is: all count as healthy.
    drop(tokio::time::timeout(HEALTH_PATIENCE, known).await);
}

fn is_known(view: &HealthView) -> bool {
    let mut regions = view.regions.values();
    let mut checks = view.checks.values();
    regions.all(|region| region.because != Because::NotYetHeard)
        && checks.all(|check| check.because != CheckBecause::NoData)
}

/// Makes the DNS views of a node, each later than the one before.
///
/// Zones and distances are laid out anew only where resources changed; a verdict needs a view
/// alone.
pub(crate) struct DnsViews<S> {
    control: Control<S>,
    health: watch::Receiver<Arc<HealthView>>,
    zones: Arc<Zones>,
    latency: Arc<Latency>,
    published: Option<Published>,
    generation: u64,
}

impl<S: Store> DnsViews<S> {
    pub(crate) fn new(control: Control<S>, health: watch::Receiver<Arc<HealthView>>) -> Self {
        let (zones, latency) = lay_out(&control);
        Self {
            control,
            health,
            zones,
            latency,
            published: None,
            generation: 0,
        }
    }

    /// Takes in that resources changed.
    pub(crate) fn reload(&mut self) {
        (self.zones, self.latency) = lay_out(&self.control);
    }

    /// Returns the view that is to be answered from, `None` where it was refused.
    pub(crate) fn next(&mut self) -> Option<Arc<View>> {
        self.generation += 1;
        let view = {
            let health = self.health.borrow();
            View::new(ViewSource {
                generation: Generation(self.generation),
                region: self.control.project().region.id(),
                zones: Arc::clone(&self.zones),
                health: Arc::new(dns_health(&health)),
                latency: Arc::clone(&self.latency),
                delays: delays(&health),
            })
        };
        match &mut self.published {
            None => {
                let first = Published::new(view);
                let current = Arc::clone(first.current());
                self.published = Some(first);
                Some(current)
            }
            Some(published) => match published.offer(view) {
                Ok(current) => Some(current),
                Err(refused) => {
                    tracing::error!(%refused, "a DNS view was not published");
                    None
                }
            },
        }
    }
}

fn lay_out<S: Store>(control: &Control<S>) -> (Arc<Zones>, Arc<Latency>) {
    let (zones, mut problems) = control::dns::zones(control);
    let (latency, found) = control::dns::latency(control);
    problems.extend(found);
    for problem in &problems {
        tracing::warn!(%problem, "left out of DNS");
    }
    (Arc::new(zones), Arc::new(latency))
}

fn dns_health(view: &HealthView) -> Health {
    let verdict = |healthy| {
        if healthy {
            Verdict::Healthy
        } else {
            Verdict::Unhealthy
        }
    };
    let mut health = Health::default();
    for id in view.checks.keys() {
        health.set_check(CheckId::new(id.as_str()), verdict(view.healthy(id)));
    }
    for region in view.regions.keys() {
        health.set_region(*region, verdict(view.serves(*region)));
    }
    health
}

fn delays(view: &HealthView) -> Vec<(RegionId, Rtt)> {
    let delay = |(region, verdict): (&RegionId, &health_core::view::RegionVerdict)| {
        Some((*region, Rtt::from_duration(verdict.delay?.rtt_min)))
    };
    view.regions.iter().filter_map(delay).collect()
}

/// Makes the gateway's snapshots.
pub(crate) struct GatewayViews<S> {
    pub(crate) control: Control<S>,
    pub(crate) health: watch::Receiver<Arc<HealthView>>,
    pub(crate) own: Arc<CertifiedKey>,
}

impl<S: Store> GatewayViews<S> {
    pub(crate) fn make(&self) -> Snapshot {
        let project = self.control.project();
        let plan = control::gateway::build::plan(&self.control);
        for (place, what) in &plan.problems {
            tracing::warn!(place, what, "left out of the gateway");
        }
        let mut certificates = Certificates::new(Arc::clone(&self.own));
        for (domain, served) in plan.certificates {
            match net::tls::certified_key(&served.chain_pem, &served.key_pem) {
                Ok(certificate) => certificates.insert(&domain, Arc::new(certificate)),
                Err(error) => tracing::warn!(domain, %error, "no certificate for a domain"),
            }
        }
        let health = self.health.borrow();
        Snapshot {
            config: plan.config,
            certificates: Arc::new(certificates),
            peers: peers(project, &health),
            handover_key: HandoverKey::derive(&project.key.0),
        }
    }
}

fn peers(project: &Project, view: &HealthView) -> Vec<failover::Peer> {
    let others = project
        .regions
        .iter()
        .filter(|region| region.name != project.region);
    let peer = |region: &control::project::Region| {
        let id = region.name.id();
        let delay = view.regions.get(&id).and_then(|verdict| verdict.delay);
        failover::Peer {
            region: region.name.clone(),
            address: region.https,
            health: if view.serves(id) {
                failover::Health::Healthy
            } else {
                failover::Health::Unhealthy
            },
            delay: delay.map_or(UNKNOWN_DELAY, |delay| delay.rtt_min / 2),
        }
    };
    others.map(peer).collect()
}

/// Tells the health plane of each link that breaks: a dead process is known by its closed
/// connections before its heartbeats are missed.
pub(crate) async fn doubt_broken(mut links: watch::Receiver<Arc<LinkStatus>>, health: Handle) {
    let mut up = BTreeSet::new();
    loop {
        let now: BTreeSet<RegionId> = {
            let status = links.borrow_and_update();
            let peers = status.peers.iter();
            peers
                .filter(|(_, peer)| peer.sending.line.is_up() && peer.receiving.line.is_up())
                .map(|(name, _)| name.id())
                .collect()
        };
        for broken in up.difference(&now) {
            health.doubt(*broken);
        }
        up = now;
        if links.changed().await.is_err() {
            return;
        }
    }
}

/// What a region counts as before its delay was measured: behind all that were.
const UNKNOWN_DELAY: Duration = Duration::from_millis(400);

/// Makes the functions of this node's region.
pub(crate) fn functions<S: Store>(control: &Control<S>) -> Functions {
    let region = &control.project().region;
    let all = control::functions::in_region(control, region).into_iter();
    all.filter_map(|function| crate::ports::spec_of(region, function))
        .collect()
}

/// Makes the checks that the health plane probes; `None` where they cannot replace the last.
pub(crate) fn checks<S: Store>(control: &Control<S>, generation: u64) -> Option<Checks> {
    let (specs, problems) = control::dns::checks(control);
    for problem in problems {
        tracing::warn!(%problem, "a health check is not probed");
    }
    match Checks::try_new(generation, specs.into_iter().map(Arc::new).collect()) {
        Ok(checks) => Some(checks),
        Err(error) => {
            tracing::error!(%error, "the health checks stay as they were");
            None
        }
    }
}

/// Makes the list of regions for the health plane.
pub(crate) fn roster(project: &Project) -> Roster {
    let member = |region: &control::project::Region| Member {
        region: region.name.clone(),
        gossip: region.gossip,
        endpoint: Some(region.api),
        address: region
            .addresses
            .first()
            .copied()
            .unwrap_or_else(|| region.https.ip()),
    };
    Roster::new(project.regions.iter().map(member).collect())
}

/// Makes what control asks of the other regions from what replication and health know.
pub(crate) fn reach(links: &LinkStatus, health: &HealthView) -> Reach {
    let peer = |(name, peer): (&RegionName, &PeerStatus)| {
        let live = health.serves(name.id());
        (
            name.id(),
            PeerReach {
                live,
                applied: peer.sending.applied.clone(),
                copying: peer.sending.copying.clone(),
            },
        )
    };
    links.peers.iter().map(peer).collect()
}

/// Returns where the other regions' APIs answer.
pub(crate) fn endpoints(project: &Project) -> BTreeMap<RegionName, SocketAddr> {
    let others = project
        .regions
        .iter()
        .filter(|region| region.name != project.region);
    others
        .map(|region| (region.name.clone(), region.api))
        .collect()
}

#[cfg(test)]
mod tests;
