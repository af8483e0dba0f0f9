//! Tests of the receiving side: what it asks for, hands out, acknowledges and throws away.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::time::{Moment, WallTime};

use super::{ApplyFault, Input, Output, Receiver};
use crate::frame::copy::{CopyItems, CopyPage, CopyRequest};
use crate::frame::greeting::Refusal;
use crate::frame::{Ack, Beat, Data, Frame, Sample, Trimmed, Want};
use crate::limits::WINDOW_BYTES;
use crate::link::copies::{Fill, Fills, Holders, Portion};
use crate::link::{LinkError, Local, Now};
use crate::record::{Change, Record};
use crate::vector::{Seq, VersionVector};

const B: RegionId = RegionId(2);
const C: RegionId = RegionId(3);

fn at(millis: u64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        wall: WallTime::from_micros(i64::try_from(millis * 1_000).expect("small")),
    }
}

fn vector(entries: &[(RegionId, u64)]) -> VersionVector {
    entries
        .iter()
        .map(|(origin, seq)| (*origin, Seq(*seq)))
        .collect()
}

fn local(applied: u64, durable: u64) -> Local {
    Local {
        applied: vector(&[(B, applied)]),
        durable: vector(&[(B, durable)]),
        ..Local::default()
    }
}

fn data(origin: RegionId, round: u32, after: u64, bytes: usize) -> Data {
    let record = Record {
        origin,
        seq: Seq(after + 1),
        hlc: Hlc(1_000),
        seen: VersionVector::default(),
        changes: vec![Change {
            table: TableId(1 << 20),
            key: Bytes::from_static(b"key"),
            image: Some(Bytes::from(vec![0; bytes])),
            stamp: None,
            merged: None,
        }],
    };
    Data {
        origin,
        round,
        after: Seq(after),
        to: Seq(after + 1),
        records: vec![record],
    }
}

fn hear(receiver: &mut Receiver, now: Now, frame: Frame) -> Vec<Output> {
    receiver.handle_input(now, Input::Frame(frame));
    outputs(receiver)
}

fn outputs(receiver: &mut Receiver) -> Vec<Output> {
    std::iter::from_fn(|| receiver.poll_output()).collect()
}

fn wants(outputs: &[Output]) -> Option<Vec<Want>> {
    let mut last = None;
    for output in outputs {
        if let Output::Send(Frame::Want(wants)) = output {
            last = Some(wants.clone());
        }
    }
    last
}

fn acks(outputs: &[Output]) -> Vec<Ack> {
    let mut acks = Vec::new();
    for output in outputs {
        if let Output::Send(Frame::Ack(ack)) = output {
            acks.push(ack.clone());
        }
    }
    acks
}

/// Tells that a skip is on disk.
const fn skipped(ticket: u64) -> Input {
    let skipped = true;
    Input::Skipped { ticket, skipped }
}

/// Tells what is to be filled, of which nothing is on disk.
fn fill(fills: Fills) -> Input {
    let kept = BTreeMap::new();
    Input::Fill { fills, kept }
}

fn ticket(outputs: &[Output]) -> u64 {
    for output in outputs {
        if let Output::Apply { ticket, .. } = output {
            return *ticket;
        }
    }
    panic!("something to apply, not {outputs:?}");
}

/// A receiver connected to B that has applied B's log up to 4, and its round of B.
fn connected() -> (Receiver, u32) {
    let mut receiver = Receiver::new(B);
    receiver.handle_input(at(0), Input::Local(local(4, 3)));
    receiver.handle_input(at(0), Input::Up);
    let first = outputs(&mut receiver);
    let [want] = wants(&first).expect("wants")[..] else {
        panic!("one want, not {first:?}");
    };
    assert_eq!((want.origin, want.after), (B, Seq(4)));
    let [ack] = &acks(&first)[..] else {
        panic!("one acknowledgement, not {first:?}");
    };
    assert_eq!((ack.applied.at(B), ack.durable.at(B)), (Seq(4), Seq(3)));
    (receiver, want.round)
}

