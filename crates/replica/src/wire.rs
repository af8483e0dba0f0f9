//! A connection's socket as TLS uses it: read in large portions, its bytes counted.
//!
//! It knows neither TLS nor frames. The TLS library asks for 4 KiB at a time, which would be a
//! call into the kernel each.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::limits::WIRE_BYTES;

/// A socket and what was read from it ahead.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    ahead: Box<[u8]>,
    from: usize,
    to: usize,
    bytes_in: u64,
    bytes_out: u64,
}

impl Wire {
    /// Takes over a socket of which nothing has been read.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            ahead: vec![0; WIRE_BYTES].into(),
            from: 0,
            to: 0,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Returns and forgets the bytes read and written.
    pub(crate) fn take_traffic(&mut self) -> (u64, u64) {
        let traffic = (self.bytes_in, self.bytes_out);
        (self.bytes_in, self.bytes_out) = (0, 0);
        traffic
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.from == this.to {
            let mut ahead = ReadBuf::new(&mut this.ahead);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut ahead))?;
            (this.from, this.to) = (0, ahead.filled().len());
            this.bytes_in += this.to as u64;
        }
        let ahead = this.ahead.get(this.from..this.to).unwrap_or_default();
        let count = ahead.len().min(buf.remaining());
        let (taken, _) = ahead.split_at(count);
        buf.put_slice(taken);
        this.from += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let count = ready!(Pin::new(&mut this.stream).poll_write(cx, buf))?;
        this.bytes_out += count as u64;
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let count = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, bufs))?;
        this.bytes_out += count as u64;
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
