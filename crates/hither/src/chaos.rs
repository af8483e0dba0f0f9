//! The laptop's chaos port: a socket by which links between regions are cut and healed.
//!
//! It harms no process and no data. It is a Unix socket in the state directory, so that only who
//! may read the project's data may use it. Each line is an order, each is answered by a line:
//!
//! ```text
//! cut A B        bytes between the two regions wait, datagrams are lost    ok
//! cut A to B     the same in one direction alone                           ok
//! isolate A      the same between A and all others                         ok
//! heal A B       what waited is delivered                                  ok
//! heal           all links                                                 ok
//! anything else                                                            error: …
//! ```

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use net::tasks::Tasks;
use wan::links::Links;

/// A listening chaos port. Dropping it closes it and removes the socket.
pub(crate) struct Chaos {
    path: PathBuf,
    tasks: Arc<Tasks>,
}

impl Chaos {
    /// Listens on a socket in `folder`; `regions` are the names that orders may use.
    ///
    /// Errors: those of the operating system, as where the path is longer than a socket's may be.
    pub(crate) fn listen(
        folder: &Path,
        links: &Links,
        regions: BTreeSet<String>,
    ) -> io::Result<Self> {
        let path = folder.join(SOCKET);
        // What an earlier process left; one that still runs holds the regions' ports.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let tasks = Arc::new(Tasks::new());
        let wires = Arc::new(Wires {
            links: links.clone(),
            regions,
        });
        tasks.spawn(accept(listener, wires, Arc::clone(&tasks)));
        Ok(Self { path, tasks })
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.tasks.token().cancel();
        // It is of no use any more, and the next process removes it too.
        drop(std::fs::remove_file(&self.path));
    }
}

/// What orders act on.
struct Wires {
    links: Links,
    regions: BTreeSet<String>,
}

impl Wires {
    /// Does what a line asks for.
    fn obey(&self, line: &str) -> Result<(), NoOrder> {
        let known = |name: &str| {
            if self.regions.contains(name) {
                Ok(())
            } else {
                Err(NoOrder::Region(name.to_owned()))
            }
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["cut", a, b] => {
                known(a).and_then(|()| known(b))?;
                self.links.cut(a, b);
            }
            ["cut", from, "to", to] => {
                known(from).and_then(|()| known(to))?;
                self.links.cut_oneway(from, to);
            }
            ["heal", a, b] => {
                known(a).and_then(|()| known(b))?;
                self.links.heal(a, b);
            }
            ["isolate", a] => {
                known(a)?;
                self.links.isolate(a);
            }
            ["heal"] => self.links.heal_all(),
            _ => return Err(NoOrder::Words),
        }
        Ok(())
    }
}

/// A line that is no order.
#[derive(Debug, thiserror::Error)]
enum NoOrder {
    /// It has other words.
    #[error("orders are: cut A B, cut A to B, isolate A, heal A B, heal")]
    Words,
    /// It does not end.
    #[error("a line ends within {LINE_BYTES_MAX} bytes")]
    Endless,
    /// It names no region of the manifest.
    #[error("there is no region {0:?}")]
    Region(String),
}

async fn accept(listener: UnixListener, wires: Arc<Wires>, tasks: Arc<Tasks>) {
    let room = Arc::new(Semaphore::new(CALLERS_MAX));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let wires = Arc::clone(&wires);
                tasks.spawn(async move {
                    // A caller that goes away in the middle has nobody to be told.
                    drop(converse(stream, &wires).await);
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a caller of the chaos port could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, wires: &Wires) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        let mut bounded = (&mut stream).take(LINE_BYTES_MAX);
        let reading = bounded.read_line(&mut line);
        let read = tokio::time::timeout(CALLER_PATIENCE, reading).await??;
        let is_whole = line.ends_with('\n');
        if read == 0 {
            return Ok(());
        }
        let obeyed = if is_whole {
            wires.obey(&line)
        } else {
            Err(NoOrder::Endless)
        };
        let answer = match obeyed {
            Ok(()) => "ok\n".to_owned(),
            Err(error) => format!("error: {error}\n"),
        };
        stream.get_mut().write_all(answer.as_bytes()).await?;
        if !is_whole {
            return Ok(());
        }
    }
}

/// The socket's name in the state directory.
const SOCKET: &str = "wan.sock";

/// Most callers at once; further ones wait. 8, since people and tests give the orders.
const CALLERS_MAX: usize = 8;

/// Longest order. 256 bytes: a verb and two names of regions.
const LINE_BYTES_MAX: u64 = 256;

/// How long a caller may be silent. 10 minutes, so that none holds a place for ever.
const CALLER_PATIENCE: Duration = Duration::from_mins(10);

/// How long to wait after a caller could not be accepted. 100 ms.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    //! Tests of orders, over a real socket.

    use super::*;

    async fn say(port: &Chaos, text: &str) -> String {
        let mut stream = UnixStream::connect(&port.path).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn regions() -> BTreeSet<String> {
        ["a", "b", "c"].into_iter().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn orders_cut_and_heal() {
        let (folder, links) = (tempfile::tempdir().unwrap(), Links::none().unwrap());
        for (from, to) in [("a", "b"), ("b", "c"), ("a", "c")] {
            links.set_rtt(from, to, Duration::ZERO);
        }
        let port = Chaos::listen(folder.path(), &links, regions()).unwrap();
        assert_eq!(say(&port, "cut a b\n").await, "ok\n");
        assert!(links.is_cut("a", "b") && links.is_cut("b", "a") && !links.is_cut("b", "c"));
        assert_eq!(say(&port, "heal a b\nisolate c\n").await, "ok\nok\n");
        assert!(!links.is_cut("a", "b") && links.is_cut("b", "c") && links.is_cut("c", "a"));
        assert_eq!(say(&port, "heal\n").await, "ok\n");
        assert!(!links.is_cut("b", "c") && !links.is_cut("c", "a"));
    }

    #[tokio::test]
    async fn what_is_no_order_changes_nothing() {
        let (folder, links) = (tempfile::tempdir().unwrap(), Links::none().unwrap());
        let port = Chaos::listen(folder.path(), &links, regions()).unwrap();
        for text in ["cut a\n", "cut a d\n", "\n", "burn a\n", "cut a b"] {
            let answer = say(&port, text).await;
            assert!(answer.starts_with("error: "), "{text:?}: {answer:?}");
        }
        let long = "cut ".repeat(1000);
        assert!(say(&port, &long).await.starts_with("error: a line ends"));
        assert_eq!(links.places(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_replaced() {
        let (folder, links) = (tempfile::tempdir().unwrap(), Links::none().unwrap());
        std::fs::write(folder.path().join(SOCKET), "left").unwrap();
        let port = Chaos::listen(folder.path(), &links, regions()).unwrap();
        assert_eq!(say(&port, "heal\n").await, "ok\n");
        drop(port);
        assert!(!folder.path().join(SOCKET).exists());
    }
}
