//! Tokens of write transactions: the same call sent again is done once.
//!
//! They are remembered for ten minutes: here, and in a note that reaches the disk in one batch
//! with the transaction, so that a process that was killed knows them when it is there again. No
//! other region does. A token whose note cannot be read is in doubt, and no other one is for it.
//! Notes go a few at a time, each batch with those that are due.
//! Source: DynamoDB API reference, `TransactWriteItems`.
//!
//! ```text
//! note "token/" account 12 · token → version 1 · when it was taken, micros 8 · digest 16
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use api_protocol::fault::Fault;
use api_protocol::json;
use base::name::AccountId;
use bytes::Bytes;
use clock::time::{Moment, WallTime};
use serde_json::Value;
use table::notes::Note;

use crate::limits::{TOKEN_SECS, TOKENS_FORGOTTEN_MAX, TOKENS_MAX};

/// What the names of all notes of tokens begin with.
pub(crate) const PREFIX: &[u8] = b"token/";

/// A token, and what the call asks for that brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its note's name: with its account, another one's token is another token.
    pub(crate) name: Vec<u8>,
    digest: Digest,
}

/// A hash of what a call asks for.
type Digest = [u8; DIGEST_BYTES];

const DIGEST_BYTES: usize = 16;

/// The version of notes.
const NOTE_FORMAT: u8 = 1;

impl Token {
    /// Reads a token's call.
    ///
    /// Errors: `SerializationException` for what is no JSON.
    pub(crate) fn of(account: AccountId, token: &str, body: &[u8]) -> Result<Self, Fault> {
        let digest = digest(body)?;
        let name = [PREFIX, account.to_string().as_bytes(), token.as_bytes()].concat();
        Ok(Self { name, digest })
    }

    /// Returns what is noted of a call that is done.
    pub(crate) fn note(&self, now: WallTime) -> Note {
        let taken = now.as_micros().to_be_bytes();
        let fact = [&[NOTE_FORMAT], &taken[..], &self.digest[..]].concat();
        Note {
            name: self.name.clone(),
            fact: fact.into(),
        }
    }
}

/// Returns a hash of what a call asks for, in whatever order it names members: some clients keep
/// them in maps whose order changes from one try to the next.
fn digest(body: &[u8]) -> Result<Digest, Fault> {
    // A map of JSON values is in the order of its names.
    let asked: Value = json::parse(body)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(asked.to_string().as_bytes());
    let mut digest = Digest::default();
    hasher.finalize_xof().fill(&mut digest);
    Ok(digest)
}

/// Reads a note: when its token was taken, and for what. `None` where it is damaged, or a later
/// version's.
fn read(fact: &Bytes) -> Option<(WallTime, Digest)> {
    let (version, rest) = fact.split_first()?;
    let (taken, digest) = rest.split_first_chunk()?;
    let digest = Digest::try_from(digest).ok()?;
    let taken = WallTime::from_micros(i64::from_be_bytes(*taken));
    (*version == NOTE_FORMAT).then_some((taken, digest))
}

