//! Tests of answers, in the form `dig` shows them.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base::region::RegionName;
use base::units::Ttl;
use proptest::prelude::*;

use super::{Outcome, Question, Transport, answer, respond};
use crate::cidr::Collection;
use crate::health::{CheckId, Health, HealthSource, Verdict};
use crate::internal::RegionAddresses;
use crate::latency::{Latency, Network, Rtt};
use crate::name::Name;
use crate::query::{ClientSubnet, Edns, encode};
use crate::rdata::Rdata;
use crate::record_type::RecordType;
use crate::reply::Rcode;
use crate::response::{self, Record, Response};
use crate::view::{Generation, View, ViewSource};
use crate::zone::{Data, Role, Routing, SetSource, ZoneSource, build};
use crate::zones::Zones;

fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

fn set(name: &str, record_type: &str, values: &[&str]) -> SetSource {
    let record_type = RecordType::parse(record_type).unwrap();
    SetSource {
        name: Name::parse(name).unwrap(),
        record_type,
        set_identifier: String::new(),
        routing: Routing::Simple,
        health: None,
        data: Data::Records {
            ttl: Ttl::seconds(60),
            values: values
                .iter()
                .map(|value| Rdata::parse(record_type, value).unwrap())
                .collect(),
        },
    }
}

fn alias(name: &str, target: &str) -> SetSource {
    let mut alias = set(name, "A", &[]);
    alias.data = Data::Alias {
        target: Name::parse(target).unwrap(),
        evaluate_target_health: true,
    };
    alias
}

fn routed(set: SetSource, set_identifier: &str, routing: Routing) -> SetSource {
    SetSource {
        set_identifier: set_identifier.to_owned(),
        routing,
        ..set
    }
}

fn checked(set: SetSource, check: &str) -> SetSource {
    SetSource {
        health: Some(HealthSource::Check(CheckId::new(check))),
        ..set
    }
}

const REGIONS: [(&str, &str, [u32; 3]); 3] = [
    ("us-east-1", "198.51.100.10", [10, 80, 160]),
    ("eu-west-1", "198.51.100.20", [80, 10, 210]),
    ("ap-northeast-1", "198.51.100.30", [160, 210, 10]),
];

/// The world of these tests: one zone, three regions, three networks of clients.
struct World {
    sets: Vec<SetSource>,
    health: Health,
    own: &'static str,
}

impl World {
    fn new(sets: Vec<SetSource>) -> Self {
        let soa = "ns-1.us-east-1.hither.internal. hostmaster.test. 1 7200 900 1209600 30";
        let mut all = vec![
            set("shop.test", "SOA", &[soa]),
            set("shop.test", "NS", &["ns-1.us-east-1.hither.internal."]),
        ];
        all.extend(sets);
        Self {
            sets: all,
            health: Health::default(),
            own: "us-east-1",
        }
    }

    fn sick(mut self, checks: &[&str]) -> Self {
        for check in checks {
            self.health
                .set_check(CheckId::new(check), Verdict::Unhealthy);
        }
        self
    }

    fn down(mut self, name: &str) -> Self {
        self.health
            .set_region(region(name).id(), Verdict::Unhealthy);
        self
    }

    fn seen_from(mut self, own: &'static str) -> Self {
        self.own = own;
        self
    }

    fn view(self) -> View {
        let (zone, problems) = build::zone(ZoneSource {
            id: "Z1".to_owned(),
            apex: Name::parse("shop.test").unwrap(),
            sets: self.sets,
        });
        assert_eq!(problems, []);
        let ids = REGIONS.map(|(name, ..)| region(name).id());
        let rtts = |row: [u32; 3]| {
            let rtts = row.map(|ms| Rtt::from_duration(Duration::from_millis(u64::from(ms))));
            ids.into_iter().zip(rtts).collect::<Vec<_>>()
        };
        let regions = REGIONS.map(|(name, address, _)| RegionAddresses {
            name: region(name),
            addresses: vec![address.parse().unwrap(), "2001:db8::10".parse().unwrap()],
        });
        // Clients in 10.N.0.0/16 are near region N.
        let networks = REGIONS.iter().zip(1..).map(|((.., row), number)| Network {
            address: IpAddr::from([10, number, 0, 0]),
            prefix: 16,
            rtts: rtts(*row),
        });
        let own = REGIONS.iter().find(|(name, ..)| *name == self.own).unwrap();
        View::new(ViewSource {
            generation: Generation(1),
            region: region(self.own).id(),
            zones: Arc::new(Zones::new(vec![Arc::new(zone)], &regions)),
            health: Arc::new(self.health),
            latency: Arc::new(Latency::new(networks.collect())),
            delays: rtts(own.2),
        })
    }

