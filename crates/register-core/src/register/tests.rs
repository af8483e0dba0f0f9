//! Tests of three registers whose messages the test carries, and of one alone.

use base::region::RegionId;
use bytes::Bytes;
use clock::time::Moment;

use super::{Ask, Decision, Outcome, Output, Register, Write};
use crate::edition::{Ballot, Edition, Incarnation, OperationId};
use crate::limits::{ATTEMPTS_MAX, RECENT_MAX, WAITING_MAX};
use crate::members::Members;
use crate::message::Message;
use crate::voter::Durable;

const HERE: RegionId = RegionId(1);
const NOW: Moment = Moment::from_micros(0);

/// Writes its text where the item is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Put(&'static str);

impl Write for Put {
    fn decide(&self, current: Option<&Bytes>) -> Decision {
        if current.is_some_and(|item| item == self.0) {
            return Decision::Refuse;
        }
        Decision::Follow(Some(self.0.into()))
    }
}

type Three = [Register<Put>; 3];

fn members(witness: Option<u16>) -> Members {
    let voters = [1, 2, 3].map(RegionId);
    Members::try_new(voters, witness.map(RegionId)).expect("they are three")
}

fn three(witness: Option<u16>) -> Three {
    [1, 2, 3].map(|id| Register::restored(RegionId(id), members(witness), Durable::default()))
}

fn at(id: RegionId) -> usize {
    usize::from(id.0) - 1
}

/// Carries messages at once, but for those of or to `cut`; returns what was answered.
fn quiet(three: &mut Three, cut: &[u16]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    loop {
        let from = (0..3).find_map(|from| three[from].poll_output().map(|output| (from, output)));
        let Some((from, output)) = from else {
            return outcomes;
        };
        match output {
            Output::Persist(_) => {}
            Output::Done { outcome, .. } => outcomes.push(outcome),
            Output::Send { to, message } => {
                let from = [1, 2, 3].map(RegionId)[from];
                if !cut.contains(&from.0) && !cut.contains(&to.0) {
                    three[at(to)].handle_message(NOW, from, message);
                }
            }
        }
    }
}

fn ask(three: &mut Three, id: u16, operation: u128, ask: Ask<Put>) {
    let taken = three[at(RegionId(id))].handle_operation(NOW, OperationId(operation), ask);
    taken.expect("few wait");
}

fn text(edition: Option<&Edition>) -> Option<&[u8]> {
    edition.and_then(|edition| edition.value.as_deref())
}

#[test]
fn what_one_region_writes_every_region_reads() {
    let mut three = three(None);
    ask(&mut three, 1, 1, Ask::Read);
    assert_eq!(quiet(&mut three, &[]), [Outcome::Read(None)]);
    ask(&mut three, 1, 2, Ask::Write(Put("a")));
    let written = quiet(&mut three, &[]);
    let [
        Outcome::Written {
            before: None,
            after,
        },
    ] = &written[..]
    else {
        panic!("it is written: {written:?}")
    };
    assert_eq!((after.number, after.author), (1, OperationId(2)));
    for id in 1..=3 {
        ask(&mut three, id, 10 + u128::from(id), Ask::Read);
        assert_eq!(quiet(&mut three, &[]), [Outcome::Read(Some(after.clone()))]);
    }
    ask(&mut three, 3, 20, Ask::Write(Put("a")));
    assert_eq!(
        quiet(&mut three, &[]),
        [Outcome::Refused(Some(after.clone()))]
    );
    assert!(three.iter().all(Register::is_idle));
}

#[test]
fn a_region_alone_answers_nothing_but_what_it_has_learnt() {
    let mut three = three(None);
    ask(&mut three, 1, 1, Ask::Write(Put("a")));
    quiet(&mut three, &[]);
    ask(&mut three, 3, 2, Ask::Read);
    ask(&mut three, 3, 3, Ask::Write(Put("b")));
    let mut outcomes = quiet(&mut three, &[3]);
    while let Some(then) = three[2].poll_timeout() {
        three[2].handle_timeout(then);
        outcomes.extend(quiet(&mut three, &[3]));
    }
    assert_eq!(outcomes, [Outcome::Unavailable, Outcome::Unavailable]);
    assert_eq!(text(three[2].learnt()), Some(&b"a"[..]));
    ask(&mut three, 1, 4, Ask::Write(Put("c")));
    assert!(
        matches!(quiet(&mut three, &[3])[..], [Outcome::Written { .. }]),
        "two are enough"
    );
}

#[test]
fn what_is_voted_for_is_finished_before_a_read_is_answered() {
    let mut three = three(None);
    ask(&mut three, 1, 1, Ask::Write(Put("a")));
    // The promises come back, the proposal reaches nobody: one voter has voted for it.
    let outputs: Vec<Output> = std::iter::from_fn(|| three[0].poll_output()).collect();
    for output in outputs {
        if let Output::Send { to, message } = output {
            three[at(to)].handle_message(NOW, HERE, message);
        }
    }
    assert_eq!(quiet(&mut three, &[1]), [], "the promises are lost");
    three[0].handle_timeout(three[0].poll_timeout().expect("it waits"));
    let first = |three: &mut Three| match three[0].poll_output() {
        Some(Output::Send {
            to: RegionId(2),
            message,
        }) => Some(message),
        _ => None,
    };
    let asked = std::iter::from_fn(|| Some(first(&mut three))).find_map(|message| message);
    three[1].handle_message(NOW, HERE, asked.expect("it asks again"));
    while let Some(output) = three[1].poll_output() {
        if let Output::Send { to: HERE, message } = output {
            three[0].handle_message(NOW, RegionId(2), message);
        }
    }
    assert!(three[0].learnt().is_none());
    while three[0].poll_output().is_some() {}
    // Region 3 reads by way of region 1, which has voted.
    ask(&mut three, 3, 2, Ask::Read);
    let outcomes = quiet(&mut three, &[2]);
    let read = outcomes.iter().find_map(|outcome| {
        let Outcome::Read(edition) = outcome else {
            return None;
        };
        Some(text(edition.as_ref()))
    });
    assert_eq!(read, Some(Some(&b"a"[..])));
    let written = outcomes
        .iter()
        .any(|outcome| matches!(outcome, Outcome::Written { .. }));
    assert!(written, "its author is told, too: {outcomes:?}");
}

