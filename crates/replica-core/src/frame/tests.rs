//! Tests of the frames' bytes: what is written is read, and anything else is an error.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::hlc::{Hlc, Version};
use clock::time::{Moment, WallTime};

use super::copy::{CopyItem, CopyItems, CopyPage, CopyRequest};
use super::greeting::{Hello, Refusal};
use super::{Ack, Beat, Data, Echo, Frame, HEAD_BYTES, Head, Sample, Trimmed, Want, split};
use crate::merge::Stamp;
use crate::record::{Change, Record, WireError};
use crate::vector::{Seq, VersionVector};

const BOUND: usize = 1 << 20;

fn name(text: &str) -> RegionName {
    RegionName::parse(text).expect("a region name")
}

fn vector() -> VersionVector {
    VersionVector::from_iter([(RegionId(1), Seq(7)), (RegionId(6), Seq(9))])
}

fn record(seq: u64) -> Record {
    Record {
        origin: RegionId(6),
        seq: Seq(seq),
        hlc: Hlc(44),
        seen: vector(),
        changes: vec![Change {
            table: TableId(1 << 20),
            key: Bytes::from_static(b"key"),
            image: Some(Bytes::from_static(b"image")),
            stamp: None,
            merged: None,
        }],
    }
}

fn sample(echo: Option<Echo>) -> Sample {
    Sample {
        said: Moment::from_micros(5),
        wall: WallTime::from_micros(-6),
        echo,
    }
}

fn every_frame() -> Vec<Frame> {
    let mut frames = greetings();
    frames.extend(refusals().map(Frame::Refuse));
    frames.extend(log_frames());
    frames.extend(copy_frames());
    frames
}

fn greetings() -> Vec<Frame> {
    let hello = Hello {
        formats: 1..=4,
        project: [7; 32],
        region: name("eu-west-1"),
        peer: name("lab-2"),
        incarnation: 99,
        begins: Seq(1 << 40),
    };
    let older = Hello {
        formats: 1..=1,
        begins: Seq(0),
        ..hello.clone()
    };
    vec![
        Frame::Hello(older),
        Frame::Hello(hello.clone()),
        Frame::Welcome(hello),
    ]
}

fn refusals() -> [Refusal; 7] {
    let region = name("lab-2");
    [
        Refusal::Format { min: 1, max: 2 },
        Refusal::Project,
        Refusal::Misdirected(region.clone()),
        Refusal::Stranger(region.clone()),
        Refusal::Certificate(region.clone()),
        Refusal::Incarnation {
            region: region.clone(),
            had: Seq(3),
        },
        Refusal::Rewound {
            region,
            has: Seq(1),
            had: Seq(2),
        },
    ]
}

fn log_frames() -> [Frame; 5] {
    let echo = Echo {
        said: Moment::from_micros(4),
        held: 3,
    };
    let data = Data {
        origin: RegionId(6),
        round: 4,
        after: Seq(8),
        to: Seq(12),
        records: vec![record(9), record(11)],
    };
    let beat = Beat {
        head: Seq(3),
        horizon: Hlc(4),
        stable: Hlc(2),
        applied: vector(),
        durable: VersionVector::default(),
        sample: sample(None),
    };
    let ack = Ack {
        consumed: 1 << 40,
        applied: vector(),
        durable: vector(),
        sample: sample(Some(echo)),
    };
    let want = Want {
        origin: RegionId(1),
        round: 2,
        after: Seq(3),
        last: Hlc(5),
        directory: 6,
    };
    let trimmed = Trimmed {
        origin: RegionId(1),
        round: 2,
        first: Seq(3),
    };
    [
        Frame::Data(data),
        Frame::Beat(beat),
        Frame::Ack(ack),
        Frame::Want(vec![want]),
        Frame::Trimmed(trimmed),
    ]
}

fn copy_frames() -> [Frame; 5] {
    let key = Some(Bytes::from_static(b"k"));
    let version = Version {
        hlc: Hlc(-3),
        origin: RegionId(2),
    };
    let item = |image: Option<Bytes>| CopyItem {
        key: Bytes::from_static(b"k"),
        stamp: Stamp {
            version,
            seq: Seq(11),
        },
        merged: image.clone(),
        image,
    };
    let request = CopyRequest {
        table: TableId(4),
        round: 4,
        after: key.clone(),
        items: CopyItems::OwnOnly,
    };
    let page = CopyPage {
        table: TableId(4),
        round: 4,
        after: None,
        items: vec![item(None), item(key.clone())],
        next: key,
    };
    [
        Frame::CopyRequest(request.clone()),
        Frame::CopyTaken(request),
        Frame::CopyPage(page),
        Frame::CopyLater(TableId(5)),
        Frame::CopyStop(TableId(5)),
    ]
}