#[test]
fn applied_and_durable_are_acknowledged_apart_and_once() {
    let (mut receiver, round) = connected();
    let frame = data(B, round, 4, 10);
    let cost = frame.cost();
    let ticket = ticket(&hear(&mut receiver, at(1), Frame::Data(frame)));
    receiver.handle_input(at(2), Input::Local(local(5, 3)));
    let told = acks(&outputs(&mut receiver));
    assert_eq!((told.len(), told[0].applied.at(B)), (1, Seq(5)));
    let result = Ok(());
    receiver.handle_input(at(2), Input::Applied { ticket, result });
    assert_eq!(acks(&outputs(&mut receiver))[0].consumed, cost);
    receiver.handle_input(at(3), Input::Local(local(5, 5)));
    let told = acks(&outputs(&mut receiver));
    assert_eq!((told.len(), told[0].durable.at(B)), (1, Seq(5)));
    receiver.handle_input(at(4), Input::Local(local(5, 5)));
    assert_eq!(outputs(&mut receiver), []);
}

#[test]
fn frames_are_applied_one_batch_at_a_time_and_what_waits_goes_together() {
    let (mut receiver, round) = connected();
    let first = hear(&mut receiver, at(1), Frame::Data(data(B, round, 4, 10)));
    for after in 5..8 {
        let frame = Frame::Data(data(B, round, after, 10));
        assert_eq!(hear(&mut receiver, at(1), frame), []);
    }
    let (ticket, result) = (ticket(&first), Ok(()));
    receiver.handle_input(at(2), Input::Applied { ticket, result });
    let next = outputs(&mut receiver);
    assert!(next.iter().any(|output| matches!(
        output,
        Output::Apply { after: Seq(5), to: Seq(8), records, .. } if records.len() == 3
    )));
}

#[test]
fn a_gap_starts_a_round_where_we_are_and_throws_the_old_one_away() {
    let (mut receiver, round) = connected();
    let frame = data(B, round, 7, 10);
    let ticket = ticket(&hear(&mut receiver, at(1), Frame::Data(frame)));
    let late = data(B, round, 8, 10);
    hear(&mut receiver, at(1), Frame::Data(late.clone()));
    let result = Err(ApplyFault::Gap);
    receiver.handle_input(at(1), Input::Applied { ticket, result });
    let said = outputs(&mut receiver);
    assert_eq!(wants(&said), Some(vec![]), "it rests");
    let worked_off = acks(&said).last().expect("acknowledged").consumed;
    assert_eq!(worked_off, 2 * late.cost());
    receiver.handle_timeout(at(201));
    let again = wants(&outputs(&mut receiver)).expect("asked again");
    assert_eq!(again[0].after, Seq(4));
    assert!(again[0].round > round);
    let said = hear(&mut receiver, at(202), Frame::Data(late));
    assert!(
        !said
            .iter()
            .any(|output| matches!(output, Output::Apply { .. }))
    );
}

#[test]
fn a_clock_too_far_ahead_parks_its_origin_and_drops_nothing() {
    let (mut receiver, round) = connected();
    let ahead = Duration::from_secs(2);
    let frame = Frame::Data(data(B, round, 4, 10));
    let ticket = ticket(&hear(&mut receiver, at(1), frame));
    let result = Err(ApplyFault::TooFarAhead(ahead));
    receiver.handle_input(at(1), Input::Applied { ticket, result });
    outputs(&mut receiver);
    let (origin, parked) = receiver.parked().next().expect("parked");
    assert_eq!((origin, parked.why), (B, ApplyFault::TooFarAhead(ahead)));
    assert_eq!(receiver.poll_timeout(), Some(at(101).moment));
    receiver.handle_timeout(at(1_000));
    assert_eq!(wants(&outputs(&mut receiver)), None);
    receiver.handle_timeout(at(1_001));
    let again = wants(&outputs(&mut receiver)).expect("asked again");
    assert_eq!((again[0].origin, again[0].after), (B, Seq(4)));
    assert_eq!(receiver.parked().count(), 0);
}

