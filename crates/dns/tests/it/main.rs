//! Tests of the server through real sockets on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own sockets fail the test by panicking"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::region::RegionName;
use clock::port::Entropy;
use dns::server::Server;
use dns::stats::Stats;
use dns_core::health::Health;
use dns_core::internal::RegionAddresses;
use dns_core::latency::Latency;
use dns_core::name::Name;
use dns_core::query;
use dns_core::reply::Rcode;
use dns_core::response::{self, Response};
use dns_core::view::{Generation, View, ViewSource};
use dns_core::zones::Zones;
use net::tasks::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;

/// Few enough for any machine's limit of open files.
const CONNECTIONS_MAX: usize = 20;

struct Seven;

impl Entropy for Seven {
    fn random(&self) -> u64 {
        7
    }
}

/// A view of one region, with as many addresses as asked for.
fn view(generation: u64, addresses: usize) -> Arc<View> {
    let name = RegionName::parse("eu-west-1").unwrap();
    let regions = [RegionAddresses {
        addresses: (1..=addresses)
            .map(|last| format!("192.0.2.{last}").parse().unwrap())
            .collect(),
        name: name.clone(),
    }];
    Arc::new(View::new(ViewSource {
        generation: Generation(generation),
        region: name.id(),
        zones: Arc::new(Zones::new(Vec::new(), &regions)),
        health: Arc::new(Health::default()),
        latency: Arc::new(Latency::default()),
        delays: Vec::new(),
    }))
}

struct Running {
    address: SocketAddr,
    stats: Arc<Stats>,
    views: watch::Sender<Arc<View>>,
    /// Ends the server when dropped.
    _tasks: Tasks,
}

fn start(addresses: usize) -> Running {
    let (views, receiver) = watch::channel(view(1, addresses));
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), receiver, &Seven)
        .unwrap()
        .connections_max(CONNECTIONS_MAX);
    let tasks = Tasks::new();
    let (address, stats) = (server.local_addr(), server.stats());
    server.run(&tasks);
    Running {
        address,
        stats,
        views,
        _tasks: tasks,
    }
}

fn packet(id: u16, name: &str) -> Vec<u8> {
    let mut packet = query::encode(Name::parse(name).unwrap().as_wire(), 1, None);
    packet[..2].copy_from_slice(&id.to_be_bytes());
    packet
}

const GATEWAY: &str = "x.execute-api.eu-west-1.hither.internal";

async fn ask_udp(address: SocketAddr, packet: &[u8]) -> Response {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(address).await.unwrap();
    socket.send(packet).await.unwrap();
    let mut buffer = vec![0; 4096];
    let length = socket.recv(&mut buffer).await.unwrap();
    response::parse(&buffer[..length]).unwrap()
}

async fn read_tcp(stream: &mut TcpStream) -> Response {
    let length = stream.read_u16().await.unwrap();
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.unwrap();
    response::parse(&buffer).unwrap()
}

fn framed(packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap();
    [&length.to_be_bytes()[..], packet].concat()
}

#[tokio::test]
async fn datagrams_are_answered() {
    let running = start(2);
    let response = ask_udp(running.address, &packet(77, GATEWAY)).await;
    assert_eq!(
        (response.id, response.rcode, response.answers.len()),
        (77, 0, 2)
    );
    let response = ask_udp(running.address, &packet(78, "elsewhere.test")).await;
    assert_eq!(response.rcode, Rcode::Refused.code());
    let totals = running.stats.totals();
    assert_eq!((totals.udp_queries, totals.tcp_queries), (2, 0));
    assert_eq!(totals.answers_with(Rcode::NoError), 1);
    assert_eq!(totals.answers_with(Rcode::Refused), 1);
}

#[tokio::test]
async fn malformed_datagrams_are_errors_or_dropped_and_the_server_goes_on() {
    let running = start(1);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(running.address).await.unwrap();
    socket.send(b"too short").await.unwrap();
    socket.send(&packet(1, GATEWAY)[..20]).await.unwrap();
    let mut buffer = vec![0; 4096];
    let length = socket.recv(&mut buffer).await.unwrap();
    assert_eq!(
        response::parse(&buffer[..length]).unwrap().rcode,
        Rcode::FormatError.code()
    );
    assert_eq!(ask_udp(running.address, &packet(2, GATEWAY)).await.rcode, 0);
    assert_eq!(running.stats.totals().dropped, 1);
}

