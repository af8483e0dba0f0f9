//! A small world: regions with gateways, functions that behave as told, a backend, clients.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::name::AccountId;
use base::region::{RegionId, RegionName};
use bytes::Bytes;
use clock::time::Moment;
use clock::wall::System;
use gateway::gateway::{Addresses, Gateway, Parts};
use gateway::seen::Seen;
use gateway::snapshot::{Certificates, Snapshot, peer_name};
use gateway_core::config::{
    ApiParts, Config, DomainParts, IntegrationParts, MappingParts, OwnEndpoint, PayloadFormat,
    StageParts, TargetParts,
};
use gateway_core::failover::{Health, Peer};
use gateway_core::handover::HandoverKey;
use gateway_core::invoke::{FunctionName, Invoke, InvokeError};
use gateway_core::limits::INTEGRATION_PATIENCE;
use gateway_core::session::{Log, Positions, SessionKey, Sessions};
use net::dial::Dialer;
use net::tasks::Tasks;
use net::tls::{self, Alpn, Trust};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

pub(crate) const DOMAIN: &str = "api.shop.test";

/// The same API for clients that have sessions.
pub(crate) const SESSIONS_DOMAIN: &str = "sessions.shop.test";

/// How a function behaves.
pub(crate) enum Behaviour {
    /// It answers with its payload as the body.
    Echo,
    /// It answers with this.
    Answer(&'static str),
    /// It fails.
    Fail(InvokeError),
    /// It says that it began, then echoes once it is let go.
    Wait(Arc<Gate>),
}

pub(crate) struct Gate {
    pub(crate) begun: Semaphore,
    pub(crate) go: Semaphore,
}

impl Gate {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Semaphore::new(0),
            go: Semaphore::new(0),
        })
    }
}

/// Functions that behave as told.
pub(crate) struct Functions {
    behaviour: Mutex<Behaviour>,
    pub(crate) calls: AtomicUsize,
}

impl Functions {
    pub(crate) fn set(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }
}

impl Invoke for Functions {
    async fn invoke(
        &self,
        _function: &FunctionName,
        payload: Bytes,
        _deadline: Moment,
    ) -> Result<Bytes, InvokeError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let gate = match &*self.behaviour.lock().unwrap() {
            Behaviour::Echo => None,
            Behaviour::Answer(text) => return Ok(Bytes::from_static(text.as_bytes())),
            Behaviour::Fail(error) => return Err(error.clone()),
            Behaviour::Wait(gate) => Some(Arc::clone(gate)),
        };
        if let Some(gate) = gate {
            gate.begun.add_permits(1);
            gate.go.acquire().await.unwrap().forget();
        }
        let body = std::str::from_utf8(&payload).unwrap();
        let answer = serde_json::json!({"statusCode": 200, "body": body});
        Ok(Bytes::from(answer.to_string()))
    }
}

/// What a region has of all logs: what it is told.
#[derive(Default)]
pub(crate) struct Logs {
    at: Mutex<Positions>,
    progress: watch::Sender<u64>,
}

impl Logs {
    /// Has a region's log be here up to a position.
    pub(crate) fn advance(&self, region: &RegionName, position: u64) {
        self.at.lock().unwrap().advance(region.id(), position);
        self.progress.send_modify(|count| *count += 1);
    }
}

impl Log for Logs {
    fn applied(&self) -> Positions {
        self.at.lock().unwrap().clone()
    }

    fn touched(&self) -> Positions {
        self.applied()
    }

    fn hears(&self, _region: RegionId) -> bool {
        true
    }
}

/// The authority that certificates of a world come from.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    pub(crate) fn issue(&self, name: &str) -> Arc<CertifiedKey> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = key.serialize_pem();
        Arc::new(tls::certified_key(certificate.pem().as_bytes(), key.as_bytes()).unwrap())
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        tls::roots(self.pem.as_bytes()).unwrap()
    }
}

/// One region.
pub(crate) struct Region {
    pub(crate) name: RegionName,
    pub(crate) gateway: Gateway,
    pub(crate) functions: Arc<Functions>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) snapshots: watch::Sender<Arc<Snapshot>>,
}

impl Region {
    /// Starts a region whose only API has these routes, also under [`DOMAIN`].
    pub(crate) fn start(name: &str, authority: &Authority, routes: &[(&str, &str)]) -> Self {
        Self::start_dialing(Dialer::default(), name, authority, routes)
    }

    /// Starts a region that opens its connections in another way.
    pub(crate) fn start_dialing(
        dialer: Dialer,
        name: &str,
        authority: &Authority,
        routes: &[(&str, &str)],
    ) -> Self {
        let name = RegionName::parse(name).unwrap();
        let snapshot = snapshot(&name, authority, routes);
        let (snapshots, receiver) = watch::channel(Arc::new(snapshot));
        let functions = Arc::new(Functions {
            behaviour: Mutex::new(Behaviour::Echo),
            calls: AtomicUsize::new(0),
        });
        let trust = || Trust::Roots(authority.roots());
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let addresses = Addresses {
            https: any,
            http: any,
        };
        let logs = Arc::new(Logs::default());
        let parts = Parts {
            region: name.clone(),
            seen: Seen {
                here: name.id(),
                progress: logs.progress.subscribe(),
                log: Arc::<Logs>::clone(&logs),
                key: SessionKey::derive(b"project"),
            },
            functions: Arc::clone(&functions),
            dialer,
            server_tls: tls::client_config(trust(), Alpn::Http1).unwrap(),
            peer_tls: tls::client_config(trust(), Alpn::Http1).unwrap(),
            clock: Arc::new(System),
            entropy: Arc::new(System),
        };
        let gateway = Gateway::start(addresses, parts, receiver).unwrap();
        Self {
            name,
            gateway,
            functions,
            logs,
            snapshots,
        }
    }

