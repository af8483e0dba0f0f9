//! An endpoint that verifies every signature and answers by a script.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use api_protocol::sigv4::{Credential, Credentials, SecretKey, Verifier};
use base::name::AccountId;
use base::region::RegionName;
use bytes::Bytes;
use clock::port::Clock;
use clock::wall::System;
use deploy::client::{Client, Endpoint};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What the script sees of a call: the operation (or method and path), and the body.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) body: String,
}

/// Says what is answered: status and body.
pub(crate) type Script = Box<dyn FnMut(&Seen) -> (u16, String) + Send>;

/// A running endpoint; dropping it ends it.
pub(crate) struct Served {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

struct OneKey;

impl Credentials for OneKey {
    fn find(&self, access_key: &str) -> Option<Credential> {
        (access_key == "AKIDTEST").then(|| Credential {
            secret: SecretKey::new("the secret"),
            account: AccountId::DEFAULT,
            session_token: None,
        })
    }
}

/// Starts an endpoint that closes each connection after `calls_per_connection` calls.
pub(crate) async fn serve(script: Script, calls_per_connection: usize) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let shared = Arc::new(Shared {
        script: Mutex::new(script),
        verifier: Verifier::new(Arc::new(OneKey)),
        seen: Arc::clone(&seen),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(connection(
                stream,
                Arc::clone(&shared),
                calls_per_connection,
            ));
        }
    });
    Served {
        address,
        seen,
        _tasks: tasks,
    }
}

/// What all connections share.
struct Shared {
    script: Mutex<Script>,
    verifier: Verifier,
    seen: Arc<Mutex<Vec<Seen>>>,
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, calls: usize) {
    let left = AtomicUsize::new(calls);
    let service = service_fn(|request| {
        let last = left.fetch_sub(1, Ordering::Relaxed) == 1;
        let shared = Arc::clone(&shared);
        async move {
            let mut response = answered(request, &shared).await;
            if last {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert("connection", close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // The client may leave at any time.
    let _ = serving.await;
}

async fn answered(request: Request<Incoming>, shared: &Shared) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    let target = head.headers.get("x-amz-target");
    let target = target.map(|target| target.to_str().expect("ASCII").to_owned());
    let name = target.unwrap_or_else(|| format!("{} {}", head.method, head.uri));
    let seen = Seen {
        name: name
            .rsplit_once('.')
            .filter(|_| !name.contains(' '))
            .map_or_else(|| name.clone(), |(_, operation)| operation.to_owned()),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    shared
        .seen
        .lock()
        .expect("no test panics with it")
        .push(seen.clone());
    let request = Request::from_parts(head, body);
    let (status, body) = match shared.verifier.verify(System.wall(), &request) {
        Ok(_) => (shared.script.lock().expect("no script panics"))(&seen),
        Err(error) => (
            403,
            format!(r#"{{"__type":"Unsigned","message":"{error}"}}"#),
        ),
    };
    Response::builder()
        .status(status)
        .header("x-amzn-requestid", "r-1")
        .body(Full::new(Bytes::from(body)))
        .expect("a response")
}

impl Served {
    /// Returns a client for which this is the endpoint of all regions.
    pub(crate) fn client(&self, secret: &str) -> Client {
        let endpoint = Endpoint::plain(self.address);
        let endpoints = ["us-east-1", "eu-west-1"]
            .map(|name| (RegionName::parse(name).expect("a region"), endpoint.clone()));
        let credentials =
            aws_credential_types::Credentials::new("AKIDTEST", secret, None, None, "tests");
        Client::new(endpoints.into(), credentials, Arc::new(System))
    }

    /// Returns the names of all calls so far.
    pub(crate) fn names(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("no test panics with it");
        seen.iter().map(|seen| seen.name.clone()).collect()
    }
}
