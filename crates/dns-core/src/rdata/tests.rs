//! Tests of record data: texts to wire and back, and what is wrong with others.

use proptest::prelude::*;

use super::{BadName, Fault, Rdata};
use crate::record_type::RecordType;

#[track_caller]
fn check(record_type: &str, value: &str, wire: &[u8]) {
    let record_type = RecordType::parse(record_type).unwrap();
    let rdata = Rdata::parse(record_type, value).unwrap();
    assert_eq!(rdata.as_wire(), wire);
    let again = Rdata::parse(record_type, &rdata.to_text(record_type)).unwrap();
    assert_eq!(again, rdata, "{}", rdata.to_text(record_type));
    assert_eq!(Rdata::from_wire(record_type, wire), Some(rdata));
}

#[track_caller]
fn refuse(record_type: &str, value: &str, fault: Fault) {
    let record_type = RecordType::parse(record_type).unwrap();
    let bad = Rdata::parse(record_type, value).unwrap_err();
    assert_eq!((bad.fault, bad.value.as_str()), (fault, value));
}

#[test]
fn each_type_has_its_wire_form() {
    check("A", "192.0.2.1", &[192, 0, 2, 1]);
    check(
        "AAAA",
        "2001:db8::1",
        b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01",
    );
    check("CAA", "0 issue \"ca.test\"", b"\0\x05issueca.test");
    check("CNAME", "a.test", b"\x01a\x04test\0");
    check(
        "DS",
        "60485 5 1 2BB183AF",
        b"\xec\x45\x05\x01\x2b\xb1\x83\xaf",
    );
    check("MX", "10 mail.test.", b"\0\x0a\x04mail\x04test\0");
    check("MX", "0 .", b"\0\0\0");
    check(
        "NAPTR",
        "100 50 \"s\" \"z3950+I2L\" \"\" _z._tcp.test.",
        b"\0\x64\0\x32\x01s\x09z3950+I2L\0\x02_z\x04_tcp\x04test\0",
    );
    check("NS", "ns-1.test.", b"\x04ns-1\x04test\0");
    check("PTR", "host.test", b"\x04host\x04test\0");
    check(
        "SOA",
        "ns.test. root.test. 1 7200 900 1209600 86400",
        b"\x02ns\x04test\0\x04root\x04test\0\0\0\0\x01\
          \0\0\x1c\x20\0\0\x03\x84\0\x12\x75\0\0\x01\x51\x80",
    );
    check("SPF", "\"v=spf1 -all\"", b"\x0bv=spf1 -all");
    check(
        "SRV",
        "1 10 5269 x.test.",
        b"\0\x01\0\x0a\x14\x95\x01x\x04test\0",
    );
    check("SSHFP", "2 1 123456789a", b"\x02\x01\x12\x34\x56\x78\x9a");
    check("TLSA", "3 1 1 d2ab de24", b"\x03\x01\x01\xd2\xab\xde\x24");
    check("TXT", "\"a b\" \"c\\\"d\"", b"\x03a b\x03c\"d");
    check("TXT", "\"a\"\"b\"", b"\x01a\x01b");
    check("TXT", "\"\\344\"", b"\x01\xe4");
    check("TXT", "\"\"", b"\0");
}

#[test]
fn letters_of_values_keep_their_case() {
    check("CNAME", "Shop.Test.", b"\x04Shop\x04Test\0");
}

/// Source: RFC 9460, appendix D.
#[test]
fn service_bindings_follow_the_test_vectors() {
    check(
        "HTTPS",
        "0 foo.example.com.",
        b"\0\0\x03foo\x07example\x03com\0",
    );
    check("SVCB", "1 .", b"\0\x01\0");
    check(
        "SVCB",
        "16 foo.example.com. port=53",
        b"\0\x10\x03foo\x07example\x03com\0\0\x03\0\x02\0\x35",
    );
    check(
        "SVCB",
        "1 foo.example.com. key667=hello",
        b"\0\x01\x03foo\x07example\x03com\0\x02\x9b\0\x05hello",
    );
    check(
        "SVCB",
        "1 foo.example.com. ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
        b"\0\x01\x03foo\x07example\x03com\0\0\x06\0\x20\
          \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\
          \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x53\0\x01",
    );
    check(
        "SVCB",
        "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
        b"\0\x10\x03foo\x07example\x03org\0\
          \0\0\0\x04\0\x01\0\x04\0\x01\0\x09\x02h2\x05h3-19\0\x04\0\x04\xc0\0\x02\x01",
    );
    check(
        "SVCB",
        r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#,
        b"\0\x10\x03foo\x07example\x03org\0\0\x01\0\x0c\x08f\\oo,bar\x02h2",
    );
}

