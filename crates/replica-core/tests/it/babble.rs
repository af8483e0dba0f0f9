//! Frames in any order with any numbers, as a broken peer that has the key might send them.

use bytes::Bytes;
use proptest::prelude::*;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::hlc::Hlc;
use clock::time::{Moment, WallTime};
use replica_core::frame::copy::{CopyItems, CopyPage, CopyRequest};
use replica_core::frame::greeting::Refusal;
use replica_core::frame::{Ack, Beat, Data, Echo, Frame, Sample, Trimmed, Want};
use replica_core::link::receive::{self, ApplyFault, Receiver};
use replica_core::link::send::{self, LogRead, Sender};
use replica_core::link::share::Part;
use replica_core::link::{Local, Now};
use replica_core::record::Record;
use replica_core::vector::{Seq, VersionVector};

/// Returns any short conversation.
pub(crate) fn frames() -> impl Strategy<Value = Vec<Frame>> {
    proptest::collection::vec(frame(), 1..40)
}

/// Lets both sides of a link listen to it.
pub(crate) fn listen(frames: Vec<Frame>) {
    let own = RegionName::parse("lab-0").expect("a region name");
    let mut sender = Sender::new(own);
    let mut receiver = Receiver::new(RegionId(2));
    let mut now = Now {
        moment: Moment::from_micros(1_000_000),
        wall: WallTime::from_micros(1_000_000),
    };
    sender.handle_input(now, send::Input::Up);
    receiver.handle_input(now, receive::Input::Local(Local::default()));
    receiver.handle_input(now, receive::Input::Up);
    for frame in frames {
        now.moment = now.moment + std::time::Duration::from_millis(40);
        sender.handle_input(now, send::Input::Frame(frame.clone()));
        receiver.handle_input(now, receive::Input::Frame(frame));
        sender.handle_timeout(now);
        receiver.handle_timeout(now);
        while let Some(output) = sender.poll_output(now) {
            if let send::Output::ReadLog { ticket, .. } = output {
                let read = LogRead::Part(Part::default());
                sender.handle_input(now, send::Input::LogRead { ticket, read });
            }
        }
        while let Some(output) = receiver.poll_output() {
            if let receive::Output::Apply { ticket, to, .. } = output {
                let result = match to.0 % 2 {
                    0 => Ok(()),
                    _ => Err(ApplyFault::Gap),
                };
                receiver.handle_input(now, receive::Input::Applied { ticket, result });
            }
        }
    }
}

fn frame() -> impl Strategy<Value = Frame> {
    (0_u8..11, number(), number(), number(), 1_u16..4).prop_map(|(kind, a, b, c, region)| {
        let origin = RegionId(region);
        let round = u32::try_from(a % 4).expect("small");
        let vector = VersionVector::from_iter([(origin, Seq(a)), (RegionId(9), Seq(b))]);
        let signed = |number: u64| i64::from_be_bytes(number.to_be_bytes());
        let echo = Echo {
            said: Moment::from_micros(b),
            held: c,
        };
        let sample = Sample {
            said: Moment::from_micros(a),
            wall: WallTime::from_micros(signed(c)),
            echo: Some(echo),
        };
        let key = Some(Bytes::from(b.to_be_bytes().to_vec()));
        match kind {
            0 => Frame::Data(Data {
                origin,
                round,
                after: Seq(b),
                to: Seq(c),
                records: vec![Record {
                    origin,
                    seq: Seq(c),
                    hlc: Hlc(signed(a)),
                    seen: vector,
                    changes: vec![],
                }],
            }),
            1 => Frame::Beat(Beat {
                head: Seq(a),
                horizon: Hlc(signed(b)),
                stable: Hlc(signed(c)),
                applied: vector.clone(),
                durable: vector,
                sample,
            }),
            2 => Frame::Ack(Ack {
                consumed: a,
                applied: vector.clone(),
                durable: vector,
                sample,
            }),
            3 => Frame::Want(vec![Want {
                origin,
                round,
                after: Seq(b),
                last: Hlc(signed(c)),
                directory: c,
            }]),
            4 => Frame::Trimmed(Trimmed {
                origin,
                round,
                first: Seq(c),
            }),
            5 => Frame::Refuse(Refusal::Project),
            _ => copy_frame(kind, TableId(a % 8), round, key),
        }
    })
}

fn copy_frame(kind: u8, table: TableId, round: u32, key: Option<Bytes>) -> Frame {
    let request = CopyRequest {
        table,
        round,
        after: key.clone(),
        items: CopyItems::All,
    };
    match kind {
        6 => Frame::CopyRequest(request),
        7 => Frame::CopyTaken(request),
        8 => Frame::CopyPage(CopyPage {
            table,
            round,
            after: None,
            items: vec![],
            next: key,
        }),
        9 => Frame::CopyLater(table),
        _ => Frame::CopyStop(table),
    }
}

/// Small numbers, which meet each other, and the extremes.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..6, 1 => Just(u64::MAX), 1 => any::<u64>()]
}
