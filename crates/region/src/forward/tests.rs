//! Tests of forwarding to a region that stands in for another.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use base::region::RegionName;
use control::project::ProjectKey;
use net::dial::Dialer;
use net::tasks::Tasks;

use super::Forwarder;
use crate::limits::FORWARD_KEPT_MAX;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn tokyo() -> RegionName {
    RegionName::parse("ap-northeast-1").expect("a region")
}

/// A region that stands in for another: it answers every call with the same, and keeps count.
struct StandIn {
    forwarder: Forwarder,
    /// The head of each call.
    heads: mpsc::UnboundedReceiver<String>,
    connections: Arc<AtomicUsize>,
    _tasks: Arc<Tasks>,
}

async fn stand_in(answer: &'static str) -> StandIn {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    let (told, heads) = mpsc::unbounded_channel();
    let connections = Arc::new(AtomicUsize::new(0));
    let tasks = Arc::new(Tasks::new());
    let (owner, count) = (Arc::downgrade(&tasks), Arc::clone(&connections));
    tasks.spawn(async move {
        while let (Ok((stream, _)), Some(owner)) = (listener.accept().await, owner.upgrade()) {
            count.fetch_add(1, Ordering::Relaxed);
            owner.spawn(converse(stream, answer, told.clone()));
        }
    });
    let endpoints = BTreeMap::from([(tokyo(), address)]);
    StandIn {
        forwarder: Forwarder::new(endpoints, Dialer::default(), &ProjectKey([7; 32])),
        heads,
        connections,
        _tasks: tasks,
    }
}

async fn converse(
    mut stream: TcpStream,
    answer: &'static str,
    told: mpsc::UnboundedSender<String>,
) {
    let mut request = Vec::new();
    while stream
        .read_buf(&mut request)
        .await
        .is_ok_and(|read| 0 < read)
    {
        if request.ends_with(b"{}") {
            let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
            told.send(text).expect("the test listens");
            stream.write_all(answer.as_bytes()).await.expect("written");
            if answer.contains("connection: close") {
                return;
            }
            request.clear();
        }
    }
}

fn call() -> http::request::Builder {
    Request::builder()
        .method(Method::POST)
        .uri("/2015-03-31/functions?a=b%20c")
        .header("host", "lambda.example:4566")
        .header("authorization", "AWS4-HMAC-SHA256 as it came")
}

#[tokio::test]
async fn a_call_goes_on_as_it_came_but_for_what_concerns_one_connection() {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close, x-hop\r\nkeep-alive: timeout=5\r\n\
                  x-hop: 1\r\nx-amzn-requestid: 7\r\ncontent-length: 2\r\n\r\nok";
    let mut there = stand_in(answer).await;
    let request = call()
        .header("connection", "keep-alive, x-private, Authorization")
        .header("keep-alive", "timeout=5")
        .header("te", "trailers")
        .header("expect", "100-continue")
        .header("x-private", "1")
        .body(Bytes::from_static(b"{}"))
        .expect("a request");
    let answered = there.forwarder.forward(&tokyo(), CLIENT, &request).await;
    let response = answered.expect("answered");
    assert_eq!(response.status(), StatusCode::OK);
    let names: Vec<&str> = response
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    assert_eq!(names, ["x-amzn-requestid", "content-length"]);
    let head = there.heads.recv().await.expect("asked");
    assert!(
        head.starts_with("post /2015-03-31/functions?a=b%20c http/1.1\r\n"),
        "{head}"
    );
    for kept in [
        "host: lambda.example:4566",
        "authorization: aws4",
        "x-hither-forwarded: 192.0.2.7 ",
    ] {
        assert!(head.contains(kept), "{kept} in {head}");
    }
    for gone in ["x-private", "keep-alive", "te:", "expect", "connection"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
}

#[tokio::test]
async fn a_call_is_not_handed_back_and_forth() {
    let there = stand_in("").await;
    let request = call()
        .header("x-hither-forwarded", "1")
        .body(Bytes::new())
        .expect("a request");
    let refused = there.forwarder.forward(&tokyo(), CLIENT, &request).await;
    let fault = refused.expect_err("refused").fault();
    assert_eq!(fault.status, StatusCode::LOOP_DETECTED);
}

#[tokio::test]
async fn a_region_that_is_not_there_is_said_to_be_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let endpoints = BTreeMap::from([(tokyo(), address)]);
    let forwarder = Forwarder::new(endpoints, Dialer::default(), &ProjectKey([7; 32]));
    let request = call().body(Bytes::new()).expect("a request");
    let refused = forwarder.forward(&tokyo(), CLIENT, &request).await;
    let fault = refused.expect_err("refused").fault();
    assert_eq!(fault.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fault.code, "ServiceUnavailable");
    assert!(
        fault.message.contains("ap-northeast-1"),
        "{}",
        fault.message
    );
}

/// Waits for all of some futures, at once.
async fn all_of<F: Future<Output = ()>>(mut futures: Vec<Pin<Box<F>>>) {
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

fn small() -> Request<Bytes> {
    let body = Bytes::from_static(b"{}");
    call().body(body).expect("a request")
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn calls_after_one_another_share_a_connection() {
    let there = stand_in(OK).await;
    for _ in 0..5 {
        let answered = there.forwarder.forward(&tokyo(), CLIENT, &small()).await;
        assert_eq!(answered.expect("answered").body(), "ok");
    }
    assert_eq!(there.connections.load(Ordering::Relaxed), 1);
    // Calls at once have one each, and no more than a few are kept.
    let forward = || async {
        let answered = there.forwarder.forward(&tokyo(), CLIENT, &small()).await;
        assert_eq!(answered.expect("answered").body(), "ok");
    };
    let calls = (0..2 * FORWARD_KEPT_MAX).map(|_| Box::pin(forward()));
    all_of(calls.collect()).await;
    let kept = there.forwarder.kept().values().map(Vec::len).sum::<usize>();
    assert_eq!(kept, FORWARD_KEPT_MAX);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_no_call() {
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    let there = stand_in(closing).await;
    for round in 1..=3 {
        let answered = there.forwarder.forward(&tokyo(), CLIENT, &small()).await;
        assert_eq!(answered.expect("answered").body(), "ok");
        assert_eq!(there.connections.load(Ordering::Relaxed), round);
    }
}
