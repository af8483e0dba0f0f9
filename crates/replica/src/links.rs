//! A region's links: started with its tables, watched through one status, drained at the end.
//!
//! They carry the log both ways; what is in it is `table`'s, and what is said `replica_core`'s.
//!
//! ```text
//!   listening ── greeted connections ──► receiving (one a peer) ─┐
//!   sending (one a peer, dials) ────────────────────────────────┼─ events ─► watching ─► status
//!        ▲ a peer that came is dialled at once                   │               │
//!        └───────────────────────────────────────────────────────┴◄─ unreachable ┘
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tracing::{error, info};

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::port::{Clock, Entropy};
use clock::time::Moment;
use net::dial::Dialer;
use net::tasks::Tasks;
use net::tls::mutual::Mutual;
use replica_core::frame::greeting::Refusal;
use replica_core::link::copies::{Fill, Fills};
use replica_core::link::handshake::Identity;
use replica_core::link::{LinkError, Now};
use replica_core::vector::Seq;
use store::port::Store;
use table::tables::Tables;

use crate::comparing::Comparer;
use crate::connection::EndError;
use crate::delays::Delays;
use crate::joining::invitations::{Invitations, Welcome};
use crate::limits::EVENTS_MAX;
use crate::status::{Failure, LinkStatus};
use crate::watching::Event;
use crate::{listening, receiving, sending, watching};

/// What links are started with.
pub struct Config {
    /// The project's name; regions of another project are refused.
    pub project: String,
    /// This region.
    pub region: RegionName,
    /// This node's certificate and the project's authority, as they are at any time: those for
    /// each connection that is made from then on. Regions of another authority are refused.
    pub tls: watch::Receiver<Arc<Mutual>>,
    /// What a machine is given that joins by an invitation.
    pub welcome: Welcome,
    /// Where peers dial this region.
    pub listener: TcpListener,
    /// The other regions and where they listen.
    pub peers: Vec<(RegionName, SocketAddr)>,
    /// How connections are made.
    pub dialer: Dialer,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// Which tables are to be filled here, and from which regions, the primary source first.
    pub fills: watch::Receiver<Arc<Fills>>,
    /// Where a table is reported when all its sources have given what they have, with what was
    /// asked of them; and again while it is still to be filled.
    pub filled: mpsc::Sender<(TableId, Fill)>,
}

/// The running links of a region. Dropping them ends them.
pub struct Links<S> {
    tables: Tables<S>,
    status: watch::Receiver<Arc<LinkStatus>>,
    delays: Arc<Delays>,
    comparer: Comparer<S>,
    invitations: Arc<Invitations>,
    tasks: Tasks,
}

/// What all tasks of the links share.
pub(crate) struct Shared<S> {
    pub(crate) tables: Tables<S>,
    identity: Identity,
    tls: watch::Receiver<Arc<Mutual>>,
    pub(crate) invitations: Arc<Invitations>,
    pub(crate) dialer: Dialer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) delays: Arc<Delays>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) fills: watch::Receiver<Arc<Fills>>,
    pub(crate) unreachable: watch::Receiver<Arc<BTreeSet<RegionId>>>,
    /// Told when a peer has come by itself: it can be dialled.
    pub(crate) came: BTreeMap<RegionName, Notify>,
}

impl<S: Store> Links<S> {
    /// Starts the links of a region. They dial, listen and redial until they are dropped.
    pub fn start(tables: Tables<S>, config: Config) -> Self {
        let tasks = Tasks::new();
        let (events, event_receiver) = mpsc::channel(EVENTS_MAX);
        let (unreachable_sender, unreachable) = watch::channel(Arc::default());
        let directory = tables.directory();
        debug_assert_eq!(
            tables.region(),
            config.region.id(),
            "tables and links are of one region"
        );
        let region = config.region.clone();
        let names = config.peers.iter().map(|(name, _)| name.clone());
        let delays = Arc::new(Delays::default());
        let invitations = Arc::new(Invitations::new(config.welcome));
        let shared = Arc::new(Shared {
            tables: tables.clone(),
            identity: Identity::new(&config.project, region, directory),
            tls: config.tls,
            invitations: Arc::clone(&invitations),
            dialer: config.dialer,
            clock: config.clock,
            entropy: config.entropy,
            delays: Arc::clone(&delays),
            events,
            fills: config.fills,
            unreachable,
            came: names.map(|name| (name, Notify::new())).collect(),
        });
        let mut arrivals = BTreeMap::new();
        for (peer, address) in &config.peers {
            let (arrival, arrived) = mpsc::channel(1);
            arrivals.insert(peer.clone(), arrival);
            tasks.spawn(receiving::run(Arc::clone(&shared), peer.clone(), arrived));
            tasks.spawn(sending::run(Arc::clone(&shared), peer.clone(), *address));
        }
        let comparer = Comparer::new(Arc::clone(&shared), &config.peers);
        let listener = config.listener;
        tasks.spawn(listening::run(Arc::clone(&shared), listener, arrivals));
        let names = config.peers.into_iter().map(|(name, _)| name).collect();
        let outputs = watching::Outputs {
            unreachable: unreachable_sender,
            filled: config.filled,
        };
        let (watching, sweeping, status) = watching::start(&shared, names, event_receiver, outputs);
        tasks.spawn(watching);
        tasks.spawn(sweeping);
        Self {
            tables,
            status,
            delays,
            comparer,
            invitations,
            tasks,
        }
    }

