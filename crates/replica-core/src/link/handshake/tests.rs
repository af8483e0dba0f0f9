//! Tests of the greeting: who is let in, who is refused, and what each side is told.

use base::name::TableId;
use base::region::RegionName;

use super::{Dialled, Directory, GreetingError, Identity, Session, hear, hear_plain};
use crate::frame::Frame;
use crate::frame::greeting::Refusal;
use crate::vector::Seq;

const DIRECTORY: Directory = Directory {
    incarnation: 1,
    begins: Seq(0),
};

fn name(text: &str) -> RegionName {
    RegionName::parse(text).expect("a region name")
}

fn identity(region: &str) -> Identity {
    Identity::new("shop", name(region), DIRECTORY)
}

/// Greets, and returns how it ended at the dialling and at the listening side. Certificates are
/// all right but that of region `lab-8`.
fn greet(
    dialler: &Identity,
    target: &str,
    listener: &Identity,
) -> Result<(Session, Session), (GreetingError, GreetingError)> {
    let (dialled, hello) = Dialled::begin(dialler, name(target));
    let is_peer = |region: &RegionName| region.as_str() != "lab-9";
    let is_certified = |region: &RegionName| region.as_str() != "lab-8";
    match hear(listener, hello, is_peer, is_certified) {
        Ok((session, welcome)) => Ok((dialled.end(welcome).expect("welcome"), session)),
        Err(GreetingError::Ours(refusal)) => {
            let told = dialled.end(Frame::Refuse(refusal.clone()));
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
    let (dialler, listener) = greet(&a, "lab-2", &b).expect("let in");
    assert_eq!((dialler.peer.as_str(), dialler.format), ("lab-2", 6));
    assert_eq!(
        (listener.peer.as_str(), listener.directory),
        ("lab-1", DIRECTORY)
    );
}

#[test]
fn strangers_and_the_misdirected_are_told_so() {
    let (a, b) = (identity("lab-1"), identity("lab-2"));
    refused(&a, "lab-3", &b, &Refusal::Misdirected(name("lab-2")));
    let stranger = identity("lab-9");
    refused(&stranger, "lab-2", &b, &Refusal::Stranger(name("lab-9")));
    let other = Identity::new("shed", name("lab-1"), DIRECTORY);
    refused(&other, "lab-2", &b, &Refusal::Project);
    let other = identity("lab-8");
    refused(&other, "lab-2", &b, &Refusal::Certificate(name("lab-8")));
}

#[test]
fn neighbouring_releases_talk_and_others_are_told_the_range() {
    for (others, common) in [(5..=5, 5), (5..=6, 6), (6..=7, 6)] {
        let other = identity("lab-1").with_formats(others);
        let (dialler, listener) = greet(&other, "lab-2", &identity("lab-2")).expect("let in");
        assert_eq!((dialler.format, listener.format), (common, common));
    }
    let refusal = Refusal::Format { min: 5, max: 6 };
    for others in [7..=8, 4..=4] {
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
fn a_listener_that_is_not_who_was_dialled_is_refused() {
    let (a, b) = (identity("lab-1"), identity("lab-2"));
    let (dialled, hello) = Dialled::begin(&a, name("lab-2"));
    let (_, welcome) = hear(&b, hello, |_| true, |_| true).expect("heard");
    let Frame::Welcome(mut welcome) = welcome else {
        panic!("a welcome follows a hello");
    };
    welcome.region = name("lab-3");
    assert_eq!(
        dialled.end(Frame::Welcome(welcome)),
        Err(GreetingError::Ours(Refusal::Stranger(name("lab-3"))))
    );
}

#[test]
fn whoever_speaks_without_tls_is_told_the_formats() {
    let b = identity("lab-2");
    let older = identity("lab-1").with_formats(1..=3);
    let (dialled, hello) = Dialled::begin(&older, name("lab-2"));
    let refusal = Refusal::Format { min: 5, max: 6 };
    let ours = hear_plain(&b, hello);
    assert_eq!(ours, GreetingError::Ours(refusal.clone()));
    let told = dialled.end(Frame::Refuse(refusal.clone()));
    assert_eq!(told, Err(GreetingError::Theirs(refusal)));
    let other = hear_plain(&b, Frame::CopyLater(TableId(1)));
    assert!(matches!(other, GreetingError::Unexpected { .. }), "{other}");
}

#[test]
fn frames_out_of_turn_are_named() {
    let (dialled, _) = Dialled::begin(&identity("lab-1"), name("lab-2"));
    let ended = dialled.end(Frame::CopyLater(TableId(1)));
    assert_eq!(
        ended.expect_err("out of turn"),
        GreetingError::Unexpected {
            expected: "welcome",
            found: "copy later"
        }
    );
}
