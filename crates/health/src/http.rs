//! One HTTP/1.1 exchange over a connection that stands, read as far as a verdict needs.
//!
//! It opens no connection and follows no redirect: a 3xx is an answer like any other.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use health_core::limits::{RESPONSE_HEAD_BYTES_MAX, SEARCHED_BYTES};
use health_core::observation::{Failure, Outcome};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::limits::RESPONSE_HEADERS_MAX;

/// What an answer must hold, and how long it may take.
pub(crate) struct Expect<'a> {
    /// The text that the first part of the body must hold.
    pub(crate) search: Option<&'a str>,
    /// From here to the status line.
    pub(crate) status: Duration,
    /// From there to the text.
    pub(crate) body: Duration,
}

/// Sends `request` over `stream` and judges the answer.
pub(crate) async fn exchange<S>(
    stream: S,
    request: Request<Empty<Bytes>>,
    expect: &Expect<'_>,
) -> Outcome
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(expect.status, open(stream, request)).await {
        Err(_) => Outcome::Failure(Failure::ResponseTimeout),
        Ok(Err(error)) => Outcome::Failure(failure(&error)),
        Ok(Ok((response, connection))) => read(response, connection, expect).await,
    }
}

/// A connection that must be driven while its response is read.
type Driven<S> = http1::Connection<TokioIo<S>, Empty<Bytes>>;

async fn open<S>(
    stream: S,
    request: Request<Empty<Bytes>>,
) -> hyper::Result<(Response<Incoming>, Driven<S>)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, mut connection) = http1::Builder::new()
        .max_buf_size(RESPONSE_HEAD_BYTES_MAX)
        .max_headers(RESPONSE_HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await?;
    let response = beside(&mut connection, sender.send_request(request)).await?;
    Ok((response, connection))
}

async fn read<S>(
    response: Response<Incoming>,
    mut connection: Driven<S>,
    expect: &Expect<'_>,
) -> Outcome
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let status = response.status().as_u16();
    let outcome = Outcome::of_status(status);
    let (Some(text), true) = (expect.search, outcome.is_success()) else {
        return outcome;
    };
    let searching = search(response.into_body(), text);
    match timeout(expect.body, beside(&mut connection, searching)).await {
        Err(_) => Outcome::Failure(Failure::ResponseTimeout),
        Ok(Ok(true)) => outcome,
        Ok(Ok(false)) => Outcome::Failure(Failure::NotFound(status)),
        Ok(Err(error)) => Outcome::Failure(failure(&error)),
    }
}

/// Returns whether `text` stands wholly in the first [`SEARCHED_BYTES`] of `body`.
async fn search(mut body: Incoming, text: &str) -> hyper::Result<bool> {
    let mut read = BytesMut::with_capacity(SEARCHED_BYTES);
    while read.len() < SEARCHED_BYTES {
        let Some(frame) = body.frame().await else {
            break;
        };
        if let Ok(data) = frame?.into_data() {
            let room = SEARCHED_BYTES - read.len();
            read.extend_from_slice(data.get(..room).unwrap_or(&data));
        }
        if holds(&read, text) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len().max(1))
        .any(|window| window == text.as_bytes())
}

/// Drives a connection until `work` is done.
async fn beside<S, F>(connection: &mut Driven<S>, work: F) -> F::Output
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future,
{
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => done,
        // The connection may end before its last response is taken; its errors come there too.
        _ended = connection => work.await,
    }
}

fn failure(error: &hyper::Error) -> Failure {
    if error.is_parse() {
        Failure::Malformed
    } else {
        Failure::Closed
    }
}
