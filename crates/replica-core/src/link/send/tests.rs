//! Tests of the sending side: what it reads, cuts, holds back and refuses.

use bytes::Bytes;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::hlc::Hlc;
use clock::time::{Moment, WallTime};

use super::{CopyRead, Input, LogRead, Output, Sender};
use crate::frame::copy::{CopyItems, CopyRequest};
use crate::frame::greeting::Refusal;
use crate::frame::{Ack, Data, Frame, Sample, Want};
use crate::limits::{COPY_WINDOW, FRAME_BYTES_CUT, LOG_READS_MAX, WINDOW_BYTES};
use crate::link::share::Part;
use crate::link::{LinkError, Local, Now, Pause};
use crate::record::{Change, Record};
use crate::vector::{Seq, VersionVector};

const B: RegionId = RegionId(2);

fn own() -> RegionName {
    RegionName::parse("us-east-1").expect("a region name")
}

fn at(millis: u64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        wall: WallTime::from_micros(0),
    }
}

fn local(heads: &[(RegionId, u64)]) -> Local {
    let durable: VersionVector = heads
        .iter()
        .map(|(origin, seq)| (*origin, Seq(*seq)))
        .collect();
    Local {
        applied: durable.clone(),
        head: durable.at(own().id()),
        durable,
        ..Local::default()
    }
}

fn record(origin: RegionId, seq: u64, bytes: usize) -> Record {
    Record {
        origin,
        seq: Seq(seq),
        hlc: Hlc(5),
        seen: VersionVector::default(),
        changes: vec![Change {
            table: TableId(1 << 20),
            key: Bytes::from_static(b"key"),
            image: Some(Bytes::from(vec![0; bytes])),
            stamp: None,
            merged: None,
        }],
    }
}

fn want(origin: RegionId, round: u32, after: u64) -> Want {
    Want {
        origin,
        round,
        after: Seq(after),
        last: Hlc(0),
        directory: 0,
    }
}

fn ack(consumed: u64) -> Frame {
    Frame::Ack(Ack {
        consumed,
        applied: VersionVector::default(),
        durable: VersionVector::default(),
        sample: Sample {
            said: Moment::from_micros(0),
            wall: WallTime::from_micros(0),
            echo: None,
        },
    })
}

fn outputs(sender: &mut Sender, now: Now) -> Vec<Output> {
    std::iter::from_fn(|| sender.poll_output(now)).collect()
}

/// A sender whose peer is connected and asks for our log after position `after`.
fn asked(heads: &[(RegionId, u64)], wants: Vec<Want>) -> Sender {
    let mut sender = Sender::new(own());
    sender.handle_input(at(0), Input::Local(local(heads)));
    sender.handle_input(at(0), Input::Up);
    sender.handle_input(at(0), Input::Frame(Frame::Want(wants)));
    sender
}

/// Answers the one read that the sender asks for, and returns what goes out then.
fn answer(sender: &mut Sender, records: Vec<Record>, to: u64) -> Vec<Output> {
    let read = outputs(sender, at(0));
    let [Output::ReadLog { ticket, .. }] = read[..] else {
        panic!("one read, not {read:?}");
    };
    let to = Seq(to);
    let read = LogRead::Part(Part { records, to });
    sender.handle_input(at(0), Input::LogRead { ticket, read });
    outputs(sender, at(0))
}

fn data(outputs: &[Output]) -> Vec<&Data> {
    let mut frames = Vec::new();
    for output in outputs {
        if let Output::Send(Frame::Data(data)) = output {
            frames.push(data);
        }
    }
    frames
}

#[test]
fn what_is_on_disk_leaves_at_once_and_nothing_is_sent_twice() {
    let own = own().id();
    let mut sender = asked(&[(own, 5)], vec![want(own, 1, 3)]);
    let read = outputs(&mut sender, at(0));
    let expect = Output::ReadLog {
        ticket: 1,
        origin: own,
        after: Seq(3),
        bytes_max: FRAME_BYTES_CUT.as_len(),
    };
    assert_eq!(read, [expect]);
    let records = vec![record(own, 4, 1), record(own, 5, 1)];
    let to = Seq(5);
    let read = LogRead::Part(Part { records, to });
    sender.handle_input(at(0), Input::LogRead { ticket: 1, read });
    let sent = outputs(&mut sender, at(0));
    let sent = data(&sent);
    assert_eq!((sent.len(), sent[0].after, sent[0].to), (1, Seq(3), Seq(5)));
    sender.handle_input(at(0), Input::Local(local(&[(own, 5)])));
    assert_eq!(outputs(&mut sender, at(0)), []);
    sender.handle_input(at(0), Input::Local(local(&[(own, 6)])));
    assert!(matches!(
        outputs(&mut sender, at(0))[..],
        [Output::ReadLog { after: Seq(5), .. }]
    ));
}

