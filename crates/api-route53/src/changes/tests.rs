//! Tests of batches: what they make of a zone, and Route 53's words for what is wrong.

use base::region::RegionName;
use control::dns::cidr::Collections;
use control::dns::{Data, HostedZone, RecordSet, Routing};
use dns_core::cidr::Collection;
use dns_core::name::Name;
use dns_core::record_type::RecordType;

use super::{Action, Change, Sets, Targets, Zone, apply};

fn set(name: &str, record_type: &str, values: &[&str]) -> RecordSet {
    RecordSet {
        zone: "Z1".to_owned(),
        name: Name::parse(name).unwrap().to_string(),
        record_type: record_type.to_owned(),
        set_identifier: String::new(),
        routing: Routing::Simple,
        data: Data::Records {
            ttl: 60,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        },
        health_check: None,
    }
}

fn routed(id: &str, routing: Routing, set: RecordSet) -> RecordSet {
    RecordSet {
        set_identifier: id.to_owned(),
        routing,
        ..set
    }
}

fn alias(name: &str, zone: &str, target: &str) -> RecordSet {
    RecordSet {
        data: Data::Alias {
            hosted_zone_id: zone.to_owned(),
            dns_name: Name::parse(target).unwrap().to_string(),
            evaluate_target_health: true,
        },
        ..set(name, "A", &[])
    }
}

fn a(name: &str) -> RecordSet {
    set(name, "A", &["192.0.2.1"])
}

fn weighted(id: &str) -> RecordSet {
    routed(id, Routing::Weighted(1), a("w.z.test"))
}

fn latency(id: &str, region: &str) -> RecordSet {
    routed(id, Routing::Latency(region.to_owned()), a("l.z.test"))
}

fn collections() -> Collections {
    let held = |id: &str| {
        let block = ("192.0.2.0/24".parse().unwrap(), "office".to_owned());
        let collection = Collection::new(id.to_owned(), vec![block]);
        (id.to_owned(), std::sync::Arc::new(collection))
    };
    Collections::from([held("c-1"), held("c-2")])
}

fn cidr(id: &str, collection: &str, location: &str) -> RecordSet {
    let routing = Routing::Cidr {
        collection: collection.to_owned(),
        location: location.to_owned(),
    };
    routed(id, routing, a("c.z.test"))
}

#[test]
fn sets_of_cidr_routing_share_a_collection_and_no_location() {
    let create = |before: Vec<RecordSet>, set| run(before, vec![(Create, set)]);
    assert_eq!(create(vec![], cidr("1", "c-1", "office")), Ok(1));
    assert_eq!(
        create(vec![cidr("1", "c-1", "office")], cidr("2", "c-1", "*")),
        Ok(2)
    );
    let refused = |before, set| create(before, set).unwrap_err().remove(0);
    let place = "RRSet with DNS name c.z.test., type A, SetIdentifier 2";
    assert_eq!(
        refused(vec![], cidr("2", "c-3", "*")),
        format!("{place} names no CIDR collection: c-3")
    );
    assert_eq!(
        refused(vec![], cidr("2", "c-1", "home")),
        format!("{place} names no location of CIDR collection c-1: home")
    );
    assert_eq!(
        refused(vec![cidr("1", "c-1", "*")], cidr("2", "c-2", "office")),
        format!(
            "{place}, and CIDR collection c-2 cannot be created because a CIDR RRSet with the same \
             name and type uses another CIDR collection."
        )
    );
    assert_eq!(
        refused(vec![cidr("1", "c-1", "*")], cidr("2", "c-1", "*")),
        format!(
            "{place}, and CIDR location * cannot be created because a CIDR RRSet with the same \
             name, type and location already exists."
        )
    );
    let weighted = routed("1", Routing::Weighted(1), a("c.z.test"));
    assert_eq!(
        refused(vec![weighted], cidr("2", "c-1", "*")),
        format!("{place} cannot be created as a non-CIDR set exists with the same name and type.")
    );
}

use Action::{Create, Delete, Upsert};

