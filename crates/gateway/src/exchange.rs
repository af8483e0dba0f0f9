//! One request and response with a backend, over a kept connection or a fresh one.
//!
//! It chooses no backend. It tells how far a failed request had come, and gives its body back
//! where that is still whole.

use std::error::Error;
use std::io;
use std::sync::Arc;

use gateway_core::failover::Progress;
use gateway_core::refusal::Refusal;
use http::{Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use crate::body::{Body, BodyError};
use crate::limits::KEPT_TRIES_MAX;
use crate::pool::{Backend, Lease, Pool};

/// A request that got no response.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What the client is told if nobody else helps.
    pub(crate) refusal: Refusal,
    /// How far the request had come.
    pub(crate) progress: Progress,
    /// The body, where it can be sent again.
    pub(crate) body: Option<Body>,
}

/// Sends a request to `backend`; `build` makes it from its body, for each try anew.
///
/// A connection that the other side closed while it was kept costs nothing: another is used.
/// Errors: [`Trouble`].
pub(crate) async fn exchange(
    pool: &Arc<Pool>,
    backend: &Backend,
    deadline: Instant,
    body: Body,
    build: impl Fn(Body) -> Request<Body>,
) -> Result<Response<Body>, Trouble> {
    let mut body = body;
    for _ in 0..KEPT_TRIES_MAX {
        let Some(lease) = pool.kept(backend).await else {
            break;
        };
        let copy = body.copy();
        let request = build(body);
        let repeatable = request.method().is_idempotent();
        match send(lease, request, deadline).await {
            Ok(response) => return Ok(response),
            Err(Failure::Unsent(same)) => body = same,
            Err(Failure::Broken) if repeatable && copy.is_some() => {
                body = copy.unwrap_or(Body::Kept(None));
            }
            Err(failure) => return Err(trouble(failure, copy)),
        }
    }
    let lease = match timeout_at(deadline, pool.fresh(backend)).await {
        Ok(Ok(lease)) => lease,
        Ok(Err(error)) => {
            tracing::debug!(?backend, %error, "a backend cannot be reached");
            return Err(trouble(Failure::Unsent(body), None));
        }
        Err(_) => return Err(trouble(Failure::Unsent(body), None)),
    };
    let copy = body.copy();
    send(lease, build(body), deadline)
        .await
        .map_err(|failure| trouble(failure, copy))
}

/// Why one connection brought no response.
enum Failure {
    /// Nothing was written; here is the body.
    Unsent(Body),
    /// The connection ended without a response.
    Broken,
    /// The time is over.
    Late,
    /// The client's own body failed.
    Upload(Refusal),
}

async fn send(
    mut lease: Lease,
    request: Request<Body>,
    deadline: Instant,
) -> Result<Response<Body>, Failure> {
    let sent = timeout_at(deadline, lease.sender.try_send_request(request)).await;
    match sent {
        Err(_) => Err(Failure::Late),
        // No request asks to switch protocols, so nobody may.
        Ok(Ok(response)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            Err(Failure::Broken)
        }
        Ok(Ok(response)) => Ok(response.map(|incoming| Body::download(incoming, lease))),
        Ok(Err(mut error)) => match error.take_message() {
            Some(request) => Err(Failure::Unsent(request.into_body())),
            None => Err(broken(error.error())),
        },
    }
}

/// Tells a failure of the client's upload from one of the backend.
fn broken(error: &hyper::Error) -> Failure {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(upload) = cause.downcast_ref::<BodyError>() {
            return Failure::Upload(upload_refusal(upload));
        }
        source = cause.source();
    }
    let closed = error.source().and_then(|e| e.downcast_ref::<io::Error>());
    tracing::debug!(%error, ?closed, "a backend gave no response");
    Failure::Broken
}

/// Returns what a client is told whose body failed.
pub(crate) fn upload_refusal(error: &BodyError) -> Refusal {
    match error {
        BodyError::TooLarge => Refusal::BodyTooLarge,
        BodyError::Transfer(_) | BodyError::Idle => Refusal::BodyIncomplete,
        BodyError::NoRoom => Refusal::Unavailable,
    }
}

fn trouble(failure: Failure, copy: Option<Body>) -> Trouble {
    let (refusal, progress, body) = match failure {
        Failure::Unsent(body) => (Refusal::Unavailable, Progress::Unsent, Some(body)),
        Failure::Broken => (Refusal::Unavailable, Progress::Sent, copy),
        Failure::Late => (Refusal::TimedOut, Progress::Sent, copy),
        Failure::Upload(refusal) => (refusal, Progress::Sent, None),
    };
    Trouble {
        refusal,
        progress,
        body,
    }
}
