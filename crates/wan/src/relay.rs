//! Relays: what a client sends to one reaches its target a link's delay later, and so back.
//!
//! ```text
//! client ──► relay ══ delay, cut ══► target      bytes keep their order, a cut holds them
//!        ◄──       ◄══ delay, cut ══             datagrams sent or in flight in a cut are lost
//! ```
//!
//! `connect` returns at once, since the relay is near; the handshake's round trip is added to
//! the first bytes instead. Nothing is killed by a cut: connections wait for the heal, without
//! the pauses between TCP's own retries. A target that refuses connections, or dies, closes the
//! client's connection one way's delay later.

mod tcp;
mod udp;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use net::listen::{self, BindError};
use net::tasks::Tasks;

use crate::limits::BIND_TRIES_MAX;
use crate::links::{Line, Links};

/// A running relay. Dropping it closes its sockets.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    tasks: Arc<Tasks>,
}

/// A relay could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// There is no link between the two places.
    #[error("open a relay: {from} and {to} are not linked")]
    NotLinked {
        /// Where clients are.
        from: String,
        /// Where the target is.
        to: String,
    },
    /// No loopback port could be bound.
    #[error("open a relay")]
    Bind(#[from] BindError),
    /// A bound socket does not tell its address.
    #[error("open a relay")]
    Socket(#[from] io::Error),
}

/// Both directions between a client and a target.
#[derive(Clone, Debug)]
struct Path {
    there: Line,
    back: Line,
    target: SocketAddr,
}

impl Relay {
    /// Opens a relay of TCP connections from clients at `from` to `target` at `to`.
    pub fn tcp(
        links: &Links,
        from: &str,
        to: &str,
        target: SocketAddr,
    ) -> Result<Self, RelayError> {
        let path = path(links, from, to, target)?;
        let listener = listen::tcp(ANY_PORT)?;
        let address = listener.local_addr()?;
        let tasks = Arc::new(Tasks::new());
        tasks.spawn(tcp::accept(listener, path, Arc::clone(&tasks)));
        Ok(Self { address, tasks })
    }

    /// Opens a relay of datagrams from clients at `from` to `target` at `to`.
    pub fn udp(
        links: &Links,
        from: &str,
        to: &str,
        target: SocketAddr,
    ) -> Result<Self, RelayError> {
        let path = path(links, from, to, target)?;
        let socket = listen::udp(ANY_PORT)?;
        let address = socket.local_addr()?;
        let tasks = Arc::new(Tasks::new());
        udp::carry(socket, path, &tasks);
        Ok(Self { address, tasks })
    }

    /// Opens a relay of both on one port, as DNS needs it.
    pub fn tcp_and_udp(
        links: &Links,
        from: &str,
        to: &str,
        target: SocketAddr,
    ) -> Result<Self, RelayError> {
        let path = path(links, from, to, target)?;
        let (listener, socket) = one_port()?;
        let address = listener.local_addr()?;
        let tasks = Arc::new(Tasks::new());
        tasks.spawn(tcp::accept(listener, path.clone(), Arc::clone(&tasks)));
        udp::carry(socket, path, &tasks);
        Ok(Self { address, tasks })
    }

    /// Returns the loopback address to send to in place of the target.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

fn path(links: &Links, from: &str, to: &str, target: SocketAddr) -> Result<Path, RelayError> {
    let lines = links.line(from, to).zip(links.line(to, from));
    let (there, back) = lines.ok_or_else(|| RelayError::NotLinked {
        from: from.to_owned(),
        to: to.to_owned(),
    })?;
    Ok(Path {
        there,
        back,
        target,
    })
}

fn one_port() -> Result<(tokio::net::TcpListener, tokio::net::UdpSocket), RelayError> {
    let mut tries = 0;
    loop {
        let listener = listen::tcp(ANY_PORT)?;
        match listen::udp(listener.local_addr()?) {
            Ok(socket) => return Ok((listener, socket)),
            Err(_) if tries < BIND_TRIES_MAX => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// A loopback port that the operating system picks.
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

#[cfg(test)]
mod tests;
