//! One UDP socket: receive, answer, send, a batch at a time.
//!
//! It keeps no state between datagrams.
//! Source: RFC 1035 §4.2.1.

use std::io;
use std::sync::Arc;

use dns_core::answer::{Outcome, Transport};
use dns_core::limits::UDP_BYTES_MAX;
use tokio::net::UdpSocket;
use tracing::warn;

use crate::limits::{BATCH_MAX, DATAGRAM_BYTES_MAX};
use crate::stats::{Counters, Stats};
use crate::worker::Worker;

/// Answers what comes to a socket, until the task is cancelled.
pub(crate) async fn serve(socket: UdpSocket, mut worker: Worker, stats: Arc<Stats>, at: usize) {
    let Some(counters) = stats.udp(at) else {
        return;
    };
    let mut packet = vec![0; DATAGRAM_BYTES_MAX];
    let mut reply = Vec::with_capacity(UDP_BYTES_MAX);
    loop {
        if let Err(error) = socket.readable().await {
            warn!(%error, "UDP socket failed, its share of queries is not answered");
            return;
        }
        worker.refresh();
        for _ in 0..BATCH_MAX {
            if one(&socket, &mut worker, counters, (&mut packet, &mut reply)).is_err() {
                break;
            }
        }
        tokio::task::consume_budget().await;
    }
}

/// Answers one datagram. Fails when none is waiting.
fn one(
    socket: &UdpSocket,
    worker: &mut Worker,
    counters: &Counters,
    (packet, reply): (&mut [u8], &mut Vec<u8>),
) -> io::Result<()> {
    let (length, from) = match socket.try_recv_from(packet) {
        Ok(received) => received,
        // An earlier answer found nobody: of no concern to the next query.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(()),
        Err(error) => return Err(error),
    };
    let datagram = packet.get(..length).unwrap_or_default();
    let outcome = worker.answer(datagram, (from.ip(), Transport::Udp), reply);
    counters.count(outcome);
    if matches!(outcome, Outcome::Reply { .. }) && socket.try_send_to(reply, from).is_err() {
        counters.count_unsent();
    }
    Ok(())
}
