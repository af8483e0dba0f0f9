//! Tests of tokens: what each says about a call, for how long, and after a restart.

use std::time::Duration;

use base::name::AccountId;
use clock::time::{Moment, WallTime};

use super::{PREFIX, Token, Tokens, Verdict, digest};
use crate::limits::{TOKENS_FORGOTTEN_MAX, TOKENS_MAX};

/// A token of a call that asks for `asked`.
fn token(name: &str, asked: u8) -> Token {
    let body = format!(r#"{{"asked":{asked}}}"#);
    Token::of(AccountId::DEFAULT, name, body.as_bytes()).expect("JSON")
}

#[test]
fn members_in_another_order_ask_for_the_same() {
    let one = digest(br#"{"a": {"b": 1, "c": [1, 2]}, "d": null}"#).unwrap();
    let same = digest(br#"{"d":null,"a":{"c":[1,2],"b":1}}"#).unwrap();
    let other = digest(br#"{"a": {"b": 1, "c": [2, 1]}, "d": null}"#).unwrap();
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[test]
fn a_token_stands_for_one_call_for_ten_minutes() {
    let mut tokens = Tokens::default();
    let start = Moment::from_micros(1);
    assert_eq!(tokens.take(start, &token("a", 1)), Verdict::New);
    assert_eq!(tokens.take(start, &token("a", 1)), Verdict::Running);
    assert_eq!(tokens.take(start, &token("a", 2)), Verdict::Other);
    tokens.done(&token("a", 1).name);
    let late = start + Duration::from_secs(599);
    assert_eq!(tokens.take(late, &token("a", 1)), Verdict::Done);
    let later = start + Duration::from_mins(10);
    assert_eq!(tokens.take(later, &token("a", 2)), Verdict::New);
}

#[test]
fn a_failed_call_may_be_tried_again() {
    let mut tokens = Tokens::default();
    let start = Moment::from_micros(1);
    assert_eq!(tokens.take(start, &token("a", 1)), Verdict::New);
    tokens.failed(&token("a", 1).name);
    let again = start + Duration::from_secs(500);
    assert_eq!(tokens.take(again, &token("a", 1)), Verdict::New);
    tokens.done(&token("a", 1).name);
    let later = start + Duration::from_secs(700);
    assert_eq!(tokens.take(later, &token("a", 1)), Verdict::Done);
}

#[test]
fn refused_calls_push_no_token_out() {
    let mut tokens = Tokens::default();
    let now = Moment::from_micros(1);
    tokens.take(now, &token("done", 1));
    tokens.done(&token("done", 1).name);
    tokens.take(now, &token("running", 1));
    for _ in 0..=TOKENS_MAX {
        assert_eq!(tokens.take(now, &token("refused", 1)), Verdict::New);
        tokens.failed(&token("refused", 1).name);
    }
    assert_eq!(tokens.take(now, &token("done", 1)), Verdict::Done);
    assert_eq!(tokens.take(now, &token("running", 1)), Verdict::Running);
}

#[test]
fn too_many_tokens_push_out_the_oldest_whose_call_is_over() {
    let mut tokens = Tokens::default();
    let now = Moment::from_micros(1);
    tokens.take(now, &token("running", 1));
    for at in 1..TOKENS_MAX {
        tokens.take(now, &token(&at.to_string(), 1));
        tokens.done(&token(&at.to_string(), 1).name);
    }
    assert_eq!(tokens.take(now, &token("1", 1)), Verdict::Done);
    assert_eq!(tokens.take(now, &token("one more", 1)), Verdict::New);
    assert_eq!(tokens.take(now, &token("running", 1)), Verdict::Running);
    assert_eq!(tokens.take(now, &token("2", 1)), Verdict::Done);
    assert_eq!(tokens.take(now, &token("1", 1)), Verdict::New);
}

#[test]
fn no_more_calls_run_than_tokens_are_remembered() {
    let mut tokens = Tokens::default();
    let now = Moment::from_micros(1);
    for at in 0..TOKENS_MAX {
        tokens.take(now, &token(&at.to_string(), 1));
    }
    assert_eq!(tokens.take(now, &token("one more", 1)), Verdict::Full);
    tokens.failed(&token("7", 1).name);
    assert_eq!(tokens.take(now, &token("one more", 1)), Verdict::New);
}

#[test]
fn a_call_in_doubt_is_not_tried_again_for_ten_minutes() {
    let mut tokens = Tokens::default();
    let start = Moment::from_micros(1);
    tokens.take(start, &token("a", 1));
    tokens.in_doubt(&token("a", 1).name);
    let late = start + Duration::from_secs(599);
    assert_eq!(tokens.take(late, &token("a", 1)), Verdict::Running);
    let later = start + Duration::from_mins(10);
    assert_eq!(tokens.take(later, &token("a", 1)), Verdict::New);
}

#[test]
fn what_was_noted_is_known_to_the_next_process_for_the_rest_of_its_time() {
    let taken = WallTime::from_micros(1_000_000_000);
    let notes = || vec![token("a", 1).note(taken), token("b", 1).note(taken)];
    let now = Moment::from_micros(7);
    let later = |secs: i64| WallTime::from_micros(taken.as_micros() + secs * 1_000_000);
    let mut tokens = Tokens::default();
    assert_eq!(tokens.recall((now, later(400)), notes()), 0);
    assert_eq!(tokens.take(now, &token("a", 1)), Verdict::Done);
    assert_eq!(tokens.take(now, &token("a", 2)), Verdict::Other);
    let last = now + Duration::from_micros(199_999_999);
    assert_eq!(tokens.take(last, &token("a", 1)), Verdict::Done);
    assert!(tokens.forgotten().is_empty());
    let over = now + Duration::from_secs(200);
    assert_eq!(tokens.take(over, &token("a", 2)), Verdict::New);
    let goes = tokens.forgotten();
    assert_eq!(goes, [token("b", 1).name], "the other one is noted anew");
    tokens.failed(&token("a", 1).name);
    let goes = tokens.forgotten();
    assert_eq!(goes, [token("a", 1).name], "it was not noted anew");
    // One whose time passed meanwhile is gone at once, one from the future lasts no longer.
    for (wall, after, expect) in [
        (later(600), 0, Verdict::New),
        (later(-5_000), 599, Verdict::Done),
        (later(-5_000), 600, Verdict::New),
    ] {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.recall((now, wall), notes()), 0);
        let at = now + Duration::from_secs(after);
        assert_eq!(tokens.take(at, &token("b", 1)), expect, "{after}");
    }
}

#[test]
fn a_note_that_cannot_be_read_leaves_its_token_alone_in_doubt() {
    let now = Moment::from_micros(1);
    let wall = WallTime::from_micros(1_000_000_000);
    let note = token("a", 1).note(wall);
    for fact in [
        &b""[..],
        &[2; 25],
        &note.fact[..24],
        &[&note.fact[..], b"x"].concat(),
    ] {
        let mut unread = note.clone();
        unread.fact = fact.to_vec().into();
        let mut tokens = Tokens::default();
        let notes = vec![unread, token("b", 1).note(wall)];
        assert_eq!(tokens.recall((now, wall), notes), 1, "{fact:?}");
        assert_eq!(tokens.take(now, &token("b", 1)), Verdict::Done);
        assert_eq!(tokens.take(now, &token("c", 1)), Verdict::New);
        // Nobody knows what it was for.
        let late = now + Duration::from_secs(599);
        assert_eq!(tokens.take(late, &token("a", 1)), Verdict::Running);
        assert_eq!(tokens.take(late, &token("a", 2)), Verdict::Running);
        let later = now + Duration::from_mins(10);
        assert_eq!(tokens.take(later, &token("a", 1)), Verdict::New);
    }
    let mut nameless = note;
    nameless.name = PREFIX.to_vec();
    assert_eq!(Tokens::default().recall((now, wall), vec![nameless]), 0);
}

#[test]
fn few_tokens_are_forgotten_at_once_and_none_is_known_longer_for_that() {
    let mut tokens = Tokens::default();
    let start = Moment::from_micros(1);
    let names: Vec<String> = (0..1_000).map(|at| format!("{at:03}")).collect();
    for name in &names {
        tokens.take(start, &token(name, 1));
        tokens.done(&token(name, 1).name);
    }
    let later = start + Duration::from_mins(10);
    // The last one waits for its turn behind all others, and stands for nothing.
    assert_eq!(tokens.take(later, &token("999", 2)), Verdict::New);
    assert_eq!(tokens.take(later, &token("999", 2)), Verdict::Running);
    tokens.done(&token("999", 2).name);
    let mut gone = Vec::new();
    for at in 0..20 {
        let name = format!("later {at}");
        assert_eq!(tokens.take(later, &token(&name, 1)), Verdict::New);
        tokens.done(&token(&name, 1).name);
        let goes = tokens.forgotten();
        assert!(goes.len() <= TOKENS_FORGOTTEN_MAX, "{}", goes.len());
        gone.extend(goes);
    }
    let before = names.iter().take(999).map(|name| token(name, 1).name);
    assert!(gone.into_iter().eq(before), "each goes once, in order");
    assert_eq!(tokens.take(later, &token("999", 2)), Verdict::Done);
}

#[test]
fn each_account_has_tokens_of_its_own() {
    let other = AccountId::parse("111122223333").expect("an account");
    let other = Token::of(other, "a", br#"{"asked":1}"#).expect("JSON");
    let mut tokens = Tokens::default();
    let now = Moment::from_micros(1);
    assert_eq!(tokens.take(now, &token("a", 1)), Verdict::New);
    assert_eq!(tokens.take(now, &other), Verdict::New);
}
