//! TLS between the nodes of one project: both sides show certificates of the one authority.
//!
//! It does not know who may talk to whom: names are asked for by whoever holds the connection.
//! Source: RFC 8446 (1.3 alone: forward secrecy, hidden certificates), RFC 7301 (ALPN).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{Resumption, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, RootCertStore, ServerConfig,
};

use clock::port::Clock;
use clock::time::WallTime;

use crate::tls::provider;

/// Both sides' configurations around one certificate.
#[derive(Clone, Debug)]
pub struct Mutual {
    /// For connections that are made.
    pub client: Arc<ClientConfig>,
    /// For connections that are taken.
    pub server: Arc<ServerConfig>,
}

/// Why two sides did not come to terms. It says what the other side is to this one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The other side shows no certificate.
    #[error("it shows no certificate")]
    NoCertificate,
    /// The other side's certificate is from elsewhere.
    #[error("its certificate was not signed by this project's authority")]
    Authority,
    /// The other side's certificate is for other names.
    #[error("its certificate is for {presented}, not for {expected}")]
    Name {
        /// The name that was asked for.
        expected: String,
        /// The names that it has.
        presented: String,
    },
    /// The other side's certificate does not count yet.
    #[error(
        "its certificate counts only in {} s by the clock of this machine: one of the two clocks \
         is wrong", .0.as_secs()
    )]
    NotYet(Duration),
    /// The other side's certificate does not count any more.
    #[error(
        "its certificate counts no more since {} s by the clock of this machine: one of the two \
         clocks is wrong, or it could not make another", .0.as_secs()
    )]
    Expired(Duration),
    /// The other side's certificate is not one of a node at all.
    #[error("its certificate is of no use here: {0}")]
    Certificate(String),
    /// The other side does not know this side's authority.
    #[error("it says that our certificate was not signed by its project's authority")]
    RefusesAuthority,
    /// The other side finds this side's certificate out of its time.
    #[error("it says that our certificate does not count at this time: a clock is wrong")]
    RefusesTime,
    /// The other side refuses this side's certificate.
    #[error("it refuses our certificate or how we speak ({0})")]
    Refuses(String),
    /// The other side speaks something else.
    #[error("it does not speak TLS 1.3 as links do: {0}")]
    Speech(String),
}

/// Makes the configurations of a node with this certificate, for links that speak `protocols`: any
/// of them where it is dialled, and the first where it dials, unless it says otherwise then.
///
/// Each connection is made with whole certificates: none is resumed, so none outlives them.
/// Errors: none that a caller could cause; the provider's own.
pub fn mutual(
    own: CertifiedKey,
    authority: &CertificateDer<'static>,
    protocols: &[&[u8]],
    clock: Arc<dyn Clock>,
) -> Result<Mutual, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    let roots = Arc::new(roots);
    let time: Arc<dyn TimeProvider> = Arc::new(ByClock(clock));
    let own = Arc::new(SingleCertAndKey::from(own));
    let mut client = ClientConfig::builder_with_details(provider(), Arc::clone(&time))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(Arc::clone(&roots))
        .with_client_cert_resolver(Arc::clone(&own) as _);
    let spoken = protocols.iter().map(|protocol| protocol.to_vec());
    client.alpn_protocols = spoken.clone().take(1).collect();
    client.resumption = Resumption::disabled();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let mut server = ServerConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(own);
    server.alpn_protocols = spoken.collect();
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Ok(Mutual {
        client: Arc::new(client),
        server: Arc::new(server),
    })
}

/// Checks that a certificate, verified already, is for a name.
///
/// Errors: [`Fault::Name`] where it is not, [`Fault::NoCertificate`] where there is none, and
/// [`Fault::Certificate`] where it cannot be read.
pub fn check_name(chain: Option<&[CertificateDer<'_>]>, name: &str) -> Result<(), Fault> {
    let Some(own) = chain.and_then(<[_]>::first) else {
        return Err(Fault::NoCertificate);
    };
    let Ok(expected) = ServerName::try_from(name) else {
        return Err(Fault::Name {
            expected: name.to_owned(),
            presented: "other names".to_owned(),
        });
    };
    ParsedCertificate::try_from(own)
        .and_then(|parsed| verify_server_name(&parsed, &expected))
        .map_err(|error| Fault::of(&error))
}

impl Fault {
    /// Says what an error of a handshake, or of what follows it, comes to.
    ///
    /// Shape: `None` where it is none of TLS: the connection broke.
    pub fn of_io(error: &std::io::Error) -> Option<Self> {
        let inner = error.get_ref()?.downcast_ref::<Error>()?;
        Some(Self::of(inner))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what the library may find has no end; the rest is told in its words"
    )]
    fn of(error: &Error) -> Self {
        match error {
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            Error::AlertReceived(alert) => match alert {
                // A signature by another key of the same name does not fit, to some.
                AlertDescription::UnknownCA | AlertDescription::DecryptError => {
                    Self::RefusesAuthority
                }
                AlertDescription::CertificateExpired => Self::RefusesTime,
                other => Self::Refuses(format!("{other:?}")),
            },
            other => Self::Speech(other.to_string()),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what the library may find has no end; the rest is told in its words"
    )]
    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Authority,
            CertificateError::NotValidYetContext { time, not_before } => {
                Self::NotYet(between(*time, *not_before))
            }
            CertificateError::ExpiredContext { time, not_after } => {
                Self::Expired(between(*not_after, *time))
            }
            CertificateError::NotValidForNameContext {
                expected,
                presented,
            } => Self::Name {
                expected: expected.to_str().into_owned(),
                presented: presented.join(", "),
            },
            other => Self::Certificate(other.to_string()),
        }
    }
}

fn between(earlier: UnixTime, later: UnixTime) -> Duration {
    Duration::from_secs(later.as_secs().saturating_sub(earlier.as_secs()))
}

/// Tells TLS the time by the clock that all else goes by.
pub(super) struct ByClock(pub(super) Arc<dyn Clock>);

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.wall()))
    }
}

impl fmt::Debug for ByClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByClock")
    }
}

fn unix_time(wall: WallTime) -> UnixTime {
    let micros = u64::try_from(wall.as_micros()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_micros(micros))
}

#[cfg(test)]
mod tests;
