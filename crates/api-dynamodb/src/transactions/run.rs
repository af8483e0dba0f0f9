//! Transactions as they are done, whichever call asks for them; with a token, once.
//!
//! It reads no request. Source: DynamoDB API reference, `TransactWriteItems` and
//! `ExecuteTransaction` (`ClientRequestToken`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use api_protocol::fault::{Blame, Fault};
use item::size::item_size;
use store::port::{Store, StoreError};
use table::notes::Note;
use table::write::{Decide, Refusal, Write, Written};

use super::cancelled::{OnFailure, not_done};
use crate::batches::write_capacities;
use crate::capacity::{Consumed, Reading, Side, Units};
use crate::catalog::OpenTable;
use crate::choices::{ReturnConsumedCapacity, ReturnItemCollectionMetrics};
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::items;
use crate::limits::TRANSACT_BYTES_MAX;
use crate::part::Part;
use crate::tokens::{self, Token, Verdict};
use crate::wire::render::Object;

/// An action, checked.
pub(crate) struct Action {
    pub(crate) given: String,
    pub(crate) open: Arc<OpenTable>,
    pub(crate) write: Write,
    pub(crate) on_failure: OnFailure,
    /// The bytes it brings with it.
    pub(crate) bytes: usize,
}

/// What a write transaction answers with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// Members that are there whatever was written, as JSON; empty where there are none.
    pub(crate) always: Option<(&'static str, &'static [u8])>,
    pub(crate) capacity: ReturnConsumedCapacity,
    pub(crate) metrics: Option<ReturnItemCollectionMetrics>,
}

/// A read of a transaction, checked.
pub(crate) struct Get {
    pub(crate) given: String,
    pub(crate) open: Arc<OpenTable>,
    pub(crate) write: Write,
    pub(crate) part: Part,
}

impl<S: Store> DynamoDb<S> {
    /// Does a write transaction; one that has a token is done once.
    pub(crate) async fn transact_once(
        &self,
        actions: Vec<Action>,
        told: Told,
        token: Option<Token>,
    ) -> Answer {
        if actions.iter().map(|action| action.bytes).sum::<usize>() > TRANSACT_BYTES_MAX {
            return Err(fault::validation(TOO_MUCH).into());
        }
        let Some(token) = token else {
            return self.transact(actions, told, &Arc::default(), None).await;
        };
        let verdict = self.take_token(&token).await?;
        match verdict {
            Verdict::Other => Err(Fault::caller(
                "IdempotentParameterMismatchException",
                "The provided idempotent token was already used with different parameters",
            )
            .into()),
            Verdict::Running => Err(Fault::caller(
                "TransactionInProgressException",
                "The transaction with the given request token is already in progress",
            )
            .with_retry()
            .into()),
            Verdict::Full => Err(Fault::caller(
                "RequestLimitExceeded",
                "Too many transactions with a request token are in progress",
            )
            .with_retry()
            .into()),
            Verdict::Done => Ok(repeated(&actions, told)),
            Verdict::New => {
                let note = token.note(self.control.clock().wall());
                let taken = Taken::new(self, token.name, &actions);
                let answer = self.transact(actions, told, &taken.decided, Some(note));
                let answer = answer.await;
                taken.settle(answer.as_ref().map_err(|Refused(fault)| fault.blame));
                answer
            }
        }
    }

    /// Says what a token means for the call that brings it.
    ///
    /// Errors: that what the store remembers of tokens cannot be read.
    async fn take_token(&self, token: &Token) -> Result<Verdict, Refused> {
        let clock = self.control.clock();
        let tables = self.control.tables();
        let recalled = &self.tokens_recalled;
        let recall = || async {
            let notes = tables.notes(tokens::PREFIX).await;
            let notes = notes.map_err(|error| fault::ours(&error))?;
            let times = (clock.now(), clock.wall());
            let unread = self.tokens().recall(times, notes);
            if unread > 0 {
                tracing::warn!(
                    unread,
                    "notes of transactions' tokens cannot be read, as those of a later version: \
                     calls with these tokens are refused for ten minutes"
                );
            }
            Ok::<(), Refused>(())
        };
        recalled.get_or_try_init(recall).await?;
        Ok(self.tokens().take(clock.now(), token))
    }

