//! A DynamoDB endpoint that answers what it is told to, and notes what it is asked.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) struct Table {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct State {
    answer: (u16, String),
    asked: Option<(String, Value)>,
}

impl Table {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            _server: server,
        }
    }

    pub(crate) fn answers(&self, status: u16, body: Value) {
        self.state.lock().unwrap().answer = (status, body.to_string());
    }

    /// Returns the operation and the body of the last call.
    pub(crate) fn asked(&self) -> (String, Value) {
        let asked = self.state.lock().unwrap().asked.take();
        asked.expect("a call")
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&state)));
            // A client that goes away is no failure of this end.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let operation = parts.headers["x-amz-target"].to_str().unwrap().to_owned();
    let signature = parts.headers["authorization"].to_str().unwrap();
    assert!(signature.contains("/eu-west-1/dynamodb/"), "{signature}");
    let mut state = state.lock().unwrap();
    state.asked = Some((operation, serde_json::from_slice(&body).unwrap()));
    let (status, body) = state.answer.clone();
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Full::from(body));
    Ok(response.unwrap())
}
