//! Probes against real sockets that answer well, badly, late and not at all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::region::RegionName;
use health_core::check::{
    CheckId, CheckKind, CheckSpec, EndpointCheck, FailureThreshold, HttpProbe, Interval, Patience,
    Protocol, Sni, Target,
};
use health_core::health::{Attempt, Probe, ProbeTarget};
use health_core::observation::{Failure, Outcome, Success};
use net::dial::Dialer;
use net::tasks::Tasks;
use net::tls::{Alpn, certified_key, server_config};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Prober;
use crate::roster::{Member, Roster};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// What a server does with each connection.
#[derive(Clone)]
enum Manner {
    /// Reads the request, answers with this, closes.
    Answers(String),
    /// Reads the request and closes.
    Closes,
    /// Speaks first, and something else.
    Greets(&'static str),
    /// Reads the request, begins an answer, and never goes on.
    Stalls(&'static str),
}

struct Server {
    address: SocketAddr,
    _tasks: Tasks,
}

async fn serve(manner: Manner, tls: Option<TlsAcceptor>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let tasks = Tasks::new();
    tasks.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("accepts");
            match &tls {
                None => answer(stream, &manner).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        answer(stream, &manner).await;
                    }
                }
            }
        }
    });
    Server {
        address,
        _tasks: tasks,
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, manner: &Manner) {
    if let Manner::Greets(greeting) = manner {
        drop(stream.write_all(greeting.as_bytes()).await);
        // Closing with an unread request would reset the connection, and the greeting with it.
        drop(stream.read_to_end(&mut Vec::new()).await);
        return;
    }
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            return;
        }
        request.extend_from_slice(&byte);
    }
    let text = String::from_utf8(request).expect("ASCII");
    assert!(text.starts_with("GET /"), "{text}");
    assert!(
        text.contains("\r\nuser-agent: Hither-Health-Check (re"),
        "{text}"
    );
    // A prober that has seen enough closes early: a failed write is no failure here.
    match manner {
        Manner::Answers(response) => {
            drop(stream.write_all(response.as_bytes()).await);
            drop(stream.shutdown().await);
        }
        Manner::Closes | Manner::Greets(_) => {}
        Manner::Stalls(begin) => {
            drop(stream.write_all(begin.as_bytes()).await);
            std::future::pending::<()>().await;
        }
    }
}

fn patience(ms: u64) -> Patience {
    let step = Duration::from_millis(ms);
    Patience {
        connect: step,
        status: step,
        body: step,
        total: step * 3,
    }
}

fn check(protocol: Protocol, target: Target, port: u16) -> ProbeTarget {
    ProbeTarget::Check(Arc::new(CheckSpec {
        id: CheckId::parse("a-check").expect("short"),
        kind: CheckKind::Endpoint(EndpointCheck {
            protocol,
            target,
            port,
            interval: Interval::try_new(Duration::from_secs(1)).expect("allowed"),
            threshold: FailureThreshold::try_new(1).expect("allowed"),
        }),
        inverted: false,
        disabled: false,
    }))
}

async fn probe(target: ProbeTarget, patience: Patience, roster: Roster) -> Outcome {
    probe_by(Dialer::default(), target, patience, roster).await
}

async fn probe_by(
    dialer: Dialer,
    target: ProbeTarget,
    patience: Patience,
    roster: Roster,
) -> Outcome {
    let prober = Prober::try_new(dialer).expect("TLS");
    let probe = Probe {
        attempt: Attempt(1),
        target,
        patience,
    };
    prober.run(probe, Arc::new(roster)).await
}

fn get(search: Option<&str>) -> HttpProbe {
    HttpProbe::try_new("/health", search).expect("plain")
}

/// Probes a server of this manner over plain HTTP.
async fn http(manner: Manner, search: Option<&str>, ms: u64) -> Outcome {
    let server = serve(manner, None).await;
    let target = Target::Address(server.address.ip());
    let target = check(Protocol::Http(get(search)), target, server.address.port());
    probe(target, patience(ms), Roster::default()).await
}

