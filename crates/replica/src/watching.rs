//! Watches all links together: the task around `replica_core`'s mesh, and the sweeper.
//!
//! It touches no connection. It waits for nothing but its events, so links never wait for it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::hlc::{AHEAD_MAX, Hlc};
use clock::time::{Moment, WallTime};
use replica_core::link::copies::{Fill, Portion};
use replica_core::link::mesh::Mesh;
use replica_core::vector::VersionVector;
use store::port::Store;

use crate::limits::SWEEP;
use crate::links::Shared;
use crate::status::{Failure, LinkStatus, PeerStatus, Receiving, Sending};

/// What links tell the watching task.
#[derive(Debug)]
pub(crate) enum Event {
    /// The records of a peer come.
    Up(RegionId),
    /// The records of a peer come no more.
    Down(RegionId),
    /// A peer has said where it stands.
    Heard {
        /// The peer.
        peer: RegionId,
        /// What it has on disk.
        durable: VersionVector,
        /// The stamp up to which it has durably applied every origin.
        stable: Hlc,
    },
    /// How our log gets to a peer.
    Sending(RegionName, Box<Sending>),
    /// How a peer's log gets to us.
    Receiving(RegionName, Box<Receiving>),
    /// A peer has given all of its portion of a table.
    Filled {
        /// The table.
        table: TableId,
        /// What it was.
        portion: Portion,
        /// The peer.
        source: RegionId,
    },
    /// This region must not serve on.
    Failed(Failure),
}

/// Where the watching task tells what it finds, but for the status.
pub(crate) struct Outputs {
    /// The regions that are out of reach.
    pub(crate) unreachable: watch::Sender<Arc<BTreeSet<RegionId>>>,
    /// Tables that are filled, and what was asked for them.
    pub(crate) filled: mpsc::Sender<(TableId, Fill)>,
}

struct Watching<S> {
    shared: Arc<Shared<S>>,
    mesh: Mesh,
    status: LinkStatus,
    published: watch::Sender<Arc<LinkStatus>>,
    outputs: Outputs,
    sweep: watch::Sender<Sweep>,
    swept: Moment,
}

/// What can be removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sweep {
    /// Tombstones below this stamp.
    tombstones: Hlc,
    /// Records up to these positions.
    floor: VersionVector,
}

/// Returns the watching task, the sweeping task, and the watch of the links' status.
pub(crate) fn start<S: Store>(
    shared: &Arc<Shared<S>>,
    peers: Vec<RegionName>,
    events: mpsc::Receiver<Event>,
    outputs: Outputs,
) -> (
    impl Future<Output = ()> + use<S>,
    impl Future<Output = ()> + use<S>,
    watch::Receiver<Arc<LinkStatus>>,
) {
    let now = shared.now().moment;
    let ids = peers.iter().map(RegionName::id);
    let mesh = Mesh::new(now, shared.tables.region(), ids);
    let status = LinkStatus {
        peers: peers
            .into_iter()
            .map(|peer| (peer, PeerStatus::default()))
            .collect(),
        ..LinkStatus::default()
    };
    let (published, status_receiver) = watch::channel(Arc::new(status.clone()));
    let (sweep, sweeps) = watch::channel(Sweep::default());
    let watching = Watching {
        shared: Arc::clone(shared),
        mesh,
        status,
        published,
        outputs,
        sweep,
        swept: now,
    };
    (
        watching.run(events),
        sweep_tables(Arc::clone(shared), sweeps),
        status_receiver,
    )
}

