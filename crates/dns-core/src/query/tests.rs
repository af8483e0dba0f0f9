//! Tests of reading queries: what is answered, what is an error, what is dropped.

use std::net::IpAddr;

use proptest::prelude::*;

use super::{ClientSubnet, Edns, Parsed, Query, encode, parse};
use crate::name::Name;
use crate::reply::Rcode;

fn edns(subnet: &str) -> Edns {
    let (address, source) = subnet.split_once('/').unwrap();
    Edns {
        payload: 1232,
        version: 0,
        dnssec_ok: true,
        subnet: Some(ClientSubnet {
            address: address.parse::<IpAddr>().unwrap(),
            source: source.parse().unwrap(),
        }),
    }
}

fn packet(edns: Option<Edns>) -> Vec<u8> {
    encode(Name::parse("a.test").unwrap().as_wire(), 1, edns)
}

#[track_caller]
fn query(packet: &[u8]) -> Query<'_> {
    let Parsed::Query(query) = parse(packet) else {
        panic!("{packet:?} is no query");
    };
    query
}

#[track_caller]
fn refuse(packet: &[u8], expected: Rcode) {
    let Parsed::Error { rcode, .. } = parse(packet) else {
        panic!("{packet:?} is no error");
    };
    assert_eq!(rcode, expected);
}

#[test]
fn a_query_comes_back_as_it_was_written() {
    for edns in [
        None,
        Some(edns("192.0.2.0/24")),
        Some(edns("2001:db8::/32")),
        Some(edns("0.0.0.0/0")),
    ] {
        let packet = packet(edns);
        let query = query(&packet);
        assert_eq!(
            (query.name(), query.qtype, query.edns),
            (&b"\x01a\x04test\0"[..], 1, edns)
        );
        assert!(query.class_in);
    }
}

#[test]
fn a_subnet_holds_no_bits_past_its_own() {
    let network = |address: &str, source| ClientSubnet::new(address.parse().unwrap(), source);
    let shown = |subnet: ClientSubnet| subnet.address.to_string();
    assert_eq!(shown(network("192.0.2.77", 24)), "192.0.2.0");
    assert_eq!(shown(network("192.0.2.77", 32)), "192.0.2.77");
    assert_eq!(shown(network("192.0.2.77", 0)), "0.0.0.0");
    assert_eq!(shown(network("2001:db8:1:2:3::", 48)), "2001:db8:1::");
}

#[test]
fn letters_do_not_matter() {
    let mut packet = packet(None);
    packet[13] = b'A';
    assert_eq!(query(&packet).name(), b"\x01a\x04test\0");
    assert_eq!(&query(&packet).question[..2], b"\x01A");
}

#[test]
fn what_has_no_header_or_is_an_answer_is_dropped() {
    let mut answer = packet(None);
    answer[2] = 0x80;
    for packet in [&b""[..], &answer[..11], &answer] {
        assert!(matches!(parse(packet), Parsed::Drop));
    }
}

#[test]
fn other_opcodes_are_not_implemented() {
    let mut notify = packet(None);
    notify[2] = 4 << 3;
    refuse(&notify, Rcode::NotImplemented);
}

#[test]
fn malformed_queries_are_format_errors() {
    let whole = packet(Some(edns("192.0.2.0/24")));
    for cut in 12..whole.len() {
        refuse(&whole[..cut], Rcode::FormatError);
    }
    let with = |at: usize, byte: u8| {
        let mut packet = whole.clone();
        packet[at] = byte;
        packet
    };
    // Two questions; an answer in a query; a pointer; a label type that does not exist.
    for packet in [
        with(5, 2),
        with(5, 0),
        with(7, 1),
        with(12, 0xc0),
        with(12, 0x40),
    ] {
        refuse(&packet, Rcode::FormatError);
    }
    refuse(&[&whole[..], b"x"].concat(), Rcode::FormatError);
    let opt = &whole[24 - 4..];
    let mut two = [&whole[..], opt].concat();
    two[11] = 2;
    refuse(&two, Rcode::FormatError);
    two[11] = 9;
    refuse(&two, Rcode::FormatError);
}

#[test]
fn malformed_subnets_are_format_errors() {
    let whole = packet(Some(edns("192.0.2.0/24")));
    let end = whole.len();
    let with = |back: usize, byte: u8| {
        let mut packet = whole.clone();
        packet[end - back] = byte;
        packet
    };
    // The option ends: family, family, source, scope, three octets.
    refuse(&with(4, 8), Rcode::FormatError);
    refuse(&with(5, 33), Rcode::FormatError);
    refuse(&with(5, 16), Rcode::FormatError);
    refuse(&with(5, 20), Rcode::FormatError);
    assert_eq!(query(&with(6, 9)).edns.unwrap().subnet, None);
}

#[test]
fn names_that_never_end_are_format_errors() {
    let mut packet = vec![0; 12];
    packet[5] = 1;
    for _ in 0..200 {
        packet.extend(b"\x01a");
    }
    packet.extend([0, 0, 1, 0, 1]);
    refuse(&packet, Rcode::FormatError);
}

proptest! {
    #[test]
    fn no_packet_makes_the_parser_fail(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut packet = packet(Some(edns("192.0.2.0/24")));
        let _ = parse(&bytes);
        for (place, byte) in packet.iter_mut().skip(2).zip(bytes) {
            *place ^= byte & 0x11;
        }
        let _ = parse(&packet);
    }
}
