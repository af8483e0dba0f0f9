//! TransactWriteItems and TransactGetItems: all or nothing, within this region.
//!
//! A transaction reads and writes while it holds all its items, so it never conflicts: it waits.
//! It replicates as one record. Source: DynamoDB developer guide, "Managing complex workflows".

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use api_protocol::fault::{Blame, Fault};
use api_protocol::json;
use expr::projection::Projection;
use expr::update::Update;
use item::key::{Key, KeySchema};
use item::size::item_size;
use item::value::Item;
use store::port::{Store, StoreError};
use table::write::{Decide, Effect, Refusal, Refused as NotWritten, Write, Written};

use crate::batches::write_capacities;
use crate::capacity::{Consumed, Reading, Side, Units};
use crate::catalog::OpenTable;
use crate::choices::{ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnOnFailure};
use crate::expressions::Expressions;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::indexes::{self, Writing};
use crate::items::{self, Intent};
use crate::limits::TRANSACT_BYTES_MAX;
use crate::tokens::{Verdict, digest};
use crate::wire::render::{self, Object};
use crate::wire::shape;
use crate::wire::value::{ItemIn, ValueIn};

mod cancelled;

use cancelled::{cancelled, not_done};

shape! {
    /// The members of `TransactWriteItems`.
    TransactWriteIn {
        actions: "TransactItems" as Vec<ActionsIn>,
        token: "ClientRequestToken" as String,
        capacity: "ReturnConsumedCapacity" as String,
        metrics: "ReturnItemCollectionMetrics" as String,
    }
}

shape! {
    /// One action of a write transaction.
    ActionsIn {
        check: "ConditionCheck" as ActionIn,
        put: "Put" as ActionIn,
        delete: "Delete" as ActionIn,
        update: "Update" as ActionIn,
    }
}

shape! {
    /// The members of all four actions: each ignores what is not its own.
    ActionIn {
        table: "TableName" as String,
        key: "Key" as ItemIn,
        item: "Item" as ItemIn,
        update: "UpdateExpression" as String,
        condition: "ConditionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
        values: "ExpressionAttributeValues" as BTreeMap<String, ValueIn>,
        on_failure: "ReturnValuesOnConditionCheckFailure" as String,
    }
}

shape! {
    /// The members of `TransactGetItems`.
    TransactGetIn {
        gets: "TransactItems" as Vec<GetsIn>,
        capacity: "ReturnConsumedCapacity" as String,
    }
}

shape! {
    /// One read of a transaction.
    GetsIn { get: "Get" as GetIn, }
}

shape! {
    /// What is read.
    GetIn {
        table: "TableName" as String,
        key: "Key" as ItemIn,
        projection: "ProjectionExpression" as String,
        names: "ExpressionAttributeNames" as BTreeMap<String, String>,
    }
}

/// How what was read of one item is answered.
struct Shown {
    given: String,
    projection: Option<Projection>,
}

/// Which action it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ActionKind {
    Check,
    Put,
    Delete,
    Update,
}

