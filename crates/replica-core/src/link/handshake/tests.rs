//! Tests of the greeting: who is let in, who is refused, and what each side is told.

use bytes::BytesMut;

use base::name::TableId;
use base::region::RegionName;

use super::{Accepted, Dialled, Directory, GreetingError, Identity, Session};
use crate::frame::Frame;
use crate::frame::greeting::Refusal;
use crate::link::seal::Key;
use crate::vector::Seq;

const DIRECTORY: Directory = Directory {
    incarnation: 1,
    begins: Seq(0),
};

fn name(text: &str) -> RegionName {
    RegionName::parse(text).expect("a region name")
}

fn identity(region: &str) -> Identity {
    Identity::new("shop", name(region), DIRECTORY, &Key([3; 32]))
}

/// Greets, and returns how it ended at the dialling and at the listening side.
fn greet(
    dialler: &Identity,
    target: &str,
    listener: &Identity,
) -> Result<(Session, Session), (GreetingError, GreetingError)> {
    let at_listener = |error: GreetingError, dialled: Dialled| {
        let GreetingError::Ours(refusal) = error.clone() else {
            panic!("the listener found {error}");
        };
        let told = dialled.prove(Frame::Refuse(refusal)).expect_err("refused");
        (told, error)
    };
    let (dialled, hello) = Dialled::begin(dialler, name(target), [1; 32]);
    let is_peer = |region: &RegionName| region.as_str() != "lab-9";
    let (accepted, challenge) = match Accepted::hear(listener, [2; 32], hello, is_peer) {
        Ok(step) => step,
        Err(error) => return Err(at_listener(error, dialled)),
    };
    let (proved, proof) = dialled.prove(challenge).expect("challenged rightly");
    match accepted.welcome(proof) {
        Ok((session, welcome)) => {
            let dialled = proved.finish(welcome).expect("welcome");
            Ok((dialled, session))
        }
        Err(GreetingError::Ours(refusal)) => {
            let told = proved.finish(Frame::Refuse(refusal.clone()));
            Err((told.expect_err("refused"), GreetingError::Ours(refusal)))
        }
        Err(other) => panic!("the listener found {other}"),
    }
}

#[track_caller]
fn refused(dialler: &Identity, target: &str, listener: &Identity, expect: &Refusal) {
    let (told, found) = greet(dialler, target, listener).expect_err("refused");
    assert_eq!(found, GreetingError::Ours(expect.clone()));
    assert_eq!(told, GreetingError::Theirs(expect.clone()));
}

#[test]
fn peers_of_one_project_talk_and_only_to_each_other() {
    let (a, b) = (identity("lab-1"), identity("lab-2"));
    let (mut dialler, mut listener) = greet(&a, "lab-2", &b).expect("let in");
    assert_eq!((dialler.peer.as_str(), dialler.format), ("lab-2", 3));
    assert_eq!(
        (listener.peer.as_str(), listener.directory),
        ("lab-1", DIRECTORY)
    );
    let mut wire = BytesMut::new();
    dialler
        .sealer
        .seal(&Frame::CopyLater(TableId(1)), &mut wire);
    let mut reflected = wire.clone();
    assert!(listener.opener.open(&mut wire, 100).is_ok());
    assert!(dialler.opener.open(&mut reflected, 100).is_err());
}

#[test]
fn strangers_and_the_misdirected_are_told_so() {
    let (a, b) = (identity("lab-1"), identity("lab-2"));
    refused(&a, "lab-3", &b, &Refusal::Misdirected(name("lab-2")));
    let stranger = identity("lab-9");
    refused(&stranger, "lab-2", &b, &Refusal::Stranger(name("lab-9")));
    let other = Identity::new("shed", name("lab-1"), DIRECTORY, &Key([3; 32]));
    refused(&other, "lab-2", &b, &Refusal::Project);
    let other = Identity::new("shop", name("lab-1"), DIRECTORY, &Key([4; 32]));
    refused(&other, "lab-2", &b, &Refusal::Key);
}

#[test]
fn neighbouring_releases_talk_and_others_are_told_the_range() {
    let newer = identity("lab-1").with_formats(3..=4);
    let (dialler, listener) = greet(&newer, "lab-2", &identity("lab-2")).expect("let in");
    assert_eq!((dialler.format, listener.format), (3, 3));
    let refusal = Refusal::Format { min: 3, max: 3 };
    for others in [4..=5, 1..=2] {
        let other = identity("lab-1").with_formats(others);
        refused(&other, "lab-2", &identity("lab-2"), &refusal);
    }
}

#[test]
fn a_directory_takes_the_place_of_another_only_above_its_log() {
    let directory = |begins| Directory {
        incarnation: 1,
        begins: Seq(begins),
    };
    let region = name("lab-1");
    let admit = |begins, known, had| directory(begins).admit(&region, known, Seq(had));
    assert_eq!(admit(0, None, 9), Ok(()), "nobody has met another one");
    assert_eq!(admit(0, Some(1), 9), Ok(()));
    assert_eq!(admit(0, Some(7), 0), Ok(()), "the other one wrote nothing");
    assert_eq!(admit(9, Some(7), 9), Ok(()));
    let had = Seq(9);
    let region = name("lab-1");
    assert_eq!(
        admit(8, Some(7), 9),
        Err(Refusal::Incarnation { region, had })
    );
    let begins = had.next_generation();
    assert_eq!((begins.generation(), had.generation()), (1, 0));
    assert_eq!(admit(begins.0, Some(7), 9), Ok(()));
}

#[test]
fn a_listener_without_the_key_is_not_talked_to() {
    let (a, b) = (identity("lab-1"), identity("lab-2"));
    let (dialled, hello) = Dialled::begin(&a, name("lab-2"), [1; 32]);
    let (_, challenge) = Accepted::hear(&b, [2; 32], hello, |_| true).expect("heard");
    let (proved, proof) = dialled.prove(challenge).expect("challenged");
    let Frame::Proof(proof) = proof else {
        panic!("a proof follows a challenge");
    };
    // It can only give the dialler's own proof back.
    let ended = proved.finish(Frame::Welcome(proof));
    assert_eq!(
        ended.expect_err("refused"),
        GreetingError::Ours(Refusal::Key)
    );
}

#[test]
fn a_proof_is_of_use_in_one_conversation_only() {
    let (a, b) = (identity("lab-1"), identity("lab-2"));
    let prove = |nonce| {
        let (dialled, hello) = Dialled::begin(&a, name("lab-2"), [1; 32]);
        let (accepted, challenge) = Accepted::hear(&b, nonce, hello, |_| true).expect("heard");
        let (_, proof) = dialled.prove(challenge).expect("challenged");
        (accepted, proof)
    };
    let (_, recorded) = prove([2; 32]);
    let (accepted, _) = prove([5; 32]);
    let ended = accepted.welcome(recorded);
    assert_eq!(
        ended.expect_err("refused"),
        GreetingError::Ours(Refusal::Key)
    );
}

#[test]
fn frames_out_of_turn_are_named() {
    let (dialled, _) = Dialled::begin(&identity("lab-1"), name("lab-2"), [1; 32]);
    let ended = dialled.prove(Frame::CopyLater(TableId(1)));
    assert_eq!(
        ended.expect_err("out of turn"),
        GreetingError::Unexpected {
            expected: "challenge",
            found: "copy later"
        }
    );
}
