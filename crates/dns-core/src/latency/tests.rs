//! Tests of finding a client's network, against a search through all of them.

use std::net::IpAddr;

use base::region::RegionId;
use proptest::prelude::*;

use super::{Latency, Network};
use crate::prefix::range;

fn network(text: &str) -> Network {
    let (address, prefix) = text.split_once('/').unwrap();
    Network {
        address: address.parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        rtts: vec![(
            RegionId(1),
            super::Rtt::from_duration(std::time::Duration::from_millis(1)),
        )],
    }
}

#[track_caller]
fn check(networks: &[&str], client: &str, found: Option<&str>, scope: u8) {
    let latency = Latency::new(networks.iter().map(|text| network(text)).collect());
    let located = latency.locate(client.parse().unwrap());
    let shown = located.network.map(ToString::to_string);
    assert_eq!((shown.as_deref(), located.scope), (found, scope));
}

#[test]
fn the_longest_prefix_wins() {
    let nested = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"];
    check(&nested, "10.1.2.3", Some("10.1.2.0/24"), 24);
    check(&nested, "10.200.0.1", Some("10.0.0.0/8"), 9);
    check(&["10.0.0.0/8"], "10.1.2.3", Some("10.0.0.0/8"), 8);
    check(&["10.0.0.0/8"], "::ffff:10.1.2.3", Some("10.0.0.0/8"), 8);
    check(
        &["2001:db8::/32"],
        "2001:db8:5::1",
        Some("2001:db8::/32"),
        32,
    );
    check(&["192.0.2.7/32"], "192.0.2.7", Some("192.0.2.7/32"), 32);
    check(&["0.0.0.0/0"], "192.0.2.7", Some("0.0.0.0/0"), 0);
}

#[test]
fn the_scope_never_covers_a_smaller_network_beside_the_client() {
    let nested = ["10.0.0.0/8", "10.1.0.0/16"];
    check(&nested, "10.0.0.1", Some("10.0.0.0/8"), 16);
    check(&nested, "10.2.0.1", Some("10.0.0.0/8"), 15);
    check(&nested, "10.128.0.1", Some("10.0.0.0/8"), 9);
}

#[test]
fn where_nothing_is_known_the_scope_is_the_gap() {
    check(&[], "192.0.2.1", None, 0);
    check(&["2001:db8::/32"], "192.0.2.1", None, 0);
    check(&["10.0.0.0/8"], "192.0.2.1", None, 1);
    check(&["10.0.0.0/8"], "11.0.0.1", None, 8);
}

fn any_network() -> impl Strategy<Value = Network> {
    // Few bits, so that networks nest and meet.
    let v4 = (0_u8..16, 0_u8..=8)
        .prop_map(|(high, prefix)| (IpAddr::from([high << 4, 0, 0, 0]), prefix));
    let v6 = (0_u16..16, 0_u8..=8)
        .prop_map(|(high, prefix)| (IpAddr::from([high << 12, 0, 0, 0, 0, 0, 0, 0]), prefix));
    prop_oneof![v4, v6].prop_map(|(address, prefix)| Network {
        address,
        prefix,
        rtts: Vec::new(),
    })
}

proptest! {
    #[test]
    fn lookup_agrees_with_a_search(
        networks in prop::collection::vec(any_network(), 0..12),
        high: u8,
        six: bool,
    ) {
        let address = |high: u8| {
            if six {
                IpAddr::from([u16::from(high) << 8, 0, 0, 0, 0, 0, 0, 1])
            } else {
                IpAddr::from([high, 0, 0, 1])
            }
        };
        let client = address(high);
        let search = |client: IpAddr| {
            let (family, key, _) = range(client, u8::MAX);
            networks
                .iter()
                .filter(|network| {
                    let (of, start, end) = range(network.address, network.prefix);
                    of == family && start <= key && key <= end
                })
                .map(|network| network.prefix)
                .max()
        };
        let latency = Latency::new(networks.clone());
        let located = latency.locate(client);
        prop_assert_eq!(located.network.map(|network| network.prefix), search(client));
        // Every other client within the scope has the same network.
        for other in 0..=u8::MAX {
            let shared = u32::from(located.scope.min(8));
            if (u32::from(other ^ high) << 24).leading_zeros() >= shared {
                let same = latency.locate(address(other)).network.map(ToString::to_string);
                prop_assert_eq!(same, located.network.map(ToString::to_string));
            }
        }
    }
}
