//! Connections over a link.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::{DELAY, links, not_before};
use crate::limits::IN_FLIGHT_BYTES_MAX;
use crate::links::Links;
use crate::relay::Relay;

/// A client and the connection that the target accepted for it.
struct Pair {
    client: TcpStream,
    server: TcpStream,
    relay: Relay,
}

async fn pair(links: &Links) -> Pair {
    let (relay, listener) = relay(links).await;
    let mut client = TcpStream::connect(relay.address())
        .await
        .expect("it listens");
    let (mut server, _) = listener.accept().await.expect("the relay connects");
    // A byte that arrives proves that the handshake is over.
    client.write_u8(0).await.expect("it is open");
    assert_eq!(byte(&mut server).await, 0);
    Pair {
        client,
        server,
        relay,
    }
}

async fn relay(links: &Links) -> (Relay, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let target = listener.local_addr().expect("it is bound");
    let relay = Relay::tcp(links, "a", "b", target).expect("a port");
    (relay, listener)
}

async fn byte(stream: &mut TcpStream) -> u8 {
    stream.read_u8().await.expect("a byte")
}

/// Asserts that nothing comes, however long one waits.
async fn silence(stream: &mut TcpStream) {
    let read = timeout(Duration::from_hours(1), stream.read_u8()).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn megabytes_come_whole_and_in_order_both_ways() {
    let Pair {
        client,
        server,
        relay: _relay,
    } = pair(&links()).await;
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    let there: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n.wrapping_mul(n) % 251) as u8)
        .collect();
    let back: Vec<u8> = there.iter().rev().copied().collect();
    let (mut got_there, mut got_back) = (Vec::new(), Vec::new());
    let write_there = async {
        client_write.write_all(&there).await.expect("it is open");
        client_write.shutdown().await.expect("it is open");
    };
    let write_back = async {
        server_write.write_all(&back).await.expect("it is open");
        server_write.shutdown().await.expect("it is open");
    };
    let ((), (), read_there, read_back) = tokio::join!(
        write_there,
        write_back,
        server_read.read_to_end(&mut got_there),
        client_read.read_to_end(&mut got_back),
    );
    read_there.expect("an orderly end");
    read_back.expect("an orderly end");
    assert!(got_there == there && got_back == back);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_there_before_its_delay() {
    let links = links();
    let (relay, listener) = relay(&links).await;
    let start = Instant::now();
    let mut client = TcpStream::connect(relay.address())
        .await
        .expect("it listens");
    client.write_u8(1).await.expect("it is open");
    let (mut server, _) = listener.accept().await.expect("the relay connects");
    not_before(start, DELAY);
    assert_eq!(byte(&mut server).await, 1);
    not_before(start, 3 * DELAY); // the handshake there and back, then the byte
    let start = Instant::now();
    server.write_u8(2).await.expect("it is open");
    assert_eq!(byte(&mut client).await, 2);
    not_before(start, DELAY);
}

