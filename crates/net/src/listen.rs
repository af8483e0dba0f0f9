//! Listening sockets, bound with errors that name the address.
//!
//! It accepts nothing itself.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

/// How many connections may wait to be accepted. 1,024.
/// Beyond it the kernel drops handshakes, and clients try again after a second.
const BACKLOG: i32 = 1024;

/// An address could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("listen on {address} ({protocol})")]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// `TCP` or `UDP`.
    pub protocol: &'static str,
    /// What the operating system said.
    pub source: io::Error,
}

/// Binds a TCP listener.
///
/// Errors: [`BindError`] when the address is taken or not this machine's.
pub fn tcp(address: SocketAddr) -> Result<TcpListener, BindError> {
    let bind = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    bind().map_err(|source| BindError {
        address,
        protocol: "TCP",
        source,
    })
}

/// Binds a UDP socket. Several sockets may share one address only where `shared` is asked for
/// through [`udp_shared`].
///
/// Errors: [`BindError`] when the address is taken or not this machine's.
pub fn udp(address: SocketAddr) -> Result<UdpSocket, BindError> {
    open_udp(address, Sharing::Alone)
}

/// Binds one of several UDP sockets that share an address; the kernel spreads datagrams.
///
/// Errors: [`BindError`] when the address is taken or not this machine's.
pub fn udp_shared(address: SocketAddr) -> Result<UdpSocket, BindError> {
    open_udp(address, Sharing::Shared)
}

enum Sharing {
    Alone,
    Shared,
}

fn open_udp(address: SocketAddr, sharing: Sharing) -> Result<UdpSocket, BindError> {
    let bind = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if matches!(sharing, Sharing::Shared) {
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        UdpSocket::from_std(socket.into())
    };
    bind().map_err(|source| BindError {
        address,
        protocol: "UDP",
        source,
    })
}
