//! Headers that go through, and headers that stop here.

use clock::time::WallTime;

use super::*;
use crate::arrival::RequestId;
use crate::uri::Security;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn arrival() -> Arrival {
    Arrival {
        client: "203.0.113.9".parse().unwrap(),
        security: Security::Tls,
        port: 443,
        id: RequestId::new(1, 2),
        at: WallTime::from_micros(1_584_039_838_000_000),
    }
}

#[track_caller]
fn check_stripped(pairs: &[(&'static str, &'static str)], expect: &[&str]) {
    let mut map = headers(pairs);
    strip_hop_by_hop(&mut map);
    let left: Vec<_> = map.keys().map(HeaderName::as_str).collect();
    assert_eq!(left, expect);
}

#[test]
fn headers_of_the_connection_stop_here() {
    check_stripped(&[("transfer-encoding", "chunked"), ("x", "1")], &["x"]);
    check_stripped(
        &[
            ("connection", "a, b"),
            ("connection", "c"),
            ("b", ""),
            ("c", ""),
            ("d", ""),
        ],
        &["d"],
    );
    check_stripped(
        &[("connection", "host, content-length"), ("host", "h")],
        &["host"],
    );
    check_stripped(
        &[
            ("upgrade", "websocket"),
            ("keep-alive", "1"),
            ("te", "trailers"),
        ],
        &[],
    );
}

#[test]
fn the_client_is_named_to_the_backend() {
    let mut map = headers(&[
        ("x-forwarded-for", "10.0.0.1"),
        ("hither-handover", "forged"),
    ]);
    forward(&mut map, &arrival());
    assert_eq!(map[FORWARDED_FOR], "10.0.0.1, 203.0.113.9");
    assert_eq!(map[FORWARDED_PORT], "443");
    assert_eq!(map[FORWARDED_PROTO], "https");
    let trace = map[TRACE_ID].to_str().unwrap();
    assert!(trace.starts_with("Root=1-5e6a879e-"), "{trace}");
    assert_eq!(trace.len(), "Root=1-5e6a879e-".len() + 24);
    assert!(!map.contains_key(handover::REQUEST_HEADER));
    forward_to_http(&mut map, &arrival(), "api.shop.test");
    assert_eq!(
        map[FORWARDED],
        "for=203.0.113.9;host=\"api.shop.test\";proto=https"
    );
    assert_eq!(map[VIA], "1.1 hither");
}

#[test]
fn a_clients_trace_is_kept() {
    let mut map = headers(&[("x-amzn-trace-id", "Root=1-0-0")]);
    forward(&mut map, &arrival());
    assert_eq!(map[TRACE_ID], "Root=1-0-0");
}

#[test]
fn size_is_that_of_the_text() {
    let text = "GET /a?b HTTP/1.1\r\nhost: h\r\nx: yz\r\n";
    let map = headers(&[("host", "h"), ("x", "yz")]);
    let uri = Uri::from_static("/a?b");
    assert_eq!(size(&Method::GET, &uri, &map), text.len() as u64);
}

#[test]
fn every_hop_that_a_client_names_stays_in_the_chain() {
    let mut map = headers(&[
        ("x-forwarded-for", "192.0.2.1, 192.0.2.2"),
        ("x-forwarded-for", "192.0.2.3"),
    ]);
    forward(&mut map, &arrival());
    let chain: Vec<_> = map.get_all(FORWARDED_FOR).iter().collect();
    assert_eq!(chain, ["192.0.2.1, 192.0.2.2, 192.0.2.3, 203.0.113.9"]);
}
