//! Tests of one voter's answers.

use base::region::RegionId;

use super::{Answer, Durable, Voter};
use crate::edition::{Ballot, Edition, Incarnation, OperationId, Vote};
use crate::message::{Attempt, Message};
use crate::planted::Planted;

const P: RegionId = RegionId(1);
const Q: RegionId = RegionId(2);
const ATTEMPT: Attempt = Attempt {
    operation: OperationId(7),
    count: 1,
};

fn voter() -> Voter {
    Voter {
        durable: Durable::default(),
        planted: Planted::Nothing,
    }
}

fn ballot(round: u64) -> Ballot {
    Ballot { round, region: P }
}

fn edition(number: u64) -> Edition {
    Edition {
        number,
        author: OperationId(u128::from(number)),
        recent: Vec::new(),
        value: Some("item".into()),
    }
}

fn prepare(number: u64, round: u64) -> Message {
    Message::Prepare {
        attempt: ATTEMPT,
        number,
        ballot: ballot(round),
    }
}

fn propose(number: u64, round: u64) -> Message {
    let vote = Vote {
        ballot: ballot(round),
        edition: edition(number),
    };
    Message::Propose {
        attempt: ATTEMPT,
        vote,
    }
}

fn reply(answer: Answer) -> (bool, Message) {
    (answer.changed, answer.reply.expect("it answers"))
}

#[test]
fn a_promise_and_a_vote_are_memory_and_hold_against_lower_ballots() {
    let mut voter = voter();
    let (changed, held) = reply(voter.handle(P, prepare(1, 2)));
    assert!(
        changed
            && matches!(
                held,
                Message::Held {
                    chosen: 0,
                    vote: None,
                    ..
                }
            ),
        "{held:?}"
    );
    assert!(
        !reply(voter.handle(P, prepare(1, 2))).0,
        "a repeated question changes nothing"
    );
    for lower in [prepare(1, 1), propose(1, 1)] {
        let (changed, refused) = reply(voter.handle(P, lower));
        assert!(!changed);
        let promised = ballot(2);
        assert_eq!(
            refused,
            Message::Refused {
                attempt: ATTEMPT,
                promised
            }
        );
    }
    let (changed, voted) = reply(voter.handle(P, propose(1, 2)));
    assert!(
        changed && matches!(voted, Message::Voted { .. }),
        "{voted:?}"
    );
    let (_, held) = reply(voter.handle(Q, prepare(1, 5)));
    let Message::Held {
        vote: Some(vote), ..
    } = held
    else {
        panic!("it tells its vote: {held:?}")
    };
    assert_eq!((vote.ballot, vote.edition), (ballot(2), edition(1)));
}

#[test]
fn an_edition_that_is_chosen_ends_its_promises_and_votes() {
    let mut voter = voter();
    voter.handle(P, propose(1, 2));
    let early = Message::Chosen {
        number: 1,
        ballot: ballot(3),
    };
    let (changed, learnt) = reply(voter.handle(P, early));
    assert!(
        !changed,
        "it has not voted in that ballot, so its vote may not be what was chosen"
    );
    assert_eq!(learnt, Message::Learnt { number: 0 });
    let chosen = Message::Chosen {
        number: 1,
        ballot: ballot(2),
    };
    assert_eq!(
        reply(voter.handle(P, chosen)),
        (true, Message::Learnt { number: 1 })
    );
    let expected = Durable {
        chosen: 1,
        edition: Some(edition(1)),
        ..Durable::default()
    };
    assert_eq!(voter.durable, expected);
    let (_, held) = reply(voter.handle(Q, prepare(1, 9)));
    let Message::Held {
        chosen: 1,
        newer: Some(newer),
        ..
    } = held
    else {
        panic!("whoever asks about the past is told what was chosen: {held:?}")
    };
    assert_eq!(newer, edition(1));
    assert_eq!(
        reply(voter.handle(Q, propose(3, 1))),
        (false, Message::Behind { attempt: ATTEMPT }),
        "it does not vote on what follows an edition that it has not learnt"
    );
}

#[test]
fn a_witness_drops_a_value_only_of_the_settled_edition() {
    let mut voter = voter();
    voter.handle(
        P,
        Message::Learn {
            edition: edition(4),
        },
    );
    voter.handle(P, Message::Settled { number: 3 });
    assert_eq!(voter.durable.edition, Some(edition(4)));
    assert!(voter.handle(P, Message::Settled { number: 4 }).changed);
    assert_eq!((voter.durable.edition, voter.durable.chosen), (None, 4));
}

#[test]
fn a_recall_is_noted_before_it_is_answered_and_never_taken_back() {
    let mut voter = voter();
    voter.handle(P, propose(1, 2));
    let recall = |number| Message::Recall {
        incarnation: Incarnation(number),
    };
    let (changed, recalled) = reply(voter.handle(Q, recall(9)));
    let Message::Recalled { durable, .. } = recalled else {
        panic!("it tells everything: {recalled:?}")
    };
    assert!(changed);
    assert_eq!(durable.known, [(Q, Incarnation(9))]);
    assert_eq!(durable.vote.map(|vote| vote.edition), Some(edition(1)));
    assert!(
        voter.handle(Q, recall(8)).reply.is_none(),
        "an earlier directory is gone"
    );
    assert_eq!(voter.durable.known, [(Q, Incarnation(9))]);
}