    /// Does a transaction; `decided` counts the items that were found fit to be written.
    async fn transact(
        &self,
        actions: Vec<Action>,
        told: Told,
        decided: &Arc<AtomicUsize>,
        note: Option<Note>,
    ) -> Answer {
        let tables: Vec<_> = actions
            .iter()
            .map(|action| (action.given.clone(), Arc::clone(&action.open)))
            .collect();
        let on_failure: Vec<_> = actions.iter().map(|action| action.on_failure).collect();
        let total = Arc::new(AtomicUsize::new(0));
        let mut writes = Vec::with_capacity(actions.len());
        for Action { open, write, .. } in actions {
            let decide = self.bounded(&open, &write.key, Side::Write, write.decide);
            let decide = decide.await?;
            writes.push(Write {
                decide: counted(decided, within(&total, decide)),
                ..write
            });
        }
        let written = match note {
            Some(note) => {
                let tokens = Arc::clone(&self.tokens);
                let forgotten = move || {
                    let mut tokens = tokens.lock().unwrap_or_else(PoisonError::into_inner);
                    tokens.forgotten()
                };
                let tables = self.control.tables();
                tables
                    .transact_noted(writes, note, Box::new(forgotten))
                    .await
            }
            None => self.control.tables().transact(writes).await,
        };
        let written = written.map_err(|error| not_done(error, &on_failure))?;
        let mut out = Vec::with_capacity(64);
        let mut answer = Object::start(&mut out);
        let tables = tables.iter().map(|(given, open)| (given.as_str(), open));
        let written: Vec<_> = tables.zip(&written).collect();
        told.start(&mut answer);
        let totals = (told.capacity, told.metrics);
        self.write_totals(&mut answer, totals, Side::Write, &written)
            .await?;
        answer.end();
        Ok(out)
    }

    /// Does a read transaction.
    pub(crate) async fn transact_reads(
        &self,
        gets: Vec<Get>,
        capacity: ReturnConsumedCapacity,
    ) -> Answer {
        let (reads, shown): (Vec<Write>, Vec<(String, Part)>) = gets
            .into_iter()
            .map(|get| {
                let write = Write {
                    decide: self.metered(&get.open, Side::Read, get.write.decide),
                    ..get.write
                };
                (write, (get.given, get.part))
            })
            .unzip();
        // Reading is writing nothing: it holds all items at once.
        let read = self.control.tables().transact(reads).await;
        let read = read.map_err(|error| not_done(error, &[]))?;
        answer_gets(&shown, &read, capacity)
    }
}

impl Told {
    fn start(self, answer: &mut Object<'_>) {
        if let Some((member, value)) = self.always {
            answer.member(member).extend_from_slice(value);
        }
    }
}

/// Makes a decision that also refuses items which, with those decided before them, are more than
/// one transaction writes: updates leave more than they bring, and all of it is one record.
fn within(total: &Arc<AtomicUsize>, decide: Decide) -> Decide {
    let total = Arc::clone(total);
    Box::new(move |current| {
        let effect = decide(current)?;
        if let Some(item) = effect.item() {
            // The items are decided one after another, under the transaction's locks.
            let size = item_size(item);
            if TRANSACT_BYTES_MAX < total.fetch_add(size, Ordering::Relaxed) + size {
                return Err(Refusal::Invalid(TOO_MUCH.to_owned()));
            }
        }
        Ok(effect)
    })
}

/// Makes a decision that is counted when it is to write.
fn counted(decided: &Arc<AtomicUsize>, decide: Decide) -> Decide {
    let decided = Arc::clone(decided);
    Box::new(move |current| {
        let effect = decide(current)?;
        decided.fetch_add(1, Ordering::Relaxed);
        Ok(effect)
    })
}

