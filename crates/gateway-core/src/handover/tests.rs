//! Handovers that are believed, and all the ways in which they are not.

use proptest::prelude::*;

use super::*;

const NOW: WallTime = WallTime::from_micros(1_800_000_000_000_000);

fn handover() -> Handover {
    Handover {
        from: RegionName::parse("us-east-1").unwrap(),
        arrival: Arrival {
            client: "2001:db8::1".parse().unwrap(),
            security: Security::Tls,
            port: 8443,
            id: RequestId::new(3, 4),
            at: WallTime::from_micros(1_799_999_999_990_000),
        },
        left: Duration::from_millis(12_345),
    }
}

fn bound<'r>(method: &'r Method, path: &'r str) -> Bound<'r> {
    Bound {
        method,
        authority: "api.shop.test:8443",
        path_and_query: path,
    }
}

fn verify(value: &HeaderValue, now: WallTime, path: &str) -> Result<Handover, BadHandover> {
    let key = HandoverKey::derive(b"secret");
    Handover::verify(now, &key, bound(&Method::GET, path), value)
}

fn signed() -> HeaderValue {
    let key = HandoverKey::derive(b"secret");
    handover().sign(NOW, &key, bound(&Method::GET, "/a?b"))
}

#[test]
fn what_is_signed_is_read() {
    assert_eq!(verify(&signed(), NOW, "/a?b"), Ok(handover()));
}

#[test]
fn another_request_key_or_time_is_refused() {
    let value = signed();
    assert_eq!(verify(&value, NOW, "/a?c"), Err(BadHandover::Forged));
    let put = bound(&Method::PUT, "/a?b");
    let key = HandoverKey::derive(b"secret");
    assert_eq!(
        Handover::verify(NOW, &key, put, &value),
        Err(BadHandover::Forged)
    );
    let other = HandoverKey::derive(b"other");
    let same = bound(&Method::GET, "/a?b");
    assert_eq!(
        Handover::verify(NOW, &other, same, &value),
        Err(BadHandover::Forged)
    );
    let shifted = |seconds: i64| WallTime::from_micros(NOW.as_micros() + seconds * 1_000_000);
    assert_eq!(verify(&value, shifted(31), "/a?b"), Err(BadHandover::Stale));
    assert_eq!(
        verify(&value, shifted(-31), "/a?b"),
        Err(BadHandover::Stale)
    );
    assert_eq!(verify(&value, shifted(29), "/a?b"), Ok(handover()));
}

proptest! {
    #[test]
    fn a_changed_byte_is_noticed(at in 0_usize..200, to in 0x20_u8..0x7f) {
        let mut bytes = signed().as_bytes().to_vec();
        let at = at % bytes.len();
        // The digits of the signature mean the same in either case.
        prop_assume!(!bytes[at].eq_ignore_ascii_case(&to));
        bytes[at] = to;
        let value = HeaderValue::from_bytes(&bytes).unwrap();
        prop_assert!(verify(&value, NOW, "/a?b").is_err());
    }

    #[test]
    fn no_text_ends_the_process(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            prop_assert!(verify(&value, NOW, "/").is_err());
        }
    }
}
