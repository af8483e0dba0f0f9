//! One connection's bytes: frames sealed into a buffer, and opened out of one.
//!
//! It knows no protocol. Reading and writing go on at the same time, so neither side can block
//! the other by not reading.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use base::region::RegionName;
use replica_core::frame::Frame;
use replica_core::limits::FRAME_BYTES_MAX;
use replica_core::link::LinkError;
use replica_core::link::handshake::{Directory, Session};
use replica_core::link::seal::OpenError;

use crate::limits::{INBOUND_BYTES, OUTBOUND_BYTES};

/// A connection on which both sides have proved who they are.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    session: Session,
    inbound: BytesMut,
    outbound: BytesMut,
    bytes_in: u64,
    bytes_out: u64,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    /// The core ended it.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// What came cannot be trusted.
    #[error(transparent)]
    Open(#[from] OpenError),
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
    pub(crate) fn new(stream: TcpStream, session: Session, inbound: BytesMut) -> Self {
        Self {
            stream,
            session,
            inbound,
            outbound: BytesMut::new(),
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Returns the peer, and what it keeps its data in.
    pub(crate) const fn peer(&self) -> (&RegionName, Directory) {
        (&self.session.peer, self.session.directory)
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
            if self.stream.read_buf(&mut self.inbound).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Seals a frame; the next turns write it.
    pub(crate) fn post(&mut self, frame: &Frame) {
        self.session.sealer.seal(frame, &mut self.outbound);
    }

    /// Returns whether so little waits for the socket that more may be posted.
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.len() < OUTBOUND_BYTES
    }

    /// Returns the next frame that has come whole.
    ///
    /// Errors: [`OpenError`]; the connection cannot go on then.
    pub(crate) fn frame(&mut self) -> Result<Option<Frame>, OpenError> {
        let bound = FRAME_BYTES_MAX.as_len();
        self.session.opener.open(&mut self.inbound, bound)
    }

    /// Reads or writes what can be. Nothing is lost when it is dropped half-way.
    ///
    /// Errors: those of the socket, and `UnexpectedEof` when the peer has closed.
    pub(crate) async fn turn(&mut self) -> io::Result<Turn> {
        self.inbound.reserve(INBOUND_BYTES);
        let (mut reader, mut writer) = self.stream.split();
        tokio::select! {
            read = reader.read_buf(&mut self.inbound) => match read? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                count => {
                    self.bytes_in += count as u64;
                    Ok(Turn::Read)
                }
            },
            wrote = writer.write_buf(&mut self.outbound), if !self.outbound.is_empty() => {
                self.bytes_out += wrote? as u64;
                Ok(Turn::Wrote)
            }
        }
    }

    /// Writes what is posted, as far as the socket takes it at once: for last words.
    pub(crate) fn flush_now(&mut self) {
        if let Ok(count) = self.stream.try_write(&self.outbound) {
            self.bytes_out += count as u64;
        }
    }

    /// Returns and forgets the bytes read and written.
    pub(crate) fn take_traffic(&mut self) -> (u64, u64) {
        let traffic = (self.bytes_in, self.bytes_out);
        (self.bytes_in, self.bytes_out) = (0, 0);
        traffic
    }
}
