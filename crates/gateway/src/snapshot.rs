//! What the gateway serves at one moment: configuration, certificates and the other regions.
//!
//! It never changes; a later snapshot replaces it whole.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway_core::config::Config;
use gateway_core::failover::Peer;
use gateway_core::handover::HandoverKey;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// What the gateway serves at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// APIs and domains.
    pub config: Arc<Config>,
    /// The certificates by host name.
    pub certificates: Arc<Certificates>,
    /// The other regions' gateways.
    pub peers: Vec<Peer>,
    /// The key with which gateways hand requests to each other.
    pub handover_key: HandoverKey,
}

/// Certificates by host name, and one for all other names.
#[derive(Clone)]
pub struct Certificates {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    fallback: Arc<CertifiedKey>,
}

impl Certificates {
    /// Makes a set that answers to every name with `fallback`.
    ///
    /// Other regions' gateways connect under [`peer_name`]; `fallback` must be valid for it.
    pub fn new(fallback: Arc<CertifiedKey>) -> Self {
        Self {
            by_name: HashMap::new(),
            fallback,
        }
    }

    /// Adds the certificate of a host name, which may begin with `*.`.
    pub fn insert(&mut self, name: &str, certificate: Arc<CertifiedKey>) {
        self.by_name.insert(name.to_ascii_lowercase(), certificate);
    }

    /// Returns the certificate for the name that a client asked for.
    pub fn find(&self, name: Option<&str>) -> &Arc<CertifiedKey> {
        let own = name.and_then(|name| {
            self.by_name.get(name).or_else(|| {
                let (_, parent) = name.split_once('.')?;
                self.by_name.get(&format!("*.{parent}"))
            })
        });
        own.unwrap_or(&self.fallback)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("names", &self.by_name.len())
            .finish_non_exhaustive()
    }
}

/// Returns the name under which the gateway of `region` proves itself to other regions'.
pub fn peer_name(region: &base::region::RegionName) -> String {
    format!("gateway.{region}.hither.internal")
}

/// Answers each handshake from the current snapshot.
pub(crate) struct CurrentCertificates(pub(crate) Arc<ArcSwap<Snapshot>>);

impl ResolvesServerCert for CurrentCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let snapshot = self.0.load();
        Some(Arc::clone(snapshot.certificates.find(hello.server_name())))
    }
}

impl fmt::Debug for CurrentCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurrentCertificates")
    }
}
