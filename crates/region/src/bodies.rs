//! The bodies of requests: read whole, within the room that there is for all of them together.
//!
//! It knows no service. A body is read before anybody knows who sent it, so short ones must never
//! wait for long ones: the beginning of each has room of its own.

use base::limits::API_BODY_BYTES_MAX;
use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::sync::{Semaphore, SemaphorePermit};

use api_protocol::fault::Fault;

use crate::limits::{
    BODIES_BYTES_MAX, BODY_PATIENCE, DISCARD_PATIENCE, DISCARDED_BYTES_MAX, SHORT_BODIES_BYTES_MAX,
    SHORT_BODY_BYTES, UNPACKED_BYTES_MAX,
};

/// Room for requests' bodies: what callers send takes a bounded part of the memory.
pub(crate) struct Room {
    /// For the beginning of each body.
    short: Semaphore,
    /// For what goes beyond.
    long: Semaphore,
    /// For what packed ones unpack to. Who waits for it may hold of the others, and who holds it
    /// waits for none.
    unpacked: Semaphore,
}

/// Room that is taken until this is dropped.
#[derive(Default)]
pub(crate) struct Held<'a> {
    short: Option<SemaphorePermit<'a>>,
    long: Option<SemaphorePermit<'a>>,
    unpacked: Option<SemaphorePermit<'a>>,
}

/// A request whose body was not read, and why.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) head: Request<Bytes>,
    pub(crate) fault: Fault,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            short: Semaphore::new(SHORT_BODIES_BYTES_MAX),
            long: Semaphore::new(BODIES_BYTES_MAX),
            unpacked: Semaphore::new(UNPACKED_BYTES_MAX),
        }
    }

    /// Waits for room for the beginning of a body of at most so many bytes.
    async fn begin<'a>(&'a self, bytes: usize, held: &mut Held<'a>) {
        held.short = take(&self.short, bytes.min(SHORT_BODY_BYTES)).await;
    }

    /// Waits for room for the rest of a body of so many bytes, all at once: who held a part and
    /// waited for more could wait for another who does the same.
    async fn go_on<'a>(&'a self, bytes: usize, held: &mut Held<'a>) {
        if held.long.is_none() {
            held.long = take(&self.long, bytes.saturating_sub(SHORT_BODY_BYTES)).await;
        }
    }

    /// Waits for room for what a packed body may unpack to.
    pub(crate) async fn hold_unpacked<'a>(&'a self, held: &mut Held<'a>) {
        held.unpacked = take(&self.unpacked, API_BODY_BYTES_MAX.as_len()).await;
    }
}

impl Held<'_> {
    /// Gives back what a body of so many bytes, as it was sent, does not need.
    fn shrink(&mut self, bytes: usize) {
        let short = bytes.min(SHORT_BODY_BYTES);
        keep(&mut self.short, short);
        keep(&mut self.long, bytes - short);
    }

    /// Notes that a body is unpacked, to so many bytes: the packed one is gone.
    pub(crate) fn unpack(&mut self, bytes: usize) {
        if self.unpacked.is_some() {
            (self.short, self.long) = (None, None);
            keep(&mut self.unpacked, bytes);
        }
    }
}

/// Gives back what is held beyond `needed`.
fn keep(held: &mut Option<SemaphorePermit<'_>>, needed: usize) {
    if let Some(held) = held {
        drop(held.split(held.num_permits().saturating_sub(needed)));
    }
}

async fn take(room: &Semaphore, bytes: usize) -> Option<SemaphorePermit<'_>> {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    let taken = room.acquire_many(bytes).await.ok();
    debug_assert!(taken.is_some(), "the room is never closed");
    taken
}

/// Reads a request's body, up to its limit, as far as there is room.
///
/// Errors: [`Unread`]; what is left of the body is read and dropped, within bounds.
pub(crate) async fn whole<B>(
    request: Request<B>,
    limit: usize,
    room: &Room,
) -> Result<(Request<Bytes>, Held<'_>), Box<Unread>>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let (parts, mut body) = request.into_parts();
    let limit_u64 = u64::try_from(limit).unwrap_or(u64::MAX);
    let fault = if limit_u64 < body.size_hint().lower() {
        too_long(limit)
    } else {
        match tokio::time::timeout(BODY_PATIENCE, read(&mut body, limit, room)).await {
            Ok(Ok((body, held))) => return Ok((Request::from_parts(parts, body), held)),
            Ok(Err(error)) if error.is::<LengthLimitError>() => too_long(limit),
            Ok(Err(error)) => Fault::serialization(error.to_string()),
            Err(_) => Fault::caller(
                "RequestTimeoutException",
                format!("the request's body did not come within {BODY_PATIENCE:?}"),
            )
            .with_status(StatusCode::REQUEST_TIMEOUT),
        }
    };
    if fault.status == StatusCode::PAYLOAD_TOO_LARGE {
        // Who still sends when the connection closes is told of a reset, and not of this.
        let discarding = discard(&mut body, DISCARDED_BYTES_MAX);
        drop(tokio::time::timeout(DISCARD_PATIENCE, discarding).await);
    }
    let head = Request::from_parts(parts, Bytes::new());
    Err(Box::new(Unread { head, fault }))
}

fn too_long(limit: usize) -> Fault {
    let message = format!("the request's body is longer than {limit} bytes");
    Fault::caller("RequestEntityTooLargeException", message)
        .with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

async fn read<'r, B>(
    body: &mut B,
    limit: usize,
    room: &'r Room,
) -> Result<(Bytes, Held<'r>), Box<dyn std::error::Error + Send + Sync>>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let declared = body.size_hint().exact();
    let most = declared.and_then(|bytes| usize::try_from(bytes).ok());
    let most = most.unwrap_or(limit);
    let mut held = Held::default();
    if body.is_end_stream() {
        return Ok((Bytes::new(), held));
    }
    room.begin(most, &mut held).await;
    let mut body = Limited::new(body, limit);
    let (mut read, mut first) = (BytesMut::new(), Bytes::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if SHORT_BODY_BYTES < first.len() + read.len() + data.len() {
            room.go_on(most, &mut held).await;
        }
        if first.is_empty() && read.is_empty() {
            // A short body comes in one piece, which is not copied.
            first = data;
        } else {
            read.extend_from_slice(&std::mem::take(&mut first));
            read.extend_from_slice(&data);
        }
    }
    let body = if read.is_empty() {
        first
    } else {
        read.freeze()
    };
    held.shrink(body.len());
    Ok((body, held))
}

/// Reads on to the end of a body that nobody wants, up to so many bytes.
async fn discard<B>(body: &mut B, bytes_max: usize)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = bytes_max;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else {
            return;
        };
        left = rest;
    }
}

#[cfg(test)]
mod tests;