#[test]
fn a_lost_directory_votes_once_both_others_have_told_it_all() {
    let mut three = three(None);
    ask(&mut three, 1, 1, Ask::Write(Put("a")));
    quiet(&mut three, &[]);
    three[0] = Register::lost(NOW, HERE, members(None), Incarnation(5));
    assert_eq!(quiet(&mut three, &[3]), []);
    assert!(!three[0].is_whole());
    ask(&mut three, 1, 2, Ask::Read);
    let then = three[0].poll_timeout().expect("it asks again");
    three[0].handle_timeout(then);
    let outcomes = quiet(&mut three, &[]);
    assert!(three[0].is_whole());
    let [Outcome::Read(Some(edition))] = &outcomes[..] else {
        panic!("it reads what the lost directory had: {outcomes:?}")
    };
    assert_eq!(edition.author, OperationId(1));
}

#[test]
fn a_witness_keeps_a_value_until_both_regions_have_it() {
    let mut three = three(Some(3));
    ask(&mut three, 1, 1, Ask::Write(Put("a")));
    quiet(&mut three, &[2]);
    assert_eq!(
        text(three[2].learnt()),
        Some(&b"a"[..]),
        "region 2 could read it nowhere else"
    );
    let then = three[0].poll_timeout().expect("it tells again");
    three[0].handle_timeout(then);
    quiet(&mut three, &[]);
    assert_eq!(text(three[1].learnt()), Some(&b"a"[..]));
    assert_eq!(three[2].learnt(), None);
    ask(&mut three, 2, 2, Ask::Write(Put("b")));
    assert!(matches!(
        quiet(&mut three, &[1])[..],
        [Outcome::Written { .. }]
    ));
}

#[test]
fn operations_of_one_item_wait_up_to_a_bound() {
    let mut register = Register::restored(HERE, members(None), Durable::default());
    for operation in 0..=WAITING_MAX {
        let id = OperationId(operation as u128);
        register
            .handle_operation(NOW, id, Ask::Write(Put("a")))
            .expect("they fit");
    }
    let id = OperationId(u128::MAX);
    assert!(register.handle_operation(NOW, id, Ask::Read).is_err());
}

#[test]
fn a_write_that_was_silent_for_too_long_does_not_guess() {
    for (later, expected) in [(RECENT_MAX, true), (RECENT_MAX + 1, false)] {
        let mut three = three(None);
        ask(&mut three, 1, 1, Ask::Write(Put("a")));
        // All that region 1 hears is one promise; its proposal reaches region 2 alone.
        let mut heard = 0;
        for _ in 0..2 {
            let outputs: Vec<Output> = std::iter::from_fn(|| three[0].poll_output()).collect();
            for output in outputs {
                if let Output::Send {
                    to: RegionId(2),
                    message,
                } = output
                {
                    three[1].handle_message(NOW, HERE, message);
                }
            }
            while let Some(output) = three[1].poll_output() {
                if let Output::Send { to: HERE, message } = output
                    && heard == 0
                {
                    heard += 1;
                    three[0].handle_message(NOW, RegionId(2), message);
                }
            }
        }
        for operation in 0..later {
            let put = Put(["b", "c"][operation % 2]);
            ask(&mut three, 2, 100 + operation as u128, Ask::Write(put));
            quiet(&mut three, &[1]);
        }
        let then = three[0].poll_timeout().expect("it waits");
        three[0].handle_timeout(then);
        let outcomes = quiet(&mut three, &[]);
        let is_written = matches!(outcomes[..], [Outcome::Written { .. }]);
        assert_eq!(is_written, expected, "{later} later: {outcomes:?}");
        assert!(is_written || outcomes == [Outcome::Unknown], "{outcomes:?}");
    }
}

#[test]
fn a_write_that_is_overtaken_each_time_ends_as_a_conflict() {
    let [mut register, _, other] = three(None);
    let put = Ask::Write(Put("a"));
    let taken = register.handle_operation(NOW, OperationId(1), put);
    taken.expect("few wait");
    let (mut asked, mut round) = (0, 0);
    let outcome = loop {
        let Some(output) = register.poll_output() else {
            let then = register.poll_timeout().expect("it waits for its turn");
            register.handle_timeout(then);
            continue;
        };
        match output {
            Output::Done { outcome, .. } => break outcome,
            Output::Send {
                to,
                message:
                    Message::Prepare {
                        attempt, ballot, ..
                    },
            } if to == RegionId(2) => {
                assert!(
                    ballot.round > round,
                    "it asks above what it was refused for"
                );
                asked += 1;
                round = ballot.round;
                let promised = Ballot {
                    round,
                    region: RegionId(3),
                };
                register.handle_message(NOW, to, Message::Refused { attempt, promised });
            }
            Output::Send { message, .. } => {
                assert!(!matches!(message, Message::Propose { .. }), "{message:?}");
            }
            Output::Persist(_) => {}
        }
    };
    assert_eq!((outcome, asked), (Outcome::Conflict, ATTEMPTS_MAX));
    assert!(register.is_idle() && other.is_idle());
}
