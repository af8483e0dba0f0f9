//! One connection's bytes: frames written into a buffer and read out of one, inside TLS.
//!
//! It knows no protocol. Reading and writing go on at the same time, so neither side can block
//! the other by not reading.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsStream;

use base::region::RegionName;
use replica_core::frame::Frame;
use replica_core::limits::FRAME_BYTES_MAX;
use replica_core::link::LinkError;
use replica_core::link::handshake::{Directory, Session};
use replica_core::record::WireError;

use crate::limits::{INBOUND_BYTES, OUTBOUND_BYTES};
use crate::wire::Wire;

/// A connection on which both sides have proved who they are.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TlsStream<Wire>,
    session: Session,
    inbound: BytesMut,
    outbound: BytesMut,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    /// The core ended it.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// What came is no frame.
    #[error("read a frame: {0}")]
    Frame(#[from] WireError),
    /// The connection broke, or the peer closed it.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The peer speaks and does not listen.
    #[error("it does not read what is said to it")]
    Deaf,
    /// The peer made another connection.
    #[error("the peer made another connection")]
    Replaced,
}

/// What a turn of a connection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Bytes came; there may be frames.
    Read,
    /// Bytes went; there may be room.
    Wrote,
}

impl Connection {
    /// Takes over a stream after its greeting, with what was read beyond it.
    pub(crate) fn new(stream: TlsStream<Wire>, session: Session, inbound: BytesMut) -> Self {
        Self {
            stream,
            session,
            inbound,
            outbound: BytesMut::new(),
        }
    }

    /// Returns the peer, and what it keeps its data in.
    pub(crate) const fn peer(&self) -> (&RegionName, Directory) {
        (&self.session.peer, self.session.directory)
    }

    /// Returns the format that both sides speak.
    pub(crate) const fn format(&self) -> u8 {
        self.session.format
    }

    /// Returns the stream, and what was read from it ahead: for what is no frame of a link.
    pub(crate) fn into_stream(self) -> (TlsStream<Wire>, BytesMut) {
        (self.stream, self.inbound)
    }

    /// Writes what is posted, and waits until the peer has heard it and ends the connection too.
    ///
    /// Errors: those of the socket.
    pub(crate) async fn end(&mut self) -> io::Result<()> {
        self.stream.write_all_buf(&mut self.outbound).await?;
        self.stream.shutdown().await?;
        // What the peer has said meanwhile is read: closing over it would take our word back.
        loop {
            self.inbound.clear();
            self.inbound.reserve(INBOUND_BYTES);
            match self.stream.read_buf(&mut self.inbound).await {
                Ok(0) => return Ok(()),
                // Whoever was refused closes without TLS's own farewell.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                read => read?,
            };
        }
    }

    /// Takes a frame; the next turns write it.
    pub(crate) fn post(&mut self, frame: &Frame) {
        frame.encode(&mut self.outbound);
    }

    /// Returns whether so little waits for the socket that more may be posted.
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.len() < OUTBOUND_BYTES
    }

    /// Returns the next frame that has come whole.
    ///
    /// Errors: [`WireError`]; the connection cannot go on then.
    pub(crate) fn frame(&mut self) -> Result<Option<Frame>, WireError> {
        Frame::take(&mut self.inbound, FRAME_BYTES_MAX.as_len())
    }

    /// Reads or writes what can be. Nothing is lost when it is dropped half-way.
    ///
    /// Errors: those of the socket and of TLS, and `UnexpectedEof` when the peer has closed.
    pub(crate) async fn turn(&mut self) -> io::Result<Turn> {
        self.inbound.reserve(INBOUND_BYTES);
        poll_fn(|cx| {
            // Both, so that neither waits for ever behind the other.
            let wrote = self.poll_write(cx)?;
            if self.poll_read(cx)?.is_ready() {
                return Poll::Ready(Ok(Turn::Read));
            }
            wrote.map(|()| Ok(Turn::Wrote))
        })
        .await
    }

    // The futures keep nothing between two polls, so each poll may make its own.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let read = pin!(self.stream.read_buf(&mut self.inbound)).poll(cx);
        Poll::Ready(match ready!(read) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            // A peer that ends without TLS's own farewell has ended, too.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Err(error) => Err(error),
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.outbound.is_empty() {
            let wrote = pin!(self.stream.write_buf(&mut self.outbound)).poll(cx);
            return Poll::Ready(ready!(wrote).map(|_| ()));
        }
        let (_, tls) = self.stream.get_ref();
        if tls.wants_write() {
            return pin!(self.stream.flush()).poll(cx);
        }
        Poll::Pending
    }

    /// Writes what is posted, as far as the socket takes it at once: for last words.
    pub(crate) fn flush_now(&mut self) {
        let writing = async {
            self.stream.write_all_buf(&mut self.outbound).await?;
            self.stream.flush().await
        };
        let _unheard = writing.now_or_never();
    }

    /// Returns and forgets the bytes read and written.
    pub(crate) fn take_traffic(&mut self) -> (u64, u64) {
        let (wire, _) = self.stream.get_mut();
        wire.take_traffic()
    }
}
