//! The end of a gateway: what is begun is finished, nothing else begins.

use std::time::Duration;

use gateway::gateway::Drained;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http2::{client, request};
use crate::world::{Authority, Behaviour, Gate, Region, get};

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_is_begun_is_finished() {
    let authority = Authority::new();
    let region = Region::start("eu-west-1", &authority, &[("$default", "function")]);
    let gate = Gate::new();
    region
        .functions
        .set(Behaviour::Wait(std::sync::Arc::clone(&gate)));
    let mut second = client(&region, &authority).await;
    let kept_alive = get("/").replace("connection: close\r\n", "");
    let finish = async {
        gate.begun.acquire_many(2).await.unwrap().forget();
        let drain = region.gateway.drain(LONG);
        let let_go = async {
            // The listener is closed before any request is let go.
            while TcpStream::connect(region.gateway.http()).await.is_ok() {
                tokio::task::yield_now().await;
            }
            gate.go.add_permits(2);
        };
        tokio::join!(drain, let_go).0
    };
    // Without `connection: close` the text ends only because the gateway ends the connection.
    let (drained, first, second) = tokio::join!(
        finish,
        region.ask(&kept_alive),
        second.send_request(request(Method::GET, "/", "")),
    );
    assert_eq!(drained, Drained::Clean);
    assert_eq!(first.status, 200);
    assert_eq!(first.header("connection"), Some("close"));
    assert_eq!(second.unwrap().status(), 200);
    assert_eq!(region.gateway.counters().connections_open, 0);
}

#[tokio::test]
async fn idle_connections_end_at_once() {
    let authority = Authority::new();
    let region = Region::start("eu-west-1", &authority, &[("$default", "function")]);
    let second = client(&region, &authority).await;
    let mut first = TcpStream::connect(region.gateway.http()).await.unwrap();
    let text = get("/").replace("connection: close\r\n", "");
    first.write_all(text.as_bytes()).await.unwrap();
    first.read_u8().await.unwrap();
    assert_eq!(region.gateway.drain(LONG).await, Drained::Clean);
    let mut rest = Vec::new();
    first.read_to_end(&mut rest).await.unwrap();
    assert!(second.is_closed() || !second.is_ready());
}

#[tokio::test]
async fn what_does_not_finish_is_cut() {
    let authority = Authority::new();
    let region = Region::start("eu-west-1", &authority, &[("$default", "function")]);
    let gate = Gate::new();
    region
        .functions
        .set(Behaviour::Wait(std::sync::Arc::clone(&gate)));
    let text = get("/");
    let drain = async {
        gate.begun.acquire().await.unwrap().forget();
        region.gateway.drain(Duration::from_millis(1)).await
    };
    let (drained, answer) = tokio::join!(drain, region.ask(&text));
    assert_eq!(drained, Drained::Cut);
    assert_eq!(answer.status, 0, "{answer:?}");
}

#[tokio::test]
async fn a_gateway_that_is_dropped_leaves_nothing_behind() {
    let authority = Authority::new();
    let region = Region::start("eu-west-1", &authority, &[("$default", "function")]);
    let address = region.gateway.http();
    let mut idle = TcpStream::connect(address).await.unwrap();
    drop(region);
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