/// The tokens of the last ten minutes, and of the calls that are being done.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    calls: BTreeMap<Vec<u8>, Call>,
    /// Tokens of calls that are over, in the order they are forgotten, with when that is. One of a
    /// call that is being done is not among them: forgotten, its call would be done twice. One
    /// whose time is over may have been taken anew before its turn comes.
    over: VecDeque<(Moment, Vec<u8>)>,
    /// Tokens that were forgotten here, and are to be in the store: each was among those that are
    /// over, and each transaction that adds one to them takes some of these away.
    forgotten: VecDeque<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    /// `None` where it could not be read.
    digest: Option<Digest>,
    /// When it is forgotten.
    until: Moment,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Done,
    /// The store failed, or its note cannot be read: it may be done, or not.
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
    /// Takes back what the store remembers of calls that were done. Returns how many notes cannot
    /// be read: their tokens are in doubt for as long as one that is taken at this moment.
    pub(crate) fn recall(&mut self, (now, wall): (Moment, WallTime), notes: Vec<Note>) -> usize {
        let (mut recalled, mut unread) = (Vec::with_capacity(notes.len()), Vec::new());
        for note in notes {
            match read(&note.fact) {
                Some((taken, digest)) => recalled.push((taken, digest, note.name)),
                None => unread.push(note.name),
            }
        }
        recalled.sort_unstable();
        for (taken, digest, name) in recalled {
            // A wall clock that was set back makes none of them last longer.
            let age = u64::try_from(wall.as_micros().saturating_sub(taken.as_micros()));
            let age = Duration::from_micros(age.unwrap_or_default());
            if LIFE <= age {
                self.forgotten.push_back(name);
                continue;
            }
            let until = now + LIFE.saturating_sub(age);
            self.recall_one(name, (Some(digest), until, State::Done));
        }
        let count = unread.len();
        for name in unread {
            self.recall_one(name, (None, now + LIFE, State::InDoubt));
        }
        count
    }

    fn recall_one(
        &mut self,
        name: Vec<u8>,
        (digest, until, state): (Option<Digest>, Moment, State),
    ) {
        let call = Call {
            digest,
            until,
            state,
        };
        self.calls.insert(name.clone(), call);
        self.over.push_back((until, name));
    }

    /// Returns tokens that were forgotten and go from the store: a few, the others go later.
    ///
    /// Whoever asks hands that in ahead of every note that is not handed in yet.
    pub(crate) fn forgotten(&mut self) -> Vec<Vec<u8>> {
        let count = TOKENS_FORGOTTEN_MAX.min(self.forgotten.len());
        let (mut gone, mut taken) = (Vec::with_capacity(count), Vec::new());
        for token in self.forgotten.drain(..count) {
            match self.calls.get(&token).map(|call| call.state) {
                None => gone.push(token),
                // Its note may be the one before still, or be handed in anew.
                Some(State::Running) => taken.push(token),
                // Its note is that of a later call, and goes with that.
                Some(State::Done | State::InDoubt) => {}
            }
        }
        self.forgotten.extend(taken);
        gone
    }

    /// Takes a token for a call.
    pub(crate) fn take(&mut self, now: Moment, token: &Token) -> Verdict {
        self.forget(|until, _| until <= now);
        let known = self.calls.get(&token.name);
        let known = known.filter(|call| call.state == State::Running || now < call.until);
        if let Some(call) = known {
            return match call.state {
                _ if call.digest.is_some_and(|asked| asked != token.digest) => Verdict::Other,
                State::Done => Verdict::Done,
                State::Running | State::InDoubt => Verdict::Running,
            };
        }
        self.forget(|_, count| TOKENS_MAX <= count);
        if TOKENS_MAX <= self.calls.len() {
            return Verdict::Full;
        }
        let call = Call {
            digest: Some(token.digest),
            until: now + LIFE,
            state: State::Running,
        };
        self.calls.insert(token.name.clone(), call);
        Verdict::New
    }

    /// Notes that a call was done.
    pub(crate) fn done(&mut self, token: &[u8]) {
        self.end(token, State::Done);
    }

    /// Notes that nobody knows whether a call was done: until it is forgotten, it is not tried
    /// again.
    pub(crate) fn in_doubt(&mut self, token: &[u8]) {
        self.end(token, State::InDoubt);
    }

    /// Forgets a call that was not done, so that it may be tried again.
    pub(crate) fn failed(&mut self, token: &[u8]) {
        self.calls.remove(token);
    }

    fn end(&mut self, token: &[u8], state: State) {
        if let Some(call) = self.calls.get_mut(token) {
            call.state = state;
            self.over.push_back((call.until, token.to_owned()));
        }
    }

    /// Forgets calls that are over, as long as the next one is due: by when it is forgotten, and
    /// by how many are known. No more than a few at once: one whose time is over stands for no
    /// call, whether it is forgotten or not.
    fn forget(&mut self, is_due: impl Fn(Moment, usize) -> bool) {
        for _ in 0..TOKENS_FORGOTTEN_MAX {
            let count = self.calls.len();
            let next = self.over.pop_front_if(|(until, _)| is_due(*until, count));
            let Some((until, token)) = next else {
                return;
            };
            let known = self.calls.get(&token);
            // Another one was taken anew, and is not over yet.
            if known.is_some_and(|call| call.until == until) {
                self.calls.remove(&token);
            }
            self.forgotten.push_back(token);
        }
    }
}

/// How long a token is remembered.
const LIFE: Duration = Duration::from_secs(TOKEN_SECS);

#[cfg(test)]
mod tests;
