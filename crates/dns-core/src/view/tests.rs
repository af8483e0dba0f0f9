//! Tests of publishing views: never an older one, never one without an address.

use std::sync::Arc;

use base::region::{RegionId, RegionName};

use super::{Generation, Published, Refused, View, ViewSource};
use crate::health::Health;
use crate::internal::RegionAddresses;
use crate::latency::Latency;
use crate::zones::Zones;

fn view(generation: u64, regions: &[&str]) -> View {
    let regions: Vec<_> = regions
        .iter()
        .map(|name| RegionAddresses {
            name: RegionName::parse(name).unwrap(),
            addresses: vec!["192.0.2.1".parse().unwrap()],
        })
        .collect();
    View::new(ViewSource {
        generation: Generation(generation),
        region: RegionId(1),
        zones: Arc::new(Zones::new(Vec::new(), &regions)),
        health: Arc::new(Health::default()),
        latency: Arc::new(Latency::default()),
        delays: Vec::new(),
    })
}

#[test]
fn an_older_view_never_replaces_a_later_one() {
    let mut published = Published::new(view(5, &["us-east-1"]));
    for late in [4, 5] {
        let refused = published.offer(view(late, &["us-east-1"])).unwrap_err();
        let expected = Refused::NotLater {
            offered: Generation(late),
            current: Generation(5),
        };
        assert_eq!(refused, expected);
    }
    let accepted = published.offer(view(9, &["us-east-1"])).unwrap();
    assert_eq!(accepted.generation(), Generation(9));
    assert_eq!(published.current().generation(), Generation(9));
}

#[test]
fn a_view_without_addresses_never_replaces_one_that_has_some() {
    let mut published = Published::new(view(1, &[]));
    assert!(
        published
            .offer(view(2, &["us-east-1", "eu-west-1"]))
            .is_ok()
    );
    let refused = published.offer(view(3, &[])).unwrap_err();
    assert_eq!(
        refused,
        Refused::NoRegion {
            offered: Generation(3)
        }
    );
    assert_eq!(published.current().generation(), Generation(2));
}
