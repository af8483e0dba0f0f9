//! Tests of request numbers.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use clock::port::Entropy;

use super::{RequestId, RequestIds};

#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn random(&self) -> u64 {
        self.0.fetch_add(0x0123_4567_89ab_cdef, Ordering::Relaxed)
    }
}

#[test]
fn both_forms_have_aws_shapes() {
    let id = RequestIds::new(&Counting::default()).next();
    let long = id.as_base32();
    assert_eq!(long.len(), 52);
    assert!(
        long.iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    );
    let uuid = id.as_uuid();
    let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(uuid.as_bytes()[14], b'4');
}

#[test]
fn every_bit_of_the_number_is_seen_in_the_long_form() {
    let zero = RequestId::from_bits([0; 4]).as_base32();
    for bit in 0..256_usize {
        let mut bits = [0_u64; 4];
        bits[bit / 64] = 1 << (bit % 64);
        assert_ne!(RequestId::from_bits(bits).as_base32(), zero, "bit {bit}");
    }
}

#[test]
fn numbers_do_not_repeat() {
    let ids = RequestIds::new(&Counting::default());
    let long: BTreeSet<[u8; 52]> = (0..10_000).map(|_| ids.next().as_base32()).collect();
    assert_eq!(long.len(), 10_000);
}
