//! What is CBOR that requests have, and what is not.

use serde_json::{Value, json};

use super::{Writer, parse};
use crate::limits::{CBOR_DEPTH_MAX, CBOR_VALUES_MAX};

fn reads(bytes: &[u8], value: &Value) {
    assert_eq!(&parse(bytes).expect("it can be read"), value);
}

/// The examples of RFC 8949, appendix A, as far as requests have them.
#[test]
fn values_are_read() {
    reads(&[], &json!({}));
    reads(&[0x00], &json!(0));
    reads(&[0x18, 0x64], &json!(100));
    reads(&[0x19, 0x03, 0xe8], &json!(1000));
    reads(&[0x1a, 0x00, 0x0f, 0x42, 0x40], &json!(1_000_000));
    reads(
        &[0x1b, 0, 0, 0, 0xe8, 0xd4, 0xa5, 0x10, 0],
        &json!(1_000_000_000_000_u64),
    );
    reads(&[0x38, 0x63], &json!(-100));
    reads(&[0xf9, 0x3c, 0x00], &json!(1.0));
    reads(&[0xf9, 0xc4, 0x00], &json!(-4.0));
    reads(&[0xf9, 0x00, 0x01], &json!(5.960_464_477_539_063e-8));
    reads(&[0xfa, 0x47, 0xc3, 0x50, 0x00], &json!(100_000.0));
    reads(
        &[0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a],
        &json!(1.1),
    );
    reads(&[0xf5], &json!(true));
    reads(&[0xf6], &Value::Null);
    reads(&[0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0], &json!(1_363_896_240));
    reads(b"\x64IETF", &json!("IETF"));
    reads(b"\x7f\x65strea\x64ming\xff", &json!("streaming"));
    reads(
        &[0x83, 0x01, 0x82, 0x02, 0x03, 0x9f, 0x04, 0xff],
        &json!([1, [2, 3], [4]]),
    );
    reads(b"\xa1\x61a\x01", &json!({"a": 1}));
    reads(
        b"\xbf\x63Fun\xf5\x63Amt\x21\xff",
        &json!({"Fun": true, "Amt": -2}),
    );
}

#[test]
fn what_is_no_request_is_refused() {
    let deep = vec![0x81; CBOR_DEPTH_MAX + 2];
    let cases: [&[u8]; 13] = [
        &[0x18],
        &[0x1c],
        &[0x1f],
        &[0x42, 1, 2],
        &[0x62, b'a'],
        &[0x61, 0xff],
        &[0x82, 0x01],
        &[0xa1, 0x01, 0x02],
        &[0x9f, 0x01],
        &[0x7f, 0x41, b'a', 0xff],
        &[0xff],
        &[0x01, 0x01],
        &[0xf9, 0x7e, 0x00],
    ];
    for bytes in cases.into_iter().chain([&*deep]) {
        let fault = parse(bytes).expect_err("it is no request");
        assert_eq!(fault.code, "SerializationException", "{bytes:x?}");
    }
    // A length that nothing stands behind takes no memory.
    assert!(parse(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
    assert!(parse(&[0x7b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
}

#[test]
fn what_is_written_is_read() {
    let mut writer = Writer::default();
    let long = "x".repeat(70_000);
    writer.map(3);
    writer.text("Times");
    writer.array(3);
    for secs in [23, 1_000, 1_763_900_000] {
        writer.moment(secs);
    }
    writer.text("Value");
    writer.number(1.5);
    writer.text("Long");
    writer.text(&long);
    let wanted = json!({"Times": [23, 1_000, 1_763_900_000], "Value": 1.5, "Long": long});
    reads(&writer.finish(), &wanted);
}

#[test]
fn values_are_counted_whatever_holds_them() {
    let values = |count: usize| [&[0x9f], vec![0xf6; count].as_slice(), &[0xff]].concat();
    assert!(parse(&values(CBOR_VALUES_MAX - 1)).is_ok());
    assert!(parse(&values(CBOR_VALUES_MAX)).is_err());
}