impl<S: Store> Watching<S> {
    async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let shared = Arc::clone(&self.shared);
        let mut fills = shared.fills.clone();
        fills.mark_changed();
        loop {
            let sweep = self.swept + SWEEP;
            let due = self.mesh.poll_timeout(shared.now().moment);
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.note(event),
                    None => return,
                },
                Ok(()) = fills.changed() => {
                    let fills = fills.borrow_and_update().as_ref().clone();
                    self.mesh.fill(fills);
                }
                () = shared.sleep_until(Some(due.map_or(sweep, |due| due.min(sweep)))) => {}
            }
            // Events come in bursts; what follows from them is worked out once.
            while let Ok(event) = events.try_recv() {
                self.note(event);
            }
            self.find_unreachable();
            if self.swept + SWEEP <= shared.now().moment {
                self.sweep();
            }
            self.report_filled();
            self.publish();
        }
    }

    fn note(&mut self, event: Event) {
        let now = self.shared.now().moment;
        match event {
            Event::Up(peer) => self.mesh.up(peer),
            Event::Down(peer) => self.mesh.down(now, peer),
            Event::Heard {
                peer,
                durable,
                stable,
            } => {
                self.mesh.durable(peer, &durable);
                self.mesh.stable(peer, stable);
            }
            Event::Sending(peer, sending) => {
                self.mesh.durable(peer.id(), &sending.durable);
                self.status.peers.entry(peer).or_default().sending = *sending;
            }
            Event::Receiving(peer, receiving) => {
                self.status.peers.entry(peer).or_default().receiving = *receiving;
            }
            Event::Filled {
                table,
                portion,
                source,
            } => self.mesh.filled(table, portion, source),
            Event::Failed(failure) => {
                if self.status.failure.is_none() {
                    error!(%failure, "this region must not serve on");
                }
                self.status.failure.get_or_insert(failure);
            }
        }
    }

    fn find_unreachable(&mut self) {
        let unreachable = self.mesh.unreachable(self.shared.now().moment);
        let is_news = self.outputs.unreachable.send_if_modified(|known| {
            let is_news = **known != unreachable;
            if is_news {
                *known = Arc::new(unreachable.clone());
            }
            is_news
        });
        if is_news {
            info!(?unreachable, "regions whose records are asked of others");
            self.status.unreachable = unreachable.into_iter().collect();
        }
    }

    fn sweep(&mut self) {
        let shared = &self.shared;
        self.swept = shared.now().moment;
        let local = shared.tables.local();
        self.mesh.stable(shared.tables.region(), local.stable);
        let limit = self.mesh.round(local.horizon);
        self.status.frontier = self.mesh.frontier();
        let floor = self.mesh.floor(&local.durable);
        let ahead = stamps_ahead(local.horizon, shared.now().wall, &self.status.peers);
        if ahead.is_some() && self.status.stamps_ahead.is_none() {
            warn!(
                ?ahead,
                "our stamps are ahead: this or another region's clock is wrong"
            );
        }
        self.status.stamps_ahead = ahead;
        self.sweep.send_if_modified(|sweep| {
            let before = sweep.clone();
            sweep.tombstones = sweep.tombstones.max(limit.unwrap_or_default());
            sweep.floor = floor;
            *sweep != before
        });
    }

    fn report_filled(&mut self) {
        for (table, fill) in self.mesh.take_filled(self.shared.now().moment) {
            // Where there is no room for it, it is told again.
            if self.outputs.filled.try_send((table, fill)).is_ok() {
                info!(%table, "a table is filled");
            }
        }
    }

    fn publish(&mut self) {
        let peers = &self.status.peers;
        let own = self.shared.tables.region();
        let percent = |table: &TableId, source: &RegionId| {
            let peer = peers.iter().find(|(name, _)| name.id() == *source);
            let known = peer.and_then(|(_, peer)| peer.receiving.filling.get(table));
            known
                .copied()
                .unwrap_or(if *source == own { 100 } else { 0 })
        };
        let slowest = |(table, fill): (&TableId, &Fill)| {
            let sources = fill.sources.iter();
            let slowest = sources.map(|source| percent(table, source)).min();
            (*table, slowest.unwrap_or(0))
        };
        let filling: BTreeMap<_, _> = self.mesh.fills().iter().map(slowest).collect();
        self.status.filling = filling;
        self.published.send_if_modified(|published| {
            let is_news = **published != self.status;
            if is_news {
                *published = Arc::new(self.status.clone());
            }
            is_news
        });
    }
}

/// Returns how far stamps at `horizon` are ahead of our wall clock, or of the live peers' in the
/// middle, where that is more than [`AHEAD_MAX`]. A wall clock that once stood ahead takes the
/// stamps with it for good.
fn stamps_ahead(
    horizon: Hlc,
    wall: WallTime,
    peers: &BTreeMap<RegionName, PeerStatus>,
) -> Option<Duration> {
    let live = peers.values().map(|peer| &peer.sending);
    let live = live.filter(|sending| sending.line.is_up());
    let mut clocks: Vec<i64> = live.filter_map(|sending| sending.clock_ahead).collect();
    clocks.sort_unstable();
    let middle = clocks.get(clocks.len() / 2).copied().unwrap_or(0);
    let behind = wall.as_micros().saturating_add(middle.min(0));
    let ahead = u64::try_from(horizon.0.saturating_sub(behind)).unwrap_or(0);
    let ahead = Duration::from_micros(ahead);
    (AHEAD_MAX < ahead).then_some(ahead)
}

/// Removes what can be removed, beside the links, since it may take a while.
async fn sweep_tables<S: Store>(shared: Arc<Shared<S>>, mut sweeps: watch::Receiver<Sweep>) {
    let mut collected = Hlc::default();
    while sweeps.changed().await.is_ok() {
        let sweep = sweeps.borrow_and_update().clone();
        if collected < sweep.tombstones {
            match shared.tables.collect_tombstones(sweep.tombstones).await {
                Ok(()) => collected = sweep.tombstones,
                Err(error) => warn!(%error, "cannot collect tombstones"),
            }
        }
        if let Err(error) = shared.tables.trim_log(&sweep.floor).await {
            warn!(%error, "cannot trim logs");
        }
    }
}
