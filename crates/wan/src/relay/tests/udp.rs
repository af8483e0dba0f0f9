//! Datagrams over a link.

use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout};

use super::{DELAY, links, not_before};
use crate::limits::DATAGRAM_CLIENTS_MAX;
use crate::links::Links;
use crate::relay::Relay;

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.expect("a port")
}

/// A relay, its target, and a client that sends to the relay.
async fn trio(links: &Links) -> (Relay, UdpSocket, UdpSocket) {
    let server = socket().await;
    let target = server.local_addr().expect("it is bound");
    let relay = Relay::udp(links, "a", "b", target).expect("a port");
    let client = socket().await;
    client.connect(relay.address()).await.expect("an address");
    (relay, server, client)
}

async fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buf = vec![0; 65_536];
    let length = socket.recv(&mut buf).await.expect("a datagram");
    buf.truncate(length);
    buf
}

/// Asserts that nothing comes, however long one waits.
async fn silence(socket: &UdpSocket) {
    let received = timeout(Duration::from_mins(1), receive(socket)).await;
    assert!(received.is_err(), "{received:?}");
}

#[tokio::test(start_paused = true)]
async fn there_and_back_and_not_before() {
    let (_relay, server, client) = trio(&links()).await;
    let start = Instant::now();
    client.send(b"question").await.expect("it sends");
    let mut buf = [0; 64];
    let (length, from) = server.recv_from(&mut buf).await.expect("a datagram");
    assert_eq!(&buf[..length], b"question");
    not_before(start, DELAY);
    server.send_to(b"answer", from).await.expect("it sends");
    assert_eq!(receive(&client).await, b"answer");
    not_before(start, 2 * DELAY);
}

#[tokio::test(start_paused = true)]
async fn order_and_sizes_are_kept() {
    let links = links();
    links.set_jitter("a", "b", 2 * DELAY);
    let (_relay, server, client) = trio(&links).await;
    for size in [1_usize, 0, 9_000, 512, 60_000, 3] {
        client.send(&vec![7; size]).await.expect("it sends");
    }
    for size in [1_usize, 0, 9_000, 512, 60_000, 3] {
        assert_eq!(receive(&server).await, vec![7; size]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_loses_what_is_sent_and_what_is_on_its_way() {
    let links = links();
    let (_relay, server, client) = trio(&links).await;
    client.send(b"on its way").await.expect("it sends");
    tokio::time::sleep(DELAY / 2).await;
    links.cut("a", "b");
    client.send(b"sent in the cut").await.expect("it sends");
    silence(&server).await;
    links.heal("a", "b");
    silence(&server).await;
    client.send(b"after").await.expect("it sends");
    assert_eq!(receive(&server).await, b"after");
}

#[tokio::test(start_paused = true)]
async fn a_one_way_cut_loses_answers_alone() {
    let links = links();
    let (_relay, server, client) = trio(&links).await;
    links.cut_oneway("b", "a");
    client.send(b"question").await.expect("it sends");
    let mut buf = [0; 64];
    let (_, from) = server.recv_from(&mut buf).await.expect("a datagram");
    server.send_to(b"lost", from).await.expect("it sends");
    silence(&client).await;
}

#[tokio::test(start_paused = true)]
async fn answers_find_their_own_client() {
    let (relay, server, _) = trio(&links()).await;
    let mut clients = Vec::new();
    for n in 0..8_u8 {
        let client = socket().await;
        client
            .send_to(&[n], relay.address())
            .await
            .expect("it sends");
        clients.push(client);
    }
    let mut buf = [0; 8];
    for _ in 0..8 {
        let (length, from) = server.recv_from(&mut buf).await.expect("a datagram");
        server
            .send_to(&buf[..length], from)
            .await
            .expect("it sends");
    }
    for (n, client) in clients.iter().enumerate() {
        assert_eq!(receive(client).await, [u8::try_from(n).expect("below 8")]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_absent_target_is_silence_and_no_end() {
    let (relay, server, client) = trio(&links()).await;
    let target = server.local_addr().expect("it is bound");
    drop(server);
    client.send(b"nobody hears").await.expect("it sends");
    silence(&client).await;
    let server = UdpSocket::bind(target).await.expect("it was free");
    client.send(b"somebody hears").await.expect("it sends");
    assert_eq!(receive(&server).await, b"somebody hears");
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn silent_clients_are_forgotten_so_that_others_find_room() {
    let (relay, server, _) = trio(&links()).await;
    let mut clients = Vec::new();
    for _ in 0..DATAGRAM_CLIENTS_MAX {
        let client = socket().await;
        client
            .send_to(b"x", relay.address())
            .await
            .expect("it sends");
        assert_eq!(receive(&server).await, b"x");
        clients.push(client);
    }
    tokio::time::sleep(Duration::from_mins(1)).await;
    let late = socket().await;
    late.send_to(b"late", relay.address())
        .await
        .expect("it sends");
    assert_eq!(receive(&server).await, b"late");
}