#[test]
fn frames_are_cut_and_say_exactly_what_they_hold() {
    let own = own().id();
    let mut sender = asked(&[(own, 9)], vec![want(own, 1, 0)]);
    let half = FRAME_BYTES_CUT.as_len() / 2;
    let records = vec![
        record(own, 1, half),
        record(own, 3, half),
        record(own, 4, 3 * half),
        record(own, 5, 1),
    ];
    let sent = answer(&mut sender, records, 9);
    let spans: Vec<_> = data(&sent)
        .iter()
        .map(|data| (data.after.0, data.to.0, data.records.len()))
        .collect();
    assert_eq!(spans, [(0, 1, 1), (1, 3, 1), (3, 4, 1), (4, 9, 1)]);
}

#[test]
fn positions_without_records_for_the_peer_are_told_too() {
    let own = own().id();
    let mut sender = asked(&[(own, 5)], vec![want(own, 1, 0)]);
    let sent = answer(&mut sender, vec![], 5);
    let sent = data(&sent);
    assert_eq!((sent[0].after, sent[0].to), (Seq(0), Seq(5)));
}

#[test]
fn a_full_window_stops_the_log_until_the_receiver_has_worked_it_off() {
    let own = own().id();
    let mut sender = asked(&[(own, 100)], vec![want(own, 1, 0)]);
    let size = WINDOW_BYTES.as_len() / 4;
    let mut sent = 0;
    for seq in 1..=4 {
        let outputs = answer_next(&mut sender, vec![record(own, seq, size)], seq);
        sent += data(&outputs).iter().map(|data| data.cost()).sum::<u64>();
    }
    assert!(sent > WINDOW_BYTES.as_u64());
    sender.handle_input(at(0), Input::Local(local(&[(own, 101)])));
    assert_eq!(outputs(&mut sender, at(0)), [], "the window is full");
    sender.handle_input(at(0), Input::Frame(ack(sent / 2)));
    assert!(
        outputs(&mut sender, at(0))
            .iter()
            .any(|output| matches!(output, Output::ReadLog { after: Seq(4), .. }))
    );
}

/// Like [`answer`], where the read was asked for together with the frame before.
fn answer_next(sender: &mut Sender, records: Vec<Record>, to: u64) -> Vec<Output> {
    let last = sender.tickets;
    outputs(sender, at(0));
    let ticket = sender.reading.map_or(last, |reading| reading.ticket);
    let to = Seq(to);
    let read = LogRead::Part(Part { records, to });
    sender.handle_input(at(0), Input::LogRead { ticket, read });
    outputs(sender, at(0))
}

#[test]
fn origins_take_turns() {
    let own = own().id();
    let wants = vec![want(own, 1, 0), want(B, 2, 0)];
    let mut sender = asked(&[(own, 9), (B, 9)], wants);
    let mut turns = Vec::new();
    for seq in 1..=2 {
        for _ in 0..2 {
            outputs(&mut sender, at(0));
            let origin = sender.reading.expect("reading").origin;
            turns.push(origin);
            answer_next(&mut sender, vec![record(origin, seq, 1)], seq);
        }
    }
    assert_eq!(turns, [own, B, own, B]);
}

#[test]
fn a_relay_that_has_no_more_rests_until_its_copy_grows() {
    let mut sender = asked(&[(B, 9)], vec![want(B, 1, 4)]);
    assert_eq!(answer(&mut sender, vec![], 4), []);
    sender.handle_timeout(at(50));
    assert_eq!(outputs(&mut sender, at(50)), []);
    sender.handle_input(at(60), Input::Local(local(&[(B, 10)])));
    assert!(matches!(
        outputs(&mut sender, at(60))[..],
        [Output::ReadLog { after: Seq(4), .. }]
    ));
}

