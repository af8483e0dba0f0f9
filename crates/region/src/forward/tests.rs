//! Tests of forwarding to a region that stands in for another.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use base::region::RegionName;
use net::dial::Dialer;
use net::tasks::Tasks;

use super::Forwarder;

fn tokyo() -> RegionName {
    RegionName::parse("ap-northeast-1").expect("a region")
}

/// Answers one request with `answer`; returns its head through the returned task's channel.
async fn stand_in(
    answer: &'static str,
) -> (Forwarder, Tasks, tokio::sync::oneshot::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    let (told, head) = tokio::sync::oneshot::channel();
    let tasks = Tasks::new();
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        let mut request = Vec::new();
        while !request.ends_with(b"{}") {
            stream.read_buf(&mut request).await.expect("read");
        }
        stream.write_all(answer.as_bytes()).await.expect("written");
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        told.send(text).expect("the test listens");
    });
    let endpoints = BTreeMap::from([(tokyo(), address)]);
    (Forwarder::new(endpoints, Dialer::default()), tasks, head)
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
    let (forwarder, _tasks, head) = stand_in(answer).await;
    let request = call()
        .header("connection", "keep-alive, x-private, Authorization")
        .header("keep-alive", "timeout=5")
        .header("te", "trailers")
        .header("expect", "100-continue")
        .header("x-private", "1")
        .body(Bytes::from_static(b"{}"))
        .expect("a request");
    let response = forwarder.forward(&tokyo(), request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let names: Vec<&str> = response
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    assert_eq!(names, ["x-amzn-requestid", "content-length"]);
    let head = head.await.expect("asked");
    assert!(
        head.starts_with("post /2015-03-31/functions?a=b%20c http/1.1\r\n"),
        "{head}"
    );
    for kept in [
        "host: lambda.example:4566",
        "authorization: aws4",
        "x-hither-forwarded: 1",
    ] {
        assert!(head.contains(kept), "{kept} in {head}");
    }
    for gone in ["x-private", "keep-alive", "te:", "expect", "connection"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
}

#[tokio::test]
async fn a_call_is_not_handed_back_and_forth() {
    let (forwarder, _tasks, _head) = stand_in("").await;
    let request = call()
        .header("x-hither-forwarded", "1")
        .body(Bytes::new())
        .expect("a request");
    let response = forwarder.forward(&tokyo(), request).await;
    assert_eq!(response.status(), StatusCode::LOOP_DETECTED);
}

#[tokio::test]
async fn a_region_that_is_not_there_is_said_to_be_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let endpoints = BTreeMap::from([(tokyo(), address)]);
    let forwarder = Forwarder::new(endpoints, Dialer::default());
    let request = call().body(Bytes::new()).expect("a request");
    let response = forwarder.forward(&tokyo(), request).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}
