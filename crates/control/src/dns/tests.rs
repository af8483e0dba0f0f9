//! Tests of ids and keys.

use dns_core::name::Name;

use super::{RecordSet, check_id, zone_id};

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
