//! One probe: resolve, connect, shake hands, ask.
//!
//! It keeps nothing between two probes but the TLS configurations.
//! Source: Route 53 developer guide, "How Route 53 determines whether a health check is healthy".

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use health_core::check::{
    CheckKind, CheckSpec, EndpointCheck, HttpProbe, Patience, Protocol, Sni, Target,
};
use health_core::health::{Probe, ProbeTarget};
use health_core::observation::{Failure, Outcome, Success};
use net::dial::Dialer;
use net::lookups::Lookups;
use net::tls::{self, Alpn, Trust};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::http::{Expect, exchange};
use crate::limits::LOOKUPS_MAX;
use crate::request;
use crate::roster::{Meaning, Roster};

/// What every probe needs.
#[derive(Clone)]
pub(crate) struct Prober {
    dialer: Dialer,
    lookups: Lookups,
    named: TlsConnector,
    unnamed: TlsConnector,
}

impl Prober {
    /// Makes a prober.
    ///
    /// Errors: those of the TLS provider.
    pub(crate) fn try_new(dialer: Dialer) -> Result<Self, rustls::Error> {
        // Without ALPN every server speaks HTTP/1.1.
        let named = tls::client_config(Trust::Unverified, Alpn::None)?;
        let mut unnamed = ClientConfig::clone(&named);
        unnamed.enable_sni = false;
        Ok(Self {
            dialer,
            lookups: Lookups::new(LOOKUPS_MAX),
            named: TlsConnector::from(named),
            unnamed: TlsConnector::from(Arc::new(unnamed)),
        })
    }

    /// Makes one probe, within its time.
    pub(crate) async fn run(self, probe: Probe, roster: Arc<Roster>) -> Outcome {
        let Probe {
            target, patience, ..
        } = probe;
        let probing = async {
            match &target {
                ProbeTarget::Check(spec) => self.check(spec, patience, &roster).await,
                ProbeTarget::Region(region) => {
                    let endpoint = roster.member(*region).and_then(|member| member.endpoint);
                    match endpoint {
                        Some(endpoint) => self.region(endpoint, patience).await,
                        None => Outcome::Failure(Failure::Unresolved),
                    }
                }
            }
        };
        timeout(patience.total, probing)
            .await
            .unwrap_or(Outcome::Failure(Failure::ResponseTimeout))
    }

    async fn check(&self, spec: &CheckSpec, patience: Patience, roster: &Roster) -> Outcome {
        let CheckKind::Endpoint(endpoint) = &spec.kind else {
            debug_assert!(false, "the core probes endpoints only");
            return Outcome::Failure(Failure::Lost);
        };
        let address = self.resolve(&endpoint.target, endpoint.port, roster).await;
        let Some(address) = address else {
            return Outcome::Failure(Failure::Unresolved);
        };
        let connecting = self.dialer.connect_for_user(address, patience.connect);
        let stream = match connecting.await {
            Ok(stream) => stream,
            Err(error) => return Outcome::Failure(refusal(&error)),
        };
        let agent = format!("Hither-Health-Check (ref {})", spec.id);
        match &endpoint.protocol {
            Protocol::Tcp => Outcome::Success(Success::Connected),
            Protocol::Http(probe) => ask(stream, endpoint, probe, &agent, patience).await,
            Protocol::Https(probe, sni) => {
                let stream = match self.shake(stream, address, endpoint, *sni, patience).await {
                    Ok(stream) => stream,
                    Err(failure) => return Outcome::Failure(failure),
                };
                ask(stream, endpoint, probe, &agent, patience).await
            }
        }
    }

    /// Finds the address of a target: its own, a region's, or the name's first IPv4 address.
    async fn resolve(&self, target: &Target, port: u16, roster: &Roster) -> Option<SocketAddr> {
        let name = match target {
            Target::Address(address) | Target::AddressNamed(address, _) => {
                return Some(SocketAddr::new(*address, port));
            }
            Target::Name(name) => name,
        };
        match roster.resolve(name) {
            Meaning::Region(address) => return Some(SocketAddr::new(address, port)),
            Meaning::Nothing => return None,
            Meaning::Foreign => {}
        }
        if let Ok(address) = name.parse::<IpAddr>() {
            return Some(SocketAddr::new(address, port));
        }
        let found = self.lookups.addresses(name, port).await.ok()?;
        found.into_iter().find(SocketAddr::is_ipv4)
    }

    /// Asks a silent region's API for anything at all: a living process answers.
    async fn region(&self, endpoint: SocketAddr, patience: Patience) -> Outcome {
        let stream = match self.dialer.connect(endpoint, patience.connect).await {
            Ok(stream) => stream,
            Err(error) => return Outcome::Failure(refusal(&error)),
        };
        let host = endpoint.to_string();
        let Some(request) = request::get("/", &host, "Hither-Health-Check (region)") else {
            return Outcome::Failure(Failure::Lost);
        };
        let expect = Expect {
            search: None,
            status: patience.status,
            body: patience.body,
        };
        exchange(stream, request, &expect).await
    }

    /// Makes a TLS connection; where a named handshake fails, a second one names nobody.
    async fn shake(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        endpoint: &EndpointCheck,
        sni: Sni,
        patience: Patience,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
        let anonymous = ServerName::from(address.ip());
        let name = match (sni, endpoint.target.name()) {
            (Sni::On, Some(name)) => ServerName::try_from(name.to_owned()).ok(),
            (Sni::On, None) | (Sni::Off, _) => None,
        };
        let Some(name) = name else {
            let shaking = self.unnamed.connect(anonymous, stream);
            return shaken(timeout(patience.status, shaking).await);
        };
        let first = timeout(patience.status, self.named.connect(name, stream)).await;
        match first {
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                let connecting = self.dialer.connect_for_user(address, patience.connect);
                let stream = connecting.await;
                let stream = stream.map_err(|error| refusal(&error))?;
                let shaking = self.unnamed.connect(anonymous, stream);
                shaken(timeout(patience.status, shaking).await)
            }
            first => shaken(first),
        }
    }
}

async fn ask<S>(
    stream: S,
    endpoint: &EndpointCheck,
    probe: &HttpProbe,
    agent: &str,
    patience: Patience,
) -> Outcome
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let Some(request) = request::get(probe.path(), &endpoint.host_header(), agent) else {
        return Outcome::Failure(Failure::Malformed);
    };
    let expect = Expect {
        search: probe.search(),
        status: patience.status,
        body: patience.body,
    };
    exchange(stream, request, &expect).await
}

fn shaken<S, E>(shaken: Result<Result<S, io::Error>, E>) -> Result<S, Failure> {
    match shaken {
        Err(_) => Err(Failure::ResponseTimeout),
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(Failure::Tls),
        Ok(Err(_)) => Err(Failure::Closed),
        Ok(Ok(stream)) => Ok(stream),
    }
}

fn refusal(error: &io::Error) -> Failure {
    let kind = error.kind();
    if kind == io::ErrorKind::TimedOut {
        Failure::ConnectTimeout
    } else if kind == io::ErrorKind::ConnectionRefused || kind == io::ErrorKind::ConnectionReset {
        Failure::Refused
    } else {
        Failure::Unreachable
    }
}

#[cfg(test)]
mod tests;