    /// Returns how late this region's writes are seen in the others.
    pub fn delays(&self) -> Arc<Delays> {
        Arc::clone(&self.delays)
    }

    /// Returns what compares this region's tables with those of its peers.
    pub fn comparer(&self) -> Comparer<S> {
        self.comparer.clone()
    }

    /// Returns who may join the project by way of this region.
    pub fn invitations(&self) -> Arc<Invitations> {
        Arc::clone(&self.invitations)
    }

    /// Returns a watch of what the links tell of themselves.
    ///
    /// A borrowed status must not be held while waiting for something else: publishing waits.
    pub fn status(&self) -> watch::Receiver<Arc<LinkStatus>> {
        self.status.clone()
    }

    /// Waits until every peer that is connected has applied all that was written here, at most
    /// `grace`, and ends the links. Returns whether they have.
    ///
    /// Writes should have stopped before.
    pub async fn drain(self, grace: Duration) -> bool {
        let own = self.tables.region();
        let (head, _) = self.tables.horizon();
        let mut status = self.status.clone();
        let caught_up = async {
            let caught_up = status.wait_for(|status| {
                let mut sending = status.peers.values().map(|peer| &peer.sending);
                sending.all(|peer| !peer.line.is_up() || head <= peer.applied.at(own))
            });
            // The guard ends here: whoever publishes would wait for it.
            caught_up.await.is_ok()
        };
        let drained = tokio::time::timeout(grace, caught_up).await;
        let drained = drained.unwrap_or(false);
        info!(drained, "links end");
        self.tasks.shutdown(ENDING).await;
        drained
    }
}

impl<S> Shared<S> {
    /// Reads both clocks.
    pub(crate) fn now(&self) -> Now {
        Now {
            moment: self.clock.now(),
            wall: self.clock.wall(),
        }
    }

    /// Sleeps until `due`, for ever where there is none.
    pub(crate) async fn sleep_until(&self, due: Option<Moment>) {
        match due {
            Some(due) => tokio::time::sleep(due - self.clock.now()).await,
            None => std::future::pending().await,
        }
    }

    /// Returns the certificates for a connection that begins.
    pub(crate) fn tls(&self) -> Arc<Mutual> {
        Arc::clone(&self.tls.borrow())
    }

    /// Returns this region.
    pub(crate) const fn region(&self) -> &RegionName {
        self.identity.region()
    }

    /// Tells the watching task. Where it has ended, all tasks are about to.
    pub(crate) async fn tell(&self, event: Event) {
        let _ended = self.events.send(event).await;
    }
}

impl<S: Store> Shared<S> {
    /// Returns who this region is, with what it keeps its data in.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
            .clone()
            .with_directory(self.tables.directory())
    }

    /// Acts on why a connection with `peer` ended, where that tells something of this region.
    /// Returns whether the next connection may fare better.
    pub(crate) async fn note_end(&self, peer: &RegionName, error: &EndError) -> bool {
        let EndError::Link(error) = error else {
            return true;
        };
        match error {
            LinkError::Refused(Refusal::Incarnation { region, had }) if region == self.region() => {
                if *had <= self.tables.directory().begins {
                    // It answers what was said before the log began anew.
                    return true;
                }
                if self.tables.is_welcomed_by(peer.id()) {
                    let peer = peer.clone();
                    self.fail(Failure::OtherDirectory { peer }).await;
                    return false;
                }
                self.begin_above(peer, *had).await
            }
            LinkError::Rewound { origin, has, had } if *origin == self.tables.region() => {
                let (has, had, peer) = (*has, *had, peer.clone());
                self.fail(Failure::Rewound { peer, has, had }).await;
                false
            }
            LinkError::Refused(_) | LinkError::Rewound { .. } => false,
            LinkError::Silent(_) | LinkError::Protocol(_) | LinkError::Unread => true,
        }
    }

    /// Lets this region's log begin above a lost directory's. Returns whether that is on disk.
    async fn begin_above(&self, peer: &RegionName, had: Seq) -> bool {
        info!(%peer, %had, "this directory takes the place of a lost one");
        match self.tables.begin_log_above(had).await {
            Ok(()) => true,
            Err(error) => {
                error!(%error, "cannot let the log begin anew");
                false
            }
        }
    }

    /// Stops this region's writes: what it would acknowledge would be lost.
    pub(crate) async fn fail(&self, failure: Failure) {
        if let Err(error) = self.tables.stop_writes(&failure.to_string()).await {
            tracing::error!(%error, "why this directory must not be used is not noted in it");
        }
        self.tell(Event::Failed(failure)).await;
    }
}

/// How long tasks may take to end. 1 s: they wait for nothing.
const ENDING: Duration = Duration::from_secs(1);
