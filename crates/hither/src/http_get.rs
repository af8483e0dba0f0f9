//! One small HTTP exchange with a node's own calls.
//!
//! It keeps no connection and speaks no TLS: nodes answer these calls in plain HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;

use clock::port::Clock;
use clock::wall::System;
use net::dial::Dialer;
use net::tasks::Tasks;
use region::proof::{PROOF_HEADER, Proofs};

/// How long an exchange may take. 5 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long work may take. 70 s; a node gives up its own after a minute.
const WORK_PATIENCE: Duration = Duration::from_secs(70);

/// Longest answer. 16 MiB.
const BODY_BYTES_MAX: usize = 16 << 20;

/// A node's own answer that it does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {said}")]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    /// Its words.
    said: String,
}

/// A node that could not be connected to, and so was asked for nothing.
#[derive(Debug, thiserror::Error)]
#[error("connect")]
pub(crate) struct NotAsked;

/// Asks a node for `path` and returns the JSON that it answers.
///
/// Errors: when it cannot be reached, or answers with a failure.
pub(crate) async fn get(node: SocketAddr, path: &str) -> anyhow::Result<Value> {
    exchange(node, Method::GET, path, Bytes::new(), PATIENCE).await
}

/// Sends JSON to a node and returns the JSON that it answers.
///
/// Errors: when it cannot be reached, or answers with a failure.
pub(crate) async fn put(node: SocketAddr, path: &str, body: &Value) -> anyhow::Result<Value> {
    let body = Bytes::from(body.to_string());
    exchange(node, Method::PUT, path, body, PATIENCE).await
}

/// Has a node remove what a path names, and returns the JSON that it answers.
///
/// Errors: when it cannot be reached, or answers with a failure.
pub(crate) async fn delete(node: SocketAddr, path: &str) -> anyhow::Result<Value> {
    exchange(node, Method::DELETE, path, Bytes::new(), PATIENCE).await
}

/// Has a node do work that takes a while, and returns the JSON that it answers.
///
/// Errors: when it cannot be reached, or answers with a failure.
pub(crate) async fn post(node: SocketAddr, path: &str) -> anyhow::Result<Value> {
    exchange(node, Method::POST, path, Bytes::new(), WORK_PATIENCE).await
}

/// Asks a node for `path`, or with [`Method::POST`] for work that takes a while, with a proof that
/// the project's key is here where there is one, and returns the JSON that it answers.
///
/// Errors: when it cannot be reached, or answers with a failure.
pub(crate) async fn proven(
    node: SocketAddr,
    method: Method,
    path: &str,
    proofs: Option<&Proofs>,
) -> anyhow::Result<Value> {
    let patience = match method {
        Method::POST => WORK_PATIENCE,
        _ => PATIENCE,
    };
    let proof = proofs.map(|proofs| proofs.make(System.wall(), &method, path));
    let request = Request::builder().method(method).uri(path);
    let request = proof.into_iter().fold(request, |request, proof| {
        request.header(PROOF_HEADER, proof)
    });
    send(node, request, path, Bytes::new(), patience).await
}

async fn exchange(
    node: SocketAddr,
    method: Method,
    path: &str,
    body: Bytes,
    patience: Duration,
) -> anyhow::Result<Value> {
    let request = Request::builder().method(method).uri(path);
    send(node, request, path, body, patience).await
}

async fn send(
    node: SocketAddr,
    request: http::request::Builder,
    path: &str,
    body: Bytes,
    patience: Duration,
) -> anyhow::Result<Value> {
    let exchange = async {
        let stream = Dialer::default().connect(node, PATIENCE).await;
        let stream = stream.context(NotAsked)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let tasks = Tasks::new();
        tasks.spawn(async move { drop(connection.await) });
        let request = request
            .header(http::header::HOST, node.to_string())
            .body(Full::new(body))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), BODY_BYTES_MAX)
            .collect()
            .await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
        if !status.is_success() {
            let said = String::from_utf8_lossy(&body).trim().to_owned();
            return Err(Refused { status, said }.into());
        }
        Ok(serde_json::from_slice(&body)?)
    };
    let answer = tokio::time::timeout(patience, exchange).await;
    let answer = answer.unwrap_or_else(|_| bail!("no answer within {patience:?}"));
    answer.with_context(|| format!("ask http://{node}{path}"))
}
