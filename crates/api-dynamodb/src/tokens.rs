//! Tokens of write transactions: the same call sent again is done once.
//!
//! They are remembered in this process only, for ten minutes: a restart forgets them, and so
//! does another region. Source: DynamoDB API reference, `TransactWriteItems`.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use api_protocol::fault::Fault;
use api_protocol::json;
use clock::time::Moment;
use serde_json::Value;

use crate::limits::{TOKEN_SECS, TOKENS_MAX};

/// Returns a hash of what a call asks for, in whatever order it names members: some clients keep
/// them in maps whose order changes from one try to the next.
///
/// Errors: `SerializationException` for what is no JSON.
pub(crate) fn digest(body: &[u8]) -> Result<u64, Fault> {
    // A map of JSON values is in the order of its names.
    let asked: Value = json::parse(body)?;
    let mut hasher = DefaultHasher::new();
    asked.hash(&mut hasher);
    Ok(hasher.finish())
}

/// The tokens of the last ten minutes, and of the calls that are being done.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    calls: BTreeMap<String, Call>,
    /// Tokens of calls that are over, in the order they are forgotten. One of a call that is being
    /// done is not among them: forgotten, its call would be done twice.
    over: VecDeque<(Moment, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    /// A hash of what the call asked for.
    digest: u64,
    since: Moment,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Done,
    /// The store failed: it may be done, or not.
    InDoubt,
}

/// What a token says about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is to be done.
    New,
    /// It was done.
    Done,
    /// It is being done, or nobody knows whether it was.
    Running,
    /// The token belongs to another call.
    Other,
    /// So many calls are being done that no more tokens are remembered.
    Full,
}

impl Tokens {
    /// Takes a token for a call.
    pub(crate) fn take(&mut self, now: Moment, token: &str, digest: u64) -> Verdict {
        self.forget(now);
        if let Some(call) = self.calls.get(token) {
            return match call.state {
                _ if call.digest != digest => Verdict::Other,
                State::Done => Verdict::Done,
                State::Running | State::InDoubt => Verdict::Running,
            };
        }
        if TOKENS_MAX <= self.calls.len() {
            let Some((_, oldest)) = self.over.pop_front() else {
                return Verdict::Full;
            };
            self.calls.remove(&oldest);
        }
        let call = Call {
            digest,
            since: now,
            state: State::Running,
        };
        self.calls.insert(token.to_owned(), call);
        Verdict::New
    }

    /// Notes that a call was done.
    pub(crate) fn done(&mut self, token: &str) {
        self.end(token, State::Done);
    }

    /// Notes that nobody knows whether a call was done: until it is forgotten, it is not tried
    /// again.
    pub(crate) fn in_doubt(&mut self, token: &str) {
        self.end(token, State::InDoubt);
    }

    /// Forgets a call that was not done, so that it may be tried again.
    pub(crate) fn failed(&mut self, token: &str) {
        self.calls.remove(token);
    }

    fn end(&mut self, token: &str, state: State) {
        if let Some(call) = self.calls.get_mut(token) {
            call.state = state;
            self.over.push_back((call.since, token.to_owned()));
        }
    }

    /// Forgets calls that are over and ten minutes old; one that began before the call ahead of it
    /// in the order goes together with that.
    fn forget(&mut self, now: Moment) {
        let life = Duration::from_secs(TOKEN_SECS);
        while let Some((_, token)) = self
            .over
            .pop_front_if(|(since, _)| life <= now.since(*since))
        {
            self.calls.remove(&token);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clock::time::Moment;

    use super::{Tokens, Verdict, digest};
    use crate::limits::TOKENS_MAX;

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
        assert_eq!(tokens.take(start, "a", 1), Verdict::New);
        assert_eq!(tokens.take(start, "a", 1), Verdict::Running);
        assert_eq!(tokens.take(start, "a", 2), Verdict::Other);
        tokens.done("a");
        let late = start + Duration::from_secs(599);
        assert_eq!(tokens.take(late, "a", 1), Verdict::Done);
        let later = start + Duration::from_mins(10);
        assert_eq!(tokens.take(later, "a", 2), Verdict::New);
    }

    #[test]
    fn a_failed_call_may_be_tried_again() {
        let mut tokens = Tokens::default();
        let start = Moment::from_micros(1);
        assert_eq!(tokens.take(start, "a", 1), Verdict::New);
        tokens.failed("a");
        let again = start + Duration::from_secs(500);
        assert_eq!(tokens.take(again, "a", 1), Verdict::New);
        tokens.done("a");
        let later = start + Duration::from_secs(700);
        assert_eq!(tokens.take(later, "a", 1), Verdict::Done);
    }

    #[test]
    fn refused_calls_push_no_token_out() {
        let mut tokens = Tokens::default();
        let now = Moment::from_micros(1);
        tokens.take(now, "done", 1);
        tokens.done("done");
        tokens.take(now, "running", 1);
        for _ in 0..=TOKENS_MAX {
            assert_eq!(tokens.take(now, "refused", 1), Verdict::New);
            tokens.failed("refused");
        }
        assert_eq!(tokens.take(now, "done", 1), Verdict::Done);
        assert_eq!(tokens.take(now, "running", 1), Verdict::Running);
    }

    #[test]
    fn too_many_tokens_push_out_the_oldest_whose_call_is_over() {
        let mut tokens = Tokens::default();
        let now = Moment::from_micros(1);
        tokens.take(now, "running", 1);
        for at in 1..TOKENS_MAX {
            tokens.take(now, &at.to_string(), 1);
            tokens.done(&at.to_string());
        }
        assert_eq!(tokens.take(now, "1", 1), Verdict::Done);
        assert_eq!(tokens.take(now, "one more", 1), Verdict::New);
        assert_eq!(tokens.take(now, "running", 1), Verdict::Running);
        assert_eq!(tokens.take(now, "2", 1), Verdict::Done);
        assert_eq!(tokens.take(now, "1", 1), Verdict::New);
    }

    #[test]
    fn no_more_calls_run_than_tokens_are_remembered() {
        let mut tokens = Tokens::default();
        let now = Moment::from_micros(1);
        for at in 0..TOKENS_MAX {
            tokens.take(now, &at.to_string(), 1);
        }
        assert_eq!(tokens.take(now, "one more", 1), Verdict::Full);
        tokens.failed("7");
        assert_eq!(tokens.take(now, "one more", 1), Verdict::New);
    }

    #[test]
    fn a_call_in_doubt_is_not_tried_again_for_ten_minutes() {
        let mut tokens = Tokens::default();
        let start = Moment::from_micros(1);
        tokens.take(start, "a", 1);
        tokens.in_doubt("a");
        let late = start + Duration::from_secs(599);
        assert_eq!(tokens.take(late, "a", 1), Verdict::Running);
        let later = start + Duration::from_mins(10);
        assert_eq!(tokens.take(later, "a", 1), Verdict::New);
    }
}
