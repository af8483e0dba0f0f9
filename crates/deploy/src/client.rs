//! A small AWS client: signs a call, sends it to its region's endpoint, reads the answer.
//!
//! It dials addresses and resolves no names; it knows no operation.

mod connection;
mod error;
mod reply;
mod sign;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_credential_types::Credentials;
use base::region::RegionName;
use clock::port::Clock;
use http::StatusCode;
use tokio_rustls::rustls::ClientConfig;

use crate::call::Call;
use crate::limits::{CALL_PATIENCE, CALL_PAUSE, CALL_TRIES_MAX};

pub use error::{ClientError, ServiceError};
pub use reply::{Node, Reply};

use connection::Connection;

/// Where a region's API is reached.
#[derive(Clone)]
pub struct Endpoint {
    /// The address to dial.
    pub address: SocketAddr,
    /// The host that requests name, with the port where it is not the scheme's own.
    pub authority: String,
    /// Whether the connection is encrypted.
    pub transport: Transport,
}

/// How bytes reach an endpoint.
#[derive(Clone)]
pub enum Transport {
    /// Plain TCP: for loopback and private networks.
    Plain,
    /// TLS, with the roots that the configuration trusts.
    Tls(Arc<ClientConfig>),
}

impl Endpoint {
    /// Makes the endpoint of a region that is reached without TLS.
    pub fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            authority: address.to_string(),
            transport: Transport::Plain,
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Plain => "http",
            Transport::Tls(_) => "https",
        };
        write!(f, "{scheme}://{} at {}", self.authority, self.address)
    }
}

/// An AWS client for several regions. It keeps one connection to each endpoint.
pub struct Client {
    endpoints: BTreeMap<RegionName, Endpoint>,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
    connections: BTreeMap<RegionName, Connection>,
}

impl Client {
    /// Makes a client that signs with `credentials`.
    pub fn new(
        endpoints: BTreeMap<RegionName, Endpoint>,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            endpoints,
            credentials,
            clock,
            connections: BTreeMap::new(),
        }
    }

    /// Makes a call, and again where the endpoint says that it may pass later.
    ///
    /// Errors: [`ClientError::Refused`] with the service's own code, or why there is no answer.
    pub async fn call(&mut self, call: &Call) -> Result<Reply, ClientError> {
        let mut pause = CALL_PAUSE;
        let mut tries_left = CALL_TRIES_MAX;
        loop {
            tries_left -= 1;
            let error = match self.call_once(call).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if tries_left == 0 || !error.may_pass() {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn call_once(&mut self, call: &Call) -> Result<Reply, ClientError> {
        let endpoint = self
            .endpoints
            .get(&call.region)
            .ok_or_else(|| ClientError::NoEndpoint(call.region.clone()))?
            .clone();
        let slow = || ClientError::Slow {
            endpoint: format!("{endpoint:?}"),
            operation: call.operation.name,
        };
        let sent = tokio::time::timeout(CALL_PATIENCE, self.exchange(call, &endpoint));
        let (status, headers, body) = sent.await.map_err(|_| slow())??;
        let reply = Reply::read(call.operation, status, &body)?;
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            Ok(reply)
        } else {
            let error = ServiceError::read(call.operation.name, status, &headers, &reply);
            Err(ClientError::Refused(error))
        }
    }

    async fn exchange(
        &mut self,
        call: &Call,
        endpoint: &Endpoint,
    ) -> Result<connection::Answer, ClientError> {
        let broken = |source| ClientError::Broken {
            endpoint: format!("{endpoint:?}"),
            operation: call.operation.name,
            source,
        };
        let request = || sign::request(call, endpoint, &self.credentials, self.clock.wall());
        if let Some(mut kept) = self.connections.remove(&call.region) {
            match kept.exchange(request()?).await {
                Ok(answer) => {
                    self.connections.insert(call.region.clone(), kept);
                    return Ok(answer);
                }
                // The server had closed it in the meantime: the call goes out on a fresh one.
                Err(error) if Connection::was_stale(&error) => {}
                Err(error) => return Err(broken(error)),
            }
        }
        let mut fresh = Connection::open(endpoint).await?;
        let answer = fresh.exchange(request()?).await.map_err(broken)?;
        self.connections.insert(call.region.clone(), fresh);
        Ok(answer)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}