#[test]
fn a_known_round_goes_on_and_a_later_one_starts_again() {
    let own = own().id();
    let mut sender = asked(&[(own, 5)], vec![want(own, 1, 0)]);
    answer(&mut sender, vec![record(own, 5, 1)], 5);
    let again = Frame::Want(vec![want(own, 1, 0), want(B, 2, 0)]);
    sender.handle_input(at(0), Input::Frame(again));
    assert_eq!(outputs(&mut sender, at(0)), []);
    let restart = Frame::Want(vec![want(own, 3, 4)]);
    sender.handle_input(at(0), Input::Frame(restart));
    assert!(matches!(
        outputs(&mut sender, at(0))[..],
        [Output::ReadLog { after: Seq(4), .. }]
    ));
}

#[test]
fn a_read_that_ends_after_its_round_is_thrown_away() {
    let own = own().id();
    let mut sender = asked(&[(own, 5)], vec![want(own, 1, 0)]);
    let read = outputs(&mut sender, at(0));
    let [Output::ReadLog { ticket, .. }] = read[..] else {
        panic!("one read, not {read:?}");
    };
    sender.handle_input(at(0), Input::Frame(Frame::Want(vec![])));
    let read = LogRead::Part(Part {
        records: vec![record(own, 1, 1)],
        to: Seq(1),
    });
    sender.handle_input(at(0), Input::LogRead { ticket, read });
    assert_eq!(outputs(&mut sender, at(0)), []);
}

#[test]
fn a_peer_that_has_seen_more_than_we_have_is_told_that_our_data_is_older() {
    let own = own();
    let mut sender = asked(&[(own.id(), 5)], vec![want(own.id(), 1, 6)]);
    let (has, had) = (Seq(5), Seq(6));
    let origin = own.id();
    let refusal = Refusal::Rewound {
        region: own,
        has,
        had,
    };
    assert_eq!(
        outputs(&mut sender, at(0)),
        [
            Output::Send(Frame::Refuse(refusal)),
            Output::Close(LinkError::Rewound { origin, has, had })
        ]
    );
}

#[test]
fn a_peer_that_has_a_record_we_never_wrote_is_told_that_our_data_is_older() {
    let own = own().id();
    let (after, until) = (Hlc(100), Hlc(200));
    let told = |last, generation: u64| {
        let mut sender = Sender::new(self::own());
        let mut local = local(&[(own, (generation << 32) + 9)]);
        local.pauses = [Pause { after, until }].into();
        sender.handle_input(at(0), Input::Local(local));
        sender.handle_input(at(0), Input::Up);
        let last = Hlc(last);
        let wants = vec![Want {
            last,
            ..want(own, 1, 7)
        }];
        sender.handle_input(at(0), Input::Frame(Frame::Want(wants)));
        let outputs = outputs(&mut sender, at(0));
        outputs.contains(&Output::Close(LinkError::Rewound {
            origin: own,
            has: Seq(9),
            had: Seq(7),
        }))
    };
    assert!(told(101, 0) && told(200, 0));
    assert!(!told(0, 0) && !told(100, 0) && !told(201, 0));
    assert!(!told(150, 1), "it is of the directory before this one");
}

#[test]
fn records_that_are_gone_are_told_and_not_asked_again() {
    let own = own().id();
    let mut sender = asked(&[(own, 9)], vec![want(own, 1, 2)]);
    let read = outputs(&mut sender, at(0));
    let [Output::ReadLog { ticket, .. }] = read[..] else {
        panic!("one read, not {read:?}");
    };
    let first = Seq(7);
    let read = LogRead::Trimmed { first };
    sender.handle_input(at(0), Input::LogRead { ticket, read });
    let told = outputs(&mut sender, at(0));
    assert!(told.contains(&Output::NeedsResync { first }));
    assert!(matches!(told[0], Output::Send(Frame::Trimmed(_))));
    assert_eq!(sender.needs_resync(), Some(first));
    sender.handle_input(at(0), Input::Local(local(&[(own, 10)])));
    assert_eq!(outputs(&mut sender, at(0)), []);
    let goes_on = Frame::Want(vec![want(own, 2, 10)]);
    sender.handle_input(at(0), Input::Frame(goes_on));
    assert_eq!(sender.needs_resync(), None);
}

