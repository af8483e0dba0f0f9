//! The gateway of one region: its listeners, its connections, and how they end.
//!
//! ```text
//! serving ── drain() ─► draining: nothing accepted, GOAWAY or `connection: close`
//!                         ├─ all requests answered ─► ended
//!                         └─ grace is over ─────────► cut
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use base::region::RegionName;
use clock::port::{Clock, Entropy};
use gateway_core::failover::Budget;
use gateway_core::invoke::Invoke;
use net::dial::Dialer;
use net::listen::{self, BindError};
use net::tasks::Tasks;
use net::tls::{self, Alpn};
use rustls::ClientConfig;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::connection::{Acceptor, Connections};
use crate::counters::{Counters, Reading};
use crate::ids::Ids;
use crate::limits::{ACCEPT_PAUSE, BODIES_BYTES_MAX, CONNECTIONS_MAX};
use crate::pool::Pool;
use crate::room::Room;
use crate::seen::Seen;
use crate::serve::Shared;
use crate::snapshot::{CurrentCertificates, Snapshot};

/// Where a gateway listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// For TLS.
    pub https: SocketAddr,
    /// For plain HTTP.
    pub http: SocketAddr,
}

/// What a gateway works with.
pub struct Parts<I> {
    /// The region it serves.
    pub region: RegionName,
    /// Tells what the region has of all regions' logs.
    pub seen: Seen,
    /// Runs functions.
    pub functions: Arc<I>,
    /// Opens connections to backends and to other regions.
    pub dialer: Dialer,
    /// How `https` backends are verified.
    pub server_tls: Arc<ClientConfig>,
    /// How other regions' gateways are verified; they prove the name
    /// [`crate::snapshot::peer_name`].
    pub peer_tls: Arc<ClientConfig>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Seeds the ids of requests.
    pub entropy: Arc<dyn Entropy>,
}

/// A gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken or not this machine's.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// TLS could not be set up.
    #[error("set up TLS")]
    Tls(#[from] rustls::Error),
    /// The system does not say where it listens.
    #[error("read the address of a listener")]
    Address(#[from] io::Error),
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every request was answered.
    Clean,
    /// Some connections had to be cut.
    Cut,
}

/// The gateway of one region. Dropping it cuts all connections.
#[derive(Debug)]
pub struct Gateway {
    https: SocketAddr,
    http: SocketAddr,
    counters: Arc<Counters>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    tasks: Arc<Tasks>,
    pool: Arc<Pool>,
    cut: CancellationToken,
}

impl Gateway {
    /// Binds both addresses and begins to serve what `snapshots` says at each moment.
    ///
    /// Errors: [`StartError`]; nothing is left running then.
    pub fn start<I: Invoke>(
        addresses: Addresses,
        parts: Parts<I>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
    ) -> Result<Self, StartError> {
        let https = listen::tcp(addresses.https)?;
        let http = listen::tcp(addresses.http)?;
        let snapshot = Arc::new(ArcSwap::new(Arc::clone(&snapshots.borrow())));
        let certificates = Arc::new(CurrentCertificates(Arc::clone(&snapshot)));
        let server_tls = tls::server_config(certificates, Alpn::Http2OrHttp1)?;
        let counters = Arc::new(Counters::default());
        let tasks = Arc::new(Tasks::new());
        let cut = CancellationToken::new();
        let pool = Pool::new(parts.dialer, parts.server_tls, parts.peer_tls);
        let gateway = Self {
            https: https.local_addr()?,
            http: http.local_addr()?,
            counters: Arc::clone(&counters),
            snapshot: Arc::clone(&snapshot),
            tasks: Arc::clone(&tasks),
            pool: Arc::clone(&pool),
            cut: cut.clone(),
        };
        let shared = Arc::new(Shared {
            region: parts.region,
            seen: parts.seen,
            functions: parts.functions,
            clock: parts.clock,
            snapshot: Arc::clone(&snapshot),
            pool,
            counters: Arc::clone(&counters),
            budget: Mutex::new(Budget::new()),
            room: Room::new(BODIES_BYTES_MAX.as_len()),
            ids: Ids::new(&*parts.entropy),
        });
        tasks.spawn(follow(snapshots, snapshot));
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        for (listener, acceptor) in [
            (https, Acceptor::Tls(server_tls.into())),
            (http, Acceptor::Plain),
        ] {
            let port = listener.local_addr()?.port();
            let connections = Connections {
                shared: Arc::clone(&shared),
                acceptor,
                port,
                tasks: Arc::clone(&tasks),
                cut: cut.clone(),
            };
            tasks.spawn(accept(listener, Arc::clone(&room), connections));
        }
        Ok(gateway)
    }

    /// Returns the address for TLS, with the port that was bound.
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    /// Returns the address for plain HTTP, with the port that was bound.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Returns the snapshot by which requests are served at this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Returns the counts of what it does, which go on.
    pub fn counts(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Reads the counts of what it did.
    pub fn counters(&self) -> Reading {
        self.counters.read()
    }

    /// Accepts nothing more, lets clients finish for at most `grace`, then cuts what is left.
    pub async fn drain(&self, grace: Duration) -> Drained {
        let clean = self.tasks.shutdown(grace).await;
        self.cut.cancel();
        self.pool.close().await;
        if clean {
            return Drained::Clean;
        }
        tracing::warn!("connections were cut when the gateway drained");
        Drained::Cut
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.tasks.token().cancel();
        self.cut.cancel();
    }
}

/// Puts each new snapshot where requests look.
async fn follow(mut snapshots: watch::Receiver<Arc<Snapshot>>, current: Arc<ArcSwap<Snapshot>>) {
    loop {
        current.store(Arc::clone(&snapshots.borrow_and_update()));
        if snapshots.changed().await.is_err() {
            return;
        }
    }
}

async fn accept<I: Invoke>(
    listener: TcpListener,
    room: Arc<Semaphore>,
    connections: Connections<I>,
) {
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, client)) => connections.open(stream, client, place),
            Err(error) => {
                // Out of file descriptors, most often: closing connections will free some.
                tracing::warn!(%error, "no connection was accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
