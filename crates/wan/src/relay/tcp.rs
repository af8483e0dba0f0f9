//! Connections over a link.
//!
//! Each direction is a queue of pieces with the moments at which they are there. A half-close
//! and a reset are pieces too, so they come after the bytes sent before them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use clock::time::Moment;
use net::tasks::Tasks;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tracing::{debug, warn};

use crate::limits::{
    ACCEPT_PAUSE, CONNECTIONS_MAX, IN_FLIGHT_BYTES_MAX, IN_FLIGHT_PIECES_MAX, READ_BYTES_MAX,
};
use crate::links::Line;
use crate::relay::Path;

/// Accepts connections until the relay is dropped.
pub(super) async fn accept(listener: TcpListener, path: Path, tasks: Arc<Tasks>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(error) => {
                warn!(%error, "relay cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let path = path.clone();
        tasks.spawn(async move {
            carry(client, path).await;
            drop(permit);
        });
    }
}

async fn carry(mut client: TcpStream, path: Path) {
    _ = client.set_nodelay(true);
    let mut early = BytesMut::new();
    let upstream = tokio::select! {
        upstream = handshake(&path) => upstream,
        () = given_up(&mut client, &mut early, &path) => return,
    };
    let upstream = match upstream {
        Ok(upstream) => upstream,
        Err(error) => {
            debug!(%error, target = %path.target, "relay's target refused");
            return reset(&client);
        }
    };
    let (client_read, client_write) = client.into_split();
    let (upstream_read, upstream_write) = upstream.into_split();
    // A reset in either direction ends both: dropping the sockets is what sends it.
    _ = tokio::try_join!(
        pump(client_read, upstream_write, &path.there, early.freeze()),
        pump(upstream_read, client_write, &path.back, Bytes::new()),
    );
}

/// Connects to the target, one round trip later.
async fn handshake(path: &Path) -> io::Result<TcpStream> {
    path.there.deliver(path.there.due()).await;
    let upstream = TcpStream::connect(path.target).await;
    path.back.deliver(path.back.due()).await;
    let upstream = upstream?;
    upstream.set_nodelay(true)?;
    Ok(upstream)
}

/// Keeps what the client sends before it is connected, and returns when it gives up.
///
/// A client that closes while a cut holds its first packet leaves no trace at the target. One
/// that closes while nothing is cut has only not seen the handshake: it may still read.
async fn given_up(client: &mut TcpStream, early: &mut BytesMut, path: &Path) {
    while early.len() < READ_BYTES_MAX.as_len() {
        match client.read_buf(early).await {
            Ok(0) if path.there.is_cut() || path.back.is_cut() => return,
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => return,
        }
    }
    std::future::pending::<()>().await;
}

/// What is on its way.
enum Piece {
    Bytes(Bytes),
    HalfClose,
    Reset,
}

/// The connection was reset.
struct Reset;

async fn pump(
    source: OwnedReadHalf,
    sink: OwnedWriteHalf,
    line: &Line,
    early: Bytes,
) -> Result<(), Reset> {
    let (pieces, arriving) = mpsc::channel(IN_FLIGHT_PIECES_MAX);
    let room = Semaphore::new(IN_FLIGHT_BYTES_MAX.as_len());
    let sending = send(source, pieces, line, &room, early);
    let receiving = receive(arriving, sink, line, &room);
    tokio::pin!(receiving);
    tokio::select! {
        end = &mut receiving => return end,
        () = sending => {}
    }
    receiving.await
}

/// Reads until the end, and stamps what it reads.
async fn send(
    mut source: OwnedReadHalf,
    pieces: mpsc::Sender<(Moment, Piece)>,
    line: &Line,
    room: &Semaphore,
    early: Bytes,
) {
    if !early.is_empty() && !put(&pieces, line, room, early).await {
        return;
    }
    let mut buf = BytesMut::new();
    let end = loop {
        if buf.capacity() < READ_BYTES_MAX.as_len() / 4 {
            buf.reserve(READ_BYTES_MAX.as_len());
        }
        match source.read_buf(&mut buf).await {
            Ok(0) => break Piece::HalfClose,
            Ok(_) => {
                if !put(&pieces, line, room, buf.split().freeze()).await {
                    return;
                }
            }
            Err(_) => break Piece::Reset,
        }
    };
    // It fails only when the receiving end is gone, which ends the connection anyway.
    _ = pieces.send((line.due(), end)).await;
}

async fn put(
    pieces: &mpsc::Sender<(Moment, Piece)>,
    line: &Line,
    room: &Semaphore,
    bytes: Bytes,
) -> bool {
    let due = line.due();
    let Ok(permits) = room.acquire_many(length(&bytes)).await else {
        return false;
    };
    permits.forget();
    pieces.send((due, Piece::Bytes(bytes))).await.is_ok()
}

/// Writes each piece when it is there.
async fn receive(
    mut arriving: mpsc::Receiver<(Moment, Piece)>,
    mut sink: OwnedWriteHalf,
    line: &Line,
    room: &Semaphore,
) -> Result<(), Reset> {
    while let Some((due, piece)) = arriving.recv().await {
        line.deliver(due).await;
        match piece {
            Piece::Bytes(bytes) => {
                room.add_permits(length(&bytes) as usize);
                if sink.write_all(&bytes).await.is_err() {
                    // The other direction will read the same end and carry it to the sender.
                    return Ok(());
                }
            }
            Piece::HalfClose => {
                _ = sink.shutdown().await;
                return Ok(());
            }
            Piece::Reset => {
                reset(sink.as_ref());
                // Dropping it would half-close first, and the sink would see an orderly end.
                sink.forget();
                return Err(Reset);
            }
        }
    }
    Ok(())
}

/// Makes the closing of a socket a reset.
fn reset(stream: &TcpStream) {
    _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn length(bytes: &Bytes) -> u32 {
    u32::try_from(bytes.len()).expect("one read is far below 4 GiB")
}