#[test]
fn a_failed_read_is_tried_again_after_a_second() {
    let own = own().id();
    let mut sender = asked(&[(own, 9)], vec![want(own, 1, 2)]);
    outputs(&mut sender, at(0));
    let (ticket, read) = (1, LogRead::Failed);
    sender.handle_input(at(0), Input::LogRead { ticket, read });
    let reads = |outputs: Vec<Output>| {
        outputs
            .iter()
            .any(|output| matches!(output, Output::ReadLog { .. }))
    };
    sender.handle_timeout(at(999));
    assert!(!reads(outputs(&mut sender, at(999))));
    sender.handle_timeout(at(1_000));
    assert!(reads(outputs(&mut sender, at(1_000))));
}

#[test]
fn pages_go_only_while_the_log_has_nothing_to_say() {
    let own = own().id();
    let mut sender = asked(&[(own, 1)], vec![want(own, 1, 0)]);
    let request = CopyRequest {
        table: TableId(7),
        round: 1,
        after: None,
        items: CopyItems::OwnOnly,
    };
    sender.handle_input(at(0), Input::Frame(Frame::CopyRequest(request)));
    assert_eq!(sender.copying().get(&TableId(7)), Some(&0));
    let sent = answer(&mut sender, vec![record(own, 1, 1)], 1);
    let [
        Output::Send(Frame::Data(_)),
        Output::ReadCopy { ticket, items, .. },
    ] = sent[..]
    else {
        panic!("the log, then the copy, not {sent:?}");
    };
    assert_eq!(items, CopyItems::OwnOnly);
    let read = CopyRead::Page {
        items: vec![],
        next: None,
    };
    sender.handle_input(at(0), Input::CopyRead { ticket, read });
    assert!(sender.copying().is_empty(), "that was the last page");
    sender.handle_input(at(0), Input::Local(local(&[(own, 2)])));
    assert!(
        matches!(
            outputs(&mut sender, at(0))[..],
            [Output::ReadLog { .. }, Output::Send(Frame::CopyPage(_))]
        ),
        "the page that was read goes once the log's read is under way"
    );
}

#[test]
fn a_table_that_cannot_be_read_ends_the_link_and_is_not_told_to_come_later() {
    let own = own().id();
    let mut sender = asked(&[(own, 1)], vec![want(own, 1, 0)]);
    let request = CopyRequest {
        table: TableId(7),
        round: 1,
        after: None,
        items: CopyItems::All,
    };
    sender.handle_input(at(0), Input::Frame(Frame::CopyRequest(request)));
    let sent = answer(&mut sender, vec![record(own, 1, 1)], 1);
    let [
        Output::Send(Frame::Data(_)),
        Output::ReadCopy { ticket, .. },
    ] = sent[..]
    else {
        panic!("the log, then the copy, not {sent:?}");
    };
    let read = CopyRead::Failed;
    sender.handle_input(at(0), Input::CopyRead { ticket, read });
    let ended = Output::Close(LinkError::Unread);
    assert_eq!(outputs(&mut sender, at(0)), [ended]);
    let (ticket, read) = (ticket + 7, CopyRead::Failed);
    sender.handle_input(at(0), Input::CopyRead { ticket, read });
    assert_eq!(outputs(&mut sender, at(0)), [], "it is another link's");
}

/// Answers each read of a page with one that others follow. Returns where those sent start.
fn pages(sender: &mut Sender) -> Vec<Option<u8>> {
    let mut sent = Vec::new();
    while let Some(output) = sender.poll_output(at(0)) {
        match output {
            Output::ReadCopy { ticket, after, .. } => {
                let place = after.map_or(0, |after| after[0]);
                let next = Some(Bytes::copy_from_slice(&[place + 1]));
                let items = Vec::new();
                let read = CopyRead::Page { items, next };
                sender.handle_input(at(0), Input::CopyRead { ticket, read });
            }
            Output::Send(Frame::CopyPage(page)) => {
                sent.push(page.after.map(|after| after[0]));
            }
            Output::Send(_)
            | Output::ReadLog { .. }
            | Output::Acked
            | Output::NeedsResync { .. }
            | Output::Close(_) => {}
        }
    }
    sent
}

