//! Names looked up by the operating system, a bounded number at a time.
//!
//! It keeps no answers. The system cannot be told to stop looking: a lookup that nobody waits for
//! any more keeps its thread, and so its place, until the system gives up by itself.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::limits::LOOKUPS_MAX;

/// The lookups of one region's probes. Cloning it gives another handle to the same.
#[derive(Clone, Debug)]
pub(crate) struct Lookups(Arc<Semaphore>);

impl Lookups {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(LOOKUPS_MAX)))
    }

    /// Returns a name's first IPv4 address; `None` where it has none.
    pub(crate) async fn ipv4(&self, name: String, port: u16) -> Option<SocketAddr> {
        let look = move || {
            (name, port)
                .to_socket_addrs()
                .ok()?
                .find(SocketAddr::is_ipv4)
        };
        self.run(look).await?
    }

    async fn run<T: Send + 'static>(&self, look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let place = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let looking = tokio::task::spawn_blocking(move || {
            let found = look();
            drop(place);
            found
        });
        looking.await.ok()
    }
}

#[cfg(test)]
mod tests;
