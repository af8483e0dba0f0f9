//! Tests of ids and keys.

use dns_core::name::Name;

use super::{LatencyEntry, RecordSet, check_id, zone_id};

#[test]
fn ids_follow_from_the_call_and_have_route_53s_shape() {
    let id = zone_id("000000000000", "call-1");
    assert_eq!(id, zone_id("000000000000", "call-1"));
    assert_ne!(id, zone_id("000000000000", "call-2"));
    assert_ne!(id, zone_id("111111111111", "call-1"));
    assert!(id.len() == 21 && id.starts_with('Z'), "{id}");
    let id = check_id("000000000000", "call-1");
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
}

#[test]
fn keys_are_ordered_by_name_then_type_then_identifier() {
    let key = |name: &str, record_type: &str, id: &str| {
        RecordSet::key(&Name::parse(name).unwrap(), record_type, id)
    };
    let keys = [
        key("z.test", "NS", ""),
        key("z.test", "SOA", ""),
        key("*.z.test", "A", ""),
        key("a.z.test", "A", ""),
        key("a.z.test", "A", "b"),
        key("a.z.test", "AAAA", ""),
        key("b.a.z.test", "A", ""),
        key("a-b.z.test", "A", ""),
    ];
    // A hyphen sorts before the dot that ends a label, so `a-b` comes before `a`.
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(sorted[..3], keys[..3]);
    assert_eq!(sorted[3], keys[7]);
    assert_eq!(sorted[4..], keys[3..7]);
}

#[test]
fn entries_that_make_no_sense_say_why() {
    let problem = |network: &str, region: &str| {
        let entry = LatencyEntry {
            network: network.to_owned(),
            rtt_micros: [(region.to_owned(), 1)].into(),
        };
        entry.problem()
    };
    assert_eq!(problem("10.0.0.0/8", "eu-west-1"), None);
    assert_eq!(problem("2001:db8::/48", "eu-west-1"), None);
    assert_eq!(
        problem("10.0.0.0", "eu-west-1").as_deref(),
        Some("\"10.0.0.0\" is no network such as 192.0.2.0/24")
    );
    assert_eq!(
        problem("10.0.0.0/33", "eu-west-1").as_deref(),
        Some("\"10.0.0.0/33\" has too long a prefix")
    );
    assert_eq!(
        problem("10.0.0.0/8", "EU").as_deref(),
        Some("\"EU\" is no region")
    );
}
