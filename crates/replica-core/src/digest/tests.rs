//! Tests of digests.

use base::region::RegionId;
use clock::hlc::{Hlc, Version};

use super::Digest;

#[test]
fn order_does_not_matter_and_what_goes_out_leaves_nothing() {
    let (v, w) = (
        Version {
            hlc: Hlc(1),
            origin: RegionId(1),
        },
        Version::default(),
    );
    let (mut one, mut two) = (Digest::default(), Digest::default());
    one.add(b"a", v, b"1");
    one.add(b"b", w, b"2");
    two.add(b"b", w, b"2");
    two.add(b"a", v, b"1");
    assert_eq!(one, two);
    two.remove(b"a", v, b"1");
    assert_ne!(one, two);
    two.remove(b"b", w, b"2");
    assert_eq!(two, Digest::default());
}

#[test]
fn key_and_image_do_not_run_into_each_other() {
    let v = Version::default();
    let (mut one, mut two) = (Digest::default(), Digest::default());
    one.add(b"ab", v, b"c");
    two.add(b"a", v, b"bc");
    assert_ne!(one, two);
}
