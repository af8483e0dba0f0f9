//! Datagrams over a link.
//!
//! Each client address gets a socket of its own towards the target, so that answers find back.
//! One queue a direction keeps the order; what meets a cut, on sending or on arrival, is lost.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::{Bytes, BytesMut};
use clock::time::Moment;
use net::listen;
use net::tasks::Tasks;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tracing::debug;

use crate::limits::{DATAGRAM_CLIENTS_MAX, DATAGRAM_IDLE, IN_FLIGHT_DATAGRAMS_MAX};
use crate::links::Line;
use crate::relay::Path;

/// Starts carrying; it ends with `tasks`.
pub(super) fn carry(socket: UdpSocket, path: Path, tasks: &Arc<Tasks>) {
    let near = Arc::new(socket);
    let (there, to_target) = mpsc::channel(IN_FLIGHT_DATAGRAMS_MAX);
    let (back, to_clients) = mpsc::channel(IN_FLIGHT_DATAGRAMS_MAX);
    tasks.spawn(deliver(to_target, path.there.clone()));
    tasks.spawn(deliver(to_clients, path.back.clone()));
    let clients = Clients {
        near,
        path,
        there,
        back,
        tasks: Arc::clone(tasks),
        known: BTreeMap::new(),
    };
    tasks.spawn(clients.listen());
}

/// A datagram on its way.
struct Datagram {
    due: Moment,
    bytes: Bytes,
    from: Arc<UdpSocket>,
    /// Where to send it; `None` for a socket that is connected.
    to: Option<SocketAddr>,
}

/// The clients of one relay.
struct Clients {
    near: Arc<UdpSocket>,
    path: Path,
    there: mpsc::Sender<Datagram>,
    back: mpsc::Sender<Datagram>,
    tasks: Arc<Tasks>,
    known: BTreeMap<SocketAddr, Client>,
}

/// A client's socket towards the target; its task owns it and lets go when all is silent.
struct Client {
    far: Weak<UdpSocket>,
    sent: Arc<AtomicU64>,
}

impl Clients {
    async fn listen(mut self) {
        let mut buf = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            // An error is an earlier datagram's refusal; the socket goes on.
            let Ok((length, client)) = self.near.recv_from(&mut buf).await else {
                continue;
            };
            if self.path.there.is_cut() {
                continue;
            }
            let Some(far) = self.far(client) else {
                debug!(%client, "relay drops a datagram: no socket for its client");
                continue;
            };
            let bytes = Bytes::copy_from_slice(buf.get(..length).unwrap_or_default());
            let due = self.path.there.due();
            // A full queue loses datagrams, as a full router does.
            _ = self.there.try_send(Datagram {
                due,
                bytes,
                from: far,
                to: None,
            });
        }
    }

    fn far(&mut self, client: SocketAddr) -> Option<Arc<UdpSocket>> {
        if let Some(known) = self.known.get(&client)
            && let Some(far) = known.far.upgrade()
        {
            known.sent.fetch_add(1, Ordering::Relaxed);
            return Some(far);
        }
        if DATAGRAM_CLIENTS_MAX <= self.known.len() {
            self.known.retain(|_, client| 0 < client.far.strong_count());
        }
        if DATAGRAM_CLIENTS_MAX <= self.known.len() {
            return None;
        }
        let far = Arc::new(connected(self.path.target).ok()?);
        let sent = Arc::new(AtomicU64::new(0));
        let entry = Client {
            far: Arc::downgrade(&far),
            sent: Arc::clone(&sent),
        };
        self.known.insert(client, entry);
        let answers = Answers {
            far: Arc::clone(&far),
            near: Arc::clone(&self.near),
            client,
            sent,
            line: self.path.back.clone(),
            back: self.back.clone(),
        };
        self.tasks.spawn(answers.forward());
        Some(far)
    }
}

/// The way back to one client.
struct Answers {
    far: Arc<UdpSocket>,
    near: Arc<UdpSocket>,
    client: SocketAddr,
    sent: Arc<AtomicU64>,
    line: Line,
    back: mpsc::Sender<Datagram>,
}

impl Answers {
    async fn forward(self) {
        let mut sent_before = 0;
        loop {
            let readable = tokio::time::timeout(DATAGRAM_IDLE, self.far.readable());
            if readable.await.is_err() {
                let sent = self.sent.load(Ordering::Relaxed);
                if sent == sent_before {
                    return;
                }
                sent_before = sent;
            }
            // Room for the largest datagram while it is read: hundreds of silent clients hold none.
            let mut buf = BytesMut::with_capacity(DATAGRAM_BYTES_MAX);
            // An error says that nothing is there, or that nobody listens at the target.
            if self.far.try_recv_buf(&mut buf).is_err() {
                continue;
            }
            if self.line.is_cut() {
                continue;
            }
            let datagram = Datagram {
                due: self.line.due(),
                bytes: Bytes::copy_from_slice(&buf),
                from: Arc::clone(&self.near),
                to: Some(self.client),
            };
            _ = self.back.try_send(datagram);
        }
    }
}

async fn deliver(mut datagrams: mpsc::Receiver<Datagram>, line: Line) {
    while let Some(datagram) = datagrams.recv().await {
        if !line.arrive(datagram.due).await {
            continue;
        }
        // What cannot be sent is lost, as datagrams are.
        _ = match datagram.to {
            Some(to) => datagram.from.send_to(&datagram.bytes, to).await,
            None => datagram.from.send(&datagram.bytes).await,
        };
    }
}

fn connected(target: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = if target.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = listen::udp(SocketAddr::new(any, 0)).map_err(|error| error.source)?;
    let raw = socket2::SockRef::from(&socket);
    raw.connect(&target.into())?;
    Ok(socket)
}

/// Largest datagram. 64 KiB.
/// Source: RFC 768, the length field has 16 bits.
const DATAGRAM_BYTES_MAX: usize = 65_536;
