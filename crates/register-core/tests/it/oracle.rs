//! Whether what operations were told is linearizable.
//!
//! It knows nothing of editions' numbers, ballots or voters: only what was asked when, and what was
//! answered when. Since each write appends its own number, all answers must be prefixes of one
//! list, and a write's place in it, or the length that a read saw, must agree with real time.
//! Source: Linearizability (Herlihy and Wing, 1990); that each write appends is of Elle (Kingsbury
//! and Alvaro, 2020).

use register_core::edition::Edition;
use register_core::register::{Decision, Outcome, Write as _};

use crate::write::Append;

/// An operation as its client knows it. Moments are steps of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    /// None for a read.
    pub(crate) write: Option<Append>,
    pub(crate) asked: u64,
    pub(crate) answered: Option<(u64, Outcome)>,
}

/// Where a call stands in the list: behind so many writes, of which it may be the last.
struct Place {
    asked: u64,
    answered: u64,
    behind: usize,
    is_write: bool,
}

/// Checks a history.
pub(crate) fn check(calls: &[Call]) -> Result<(), String> {
    let lists = || calls.iter().filter_map(seen);
    let chain = lists().max_by_key(Vec::len).unwrap_or_default();
    if let Some(list) = lists().find(|list| !chain.starts_with(list)) {
        return Err(format!("{list:?} is no beginning of {chain:?}"));
    }
    if let Some(at) = (0..chain.len()).find(|at| chain[..*at].contains(&chain[*at])) {
        return Err(format!("{} is done twice: {chain:?}", chain[at]));
    }
    let mut places = Vec::new();
    for call in calls {
        places.extend(place(call, &chain)?);
    }
    for first in &places {
        for then in places.iter().filter(|then| first.answered < then.asked) {
            if then.behind < first.behind + usize::from(then.is_write) {
                return Err(format!(
                    "answered at {} behind {} writes, then asked at {} and behind {}",
                    first.answered, first.behind, then.asked, then.behind
                ));
            }
        }
    }
    Ok(())
}

/// Returns the list that an answer shows.
fn seen(call: &Call) -> Option<Vec<u8>> {
    match &call.answered.as_ref()?.1 {
        Outcome::Read(edition) | Outcome::Refused(edition) => Some(list(edition.as_ref())),
        Outcome::Written { after, .. } => Some(list(Some(after))),
        Outcome::Conflict | Outcome::Unavailable | Outcome::Unknown => None,
    }
}

fn list(edition: Option<&Edition>) -> Vec<u8> {
    let value = edition.and_then(|edition| edition.value.as_ref());
    value.map_or_else(Vec::new, |value| value.to_vec())
}

/// Checks an answer by itself, and returns its place where it has one.
fn place(call: &Call, chain: &[u8]) -> Result<Option<Place>, String> {
    let Some((answered, outcome)) = &call.answered else {
        return Ok(None);
    };
    let id = call.write.as_ref().map(|write| write.id);
    let is_done = id.is_some_and(|id| chain.contains(&id));
    let behind = match (outcome, &call.write) {
        (Outcome::Read(edition), None) => list(edition.as_ref()).len(),
        (Outcome::Refused(edition), Some(write)) => {
            let current = edition.as_ref().and_then(|edition| edition.value.as_ref());
            if is_done || write.decide(current) != Decision::Refuse {
                return Err(format!(
                    "{write:?} is refused with {edition:?}, chain {chain:?}"
                ));
            }
            list(edition.as_ref()).len()
        }
        (Outcome::Written { before, after }, Some(write)) => {
            let (before, after) = (list(before.as_ref()), list(Some(after)));
            if after != [before, vec![write.id]].concat() {
                return Err(format!("{write:?} has made {after:?}"));
            }
            after.len()
        }
        (Outcome::Conflict | Outcome::Unavailable, _) if is_done => {
            return Err(format!("{id:?} is told to have failed: {chain:?}"));
        }
        (Outcome::Conflict | Outcome::Unavailable | Outcome::Unknown, _) => return Ok(None),
        _ => return Err(format!("{call:?} is answered as another kind")),
    };
    Ok(Some(Place {
        asked: call.asked,
        answered: *answered,
        behind,
        is_write: matches!(outcome, Outcome::Written { .. }),
    }))
}

/// The oracle itself is able to complain.
#[test]
fn histories_that_no_register_has_are_told() {
    let edition = |list: &[u8]| Edition {
        number: list.len() as u64,
        author: register_core::edition::OperationId(0),
        recent: Vec::new(),
        value: Some(list.to_vec().into()),
    };
    let read = |asked, answered, list: &[u8]| Call {
        write: None,
        asked,
        answered: Some((answered, Outcome::Read(Some(edition(list))))),
    };
    let write = |id, asked, outcome: Option<Outcome>| Call {
        write: Some(Append { id, refuses: None }),
        asked,
        answered: outcome.map(|outcome| (asked + 1, outcome)),
    };
    let written = |list: &[u8]| {
        let before = (list.len() > 1).then(|| edition(&list[..list.len() - 1]));
        let after = edition(list);
        Some(Outcome::Written { before, after })
    };
    let good = [
        write(1, 0, written(&[1])),
        write(2, 1, None),
        read(2, 3, &[1, 2]),
    ];
    assert_eq!(check(&good), Ok(()));
    let bad = [
        vec![read(0, 1, &[1, 2]), read(2, 3, &[1])],
        vec![read(0, 1, &[1, 2]), read(0, 1, &[2])],
        vec![read(0, 1, &[1, 1])],
        vec![
            write(1, 0, written(&[1])),
            write(2, 3, written(&[1, 2])),
            read(9, 10, &[1]),
        ],
        vec![write(1, 0, Some(Outcome::Conflict)), read(2, 3, &[1])],
        vec![write(1, 5, written(&[1])), read(0, 1, &[1])],
        vec![write(1, 0, Some(Outcome::Refused(None)))],
    ];
    for history in bad {
        assert!(check(&history).is_err(), "{history:?}");
    }
}