#[test]
fn records_of_regions_out_of_reach_are_asked_for_and_no_longer_when_they_are_back() {
    let (mut receiver, round) = connected();
    receiver.handle_input(at(1), Input::Relay(BTreeSet::from([C])));
    let asked = wants(&outputs(&mut receiver)).expect("asked");
    assert_eq!((asked[0].round, asked[1].origin), (round, C));
    let frame = Frame::Data(data(C, asked[1].round, 0, 10));
    hear(&mut receiver, at(1), frame);
    receiver.handle_input(at(1), Input::Relay(BTreeSet::from([C])));
    assert_eq!(outputs(&mut receiver), []);
    receiver.handle_input(at(1), Input::Relay(BTreeSet::new()));
    let asked = wants(&outputs(&mut receiver)).expect("asked");
    assert_eq!((asked.len(), asked[0].round), (1, round));
}

#[test]
fn an_apply_under_way_survives_its_connection() {
    let (mut receiver, round) = connected();
    let frame = Frame::Data(data(B, round, 4, 10));
    let ticket = ticket(&hear(&mut receiver, at(1), frame));
    receiver.handle_input(at(2), Input::Down);
    receiver.handle_input(at(3), Input::Local(local(4, 4)));
    receiver.handle_input(at(3), Input::Up);
    let first = outputs(&mut receiver);
    let round = wants(&first).expect("wants")[0].round;
    assert_eq!(acks(&first)[0].consumed, 0);
    hear(&mut receiver, at(3), Frame::Data(data(B, round, 4, 10)));
    let result = Ok(());
    receiver.handle_input(at(4), Input::Applied { ticket, result });
    let next = outputs(&mut receiver);
    assert!(matches!(next[..], [Output::Apply { after: Seq(4), .. }]));
}

#[test]
fn a_sender_that_overruns_the_window_is_dropped() {
    let (mut receiver, round) = connected();
    let mut said = Vec::new();
    for after in 0..12 {
        let frame = data(B, round, after, WINDOW_BYTES.as_len() / 2);
        said.extend(hear(&mut receiver, at(1), Frame::Data(frame)));
    }
    assert!(said.contains(&Output::Close(LinkError::Protocol("more than its window"))));
}

#[test]
fn latency_is_from_commit_to_visible_by_the_measured_clock() {
    let (mut receiver, round) = connected();
    // The peer's clock is 400 ms behind ours; the way takes 10 ms.
    let beat = |now: Now| {
        Frame::Beat(Beat {
            head: Seq(5),
            horizon: Hlc(0),
            stable: Hlc(0),
            applied: VersionVector::default(),
            durable: VersionVector::default(),
            sample: Sample {
                said: Moment::from_micros(1),
                wall: WallTime::from_micros(now.wall.as_micros() - 10_000 - 400_000),
                echo: Some(crate::frame::Echo {
                    said: Moment::from_micros(now.moment.as_micros() - 20_000),
                    held: 0,
                }),
            },
        })
    };
    hear(&mut receiver, at(1_000), beat(at(1_000)));
    let mut frame = data(B, round, 4, 10);
    let committed = at(1_100).wall.as_micros() - 400_000;
    frame.records[0].hlc = Hlc(committed);
    let ticket = ticket(&hear(&mut receiver, at(1_110), Frame::Data(frame)));
    let result = Ok(());
    receiver.handle_input(at(1_112), Input::Applied { ticket, result });
    let summary = receiver.latencies(at(1_112))[&B];
    assert_eq!((summary.count, summary.max), (1, 12_000));
}

#[test]
fn a_table_is_asked_for_merged_and_told_filled() {
    let (mut receiver, _) = connected();
    let table = TableId(1 << 20);
    let (made, sources) = (7, vec![C, B]);
    let one = Fill {
        made,
        sources,
        holders: Holders::Primary,
    };
    let fills = BTreeMap::from([(table, one)]);
    receiver.handle_input(at(1), fill(fills));
    assert_eq!(
        outputs(&mut receiver),
        [],
        "where its log stands is not known"
    );
    let asked = requests(&hear(&mut receiver, at(1), beat(4)));
    assert_eq!(asked[0].items, CopyItems::OwnOnly);
    let page = CopyPage {
        table,
        round: asked[0].round,
        after: None,
        items: vec![],
        next: None,
    };
    let merge = hear(&mut receiver, at(2), Frame::CopyPage(page));
    assert!(matches!(merge[..], [Output::Merge { .. }]));
    merged(&mut receiver, &merge);
    let items = CopyItems::OwnOnly;
    let portion = Portion { made, items };
    assert_eq!(outputs(&mut receiver), [Output::Filled { table, portion }]);
}