fn encoded(frame: &Frame) -> BytesMut {
    let mut buf = BytesMut::new();
    frame.encode(&mut buf);
    buf
}

#[test]
fn what_is_written_is_read() {
    for frame in every_frame() {
        let mut buf = encoded(&frame);
        let (head, body) = split(&mut buf, BOUND).expect("in bounds").expect("whole");
        assert!(buf.is_empty());
        assert_eq!(Frame::decode(head, body), Ok(frame));
    }
}

#[test]
fn frames_are_taken_off_one_by_one_as_their_bytes_come() {
    let frames = every_frame();
    let mut all = BytesMut::new();
    for frame in &frames {
        frame.encode(&mut all);
    }
    let mut buf = BytesMut::new();
    let mut found = Vec::new();
    for byte in all {
        buf.extend_from_slice(&[byte]);
        if let Some((head, body)) = split(&mut buf, BOUND).expect("in bounds") {
            found.push(Frame::decode(head, body).expect("a frame"));
        }
    }
    assert_eq!(found, frames);
    assert!(buf.is_empty());
}

#[test]
fn every_cut_body_and_every_trailing_byte_is_an_error() {
    for frame in every_frame() {
        let mut buf = encoded(&frame);
        let (head, body) = split(&mut buf, BOUND).expect("in bounds").expect("whole");
        for length in 0..body.len() {
            let cut = Frame::decode(head, body.slice(..length));
            assert!(cut.is_err(), "{} cut at {length}", frame.name());
        }
        let mut longer = body.to_vec();
        longer.push(0);
        assert_eq!(
            Frame::decode(head, longer.into()),
            Err(WireError::Trailing(1)),
            "{}",
            frame.name()
        );
    }
}

#[test]
fn a_frame_above_the_bound_is_refused_before_its_bytes_come() {
    let mut buf = BytesMut::from(&[0, 16, 0, 1, 16, 0][..]);
    let what = "a frame";
    let (found, bound) = ((1 << 20) + 1, 1 << 20);
    assert_eq!(
        split(&mut buf, BOUND),
        Err(WireError::TooLong { what, found, bound })
    );
}

#[test]
fn flags_and_kinds_that_nobody_defined_are_refused() {
    let head = Head { kind: 16, flags: 1 };
    assert!(matches!(
        Frame::decode(head, Bytes::new()),
        Err(WireError::Tag { found: 1, .. })
    ));
    let head = Head { kind: 99, flags: 0 };
    assert!(matches!(
        Frame::decode(head, Bytes::new()),
        Err(WireError::Tag { found: 99, .. })
    ));
}

#[test]
fn records_out_of_order_or_of_another_origin_are_refused() {
    let data = |after, to, records| Data {
        origin: RegionId(6),
        round: 1,
        after: Seq(after),
        to: Seq(to),
        records,
    };
    let stranger = Record {
        origin: RegionId(7),
        ..record(9)
    };
    for data in [
        data(9, 12, vec![record(9)]),
        data(0, 12, vec![record(9), record(9)]),
        data(0, 12, vec![record(9), record(8)]),
        data(0, 8, vec![record(9)]),
        data(3, 2, vec![]),
        data(0, 12, vec![stranger]),
    ] {
        let mut buf = encoded(&Frame::Data(data.clone()));
        let (head, body) = split(&mut buf, BOUND).expect("in bounds").expect("whole");
        assert!(
            matches!(Frame::decode(head, body), Err(WireError::Shape(_))),
            "{data:?}"
        );
    }
}

#[test]
fn the_window_counts_at_least_what_travels() {
    for frame in every_frame() {
        let length = encoded(&frame).len() as u64;
        if let Frame::Data(data) = frame {
            let cost = data.cost();
            assert!(length <= cost && cost <= length + 64, "{cost} for {length}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_an_error(kind in 0_u8..32, flags in 0_u8..2, body: Vec<u8>) {
        let body = Bytes::from(body);
        let head = Head { kind, flags };
        if let Ok(frame) = Frame::decode(head, body) {
            let again = encoded(&frame).split_off(HEAD_BYTES).freeze();
            prop_assert_eq!(Frame::decode(head, again), Ok(frame));
        }
    }

    #[test]
    fn a_changed_byte_is_a_frame_or_an_error(at in 0_usize..4096, byte: u8) {
        for frame in every_frame() {
            let mut buf = encoded(&frame);
            let at = at % buf.len();
            buf[at] = byte;
            if let Ok(Some((head, body))) = split(&mut buf, BOUND) {
                let _ = Frame::decode(head, body);
            }
        }
    }
}
