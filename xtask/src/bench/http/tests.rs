//! Tests of framing, against a server that answers what it is told.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Connection, request};

/// Answers one request with `answer`, piece by piece.
async fn answer(pieces: &'static [&'static str]) -> (u16, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let server = async {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut buf = [0; 1024];
        let read = stream.read(&mut buf).await.expect("a request");
        assert_eq!(
            &buf[..read],
            b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
        );
        for piece in pieces {
            stream
                .write_all(piece.as_bytes())
                .await
                .expect("it is open");
            tokio::task::yield_now().await;
        }
        stream
    };
    let client = async {
        let mut connection = Connection::open(address).await.expect("it listens");
        let get = request("GET", "/", &[("host", "x")], "");
        connection.call(&get).await.expect("an answer")
    };
    let (_open, response) = tokio::join!(server, client);
    (response.status, response.body)
}

#[tokio::test]
async fn by_length_in_pieces() {
    let pieces = &["HTTP/1.1 200 OK\r\nConte", "nt-Length: 5\r\n\r\nhe", "llo"];
    assert_eq!(answer(pieces).await, (200, b"hello".to_vec()));
}

#[tokio::test]
async fn by_chunks() {
    let head = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n";
    let pieces: &[&str] = &[head, "5\r\nhello\r\n", "1\r\n!\r\n", "0\r\n\r\n"];
    let leaked: &'static [&'static str] = Box::leak(pieces.to_vec().into_boxed_slice());
    assert_eq!(answer(leaked).await, (404, b"hello!".to_vec()));
}

#[tokio::test]
async fn without_a_body() {
    let pieces = &["HTTP/1.1 204 No Content\r\n\r\n"];
    assert_eq!(answer(pieces).await, (204, Vec::new()));
}
