//! Requests that are too large, malformed, or shaped to be read in two ways.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{Act, Authority, Backend, Behaviour, Region, ask, get, with_body};

fn region() -> Region {
    Region::start("eu-west-1", &Authority::new(), &[("$default", "function")])
}

#[tokio::test]
async fn requests_that_are_too_large_are_refused() {
    let region = region();
    let header = |size: usize| {
        let value = "v".repeat(size);
        get("/").replace("connection:", &format!("x-large: {value}\r\nconnection:"))
    };
    assert_eq!(region.ask(&header(9_000)).await.status, 200);
    let answer = region.ask(&header(10_300)).await;
    assert_eq!(answer.status, 431);
    assert_eq!(
        answer.body,
        r#"{"message":"Request Header Fields Too Large"}"#
    );
    assert_eq!(region.ask(&header(20_000)).await.status, 431);
    let many = "a: b\r\n".repeat(200);
    let many = get("/").replace("connection:", &format!("{many}connection:"));
    assert_eq!(region.ask(&many).await.status, 431);
    let declared = "POST / HTTP/1.1\r\nhost: api.shop.test\r\ncontent-length: 10485761\r\n\r\n";
    let answer = region.ask(declared).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.body, r#"{"message":"Request Entity Too Large"}"#);
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_refused() {
    let backend = Backend::start(&[]).await;
    let url = backend.url("/");
    let routes = [("ANY /f", "function"), ("ANY /h", url.as_str())];
    let region = Region::start("eu-west-1", &Authority::new(), &routes);
    for path in ["/f", "/h"] {
        let mut stream = TcpStream::connect(region.gateway.http()).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: api.shop.test\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
        for _ in 0..11 {
            // The gateway may close while this still writes: that is its right.
            if stream.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413", "{path}");
    }
}

#[tokio::test]
async fn malformed_requests_get_a_400() {
    let region = region();
    for request in [
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(),
        get("/").replace("connection", "host: other.test\r\nconnection"),
        get("http://other.test/"),
        get("/").replace("host:", "host :"),
        get("/").replace("HTTP/1.1", "HTTP/1.x"),
        get("/").replace("connection", " folded\r\nconnection"),
        get("/").replace("host: api.shop.test", "host: a b"),
        get("/").replace("connection", "content-length: 1, 2\r\nconnection"),
        get("/").replace("connection", "content-length: -1\r\nconnection"),
        get("/").replace(
            "connection",
            "content-length: 1\r\ncontent-length: 2\r\nconnection",
        ),
        get("/").replace("connection", "transfer-encoding: gzip\r\nconnection"),
        get("/").replace("connection", "transfer-encoding: chunked, x\r\nconnection"),
        "\u{16}\u{3}\u{1}garbage\r\n\r\n".to_owned(),
    ] {
        let answer = region.ask(&request).await;
        let refused = answer.status == 400 || answer.status == 403;
        assert!(refused, "{request:?} {answer:?}");
    }
    let connect = "CONNECT o.test:1 HTTP/1.1\r\nhost: o.test:1\r\nconnection: close\r\n\r\n";
    assert_eq!(region.ask(connect).await.status, 405);
    assert_eq!(region.ask(&get("/")).await.status, 200);
}

/// Where a request has both a length and chunks, the chunks count (RFC 9112 §6.3), the length
/// goes no further, and the connection ends after it (§6.1): no backend can read the request in
/// another way than the gateway, and nothing smuggled behind it is a request.
#[tokio::test]
async fn a_length_beside_chunks_is_not_believed() {
    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    for order in [
        "content-length: 3\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 3",
    ] {
        let backend = Backend::start(&[Act::Answer(OK), Act::Answer(OK)]).await;
        let url = backend.url("/");
        let region = Region::start("eu-west-1", &Authority::new(), &[("$default", &url)]);
        let request = format!(
            "POST / HTTP/1.1\r\nhost: api.shop.test\r\n{order}\r\n\r\n5\r\nGET /\r\n0\r\n\r\n{}",
            get("/second")
        );
        let both = ask(region.gateway.http(), &request).await;
        assert_eq!(both.status, 200);
        assert!(!both.body.contains("HTTP/1.1"), "{both:?}");
        let seen = backend.seen.lock().unwrap();
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(!seen[0].contains("content-length"), "{seen:?}");
        assert!(
            seen[0].ends_with("\r\n\r\n5\r\nGET /\r\n0\r\n\r\n"),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn a_client_cannot_name_headers_that_the_gateway_needs() {
    let region = region();
    let request = with_body("POST", "/", "hello").replace(
        "connection: close",
        "connection: close, content-length, host, content-type",
    );
    let answer = region.ask(&request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.event()["headers"]["host"], "api.shop.test");
    assert_eq!(answer.event()["headers"].get("content-type"), None);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_ends_its_head_is_cut() {
    let region = region();
    let mut stream = TcpStream::connect(region.gateway.http()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    let mut answer = Vec::new();
    // Time is paused: it jumps to the gateway's patience as soon as both sides wait.
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"),
        "{answer:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_given_up() {
    let region = region();
    let request = with_body("POST", "/", "").replace("content-length: 0", "content-length: 5");
    let answer = region.ask(&request).await;
    assert_eq!(answer.status, 408, "{answer:?}");
    assert_eq!(answer.body, r#"{"message":"Request Timeout"}"#);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_given_up_when_the_integration_s_time_is_over() {
    let region = region();
    let mut stream = TcpStream::connect(region.gateway.http()).await.unwrap();
    let head = "POST / HTTP/1.1\r\nhost: api.shop.test\r\ncontent-length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let mut sent = 0;
    // Each byte comes before the body counts as standing still.
    loop {
        tokio::select! {
            read = stream.read_exact(&mut answer) => {
                read.unwrap();
                break;
            }
            () = tokio::time::sleep(gateway::limits::BODY_PATIENCE / 2) => {}
        }
        stream.write_all(b"x").await.unwrap();
        sent += 1;
        assert!(sent < 10, "the gateway waits for all of it");
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(region.functions.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn bodies_of_all_requests_share_one_bound() {
    const SIZE: usize = 10 << 20;
    let region = region();
    region
        .functions
        .set(Behaviour::Answer(r#"{"statusCode":200}"#));
    let head = format!(
        "POST / HTTP/1.1\r\nhost: api.shop.test\r\ncontent-length: {SIZE}\r\n\
         connection: close\r\n\r\n"
    );
    let most = usize::try_from(gateway::limits::BODIES_BYTES_MAX.as_u64()).unwrap();
    // Each holds all of its body but the last byte.
    let mut open = Vec::new();
    let part = vec![b'x'; SIZE - 1];
    for _ in 0..most / SIZE {
        let mut stream = TcpStream::connect(region.gateway.http()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&part).await.unwrap();
        open.push(stream);
    }
    let refused = loop {
        let mut stream = TcpStream::connect(region.gateway.http()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // The gateway may answer and close while this still writes.
        let _ = stream.write_all(&part).await;
        let mut answer = [0; 12];
        match tokio::time::timeout(Duration::from_millis(200), stream.read_exact(&mut answer)).await
        {
            Ok(read) => {
                read.unwrap();
                break answer;
            }
            // What the others sent had not all arrived.
            Err(_) => open.push(stream),
        }
        assert!(open.len() < 2 * most / SIZE, "nothing is refused");
    };
    assert_eq!(&refused, b"HTTP/1.1 503");
    let mut first = open.swap_remove(0);
    first.write_all(b"x").await.unwrap();
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    drop(open);
    // What they held comes back.
    while region
        .ask(&with_body("POST", "/", &"x".repeat(SIZE)))
        .await
        .status
        == 503
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_cut() {
    const SIZE: usize = 32 << 20;
    let region = region();
    let answer = format!(r#"{{"statusCode":200,"body":"{}"}}"#, "x".repeat(SIZE));
    region.functions.set(Behaviour::Answer(answer.leak()));
    let mut stream = TcpStream::connect(region.gateway.http()).await.unwrap();
    stream.write_all(get("/").as_bytes()).await.unwrap();
    // Time is paused: this lets it pass while nobody reads.
    tokio::time::sleep(gateway::limits::WRITE_PATIENCE * 2).await;
    let mut taken = Vec::new();
    let _ = stream.read_to_end(&mut taken).await;
    assert!(taken.len() < SIZE, "{}", taken.len());
    assert_eq!(region.gateway.counters().connections_open, 0);
}
