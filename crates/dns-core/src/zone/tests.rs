//! Tests of laying out zones whose record sets contradict each other.

use base::region::RegionName;
use base::units::Ttl;

use super::build::{Problem, zone};
use super::{AliasTo, Data, Found, Routing, SetSource, Target, Zone, ZoneSource};
use crate::limits::ALIAS_CHAIN_MAX;
use crate::name::Name;
use crate::rdata::Rdata;
use crate::record_type::RecordType;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn set(owner: &str, record_type: RecordType, value: &str) -> SetSource {
    SetSource {
        name: name(owner),
        record_type,
        set_identifier: String::new(),
        routing: Routing::Simple,
        health: None,
        data: Data::Records {
            ttl: Ttl::seconds(60),
            values: vec![Rdata::parse(record_type, value).unwrap()],
        },
    }
}

fn alias(owner: &str, target: &str) -> SetSource {
    SetSource {
        data: Data::Alias {
            target: name(target),
            evaluate_target_health: true,
        },
        ..set(owner, RecordType::A, "192.0.2.1")
    }
}

fn lay_out(sets: Vec<SetSource>) -> (Zone, Vec<String>) {
    let soa = set("z.test", RecordType::Soa, "a. b. 1 1 1 1 1");
    let (zone, problems) = zone(ZoneSource {
        id: "Z".to_owned(),
        apex: name("z.test"),
        sets: std::iter::once(soa).chain(sets).collect(),
    });
    (zone, problems.iter().map(ToString::to_string).collect())
}

fn types_at(zone: &Zone, owner: &str) -> Vec<RecordType> {
    let Found::Node(node) = zone.find(name(owner).as_wire()) else {
        panic!("{owner} does not exist");
    };
    RecordType::all()
        .filter(|record_type| zone.group_of(node, record_type.code()).is_some())
        .collect()
}

fn leads_to(zone: &Zone, owner: &str) -> AliasTo {
    let Found::Node(node) = zone.find(name(owner).as_wire()) else {
        panic!("{owner} does not exist");
    };
    match &zone.group_of(node, RecordType::A.code()).unwrap().entries[0].target {
        Target::Alias { to, .. } => *to,
        Target::Records(_) => panic!("{owner} is no alias"),
    }
}

#[test]
fn a_cname_beside_other_records_is_left_out() {
    let (zone, problems) = lay_out(vec![
        set("a.z.test", RecordType::Cname, "b.test"),
        set("a.z.test", RecordType::Txt, "\"x\""),
        set("z.test", RecordType::Cname, "b.test"),
    ]);
    assert_eq!(
        problems,
        [
            "CNAME of a.z.test. conflicts with other records of that name",
            "CNAME of z.test. conflicts with other records of that name",
        ]
    );
    assert_eq!(types_at(&zone, "a.z.test"), [RecordType::Txt]);
}

#[test]
fn sets_of_another_policy_are_left_out() {
    let weighted = |id: &str| SetSource {
        set_identifier: id.to_owned(),
        routing: Routing::Weighted(1),
        ..set("a.z.test", RecordType::A, "192.0.2.1")
    };
    let latency = SetSource {
        routing: Routing::Latency(RegionName::parse("eu-west-1").unwrap()),
        ..weighted("m")
    };
    let (_, problems) = lay_out(vec![latency, weighted("z"), weighted("b")]);
    assert_eq!(
        problems,
        ["set \"m\" of a.z.test. A has another routing policy"]
    );
}

#[test]
fn names_outside_and_sets_without_values_are_left_out() {
    let mut empty = set("a.z.test", RecordType::A, "192.0.2.1");
    empty.data = Data::Records {
        ttl: Ttl::seconds(1),
        values: Vec::new(),
    };
    let (zone, problems) = lay_out(vec![empty, set("a.test", RecordType::A, "192.0.2.1")]);
    assert_eq!(
        problems,
        ["a.z.test. A has no value", "a.test. lies outside the zone"]
    );
    assert!(matches!(
        zone.find(name("a.z.test").as_wire()),
        Found::NameError
    ));
}

#[test]
fn a_zone_without_soa_says_so() {
    let (_, problems) = zone(ZoneSource {
        id: "Z".to_owned(),
        apex: name("z.test"),
        sets: Vec::new(),
    });
    assert_eq!(problems, [Problem::NoSoa]);
}

#[test]
fn aliases_in_circles_and_to_nothing_answer_nothing() {
    let (zone, problems) = lay_out(vec![
        alias("a.z.test", "b.z.test"),
        alias("b.z.test", "a.z.test"),
        alias("c.z.test", "none.z.test"),
        alias("d.z.test", "a.other.test"),
        alias("e.z.test", "x.execute-api.eu-west-1.hither.internal"),
    ]);
    assert_eq!(problems.len(), 4, "{problems:?}");
    for dead in ["a.z.test", "b.z.test", "c.z.test", "d.z.test"] {
        assert_eq!(leads_to(&zone, dead), AliasTo::Nowhere, "{dead}");
    }
    assert_eq!(leads_to(&zone, "e.z.test"), AliasTo::Internal);
}

#[test]
fn alias_chains_have_a_bound() {
    let chain = |length: usize| {
        let mut sets: Vec<_> = (0..length)
            .map(|at| alias(&format!("a{at}.z.test"), &format!("a{}.z.test", at + 1)))
            .collect();
        sets.push(set(
            &format!("a{length}.z.test"),
            RecordType::A,
            "192.0.2.1",
        ));
        let (zone, problems) = lay_out(sets);
        (
            leads_to(&zone, "a0.z.test") != AliasTo::Nowhere,
            problems.len(),
        )
    };
    assert_eq!(chain(ALIAS_CHAIN_MAX), (true, 0));
    assert!(!chain(ALIAS_CHAIN_MAX + 1).0);
    assert!(!chain(100).0);
}