/// Applies a batch to a zone with these sets; returns how many sets there are, or the messages.
fn run(before: Vec<RecordSet>, batch: Vec<(Action, RecordSet)>) -> Result<usize, Vec<String>> {
    let key = |set: &RecordSet| {
        RecordSet::key(
            &Name::parse(&set.name).unwrap(),
            &set.record_type,
            &set.set_identifier,
        )
    };
    let required = [
        set("z.test", "NS", &["ns.test"]),
        set("z.test", "SOA", &["ns. root. 1 1 1 1 1"]),
    ];
    let sets: Sets = required
        .into_iter()
        .chain(before)
        .map(|set| (key(&set), set))
        .collect();
    let hosted = HostedZone {
        id: "Z1".to_owned(),
        account: "000000000000".to_owned(),
        name: "z.test.".to_owned(),
        caller_reference: "r".to_owned(),
        comment: None,
        created_micros: 0,
        name_servers: Vec::new(),
    };
    let region = RegionName::parse("eu-west-1").unwrap();
    let zone = Zone {
        hosted: &hosted,
        apex: Name::parse("z.test").unwrap(),
        sets,
        targets: Targets {
            regions: vec![&region],
        },
        collections: &collections(),
    };
    let batch: Vec<Change> = batch
        .into_iter()
        .map(|(action, set)| Change {
            action,
            name: Name::parse(&set.name).unwrap(),
            record_type: RecordType::parse(&set.record_type).unwrap(),
            set,
        })
        .collect();
    apply(&zone, &batch).map(|after| after.len() - 2)
}

#[track_caller]
fn refuse(before: Vec<RecordSet>, batch: Vec<(Action, RecordSet)>, message: &str) {
    assert_eq!(run(before, batch), Err(vec![message.to_owned()]));
}

#[test]
fn a_batch_creates_replaces_and_removes() {
    let other = set("a.z.test", "A", &["192.0.2.2"]);
    assert_eq!(run(vec![], vec![(Create, a("a.z.test"))]), Ok(1));
    assert_eq!(run(vec![a("a.z.test")], vec![(Upsert, other)]), Ok(1));
    assert_eq!(run(vec![], vec![(Upsert, a("a.z.test"))]), Ok(1));
    assert_eq!(
        run(vec![a("a.z.test")], vec![(Delete, a("a.z.test"))]),
        Ok(0)
    );
    // One type gives way to another in one batch.
    let cname = set("a.z.test", "CNAME", &["b.test"]);
    let batch = vec![(Delete, a("a.z.test")), (Create, cname)];
    assert_eq!(run(vec![a("a.z.test")], batch), Ok(1));
}

#[test]
fn what_is_there_or_is_not_is_named() {
    refuse(
        vec![a("a.z.test")],
        vec![(Create, a("a.z.test"))],
        "Tried to create resource record set [name='a.z.test.', type='A'] but it already exists",
    );
    refuse(
        vec![weighted("one")],
        vec![(Create, weighted("one"))],
        "Tried to create resource record set [name='w.z.test.', type='A', set-identifier='one'] \
         but it already exists",
    );
    refuse(
        vec![],
        vec![(Delete, a("a.z.test"))],
        "Tried to delete resource record set [name='a.z.test.', type='A'] but it was not found",
    );
    refuse(
        vec![a("a.z.test")],
        vec![(Delete, set("a.z.test", "A", &["192.0.2.9"]))],
        "Tried to delete resource record set [name='a.z.test.', type='A'] but the values provided \
         do not match the current values",
    );
    let gone = vec![(Delete, a("a.z.test")), (Delete, a("a.z.test"))];
    assert_eq!(run(vec![a("a.z.test")], gone).unwrap_err().len(), 1);
}

#[test]
fn what_is_removed_may_leave_its_policy_out_and_order_its_values_otherwise() {
    let bare = routed("one", Routing::Simple, a("w.z.test"));
    assert_eq!(run(vec![weighted("one")], vec![(Delete, bare)]), Ok(0));
    let both = set("a.z.test", "A", &["192.0.2.1", "192.0.2.2"]);
    let turned = set("a.z.test", "A", &["192.0.2.2", "192.0.2.1"]);
    assert_eq!(run(vec![both], vec![(Delete, turned)]), Ok(0));
}

#[test]
fn names_have_their_place() {
    refuse(
        vec![],
        vec![(Create, a("a.test"))],
        "RRSet with DNS name a.test. is not permitted in zone z.test.",
    );
    refuse(
        vec![],
        vec![(Create, set("z.test", "CNAME", &["b.test"]))],
        "RRSet of type CNAME with DNS name z.test. is not permitted at apex in zone z.test.",
    );
    refuse(
        vec![set("a.z.test", "CNAME", &["b.test"])],
        vec![(Create, a("a.z.test"))],
        "RRSet of type A with DNS name a.z.test. is not permitted because a conflicting RRSet of \
         type  CNAME with the same DNS name already exists in zone z.test.",
    );
    refuse(
        vec![a("a.z.test")],
        vec![(Create, set("a.z.test", "CNAME", &["b.test"]))],
        "RRSet of type CNAME with DNS name a.z.test. is not permitted as it conflicts with other \
         records with the same DNS name in zone z.test.",
    );
    refuse(
        vec![],
        vec![(Delete, set("z.test", "NS", &["ns.test"]))],
        "A HostedZone must contain at least one NS record for the zone itself.",
    );
}

