//! `ExecuteStatement`: one statement of PartiQL, planned by `partiql`, run as other calls run.
//!
//! Nothing here reads or writes an item in a way of its own: a plan becomes what `GetItem`,
//! `Query`, `Scan`, `PutItem`, `UpdateItem` and `DeleteItem` do.
//! Source: DynamoDB API reference, `ExecuteStatement`; developer guide, "PartiQL".
//!
//! ```text
//! text ── parse ──► statement ── table, index, parameters ──► plan
//!                                    selects ─► pages, NextToken ◄─┤
//!                                    writes ─► one write ◄─────────┘
//! ```

use std::sync::Arc;

use api_protocol::fault::Fault;
use api_protocol::json;
use item::key::{KeyAttribute, KeyKind, KeySchema};
use item::value::AttributeValue;
use partiql::error::PartiqlError;
use partiql::plan::{self, Call, Keys, Plan};
use partiql::statement::{self, Statement};
use store::port::Store;

use crate::capacity::{self, Consumed, Side};
use crate::catalog::OpenTable;
use crate::choices::{ReturnConsumedCapacity, ReturnOnFailure};
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::indexes;
use crate::items;
use crate::part::Part;
use crate::reads::Reading;
use crate::wire::render::{self, Object};
use crate::wire::shape;
use crate::wire::value::ValueIn;

mod batch;
mod next;
mod selects;
mod transaction;
mod writes;

use selects::{Page, Start};

shape! {
    /// The members of `ExecuteStatement`.
    ExecuteIn {
        statement: "Statement" as String,
        parameters: "Parameters" as Vec<ValueIn>,
        consistent: "ConsistentRead" as bool,
        next: "NextToken" as String,
        capacity: "ReturnConsumedCapacity" as String,
        limit: "Limit" as i64,
        on_failure: "ReturnValuesOnConditionCheckFailure" as String,
    }
}

/// A statement with its table and its plan.
struct Prepared {
    given: String,
    open: Arc<OpenTable>,
    /// The index that it reads.
    index: Option<String>,
    plan: Plan,
}

/// Why a statement has no plan.
enum NoPlan {
    /// Its table or its index cannot be used.
    Source(Fault),
    /// It is wrong in itself, or for its table.
    Statement(PartiqlError),
}

impl<S: Store> DynamoDb<S> {
    /// Answers `ExecuteStatement`.
    pub(crate) async fn execute_statement(&self, body: &[u8]) -> Answer {
        let request: ExecuteIn = json::parse(body)?;
        let capacity = items::returned_capacity(request.capacity.as_deref());
        let on_failure = on_failure_of(request.on_failure.as_deref());
        let text = request.statement.unwrap_or_default();
        let statement = statement::parse(&text).map_err(|error| refused(&error))?;
        let parameters = values(request.parameters)?;
        let prepared = self.prepare(&statement, &parameters)?;
        plan::check_call(&statement, &prepared.plan, Call::Statement)
            .map_err(|problem| fault::validation(problem.to_string()))?;
        let Plan::Select(select) = prepared.plan else {
            let change = prepared.change(on_failure)?;
            return self.execute_change(change, capacity).await;
        };
        let digest = next::digest(&text, &parameters, prepared.open.def.id);
        let start = match &request.next {
            Some(token) => next::read(token, digest)?,
            None => Start::default(),
        };
        let mut reading = Reading {
            given: prepared.given,
            filter: select.filter,
            projection: select.list.projection(),
            projected_by: "ProjectionExpression",
            select: None,
            limit: request.limit.and_then(|limit| usize::try_from(limit).ok()),
            capacity,
            consistent: request.consistent,
        };
        let (open, index) = (&prepared.open, prepared.index.as_deref());
        let page = self.select(open, index, &mut reading, select.reads, start);
        let page = page.await?;
        answer_page(&reading, &Part::of_list(select.list), &page, digest)
    }

    async fn execute_change(
        &self,
        change: writes::Change,
        capacity: ReturnConsumedCapacity,
    ) -> Answer {
        let (given, open) = (change.given.clone(), Arc::clone(&change.open));
        let (written, returned) = self.write_change(change).await?;
        let mut out = Vec::with_capacity(64);
        let mut answer = Object::start(&mut out);
        let items = answer.member("Items");
        items.push(b'[');
        items.extend(returned.into_iter().flatten());
        items.push(b']');
        if capacity != ReturnConsumedCapacity::None {
            let consumed = indexes::consumed(&open, &written)?;
            write_capacity(&mut answer, capacity, &given, &consumed);
        }
        answer.end();
        Ok(out)
    }

