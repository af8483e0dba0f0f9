//! Names looked up by the operating system, a bounded number at a time.
//!
//! It keeps no answers. The system cannot be told to stop looking: a lookup that nobody waits for
//! any more keeps its thread, and so its place, until the system gives up by itself. Whoever asks
//! for a name that is being looked up waits for the same answer, so that a name whose servers are
//! silent holds one place, whatever asks for it.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, watch};

/// The lookups of one part of a region. Cloning it gives another handle to the same.
#[derive(Clone)]
pub struct Lookups(Arc<Inner>);

type Name = (String, u16);
type Found = Result<Vec<SocketAddr>, (io::ErrorKind, String)>;
type Look = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

struct Inner {
    look: Box<Look>,
    places: Arc<Semaphore>,
    under_way: Mutex<HashMap<Name, watch::Receiver<Option<Found>>>>,
}

impl Lookups {
    /// Makes lookups of which at most `max` are under way at a time, each a thread.
    pub fn new(max: usize) -> Self {
        let look = |name: &str, port| Ok((name, port).to_socket_addrs()?.collect());
        Self::with(max, Box::new(look))
    }

    fn with(max: usize, look: Box<Look>) -> Self {
        Self(Arc::new(Inner {
            look,
            places: Arc::new(Semaphore::new(max)),
            under_way: Mutex::default(),
        }))
    }

    /// Returns a name's addresses in the system's order; an address is its own.
    ///
    /// It waits for a place and for the system, as long as its caller does.
    /// Errors: those of the system.
    pub async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        loop {
            let (mut found, first) = self.join((name.to_owned(), port));
            if let Some(first) = first {
                let places = Arc::clone(&self.0.places);
                let place = places.acquire_owned().await.map_err(io::Error::other)?;
                tokio::task::spawn_blocking(move || {
                    first.look();
                    drop(place);
                });
            }
            // Where whoever was first left while it waited for a place, another is first.
            if let Ok(found) = found.wait_for(Option::is_some).await {
                let found = found.clone().unwrap_or_else(|| Ok(Vec::new()));
                return found.map_err(|(kind, text)| io::Error::new(kind, text));
            }
        }
    }

    /// Joins the lookup of a name that is under way, or becomes the first of one.
    fn join(&self, name: Name) -> (watch::Receiver<Option<Found>>, Option<First>) {
        let mut under_way = self.0.under_way();
        if let Some(found) = under_way.get(&name) {
            return (found.clone(), None);
        }
        let (tell, found) = watch::channel(None);
        under_way.insert(name.clone(), found.clone());
        let lookups = Arc::clone(&self.0);
        let first = First {
            name,
            tell,
            lookups,
        };
        (found, Some(first))
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookups")
    }
}

impl Inner {
    fn under_way(&self) -> MutexGuard<'_, HashMap<Name, watch::Receiver<Option<Found>>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who looks a name up for all that wait for it.
struct First {
    name: Name,
    tell: watch::Sender<Option<Found>>,
    lookups: Arc<Inner>,
}

impl First {
    /// Looks the name up, and is under way no more.
    fn look(self) {
        let (name, port) = &self.name;
        let found = (self.lookups.look)(name, *port);
        let found = found.map_err(|error| (error.kind(), error.to_string()));
        self.tell.send_replace(Some(found));
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.lookups.under_way().remove(&self.name);
    }
}

#[cfg(test)]
mod tests;
