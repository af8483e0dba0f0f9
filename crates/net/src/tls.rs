//! TLS configurations for servers and clients, and certificates read from PEM.
//!
//! It chooses no certificate: a server asks the resolver it was given, for each handshake.
//! Source: RFC 8446, RFC 7301 (ALPN); the provider is aws-lc everywhere.

pub mod mutual;

pub mod pinned;

use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, InconsistentKeys, RootCertStore, ServerConfig,
    SignatureScheme,
};

/// The protocols that may follow the handshake, in the server's order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpn {
    /// No protocol is negotiated.
    None,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2, else HTTP/1.1.
    Http2OrHttp1,
}

/// Whose certificates a client takes.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those that lead to one of these roots and name the server.
    Roots(RootCertStore),
    /// Any. The connection is then private only from those who merely listen.
    Unverified,
}

/// A certificate and its key could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The text holds no certificate, or one that cannot be read.
    #[error("read the certificate chain: {0}")]
    Chain(String),
    /// The text holds no private key, or one of a kind that cannot be used.
    #[error("read the private key: {0}")]
    Key(String),
    /// The key is not the one of the first certificate.
    #[error("use the private key: it does not belong to the certificate")]
    Mismatch,
}

/// Makes a server's configuration: TLS 1.2 and 1.3, resumption by stateless tickets.
///
/// Errors: those of the random generator that makes the ticket keys.
pub fn server_config(
    certificates: Arc<dyn ResolvesServerCert>,
    alpn: Alpn,
) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.alpn_protocols = alpn.names();
    Ok(Arc::new(config))
}

/// Makes a client's configuration: TLS 1.2 and 1.3, no certificate of its own.
///
/// Errors: none that a caller could cause; the provider's own.
pub fn client_config(trust: Trust, alpn: Alpn) -> Result<Arc<ClientConfig>, Error> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let mut config = match trust {
        Trust::Roots(roots) => builder.with_root_certificates(roots),
        Trust::Unverified => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(TakesAnyCertificate(
                provider().signature_verification_algorithms,
            ))),
    }
    .with_no_client_auth();
    config.alpn_protocols = alpn.names();
    Ok(Arc::new(config))
}

/// Reads a certificate chain, the server's own certificate first, and its private key.
///
/// Errors: [`CertificateError`] when either cannot be read or they do not fit each other.
pub fn certified_key(chain_pem: &[u8], key_pem: &[u8]) -> Result<CertifiedKey, CertificateError> {
    let chain = certificates(chain_pem)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|error| CertificateError::Key(error.to_string()))?;
    let key = private_key(key).map_err(|error| CertificateError::Key(error.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Err(CertificateError::Key(
            "its public half cannot be derived".to_owned(),
        )),
        Err(Error::InconsistentKeys(_)) => Err(CertificateError::Mismatch),
        Err(error) => Err(CertificateError::Chain(error.to_string())),
    }
}

/// Takes a private key into use.
pub(crate) fn private_key(key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
    provider().key_provider.load_private_key(key)
}

/// Reads certificates that a client is to trust.
///
/// Errors: [`CertificateError::Chain`] when one cannot be read, or none is there.
pub fn roots(pem: &[u8]) -> Result<RootCertStore, CertificateError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots
            .add(certificate)
            .map_err(|error| CertificateError::Chain(error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| CertificateError::Chain(error.to_string()))?;
    if chain.is_empty() {
        return Err(CertificateError::Chain("no certificate found".to_owned()));
    }
    Ok(chain)
}

impl Alpn {
    fn names(self) -> Vec<Vec<u8>> {
        match self {
            Self::None => Vec::new(),
            Self::Http1 => vec![b"http/1.1".to_vec()],
            Self::Http2OrHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}

/// Takes any certificate, yet checks that the server holds its key.
#[derive(Debug)]
struct TakesAnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for TakesAnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
