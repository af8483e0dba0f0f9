//! `BatchExecuteStatement`: statements that mean one item each, run together and answered apart.
//!
//! Nothing is atomic across them, and one that fails stops none of the others.
//! Source: DynamoDB API reference, `BatchExecuteStatement`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use bytes::Bytes;
use futures_util::future::join_all;
use item::key::Key;
use item::value::AttributeValue;
use partiql::plan::{self, Call, Plan};
use partiql::statement::{self, Statement, StatementKind};
use store::port::Store;
use table::write::Written;

use super::writes::Change;
use super::{on_failure_of, refused, values};
use crate::batches::{DUPLICATES, write_capacities};
use crate::capacity::{Consumed, Side, Units};
use crate::catalog::OpenTable;
use crate::choices::{ReturnConsumedCapacity, ReturnOnFailure};
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::faults;
use crate::items;
use crate::part::Part;
use crate::wire::render::{self, Object};
use crate::wire::shape;
use crate::wire::value::ValueIn;

shape! {
    /// The members of `BatchExecuteStatement`.
    BatchIn {
        statements: "Statements" as Vec<StatementIn>,
        capacity: "ReturnConsumedCapacity" as String,
    }
}

shape! {
    /// One statement of a batch.
    StatementIn {
        statement: "Statement" as String,
        parameters: "Parameters" as Vec<ValueIn>,
        consistent: "ConsistentRead" as bool,
        on_failure: "ReturnValuesOnConditionCheckFailure" as String,
    }
}

/// A statement, parsed as far as it can be.
struct Asked {
    statement: Result<Statement, Fault>,
    parameters: Vec<AttributeValue>,
    consistent: Option<bool>,
    on_failure: ReturnOnFailure,
}

/// What a statement does to its item.
enum Step {
    Read(Get),
    Write(Change),
}

/// A read of one item.
struct Get {
    given: String,
    open: Arc<OpenTable>,
    key: Key,
    part: Part,
    consistent: Option<bool>,
}

/// What became of a statement.
struct Outcome {
    /// The table, once it is known.
    table: Option<(String, Arc<OpenTable>)>,
    result: Result<Done, Fault>,
}

/// A statement that was run.
struct Done {
    /// What is answered of the item, as JSON.
    item: Option<Vec<u8>>,
    consumed: Consumed,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `BatchExecuteStatement`; a statement that `throttled` says so of is not run.
    pub(crate) async fn batch_execute_statement(
        &self,
        caller: &Caller,
        body: &[u8],
        throttled: &[bool],
    ) -> Answer {
        let request: BatchIn = json::parse(body)?;
        let capacity = items::returned_capacity(request.capacity.as_deref());
        let asked = request.statements.unwrap_or_default().into_iter();
        let asked = asked.map(Asked::parse).collect::<Result<Vec<_>, _>>()?;
        let kinds = asked.iter().flat_map(|one| &one.statement);
        let kinds: Vec<StatementKind> = kinds.map(Statement::kind).collect();
        plan::check_together(&kinds, Call::Batch)
            .map_err(|problem| fault::validation(problem.to_string()))?;
        let mut denied = self.denied_statements(caller, body)?.into_iter();
        let steps = asked.into_iter().map(|one| match denied.next().flatten() {
            Some(fault) => Err(fault),
            None => self.step(one),
        });
        let steps: Vec<Result<Step, Fault>> = steps.collect();
        let mut items = BTreeSet::new();
        for step in steps.iter().flatten() {
            let (open, key) = match step {
                Step::Read(get) => (&get.open, &get.key),
                Step::Write(change) => (&change.open, change.key()),
            };
            if !items.insert((open.def.id, key)) {
                return Err(fault::validation(DUPLICATES).into());
            }
        }
        let throttled = throttled.iter().copied().chain(std::iter::repeat(false));
        let runs = steps.into_iter().zip(throttled);
        let runs = runs.map(|(step, is_throttled)| self.run(step, is_throttled));
        // All at once, so that one flush of the disk serves them together.
        let outcomes = join_all(runs).await;
        Ok(answer(&outcomes, capacity))
    }

    /// Returns what a statement does, planned.
    fn step(&self, asked: Asked) -> Result<Step, Fault> {
        let statement = asked.statement?;
        let prepared = self.prepare(&statement, &asked.parameters)?;
        plan::check_call(&statement, &prepared.plan, Call::Batch)
            .map_err(|problem| fault::validation(problem.to_string()))?;
        match prepared.plan {
            Plan::Select(select) => {
                let key = select.only_key().ok_or_else(fault::wrong_key)?.clone();
                Ok(Step::Read(Get {
                    given: prepared.given,
                    open: prepared.open,
                    key,
                    part: Part::of_list(select.list),
                    consistent: asked.consistent,
                }))
            }
            Plan::Insert(_) | Plan::Update(_) | Plan::Delete(_) | Plan::Check(_) => {
                Ok(Step::Write(prepared.change(asked.on_failure)?))
            }
        }
    }

