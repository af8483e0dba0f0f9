//! A way between two regions that can be stopped, or swallow what it should carry.
//!
//! It knows no protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use net::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Connections are closed, and dialled ones closed at once.
    Stop,
    /// Connections stay, and nothing that is sent arrives.
    Swallow,
}

/// A way to one address.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    _tasks: Tasks,
}

impl Relay {
    pub(crate) fn start(target: SocketAddr) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = net::listen::tcp(any).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let tasks = Tasks::new();
        tasks.spawn(carry(listener, target, Arc::clone(&mode)));
        Self {
            address,
            mode,
            _tasks: tasks,
        }
    }

    pub(crate) fn pass(&self) {
        self.mode.send_replace(Mode::Pass);
    }

    pub(crate) fn stop(&self) {
        self.mode.send_replace(Mode::Stop);
    }

    pub(crate) fn swallow(&self) {
        self.mode.send_replace(Mode::Swallow);
    }
}

async fn carry(listener: TcpListener, target: SocketAddr, mode: Arc<watch::Sender<Mode>>) {
    let tasks = Tasks::new();
    while let Ok((near, _)) = listener.accept().await {
        let mode = mode.subscribe();
        tasks.spawn(async move {
            let stopped = *mode.borrow() == Mode::Stop;
            if !stopped && let Ok(far) = TcpStream::connect(target).await {
                both_ways(near, far, mode).await;
            }
        });
    }
}

async fn both_ways(near: TcpStream, far: TcpStream, mut mode: watch::Receiver<Mode>) {
    let nodelay = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
    nodelay.expect("a socket option");
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = one_way(near_in, far_out, mode.clone()) => {}
        () = one_way(far_in, near_out, mode.clone()) => {}
        _ = mode.wait_for(|mode| *mode == Mode::Stop) => {}
    }
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mode: watch::Receiver<Mode>) {
    let mut buf = vec![0; 64 * 1024];
    // A connection that has lost bytes can only lose the rest, too.
    let mut swallowed = false;
    loop {
        let Ok(count @ 1..) = from.read(&mut buf).await else {
            return;
        };
        swallowed |= *mode.borrow() == Mode::Swallow;
        if !swallowed && to.write_all(&buf[..count]).await.is_err() {
            return;
        }
    }
}
