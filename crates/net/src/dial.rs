//! Outgoing connections, by way of a dial table.
//!
//! It resolves no names. The dial table says by which address a target is reached: empty on
//! real networks, the relay's addresses where regions share one machine.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};

/// Opens connections and sends datagrams.
#[derive(Clone, Debug, Default)]
pub struct Dialer {
    via: Arc<BTreeMap<SocketAddr, SocketAddr>>,
}

impl Dialer {
    /// Makes a dialer; `via` maps a target to the address to dial in its place.
    pub fn new(via: BTreeMap<SocketAddr, SocketAddr>) -> Self {
        Self { via: Arc::new(via) }
    }

    /// Returns the address by which `target` is reached.
    pub fn route(&self, target: SocketAddr) -> SocketAddr {
        self.via.get(&target).copied().unwrap_or(target)
    }

    /// Connects to `target` with Nagle's algorithm off.
    ///
    /// Errors: those of the operating system, and `TimedOut` after `patience`.
    pub async fn connect(&self, target: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
        let connecting = TcpStream::connect(self.route(target));
        let stream = tokio::time::timeout(patience, connecting)
            .await
            .map_err(|_| {
                io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("no connection within {patience:?}"),
                )
            })??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Sends one datagram from `socket` to `target`.
    pub async fn send_to(
        &self,
        socket: &UdpSocket,
        datagram: &[u8],
        target: SocketAddr,
    ) -> io::Result<usize> {
        socket.send_to(datagram, self.route(target)).await
    }
}