/// Tells that the page is merged which is to be merged.
fn merged(receiver: &mut Receiver, outputs: &[Output]) {
    for output in outputs {
        if let Output::Merge { arrived, .. } = output {
            let (ticket, merged) = (arrived.ticket, true);
            receiver.handle_input(at(3), Input::Merged { ticket, merged });
        }
    }
}

fn beat(head: u64) -> Frame {
    Frame::Beat(Beat {
        head: Seq(head),
        horizon: Hlc(0),
        stable: Hlc(0),
        applied: vector(&[(B, head)]),
        durable: vector(&[(B, head)]),
        sample: Sample {
            said: Moment::from_micros(0),
            wall: WallTime::from_micros(0),
            echo: None,
        },
    })
}

fn requests(outputs: &[Output]) -> Vec<CopyRequest> {
    let mut requests = Vec::new();
    for output in outputs {
        if let Output::Send(Frame::CopyRequest(request)) = output {
            requests.push(request.clone());
        }
    }
    requests
}

/// Tells that the records which the receiver wants next are gone up to `first`.
fn trimmed(receiver: &mut Receiver, round: u32, first: u64) -> Vec<Output> {
    let (origin, first) = (B, Seq(first));
    let trimmed = Trimmed {
        origin,
        round,
        first,
    };
    hear(receiver, at(1), Frame::Trimmed(trimmed))
}

/// Lets the only table come, empty. Returns what follows.
fn give(receiver: &mut Receiver, table: TableId) -> Vec<Output> {
    let page = |round| CopyPage {
        table,
        round,
        after: None,
        items: vec![],
        next: None,
    };
    // Of all rounds but that which was asked for last, nothing is taken.
    let pages = (1..9).map(|round| Frame::CopyPage(page(round)));
    let merge: Vec<Output> = pages.flat_map(|page| hear(receiver, at(2), page)).collect();
    merged(receiver, &merge);
    outputs(receiver)
}

#[test]
fn what_is_gone_is_copied_and_the_log_goes_on_behind_it() {
    let mut receiver = Receiver::new(B);
    receiver.handle_input(at(0), Input::Up);
    let round = wants(&outputs(&mut receiver)).expect("wants")[0].round;
    let table = TableId(1 << 20);
    let tables = BTreeSet::from([table]);
    trimmed(&mut receiver, round, 9);
    assert_eq!(receiver.needs_resync(), Some(Seq(9)));
    receiver.handle_input(at(1), Input::Shared(tables));
    assert_eq!(
        outputs(&mut receiver),
        [],
        "where its log stands is not known"
    );
    let asked = requests(&hear(&mut receiver, at(1), beat(12)));
    assert_eq!(asked[0].items, CopyItems::All);
    hear(&mut receiver, at(1), beat(15));
    let to = Seq(12);
    assert_eq!(
        give(&mut receiver, table),
        [Output::Skip {
            ticket: 1,
            to,
            owed: BTreeMap::new()
        }]
    );
    receiver.handle_input(at(4), Input::Local(local(12, 12)));
    receiver.handle_input(at(4), skipped(1));
    assert_eq!(receiver.needs_resync(), None);
    let wants = wants(&outputs(&mut receiver)).expect("wants");
    assert_eq!(wants[0].after, to);
    assert_ne!(wants[0].round, round);
}