/// An action, checked.
struct Action {
    given: String,
    open: Arc<OpenTable>,
    write: Write,
    on_failure: ReturnOnFailure,
    /// The bytes it brings with it.
    bytes: usize,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `TransactWriteItems`.
    pub(crate) async fn transact_write_items(&self, body: &[u8]) -> Answer {
        let request: TransactWriteIn = json::parse(body)?;
        let capacity = items::returned_capacity(request.capacity.as_deref());
        let metrics = items::returned_metrics(request.metrics.as_deref());
        let actions = request.actions.unwrap_or_default();
        let steps = actions.into_iter().enumerate().map(|action| {
            let (kind, action) = ActionsIn::only(action)?;
            self.action(kind, action)
        });
        let actions = all_fit(steps.collect::<Result<Vec<_>, Refused>>()?)?;
        if actions.iter().map(|action| action.bytes).sum::<usize>() > TRANSACT_BYTES_MAX {
            return Err(fault::validation(TOO_MUCH).into());
        }
        let Some(token) = request.token else {
            return self
                .transact(actions, (capacity, metrics), &Arc::default())
                .await;
        };
        let now = self.control.clock().now();
        let verdict = self.tokens().take(now, &token, digest(body)?);
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
            Verdict::Done => Ok(repeated(&actions, capacity)),
            Verdict::New => {
                let taken = Taken::new(self, token, &actions);
                let answer = self
                    .transact(actions, (capacity, metrics), &taken.decided)
                    .await;
                taken.settle(answer.as_ref().map_err(|Refused(fault)| fault.blame));
                answer
            }
        }
    }

    /// Does a transaction; `decided` counts the items that were found fit to be written.
    async fn transact(
        &self,
        actions: Vec<Action>,
        told: (ReturnConsumedCapacity, Option<ReturnItemCollectionMetrics>),
        decided: &Arc<AtomicUsize>,
    ) -> Answer {
        let tables: Vec<_> = actions
            .iter()
            .map(|action| (action.given.clone(), Arc::clone(&action.open)))
            .collect();
        let shown: Vec<_> = actions
            .iter()
            .map(|action| (action.given.clone(), action.on_failure))
            .collect();
        let total = Arc::new(AtomicUsize::new(0));
        let writes = actions.into_iter().map(|action| Write {
            decide: counted(decided, within(&total, action.write.decide)),
            ..action.write
        });
        let writes = writes.collect();
        let written = self.control.tables().transact(writes).await;
        let written = written.map_err(|error| not_done(error, &shown))?;
        let mut out = Vec::with_capacity(64);
        let mut answer = Object::start(&mut out);
        let tables = tables.iter().map(|(given, open)| (given.as_str(), open));
        let written: Vec<_> = tables.zip(&written).collect();
        self.write_totals(&mut answer, told, Side::Write, &written)?;
        answer.end();
        Ok(out)
    }

    /// Checks an action; inside, whether its item fits the table, which cancels the transaction.
    fn action(&self, kind: ActionKind, action: ActionIn) -> Result<Result<Action, Fault>, Refused> {
        let expressions = Expressions {
            update: action.update.filter(|_| kind == ActionKind::Update),
            condition: action.condition,
            names: action.names,
            values: action.values,
            ..Expressions::default()
        };
        let parsed = expressions.parse(&[], "ConditionExpression is null")?;
        let on_failure = action.on_failure.as_deref();
        let on_failure = on_failure.and_then(ReturnOnFailure::parse);
        let item = match kind {
            ActionKind::Put => action.item,
            ActionKind::Check | ActionKind::Delete | ActionKind::Update => action.key,
        };
        let item = item.unwrap_or_default().check()?;
        let bytes = item_size(&item);
        let given = action.table.unwrap_or_default();
        let open = self.open(&given)?;
        let writing = match kind {
            ActionKind::Put => Writing::Put,
            ActionKind::Check | ActionKind::Delete | ActionKind::Update => Writing::Update,
        };
        let fitting = fit(&open.def.schema, kind, item, parsed.update);
        Ok(fitting.map(|(key, intent)| Action {
            given,
            write: Write {
                table: Arc::clone(&open.def),
                key,
                decide: indexes::checked(&open, writing, items::decide(intent, parsed.condition)),
            },
            open,
            on_failure: on_failure.unwrap_or(ReturnOnFailure::None),
            bytes,
        }))
    }

    /// Answers `TransactGetItems`.
    pub(crate) async fn transact_get_items(&self, body: &[u8]) -> Answer {
        let request: TransactGetIn = json::parse(body)?;
        let capacity = items::returned_capacity(request.capacity.as_deref());
        let gets = request.gets.unwrap_or_default().into_iter();
        let gets = gets.map(|gets| gets.get.unwrap_or_default());
        let steps = gets.map(|get| self.read(get));
        let steps = steps.collect::<Result<Vec<_>, Refused>>()?;
        let (reads, shown): (Vec<Write>, Vec<Shown>) = all_fit(steps)?.into_iter().unzip();
        // Reading is writing nothing: it holds all items at once.
        let read = self.control.tables().transact(reads).await;
        let read = read.map_err(|error| not_done(error, &[]))?;
        answer_gets(&shown, &read, capacity)
    }

    /// Checks a read; inside, whether its key fits the table, which cancels the transaction.
    fn read(&self, get: GetIn) -> Result<Result<(Write, Shown), Fault>, Refused> {
        let expressions = Expressions {
            projection: get.projection,
            names: get.names,
            ..Expressions::default()
        };
        let projection = items::projection(expressions, None)?;
        let key = get.key.unwrap_or_default().check()?;
        let given = get.table.unwrap_or_default();
        let open = self.open(&given)?;
        let key = items::key_of(&open.def.schema, &key);
        Ok(key.map(|key| {
            let write = Write {
                key,
                table: Arc::clone(&open.def),
                decide: items::decide(Intent::Check, None),
            };
            (write, Shown { given, projection })
        }))
    }
}

