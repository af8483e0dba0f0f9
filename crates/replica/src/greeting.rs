//! Greets on a fresh stream, as the dialling or the listening side: TLS first, then names.
//!
//! Whoever comes to join is handed to [`crate::joining`] once TLS stands.
//! What may be said is `replica_core::link::handshake`'s, and what TLS asks for
//! `net::tls::mutual`'s.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use rustls::pki_types::ServerName;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, TlsStream};

use base::region::RegionName;
use clock::time::Moment;
use net::tls::mutual::{self, Fault, Mutual};
use net::tls::pinned;
use replica_core::frame::Frame;
use replica_core::limits::{GREETING_BYTES_MAX, GREETING_PATIENCE};
use replica_core::link::handshake::{self, Dialled, GreetingError, Identity};
use replica_core::record::WireError;
use store::port::{Store, StoreError};
use table::tables::Tables;

use crate::connection::Connection;
use crate::joining;
use crate::joining::invitations::{Invitations, Uninvited};
use crate::wire::Wire;

/// What is spoken inside TLS, as ALPN names it: logs, and inquiries.
pub const PROTOCOLS: [&[u8]; 2] = [b"hither-link", INQUIRIES];

/// What inquiries are as ALPN names them.
const INQUIRIES: &[u8] = b"hither-inquiry";

/// What joining is as ALPN names it. Nothing else is asked for without a certificate.
pub(crate) const JOINS: &[u8] = b"hither-join";

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The dialling side's log.
    Log,
    /// The dialling side's questions.
    Inquiry,
}

/// Returns the name that the certificate of a region's node must bear, for its links.
pub fn certificate_name(region: &RegionName) -> String {
    format!("{region}.link.hither.internal")
}

