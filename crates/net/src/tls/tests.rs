//! Handshakes between the configurations, and certificates that do not fit.

use rustls::server::ClientHello;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn self_signed(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// Shakes hands in memory; returns the protocol that the client saw.
async fn shake(trust: Trust, name: &'static str) -> std::io::Result<Option<Vec<u8>>> {
    let (chain, key) = self_signed("api.shop.test");
    let trust = match trust {
        Trust::Roots(_) => Trust::Roots(roots(chain.as_bytes()).unwrap()),
        Trust::Unverified => Trust::Unverified,
    };
    let own = certified_key(chain.as_bytes(), key.as_bytes()).unwrap();
    let server = server_config(Arc::new(Always(Arc::new(own))), Alpn::Http2OrHttp1).unwrap();
    let client = client_config(trust, Alpn::Http2OrHttp1).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let serve = async {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        stream.write_all(b"x").await?;
        stream.flush().await
    };
    let connect = async {
        let name = ServerName::try_from(name).unwrap();
        let mut stream = TlsConnector::from(client).connect(name, near).await?;
        let mut byte = [0; 1];
        stream.read_exact(&mut byte).await?;
        Ok(stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec))
    };
    let (_, seen) = tokio::join!(serve, connect);
    seen
}

#[tokio::test]
async fn a_client_with_the_root_takes_the_certificate_and_h2() {
    let trust = Trust::Roots(RootCertStore::empty());
    let seen = shake(trust, "api.shop.test").await.unwrap();
    assert_eq!(seen.as_deref(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_client_with_the_root_refuses_another_name() {
    let trust = Trust::Roots(RootCertStore::empty());
    shake(trust, "other.test").await.unwrap_err();
}

#[tokio::test]
async fn an_unverified_client_takes_any_name() {
    let seen = shake(Trust::Unverified, "other.test").await.unwrap();
    assert_eq!(seen.as_deref(), Some(&b"h2"[..]));
}

#[test]
fn a_key_must_belong_to_its_certificate() {
    let (chain, key) = self_signed("a.test");
    let (_, other) = self_signed("b.test");
    certified_key(chain.as_bytes(), key.as_bytes()).unwrap();
    let mismatch = certified_key(chain.as_bytes(), other.as_bytes()).unwrap_err();
    assert!(matches!(mismatch, CertificateError::Mismatch), "{mismatch}");
}

#[test]
fn texts_without_a_certificate_or_key_are_refused() {
    let (chain, key) = self_signed("a.test");
    let swapped = certified_key(key.as_bytes(), chain.as_bytes()).unwrap_err();
    assert!(matches!(swapped, CertificateError::Chain(_)), "{swapped}");
    let no_key = certified_key(chain.as_bytes(), b"").unwrap_err();
    assert!(matches!(no_key, CertificateError::Key(_)), "{no_key}");
    let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let junk = certified_key(junk, key.as_bytes()).unwrap_err();
    assert!(matches!(junk, CertificateError::Chain(_)), "{junk}");
    roots(b"").unwrap_err();
}
