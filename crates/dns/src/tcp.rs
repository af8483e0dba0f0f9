//! TCP connections: length-framed queries, several in a row, answered in their order.
//!
//! It holds a bounded number of connections, each for as long as it keeps asking.
//! Source: RFC 7766.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use dns_core::answer::{Outcome, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::limits::{IDLE_MAX, PIPELINE_BYTES_MAX};
use crate::stats::Stats;
use crate::worker::Worker;

/// Accepts connections until the task is cancelled, which ends them all.
pub(crate) async fn serve(
    listener: TcpListener,
    mut worker: Worker,
    stats: Arc<Stats>,
    connections_max: usize,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    warn!(%error, "DNS connection ended in a panic");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if connections.len() < connections_max => {
                    stats.tcp().count_connection();
                    let worker = worker.fork();
                    let stats = Arc::clone(&stats);
                    connections.spawn(async move {
                        if let Err(error) = converse(stream, peer.ip(), worker, &stats).await {
                            debug!(%error, "DNS connection ended");
                        }
                    });
                }
                Ok((stream, _)) => {
                    stats.tcp().count_refused();
                    drop(stream);
                }
                Err(error) => {
                    // Out of descriptors, as a rule: room comes when a connection ends.
                    warn!(%error, "DNS connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

/// How long accepting pauses after it failed, so that it does not spin. 50 ms.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

async fn converse(
    stream: TcpStream,
    peer: IpAddr,
    mut worker: Worker,
    stats: &Stats,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let (mut packet, mut reply, mut out) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match timeout(IDLE_MAX, read(&mut stream, &mut packet)).await {
            Ok(read) => read?,
            Err(_) => return Ok(()),
        }
        worker.refresh();
        let outcome = worker.answer(&packet, (peer, Transport::Tcp), &mut reply);
        stats.tcp().count(outcome);
        if matches!(outcome, Outcome::Reply { .. }) {
            out.extend(u16::try_from(reply.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(&reply);
        }
        // Answers to queries that came together leave together: RFC 7766 §8.
        if !holds_message(stream.buffer()) || PIPELINE_BYTES_MAX <= out.len() {
            timeout(IDLE_MAX, stream.write_all(&out)).await??;
            out.clear();
        }
    }
}

/// Returns whether a whole message was received already: reading it will not wait.
fn holds_message(received: &[u8]) -> bool {
    received
        .split_first_chunk()
        .is_some_and(|(length, rest)| usize::from(u16::from_be_bytes(*length)) <= rest.len())
}

/// Reads one message.
async fn read(stream: &mut BufReader<TcpStream>, packet: &mut Vec<u8>) -> io::Result<()> {
    let length = stream.read_u16().await?;
    packet.resize(usize::from(length), 0);
    stream.read_exact(packet).await?;
    Ok(())
}