#[test]
fn a_window_of_pages_goes_out_unasked_and_each_that_is_taken_makes_room() {
    let own = own().id();
    let mut sender = asked(&[(own, 0)], vec![want(own, 1, 0)]);
    let request = |round| CopyRequest {
        table: TableId(7),
        round,
        after: None,
        items: CopyItems::All,
    };
    let hear = |sender: &mut Sender, frame| {
        sender.handle_input(at(0), Input::Frame(frame));
        pages(sender)
    };
    let first = hear(&mut sender, Frame::CopyRequest(request(1)));
    assert_eq!(
        (first.len(), first[0], first[1]),
        (COPY_WINDOW, None, Some(1))
    );
    assert_eq!(hear(&mut sender, Frame::CopyTaken(request(1))).len(), 1);
    assert_eq!(
        hear(&mut sender, Frame::CopyTaken(request(9))),
        [],
        "of no round"
    );
    let again = hear(&mut sender, Frame::CopyRequest(request(2)));
    assert_eq!((again.len(), again[0]), (COPY_WINDOW, None));
    hear(&mut sender, Frame::CopyStop(TableId(7)));
    assert_eq!(
        hear(&mut sender, Frame::CopyTaken(request(2))),
        [],
        "it has ended"
    );
}

#[test]
fn a_log_that_never_ends_holds_no_page_up_for_ever() {
    let own = own().id();
    let mut sender = asked(&[(own, 1)], vec![want(own, 1, 0)]);
    let request = CopyRequest {
        table: TableId(7),
        round: 1,
        after: None,
        items: CopyItems::All,
    };
    sender.handle_input(at(0), Input::Frame(Frame::CopyRequest(request)));
    let is_page = |output: &Output| matches!(output, Output::ReadCopy { .. });
    let reads = (1..=100).take_while(|seq| {
        // Whenever a read ends, more has been written.
        sender.handle_input(at(0), Input::Local(local(&[(own, seq + 1)])));
        let read = outputs(&mut sender, at(0));
        let ticket = read.iter().find_map(|output| {
            let Output::ReadLog { ticket, .. } = output else {
                return None;
            };
            Some(*ticket)
        });
        let ticket = ticket.expect("the log goes on");
        let (records, to) = (vec![record(own, *seq, 1)], Seq(*seq));
        let part = LogRead::Part(Part { records, to });
        let read_log = Input::LogRead { ticket, read: part };
        sender.handle_input(at(0), read_log);
        !read.iter().any(is_page)
    });
    assert!(reads.count() <= LOG_READS_MAX as usize);
}

#[test]
fn it_beats_while_idle_and_drops_a_silent_peer() {
    let mut sender = Sender::new(own());
    assert_eq!(sender.poll_timeout(), None);
    sender.handle_input(at(0), Input::Up);
    assert_eq!(sender.poll_timeout(), Some(at(100).moment));
    sender.handle_timeout(at(100));
    assert!(matches!(
        outputs(&mut sender, at(100))[..],
        [Output::Send(Frame::Beat(_))]
    ));
    sender.handle_input(at(2_000), Input::Heard);
    sender.handle_timeout(at(3_500));
    assert!(matches!(
        outputs(&mut sender, at(3_500))[..],
        [Output::Send(Frame::Beat(_))]
    ));
    sender.handle_timeout(at(5_000));
    assert!(matches!(
        outputs(&mut sender, at(5_000))[..],
        [Output::Close(LinkError::Silent(_))]
    ));
}

#[test]
fn an_acknowledgement_that_comes_as_a_beat_is_due_does_not_take_its_place() {
    let mut sender = asked(&[], vec![]);
    outputs(&mut sender, at(0));
    for beat in 1..=3 {
        sender.handle_input(at(beat * 100), Input::Frame(ack(0)));
        sender.handle_timeout(at(beat * 100));
        let outputs = outputs(&mut sender, at(beat * 100));
        let beats = |output: &&Output| matches!(output, Output::Send(Frame::Beat(_)));
        assert_eq!(outputs.iter().filter(beats).count(), 1, "{outputs:?}");
    }
}

#[test]
fn a_peer_that_breaks_the_protocol_is_dropped() {
    let own = own().id();
    let closes = |frame: Frame| {
        let mut sender = asked(&[(own, 0)], vec![]);
        sender.handle_input(at(0), Input::Frame(frame));
        matches!(
            outputs(&mut sender, at(0))[..],
            [Output::Close(LinkError::Protocol(_))]
        )
    };
    assert!(closes(ack(1)), "more worked off than was sent");
    assert!(closes(Frame::CopyLater(TableId(1))));
}