    fn ask(self, name: &str, record_type: &str) -> String {
        self.ask_for(name, record_type, "203.0.113.0/24")
    }

    fn ask_for(self, name: &str, record_type: &str, subnet: &str) -> String {
        let view = self.view();
        let question = question(name, record_type, subnet);
        let answer = answer(&view, &question, 7);
        show(&response::parse(&answer.response).unwrap())
    }
}

fn question(name: &str, record_type: &str, subnet: &str) -> Question {
    let (address, source) = subnet.split_once('/').unwrap();
    Question {
        name: Name::parse(name).unwrap(),
        record_type: RecordType::parse(record_type).unwrap(),
        resolver: "203.0.113.9".parse().unwrap(),
        subnet: Some(ClientSubnet {
            address: address.parse().unwrap(),
            source: source.parse().unwrap(),
        }),
    }
}

fn show(response: &Response) -> String {
    let rcode = Rcode::ALL
        .iter()
        .find(|rcode| rcode.code() == response.rcode)
        .unwrap();
    let mut text = rcode.as_str().to_owned();
    if response.authoritative {
        text.push_str(" aa");
    }
    if response.truncated {
        text.push_str(" tc");
    }
    let sections = [
        ("", &response.answers),
        ("authority: ", &response.authorities),
        ("additional: ", &response.additionals),
    ];
    for (title, records) in sections {
        for Record {
            name, code, ttl, ..
        } in records
        {
            let same = |other: &&Record| other.code == *code && other.name == *name;
            let data: Vec<_> = records
                .iter()
                .filter(same)
                .filter_map(Record::text)
                .collect();
            let shown = RecordType::from_code(*code).map_or("HINFO", RecordType::as_str);
            let data = data.join(" | ");
            let line = format!("\n{title}{name} {} {shown} {data}", ttl.as_secs());
            if !text.contains(&line) {
                text.push_str(&line);
            }
        }
    }
    if let Some(scope) = response.scope.filter(|scope| 0 < *scope) {
        write!(text, "\nscope /{scope}").unwrap();
    }
    text
}

const DENIED: &str = "authority: shop.test. 30 SOA \
    ns-1.us-east-1.hither.internal. hostmaster.test. 1 7200 900 1209600 30";