#[tokio::test]
async fn what_is_too_long_for_a_datagram_comes_by_tcp() {
    let running = start(100);
    let response = ask_udp(running.address, &packet(1, GATEWAY)).await;
    assert!(response.truncated);
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream
        .write_all(&framed(&packet(1, GATEWAY)))
        .await
        .unwrap();
    let response = read_tcp(&mut stream).await;
    assert_eq!((response.truncated, response.answers.len()), (false, 100));
    assert_eq!(running.stats.totals().truncated, 1);
}

#[tokio::test]
async fn queries_in_a_row_are_answered_in_order_on_one_connection() {
    let running = start(1);
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let all: Vec<u8> = (0..50)
        .flat_map(|id| framed(&packet(id, GATEWAY)))
        .collect();
    // The last query comes in two parts.
    let (most, rest) = all.split_at(all.len() - 5);
    stream.write_all(most).await.unwrap();
    for id in 0..49 {
        assert_eq!(read_tcp(&mut stream).await.id, id);
    }
    stream.write_all(rest).await.unwrap();
    assert_eq!(read_tcp(&mut stream).await.id, 49);
    assert_eq!(running.stats.totals().tcp_queries, 50);
}

#[tokio::test]
async fn a_later_view_is_answered_from_at_once() {
    let running = start(1);
    assert_eq!(
        ask_udp(running.address, &packet(1, GATEWAY))
            .await
            .answers
            .len(),
        1
    );
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream
        .write_all(&framed(&packet(1, GATEWAY)))
        .await
        .unwrap();
    assert_eq!(read_tcp(&mut stream).await.answers.len(), 1);
    running.views.send(view(2, 3)).unwrap();
    assert_eq!(
        ask_udp(running.address, &packet(2, GATEWAY))
            .await
            .answers
            .len(),
        3
    );
    stream
        .write_all(&framed(&packet(2, GATEWAY)))
        .await
        .unwrap();
    assert_eq!(read_tcp(&mut stream).await.answers.len(), 3);
}

#[tokio::test]
async fn the_last_view_stays_in_force_when_nobody_publishes() {
    let Running {
        address,
        views,
        _tasks,
        ..
    } = start(1);
    drop(views);
    assert_eq!(ask_udp(address, &packet(1, GATEWAY)).await.rcode, 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_nothing_is_closed() {
    let running = start(1);
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // Half a query keeps no connection open either.
    stream
        .write_all(&framed(&packet(1, GATEWAY))[..9])
        .await
        .unwrap();
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).await.unwrap_or(0), 0);
    assert_eq!(running.stats.totals().tcp_queries, 0);
}

#[tokio::test]
async fn connections_have_a_bound_and_room_comes_back() {
    let running = start(1);
    let mut open = Vec::new();
    while open.len() < CONNECTIONS_MAX {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream
            .write_all(&framed(&packet(1, GATEWAY)))
            .await
            .unwrap();
        assert_eq!(read_tcp(&mut stream).await.id, 1);
        open.push(stream);
    }
    let mut late = TcpStream::connect(running.address).await.unwrap();
    let mut rest = Vec::new();
    assert_eq!(late.read_to_end(&mut rest).await.unwrap_or(0), 0);
    assert_eq!(running.stats.totals().refused, 1);
    drop(open);
    // Closed connections are noticed one by one; until then late comers are turned away.
    let served = async {
        loop {
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            let asked = stream.write_all(&framed(&packet(2, GATEWAY))).await;
            if asked.is_ok() && stream.read_u16().await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), served)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let running = start(1);
    let (_views, receiver) = watch::channel(view(1, 1));
    let error = Server::bind(running.address, receiver, &Seven).unwrap_err();
    assert!(
        error.to_string().contains(&running.address.to_string()),
        "{error}"
    );
}
