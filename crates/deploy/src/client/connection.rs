//! One kept HTTP/1.1 connection, driven by the request that is under way on it.
//!
//! No task of its own runs: between requests nothing reads it.

use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{ClientError, Endpoint, Transport};
use crate::limits::{CONNECT_PATIENCE, REPLY_BYTES_MAX};

/// An answer: status, headers and the whole body.
pub(super) type Answer = (StatusCode, HeaderMap, Bytes);

/// What went wrong on a connection.
pub(super) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// An open connection.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>,
}

/// A stream of bytes, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Connection {
    /// Opens a connection.
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let unreachable = |source: Broken| ClientError::Unreachable {
            endpoint: format!("{endpoint:?}"),
            source,
        };
        let stream = tokio::time::timeout(CONNECT_PATIENCE, connect(endpoint))
            .await
            .map_err(|_| unreachable(format!("no connection within {CONNECT_PATIENCE:?}").into()))?
            .map_err(unreachable)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(error.into()))?;
        Ok(Self {
            sender,
            driver: Box::pin(connection),
        })
    }

    /// Sends a request and reads its answer.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Broken> {
        let sender = &mut self.sender;
        let answered = async move {
            sender.ready().await?;
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, REPLY_BYTES_MAX.as_len())
                .collect()
                .await?;
            Ok::<_, Broken>((head.status, head.headers, body.to_bytes()))
        };
        let mut answered = std::pin::pin!(answered);
        let end = tokio::select! {
            biased;
            answer = &mut answered => return answer,
            end = &mut self.driver => end,
        };
        self.driver = Box::pin(std::future::pending());
        // What was read before the end may hold the whole answer.
        let answer = answered.await;
        match (answer, end) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Err(cause)) => Err(cause.into()),
            (Err(cause), Ok(())) => Err(cause),
        }
    }

    /// Returns whether a kept connection had been closed before the request reached anyone.
    pub(super) fn was_stale(error: &Broken) -> bool {
        error.downcast_ref::<hyper::Error>().is_some_and(|error| {
            error.is_canceled() || error.is_closed() || error.is_incomplete_message()
        })
    }
}

async fn connect(endpoint: &Endpoint) -> Result<Box<dyn Stream>, Broken> {
    let stream = TcpStream::connect(endpoint.address).await?;
    stream.set_nodelay(true)?;
    match &endpoint.transport {
        Transport::Plain => Ok(Box::new(stream)),
        Transport::Tls(config) => {
            let authority: http::uri::Authority = endpoint.authority.parse()?;
            let name = ServerName::try_from(authority.host().to_owned())?;
            let connector = TlsConnector::from(config.clone());
            Ok(Box::new(connector.connect(name, stream).await?))
        }
    }
}
