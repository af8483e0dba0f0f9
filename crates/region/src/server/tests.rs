//! Tests of connections: who says nothing does not keep one.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use net::tasks::Tasks;

use super::speak;
use crate::limits::HEAD_PATIENCE;

async fn greet(_: http::Request<hyper::body::Incoming>) -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from_static(b"hello")))
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_asks_is_cut_off() {
    // The last two begin as HTTP/2 does.
    for said in [&b""[..], b"PRI", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        let tasks = Tasks::new();
        let (mut client, server) = tokio::io::duplex(1_024);
        client.write_all(said).await.expect("taken");
        let ended = tokio::time::timeout(2 * HEAD_PATIENCE, speak(server, greet, tasks.token()));
        assert!(ended.await.expect("it ends").is_err(), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_asked_is_served_on() {
    let tasks = Tasks::new();
    let (mut client, server) = tokio::io::duplex(1_024);
    let serving = speak(server, greet, tasks.token());
    let asking = async {
        for _ in 0..3 {
            // Each pause is shorter than the patience, and all together are longer.
            tokio::time::sleep(HEAD_PATIENCE / 2).await;
            let ask = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
            client.write_all(ask).await.expect("taken");
            let mut answer = vec![0; 1_024];
            let length = client.read(&mut answer).await.expect("answered");
            assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{length}");
        }
        drop(client);
    };
    let (served, ()) = tokio::join!(serving, asking);
    served.expect("it ends as it should");
}