async fn answers(response: &str, search: Option<&str>) -> Outcome {
    http(Manner::Answers(response.to_owned()), search, 20_000).await
}

#[tokio::test]
async fn statuses_are_judged_and_redirects_not_followed() {
    assert_eq!(answers(OK, None).await, Outcome::of_status(200));
    let moved = "HTTP/1.1 301 x\r\nlocation: http://127.0.0.1:1/\r\n\r\n";
    assert_eq!(
        answers(moved, None).await,
        Outcome::Success(Success::Status(301))
    );
    let busy = "HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(
        answers(busy, None).await,
        Outcome::Failure(Failure::Status(503))
    );
    // The status decides before the text is looked for.
    assert_eq!(
        answers(busy, Some("ok")).await,
        Outcome::Failure(Failure::Status(503))
    );
}

#[tokio::test]
async fn a_search_string_must_stand_in_the_first_5120_bytes() {
    let with = |before: usize| {
        let body = format!("{}needle", "x".repeat(before));
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    let found = Outcome::of_status(200);
    let missing = Outcome::Failure(Failure::NotFound(200));
    assert_eq!(answers(&with(0), Some("needle")).await, found);
    assert_eq!(answers(&with(5_114), Some("needle")).await, found);
    assert_eq!(answers(&with(5_115), Some("needle")).await, missing);
    assert_eq!(answers(&with(0), Some("NEEDLE")).await, missing);
    // Cut in two by the transfer coding.
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nnee\r\n3\r\ndle\r\n0\r\n\r\n";
    assert_eq!(answers(chunked, Some("needle")).await, found);
}

#[tokio::test]
async fn answers_that_are_none_say_what_they_are() {
    let failed = Outcome::Failure;
    assert_eq!(
        answers("SSH-2.0-OpenSSH\r\n", None).await,
        failed(Failure::Malformed)
    );
    assert_eq!(
        http(Manner::Greets("SSH-2.0-OpenSSH\r\n"), None, 20_000).await,
        failed(Failure::Malformed)
    );
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    assert_eq!(answers(&huge, None).await, failed(Failure::Malformed));
    assert_eq!(
        http(Manner::Closes, None, 20_000).await,
        failed(Failure::Closed)
    );
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    assert_eq!(answers(cut, Some("needle")).await, failed(Failure::Closed));
}

#[tokio::test]
async fn answers_that_do_not_come_end_in_time() {
    let late = Outcome::Failure(Failure::ResponseTimeout);
    assert_eq!(http(Manner::Stalls(""), None, 100).await, late);
    assert_eq!(http(Manner::Stalls("HTTP/1.1 2"), None, 100).await, late);
    let begun = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    assert_eq!(http(Manner::Stalls(begun), Some("needle"), 100).await, late);
    // Without a text to find, the status line is enough.
    assert_eq!(
        http(Manner::Stalls(begun), None, 20_000).await,
        Outcome::of_status(200)
    );
}

#[tokio::test]
async fn a_tcp_probe_wants_a_connection_only() {
    let server = serve(Manner::Closes, None).await;
    let port = server.address.port();
    let target = Target::Address(server.address.ip());
    let connected = Outcome::Success(Success::Connected);
    let target = check(Protocol::Tcp, target, port);
    assert_eq!(
        probe(target.clone(), patience(20_000), Roster::default()).await,
        connected
    );
    // A port that was bound and is free again refuses.
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = free.local_addr().expect("bound");
    drop(free);
    let target = check(Protocol::Tcp, Target::Address(address.ip()), address.port());
    assert_eq!(
        probe(target, patience(20_000), Roster::default()).await,
        Outcome::Failure(Failure::Refused)
    );
}

/// Has a certificate for handshakes that name nobody; for others too unless `strict`.
#[derive(Debug)]
struct Certificates {
    certified: Arc<CertifiedKey>,
    strict: bool,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (!self.strict || hello.server_name().is_none()).then(|| Arc::clone(&self.certified))
    }
}

