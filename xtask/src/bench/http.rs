//! HTTP/1.1 as a load generator needs it: one request, one response, the connection kept.
//!
//! It is no client for anything else: no redirects, no pipelining, no TLS.

use std::fmt::Write;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A kept connection.
pub(super) struct Connection {
    stream: TcpStream,
    buf: Vec<u8>,
}

/// A response; the body without its framing when it came by length.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        let buf = Vec::with_capacity(16 * 1024);
        Ok(Self { stream, buf })
    }

    /// Sends a whole request and reads its response, which must be 200; returns its body, framed
    /// as it came.
    pub(super) async fn ok(&mut self, request: &[u8]) -> Result<&[u8]> {
        let (status, head, _) = self.exchange(request).await?;
        let body = self.buf.get(head..).unwrap_or_default();
        let text = || String::from_utf8_lossy(body);
        anyhow::ensure!(status == 200, "answered with {status}: {}", text());
        Ok(body)
    }

    /// Sends a whole request and reads its response.
    pub(super) async fn call(&mut self, request: &[u8]) -> Result<Response> {
        let (status, head, framing) = self.exchange(request).await?;
        let (head, body) = self.buf.split_at(head);
        let body = match framing {
            Framing::Length(_) => body.to_vec(),
            Framing::Chunked => unchunked(body),
        };
        let head = String::from_utf8_lossy(head).into_owned();
        Ok(Response { status, head, body })
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize, Framing)> {
        self.buf.clear();
        self.stream.write_all(request).await?;
        let (head, framing) = loop {
            if let Some(head) = head_end(&self.buf) {
                break (head, framing(&self.buf[..head])?);
            }
            self.more().await?;
        };
        loop {
            let body = &self.buf[head..];
            let whole = match framing {
                Framing::Length(length) => length <= body.len(),
                Framing::Chunked => body.ends_with(b"0\r\n\r\n"),
            };
            if whole {
                break;
            }
            self.more().await?;
        }
        let status = self
            .buf
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let status = status
            .and_then(|digits| digits.parse().ok())
            .context("a status")?;
        Ok((status, head, framing))
    }

    async fn more(&mut self) -> Result<()> {
        anyhow::ensure!(
            self.buf.len() < RESPONSE_BYTES_MAX,
            "a response without an end"
        );
        let read = self.stream.read_buf(&mut self.buf).await?;
        anyhow::ensure!(read != 0, "the server closed the connection");
        Ok(())
    }
}

/// Sends one request on a connection of its own.
pub(super) async fn once(address: SocketAddr, request: &[u8]) -> Result<Response> {
    Connection::open(address).await?.call(request).await
}

/// Writes a request.
pub(super) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = head(method, path, headers);
    _ = write!(text, "{}\r\n\r\n{body}", body.len());
    text.into_bytes()
}

/// Writes a request up to the length of its body.
pub(super) fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        _ = write!(text, "{name}: {value}\r\n");
    }
    text + "content-length: "
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

fn head_end(buf: &[u8]) -> Option<usize> {
    let at = buf.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(at + 4)
}

fn framing(head: &[u8]) -> Result<Framing> {
    let head = std::str::from_utf8(head)?;
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok(Framing::Length(value.trim().parse()?));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(Framing::Chunked);
        }
    }
    Ok(Framing::Length(0))
}

fn unchunked(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = chunks.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&chunks[..line]).unwrap_or_default();
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = chunks.get(line + 2..line + 2 + size) else {
            break;
        };
        body.extend_from_slice(chunk);
        chunks = chunks.get(line + 4 + size..).unwrap_or_default();
        if size == 0 {
            break;
        }
    }
    body
}

/// Largest response that the generator takes. 16 MiB.
const RESPONSE_BYTES_MAX: usize = 16 << 20;

#[cfg(test)]
mod tests;
