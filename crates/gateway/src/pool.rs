//! Kept connections to backends and to other regions' gateways.
//!
//! It speaks HTTP/1.1, one request at a time on each connection. The connection used last is
//! used first, so that those not needed grow old and are closed.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use base::region::RegionName;
use gateway_core::uri::Security;
use http::uri::Authority;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use net::dial::Dialer;
use net::lookups::Lookups;
use net::tasks::Tasks;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, interval, timeout};
use tokio_rustls::TlsConnector;

use crate::body::Body;
use crate::limits::{
    ADDRESSES_MAX, BACKENDS_MAX, BUFFER_BYTES_MAX, CONNECT_PATIENCE, IDLE_PATIENCE,
    IDLE_PER_BACKEND_MAX, LOOKUPS_MAX,
};
use crate::snapshot::peer_name;

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Backend {
    /// An HTTP server that an integration names.
    Server {
        /// Whether by TLS.
        security: Security,
        /// Host and port as written.
        authority: Authority,
        /// The port.
        port: u16,
    },
    /// Another region's gateway.
    Gateway {
        /// The region.
        region: RegionName,
        /// Its address.
        address: SocketAddr,
    },
}

/// A connection that may be used for one request.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) sender: SendRequest<Body>,
    backend: Backend,
    pool: Weak<Pool>,
}

/// Kept connections to backends.
#[derive(Debug)]
pub(crate) struct Pool {
    dialer: Dialer,
    lookups: Lookups,
    server_tls: Arc<ClientConfig>,
    peer_tls: Arc<ClientConfig>,
    tasks: Tasks,
    idle: Mutex<HashMap<Backend, Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Body>,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(
        dialer: Dialer,
        server_tls: Arc<ClientConfig>,
        peer_tls: Arc<ClientConfig>,
    ) -> Arc<Self> {
        let pool = Arc::new(Self {
            dialer,
            lookups: Lookups::new(LOOKUPS_MAX),
            server_tls,
            peer_tls,
            tasks: Tasks::new(),
            idle: Mutex::default(),
        });
        pool.tasks.spawn(reap(Arc::downgrade(&pool)));
        pool
    }

    /// Returns the connection to `backend` used last, if one is kept.
    pub(crate) async fn kept(self: &Arc<Self>, backend: &Backend) -> Option<Lease> {
        loop {
            let mut sender = self.idle().get_mut(backend)?.pop()?.sender;
            // Waits for the end of the response before, which has been read; fails when closed.
            if sender.ready().await.is_ok() {
                return Some(self.lease(sender, backend));
            }
        }
    }

    /// Opens a connection to `backend`.
    ///
    /// Errors: those of name resolution, the system, the handshake; `TimedOut` for each.
    pub(crate) async fn fresh(self: &Arc<Self>, backend: &Backend) -> io::Result<Lease> {
        let sender = match backend {
            Backend::Server {
                security,
                authority,
                port,
            } => {
                let stream = self.dial(authority.host(), *port).await?;
                match security {
                    Security::Plain => self.speak(stream).await?,
                    Security::Tls => {
                        let name = authority.host().trim_matches(['[', ']']).to_owned();
                        self.secure(&self.server_tls, name, stream).await?
                    }
                }
            }
            Backend::Gateway { region, address } => {
                let stream = self.dialer.connect(*address, CONNECT_PATIENCE).await?;
                self.secure(&self.peer_tls, peer_name(region), stream)
                    .await?
            }
        };
        Ok(self.lease(sender, backend))
    }

    /// Ends all connections.
    pub(crate) async fn close(&self) {
        self.idle().clear();
        self.tasks.shutdown(CONNECT_PATIENCE).await;
    }

    fn lease(self: &Arc<Self>, sender: SendRequest<Body>, backend: &Backend) -> Lease {
        Lease {
            sender,
            backend: backend.clone(),
            pool: Arc::downgrade(self),
        }
    }

    async fn dial(&self, host: &str, port: u16) -> io::Result<tokio::net::TcpStream> {
        let host = host.trim_matches(['[', ']']);
        let lookup = timeout(CONNECT_PATIENCE, self.lookups.addresses(host, port));
        let addresses = lookup.await.map_err(|_| io::ErrorKind::TimedOut)??;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            let connecting = self.dialer.connect_for_user(address, CONNECT_PATIENCE);
            match connecting.await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn secure(
        &self,
        config: &Arc<ClientConfig>,
        name: String,
        stream: tokio::net::TcpStream,
    ) -> io::Result<SendRequest<Body>> {
        let name = ServerName::try_from(name)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let connecting = TlsConnector::from(Arc::clone(config)).connect(name, stream);
        let stream = timeout(CONNECT_PATIENCE, connecting)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        self.speak(stream).await
    }

    async fn speak<T>(&self, stream: T) -> io::Result<SendRequest<Body>>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER_BYTES_MAX.as_len())
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a backend ended");
            }
        });
        Ok(sender)
    }

    fn put(&self, backend: Backend, sender: SendRequest<Body>) {
        let since = Instant::now();
        let mut idle = self.idle();
        if idle.len() >= BACKENDS_MAX && !idle.contains_key(&backend) {
            return;
        }
        let kept = idle.entry(backend).or_default();
        if kept.len() < IDLE_PER_BACKEND_MAX {
            kept.push(Idle { sender, since });
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Backend, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Puts the connection back for the next request.
    pub(crate) fn give_back(self) {
        if let Some(pool) = self.pool.upgrade()
            && !self.sender.is_closed()
        {
            pool.put(self.backend, self.sender);
        }
    }
}

/// Closes connections that were idle for too long, again and again.
async fn reap(pool: Weak<Pool>) {
    let mut ticks = interval(IDLE_PATIENCE / 2);
    loop {
        ticks.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        pool.idle().retain(|_, kept| {
            kept.retain(|idle| idle.since.elapsed() < IDLE_PATIENCE && !idle.sender.is_closed());
            !kept.is_empty()
        });
    }
}