#[tokio::test(start_paused = true)]
async fn a_cut_holds_bytes_until_it_heals() {
    let links = links();
    let mut pair = pair(&links).await;
    links.cut("a", "b");
    pair.client.write_all(&[1, 2]).await.expect("it is open");
    pair.server.write_u8(3).await.expect("it is open");
    silence(&mut pair.server).await;
    silence(&mut pair.client).await;
    links.heal("b", "a");
    assert_eq!(byte(&mut pair.server).await, 1);
    assert_eq!(byte(&mut pair.server).await, 2);
    assert_eq!(byte(&mut pair.client).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_one_way_cut_lets_the_other_way_pass() {
    let links = links();
    let mut pair = pair(&links).await;
    links.cut_oneway("b", "a");
    pair.client.write_u8(1).await.expect("it is open");
    assert_eq!(byte(&mut pair.server).await, 1);
    pair.server.write_u8(2).await.expect("it is open");
    silence(&mut pair.client).await;
    links.heal_all();
    assert_eq!(byte(&mut pair.client).await, 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_during_a_cut_stays_in_order_with_what_follows() {
    let links = links();
    let mut pair = pair(&links).await;
    links.cut("a", "b");
    pair.client.write_u8(1).await.expect("it is open");
    silence(&mut pair.server).await;
    links.set_delay("a", "b", Duration::ZERO);
    pair.client.write_u8(2).await.expect("it is open");
    links.heal("a", "b");
    pair.client.write_u8(3).await.expect("it is open");
    for expected in 1..=3 {
        assert_eq!(byte(&mut pair.server).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shorter_delay_never_overtakes() {
    let links = links();
    let mut pair = pair(&links).await;
    links.set_jitter("a", "b", 3 * DELAY);
    for n in 0..50 {
        pair.client.write_u8(n).await.expect("it is open");
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    for expected in 0..50 {
        assert_eq!(byte(&mut pair.server).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusing_target_resets_the_client() {
    let links = links();
    let (relay, listener) = relay(&links).await;
    drop(listener);
    let start = Instant::now();
    let mut client = TcpStream::connect(relay.address())
        .await
        .expect("it listens");
    let error = client.read_u8().await.expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    not_before(start, 2 * DELAY);
}

#[tokio::test(start_paused = true)]
async fn a_half_close_arrives_and_the_answer_still_comes() {
    let mut pair = pair(&links()).await;
    pair.client
        .write_all(b"question")
        .await
        .expect("it is open");
    pair.client.shutdown().await.expect("it is open");
    let mut question = Vec::new();
    pair.server
        .read_to_end(&mut question)
        .await
        .expect("an orderly end");
    assert_eq!(question, b"question");
    pair.server.write_all(b"answer").await.expect("it is open");
    drop(pair.server);
    let mut answer = Vec::new();
    pair.client
        .read_to_end(&mut answer)
        .await
        .expect("an orderly end");
    assert_eq!(answer, b"answer");
}

#[tokio::test(start_paused = true)]
async fn a_dying_target_resets_the_client_after_its_last_bytes() {
    let mut pair = pair(&links()).await;
    pair.server.write_u8(7).await.expect("it is open");
    // Let it leave the socket first: a reset discards what is still in it.
    assert_eq!(byte(&mut pair.client).await, 7);
    let start = Instant::now();
    socket2::SockRef::from(&pair.server)
        .set_linger(Some(Duration::ZERO))
        .expect("an open socket");
    drop(pair.server);
    let error = pair.client.read_u8().await.expect_err("it is dead");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    not_before(start, DELAY);
}

#[tokio::test(start_paused = true)]
async fn a_dying_client_resets_the_target() {
    let mut pair = pair(&links()).await;
    socket2::SockRef::from(&pair.client)
        .set_linger(Some(Duration::ZERO))
        .expect("an open socket");
    drop(pair.client);
    let error = pair.server.read_u8().await.expect_err("it is dead");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gives_up_during_a_cut_leaves_no_trace() {
    let links = links();
    let (relay, listener) = relay(&links).await;
    links.cut("a", "b");
    let mut gone = TcpStream::connect(relay.address())
        .await
        .expect("it listens");
    gone.write_all(b"early").await.expect("it is open");
    drop(gone);
    let waiting = timeout(Duration::from_hours(1), listener.accept()).await;
    assert!(waiting.is_err(), "the first packet waits at the cut");
    links.heal("a", "b");
    let waiting = timeout(Duration::from_hours(1), listener.accept()).await;
    assert!(waiting.is_err(), "it was withdrawn");
    let _client = TcpStream::connect(relay.address())
        .await
        .expect("it listens");
    listener.accept().await.expect("the next one comes through");
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_is_bounded() {
    let links = links();
    let mut pair = pair(&links).await;
    links.cut("a", "b");
    let chunk = vec![0; 1 << 20];
    let mut written = 0;
    while let Ok(write) = timeout(Duration::from_secs(1), pair.client.write(&chunk)).await {
        written += write.expect("it is open");
        assert!(written < 4 * IN_FLIGHT_BYTES_MAX.as_len(), "no bound");
    }
    assert!(IN_FLIGHT_BYTES_MAX.as_len() <= written);
    links.heal("a", "b");
    let mut got = 0;
    let mut buf = vec![0; 1 << 20];
    while got < written {
        got += pair.server.read(&mut buf).await.expect("it is open");
    }
    assert_eq!(got, written);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_relay_ends_its_connections() {
    let Pair {
        mut client,
        mut server,
        relay,
    } = pair(&links()).await;
    drop(relay);
    // An orderly end or a reset: in any case an end.
    assert!(client.read_u8().await.is_err());
    assert!(server.read_u8().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_and_half_closes_at_once_is_answered() {
    let (relay, listener) = relay(&links()).await;
    let mut client = TcpStream::connect(relay.address())
        .await
        .expect("it listens");
    client.write_all(b"question").await.expect("it is open");
    client.shutdown().await.expect("it is open");
    let (mut server, _) = listener.accept().await.expect("the relay connects");
    let mut question = Vec::new();
    server
        .read_to_end(&mut question)
        .await
        .expect("an orderly end");
    assert_eq!(question, b"question");
    server.write_all(b"answer").await.expect("it is open");
    drop(server);
    let mut answer = Vec::new();
    client
        .read_to_end(&mut answer)
        .await
        .expect("an orderly end");
    assert_eq!(answer, b"answer");
}
