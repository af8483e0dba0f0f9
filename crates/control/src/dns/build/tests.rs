//! Tests of building what a region answers from.

use super::{latency, zones};
use crate::dns::cidr::Collections;
use crate::dns::{Data, HostedZone, LatencyEntry, RecordSet, Routing};

fn hosted(id: &str, name: &str, created_micros: i64) -> HostedZone {
    HostedZone {
        id: id.to_owned(),
        account: "000000000000".to_owned(),
        name: name.to_owned(),
        caller_reference: id.to_owned(),
        comment: None,
        created_micros,
        name_servers: Vec::new(),
    }
}

fn set(zone: &str, name: &str, record_type: &str, value: &str) -> RecordSet {
    RecordSet {
        zone: zone.to_owned(),
        name: name.to_owned(),
        record_type: record_type.to_owned(),
        set_identifier: String::new(),
        routing: Routing::Simple,
        data: Data::Records {
            ttl: 60,
            values: vec![value.to_owned()],
        },
        health_check: None,
    }
}

#[test]
fn of_two_zones_with_one_name_the_older_is_answered() {
    let soa = |zone| set(zone, "a.test", "SOA", "ns. root. 1 1 1 1 1");
    let (zones, problems) = zones(
        vec![
            (hosted("Z1", "a.test.", 20), vec![soa("Z1")]),
            (hosted("Z2", "a.test.", 10), vec![soa("Z2")]),
        ],
        &[],
        &Collections::new(),
    );
    assert_eq!(problems, []);
    let ids: Vec<_> = zones.all().iter().map(|zone| zone.id()).collect();
    assert_eq!(ids, ["HITHER", "Z2"]);
}

#[test]
fn what_makes_no_sense_is_named_and_the_rest_is_answered() {
    let (_, problems) = zones(
        vec![
            (
                hosted("Z1", "a.test.", 1),
                vec![
                    set("Z1", "a.test", "SOA", "ns. root. 1 1 1 1 1"),
                    set("Z1", "w.a.test", "A", "no address"),
                    set("Z1", "w.a.test", "LOC", "here"),
                ],
            ),
            (hosted("Z2", "..", 2), Vec::new()),
        ],
        &[],
        &Collections::new(),
    );
    let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "Z1 w.a.test A: value is not a valid IPv4 address in \"no address\"",
            "Z1 w.a.test LOC: the type is none",
            "Z2: the zone's name is none",
        ]
    );
}

#[test]
fn networks_are_read_from_text() {
    let entry = |network: &str| LatencyEntry {
        network: network.to_owned(),
        rtt_micros: [("eu-west-1".to_owned(), 1_500)].into(),
    };
    let entries = [
        entry("10.0.0.0/8"),
        entry("2001:db8::/32"),
        entry("10.0.0.0"),
        entry("x/8"),
    ];
    let (latency, problems) = latency(entries.iter());
    assert_eq!((latency.networks().len(), problems.len()), (2, 2));
    let located = latency.locate("10.1.2.3".parse().unwrap());
    assert_eq!(located.network.unwrap().rtts[0].1.to_string(), "1.5 ms");
}
