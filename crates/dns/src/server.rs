//! The DNS server: sockets bound, then tasks that serve them.
//!
//! It answers from whatever view is in force, and knows nothing of how views are made.

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use clock::port::Entropy;
use dns_core::view::View;
use net::listen::{self, BindError};
use net::tasks::Tasks;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;

use crate::limits::{CONNECTIONS_MAX, PORT_TRIES_MAX, UDP_SOCKETS_MAX};
use crate::stats::Stats;
use crate::worker::Worker;
use crate::{tcp, udp};

/// A server whose sockets are bound, before it answers.
#[derive(Debug)]
pub struct Server {
    udp: Vec<UdpSocket>,
    tcp: TcpListener,
    address: SocketAddr,
    worker: Worker,
    stats: Arc<Stats>,
    connections_max: usize,
}

/// The sockets could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not this machine's.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A bound socket does not say its address.
    #[error("read the address of a DNS socket")]
    Address(#[source] io::Error),
}

impl Server {
    /// Binds UDP and TCP to one address; port 0 takes one that both have free.
    ///
    /// The address is one of this machine's own rather than all of them, so that each answer
    /// leaves from where its query came to.
    /// Errors: [`StartError`] when the address is taken or not this machine's.
    pub fn bind(
        address: SocketAddr,
        views: watch::Receiver<Arc<View>>,
        entropy: &dyn Entropy,
    ) -> Result<Self, StartError> {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let (udp, tcp, address) = bind_both(address, cores.min(UDP_SOCKETS_MAX))?;
        Ok(Self {
            stats: Arc::new(Stats::new(udp.len())),
            worker: Worker::new(views, entropy.random()),
            udp,
            tcp,
            address,
            connections_max: CONNECTIONS_MAX,
        })
    }

    /// Serves at most this many TCP connections at a time, where fewer descriptors are to be had
    /// than [`CONNECTIONS_MAX`].
    pub fn connections_max(mut self, connections_max: usize) -> Self {
        self.connections_max = connections_max;
        self
    }

    /// Returns the address that is served.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the server's counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Serves, until the tasks are cancelled.
    pub fn run(mut self, tasks: &Tasks) {
        for (at, socket) in self.udp.into_iter().enumerate() {
            let worker = self.worker.fork();
            tasks.spawn(udp::serve(socket, worker, Arc::clone(&self.stats), at));
        }
        tasks.spawn(tcp::serve(
            self.tcp,
            self.worker,
            self.stats,
            self.connections_max,
        ));
    }
}

type Bound = (Vec<UdpSocket>, TcpListener, SocketAddr);

fn bind_both(address: SocketAddr, sockets: usize) -> Result<Bound, StartError> {
    let mut tries = 1;
    loop {
        let first = listen::udp_shared(address)?;
        let bound = first.local_addr().map_err(StartError::Address)?;
        let tcp = match listen::tcp(bound) {
            Ok(tcp) => tcp,
            // The port the kernel chose for UDP is taken for TCP: another one may not be.
            Err(_) if address.port() == 0 && tries < PORT_TRIES_MAX => {
                tries += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let mut udp = vec![first];
        for _ in 1..sockets {
            udp.push(listen::udp_shared(bound)?);
        }
        return Ok((udp, tcp, bound));
    }
}
