//! Outgoing connections, by way of a dial table.
//!
//! It resolves no names. The dial table says by which address a target is reached: empty on
//! real networks, the relay's addresses where regions share one machine. A guarded dialer opens
//! nothing on this machine for those who only configure it: what listens on loopback, and what
//! tells a machine its credentials, trusts whoever reaches it.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};

/// Opens connections and sends datagrams.
#[derive(Clone, Debug, Default)]
pub struct Dialer {
    via: Arc<BTreeMap<SocketAddr, SocketAddr>>,
    guarded: bool,
}

impl Dialer {
    /// Makes a dialer; `via` maps a target to the address to dial in its place.
    pub fn new(via: BTreeMap<SocketAddr, SocketAddr>) -> Self {
        Self {
            via: Arc::new(via),
            guarded: false,
        }
    }

    /// Returns the dialer with a guard on [`Dialer::connect_for_user`].
    #[must_use]
    pub fn guarded(self) -> Self {
        Self {
            guarded: true,
            ..self
        }
    }

    /// Connects to a target that a user of the APIs named, as [`Dialer::connect`] does.
    ///
    /// Errors: `PermissionDenied` where the dialer is guarded and `target` is this machine, or
    /// reached only from it; those of [`Dialer::connect`].
    pub async fn connect_for_user(
        &self,
        target: SocketAddr,
        patience: Duration,
    ) -> io::Result<TcpStream> {
        if self.guarded && is_of_this_machine(target.ip()) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("{} is an address of this machine alone", target.ip()),
            ));
        }
        self.connect(target, patience).await
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

/// Returns whether an address leads nowhere but to this machine and its own link.
///
/// Private networks count as abroad: what stands behind a region often stands there.
/// Source: RFC 6890 §2.2; for `fd00:ec2::/32` the EC2 user guide, "Use the Instance Metadata
/// Service".
fn is_of_this_machine(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.octets().first() == Some(&0)
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || address.is_multicast()
                || matches!(address.segments(), [0xfd00, 0x0ec2, ..])
        }
    }
}

#[cfg(test)]
mod tests;