    async fn run(&self, step: Result<Step, Fault>, is_throttled: bool) -> Outcome {
        let (table, done) = match step {
            Err(fault) => (None, Err(Refused(fault))),
            Ok(step) if is_throttled => {
                let (given, open) = step.table();
                let table = (given.to_owned(), Arc::clone(open));
                (Some(table), Err(Refused(faults::throttled_on_purpose())))
            }
            Ok(Step::Read(get)) => {
                let table = (get.given.clone(), Arc::clone(&get.open));
                (Some(table), self.run_get(&get).await)
            }
            Ok(Step::Write(change)) => {
                let table = (change.given.clone(), Arc::clone(&change.open));
                let written = self.write_change(change).await;
                let done = written.and_then(|written| Done::of_write(&table.1, written));
                (Some(table), done)
            }
        };
        Outcome {
            table,
            result: done.map_err(|Refused(fault)| fault),
        }
    }

    async fn run_get(&self, get: &Get) -> Result<Done, Refused> {
        let reading = items::reading(get.consistent);
        let ticket = self.admit_read(&get.open, None, reading)?;
        let row = self.control.tables().get(&get.open.def, &get.key).await?;
        let image: Option<Bytes> = row.map(|row| row.image);
        let size = image.as_deref().map_or(Ok(0), items::size_of)?;
        let units = Units::of_read(size, reading);
        ticket.settle(units);
        let item = match image {
            None => None,
            Some(image) => {
                let mut out = Vec::with_capacity(image.len() * 3 / 2);
                get.part.write(&mut out, &image)?;
                Some(out)
            }
        };
        Ok(Done {
            item,
            consumed: Consumed::of_table(units),
        })
    }
}

impl Step {
    /// Returns its table, and how that is named.
    fn table(&self) -> (&str, &Arc<OpenTable>) {
        match self {
            Self::Read(get) => (&get.given, &get.open),
            Self::Write(change) => (&change.given, &change.open),
        }
    }
}

impl Asked {
    /// Parses a statement. What is wrong with it is its own matter; a parameter that is no value
    /// is the whole call's.
    fn parse(request: StatementIn) -> Result<Self, Refused> {
        let text = request.statement.unwrap_or_default();
        Ok(Self {
            statement: statement::parse(&text).map_err(|error| refused(&error)),
            parameters: values(request.parameters)?,
            consistent: request.consistent,
            on_failure: on_failure_of(request.on_failure.as_deref()),
        })
    }
}

impl Done {
    fn of_write(
        open: &OpenTable,
        (written, item): (Written, Option<Vec<u8>>),
    ) -> Result<Self, Refused> {
        let consumed = crate::indexes::consumed(open, &written)?;
        Ok(Self { item, consumed })
    }
}

fn answer(outcomes: &[Outcome], capacity: ReturnConsumedCapacity) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut answer = Object::start(&mut out);
    let list = answer.member("Responses");
    list.push(b'[');
    let mut totals: BTreeMap<&str, Consumed> = BTreeMap::new();
    for (at, outcome) in outcomes.iter().enumerate() {
        if at > 0 {
            list.push(b',');
        }
        let mut response = Object::start(list);
        match &outcome.result {
            Err(fault) => write_error(response.member("Error"), fault),
            Ok(done) => {
                if let Some(item) = &done.item {
                    response.member("Item").extend_from_slice(item);
                }
                if let Some((given, _)) = &outcome.table {
                    totals.entry(given).or_default().plus(done.consumed.clone());
                }
            }
        }
        if let Some((_, open)) = &outcome.table {
            render::string(response.member("TableName"), &open.view.table.name);
        }
        response.end();
    }
    list.push(b']');
    write_capacities(&mut answer, capacity, Side::Plain, totals.into_iter());
    answer.end();
    out
}

fn write_error(out: &mut Vec<u8>, fault: &Fault) {
    let mut error = Object::start(out);
    render::string(error.member("Code"), fault::reason_code(fault));
    render::string(error.member("Message"), &fault.message);
    if let Some((_, item)) = fault.details().find(|(name, _)| *name == "Item") {
        error
            .member("Item")
            .extend_from_slice(item.to_string().as_bytes());
    }
    error.end();
}
