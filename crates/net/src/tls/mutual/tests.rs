//! Handshakes in memory: who comes to terms, and what each side says of the other if not.

use clock::time::Moment;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::authority::{Authority, Leaf, Validity};

/// A clock that stands at so many seconds.
struct Stands(i64);

impl Clock for Stands {
    fn now(&self) -> Moment {
        Moment::from_micros(0)
    }

    fn wall(&self) -> WallTime {
        at(self.0)
    }
}

fn at(secs: i64) -> WallTime {
    WallTime::from_micros(secs * 1_000_000)
}

/// Has no certificate to show.
#[derive(Debug)]
struct Nothing;

impl ResolvesClientCert for Nothing {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

const HOUR: i64 = 3_600;
const NOW: i64 = 1_800_000_000;

fn side(name: &str, seed: u8, clock: i64, protocol: &str) -> Mutual {
    let authority = Authority::from_seed("shop", &[seed; 32]).unwrap();
    let leaf = Leaf {
        subject: name.to_owned(),
        names: vec![format!("{name}.test")],
        validity: Some(Validity {
            from: at(clock - HOUR),
            to: at(clock + HOUR),
        }),
    };
    let own = authority.issue(&leaf).unwrap();
    let clock = Arc::new(Stands(clock));
    mutual(own, authority.certificate(), &[protocol.as_bytes()], clock).unwrap()
}

fn plain(name: &str) -> Mutual {
    side(name, 1, NOW, "link")
}

async fn accept(server: Arc<ServerConfig>, far: DuplexStream) -> std::io::Result<()> {
    let mut stream = TlsAcceptor::from(server).accept(far).await?;
    let chain = stream.get_ref().1.peer_certificates();
    check_name(chain, "a.test").unwrap();
    check_name(chain, "b.test").unwrap_err();
    stream.write_all(b"x").await?;
    stream.flush().await
}

/// Shakes hands; returns what the dialling and the listening side found.
async fn shake(client: &Mutual, server: &Mutual) -> (Option<Fault>, Option<Fault>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    let connect = async {
        let name = ServerName::try_from("b.test").unwrap();
        let connector = TlsConnector::from(Arc::clone(&client.client));
        let mut stream = connector.connect(name, near).await?;
        stream.read_exact(&mut [0; 1]).await.map(|_| ())
    };
    let listen = accept(Arc::clone(&server.server), far);
    let (dialler, listener) = tokio::join!(connect, listen);
    let fault = |ended: std::io::Result<()>| ended.err().and_then(|error| Fault::of_io(&error));
    (fault(dialler), fault(listener))
}

#[tokio::test]
async fn nodes_of_one_authority_come_to_terms() {
    assert_eq!(shake(&plain("a"), &plain("b")).await, (None, None));
}

#[tokio::test]
async fn another_authority_of_the_same_name_is_refused_by_both() {
    let (dialler, listener) = shake(&side("a", 2, NOW, "link"), &plain("b")).await;
    assert_eq!(dialler, Some(Fault::Authority));
    assert_eq!(listener, Some(Fault::RefusesAuthority));
}

#[tokio::test]
async fn a_listener_of_another_name_is_refused() {
    let (dialler, listener) = shake(&plain("a"), &plain("c")).await;
    let name = |fault: Option<Fault>| matches!(fault, Some(Fault::Name { expected, .. }) if expected == "b.test");
    assert!(name(dialler.clone()), "{dialler:?}");
    assert!(matches!(listener, Some(Fault::Refuses(_))), "{listener:?}");
}

#[tokio::test]
async fn a_clock_that_is_hours_off_is_told_as_such() {
    let (dialler, listener) = shake(&side("a", 1, NOW + 3 * HOUR, "link"), &plain("b")).await;
    let late = Duration::from_hours(2);
    assert_eq!(dialler, Some(Fault::Expired(late)));
    assert_eq!(listener, Some(Fault::RefusesTime));
    let (dialler, _) = shake(&side("a", 1, NOW - 3 * HOUR, "link"), &plain("b")).await;
    assert_eq!(dialler, Some(Fault::NotYet(late)));
}

#[tokio::test]
async fn the_listener_judges_the_dialler_too() {
    // The dialling side takes the listener's certificate: it has the listener's authority.
    let mut stranger = plain("a");
    let foreign = side("a", 2, NOW, "link");
    let mut client = ClientConfig::clone(&stranger.client);
    client.client_auth_cert_resolver = Arc::clone(&foreign.client.client_auth_cert_resolver);
    stranger.client = Arc::new(client);
    let (dialler, listener) = shake(&stranger, &plain("b")).await;
    assert_eq!(listener, Some(Fault::Authority));
    assert_eq!(dialler, Some(Fault::RefusesAuthority));

    let mut nameless = plain("a");
    let mut client = ClientConfig::clone(&nameless.client);
    client.client_auth_cert_resolver = Arc::new(Nothing);
    nameless.client = Arc::new(client);
    let (_, listener) = shake(&nameless, &plain("b")).await;
    assert_eq!(listener, Some(Fault::NoCertificate));
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let (dialler, listener) = shake(&side("a", 1, NOW, "other"), &plain("b")).await;
    assert!(matches!(dialler, Some(Fault::Refuses(_))), "{dialler:?}");
    assert!(matches!(listener, Some(Fault::Speech(_))), "{listener:?}");
}