#[test]
fn plain_names_are_answered() {
    let world = || {
        World::new(vec![
            set("www.shop.test", "A", &["192.0.2.1"]),
            set("www.shop.test", "TXT", &["\"hello\""]),
        ])
    };
    assert_eq!(
        world().ask("www.shop.test", "A"),
        "NOERROR aa\nwww.shop.test. 60 A 192.0.2.1"
    );
    assert_eq!(
        world().ask("WWW.Shop.Test", "TXT"),
        "NOERROR aa\nwww.shop.test. 60 TXT \"hello\""
    );
    assert_eq!(
        world().ask("www.shop.test", "AAAA"),
        format!("NOERROR aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("no.shop.test", "A"),
        format!("NXDOMAIN aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("a.www.shop.test", "A"),
        format!("NXDOMAIN aa\n{DENIED}")
    );
    assert_eq!(world().ask("workshop.test", "A"), "REFUSED");
    assert_eq!(world().ask("test", "A"), "REFUSED");
}

#[test]
fn names_between_others_exist_and_are_empty() {
    let world = || World::new(vec![set("a.b.c.shop.test", "A", &["192.0.2.1"])]);
    assert_eq!(
        world().ask("b.c.shop.test", "A"),
        format!("NOERROR aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("c.shop.test", "A"),
        format!("NOERROR aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("d.shop.test", "A"),
        format!("NXDOMAIN aa\n{DENIED}")
    );
}

/// Source: RFC 4592 §2.2.1, with its names.
#[test]
fn wildcards_follow_the_rfc() {
    let world = || {
        World::new(vec![
            set("*.shop.test", "TXT", &["\"wild\""]),
            set("*.shop.test", "MX", &["10 host1.shop.test."]),
            set("sub.*.shop.test", "TXT", &["\"not a wildcard\""]),
            set("host1.shop.test", "A", &["192.0.2.1"]),
            set(
                "_ssh._tcp.host1.shop.test",
                "SRV",
                &["0 0 22 host1.shop.test."],
            ),
            set("subdel.shop.test", "NS", &["ns.example.com."]),
        ])
    };
    let mx = |name: &str| format!("NOERROR aa\n{name}. 60 MX 10 host1.shop.test.");
    assert_eq!(world().ask("host3.shop.test", "MX"), mx("host3.shop.test"));
    assert_eq!(
        world().ask("foo.bar.shop.test", "MX"),
        mx("foo.bar.shop.test")
    );
    assert_eq!(
        world().ask("host3.shop.test", "A"),
        format!("NOERROR aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("host1.shop.test", "MX"),
        format!("NOERROR aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("sub.*.shop.test", "MX"),
        format!("NOERROR aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("_telnet._tcp.host1.shop.test", "SRV"),
        format!("NXDOMAIN aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("host.subdel.shop.test", "A"),
        "NOERROR\nauthority: subdel.shop.test. 60 NS ns.example.com."
    );
    assert_eq!(
        world().ask("ghost.*.shop.test", "MX"),
        format!("NXDOMAIN aa\n{DENIED}")
    );
    assert_eq!(
        world().ask("*.shop.test", "TXT"),
        "NOERROR aa\n\\052.shop.test. 60 TXT \"wild\""
    );
}

#[test]
fn delegations_are_referred_with_their_addresses() {
    let world = || {
        World::new(vec![
            set(
                "eu.shop.test",
                "NS",
                &["ns.eu.shop.test.", "ns.example.com."],
            ),
            set("eu.shop.test", "DS", &["1 13 2 aabb"]),
            set("ns.eu.shop.test", "A", &["192.0.2.53"]),
            set("deep.eu.shop.test", "A", &["192.0.2.9"]),
        ])
    };
    let referral = "NOERROR\n\
        authority: eu.shop.test. 60 NS ns.eu.shop.test. | ns.example.com.\n\
        additional: ns.eu.shop.test. 60 A 192.0.2.53";
    for name in [
        "eu.shop.test",
        "x.eu.shop.test",
        "deep.eu.shop.test",
        "ns.eu.shop.test",
    ] {
        assert_eq!(world().ask(name, "A"), referral, "{name}");
    }
    assert_eq!(
        world().ask("eu.shop.test", "DS"),
        "NOERROR aa\neu.shop.test. 60 DS 1 13 2 aabb"
    );
}

#[test]
fn cnames_are_followed_as_far_as_our_zones_go() {
    let world = || {
        World::new(vec![
            set("www.shop.test", "CNAME", &["Real.shop.test"]),
            set("real.shop.test", "A", &["192.0.2.1"]),
            set("out.shop.test", "CNAME", &["www.example.com"]),
            set("dead.shop.test", "CNAME", &["none.shop.test"]),
            set(
                "gate.shop.test",
                "CNAME",
                &["x.execute-api.eu-west-1.hither.internal"],
            ),
            set("loop.shop.test", "CNAME", &["loop.shop.test"]),
        ])
    };
    assert_eq!(
        world().ask("www.shop.test", "A"),
        "NOERROR aa\nwww.shop.test. 60 CNAME Real.shop.test.\nreal.shop.test. 60 A 192.0.2.1"
    );
    assert_eq!(
        world().ask("www.shop.test", "CNAME"),
        "NOERROR aa\nwww.shop.test. 60 CNAME Real.shop.test."
    );
    assert_eq!(
        world().ask("www.shop.test", "AAAA"),
        format!("NOERROR aa\nwww.shop.test. 60 CNAME Real.shop.test.\n{DENIED}")
    );
    assert_eq!(
        world().ask("out.shop.test", "A"),
        "NOERROR aa\nout.shop.test. 60 CNAME www.example.com."
    );
    assert_eq!(
        world().ask("dead.shop.test", "A"),
        format!("NXDOMAIN aa\ndead.shop.test. 60 CNAME none.shop.test.\n{DENIED}")
    );
    assert_eq!(
        world().ask("gate.shop.test", "A"),
        "NOERROR aa\n\
         gate.shop.test. 60 CNAME x.execute-api.eu-west-1.hither.internal.\n\
         x.execute-api.eu-west-1.hither.internal. 5 A 198.51.100.20"
    );
    assert!(
        world()
            .ask("loop.shop.test", "A")
            .starts_with("NOERROR aa\nloop.shop.test. 60 CNAME")
    );
}

#[test]
fn names_hither_made_are_answered() {
    let world = || World::new(Vec::new());
    assert_eq!(
        world().ask("d-x.execute-api.eu-west-1.hither.internal", "AAAA"),
        "NOERROR aa\nd-x.execute-api.eu-west-1.hither.internal. 5 AAAA 2001:db8::10"
    );
    assert_eq!(
        world().ask("ns-1.us-east-1.hither.internal", "A"),
        "NOERROR aa\nns-1.us-east-1.hither.internal. 300 A 198.51.100.10"
    );
    assert_eq!(
        world().ask("shop.test", "NS"),
        "NOERROR aa\nshop.test. 60 NS ns-1.us-east-1.hither.internal.\n\
         additional: ns-1.us-east-1.hither.internal. 300 A 198.51.100.10\n\
         additional: ns-1.us-east-1.hither.internal. 300 AAAA 2001:db8::10"
    );
    // A region that is down still has an address when it alone was asked for.
    assert_eq!(
        world()
            .down("eu-west-1")
            .ask("x.execute-api.eu-west-1.hither.internal", "A"),
        "NOERROR aa\nx.execute-api.eu-west-1.hither.internal. 5 A 198.51.100.20"
    );
}

fn latency_aliases() -> World {
    World::new(
        REGIONS
            .iter()
            .map(|(name, ..)| {
                let target = format!("d-1.execute-api.{name}.hither.internal");
                let set = alias("api.shop.test", &target);
                checked(routed(set, name, Routing::Latency(region(name))), name)
            })
            .collect(),
    )
}

fn api(address: &str, scope: u8) -> String {
    format!("NOERROR aa\napi.shop.test. 5 A {address}\nscope /{scope}")
}

#[test]
fn clients_are_given_their_closest_healthy_region() {
    let ask = |world: World, subnet| world.ask_for("api.shop.test", "A", subnet);
    let (us, eu, ap) = ("198.51.100.10", "198.51.100.20", "198.51.100.30");
    assert_eq!(ask(latency_aliases(), "10.1.5.0/24"), api(us, 16));
    assert_eq!(ask(latency_aliases(), "10.2.5.0/24"), api(eu, 16));
    assert_eq!(ask(latency_aliases(), "10.3.5.0/24"), api(ap, 16));
    // Europe's check fails, or the region itself is down: the next closest takes its clients.
    assert_eq!(
        ask(latency_aliases().sick(&["eu-west-1"]), "10.2.5.0/24"),
        api(us, 16)
    );
    assert_eq!(
        ask(latency_aliases().down("eu-west-1"), "10.2.5.0/24"),
        api(us, 16)
    );
    let two = latency_aliases().sick(&["eu-west-1"]).down("us-east-1");
    assert_eq!(ask(two, "10.2.5.0/24"), api(ap, 16));
    // All fail: as if none did.
    let all = latency_aliases().sick(&["us-east-1", "eu-west-1", "ap-northeast-1"]);
    assert_eq!(ask(all, "10.2.5.0/24"), api(eu, 16));
}

#[test]
fn unknown_clients_are_given_the_region_that_answers_then_its_neighbours() {
    let ask = |world: World| world.ask_for("api.shop.test", "A", "198.18.0.0/24");
    let (us, eu, ap) = ("198.51.100.10", "198.51.100.20", "198.51.100.30");
    assert_eq!(
        ask(latency_aliases().seen_from("ap-northeast-1")),
        api(ap, 1)
    );
    assert_eq!(ask(latency_aliases().seen_from("eu-west-1")), api(eu, 1));
    let down = latency_aliases()
        .seen_from("ap-northeast-1")
        .down("ap-northeast-1");
    assert_eq!(ask(down), api(us, 1));
}

#[test]
fn without_a_subnet_the_resolvers_address_decides() {
    let view = latency_aliases().view();
    let packet = encode(Name::parse("api.shop.test").unwrap().as_wire(), 1, None);
    let mut buffer = Vec::new();
    let from = ("10.3.0.1".parse().unwrap(), Transport::Udp);
    respond(&view, &packet, from, 0, &mut buffer);
    let response = response::parse(&buffer).unwrap();
    assert_eq!(
        show(&response),
        "NOERROR aa\napi.shop.test. 5 A 198.51.100.30"
    );
    // A client that wants nothing told is placed by the resolver too, and the scope says so.
    let shown = latency_aliases().ask_for("api.shop.test", "A", "0.0.0.0/0");
    assert_eq!(shown, "NOERROR aa\napi.shop.test. 5 A 198.51.100.10");
}

#[test]
fn failover_takes_the_secondary_only_while_the_primary_is_unhealthy() {
    let world = || {
        let one = checked(set("a.shop.test", "A", &["192.0.2.1"]), "one");
        let two = checked(set("a.shop.test", "A", &["192.0.2.2"]), "two");
        World::new(vec![
            routed(two, "b", Routing::Failover(Role::Secondary)),
            routed(one, "z", Routing::Failover(Role::Primary)),
        ])
    };
    let a = |last| format!("NOERROR aa\na.shop.test. 60 A 192.0.2.{last}");
    assert_eq!(world().ask("a.shop.test", "A"), a(1));
    assert_eq!(world().sick(&["one"]).ask("a.shop.test", "A"), a(2));
    assert_eq!(world().sick(&["two"]).ask("a.shop.test", "A"), a(1));
    assert_eq!(world().sick(&["one", "two"]).ask("a.shop.test", "A"), a(1));
}

fn weighted(weights: &[u8], sick: &[&str]) -> Vec<usize> {
    let sets = weights.iter().zip(1..).map(|(weight, number)| {
        let plain = set("w.shop.test", "A", &[&format!("192.0.2.{number}")]);
        let id = format!("w{number}");
        checked(routed(plain, &id, Routing::Weighted(*weight)), &id)
    });
    let view = World::new(sets.collect()).sick(sick).view();
    let question = question("w.shop.test", "A", "203.0.113.0/24");
    let mut counts = vec![0; weights.len()];
    for seed in 0..4_000 {
        let answer = answer(&view, &question, seed);
        let response = response::parse(&answer.response).unwrap();
        assert_eq!(response.answers.len(), 1);
        counts[usize::from(response.answers[0].data[3]) - 1] += 1;
    }
    counts
}

#[track_caller]
fn near(count: usize, expected: usize) {
    assert!(
        count.abs_diff(expected) < 200,
        "{count} is far from {expected}"
    );
}

#[test]
fn weights_share_out_answers() {
    let counts = weighted(&[1, 3, 0], &[]);
    near(counts[0], 1_000);
    near(counts[1], 3_000);
    assert_eq!(counts[2], 0);
    let counts = weighted(&[1, 3, 0], &["w2"]);
    assert_eq!(counts, [4_000, 0, 0]);
    // Weight 0 steps in when all others are unhealthy, and shares evenly when there is only 0.
    assert_eq!(weighted(&[1, 3, 0], &["w1", "w2"]), [0, 0, 4_000]);
    let counts = weighted(&[0, 0], &[]);
    near(counts[0], 2_000);
    near(counts[1], 2_000);
    // All unhealthy: the weights rule as if all were well.
    let counts = weighted(&[1, 3, 0], &["w1", "w2", "w3"]);
    near(counts[0], 1_000);
    assert_eq!(counts[2], 0);
}

#[test]
fn multivalue_answers_up_to_eight_healthy_records_at_random() {
    let sets: Vec<_> = (1..=12)
        .map(|number| {
            let plain = set("m.shop.test", "A", &[&format!("192.0.2.{number}")]);
            let id = format!("m{number:02}");
            checked(routed(plain, &id, Routing::Multivalue), &id)
        })
        .collect();
    let question = question("m.shop.test", "A", "203.0.113.0/24");
    let ask = |sick: &[&str], seed| {
        let view = World::new(sets.clone()).sick(sick).view();
        let answer = answer(&view, &question, seed);
        let response = response::parse(&answer.response).unwrap();
        response
            .answers
            .iter()
            .map(|record| record.data[3])
            .collect::<Vec<u8>>()
    };
    let mut counts = [0; 13];
    for seed in 0..600 {
        let answers = ask(&["m01"], seed);
        assert_eq!(answers.len(), 8);
        for last in answers {
            counts[usize::from(last)] += 1;
        }
    }
    assert_eq!(counts[1], 0);
    for count in &counts[2..] {
        near(*count, 600 * 8 / 11);
    }
    let most: Vec<String> = (1..=10).map(|number| format!("m{number:02}")).collect();
    let most: Vec<&str> = most.iter().map(String::as_str).collect();
    assert_eq!(ask(&most, 0), [11, 12]);
    let all = [&most[..], &["m11", "m12"]].concat();
    assert_eq!(ask(&all, 0).len(), 8);
}

#[test]
fn aliases_pass_health_up_and_fail_open_below() {
    let world = |evaluate: bool| {
        let mut first = alias("a.shop.test", "b.shop.test");
        if let Data::Alias {
            evaluate_target_health,
            ..
        } = &mut first.data
        {
            *evaluate_target_health = evaluate;
        }
        let spare = set("a.shop.test", "A", &["192.0.2.9"]);
        World::new(vec![
            routed(first, "1", Routing::Failover(Role::Primary)),
            routed(spare, "2", Routing::Failover(Role::Secondary)),
            checked(
                routed(
                    set("b.shop.test", "A", &["192.0.2.1"]),
                    "x",
                    Routing::Weighted(1),
                ),
                "x",
            ),
            checked(
                routed(
                    set("b.shop.test", "A", &["192.0.2.2"]),
                    "y",
                    Routing::Weighted(0),
                ),
                "y",
            ),
        ])
    };
    let a = |last| format!("NOERROR aa\na.shop.test. 60 A 192.0.2.{last}");
    assert_eq!(world(true).ask("a.shop.test", "A"), a(1));
    assert_eq!(world(true).sick(&["x"]).ask("a.shop.test", "A"), a(2));
    assert_eq!(world(true).sick(&["x", "y"]).ask("a.shop.test", "A"), a(9));
    assert_eq!(world(false).sick(&["x", "y"]).ask("a.shop.test", "A"), a(1));
}

#[test]
fn questions_for_everything_and_odd_types_have_their_own_answers() {
    let view = World::new(vec![
        set("www.shop.test", "A", &["192.0.2.1"]),
        set("cn.shop.test", "CNAME", &["www.shop.test"]),
    ])
    .view();
    let ask = |name: &str, qtype: u16| {
        let edns = Edns {
            payload: 1232,
            version: 0,
            dnssec_ok: false,
            subnet: None,
        };
        let packet = encode(Name::parse(name).unwrap().as_wire(), qtype, Some(edns));
        let mut buffer = Vec::new();
        let from = ("203.0.113.9".parse().unwrap(), Transport::Udp);
        respond(&view, &packet, from, 0, &mut buffer);
        show(&response::parse(&buffer).unwrap())
    };
    assert_eq!(
        ask("www.shop.test", 255),
        "NOERROR aa\nwww.shop.test. 3600 HINFO "
    );
    assert_eq!(
        ask("cn.shop.test", 255),
        "NOERROR aa\ncn.shop.test. 60 CNAME www.shop.test."
    );
    assert_eq!(ask("no.shop.test", 255), format!("NXDOMAIN aa\n{DENIED}"));
    assert_eq!(ask("www.shop.test", 999), format!("NOERROR aa\n{DENIED}"));
    assert_eq!(ask("shop.test", 252), "REFUSED");
    assert_eq!(ask("shop.test", 254), "NOTIMP");
}

#[test]
fn what_does_not_fit_is_cut_and_comes_whole_by_tcp() {
    let values: Vec<String> = (0..60).map(|n| format!("\"{n:040}\"")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let view = World::new(vec![set("big.shop.test", "TXT", &values)]).view();
    let ask = |payload: Option<u16>, transport| {
        let edns = payload.map(|payload| Edns {
            payload,
            version: 0,
            dnssec_ok: false,
            subnet: None,
        });
        let packet = encode(Name::parse("big.shop.test").unwrap().as_wire(), 16, edns);
        let mut buffer = Vec::new();
        let outcome = respond(
            &view,
            &packet,
            ("10.1.0.1".parse().unwrap(), transport),
            3,
            &mut buffer,
        );
        let response = response::parse(&buffer).unwrap();
        assert_eq!(
            outcome,
            Outcome::Reply {
                rcode: Rcode::NoError,
                truncated: response.truncated
            }
        );
        (response.truncated, response.answers.len(), buffer.len())
    };
    assert_eq!(ask(None, Transport::Udp), (true, 0, 31));
    assert_eq!(ask(Some(65_535), Transport::Udp), (true, 0, 42));
    assert_eq!(ask(Some(4_096), Transport::Tcp).1, 60);
}

#[test]
fn versions_of_edns_that_do_not_exist_are_refused() {
    let view = World::new(Vec::new()).view();
    let edns = Edns {
        payload: 1232,
        version: 1,
        dnssec_ok: false,
        subnet: None,
    };
    let packet = encode(Name::parse("shop.test").unwrap().as_wire(), 6, Some(edns));
    let mut buffer = Vec::new();
    respond(
        &view,
        &packet,
        ("10.1.0.1".parse().unwrap(), Transport::Udp),
        0,
        &mut buffer,
    );
    assert_eq!(show(&response::parse(&buffer).unwrap()), "BADVERS");
}

#[test]
fn the_reasons_tell_the_whole_way() {
    let view = latency_aliases().sick(&["eu-west-1"]).view();
    let answer = answer(&view, &question("api.shop.test", "A", "10.2.5.0/24"), 0);
    let expected = "\
zone shop.test. (Z1) holds the name
api.shop.test. exists
client subnet 10.2.5.0 lies in 10.2.0.0/16 (scope /16)
candidate \"ap-northeast-1\": ap-northeast-1 at 210.0 ms, healthy
candidate \"eu-west-1\": eu-west-1 at 10.0 ms, unhealthy
candidate \"us-east-1\": us-east-1 at 80.0 ms, healthy
chosen \"us-east-1\" by latency routing
it answers what d-1.execute-api.us-east-1.hither.internal. answers
chosen \"\" by simple routing
";
    assert_eq!(answer.because.to_string(), expected);
}

proptest! {
    /// Whatever is unhealthy, a name that has records has an answer.
    #[test]
    fn health_never_empties_an_answer(sick in prop::collection::vec(any::<bool>(), 6), seed: u64) {
        let names = REGIONS.map(|(name, ..)| name);
        let mut world = latency_aliases();
        for (name, sick) in names.iter().zip(&sick) {
            if *sick {
                world = world.sick(&[name]);
            }
        }
        for (name, down) in names.iter().zip(&sick[3..]) {
            if *down {
                world = world.down(name);
            }
        }
        let answer = answer(&world.view(), &question("api.shop.test", "A", "10.2.5.0/24"), seed);
        let response = response::parse(&answer.response).unwrap();
        prop_assert_eq!(response.answers.len(), 1);
    }

    /// Whatever comes in, what goes out can be read, is no longer than allowed, and is its answer.
    #[test]
    fn every_packet_is_answered_or_dropped(
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        flips in prop::collection::vec((0_usize..60, any::<u8>()), 0..4),
        seed: u64,
    ) {
        let view = latency_aliases().view();
        let subnet = question("api.shop.test", "A", "10.2.5.0/24").subnet;
        let edns = Edns { payload: 1232, version: 0, dnssec_ok: true, subnet };
        let mut packet = encode(Name::parse("api.shop.test").unwrap().as_wire(), 1, Some(edns));
        for (at, byte) in flips {
            if let Some(place) = packet.get_mut(at) {
                *place = byte;
            }
        }
        let mut buffer = Vec::new();
        for packet in [&bytes, &packet] {
            let from = ("10.2.5.1".parse().unwrap(), Transport::Udp);
            let outcome = respond(&view, packet, from, seed, &mut buffer);
            if let Outcome::Reply { .. } = outcome {
                prop_assert!(buffer.len() <= 1232);
                prop_assert_eq!(&buffer[..2], &packet[..2]);
                prop_assert!(response::parse(&buffer).is_some());
            }
        }
    }
}

/// Sets of IP-based routing: nested blocks of two locations, and the default's set if wanted.
fn located(default: bool) -> World {
    let block = |block: &str, location: &str| (block.parse().unwrap(), location.to_owned());
    let blocks = vec![
        block("10.0.0.0/8", "wide"),
        block("10.1.0.0/16", "near"),
        block("10.1.2.0/24", "unused"),
    ];
    let collection = Arc::new(Collection::new("c-1".to_owned(), blocks));
    let locations = [("wide", 1), ("near", 2), ("*", 3)];
    let locations = locations.into_iter().take(if default { 3 } else { 2 });
    let sets = locations.map(|(location, last)| {
        let routing = Routing::Cidr {
            collection: Arc::clone(&collection),
            location: location.to_owned(),
        };
        let plain = set("c.shop.test", "A", &[&format!("192.0.2.{last}")]);
        checked(routed(plain, location, routing), location)
    });
    World::new(sets.collect())
}

#[test]
fn clients_are_given_the_set_of_the_smallest_block_around_them() {
    let c = |last: u8, scope: u8| {
        format!("NOERROR aa\nc.shop.test. 60 A 192.0.2.{last}\nscope /{scope}")
    };
    let ask = |world: World, subnet| world.ask_for("c.shop.test", "A", subnet);
    assert_eq!(ask(located(true), "10.2.0.0/24"), c(1, 15));
    assert_eq!(ask(located(true), "10.1.128.0/24"), c(2, 17));
    assert_eq!(ask(located(true), "11.0.0.0/24"), c(3, 8));
    // A location without a set leaves its clients to the block around it.
    assert_eq!(ask(located(true), "10.1.2.0/24"), c(2, 24));
    // A network that is wider than a block does not lie in it.
    assert_eq!(ask(located(true), "10.0.0.0/15"), c(1, 16));
    // Unhealthy: the block around, then the default; all that fit unhealthy: the smallest block.
    assert_eq!(
        ask(located(true).sick(&["near"]), "10.1.128.0/24"),
        c(1, 17)
    );
    let two = located(true).sick(&["near", "wide"]);
    assert_eq!(ask(two, "10.1.128.0/24"), c(3, 17));
    let all = located(true).sick(&["near", "wide", "*"]);
    assert_eq!(ask(all, "10.1.128.0/24"), c(2, 17));
    // A healthy set of another location is no answer to a client outside it.
    assert_eq!(ask(located(true).sick(&["*"]), "11.0.0.0/24"), c(3, 8));
    // Without a default, who lies nowhere is told that there is nothing.
    let none = format!("NOERROR aa\n{DENIED}\nscope /8");
    assert_eq!(ask(located(false), "11.0.0.0/24"), none);
    // Who wants nothing told is placed by the resolver.
    let plain = "NOERROR aa\nc.shop.test. 60 A 192.0.2.3";
    assert_eq!(ask(located(true), "0.0.0.0/0"), plain);
}

#[test]
fn the_reasons_name_the_block() {
    let view = located(true).sick(&["near"]).view();
    let answer = answer(&view, &question("c.shop.test", "A", "10.1.128.0/24"), 0);
    let expected = "\
zone shop.test. (Z1) holds the name
c.shop.test. exists
client subnet 10.1.128.0 lies in 10.1.0.0/16 of location near in CIDR collection c-1 (scope /17)
candidate \"*\": location *, healthy
candidate \"near\": location near, unhealthy
candidate \"wide\": location wide, healthy
chosen \"wide\" by IP-based routing
";
    assert_eq!(answer.because.to_string(), expected);
}
