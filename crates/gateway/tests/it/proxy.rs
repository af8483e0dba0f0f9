//! Requests to HTTP backends.

use std::sync::atomic::Ordering;

use net::dial::Dialer;

use crate::world::{Act, Authority, Backend, Region, get, with_body};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-backend: 1\r\nkeep-alive: 9\r\n\r\nok";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";

fn region(backend: &Backend) -> Region {
    let url = backend.url("/base/{proxy}");
    let routes = [("ANY /p/{proxy+}", url.as_str())];
    Region::start("eu-west-1", &Authority::new(), &routes)
}

#[tokio::test]
async fn a_backend_sees_where_the_request_came_from() {
    let backend = Backend::start(&[Act::Answer(OK)]).await;
    let region = region(&backend);
    let answer = region.ask(&get("/p/a/b?x=1")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    assert_eq!(answer.header("x-backend"), Some("1"));
    assert_eq!(answer.header("keep-alive"), None);
    assert!(answer.header("apigw-requestid").is_some());
    let seen = backend.seen.lock().unwrap()[0].clone();
    assert!(seen.starts_with("GET /base/a/b?x=1 HTTP/1.1\r\n"), "{seen}");
    assert!(
        seen.contains(&format!("host: {}\r\n", backend.address)),
        "{seen}"
    );
    assert!(seen.contains("x-forwarded-for: 127.0.0.1\r\n"), "{seen}");
    assert!(
        seen.contains("for=127.0.0.1;host=\"api.shop.test\";proto=http\r\n"),
        "{seen}"
    );
    assert!(seen.contains("via: 1.1 hither\r\n"), "{seen}");
    assert!(!seen.contains("connection:"), "{seen}");
}

#[tokio::test]
async fn connections_to_a_backend_are_kept() {
    let acts = [Act::Answer(OK), Act::Answer(CHUNKED), Act::Answer(OK)];
    let backend = Backend::start(&acts).await;
    let region = region(&backend);
    for _ in 0..3 {
        let answer = region.ask(&get("/p/a")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(backend.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_nothing() {
    let acts = [
        Act::AnswerAndClose(OK),
        Act::AnswerAndClose(CHUNKED),
        Act::Answer(OK),
    ];
    let backend = Backend::start(&acts).await;
    let region = region(&backend);
    for _ in 0..3 {
        let answer = region.ask(&with_body("POST", "/p/a", "x")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(backend.connections.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn an_idempotent_request_is_repeated_when_a_kept_connection_breaks() {
    let acts = [Act::Answer(OK), Act::Close, Act::Answer(OK)];
    let backend = Backend::start(&acts).await;
    let region = region(&backend);
    assert_eq!(region.ask(&get("/p/a")).await.status, 200);
    assert_eq!(region.ask(&with_body("PUT", "/p/a", "x")).await.status, 200);
    assert_eq!(backend.seen.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn any_other_request_is_not_repeated() {
    let acts = [Act::Answer(OK), Act::Close, Act::Answer(OK)];
    let backend = Backend::start(&acts).await;
    let region = region(&backend);
    assert_eq!(region.ask(&get("/p/a")).await.status, 200);
    assert_eq!(
        region.ask(&with_body("POST", "/p/a", "x")).await.status,
        503
    );
    assert_eq!(backend.seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_large_body_streams_through() {
    let backend = Backend::start(&[Act::Answer(OK), Act::Answer(OK)]).await;
    let region = region(&backend);
    let body = "0123456789".repeat(100_000);
    assert_eq!(
        region.ask(&with_body("POST", "/p/a", &body)).await.status,
        200
    );
    let chunked = format!(
        "POST /p/a HTTP/1.1\r\nhost: api.shop.test\r\ntransfer-encoding: chunked\r\n\
         connection: close\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    assert_eq!(region.ask(&chunked).await.status, 200);
    let seen = backend.seen.lock().unwrap();
    assert!(seen[0].ends_with(&body));
    assert_eq!(without_chunks(&seen[1]), body);
}

/// Puts the body of a chunked request together.
fn without_chunks(request: &str) -> String {
    let (_, mut rest) = request.split_once("\r\n\r\n").unwrap();
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&after[..size]);
        rest = after[size..].strip_prefix("\r\n").unwrap();
    }
    body
}

#[tokio::test]
async fn a_backend_that_is_not_there_is_unavailable() {
    let backend = Backend::start(&[]).await;
    let region = region(&backend);
    assert_eq!(region.ask(&get("/p/a")).await.status, 503);
    drop(backend);
    assert_eq!(region.ask(&get("/p/a")).await.status, 503);
    assert_eq!(region.ask(&get("/p/%2e%2e/a")).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_never_answers_costs_the_integrations_patience() {
    let backend = Backend::start(&[Act::Hang]).await;
    let region = region(&backend);
    let before = tokio::time::Instant::now();
    assert_eq!(region.ask(&get("/p/a")).await.status, 503);
    // Time is paused: it jumps to whatever is waited for.
    assert_eq!(before.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_backend_whose_head_never_ends_is_cut_before_its_time_is_over() {
    let backend = Backend::start(&[Act::Pour]).await;
    let region = region(&backend);
    let before = tokio::time::Instant::now();
    assert_eq!(region.ask(&get("/p/a")).await.status, 503);
    assert_eq!(before.elapsed().as_secs(), 0);
}

/// Where callers must sign, an integration is no way to what listens on this machine alone.
#[tokio::test]
async fn a_guarded_gateway_asks_no_server_of_its_own_machine() {
    let backend = Backend::start(&[Act::Answer(OK)]).await;
    let url = backend.url("/");
    let routes = [("$default", url.as_str())];
    let guarded = Dialer::default().guarded();
    let region = Region::start_dialing(guarded, "eu-west-1", &Authority::new(), &routes);
    assert_eq!(region.ask(&get("/")).await.status, 503);
    assert_eq!(backend.connections.load(Ordering::Relaxed), 0);
}
