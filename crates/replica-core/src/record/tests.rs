//! Tests of the record's bytes.

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, Version};

use super::{Change, Record, WireError};
use crate::merge::Stamp;
use crate::vector::{Seq, VersionVector};

fn sample() -> Record {
    let seen = VersionVector::from_iter([(RegionId(1), Seq(7)), (RegionId(6), Seq(9))]);
    let put = Change {
        table: TableId(1 << 20),
        key: Bytes::from_static(b"key"),
        image: Some(Bytes::from_static(b"image")),
        stamp: None,
        merged: None,
    };
    let delete = Change {
        table: TableId(3),
        key: Bytes::from_static(b"k"),
        image: None,
        stamp: None,
        merged: None,
    };
    Record {
        origin: RegionId(6),
        seq: Seq(9),
        hlc: Hlc(44),
        seen,
        changes: vec![put, delete],
    }
}

#[test]
fn what_is_written_is_read() {
    let record = sample();
    assert_eq!(Record::decode(record.encode().into()), Ok(record));
}

#[test]
fn every_cut_and_every_newer_format_is_an_error() {
    let bytes = sample().encode();
    for length in 0..bytes.len() {
        assert!(
            Record::decode(Bytes::copy_from_slice(&bytes[..length])).is_err(),
            "{length}"
        );
    }
    let mut newer = bytes.clone();
    newer[0] = 6;
    let error = WireError::Newer {
        what: "a record",
        found: 6,
        known: 5,
    };
    assert_eq!(Record::decode(newer.into()), Err(error));
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(Record::decode(longer.into()), Err(WireError::Trailing(1)));
}

#[test]
fn a_change_with_a_stamp_of_its_own_is_the_newer_format_and_all_others_the_older() {
    let plain = sample();
    assert_eq!(plain.encode()[0], 1, "an older build reads it");
    let mut expiry = sample();
    expiry.changes[1].stamp = Some(ended(6, 9));
    let bytes = expiry.encode();
    assert_eq!(bytes[0], 2);
    assert_eq!(Record::decode(bytes.clone().into()), Ok(expiry.clone()));
    assert_eq!(expiry.version_of(&expiry.changes[0]), expiry.version());
    assert_eq!(expiry.version_of(&expiry.changes[1]).hlc, Hlc(13));
    let mut older = bytes;
    older[0] = 1;
    let tag = WireError::Tag {
        what: "a change's kind",
        found: 2,
    };
    assert_eq!(Record::decode(older.into()), Err(tag));
}

#[test]
fn what_is_merged_by_attribute_is_the_newest_format() {
    let mut merged = sample();
    merged.changes[0].merged = Some(Bytes::from_static(b"beside"));
    merged.changes[1].stamp = Some(ended(6, 9));
    let mut bytes = merged.encode();
    assert_eq!(bytes[0], 3);
    assert_eq!(Record::decode(bytes.clone().into()), Ok(merged));
    bytes[0] = 2;
    assert!(matches!(
        Record::decode(bytes.into()),
        Err(WireError::Tag { .. })
    ));
}

/// The stamp of the end of a write that was made at 12.
fn ended(origin: u16, seq: u64) -> Stamp {
    let origin = RegionId(origin);
    let hlc = Hlc(12);
    Stamp {
        version: Version { hlc, origin }.end(),
        seq: Seq(seq),
    }
}

#[test]
fn an_end_names_the_write_that_it_ends_and_an_older_build_is_told_less() {
    let mut expiry = sample();
    expiry.changes[1].stamp = Some(ended(3, 5));
    let mut bytes = expiry.encode();
    assert_eq!(bytes[0], 5);
    assert_eq!(Record::decode(bytes.clone().into()), Ok(expiry.clone()));
    assert_eq!(expiry.stamp_of(&expiry.changes[1]), ended(3, 5));
    for length in 0..bytes.len() {
        let cut = Bytes::copy_from_slice(&bytes[..length]);
        assert!(Record::decode(cut).is_err(), "{length}");
    }
    let cost = |record: &Record| record.changes.iter().map(Change::bytes).sum::<usize>();
    let before = cost(&expiry);
    expiry.lower();
    assert_eq!(cost(&expiry), before, "both sides of a link count the same");
    bytes = expiry.encode();
    assert_eq!(bytes[0], 2, "the format of the neighbour");
    assert_eq!(Record::decode(bytes.into()), Ok(expiry.clone()));
    assert_eq!(expiry.stamp_of(&expiry.changes[1]), ended(6, 9));
    // A clock that follows the record must come to be above all that it says.
    expiry.changes[1].stamp = Some(Stamp {
        version: Version {
            hlc: Hlc(45),
            origin: RegionId(3),
        },
        seq: Seq(5),
    });
    let above = Err(WireError::Shape("a change's stamp"));
    assert_eq!(Record::decode(expiry.encode().into()), above);
}

#[test]
fn a_count_above_its_bound_is_refused_before_memory_is_taken() {
    let record = Record {
        changes: vec![],
        ..sample()
    };
    let mut bytes = record.encode();
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(
        Record::decode(bytes.into()),
        Err(WireError::TooLong { .. })
    ));
}
