//! Sessions written and read again, and their lives. Nothing is sealed.

use base::name::AccountId;
use clock::time::WallTime;

use super::{Session, SessionError, Subject, life_secs};
use crate::credentials::{AccessKeyId, Secret};

fn session(subject: Subject) -> Session {
    Session {
        subject,
        account: AccountId::parse("123456789012").expect("an account"),
        access_key: AccessKeyId::parse("ASIAQWERTYUIOPASDFGH").expect("an id"),
        secret: Secret::new("a secret"),
        issued: WallTime::from_micros(1),
        expires: WallTime::from_micros(2),
        policies: vec!["{}".to_owned()],
        tags: vec![("team".to_owned(), "ä".to_owned())],
    }
}

fn user() -> Subject {
    Subject::User {
        name: "anna".to_owned(),
        id: "AIDAX".to_owned(),
    }
}

#[test]
fn a_session_is_read_as_it_was_written() {
    for subject in [Subject::Root, user()] {
        let written = session(subject);
        let bytes = written.encode().expect("bytes");
        let read = Session::decode(&bytes).expect("a session");
        assert_eq!(read.secret.reveal(), written.secret.reveal());
        // A secret is never shown, so that all else can be compared as it is shown.
        assert_eq!(format!("{read:?}"), format!("{written:?}"));
    }
}

#[test]
fn what_is_cut_or_longer_or_newer_is_no_session() {
    let bytes = session(user()).encode().expect("bytes");
    for end in 0..bytes.len() {
        let found = Session::decode(&bytes[..end]).err();
        assert_eq!(found, Some(SessionError::Malformed), "cut at {end}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Session::decode(&longer).is_err());
    let mut newer = bytes;
    newer[0] = 2;
    assert!(Session::decode(&newer).is_err());
}

#[test]
fn a_session_that_carries_too_much_is_not_made() {
    let mut large = session(Subject::Root);
    large.policies = vec!["x".repeat(4_096)];
    assert_eq!(large.encode(), Err(SessionError::TooLarge));
    large.policies = vec![String::new(); 300];
    assert_eq!(large.encode(), Err(SessionError::TooLarge));
}

#[test]
fn a_session_ends() {
    let session = session(Subject::Root);
    assert!(session.is_live(WallTime::from_micros(1)));
    assert!(!session.is_live(WallTime::from_micros(2)));
}

#[test]
fn lives_have_bounds() {
    assert_eq!(life_secs(&user(), None), Ok(43_200));
    assert_eq!(life_secs(&user(), Some(900)), Ok(900));
    assert_eq!(life_secs(&user(), Some(129_600)), Ok(129_600));
    assert!(life_secs(&user(), Some(899)).is_err() && life_secs(&user(), Some(129_601)).is_err());
    assert_eq!(life_secs(&Subject::Root, None), Ok(3_600));
    assert_eq!(life_secs(&Subject::Root, Some(43_200)), Ok(3_600));
    assert!(life_secs(&Subject::Root, Some(i64::MAX)).is_err());
}
