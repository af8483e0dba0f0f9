//! Greets on a fresh stream, as the dialling or the listening side.
//!
//! What may be said is `replica_core::link::handshake`'s.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use base::region::RegionName;
use clock::port::Entropy;
use replica_core::frame::greeting::Refusal;
use replica_core::frame::{self, Frame};
use replica_core::limits::{GREETING_BYTES_MAX, GREETING_PATIENCE};
use replica_core::link::handshake::{Accepted, Dialled, GreetingError, Identity};
use replica_core::record::WireError;
use store::port::{Store, StoreError};
use table::tables::Tables;

use crate::connection::Connection;

/// A greeting that came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GreetError {
    /// One side refused the other, or said something else.
    #[error(transparent)]
    Greeting(#[from] GreetingError),
    /// What came is no frame: perhaps not a peer at all.
    #[error("greet: the other side does not speak the link protocol: {0}")]
    Wire(#[from] WireError),
    /// The connection broke.
    #[error("greet: {0}")]
    Io(#[from] io::Error),
    /// The peer's directory could not be noted.
    #[error("greet: {0}")]
    Store(#[from] StoreError),
    /// It took too long.
    #[error("greet: no answer within {GREETING_PATIENCE:?}")]
    Patience,
}

impl GreetError {
    /// Returns the refusal, where there was one: trying again helps only when somebody acts.
    pub(crate) const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Greeting(GreetingError::Ours(refusal) | GreetingError::Theirs(refusal)) => {
                Some(refusal)
            }
            Self::Greeting(GreetingError::Unexpected { .. })
            | Self::Wire(_)
            | Self::Io(_)
            | Self::Store(_)
            | Self::Patience => None,
        }
    }
}

/// Greets `peer` on a stream that we dialled.
///
/// Errors: [`GreetError`]; the peer was told where we refused.
pub(crate) async fn dial<S: Store>(
    mut stream: TcpStream,
    identity: &Identity,
    peer: RegionName,
    entropy: &dyn Entropy,
    tables: &Tables<S>,
) -> Result<Connection, GreetError> {
    let greeting = async {
        let mut inbound = BytesMut::new();
        let (dialled, hello) = Dialled::begin(identity, peer, nonce(entropy));
        say(&mut stream, &hello).await?;
        let challenge = hear(&mut stream, &mut inbound).await?;
        let proved = dialled.prove(challenge);
        let (proved, proof) = or_refuse(&mut stream, proved).await?;
        say(&mut stream, &proof).await?;
        let welcome = hear(&mut stream, &mut inbound).await?;
        let session = or_refuse(&mut stream, proved.finish(welcome)).await?;
        admit(Connection::new(stream, session, inbound), tables).await
    };
    in_time(greeting).await
}

/// Greets whoever dialled. Returns the peer, too.
///
/// Errors: [`GreetError`]; the other side was told where we refused.
pub(crate) async fn accept<S: Store>(
    mut stream: TcpStream,
    identity: &Identity,
    is_peer: impl Fn(&RegionName) -> bool,
    entropy: &dyn Entropy,
    tables: &Tables<S>,
) -> Result<(RegionName, Connection), GreetError> {
    let greeting = async {
        let mut inbound = BytesMut::new();
        let hello = hear(&mut stream, &mut inbound).await?;
        let accepted = Accepted::hear(identity, nonce(entropy), hello, is_peer);
        let (accepted, challenge) = or_refuse(&mut stream, accepted).await?;
        say(&mut stream, &challenge).await?;
        let proof = hear(&mut stream, &mut inbound).await?;
        let (session, welcome) = or_refuse(&mut stream, accepted.welcome(proof)).await?;
        say(&mut stream, &welcome).await?;
        let peer = session.peer.clone();
        let connection = Connection::new(stream, session, inbound);
        Ok((peer, admit(connection, tables).await?))
    };
    in_time(greeting).await
}

/// Lets a peer that has proved who it is in with the directory that it has, and notes that.
///
/// A refusal is sealed: the peer stops its region over it, and must know who says so.
async fn admit<S: Store>(
    mut connection: Connection,
    tables: &Tables<S>,
) -> Result<Connection, GreetError> {
    let (peer, directory) = connection.peer();
    let id = peer.id();
    let admitted = directory.admit(peer, tables.met(id), tables.applied().at(id));
    if let Err(refusal) = admitted {
        connection.post(&Frame::Refuse(refusal.clone()));
        connection.end().await?;
        return Err(GreetingError::Ours(refusal).into());
    }
    tables.meet(id, directory.incarnation).await?;
    Ok(connection)
}

async fn in_time<T>(
    greeting: impl Future<Output = Result<T, GreetError>>,
) -> Result<T, GreetError> {
    tokio::time::timeout(GREETING_PATIENCE, greeting)
        .await
        .unwrap_or(Err(GreetError::Patience))
}

async fn say(stream: &mut TcpStream, frame: &Frame) -> io::Result<()> {
    let mut outbound = BytesMut::new();
    frame.encode(&mut outbound, 0);
    stream.write_all(&outbound).await
}

async fn hear(stream: &mut TcpStream, inbound: &mut BytesMut) -> Result<Frame, GreetError> {
    loop {
        if let Some((head, body)) = frame::split(inbound, GREETING_BYTES_MAX.as_len())? {
            return Ok(Frame::decode(head, body)?);
        }
        inbound.reserve(GREETING_BYTES_MAX.as_len());
        if stream.read_buf(inbound).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// Passes a step on; where we refuse, the other side is told first.
async fn or_refuse<T>(
    stream: &mut TcpStream,
    step: Result<T, GreetingError>,
) -> Result<T, GreetError> {
    if let Err(GreetingError::Ours(refusal)) = &step {
        say(stream, &Frame::Refuse(refusal.clone())).await?;
    }
    Ok(step?)
}

fn nonce(entropy: &dyn Entropy) -> [u8; 32] {
    let mut nonce = [0; 32];
    for chunk in nonce.chunks_exact_mut(8) {
        chunk.copy_from_slice(&entropy.random().to_be_bytes());
    }
    nonce
}
