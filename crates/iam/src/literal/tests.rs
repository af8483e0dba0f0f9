//! Moments, networks and truth as policies write them. No comparisons by operators.

use clock::time::WallTime;

use super::{Network, time, truth, write_time};

#[track_caller]
fn at(text: &str, seconds: i64) {
    assert_eq!(time(text), Some(seconds * 1_000_000), "{text}");
}

#[test]
fn moments_are_read_in_every_form_that_policies_have() {
    at("1970", 0);
    at("2020", 1_577_836_800);
    at("2020-03", 1_583_020_800);
    at("2020-02-29", 1_582_934_400);
    at("2020-04-01T00:00:00Z", 1_585_699_200);
    at("2020-04-01T00:00Z", 1_585_699_200);
    at("2020-04-01T02:00:00+02:00", 1_585_699_200);
    at("2020-03-31T19:30:00-0430", 1_585_699_200);
    at("20200401T000000Z", 1_585_699_200);
    at("2020-04-01T00:00:00", 1_585_699_200);
    at("1585699200", 1_585_699_200);
    at("-1", -1);
    assert_eq!(time("2020-04-01T00:00:00.25Z"), Some(1_585_699_200_250_000));
}

#[test]
fn what_is_no_moment_is_refused() {
    for text in [
        "",
        "yesterday",
        "2021-02-29",
        "2020-13",
        "2020-00-01",
        "2020-04-31",
        "2020-04-01T24:00Z",
        "2020-04-01T00:60Z",
        "2020-4-1",
        "2020-04-01T0:00Z",
        "2020-04-01T00:00:00.Z",
        "2020-04-01T00:00:00+25:00",
        "2020-04-01-01",
        "2020-04-01T00:00:00Zx",
        "ä020-01",
    ] {
        assert_eq!(time(text), None, "{text}");
    }
}

#[test]
fn moments_are_written_as_they_are_read() {
    for text in [
        "1969-12-31T23:59:59Z",
        "2000-02-29T12:34:56Z",
        "2026-12-01T00:00:00Z",
    ] {
        let micros = time(text).expect("a moment");
        assert_eq!(write_time(WallTime::from_micros(micros)), text);
    }
}

#[track_caller]
fn contains(network: &str, address: &str) -> bool {
    let network = Network::parse(network).expect("a network");
    network.contains(address.parse().expect("an address"))
}

#[test]
fn addresses_lie_in_their_networks() {
    assert!(contains("203.0.113.0/24", "203.0.113.255"));
    assert!(!contains("203.0.113.0/24", "203.0.114.0"));
    assert!(contains("203.0.113.7", "203.0.113.7"));
    assert!(!contains("203.0.113.7", "203.0.113.8"));
    assert!(contains("0.0.0.0/0", "255.255.255.255"));
    assert!(contains("10.1.2.3/8", "10.255.0.0"));
    assert!(contains("203.0.113.0/24", "::ffff:203.0.113.9"));
    assert!(contains(
        "2001:db8:1234:5678::/64",
        "2001:db8:1234:5678:ffff::1"
    ));
    assert!(!contains(
        "2001:db8:1234:5678::/64",
        "2001:db8:1234:5679::1"
    ));
    assert!(contains("::/0", "2001:db8::1"));
    assert!(!contains("::/0", "192.0.2.1"), "the kinds are apart");
    for text in [
        "",
        "203.0.113.0/33",
        "203.0.113/24",
        "::/129",
        "1.2.3.4/+8",
        "1.2.3.4/",
        "*",
    ] {
        assert_eq!(Network::parse(text), None, "{text}");
    }
}

#[test]
fn truth_has_no_case() {
    assert_eq!(
        (truth("true"), truth("FALSE"), truth("yes")),
        (Some(true), Some(false), None)
    );
}
