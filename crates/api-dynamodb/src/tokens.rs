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

/// The tokens of the last ten minutes.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    calls: BTreeMap<String, Call>,
    /// Tokens in the order they expire.
    order: VecDeque<(Moment, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    /// A hash of what the call asked for.
    digest: u64,
    since: Moment,
    done: bool,
}

/// What a token says about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is to be done.
    New,
    /// It was done.
    Done,
    /// It is being done.
    Running,
    /// The token belongs to another call.
    Other,
}

impl Tokens {
    /// Takes a token for a call.
    pub(crate) fn take(&mut self, now: Moment, token: &str, digest: u64) -> Verdict {
        self.forget(now);
        match self.calls.get(token) {
            Some(call) if call.digest != digest => Verdict::Other,
            Some(Call { done: true, .. }) => Verdict::Done,
            Some(_) => Verdict::Running,
            None => {
                let call = Call {
                    digest,
                    since: now,
                    done: false,
                };
                self.calls.insert(token.to_owned(), call);
                self.order.push_back((now, token.to_owned()));
                Verdict::New
            }
        }
    }

    /// Notes that a call was done.
    pub(crate) fn done(&mut self, token: &str) {
        if let Some(call) = self.calls.get_mut(token) {
            call.done = true;
        }
    }

    /// Forgets a call that was not done, so that it may be tried again.
    pub(crate) fn failed(&mut self, token: &str) {
        self.calls.remove(token);
    }

    fn forget(&mut self, now: Moment) {
        let life = Duration::from_secs(TOKEN_SECS);
        while let Some((since, token)) = self.order.front() {
            if now.since(*since) < life && self.order.len() <= TOKENS_MAX {
                break;
            }
            // A token that failed and was taken again has a later place in the order.
            if self
                .calls
                .get(token)
                .is_some_and(|call| call.since == *since)
            {
                self.calls.remove(token);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clock::time::Moment;

    use super::{Tokens, Verdict, digest};

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
}
