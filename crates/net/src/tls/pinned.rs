//! TLS of a client that has no certificate yet, and knows a server's authority by its hash alone.
//!
//! It decides nothing about who the client is: whoever takes the connection asks it for a secret.
//! Source: RFC 8446 (1.3 alone), RFC 7301 (ALPN).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};

use clock::port::Clock;

use crate::tls::mutual::ByClock;
use crate::tls::provider;

/// An authority, as whoever has never seen its certificate can know it: by the SHA-256 of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin(pub [u8; 32]);

impl Pin {
    /// Returns what an authority's certificate is known by.
    pub fn of(authority: &CertificateDer<'_>) -> Self {
        let hash = digest(&SHA256, authority);
        let mut pin = [0; 32];
        pin.copy_from_slice(hash.as_ref());
        Self(pin)
    }
}

/// Makes the configuration of a server that shows the certificates that `like` shows, at the time
/// that it goes by, and asks for none. Its chain must end with the authority's own certificate.
///
/// Errors: none that a caller could cause; the provider's own.
pub fn server(like: &ServerConfig, protocol: &[u8]) -> Result<Arc<ServerConfig>, Error> {
    let time = Arc::clone(&like.time_provider);
    let mut server = ServerConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&like.cert_resolver));
    server.alpn_protocols = vec![protocol.to_vec()];
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Ok(Arc::new(server))
}

/// Makes the configuration of a client that takes certificates of one authority alone.
///
/// Errors: none that a caller could cause; the provider's own.
pub fn client(
    pin: Pin,
    protocol: &[u8],
    clock: Arc<dyn Clock>,
) -> Result<Arc<ClientConfig>, Error> {
    let mut client = ClientConfig::builder_with_details(provider(), Arc::new(ByClock(clock)))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(pin)))
        .with_no_client_auth();
    client.alpn_protocols = vec![protocol.to_vec()];
    client.resumption = Resumption::disabled();
    Ok(Arc::new(client))
}

/// Takes certificates that the pinned authority, which the server shows too, has signed.
#[derive(Debug)]
struct Pinned(Pin);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut shown = intermediates.iter();
        let authority = shown
            .find(|certificate| Pin::of(certificate) == self.0)
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        verifier.verify_server_cert(end_entity, &[], server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 alone is spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