    /// Finds the table of a statement, and plans it.
    fn prepare(
        &self,
        statement: &Statement,
        parameters: &[AttributeValue],
    ) -> Result<Prepared, NoPlan> {
        let given = statement.table().to_owned();
        let open = self.open(&given).map_err(NoPlan::Source)?;
        if let Some(name) = statement.index() {
            self.open_index(&open, name).map_err(NoPlan::Source)?;
        }
        let plan = planned(&open, statement, parameters).map_err(NoPlan::Statement)?;
        Ok(Prepared {
            given,
            open,
            index: statement.index().map(str::to_owned),
            plan,
        })
    }
}

impl From<NoPlan> for Fault {
    fn from(error: NoPlan) -> Self {
        match error {
            NoPlan::Source(fault) => fault,
            NoPlan::Statement(error) => refused(&error),
        }
    }
}

impl From<NoPlan> for Refused {
    fn from(error: NoPlan) -> Self {
        Self(error.into())
    }
}

fn answer_page(reading: &Reading, part: &Part, page: &Page, digest: u64) -> Answer {
    let mut out = Vec::with_capacity(128 + page.size * 3 / 2);
    let mut answer = Object::start(&mut out);
    let items = answer.member("Items");
    items.push(b'[');
    let mut is_first = true;
    for image in &page.images {
        if !reading.keeps(image)? {
            continue;
        }
        if !is_first {
            items.push(b',');
        }
        is_first = false;
        part.write(items, image)?;
    }
    items.push(b']');
    if let Some(stop) = &page.stop {
        render::string(answer.member("NextToken"), &next::write(stop, digest));
        if let Some(last) = &page.last {
            render::tree(answer.member("LastEvaluatedKey"), last)?;
        }
    }
    write_capacity(
        &mut answer,
        reading.capacity,
        &reading.given,
        &page.consumed,
    );
    answer.end();
    Ok(out)
}

fn write_capacity(
    answer: &mut Object<'_>,
    wanted: ReturnConsumedCapacity,
    given: &str,
    consumed: &Consumed,
) {
    if wanted != ReturnConsumedCapacity::None {
        let member = answer.member("ConsumedCapacity");
        capacity::write_parts(member, wanted, given, consumed, Side::Plain);
    }
}

/// Plans a statement on a table: what is run, and what leave is asked for, are one plan.
pub(crate) fn planned(
    open: &OpenTable,
    statement: &Statement,
    parameters: &[AttributeValue],
) -> Result<Plan, PartiqlError> {
    let index = index_key(open, statement);
    let keys = Keys {
        table: &open.def.schema,
        index: index.as_ref(),
    };
    plan::of(statement, keys, parameters)
}

/// Returns the key of the index that a statement names. Of one whose partition has several
/// attributes no statement names it whole: the index is read from end to end, and filtered.
pub(crate) fn index_key(open: &OpenTable, statement: &Statement) -> Option<KeySchema> {
    let name = statement.index()?;
    let index = open.indexes().find(|index| index.view.name == name)?;
    Some(match &index.def.partition[..] {
        [only] => KeySchema {
            partition: only.clone(),
            sort: index.def.sort.first().cloned(),
        },
        _ => KeySchema {
            // No path has an empty name.
            partition: KeyAttribute {
                name: String::new(),
                kind: KeyKind::S,
            },
            sort: None,
        },
    })
}

fn values(parameters: Option<Vec<ValueIn>>) -> Result<Vec<AttributeValue>, Refused> {
    let parameters = parameters.unwrap_or_default().into_iter();
    Ok(parameters.map(ValueIn::check).collect::<Result<_, _>>()?)
}

fn refused(error: &PartiqlError) -> Fault {
    fault::validation(error.to_string())
}

fn on_failure_of(wanted: Option<&str>) -> ReturnOnFailure {
    let wanted = wanted.and_then(ReturnOnFailure::parse);
    wanted.unwrap_or(ReturnOnFailure::None)
}
