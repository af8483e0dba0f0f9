//! Tests of which differences are told from delays.

use bytes::Bytes;

use base::region::RegionId;
use clock::hlc::{Hlc, Version};

use super::{Look, differing_buckets, differing_groups, look};
use crate::digest::Digest;
use crate::inquiry::{Entry, FANOUT, Held};

/// `5` is an item of stamp 5, `-5` a tombstone of that stamp, 0 nothing.
fn entry(stamp: i64) -> Vec<Entry> {
    let version = Version {
        hlc: Hlc(stamp.abs()),
        origin: RegionId(1),
    };
    let sum = (0 < stamp).then(|| Digest(u128::from(stamp.unsigned_abs())));
    let held = Held { version, sum };
    let key = Bytes::from_static(b"key");
    Vec::from_iter((stamp != 0).then_some(Entry { key, held }))
}

#[track_caller]
fn check((before, theirs, after): (i64, i64, i64), differ: usize, moving: usize) {
    let Look {
        differences,
        moving: found,
    } = look(&entry(before), &entry(theirs), &entry(after));
    let what = format!("{before} {theirs} {after}");
    assert_eq!((differences.len(), found), (differ, moving), "{what}");
    for difference in differences {
        assert_eq!(difference.ours.is_some(), after != 0, "{what}");
        assert_eq!(difference.theirs.is_some(), theirs != 0, "{what}");
    }
}

#[test]
fn what_stays_different_differs_and_what_is_on_its_way_does_not() {
    // The same all the time, and other there.
    check((5, 6, 5), 1, 0);
    check((6, 5, 6), 1, 0);
    check((5, 0, 5), 1, 0);
    check((0, 5, 0), 1, 0);
    check((5, -6, 5), 1, 0);
    check((-6, 5, -6), 1, 0);
    // The same.
    check((5, 5, 5), 0, 0);
    check((0, -5, 0), 0, 0);
    check((-5, 0, -5), 0, 0);
    check((-5, -6, -5), 0, 0);
    check((5, 5, 9), 0, 0);
    check((4, 5, 5), 0, 0);
    // Written meanwhile, in order.
    check((4, 5, 6), 0, 0);
    check((0, 5, -6), 0, 0);
    check((4, -5, 6), 0, 0);
    // Written meanwhile: there is a write missing, or a tombstone is collected already.
    check((5, 4, 6), 0, 1);
    check((5, 9, 6), 0, 1);
    check((-6, 5, 0), 0, 1);
}

#[test]
fn an_item_of_the_same_version_and_other_bytes_differs() {
    let mut theirs = entry(5);
    theirs[0].held.sum = Some(Digest(77));
    let found = look(&entry(5), &theirs, &entry(5));
    assert_eq!((found.differences.len(), found.moving), (1, 0));
}

#[test]
fn the_buckets_that_differ_are_found_through_their_groups() {
    let mut ours = vec![Digest(1); FANOUT];
    let theirs = ours.clone();
    assert!(differing_groups(&ours, &theirs).is_empty());
    ours[3] = Digest(2);
    ours[255] = Digest(2);
    assert_eq!(differing_groups(&ours, &theirs), [3, 255]);
    let mut ours = vec![Digest(1); 2 * FANOUT];
    let theirs = ours.clone();
    ours[0] = Digest(2);
    ours[FANOUT + 7] = Digest(2);
    let differing = differing_buckets(&[3, 255], &ours, &theirs);
    assert_eq!(Vec::from_iter(differing), [0x0300, 0xff07]);
    // What was not answered counts as different.
    assert_eq!(differing_groups(&[], &theirs[..1]), [0]);
}
