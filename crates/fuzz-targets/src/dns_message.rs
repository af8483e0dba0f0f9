//! Messages of DNS: as queries to answer, as replies to read, and as data of records.
//!
//! It opens no socket. Source: RFC 1035, RFC 6891.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use base::region::RegionName;
use base::units::Ttl;
use dns_core::answer::{Outcome, Transport, respond};
use dns_core::internal::RegionAddresses;
use dns_core::name::Name;
use dns_core::query;
use dns_core::rdata::Rdata;
use dns_core::record_type::RecordType;
use dns_core::response;
use dns_core::view::{Generation, View, ViewSource};
use dns_core::zone::{Data, Routing, SetSource, ZoneSource, build};
use dns_core::zones::Zones;

/// Takes the bytes of a message.
pub fn run(data: &[u8]) {
    if let Some(reply) = response::parse(data) {
        for record in &reply.answers {
            let _ = record.text();
        }
    }
    let _ = query::parse(data);
    let mut buffer = Vec::new();
    for transport in [Transport::Udp, Transport::Tcp] {
        let from = (IpAddr::V4(Ipv4Addr::LOCALHOST), transport);
        let outcome = respond(&VIEW, data, from, 7, &mut buffer);
        if let Outcome::Reply { .. } = outcome {
            let reply = response::parse(&buffer);
            let id = reply.expect("the reply can be read").id.to_be_bytes();
            assert_eq!(
                data.get(..2),
                Some(id.as_slice()),
                "it has the query's number"
            );
        }
    }
    if let Some(name) = Name::from_wire(data) {
        assert_eq!(Name::parse(&name.to_string()).as_ref(), Ok(&name));
    }
    for record_type in RecordType::all() {
        let Some(rdata) = Rdata::from_wire(record_type, data) else {
            continue;
        };
        let text = rdata.to_text(record_type);
        let again = Rdata::parse(record_type, &text);
        if let Ok(again) = again {
            assert_eq!(again, rdata, "{} {text:?}", record_type.as_str());
        }
    }
}

static VIEW: LazyLock<View> = LazyLock::new(|| {
    let region = RegionName::parse("us-east-1").expect("a region");
    let soa = "ns-1.us-east-1.hither.internal. hostmaster.test. 1 7200 900 1209600 30";
    let sets = [
        ("shop.test", "SOA", soa),
        ("shop.test", "NS", "ns-1.us-east-1.hither.internal."),
        ("www.shop.test", "A", "192.0.2.1"),
        ("*.shop.test", "TXT", "\"anything\""),
        ("alias.shop.test", "CNAME", "www.shop.test."),
    ];
    let (zone, problems) = build::zone(ZoneSource {
        id: "Z1".to_owned(),
        apex: Name::parse("shop.test").expect("a name"),
        sets: sets.map(set).into(),
    });
    assert_eq!(problems, [], "the zone is in order");
    let addresses = RegionAddresses {
        name: region.clone(),
        addresses: vec![IpAddr::V4(Ipv4Addr::new(198, 51, 100, 10))],
    };
    View::new(ViewSource {
        generation: Generation(1),
        region: region.id(),
        zones: Arc::new(Zones::new(vec![Arc::new(zone)], &[addresses])),
        health: Arc::default(),
        latency: Arc::default(),
        delays: Vec::new(),
    })
});

fn set((name, record_type, value): (&str, &str, &str)) -> SetSource {
    let record_type = RecordType::parse(record_type).expect("a type");
    SetSource {
        name: Name::parse(name).expect("a name"),
        record_type,
        set_identifier: String::new(),
        routing: Routing::Simple,
        health: None,
        data: Data::Records {
            ttl: Ttl::seconds(60),
            values: vec![Rdata::parse(record_type, value).expect("a value")],
        },
    }
}
