//! An endpoint that verifies every signature and answers by a script.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use api_protocol::sigv4::{Credential, Credentials, SignatureError, Verifier};
use base::name::AccountId;
use base::region::RegionName;
use bytes::Bytes;
use clock::port::Clock;
use clock::time::WallTime;
use clock::wall::System;
use deploy::client::{Client, Endpoint, Transport};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use iam::credentials::Secret;
use iam::identity::Identity;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};

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
    fn find(
        &self,
        _: WallTime,
        access_key: &str,
        _: Option<&str>,
    ) -> Result<Credential, SignatureError> {
        if access_key != "AKIDTEST" {
            return Err(SignatureError::UnknownKey);
        }
        Ok(Credential {
            secret: Secret::new("the secret"),
            identity: Arc::new(Identity::root(AccountId::DEFAULT)),
        })
    }
}

/// Starts an endpoint that closes each connection after `calls_per_connection` calls.
pub(crate) async fn serve(script: Script, calls_per_connection: usize) -> Served {
    listen(script, calls_per_connection, None).await
}

/// Starts an endpoint that speaks TLS as `localhost`, and returns what trusts it.
pub(crate) async fn serve_tls(script: Script) -> (Served, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("the key is the certificate's");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("it is a certificate");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let served = listen(script, usize::MAX, Some(acceptor)).await;
    (served, Arc::new(client))
}

async fn listen(
    script: Script,
    calls_per_connection: usize,
    acceptor: Option<TlsAcceptor>,
) -> Served {
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
            let shared = Arc::clone(&shared);
            let acceptor = acceptor.clone();
            connections.spawn(async move {
                match acceptor {
                    None => connection(stream, shared, calls_per_connection).await,
                    Some(acceptor) => {
                        // A client that does not trust the certificate ends the handshake.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            connection(stream, shared, calls_per_connection).await;
                        }
                    }
                }
            });
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

async fn connection<S>(stream: S, shared: Arc<Shared>, calls: usize)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
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
        client(Endpoint::plain(self.address), secret)
    }

    /// Returns such a client that calls the endpoint by a name, over TLS.
    pub(crate) fn client_by_tls(&self, name: &str, config: Arc<ClientConfig>) -> Client {
        let endpoint = Endpoint {
            address: self.address,
            authority: format!("{name}:{}", self.address.port()),
            transport: Transport::Tls(config),
        };
        client(endpoint, "the secret")
    }

    /// Returns the names of all calls so far.
    pub(crate) fn names(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("no test panics with it");
        seen.iter().map(|seen| seen.name.clone()).collect()
    }
}

fn client(endpoint: Endpoint, secret: &str) -> Client {
    let endpoints = ["us-east-1", "eu-west-1"]
        .map(|name| (RegionName::parse(name).expect("a region"), endpoint.clone()));
    let credentials =
        aws_credential_types::Credentials::new("AKIDTEST", secret, None, None, "tests");
    Client::new(endpoints.into(), credentials, Arc::new(System))
}
