//! Gives the project's key to a machine that comes with a join token, and asks for it as one.
//!
//! It is spoken on the link port, inside TLS under an ALPN name of its own, and is no link: the
//! machine that joins has no certificate yet. It knows the authority by the hash in its token, so
//! that nobody between the two can answer in the region's place, and shows the token's secret.
//!
//! ```text
//!   joins    format=1, length and name of the region, secret (32)
//!   answers  format=1, 0, length and name of the project, the project's key (32)
//!            format=1, 1, length and words of a refusal
//! ```

pub mod invitations;

pub mod token;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tracing::info;

use base::region::RegionName;
use clock::port::Clock;
use clock::time::Moment;
use net::dial::Dialer;
use net::tls::mutual::Fault;
use net::tls::pinned;
use replica_core::limits::GREETING_PATIENCE;

use crate::greeting::{JOINS, certificate_name};
use crate::joining::invitations::{Invitations, Uninvited, Welcome};
use crate::joining::token::Token;
use crate::limits::CONNECT_PATIENCE;

/// The one format that there is.
pub(crate) const FORMAT: u8 = 1;

const GIVEN: u8 = 0;
const REFUSED: u8 = 1;

/// A machine that was not let in.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The region could not be reached.
    #[error("join: {address} cannot be reached: {error}")]
    Unreached {
        /// Where it was looked for.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// What answers is not of the token's project, or not the region that made the token.
    #[error("join: what answers at {address} is not {host} of the token's project: {fault}")]
    Other {
        /// Where it answers.
        address: SocketAddr,
        /// The region that made the token.
        host: RegionName,
        /// What TLS says.
        fault: Fault,
    },
    /// The region refuses the token.
    #[error("join: {host} refuses: {words}")]
    Refused {
        /// The region that made the token.
        host: RegionName,
        /// Its words.
        words: String,
    },
    /// What answers speaks something else.
    #[error("join: {0} hangs up or speaks something else: perhaps an older build")]
    Speech(SocketAddr),
    /// It took too long.
    #[error("join: no answer within {GREETING_PATIENCE:?}")]
    Patience,
}

/// Asks for the project's key with a token, at `address`.
///
/// Errors: [`JoinError`]; after `Speech` and `Patience` the token may be used up.
pub async fn join(
    token: &Token,
    address: SocketAddr,
    clock: Arc<dyn Clock>,
) -> Result<Welcome, JoinError> {
    let asking = async {
        let stream = Dialer::default().connect(address, CONNECT_PATIENCE).await;
        let stream = stream.map_err(|error| JoinError::Unreached { address, error })?;
        let speech = |_| JoinError::Speech(address);
        let config = pinned::client(token.authority, JOINS, clock);
        let config = config.map_err(|_| JoinError::Speech(address))?;
        let name = ServerName::try_from(certificate_name(&token.host));
        let name = name.map_err(|_| JoinError::Speech(address))?;
        let connecting = TlsConnector::from(config).connect(name, stream).await;
        let mut stream = connecting.map_err(|error| match Fault::of_io(&error) {
            // It says that it does not speak this, or breaks off.
            Some(Fault::Speech(_) | Fault::Refuses(_)) | None => JoinError::Speech(address),
            Some(fault) => JoinError::Other {
                address,
                host: token.host.clone(),
                fault,
            },
        })?;
        let guest = token.guest.as_str().as_bytes();
        let mut said = vec![FORMAT, u8::try_from(guest.len()).unwrap_or(u8::MAX)];
        said.extend_from_slice(guest);
        said.extend_from_slice(&token.secret);
        stream.write_all(&said).await.map_err(speech)?;
        stream.flush().await.map_err(speech)?;
        match hear(&mut stream).await.map_err(speech)? {
            Answer::Given(welcome) => Ok(welcome),
            Answer::Refused(words) => Err(JoinError::Refused {
                host: token.host.clone(),
                words,
            }),
        }
    };
    tokio::time::timeout(GREETING_PATIENCE, asking)
        .await
        .unwrap_or(Err(JoinError::Patience))
}

enum Answer {
    Given(Welcome),
    Refused(String),
}

async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Answer> {
    let (format, kind) = (stream.read_u8().await?, stream.read_u8().await?);
    let text = text(stream).await?;
    match (format, kind) {
        (FORMAT, GIVEN) => {
            let mut key = [0; 32];
            stream.read_exact(&mut key).await?;
            let project = text;
            Ok(Answer::Given(Welcome { project, key }))
        }
        (FORMAT, REFUSED) => Ok(Answer::Refused(text)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Answers whoever came with a token, or with something else.
///
/// Errors: those of the stream; inside, that it was refused, which the other side was told.
pub(crate) async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    from: SocketAddr,
    invitations: &Invitations,
    now: impl FnOnce() -> Moment,
) -> io::Result<Result<(), Uninvited>> {
    let asked = ask(stream).await?;
    let redeemed = asked.and_then(|(region, secret)| {
        let welcome = invitations.redeem(now(), &region, &secret)?;
        // However the connection ends: from here on somebody else may have the key.
        info!(%region, %from, "a machine joins: it is given the project's key");
        Ok(welcome)
    });
    let mut said = vec![FORMAT];
    match &redeemed {
        Ok(welcome) => {
            said.push(GIVEN);
            push(&mut said, &welcome.project);
            said.extend_from_slice(&welcome.key);
        }
        Err(uninvited) => {
            said.push(REFUSED);
            push(&mut said, &uninvited.to_string());
        }
    }
    stream.write_all(&said).await?;
    stream.shutdown().await?;
    // It hangs up when it has read that: closing before would take our word back.
    let mut rest = [0; 64];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
    Ok(redeemed.map(drop))
}

/// Hears what a token says.
async fn ask(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Result<(RegionName, [u8; 32]), Uninvited>> {
    let format = stream.read_u8().await?;
    if format != FORMAT {
        return Ok(Err(Uninvited::Format(format)));
    }
    let region = text(stream).await?;
    let mut secret = [0; 32];
    stream.read_exact(&mut secret).await?;
    let region = RegionName::parse(&region).map_err(|_| Uninvited::Unknown);
    Ok(region.map(|region| (region, secret)))
}

/// Reads a text behind its length, which has one byte.
async fn text(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let len = stream.read_u8().await?;
    let mut bytes = vec![0; usize::from(len)];
    stream.read_exact(&mut bytes).await?;
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn push(said: &mut Vec<u8>, text: &str) {
    let len = u8::try_from(text.len()).unwrap_or(u8::MAX);
    said.push(len);
    said.extend_from_slice(&text.as_bytes()[..usize::from(len)]);
}
