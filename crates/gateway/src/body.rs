//! Bodies on their way through the gateway, in either direction.
//!
//! A streamed body is never held whole: what is read is passed on, within a limit and a patience.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use crate::counters::Open;
use crate::limits::BODY_PATIENCE;
use crate::pool::Lease;
use crate::room::{Held, NoRoom, Room};

/// A body that the gateway sends, to a client or to a backend.
#[derive(Debug)]
pub enum Body {
    /// Bytes in memory; `None` once they are sent, or when there are none.
    Kept(Option<Bytes>),
    /// What another connection brings.
    Stream(Box<Stream>),
}

/// The body of a response to a client.
#[derive(Debug)]
pub struct Answer {
    body: Body,
    _open: Open,
}

/// A body that comes in on one connection and goes out on another.
#[derive(Debug)]
pub struct Stream {
    incoming: Incoming,
    /// Runs only while nothing comes.
    waiting: Option<Pin<Box<Sleep>>>,
    /// How many bytes may still come; `None` for any number.
    room: Option<u64>,
    /// The connection that becomes free when the body has ended.
    lease: Option<Lease>,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection that brought it failed.
    #[error("read the rest of the body")]
    Transfer(#[from] hyper::Error),
    /// Nothing came for a while.
    #[error("wait for more of the body")]
    Idle,
    /// More came than is allowed.
    #[error("accept a body of this size")]
    TooLarge,
    /// Other requests' bodies take all the memory there is for them.
    #[error("find room for the body")]
    NoRoom,
}

impl Answer {
    pub(crate) fn new(body: Body, open: Open) -> Self {
        Self { body, _open: open }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Body {
    /// Makes a body of bytes in memory.
    pub(crate) fn kept(bytes: Bytes) -> Self {
        Self::Kept(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Makes a body of a client's upload, of at most `room` bytes.
    pub(crate) fn upload(incoming: Incoming, room: u64) -> Self {
        Self::Stream(Box::new(Stream {
            incoming,
            waiting: None,
            room: Some(room),
            lease: None,
        }))
    }

    /// Makes a body of a backend's response; `lease` is given back at its end.
    pub(crate) fn download(incoming: Incoming, lease: Lease) -> Self {
        if incoming.is_end_stream() {
            lease.give_back();
            return Self::Kept(None);
        }
        Self::Stream(Box::new(Stream {
            incoming,
            waiting: None,
            room: None,
            lease: Some(lease),
        }))
    }

    /// Returns a copy of bytes in memory; `None` for a stream.
    pub(crate) fn copy(&self) -> Option<Self> {
        match self {
            Self::Kept(bytes) => Some(Self::Kept(bytes.clone())),
            Self::Stream(_) => None,
        }
    }
}

/// Reads a whole body into memory, as far as there is room.
///
/// Errors: [`BodyError`]; `TooLarge` as soon as more than `most` bytes came.
pub(crate) async fn collect(
    incoming: Incoming,
    most: u64,
    room: &Room,
) -> Result<(Bytes, Held<'_>), BodyError> {
    if incoming.size_hint().lower() > most {
        return Err(BodyError::TooLarge);
    }
    let mut stream = Stream {
        incoming,
        waiting: None,
        room: Some(most),
        lease: None,
    };
    let (mut first, mut all, mut held) = (Bytes::new(), BytesMut::new(), Held::default());
    while let Some(frame) = stream.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        room.take(data.len(), &mut held)
            .map_err(|NoRoom| BodyError::NoRoom)?;
        // A short body comes in one piece, which is not copied.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    let body = if all.is_empty() { first } else { all.freeze() };
    Ok((body, held))
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else {
            let waiting = self
                .waiting
                .get_or_insert_with(|| Box::pin(sleep(BODY_PATIENCE)));
            ready!(waiting.as_mut().poll(cx));
            return Poll::Ready(Some(Err(BodyError::Idle)));
        };
        self.waiting = None;
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => {
                self.finish();
                return Poll::Ready(None);
            }
        };
        if let (Some(room), Some(data)) = (self.room.as_mut(), frame.data_ref()) {
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            match room.checked_sub(length) {
                Some(left) => *room = left,
                None => return Poll::Ready(Some(Err(BodyError::TooLarge))),
            }
        }
        if self.incoming.is_end_stream() {
            self.finish();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Stream {
    fn finish(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Kept(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => Pin::new(stream.as_mut()).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Kept(bytes) => bytes.is_none(),
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Kept(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::Stream(stream) => stream.size_hint(),
        }
    }
}