/// A token whose call is being done, until that is settled: by its answer, or by its client who
/// goes away.
struct Taken<'a, S: Store> {
    facade: &'a DynamoDb<S>,
    token: Option<Vec<u8>>,
    actions: usize,
    /// How many items were found fit to be written. All were: the transaction was handed in at
    /// once, and is done to its end whoever waits for it.
    decided: Arc<AtomicUsize>,
}

impl<'a, S: Store> Taken<'a, S> {
    fn new(facade: &'a DynamoDb<S>, token: Vec<u8>, actions: &[Action]) -> Self {
        Self {
            facade,
            token: Some(token),
            actions: actions.len(),
            decided: Arc::default(),
        }
    }

    fn is_handed_in(&self) -> bool {
        self.actions <= self.decided.load(Ordering::Relaxed)
    }

    fn settle<T>(mut self, answer: Result<T, Blame>) {
        let Some(token) = self.token.take() else {
            return;
        };
        match answer {
            Ok(_) => self.facade.tokens().done(&token),
            // It may be on disk.
            Err(Blame::Ourselves | Blame::Peer) if self.is_handed_in() => {
                self.facade.tokens().in_doubt(&token);
            }
            Err(_) => self.facade.tokens().failed(&token),
        }
    }
}

impl<S: Store> Drop for Taken<'_, S> {
    fn drop(&mut self) {
        let Some(token) = self.token.take() else {
            return;
        };
        if !self.is_handed_in() {
            return self.facade.tokens().failed(&token);
        }
        // Until it is on disk nobody may be told that it is done. Where it never comes there, the
        // store has failed, and takes no more writes.
        let tokens = Arc::clone(&self.facade.tokens);
        let done = move |written: Result<(), StoreError>| {
            let mut tokens = tokens.lock().unwrap_or_else(PoisonError::into_inner);
            match written {
                Ok(()) => tokens.done(&token),
                Err(_) => tokens.in_doubt(&token),
            }
        };
        self.facade.control.tables().when_flushed(Box::new(done));
    }
}

/// Answers a call that was done before: it has cost a read.
fn repeated(actions: &[Action], told: Told) -> Vec<u8> {
    let mut consumed: BTreeMap<&str, Units> = BTreeMap::new();
    for action in actions {
        let units = consumed.entry(&action.given).or_default();
        *units = units.plus(Units::of_read(action.bytes, Reading::Transactional));
    }
    let mut out = Vec::with_capacity(64);
    let mut answer = Object::start(&mut out);
    told.start(&mut answer);
    let consumed = consumed.into_iter();
    let consumed = consumed.map(|(given, units)| (given, Consumed::of_table(units)));
    write_capacities(&mut answer, told.capacity, Side::Read, consumed);
    answer.end();
    out
}

fn answer_gets(
    shown: &[(String, Part)],
    read: &[Written],
    capacity: ReturnConsumedCapacity,
) -> Answer {
    let mut out = Vec::with_capacity(1024);
    let mut answer = Object::start(&mut out);
    let list = answer.member("Responses");
    list.push(b'[');
    let mut consumed: BTreeMap<&str, Units> = BTreeMap::new();
    let mut total = 0;
    for (at, ((given, part), one)) in shown.iter().zip(read).enumerate() {
        if at > 0 {
            list.push(b',');
        }
        let mut response = Object::start(list);
        let size = one.old.as_deref().map_or(Ok(0), items::size_of)?;
        total += size;
        if let Some(image) = &one.old {
            part.write(response.member("Item"), image)?;
        }
        response.end();
        let units = consumed.entry(given).or_default();
        *units = units.plus(Units::of_read(size, Reading::Transactional));
    }
    list.push(b']');
    if total > TRANSACT_BYTES_MAX {
        return Err(fault::validation(TOO_MUCH).into());
    }
    let consumed = consumed.into_iter();
    let consumed = consumed.map(|(given, units)| (given, Consumed::of_table(units)));
    write_capacities(&mut answer, capacity, Side::Read, consumed);
    answer.end();
    Ok(out)
}

const TOO_MUCH: &str = "Transaction payload exceeds the maximum size of 4 MB";