#[test]
fn a_cut_while_what_is_gone_is_copied_loses_none_of_it() {
    let mut receiver = Receiver::new(B);
    receiver.handle_input(at(0), Input::Up);
    let round = wants(&outputs(&mut receiver)).expect("wants")[0].round;
    let table = TableId(1 << 20);
    trimmed(&mut receiver, round, 9);
    hear(&mut receiver, at(1), beat(12));
    receiver.handle_input(at(1), Input::Shared(BTreeSet::from([table])));
    outputs(&mut receiver);
    assert!(matches!(
        give(&mut receiver, table)[..],
        [Output::Skip { .. }]
    ));
    let (ticket, skipped) = (1, false);
    receiver.handle_input(at(4), Input::Skipped { ticket, skipped });
    receiver.handle_input(at(5), Input::Down);
    receiver.handle_input(at(6), Input::Up);
    let again = outputs(&mut receiver);
    assert!(
        again.contains(&Output::Skip {
            ticket: 1,
            to: Seq(12),
            owed: BTreeMap::new()
        }),
        "{again:?}"
    );
    assert_eq!(wants(&again), Some(vec![]), "the log rests meanwhile");
}

#[test]
fn a_skip_ends_the_catching_up_that_asked_for_it_and_no_later_one() {
    let mut receiver = Receiver::new(B);
    receiver.handle_input(at(0), Input::Up);
    let round = wants(&outputs(&mut receiver)).expect("wants")[0].round;
    let table = TableId(1 << 20);
    trimmed(&mut receiver, round, 9);
    hear(&mut receiver, at(1), beat(12));
    receiver.handle_input(at(1), Input::Shared(BTreeSet::from([table])));
    outputs(&mut receiver);
    assert!(matches!(
        give(&mut receiver, table)[..],
        [Output::Skip { ticket: 1, .. }]
    ));
    // The peer is met with another directory while that is written: its pages come anew.
    let met = Local {
        met: BTreeMap::from([(B, 7)]),
        ..local(12, 12)
    };
    receiver.handle_input(at(4), Input::Local(met));
    receiver.handle_input(at(4), skipped(1));
    assert!(receiver.needs_resync().is_some(), "nothing of it has come");
    receiver.handle_input(at(4), skipped(2));
    assert_eq!(receiver.needs_resync(), None);
}

#[test]
fn a_log_that_ends_at_the_last_number_is_no_trouble() {
    let mut receiver = Receiver::new(B);
    receiver.handle_input(at(0), Input::Up);
    let round = wants(&outputs(&mut receiver)).expect("wants")[0].round;
    trimmed(&mut receiver, round, 9);
    hear(&mut receiver, at(1), beat(u64::MAX));
    receiver.handle_input(at(1), Input::Shared(BTreeSet::new()));
    let to = Seq(u64::MAX);
    assert_eq!(
        outputs(&mut receiver),
        [Output::Skip {
            ticket: 1,
            to,
            owed: BTreeMap::new()
        }]
    );
}

#[test]
fn what_a_lost_directory_held_is_copied_though_the_log_is_whole() {
    let mut receiver = Receiver::new(B);
    let begins = Seq(1 << 40);
    let local = Local {
        begins,
        ..Local::default()
    };
    receiver.handle_input(at(0), Input::Local(local));
    receiver.handle_input(at(0), Input::Up);
    assert_eq!(wants(&outputs(&mut receiver)), Some(vec![]));
    hear(&mut receiver, at(1), beat(12));
    let tables = BTreeSet::from([TableId(1 << 20)]);
    receiver.handle_input(at(1), Input::Shared(tables));
    let asked = requests(&outputs(&mut receiver));
    assert_eq!(asked[0].items, CopyItems::All);
}

#[test]
fn a_directory_in_the_place_of_a_lost_one_gives_what_it_wrote_itself() {
    let (mut receiver, round) = connected();
    let begins = Seq(4).next_generation().0;
    trimmed(&mut receiver, round, begins + 1);
    hear(&mut receiver, at(1), beat(begins));
    let tables = BTreeSet::from([TableId(1 << 20)]);
    receiver.handle_input(at(1), Input::Shared(tables));
    let asked = requests(&outputs(&mut receiver));
    assert_eq!(asked[0].items, CopyItems::OwnOnly);
}