#[test]
fn sets_of_one_name_and_type_share_a_policy() {
    refuse(
        vec![a("w.z.test")],
        vec![(Create, weighted("one"))],
        "RRSet with DNS name w.z.test., type A, SetIdentifier one cannot be created as a \
         non-weighted set exists with the same name and type.",
    );
    refuse(
        vec![weighted("one")],
        vec![(Create, a("w.z.test"))],
        "RRSet with DNS name w.z.test., type A cannot be created as other RRSets exist with the \
         same name and type.",
    );
    let mut slow = weighted("two");
    slow.data = Data::Records {
        ttl: 61,
        values: vec!["192.0.2.1".to_owned()],
    };
    refuse(
        vec![weighted("one")],
        vec![(Create, slow)],
        "RRSet with DNS name w.z.test., type A, SetIdentifier two cannot be created as weighted \
         sets must contain the same TTL.",
    );
    refuse(
        vec![latency("one", "eu-west-1")],
        vec![(Create, latency("two", "eu-west-1"))],
        "RRSet with DNS name l.z.test., type A, SetIdentifier two, and Region Name=eu-west-1 \
         cannot be created because a latency RRSet with the same name, type and region already \
         exists.",
    );
    let all = ["eu-west-1", "us-east-1"].map(|region| (Create, latency(region, region)));
    assert_eq!(run(vec![], all.into()), Ok(2));
}

#[test]
fn aliases_lead_to_sets_of_their_zone_or_to_gateways() {
    let target = vec![a("t.z.test")];
    let zone = |name: &str, target: &str| vec![(Create, alias(name, "Z1", target))];
    assert_eq!(run(target, zone("a.z.test", "t.z.test")), Ok(2));
    refuse(
        vec![],
        zone("a.z.test", "t.z.test"),
        "Tried to create an alias that targets t.z.test., type A in zone Z1, but that target was \
         not found",
    );
    refuse(
        vec![],
        zone("a.z.test", "t.test"),
        "Tried to create an alias that targets t.test., type A in zone Z1, but the alias target \
         name does not lie within the target zone",
    );
    let gateway = "d-1.execute-api.eu-west-1.hither.internal";
    let to = |zone: &str| vec![(Create, alias("a.z.test", zone, gateway))];
    assert_eq!(run(vec![], to("ZHITHER000006")), Ok(1));
    refuse(
        vec![],
        to("Z2FDTNDATAQYW2"),
        "Tried to create an alias that targets d-1.execute-api.eu-west-1.hither.internal., type A \
         in zone Z2FDTNDATAQYW2, but that target was not found",
    );
    refuse(
        vec![],
        zone("a.z.test", "a.z.test"),
        "alias a.z.test. A leads to a.z.test., which answers nothing",
    );
}

#[test]
fn wrong_values_are_worded_as_route_53_words_them() {
    let value = |record_type: &str, value: &str| {
        run(
            vec![],
            vec![(Create, set("a.z.test", record_type, &[value]))],
        )
        .unwrap_err()
        .remove(0)
    };
    assert_eq!(
        value("A", "nowhere"),
        "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid \
         IPv4 address) encountered with 'nowhere''"
    );
    assert_eq!(
        value("TXT", "v=spf1"),
        "Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed \
         in quotation marks) encountered with 'v=spf1''"
    );
    assert_eq!(
        value("MX", "mail"),
        "Invalid Resource Record: 'FATAL problem: MXRRDATAIllegalField (Field is not a number of \
         at most 16 bits) encountered with 'mail''"
    );
}

#[test]
fn every_mistake_is_named_at_once() {
    let batch = vec![
        (Create, a("a.test")),
        (Delete, a("b.z.test")),
        (Create, alias("c.z.test", "Z1", "none.z.test")),
    ];
    assert_eq!(run(vec![], batch).unwrap_err().len(), 3);
}

#[test]
fn batches_have_a_size() {
    let records = |action: Action, count: usize| {
        let values: Vec<String> = (0..count)
            .map(|n| format!("10.0.{}.{}", n / 250, n % 250))
            .collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let sets = values.chunks(400).enumerate();
        sets.map(|(at, values)| (action, set(&format!("s{at}.z.test"), "A", values)))
            .collect()
    };
    let limit = "Number of records limit of 1000 exceeded.";
    assert_eq!(run(vec![], records(Create, 1_000)), Ok(3));
    refuse(vec![], records(Create, 1_001), limit);
    refuse(vec![], records(Upsert, 501), limit);
    let long = format!("\"{}\"", "x".repeat(250)).repeat(15);
    let sets = (0..9).map(|at| (Create, set(&format!("s{at}.z.test"), "TXT", &[&long])));
    refuse(
        vec![],
        sets.collect(),
        "Number of characters limit of 32000 exceeded.",
    );
}
