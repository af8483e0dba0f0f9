//! TLS: the certificate by name, and HTTP/2 by negotiation.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use net::tls::{self, Alpn, Trust};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::{Authority, Behaviour, DOMAIN, Region};

pub(crate) async fn shake(
    region: &Region,
    authority: &Authority,
    name: &str,
    alpn: Alpn,
) -> std::io::Result<TlsStream<TcpStream>> {
    let config = tls::client_config(Trust::Roots(authority.roots()), alpn).unwrap();
    let stream = TcpStream::connect(region.gateway.https()).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(config).connect(name, stream).await
}

pub(crate) async fn client(region: &Region, authority: &Authority) -> SendRequest<Full<Bytes>> {
    let stream = shake(region, authority, DOMAIN, Alpn::Http2OrHttp1)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let tasks = net::tasks::Tasks::new();
    tasks.spawn_draining(async move {
        let _ = connection.await;
    });
    sender
}

pub(crate) fn request(method: Method, path: &str, body: &'static str) -> Request<Full<Bytes>> {
    let uri = format!("https://{DOMAIN}{path}");
    let body = Full::new(Bytes::from_static(body.as_bytes()));
    Request::builder()
        .method(method)
        .uri(uri)
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn a_function_is_served_over_http2() {
    let authority = Authority::new();
    let region = Region::start("eu-west-1", &authority, &[("$default", "function")]);
    let mut client = client(&region, &authority).await;
    let sent = client.send_request(request(Method::POST, "/a?b", "hello"));
    let response = sent.await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.version()),
        (200, Version::HTTP_2)
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(event["rawPath"], "/a");
    assert_eq!(event["requestContext"]["http"]["protocol"], "HTTP/2.0");
    assert_eq!(event["headers"]["host"], DOMAIN);
    assert_eq!(event["headers"]["x-forwarded-proto"], "https");
    assert_eq!(event["body"], "aGVsbG8=");
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let authority = Authority::new();
    let region = Region::start("eu-west-1", &authority, &[("$default", "function")]);
    let client = client(&region, &authority).await;
    let sent: Vec<_> = (0..100)
        .map(|n| {
            client
                .clone()
                .send_request(request(Method::GET, &format!("/{n}"), ""))
        })
        .collect();
    for response in sent {
        assert_eq!(response.await.unwrap().status(), 200);
    }
    let counters = region.gateway.counters();
    assert_eq!((counters.connections, counters.requests), (1, 100));
}

#[tokio::test]
async fn a_response_to_head_has_no_body_over_http2() {
    let authority = Authority::new();
    let region = Region::start("eu-west-1", &authority, &[("$default", "function")]);
    region
        .functions
        .set(Behaviour::Answer(r#"{"statusCode":200,"body":"12345"}"#));
    let mut client = client(&region, &authority).await;
    let response = client
        .send_request(request(Method::HEAD, "/", ""))
        .await
        .unwrap();
    assert_eq!(response.headers()["content-length"], "5");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.is_empty());
}

#[tokio::test]
async fn each_name_has_its_certificate_and_all_others_one() {
    let authority = Authority::new();
    let region = Region::start("eu-west-1", &authority, &[("$default", "function")]);
    shake(&region, &authority, DOMAIN, Alpn::Http1)
        .await
        .unwrap();
    let peer = gateway::snapshot::peer_name(&region.name);
    shake(&region, &authority, &peer, Alpn::Http1)
        .await
        .unwrap();
    // The fallback certificate is not valid for this name, and the client sees that.
    shake(&region, &authority, "other.test", Alpn::Http1)
        .await
        .unwrap_err();
    let mut certificates = gateway::snapshot::Certificates::new(authority.issue(&peer));
    certificates.insert("*.Other.Test", authority.issue("*.other.test"));
    region
        .change(|snapshot| snapshot.certificates = Arc::new(certificates))
        .await;
    shake(&region, &authority, "a.other.test", Alpn::Http1)
        .await
        .unwrap();
    shake(&region, &authority, DOMAIN, Alpn::Http1)
        .await
        .unwrap_err();
}
