//! Accepts peers, greets them, and hands their connections to whom they concern.
//!
//! It carries no records. A connection that a peer makes anew replaces the one before.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tracing::{debug, info, warn};

use base::region::RegionName;
use net::tasks::Tasks;
use store::port::Store;

use crate::answering;
use crate::connection::Connection;
use crate::greeting::{self, Comer, GreetError, Purpose};
use crate::limits::{GREETINGS_MAX, GREETINGS_OF_ADDRESS_MAX, INQUIRIES_MAX};
use crate::links::Shared;
use crate::telling::Telling;

/// Where connections go, by peer.
type Arrivals = BTreeMap<RegionName, mpsc::Sender<Connection>>;

/// Accepts and greets for as long as the links run.
pub(crate) async fn run<S: Store>(
    shared: Arc<Shared<S>>,
    listener: TcpListener,
    arrivals: Arrivals,
) {
    let arrivals = Arc::new(arrivals);
    let greetings = Arc::new(Semaphore::new(GREETINGS_MAX));
    let strangers = Strangers::default();
    let telling = Arc::new(Mutex::new(Telling::default()));
    let inquiries = Arc::new(Semaphore::new(INQUIRIES_MAX));
    let tasks = Tasks::new();
    loop {
        let Ok(permit) = Arc::clone(&greetings).acquire_owned().await else {
            return;
        };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or the dialler is gone: neither is helped by haste.
                warn!(%error, "cannot accept a link");
                shared.sleep_until(Some(shared.now().moment + PAUSE)).await;
                continue;
            }
        };
        let Some(stranger) = strangers.meet(address.ip()) else {
            debug!(%address, "a link is hung up on: too many are greeted from there");
            continue;
        };
        let (shared, arrivals) = (Arc::clone(&shared), Arc::clone(&arrivals));
        let (telling, inquiries) = (Arc::clone(&telling), Arc::clone(&inquiries));
        tasks.spawn(async move {
            debug!(%address, "a link comes");
            let greeted = greet(&shared, (stream, address), &arrivals).await;
            drop((permit, stranger));
            match greeted {
                Ok(None) => {}
                Ok(Some((peer, connection))) => {
                    answering::run(&shared, (&peer, connection), &inquiries).await;
                }
                Err(error) => {
                    let mut telling = telling.lock().unwrap_or_else(PoisonError::into_inner);
                    let tell = || telling.tell(shared.now().moment, address.ip());
                    log(address, &error, tell);
                }
            }
        });
    }
}

/// Greets, and hands the connection over until the peer's task has taken it. Returns one that is
/// for inquiries, and whose it is.
async fn greet<S: Store>(
    shared: &Shared<S>,
    (stream, address): (TcpStream, SocketAddr),
    arrivals: &Arrivals,
) -> Result<Option<(RegionName, Connection)>, GreetError> {
    stream.set_nodelay(true)?;
    let is_peer = |name: &RegionName| arrivals.contains_key(name);
    let (identity, tls) = (shared.identity(), shared.tls());
    let invited = (address, &*shared.invitations, || shared.now().moment);
    let accepting = greeting::accept(stream, (&identity, &tls), is_peer, &shared.tables, invited);
    let (peer, purpose, connection) = match accepting.await? {
        Comer::Peer(peer, purpose, connection) => (peer, purpose, *connection),
        Comer::Guest => return Ok(None),
    };
    if purpose == Purpose::Inquiry {
        return Ok(Some((peer, connection)));
    }
    info!(%peer, "a link is made: receiving");
    if let Some(came) = shared.came.get(&peer) {
        came.notify_one();
    }
    if let Some(arrival) = arrivals.get(&peer) {
        let _ended = arrival.send(connection).await;
    }
    Ok(None)
}

/// Tells who was refused, or came with something else, and why.
fn log(from: SocketAddr, error: &GreetError, tell: impl FnOnce() -> Option<u64>) {
    let is_worth = error.is_refusal() || error.is_stranger();
    match is_worth.then(tell).flatten() {
        Some(untold) if error.is_refusal() => warn!(%from, %error, untold, "a link was refused"),
        Some(untold) => warn!(%from, %error, untold, "what came on the link port is no link"),
        None => debug!(%from, %error, "a link was not made"),
    }
}

/// Who is being greeted, by address. At most [`GREETINGS_MAX`] entries.
#[derive(Clone, Default)]
struct Strangers(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One of them, until it is known or gone.
struct Stranger {
    of: Strangers,
    address: IpAddr,
}

impl Strangers {
    /// Counts one in, unless there are too many at its address.
    fn meet(&self, address: IpAddr) -> Option<Stranger> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= GREETINGS_OF_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        let of = self.clone();
        Some(Stranger { of, address })
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut counts = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// How long to wait after a connection could not be accepted. 50 ms.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
