//! Greets on a fresh stream, as the dialling or the listening side.
//!
//! What may be said is `replica_core::link::handshake`'s.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

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
            | Self::Patience => None,
        }
    }
}

/// The data directories that this process has met, by region. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incarnations(Arc<Mutex<BTreeMap<RegionName, u64>>>);

impl Incarnations {
    /// Takes note of a region's data directory.
    ///
    /// Errors: [`Refusal::Incarnation`] when the region had another one before.
    fn meet(&self, region: &RegionName, incarnation: u64) -> Result<(), Refusal> {
        let mut met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = met.entry(region.clone()).or_insert(incarnation);
        if *known == incarnation {
            Ok(())
        } else {
            let region = region.clone();
            Err(Refusal::Incarnation { region })
        }
    }
}

/// Greets `peer` on a stream that we dialled.
///
/// Errors: [`GreetError`]; the peer was told where we refused.
pub(crate) async fn dial(
    mut stream: TcpStream,
    identity: &Identity,
    peer: RegionName,
    entropy: &dyn Entropy,
    met: &Incarnations,
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
        let session = proved.finish(welcome, |region, found| met.meet(region, found));
        let session = or_refuse(&mut stream, session).await?;
        Ok(Connection::new(stream, session, inbound))
    };
    in_time(greeting).await
}

/// Greets whoever dialled. Returns the peer, too.
///
/// Errors: [`GreetError`]; the other side was told where we refused.
pub(crate) async fn accept(
    mut stream: TcpStream,
    identity: &Identity,
    is_peer: impl Fn(&RegionName) -> bool,
    entropy: &dyn Entropy,
    met: &Incarnations,
) -> Result<(RegionName, Connection), GreetError> {
    let greeting = async {
        let mut inbound = BytesMut::new();
        let hello = hear(&mut stream, &mut inbound).await?;
        let accepted = Accepted::hear(identity, nonce(entropy), hello, is_peer);
        let (accepted, challenge) = or_refuse(&mut stream, accepted).await?;
        say(&mut stream, &challenge).await?;
        let proof = hear(&mut stream, &mut inbound).await?;
        let welcomed = accepted.welcome(proof, |region, found| met.meet(region, found));
        let (session, welcome) = or_refuse(&mut stream, welcomed).await?;
        say(&mut stream, &welcome).await?;
        let peer = session.peer.clone();
        Ok((peer, Connection::new(stream, session, inbound)))
    };
    in_time(greeting).await
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
