//! One client connection: handshake, protocol, and its end.
//!
//! It serves requests without knowing what they ask.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use gateway_core::invoke::Invoke;
use gateway_core::uri::Security;
use hyper::rt::{Executor, Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use net::tasks::Tasks;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::admit::Door;
use crate::limits::{
    BUFFER_BYTES_MAX, CONNECTION_WINDOW, HANDSHAKE_PATIENCE, HEAD_BYTES_MAX, HEAD_PATIENCE,
    PING_INTERVAL, STREAM_WINDOW, STREAMS_FAILED_MAX, STREAMS_MAX, STREAMS_RESET_MAX,
};
use crate::patient::Patient;
use crate::serve::Shared;

/// How a listener's connections begin.
#[derive(Clone)]
pub(crate) enum Acceptor {
    /// With a TLS handshake; ALPN chooses the protocol.
    Tls(TlsAcceptor),
    /// At once, with HTTP/1.1.
    Plain,
}

/// What the connections of one listener share.
pub(crate) struct Connections<I> {
    pub(crate) shared: Arc<Shared<I>>,
    pub(crate) acceptor: Acceptor,
    pub(crate) port: u16,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) cut: CancellationToken,
}

/// What one connection takes along.
struct Connection<I> {
    shared: Arc<Shared<I>>,
    door: Door,
    tasks: Arc<Tasks>,
}

impl<I: Invoke> Connections<I> {
    /// Serves a connection in a task of its own; `place` is free again when it ends.
    pub(crate) fn open(&self, stream: TcpStream, client: SocketAddr, place: OwnedSemaphorePermit) {
        let connection = Connection {
            shared: Arc::clone(&self.shared),
            door: Door {
                client: client.ip().to_canonical(),
                security: match self.acceptor {
                    Acceptor::Tls(_) => Security::Tls,
                    Acceptor::Plain => Security::Plain,
                },
                port: self.port,
            },
            tasks: Arc::clone(&self.tasks),
        };
        let acceptor = self.acceptor.clone();
        let cut = self.cut.clone();
        self.tasks.spawn_draining(async move {
            let counters = Arc::clone(&connection.shared.counters);
            counters.connections.up();
            counters.connections_open.up();
            cut.run_until_cancelled(connection.run(acceptor, stream))
                .await;
            counters.connections_open.down();
            drop(place);
        });
    }
}

impl<I: Invoke> Connection<I> {
    async fn run(self, acceptor: Acceptor, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone at once");
            return;
        }
        let stream = Patient::new(stream);
        let acceptor = match acceptor {
            Acceptor::Plain => return self.serve_http1(TokioIo::new(stream)).await,
            Acceptor::Tls(acceptor) => acceptor,
        };
        let stream = match timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                return self.shared.counters.handshakes_failed.up();
            }
            Err(_) => return self.shared.counters.handshakes_failed.up(),
        };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.serve_http2(TokioIo::new(stream)).await;
        } else {
            self.serve_http1(TokioIo::new(stream)).await;
        }
    }

    async fn serve_http1<T: Read + Write + Unpin>(self, io: T) {
        let Self {
            shared,
            door,
            tasks,
        } = self;
        let service = service_fn(|request| {
            let shared = &shared;
            async move { Ok::<_, Infallible>(shared.serve_counted(door, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .max_header_size(HEAD_BYTES_MAX.as_len())
            .max_buf_size(BUFFER_BYTES_MAX.as_len())
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        let draining = tasks.token();
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = draining.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an HTTP/1.1 connection ended");
        }
    }

    async fn serve_http2<T: Read + Write + Unpin>(self, io: T) {
        let Self {
            shared,
            door,
            tasks,
        } = self;
        let draining = tasks.token();
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(shared.serve_counted(door, request).await) }
        });
        let window = |count: base::units::ByteCount| u32::try_from(count.as_u64()).ok();
        let connection = http2::Builder::new(Streams(tasks))
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_pending_accept_reset_streams(STREAMS_RESET_MAX)
            .max_local_error_reset_streams(STREAMS_FAILED_MAX)
            .max_header_list_size(window(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .initial_stream_window_size(window(STREAM_WINDOW))
            .initial_connection_window_size(window(CONNECTION_WINDOW))
            .keep_alive_interval(PING_INTERVAL)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = draining.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an HTTP/2 connection ended");
        }
    }
}

/// Runs the streams of an HTTP/2 connection. They end with it, and drain as it does.
#[derive(Clone)]
struct Streams(Arc<Tasks>);

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn_draining(stream);
    }
}
