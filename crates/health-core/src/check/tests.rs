//! Configurations that are and are not, time limits, host headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use super::{
    BadCheck, CalculatedCheck, CheckId, CheckKind, CheckSpec, Checks, EndpointCheck,
    FailureThreshold, HttpProbe, Interval, Protocol, Sni, Target,
};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn endpoint(protocol: Protocol, interval_ms: u64) -> EndpointCheck {
    EndpointCheck {
        protocol,
        target: Target::Address(ADDRESS),
        port: 80,
        interval: Interval::try_new(Duration::from_millis(interval_ms)).expect("allowed"),
        threshold: FailureThreshold::try_new(3).expect("allowed"),
    }
}

fn http(search: Option<&str>) -> Protocol {
    Protocol::Http(HttpProbe::try_new("/health", search).expect("plain"))
}

#[track_caller]
fn patience(protocol: Protocol, interval_ms: u64, expect_ms: [u128; 4]) {
    let patience = endpoint(protocol, interval_ms).patience();
    let steps = [
        patience.connect,
        patience.status,
        patience.body,
        patience.total,
    ];
    assert_eq!(steps.map(|step| step.as_millis()), expect_ms);
}

#[test]
fn time_limits_are_those_of_route_53_and_shrink_with_the_interval() {
    patience(http(None), 30_000, [4_000, 2_000, 2_000, 6_000]);
    patience(http(Some("ok")), 10_000, [4_000, 2_000, 2_000, 8_000]);
    patience(Protocol::Tcp, 10_000, [10_000, 2_000, 2_000, 10_000]);
    patience(http(None), 2_000, [4_000, 2_000, 2_000, 4_000]);
    patience(http(None), 1_000, [2_000, 2_000, 2_000, 2_000]);
    patience(Protocol::Tcp, 1_000, [2_000, 2_000, 2_000, 2_000]);
    patience(http(Some("ok")), 100, [1_000, 1_000, 1_000, 1_000]);
}

#[test]
fn the_host_header_follows_name_and_port() {
    let host = |protocol: Protocol, target: Target, port| {
        let base = endpoint(Protocol::Tcp, 1_000);
        EndpointCheck {
            protocol,
            target,
            port,
            ..base
        }
        .host_header()
    };
    let https = || Protocol::Https(HttpProbe::try_new("/", None).expect("plain"), Sni::On);
    let name = || Target::Name("a.test".to_owned());
    assert_eq!(host(http(None), name(), 80), "a.test");
    assert_eq!(host(http(None), name(), 443), "a.test:443");
    assert_eq!(host(https(), name(), 443), "a.test");
    assert_eq!(host(https(), name(), 80), "a.test:80");
    let both = Target::AddressNamed(ADDRESS, "b.test".to_owned());
    assert_eq!(host(http(None), both, 80), "b.test");
    assert_eq!(
        host(http(None), Target::Address(ADDRESS), 8080),
        "192.0.2.1"
    );
    let six = Target::Address(IpAddr::V6(Ipv6Addr::LOCALHOST));
    assert_eq!(host(http(None), six, 80), "[::1]");
}

#[test]
fn texts_that_would_break_a_request_are_refused() {
    for path in ["/a b", "/a\r\nX: y", "/ä", &"x".repeat(255)] {
        assert!(HttpProbe::try_new(path, None).is_err(), "{path:?}");
    }
    for name in ["", "a b", "a\r\n", "a/b", "a:1", &"x".repeat(256)] {
        assert!(Target::try_new(None, Some(name)).is_err(), "{name:?}");
    }
    assert!(HttpProbe::try_new("/", Some("")).is_err());
    assert!(HttpProbe::try_new("/", Some(&"x".repeat(256))).is_err());
    let path = |path| HttpProbe::try_new(path, None).map(|probe| probe.path().to_owned());
    assert_eq!(path(""), Ok("/".to_owned()));
    assert_eq!(path("health?deep=1"), Ok("/health?deep=1".to_owned()));
}

#[test]
fn numbers_out_of_range_are_refused() {
    assert_eq!(FailureThreshold::try_new(0), Err(BadCheck::Threshold(0)));
    assert_eq!(FailureThreshold::try_new(11), Err(BadCheck::Threshold(11)));
    assert!(Interval::try_new(Duration::from_millis(99)).is_err());
    assert!(Interval::try_new(Duration::from_millis(300_001)).is_err());
    assert_eq!(Target::try_new(None, None), Err(BadCheck::NoTarget));
    let child = CheckId::parse("child").expect("short");
    assert!(CalculatedCheck::try_new(vec![child.clone(); 255], 1).is_ok());
    assert!(CalculatedCheck::try_new(vec![child; 256], 1).is_err());
    assert!(CheckId::parse("").is_err());
    assert!(CheckId::parse(&"x".repeat(65)).is_err());
}

#[test]
fn an_id_stands_for_one_check() {
    let spec = |id: &str| {
        Arc::new(CheckSpec {
            id: CheckId::parse(id).expect("short"),
            kind: CheckKind::Endpoint(endpoint(Protocol::Tcp, 1_000)),
            inverted: false,
            disabled: false,
        })
    };
    assert!(Checks::try_new(1, vec![spec("a"), spec("b")]).is_ok());
    let twice = Checks::try_new(1, vec![spec("a"), spec("b"), spec("a")]);
    assert_eq!(twice.err(), Some(BadCheck::Twice("a".to_owned())));
    let many = (0..1_001).map(|at| spec(&format!("c{at}"))).collect();
    assert_eq!(
        Checks::try_new(1, many).err(),
        Some(BadCheck::TooMany(1_001))
    );
}