async fn https(strict: bool, sni: Sni) -> Outcome {
    let key = rcgen::generate_simple_self_signed(["elsewhere.test".to_owned()]).expect("a key");
    let certified = certified_key(
        key.cert.pem().as_bytes(),
        key.signing_key.serialize_pem().as_bytes(),
    );
    let certified = Arc::new(certified.expect("its own key"));
    let config = server_config(Arc::new(Certificates { certified, strict }), Alpn::None);
    let acceptor = TlsAcceptor::from(config.expect("TLS"));
    let server = serve(Manner::Answers(OK.to_owned()), Some(acceptor)).await;
    let target = Target::AddressNamed(server.address.ip(), "api.shop.test".to_owned());
    let target = check(
        Protocol::Https(get(None), sni),
        target,
        server.address.port(),
    );
    probe(target, patience(20_000), Roster::default()).await
}

#[tokio::test]
async fn certificates_are_not_verified() {
    assert_eq!(https(false, Sni::On).await, Outcome::of_status(200));
    assert_eq!(https(false, Sni::Off).await, Outcome::of_status(200));
}

#[tokio::test]
async fn a_server_that_knows_no_such_name_is_asked_without_one() {
    assert_eq!(https(true, Sni::On).await, Outcome::of_status(200));
}

#[tokio::test]
async fn a_server_without_tls_fails_the_handshake() {
    let server = serve(Manner::Greets("220 mail.test ESMTP\r\n"), None).await;
    let name = "api.shop.test".to_owned();
    let target = Target::AddressNamed(server.address.ip(), name);
    for sni in [Sni::On, Sni::Off] {
        let protocol = Protocol::Https(get(None), sni);
        let target = check(protocol, target.clone(), server.address.port());
        assert_eq!(
            probe(target, patience(20_000), Roster::default()).await,
            Outcome::Failure(Failure::Tls)
        );
    }
}

#[tokio::test]
async fn names_of_regions_are_resolved_by_the_roster() {
    let server = serve(Manner::Answers(OK.to_owned()), None).await;
    let region = RegionName::parse("eu-west-1").expect("a region");
    let member = Member {
        region: region.clone(),
        gossip: server.address,
        endpoint: Some(server.address),
        address: server.address.ip(),
    };
    let roster = Roster::new(vec![member]);
    let port = server.address.port();
    let name = |name: &str| Target::Name(name.to_owned());
    let ours = name("d-1.execute-api.eu-west-1.hither.internal");
    let target = check(Protocol::Http(get(None)), ours, port);
    let outcome = probe(target, patience(20_000), roster.clone()).await;
    assert_eq!(outcome, Outcome::of_status(200));

    let unknown = name("d-1.execute-api.mars-1.hither.internal");
    let target = check(Protocol::Http(get(None)), unknown, port);
    let outcome = probe(target, patience(20_000), roster.clone()).await;
    assert_eq!(outcome, Outcome::Failure(Failure::Unresolved));

    // Any other name is the operating system's to resolve.
    let target = check(Protocol::Http(get(None)), name("localhost"), port);
    let outcome = probe(target, patience(20_000), roster.clone()).await;
    assert_eq!(outcome, Outcome::of_status(200));

    let target = ProbeTarget::Region(region.id());
    let outcome = probe(target, patience(20_000), roster).await;
    assert_eq!(outcome, Outcome::of_status(200));
}

/// Where callers must sign, a check is no way to look at what listens on this machine alone.
#[tokio::test]
async fn a_guarded_prober_looks_at_nothing_of_its_own_machine() {
    let server = serve(Manner::Answers(OK.to_owned()), None).await;
    let port = server.address.port();
    let name = || Some("localhost");
    for target in [
        Target::Address(server.address.ip()),
        Target::try_new(None, name()).expect("a name"),
        Target::try_new(Some(server.address.ip()), name()).expect("both"),
    ] {
        let target = check(Protocol::Tcp, target, port);
        let guarded = Dialer::default().guarded();
        let outcome = probe_by(guarded, target, patience(20_000), Roster::default()).await;
        assert_eq!(outcome, Outcome::Failure(Failure::Unreachable));
    }
}