    /// Changes the snapshot and waits until it is served.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut snapshot = Snapshot::clone(&self.snapshots.borrow());
        change(&mut snapshot);
        let next = Arc::new(snapshot);
        self.snapshots.send_replace(Arc::clone(&next));
        while !Arc::ptr_eq(&next, &self.gateway.snapshot()) {
            tokio::task::yield_now().await;
        }
    }

    /// Makes `other` known to this region.
    pub(crate) async fn meet(&self, other: &Region) {
        let peer = Peer {
            region: other.name.clone(),
            address: other.gateway.https(),
            health: Health::Healthy,
            delay: Duration::from_millis(1),
        };
        self.change(|snapshot| snapshot.peers.push(peer)).await;
    }

    pub(crate) fn own_endpoint(&self) -> String {
        format!("abc.execute-api.{}.hither.internal", self.name)
    }

    /// Sends one request to the plain listener, in text, and reads all that comes back.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        ask(self.gateway.http(), request).await
    }
}

fn snapshot(region: &RegionName, authority: &Authority, routes: &[(&str, &str)]) -> Snapshot {
    let mut certificates = Certificates::new(authority.issue(&peer_name(region)));
    certificates.insert(DOMAIN, authority.issue(DOMAIN));
    Snapshot {
        config: Arc::new(config(region, routes)),
        certificates: Arc::new(certificates),
        peers: Vec::new(),
        handover_key: HandoverKey::derive(b"project"),
    }
}

/// Builds an API from routes to `function` or to a URL.
pub(crate) fn config(region: &RegionName, routes: &[(&str, &str)]) -> Config {
    let routes = routes.iter().map(|(key, target)| {
        let target = if *target == "function" {
            TargetParts::Function {
                uri: format!("arn:aws:lambda:{region}:000000000000:function:cart"),
                payload: PayloadFormat::V2,
            }
        } else {
            TargetParts::Http {
                uri: (*target).to_owned(),
                method: "ANY".to_owned(),
            }
        };
        let parts = IntegrationParts {
            patience: INTEGRATION_PATIENCE,
            target,
        };
        ((*key).to_owned(), Some(parts))
    });
    let api = ApiParts {
        id: "abc".to_owned(),
        account: AccountId::DEFAULT,
        name: "shop".to_owned(),
        endpoint: OwnEndpoint::Enabled,
        cors: None,
        sessions: Sessions::Off,
        stages: vec![StageParts {
            name: "$default".to_owned(),
            variables: BTreeMap::new(),
            routes: routes.collect(),
        }],
    };
    let domains = [(DOMAIN, Sessions::Off), (SESSIONS_DOMAIN, Sessions::On)];
    let domains = domains.map(|(name, sessions)| DomainParts {
        name: name.to_owned(),
        certificate: "own".to_owned(),
        sessions,
        mappings: vec![MappingParts {
            key: String::new(),
            api: "abc".to_owned(),
            stage: "$default".to_owned(),
        }],
    });
    let (config, problems) = Config::build(region, vec![api], domains.into());
    assert_eq!(problems, []);
    config
}

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn event(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or(0),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

/// Sends text, and reads until the other side closes.
pub(crate) async fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is the other side's way to say that it will read no more.
    let _ = stream.read_to_end(&mut answer).await;
    Answer::read(&String::from_utf8_lossy(&answer))
}

/// Writes the text of a request without a body.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {DOMAIN}\r\nconnection: close\r\n\r\n")
}

/// Writes the text of a request with a body.
pub(crate) fn with_body(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {DOMAIN}\r\ncontent-type: text/plain\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// A backend that answers each request with the next of its texts, and shows what it was sent.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
    pub(crate) connections: Arc<AtomicUsize>,
    _tasks: Tasks,
}

/// What a backend does with one request.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// It answers and keeps the connection.
    Answer(&'static str),
    /// It answers, then closes the connection without a word about it.
    AnswerAndClose(&'static str),
    /// It closes the connection without an answer.
    Close,
    /// It says nothing any more.
    Hang,
    /// It begins a head that never ends.
    Pour,
}

impl Backend {
    pub(crate) async fn start(acts: &[Act]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let acts = Arc::new(Mutex::new(acts.iter().copied().collect::<VecDeque<_>>()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let tasks = Tasks::new();
        tasks.spawn({
            let (seen, connections) = (Arc::clone(&seen), Arc::clone(&connections));
            async move {
                let inner = Tasks::new();
                while let Ok((stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::Relaxed);
                    inner.spawn(converse(stream, Arc::clone(&acts), Arc::clone(&seen)));
                }
            }
        });
        Self {
            address,
            seen,
            connections,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn converse(
    mut stream: TcpStream,
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request);
        let act = acts.lock().unwrap().pop_front().unwrap_or(Act::Close);
        match act {
            Act::Close => return,
            Act::Hang => std::future::pending().await,
            Act::Pour => {
                let mut piece = String::from("HTTP/1.1 200 OK\r\n");
                while stream.write_all(piece.as_bytes()).await.is_ok() {
                    piece = format!("x: {}\r\n", "a".repeat(1_000));
                }
                return;
            }
            Act::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Act::AnswerAndClose(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                return;
            }
        }
    }
}

/// Reads one request: head, and a body by its length or chunked.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let head_end = loop {
        if let Some(at) = text.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut text).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&text[..head_end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let chunked = head.contains("transfer-encoding: chunked");
    let whole = |text: &[u8]| {
        if chunked {
            text.ends_with(b"\r\n0\r\n\r\n")
        } else {
            text.len() >= head_end + length
        }
    };
    while !whole(&text) {
        if stream.read_buf(&mut text).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}