#[test]
fn data_that_is_too_old_to_be_caught_up_with_is_told() {
    let (mut receiver, round) = connected();
    let first = Seq(9);
    assert_eq!(trimmed(&mut receiver, round + 1, 9), [], "of no round");
    assert_eq!(trimmed(&mut receiver, round, 9), [Output::TooOld { first }]);
    assert_eq!(receiver.needs_resync(), None);
}

#[test]
fn a_refusal_ends_the_connection() {
    let (mut receiver, _) = connected();
    let refusal = Refusal::Project;
    let said = hear(&mut receiver, at(1), Frame::Refuse(refusal.clone()));
    assert_eq!(said, [Output::Close(LinkError::Refused(refusal))]);
}

#[test]
fn a_silent_or_babbling_peer_is_dropped() {
    let (mut receiver, _) = connected();
    let said = hear(&mut receiver, at(1), Frame::Want(vec![]));
    assert!(matches!(said[..], [Output::Close(LinkError::Protocol(_))]));
    receiver.handle_timeout(at(3_001));
    assert!(matches!(
        outputs(&mut receiver)[..],
        [Output::Close(LinkError::Silent(_))]
    ));
}

#[test]
fn what_was_given_is_told_again_with_whatever_is_to_be_filled() {
    let (mut receiver, _) = connected();
    let table = TableId(1 << 20);
    let (made, sources) = (7, vec![B]);
    let fills = BTreeMap::from([(
        table,
        Fill {
            made,
            sources,
            holders: Holders::Primary,
        },
    )]);
    receiver.handle_input(at(1), fill(fills.clone()));
    hear(&mut receiver, at(1), beat(4));
    let given = give(&mut receiver, table);
    assert!(matches!(given[..], [Output::Filled { .. }]));
    receiver.handle_input(at(4), fill(fills));
    assert_eq!(outputs(&mut receiver), given);
    receiver.handle_input(at(5), fill(BTreeMap::new()));
    assert_eq!(outputs(&mut receiver), []);
}

#[test]
fn what_the_peer_has_not_got_back_itself_is_owed_and_holds_up_no_log() {
    let (mut receiver, round) = connected();
    let begins = Seq(4).next_generation().0;
    trimmed(&mut receiver, round, begins + 1);
    hear(&mut receiver, at(1), beat(begins));
    let table = TableId(1 << 20);
    receiver.handle_input(at(1), Input::Shared(BTreeSet::from([table])));
    outputs(&mut receiver);
    let said = hear(&mut receiver, at(2), Frame::CopyLater(table));
    let owed = BTreeMap::from([(table, CopyItems::OwnOnly)]);
    let skip = Output::Skip {
        ticket: 1,
        to: Seq(begins),
        owed: owed.clone(),
    };
    assert_eq!(said.last(), Some(&skip));
    let owes = |owed: &BTreeMap<TableId, CopyItems>| Local {
        owed: BTreeMap::from([(B, owed.clone())]),
        ..local(begins, begins)
    };
    receiver.handle_input(at(3), Input::Local(owes(&owed)));
    receiver.handle_input(at(3), skipped(1));
    let said = outputs(&mut receiver);
    assert_eq!(wants(&said).expect("wants")[0].after, Seq(begins));
    assert_eq!(requests(&said)[0].after, None, "from the beginning");
    let given = give(&mut receiver, table);
    let items = CopyItems::OwnOnly;
    assert_eq!(given, [Output::Repaid { table, items }]);
    receiver.handle_input(at(5), Input::Local(owes(&BTreeMap::new())));
    receiver.handle_input(at(6), Input::Down);
    receiver.handle_input(at(6), Input::Up);
    assert_eq!(requests(&hear(&mut receiver, at(7), beat(begins))), []);
}

#[test]
fn a_log_of_billions_of_records_is_still_of_one_directory() {
    let mut receiver = Receiver::new(B);
    receiver.handle_input(at(0), Input::Local(local(5, 5)));
    receiver.handle_input(at(0), Input::Up);
    let round = wants(&outputs(&mut receiver)).expect("wants")[0].round;
    let first = Seq(9_000_000_000);
    let told = trimmed(&mut receiver, round, first.0);
    assert_eq!(told, [Output::TooOld { first }]);
}