/// Makes a decision that also refuses items which, with those decided before them, are more than
/// one transaction writes: updates leave more than they bring, and all of it is one record.
fn within(total: &Arc<AtomicUsize>, decide: Decide) -> Decide {
    let total = Arc::clone(total);
    Box::new(move |current| {
        let effect = decide(current)?;
        if let Effect::Put(item) = &effect {
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
    token: Option<String>,
    actions: usize,
    /// How many items were found fit to be written. All were: the transaction was handed in at
    /// once, and is done to its end whoever waits for it.
    decided: Arc<AtomicUsize>,
}

impl<'a, S: Store> Taken<'a, S> {
    fn new(facade: &'a DynamoDb<S>, token: String, actions: &[Action]) -> Self {
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
            // It may be on disk: until the token expires, it is not tried again.
            Err(Blame::Ourselves | Blame::Peer) if self.is_handed_in() => {}
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
        // store has failed, and tokens end with the process.
        let tokens = Arc::clone(&self.facade.tokens);
        let done = move |written: Result<(), StoreError>| {
            if written.is_ok() {
                let mut tokens = tokens.lock().unwrap_or_else(PoisonError::into_inner);
                tokens.done(&token);
            }
        };
        self.facade.control.tables().when_flushed(Box::new(done));
    }
}

/// Returns the key and the intent of an action whose item fits the table.
fn fit(
    schema: &KeySchema,
    kind: ActionKind,
    item: Item,
    update: Option<Update>,
) -> Result<(Key, Intent), Fault> {
    if kind == ActionKind::Put {
        let key = schema.key_of(&item);
        let key = key.map_err(|error| fault::bad_key_of_item(&error))?;
        items::check_size(&item, items::TOO_LARGE)?;
        return Ok((key, Intent::Put(item)));
    }
    let key = items::key_of(schema, &item)?;
    let intent = match kind {
        ActionKind::Check | ActionKind::Put => Intent::Check,
        ActionKind::Delete => Intent::Delete,
        ActionKind::Update => {
            let update = update.unwrap_or_default();
            items::check_update(schema, &update)?;
            Intent::Update { update, key: item }
        }
    };
    Ok((key, intent))
}

/// Returns all steps if each fits its table.
///
/// Errors: `TransactionCanceledException` that names those that do not.
fn all_fit<T>(steps: Vec<Result<T, Fault>>) -> Result<Vec<T>, Refused> {
    if steps.iter().all(Result::is_ok) {
        return Ok(steps.into_iter().flatten().collect());
    }
    let refused = steps.into_iter().map(|step| {
        let fault = step.err()?;
        Some(NotWritten {
            refusal: Refusal::Invalid(fault.message),
            current: None,
        })
    });
    Err(cancelled(&refused.collect::<Vec<_>>(), &[]))
}

impl ActionsIn {
    /// Returns the one action that an element has.
    fn only((at, actions): (usize, Self)) -> Result<(ActionKind, ActionIn), Refused> {
        let mut all = [
            (ActionKind::Check, actions.check),
            (ActionKind::Put, actions.put),
            (ActionKind::Delete, actions.delete),
            (ActionKind::Update, actions.update),
        ]
        .into_iter()
        .filter_map(|(kind, action)| Some((kind, action?)));
        match (all.next(), all.next()) {
            (Some(only), None) => Ok(only),
            (None, _) | (Some(_), Some(_)) => Err(fault::validation(format!(
                "TransactItems can only contain one of Check, Put, Update or Delete; element {}",
                at + 1
            ))
            .into()),
        }
    }
}

/// Answers a call that was done before: it has cost a read.
fn repeated(actions: &[Action], capacity: ReturnConsumedCapacity) -> Vec<u8> {
    let mut consumed: BTreeMap<&str, Units> = BTreeMap::new();
    for action in actions {
        let units = consumed.entry(&action.given).or_default();
        *units = units.plus(Units::of_read(action.bytes, Reading::Transactional));
    }
    let mut out = Vec::with_capacity(64);
    let mut answer = Object::start(&mut out);
    let consumed = consumed.into_iter();
    let consumed = consumed.map(|(given, units)| (given, Consumed::of_table(units)));
    write_capacities(&mut answer, capacity, Side::Read, consumed);
    answer.end();
    out
}

fn answer_gets(shown: &[Shown], read: &[Written], capacity: ReturnConsumedCapacity) -> Answer {
    let mut out = Vec::with_capacity(1024);
    let mut answer = Object::start(&mut out);
    let list = answer.member("Responses");
    list.push(b'[');
    let mut consumed: BTreeMap<&str, Units> = BTreeMap::new();
    let mut total = 0;
    for (at, (Shown { given, projection }, one)) in shown.iter().zip(read).enumerate() {
        if at > 0 {
            list.push(b',');
        }
        let mut response = Object::start(list);
        let size = one.old.as_deref().map_or(Ok(0), items::size_of)?;
        total += size;
        if let Some(image) = &one.old {
            let member = response.member("Item");
            match projection {
                None => render::item(member, image)?,
                Some(projection) => drop(render::projected(member, image, projection)?),
            }
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
