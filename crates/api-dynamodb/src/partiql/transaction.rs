//! `ExecuteTransaction`: statements that mean one item each, done all or not at all.
//!
//! It is done as `TransactWriteItems` and `TransactGetItems` are; only how it is asked for
//! differs. Source: DynamoDB API reference, `ExecuteTransaction`.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use item::value::AttributeValue;
use partiql::error::{KeyProblem, PartiqlError};
use partiql::plan::{self, Call, Plan};
use partiql::statement::{self, Statement, StatementKind};
use store::port::Store;
use table::write::Write;

use super::{NoPlan, Prepared, on_failure_of, refused, values};
use crate::choices::ReturnOnFailure;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::items::{self, Intent};
use crate::part::Part;
use crate::tokens::Token;
use crate::transactions::cancelled::all_fit;
use crate::transactions::run::{Action, Get, Told};
use crate::wire::shape;
use crate::wire::value::ValueIn;

shape! {
    /// The members of `ExecuteTransaction`.
    TransactionIn {
        statements: "TransactStatements" as Vec<StatementIn>,
        token: "ClientRequestToken" as String,
        capacity: "ReturnConsumedCapacity" as String,
    }
}

shape! {
    /// One statement of a transaction.
    StatementIn {
        statement: "Statement" as String,
        parameters: "Parameters" as Vec<ValueIn>,
        on_failure: "ReturnValuesOnConditionCheckFailure" as String,
    }
}

/// A statement, parsed.
struct Asked {
    statement: Statement,
    parameters: Vec<AttributeValue>,
    on_failure: ReturnOnFailure,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `ExecuteTransaction`.
    pub(crate) async fn execute_transaction(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: TransactionIn = json::parse(body)?;
        let capacity = items::returned_capacity(request.capacity.as_deref());
        let asked = request.statements.unwrap_or_default().into_iter();
        let asked = asked.map(Asked::parse).collect::<Result<Vec<_>, _>>()?;
        let kinds: Vec<StatementKind> = asked.iter().map(|one| one.statement.kind()).collect();
        plan::check_together(&kinds, Call::Transaction)
            .map_err(|problem| fault::validation(problem.to_string()))?;
        let steps = asked.into_iter().enumerate();
        if kinds.contains(&StatementKind::Select) {
            let gets = steps.map(|(at, one)| Ok(self.fitting(at, &one)?.map(Prepared::into_get)));
            let gets = gets.collect::<Result<Vec<_>, Refused>>()?;
            let gets: Vec<Option<Get>> = all_fit(gets)?;
            // They all read, as was checked: there is none without a key.
            return self
                .transact_reads(gets.into_iter().flatten().collect(), capacity)
                .await;
        }
        let actions = steps.map(|(at, one)| {
            let prepared = self.fitting(at, &one)?;
            let change = prepared.and_then(|prepared| prepared.change(one.on_failure));
            Ok(change.map(super::writes::Change::into_action))
        });
        let actions = actions.collect::<Result<Vec<Result<Action, Fault>>, Refused>>()?;
        let told = Told {
            always: Some(("Responses", b"[]")),
            capacity,
            metrics: None,
        };
        let token = match request.token {
            Some(token) => Some(Token::of(caller.account, &token, body)?),
            None => None,
        };
        self.transact_once(all_fit(actions)?, told, token).await
    }

    /// Plans a statement; inside, whether it fits its table, which cancels the transaction.
    fn fitting(&self, at: usize, asked: &Asked) -> Result<Result<Prepared, Fault>, Refused> {
        let invalid = |problem: &dyn std::error::Error| {
            let message = format!("Validation failed in TransactStatements[{at}]: {problem}");
            Refused(fault::validation(message))
        };
        let prepared = match self.prepare(&asked.statement, &asked.parameters) {
            Ok(prepared) => prepared,
            Err(NoPlan::Source(fault)) => return Err(fault.into()),
            Err(NoPlan::Statement(error)) => {
                let is_of_item = matches!(
                    &error,
                    PartiqlError::Key(problem) if *problem != KeyProblem::Check
                );
                return if is_of_item {
                    Ok(Err(refused(&error)))
                } else {
                    Err(invalid(&error))
                };
            }
        };
        plan::check_call(&asked.statement, &prepared.plan, Call::Transaction)
            .map_err(|problem| invalid(&problem))?;
        Ok(Ok(prepared))
    }
}

impl Prepared {
    /// Returns the read of the one item that a plan means.
    fn into_get(self) -> Option<Get> {
        let Plan::Select(select) = self.plan else {
            return None;
        };
        Some(Get {
            given: self.given,
            write: Write {
                key: select.only_key()?.clone(),
                table: std::sync::Arc::clone(&self.open.def),
                decide: items::decide(Intent::Check, None),
            },
            part: Part::of_list(select.list),
            open: self.open,
        })
    }
}

impl Asked {
    fn parse(request: StatementIn) -> Result<Self, Refused> {
        let text = request.statement.unwrap_or_default();
        Ok(Self {
            statement: statement::parse(&text).map_err(|error| refused(&error))?,
            parameters: values(request.parameters)?,
            on_failure: on_failure_of(request.on_failure.as_deref()),
        })
    }
}
