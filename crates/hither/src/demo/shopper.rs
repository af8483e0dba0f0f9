//! A customer in a city: resolves the name, connects over TLS, shops, and tries again as an
//! ordinary SDK does.
//!
//! It knows the domain's name and its resolver, and nothing else of the regions.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use base::region::RegionName;
use clock::port::Clock;
use clock::time::Moment;
use clock::wall::System;
use manifest::model::Subnet;
use net::dial::Dialer;
use net::tasks::Tasks;

use crate::demo::query::{self, Found};

/// How long one attempt may take. 2 s.
const ATTEMPT_PATIENCE: Duration = Duration::from_secs(2);

/// How long a request may take with all its attempts. 15 s.
pub(crate) const REQUEST_PATIENCE: Duration = Duration::from_secs(15);

/// The pause after the first broken attempt; it doubles up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Longest body of an answer. 1 MiB.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A city's way to the regions.
#[derive(Clone, Debug)]
pub(crate) struct City {
    pub(crate) name: String,
    pub(crate) subnet: Subnet,
    /// The name server of the nearest region, at the city's distance.
    pub(crate) resolver: SocketAddr,
    /// Each region's gateway by its public address, at the city's distance.
    pub(crate) gateways: BTreeMap<Ipv4Addr, (RegionName, SocketAddr)>,
}

/// A customer.
pub(crate) struct Shopper {
    city: Arc<City>,
    domain: String,
    tls: TlsConnector,
    resolved: Option<(Found, Moment)>,
    connection: Option<Connection>,
    /// Attempts that broke and were made again.
    pub(crate) broken: u64,
}

struct Connection {
    address: Ipv4Addr,
    sender: SendRequest<Full<Bytes>>,
    _tasks: Tasks,
}

/// A request that was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// From the start of the first attempt to the first byte of the answer.
    pub(crate) first_byte: Duration,
    /// The region that the answer's address belongs to.
    pub(crate) region: RegionName,
}

impl Shopper {
    pub(crate) fn new(city: Arc<City>, domain: &str, tls: Arc<rustls::ClientConfig>) -> Self {
        let (domain, tls) = (domain.to_owned(), TlsConnector::from(tls));
        Self {
            city,
            domain,
            tls,
            resolved: None,
            connection: None,
            broken: 0,
        }
    }

    /// Forgets what was resolved and connected, as a customer who comes for the first time.
    pub(crate) fn forget(&mut self) {
        self.resolved = None;
        self.connection = None;
    }

    /// Makes a request, and again while attempts break, within [`REQUEST_PATIENCE`].
    ///
    /// Errors: the last attempt's, once the time is up.
    pub(crate) async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let start = System.now();
        let mut pause = PAUSE;
        loop {
            let attempt = self.attempt(start, method.clone(), path, body.clone());
            let attempt = tokio::time::timeout(ATTEMPT_PATIENCE, attempt).await;
            let attempt = attempt.unwrap_or_else(|_| bail!("no answer in {ATTEMPT_PATIENCE:?}"));
            let error = match attempt {
                Ok(answer) if !is_worth_another(answer.status) => return Ok(answer),
                Ok(answer) => anyhow::anyhow!("the answer was {}", answer.status),
                Err(error) => error,
            };
            self.connection = None;
            if REQUEST_PATIENCE < System.now().since(start) + pause {
                return Err(error.context(format!("{method} {path} from {}", self.city.name)));
            }
            self.broken += 1;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Makes a request to one region's address, whatever DNS says. It is tried once.
    pub(crate) async fn request_at(
        &mut self,
        address: Ipv4Addr,
        path: &str,
    ) -> anyhow::Result<Answer> {
        let start = System.now();
        // The name is resolved all the same: it takes its time.
        self.resolve().await?;
        self.exchange(start, address, Method::GET, path, Bytes::new())
            .await
    }

    async fn attempt(
        &mut self,
        start: Moment,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let address = self.resolve().await?;
        self.exchange(start, address, method, path, body).await
    }

    /// Resolves the name, from the cache until its time is up.
    async fn resolve(&mut self) -> anyhow::Result<Ipv4Addr> {
        if let Some((found, until)) = self.resolved
            && System.now() < until
        {
            return Ok(found.address);
        }
        let found = query::ask(self.city.resolver, &self.domain, &self.city.subnet).await?;
        self.resolved = Some((found, System.now() + found.ttl));
        Ok(found.address)
    }

    async fn exchange(
        &mut self,
        start: Moment,
        address: Ipv4Addr,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let gateway = self.city.gateways.get(&address);
        let (region, gateway) = gateway
            .with_context(|| format!("{address} is no region's address"))?
            .clone();
        let kept = self
            .connection
            .take()
            .filter(|kept| kept.address == address && !kept.sender.is_closed());
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connect(address, gateway).await?,
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, &self.domain)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        connection.sender.ready().await?;
        let response = connection.sender.send_request(request).await?;
        let first_byte = System.now().since(start);
        let status = response.status();
        let body = Limited::new(response.into_body(), BODY_BYTES_MAX)
            .collect()
            .await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
        self.connection = Some(connection);
        Ok(Answer {
            status,
            body,
            first_byte,
            region,
        })
    }

    async fn connect(&self, address: Ipv4Addr, gateway: SocketAddr) -> anyhow::Result<Connection> {
        let stream = Dialer::default().connect(gateway, ATTEMPT_PATIENCE).await?;
        let name = ServerName::try_from(self.domain.clone()).context("read the domain's name")?;
        let stream = self
            .tls
            .connect(name, stream)
            .await
            .context("shake hands")?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let tasks = Tasks::new();
        tasks.spawn(async move { drop(connection.await) });
        Ok(Connection {
            address,
            sender,
            _tasks: tasks,
        })
    }
}

/// Returns whether SDKs try again after this answer.
fn is_worth_another(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Returns the IPv4 address in an address; the demo's regions have no others.
pub(crate) fn v4(address: IpAddr) -> anyhow::Result<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(address) => bail!("{address} is not an IPv4 address"),
    }
}