#[test]
fn wrong_service_bindings_are_refused() {
    let bad = |text: &str| Fault::Parameter(text.to_owned());
    refuse("SVCB", "1 a.test key123=a key123=b", bad("key123=b"));
    refuse("SVCB", "1 a.test mandatory=alpn", bad("mandatory"));
    refuse(
        "SVCB",
        "1 a.test mandatory=mandatory",
        bad("mandatory=mandatory"),
    );
    refuse(
        "SVCB",
        "1 a.test no-default-alpn=abc",
        bad("no-default-alpn=abc"),
    );
    refuse("SVCB", "1 a.test no-default-alpn", bad("no-default-alpn"));
    refuse("SVCB", "1 a.test port=", bad("port="));
    refuse("HTTPS", "1 a.test alpn", bad("alpn"));
    refuse("HTTPS", "1 a.test colour=red", bad("colour=red"));
    refuse("HTTPS", "1 a.test key007=x", bad("key007=x"));
}

#[test]
fn service_bindings_have_one_form_on_the_wire() {
    let https = RecordType::parse("HTTPS").unwrap();
    let read = |parameters: &[u8]| Rdata::from_wire(https, &[b"\0\x01\0", parameters].concat());
    assert!(read(b"\0\x03\0\x02\x01\xbb").is_some());
    for malformed in [
        b"\0\x04\0\x04\xc0\0\x02\x01\0\x03\0\x02\x01\xbb".as_slice(), // ipv4hint, port
        b"\0\x03\0\x02\x01\xbb\0\x03\0\x02\x01\xbb",                  // port twice
        b"\0\x00\0\x04\0\x04\0\x03",                                  // mandatory, descending
        b"\0\x01\0\x04\0\x02h2",                                      // an empty protocol
        b"\0\x02\0\x01x",                                             // a value where none is
    ] {
        assert_eq!(read(malformed), None, "{malformed:?}");
    }
}

#[test]
fn tags_from_a_message_are_letters_and_digits() {
    let caa = RecordType::parse("CAA").unwrap();
    for tag in [b"\0\x03\rww".as_slice(), b"\0\x03a b", b"\0\0value"] {
        assert_eq!(Rdata::from_wire(caa, tag), None, "{tag:?}");
    }
    assert!(Rdata::from_wire(caa, b"\0\x05issue").is_some());
}

#[test]
fn wrong_values_say_what_is_wrong() {
    refuse("A", "256.0.0.1", Fault::Ipv4);
    refuse("A", "1.2.3", Fault::Ipv4);
    refuse("A", "", Fault::Ipv4);
    refuse("A", "1.2.3.4 5.6.7.8", Fault::Ipv4);
    refuse("AAAA", "1.2.3.4", Fault::Ipv6);
    refuse("CNAME", "", Fault::Name(BadName::Empty));
    refuse("CNAME", "a..b", Fault::Name(BadName::LabelEmpty));
    refuse("CNAME", "a b", Fault::Name(BadName::Unsupported));
    refuse("MX", "mail.test", Fault::Number { bits: 16 });
    refuse("MX", "10", Fault::FieldCount { expected: 2 });
    refuse("MX", "10 a.test b.test", Fault::FieldCount { expected: 2 });
    refuse("MX", "70000 a.test", Fault::Number { bits: 16 });
    refuse("TXT", "plain", Fault::NotQuoted);
    refuse("TXT", "\"open", Fault::NotQuoted);
    refuse("TXT", "", Fault::NotQuoted);
    refuse(
        "TXT",
        &format!("\"{}\"", "x".repeat(256)),
        Fault::StringTooLong,
    );
    refuse("CAA", "0 is-sue \"x\"", Fault::Tag);
    refuse("CAA", "0 issue x", Fault::NotQuoted);
    refuse("DS", "1 1 1 abc", Fault::Hex);
    refuse("TLSA", "3 1 1", Fault::FieldCount { expected: 4 });
}

proptest! {
    #[test]
    fn no_value_makes_the_parser_fail(value in "[ -~\\\\\"]{0,60}", bytes: Vec<u8>) {
        for record_type in RecordType::all() {
            if let Ok(rdata) = Rdata::parse(record_type, &value) {
                let text = rdata.to_text(record_type);
                prop_assert_eq!(Rdata::parse(record_type, &text), Ok(rdata), "{}", text);
            }
            if let Some(rdata) = Rdata::from_wire(record_type, &bytes) {
                prop_assert_eq!(rdata.as_wire(), &bytes[..]);
            }
        }
    }

    #[test]
    fn any_strings_come_back(strings in prop::collection::vec("[\\x00-\\x7f]{0,40}", 1..4)) {
        let wire: Vec<u8> = strings
            .iter()
            .flat_map(|s| [&[u8::try_from(s.len()).unwrap()][..], s.as_bytes()].concat())
            .collect();
        let rdata = Rdata::from_wire(RecordType::Txt, &wire).unwrap();
        prop_assert_eq!(Rdata::parse(RecordType::Txt, &rdata.to_text(RecordType::Txt)), Ok(rdata));
    }
}
