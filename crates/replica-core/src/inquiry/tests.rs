//! Tests of what inquiries say, as bytes.

use bytes::{BufMut, Bytes, BytesMut};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, Version};

use super::{Answer, Asked, Entry, Held, Listed, Question, Standing, Unable};
use crate::digest::Digest;
use crate::limits::{FRAME_BYTES_MAX, QUESTION_BYTES_MAX};
use crate::vector::{Seq, VersionVector};

fn vector(at: u64) -> VersionVector {
    [(RegionId(1), Seq(at)), (RegionId(2), Seq(7))]
        .into_iter()
        .collect()
}

fn standing() -> Standing {
    Standing {
        applied: vector(3),
        touched: vector(9),
    }
}

fn held(stamp: i64, sum: Option<u128>) -> Held {
    let version = Version {
        hlc: Hlc(stamp),
        origin: RegionId(2),
    };
    let sum = sum.map(Digest);
    Held { version, sum }
}

fn questions() -> Vec<Question> {
    let list = |behind: Option<&'static [u8]>| Asked::List {
        bucket: 0x1234,
        behind: behind.map(Bytes::from_static),
        to: Some(Bytes::from_static(b"to")),
    };
    let what = [
        Asked::Groups,
        Asked::Buckets(vec![0, 7, 255]),
        list(None),
        list(Some(b"behind")),
    ];
    let question = |what| Question {
        table: TableId(1 << 20),
        after: vector(4),
        what,
    };
    what.into_iter().map(question).collect()
}

fn answers() -> Vec<Answer> {
    let entry = |key: &'static [u8], held| Entry {
        key: Bytes::from_static(key),
        held,
    };
    let entries = vec![entry(b"a", held(1, Some(5))), entry(b"b", held(2, None))];
    vec![
        Answer::Sums(standing(), vec![Digest(1), Digest(u128::MAX)]),
        Answer::Listed(
            standing(),
            Listed {
                entries,
                more: true,
            },
        ),
        Answer::Unable(Unable::NoReplica),
        Answer::Unable(Unable::Filling),
        Answer::Unable(Unable::Failed("read: no".to_owned())),
    ]
}

#[test]
fn what_is_written_is_read_again_whole_and_not_before() {
    let bound = QUESTION_BYTES_MAX.as_len();
    for question in questions() {
        let mut buf = BytesMut::new();
        question.encode(&mut buf);
        for end in 0..buf.len() {
            let mut part = BytesMut::from(&buf[..end]);
            assert_eq!(Question::take(&mut part, bound), Ok(None), "{end}");
        }
        assert_eq!(Question::take(&mut buf, bound), Ok(Some(question)));
        assert!(buf.is_empty());
    }
    let bound = FRAME_BYTES_MAX.as_len();
    for answer in answers() {
        let mut buf = BytesMut::new();
        answer.encode(&mut buf);
        answer.encode(&mut buf);
        for _ in 0..2 {
            assert_eq!(Answer::take(&mut buf, bound), Ok(Some(answer.clone())));
        }
        assert!(buf.is_empty());
    }
}

#[test]
fn what_is_cut_short_or_too_long_is_refused() {
    for answer in answers() {
        let mut whole = BytesMut::new();
        answer.encode(&mut whole);
        for end in 0..whole.len() - 6 {
            // A head that tells of fewer bytes than the body needs.
            let mut buf = BytesMut::new();
            buf.put_u32(u32::try_from(end).expect("small"));
            buf.extend_from_slice(&whole[4..6 + end]);
            let taken = Answer::take(&mut buf, FRAME_BYTES_MAX.as_len());
            assert!(taken.is_err(), "{answer:?} at {end}: {taken:?}");
        }
        let taken = Answer::take(&mut whole.clone(), whole.len() - 7);
        assert!(taken.is_err(), "{answer:?}");
    }
    let mut unknown = BytesMut::new();
    unknown.put_u32(0);
    unknown.put_slice(&[99, 0]);
    assert!(Answer::take(&mut unknown.clone(), 99).is_err());
    assert!(Question::take(&mut unknown, 99).is_err());
}

#[test]
fn a_long_reason_is_cut_where_a_letter_ends() {
    let why = "ü".repeat(1_000);
    let mut buf = BytesMut::new();
    Answer::Unable(Unable::Failed(why)).encode(&mut buf);
    let answer = Answer::take(&mut buf, FRAME_BYTES_MAX.as_len());
    let told = "ü".repeat(256);
    assert_eq!(answer, Ok(Some(Answer::Unable(Unable::Failed(told)))));
}