/// A greeting that came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GreetError {
    /// One side refused the other, or said something else.
    #[error(transparent)]
    Greeting(#[from] GreetingError),
    /// The two did not come to terms about TLS.
    #[error("greet: {0}")]
    Tls(#[from] Fault),
    /// What came is no frame: perhaps not a peer at all.
    #[error("greet: the other side does not speak the link protocol: {0}")]
    Wire(#[from] WireError),
    /// The first byte is not that of TLS, nor that of an older build's greeting.
    #[error("greet: the other side does not speak the link protocol: it begins with byte {0}")]
    Speech(u8),
    /// The peer closed where TLS begins.
    #[error("greet: the peer closed where TLS begins: it is not up yet, or a build without TLS")]
    NoTls,
    /// The other side closed before it said anything.
    #[error("greet: the other side said nothing")]
    Nothing,
    /// The connection broke.
    #[error("greet: {0}")]
    Io(io::Error),
    /// The peer's directory could not be noted.
    #[error("greet: {0}")]
    Store(#[from] StoreError),
    /// Whoever came to join was not let in.
    #[error("join: {0}")]
    Uninvited(#[from] Uninvited),
    /// It took too long.
    #[error("greet: no answer within {GREETING_PATIENCE:?}")]
    Patience,
}

impl From<io::Error> for GreetError {
    fn from(error: io::Error) -> Self {
        Fault::of_io(&error).map_or(Self::Io(error), Self::Tls)
    }
}

impl GreetError {
    /// Returns whether one side refuses the other: trying again helps only when somebody acts.
    pub(crate) const fn is_refusal(&self) -> bool {
        match self {
            Self::Greeting(GreetingError::Ours(_) | GreetingError::Theirs(_))
            | Self::Tls(_)
            | Self::Uninvited(_) => true,
            Self::Greeting(GreetingError::Unexpected { .. })
            | Self::Wire(_)
            | Self::Speech(_)
            | Self::NoTls
            | Self::Nothing
            | Self::Io(_)
            | Self::Store(_)
            | Self::Patience => false,
        }
    }

    /// Returns whether the other side may be anything: it said what no peer does.
    pub(crate) const fn is_stranger(&self) -> bool {
        match self {
            Self::Greeting(GreetingError::Unexpected { .. })
            | Self::Wire(_)
            | Self::Speech(_)
            | Self::Patience => true,
            Self::Greeting(GreetingError::Ours(_) | GreetingError::Theirs(_))
            | Self::Tls(_)
            | Self::Uninvited(_)
            | Self::NoTls
            | Self::Nothing
            | Self::Io(_)
            | Self::Store(_) => false,
        }
    }
}

/// Greets `peer` on a stream that we dialled for this purpose.
///
/// Errors: [`GreetError`]; the peer was told where we refused.
pub(crate) async fn dial<S: Store>(
    stream: TcpStream,
    peer: RegionName,
    (identity, tls): (&Identity, &Mutual),
    tables: &Tables<S>,
    purpose: Purpose,
) -> Result<Connection, GreetError> {
    let greeting = async {
        let name = ServerName::try_from(certificate_name(&peer))
            .map_err(|error| GreetError::Io(io::Error::other(error)))?;
        let connector = TlsConnector::from(match purpose {
            Purpose::Log => Arc::clone(&tls.client),
            Purpose::Inquiry => {
                let mut client = tls.client.as_ref().clone();
                client.alpn_protocols = vec![INQUIRIES.to_vec()];
                Arc::new(client)
            }
        });
        let stream = connector.connect(name, Wire::new(stream)).await;
        let mut stream = TlsStream::from(stream.map_err(|error| {
            let hangs_up = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
            if hangs_up.contains(&error.kind()) {
                return GreetError::NoTls;
            }
            error.into()
        })?);
        let mut inbound = BytesMut::new();
        let (dialled, hello) = Dialled::begin(identity, peer);
        say(&mut stream, &hello).await?;
        let answer = hear(&mut stream, &mut inbound).await?;
        let session = or_refuse(&mut stream, dialled.end(answer)).await?;
        admit(Connection::new(stream, session, inbound), tables).await
    };
    in_time(greeting).await
}

/// Whoever dialled.
pub(crate) enum Comer {
    /// A peer, what it wants, and its connection.
    Peer(RegionName, Purpose, Box<Connection>),
    /// A machine that has joined, and is served.
    Guest,
}

/// Greets whoever dialled; joins are answered from `invitations`, as of the moment that is told.
///
/// Errors: [`GreetError`]; the other side was told where we refused.
pub(crate) async fn accept<S: Store>(
    mut stream: TcpStream,
    (identity, tls): (&Identity, &Mutual),
    is_peer: impl Fn(&RegionName) -> bool,
    tables: &Tables<S>,
    (from, invitations, now): (SocketAddr, &Invitations, impl FnOnce() -> Moment),
) -> Result<Comer, GreetError> {
    let greeting = async {
        let mut first = [0];
        match (stream.peek(&mut first).await?, first) {
            (0, _) => return Err(GreetError::Nothing),
            (_, [TLS_HANDSHAKE]) => {}
            (_, [PLAIN_HELLO]) => return Err(refuse_plain(&mut stream, identity).await),
            (_, [other]) => return Err(GreetError::Speech(other)),
        }
        // A handshake is large, and short in the life of a connection.
        let mut stream = Box::pin(secure(stream, tls)).await?;
        if stream.get_ref().1.alpn_protocol() == Some(JOINS) {
            let answered = joining::answer(&mut stream, from, invitations, now);
            Box::pin(answered).await??;
            return Ok(Comer::Guest);
        }
        let mut inbound = BytesMut::new();
        let hello = hear(&mut stream, &mut inbound).await?;
        let is_certified = |region: &RegionName| {
            let chain = stream.get_ref().1.peer_certificates();
            mutual::check_name(chain, &certificate_name(region)).is_ok()
        };
        let heard = handshake::hear(identity, hello, is_peer, is_certified);
        let (session, welcome) = or_refuse(&mut stream, heard).await?;
        say(&mut stream, &welcome).await?;
        let peer = session.peer.clone();
        let (_, spoken) = stream.get_ref();
        let purpose = match spoken.alpn_protocol() {
            Some(INQUIRIES) => Purpose::Inquiry,
            Some(_) | None => Purpose::Log,
        };
        let connection = Connection::new(stream, session, inbound);
        let connection = admit(connection, tables).await?;
        Ok(Comer::Peer(peer, purpose, Box::new(connection)))
    };
    in_time(greeting).await
}

/// Makes a dialled stream one of TLS: with certificates on both sides, or, where the other side
/// says that it comes to join, on ours alone.
async fn secure(stream: TcpStream, tls: &Mutual) -> Result<TlsStream<Wire>, GreetError> {
    let mut hearing = LazyConfigAcceptor::new(Acceptor::default(), Wire::new(stream));
    let hello = match (&mut hearing).await {
        Ok(hello) => hello,
        Err(error) => {
            if let Some(wire) = hearing.take_io() {
                linger(wire).await;
            }
            return Err(error.into());
        }
    };
    let joins = {
        let hello = hello.client_hello();
        let mut spoken = hello.alpn().into_iter().flatten();
        spoken.any(|protocol| protocol == JOINS)
    };
    let config = if joins {
        pinned::server(&tls.server, JOINS).map_err(io::Error::other)?
    } else {
        Arc::clone(&tls.server)
    };
    match hello.into_stream(config).into_fallible().await {
        Ok(stream) => Ok(TlsStream::from(stream)),
        Err((error, wire)) => {
            linger(wire).await;
            Err(error.into())
        }
    }
}

/// Tells a peer of an older build, in its own words, that its format is not spoken here.
async fn refuse_plain(stream: &mut TcpStream, identity: &Identity) -> GreetError {
    let refusing = async {
        let hello = hear(stream, &mut BytesMut::new()).await?;
        let error = handshake::hear_plain(identity, hello);
        let refused: Result<(), _> = or_refuse(stream, Err(error)).await;
        refused
    };
    match refusing.await {
        Ok(()) => GreetError::Nothing,
        Err(error) => error,
    }
}

/// Lets the other side read why, before the socket closes over what it says meanwhile.
async fn linger(mut wire: Wire) {
    let mut rest = [0; 1024];
    if wire.shutdown().await.is_ok() {
        while matches!(wire.read(&mut rest).await, Ok(1..)) {}
    }
}

/// Lets a peer that has proved who it is in with the directory that it has, and notes that.
///
/// A refusal is believed: the peer stops its region over it, and TLS tells it who says so.
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

async fn say(stream: &mut (impl AsyncWrite + Unpin), frame: &Frame) -> io::Result<()> {
    let mut outbound = BytesMut::new();
    frame.encode(&mut outbound);
    stream.write_all(&outbound).await?;
    stream.flush().await
}

async fn hear(
    stream: &mut (impl AsyncRead + Unpin),
    inbound: &mut BytesMut,
) -> Result<Frame, GreetError> {
    loop {
        if let Some(frame) = Frame::take(inbound, GREETING_BYTES_MAX.as_len())? {
            return Ok(frame);
        }
        inbound.reserve(GREETING_BYTES_MAX.as_len());
        if stream.read_buf(inbound).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// Passes a step on; where we refuse, the other side is told first.
async fn or_refuse<T>(
    stream: &mut (impl AsyncWrite + Unpin),
    step: Result<T, GreetingError>,
) -> Result<T, GreetError> {
    if let Err(GreetingError::Ours(refusal)) = &step {
        say(stream, &Frame::Refuse(refusal.clone())).await?;
    }
    Ok(step?)
}

/// How TLS begins: a record of kind handshake. Source: RFC 8446 §5.1.
const TLS_HANDSHAKE: u8 = 22;

/// How a greeting without TLS begins: its length has four bytes, and it is below 1 KiB.
const PLAIN_HELLO: u8 = 0;
