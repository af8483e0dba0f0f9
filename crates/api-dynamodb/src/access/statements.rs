//! What statements of PartiQL ask leave for, and what they reach.
//!
//! A statement that is wrong asks for nothing: it is refused, by the same reading of it, where it
//! would be run. Source: service authorization reference, "Actions, resources, and condition keys
//! for Amazon DynamoDB" (`PartiQLSelect`, `dynamodb:FullTableScan`).

use std::collections::BTreeSet;

use ::partiql::plan::{List, Plan, Reads, Returning};
use ::partiql::statement::{self, Statement, StatementKind};
use api_protocol::json;
use expr::condition::Condition;
use expr::path::Path;
use iam::context::Context;
use iam::keys;
use item::key::KeySchema;
use item::value::AttributeValue;

use super::asks::{Ask, CallIn, Facts, On};
use crate::catalog::OpenTable;
use crate::fault::Refused;
use crate::partiql;
use crate::wire::shape;
use crate::wire::value::ValueIn;

shape! {
    /// The members of the three calls: each ignores what is not its own.
    ExecuteIn {
        statement: "Statement" as String,
        parameters: "Parameters" as Vec<ValueIn>,
        statements: "Statements" as Vec<StatementIn>,
        transaction: "TransactStatements" as Vec<StatementIn>,
        on_failure: "ReturnValuesOnConditionCheckFailure" as String,
    }
}

shape! {
    /// One statement of several.
    StatementIn {
        statement: "Statement" as String,
        parameters: "Parameters" as Vec<ValueIn>,
        on_failure: "ReturnValuesOnConditionCheckFailure" as String,
    }
}

/// A statement with its parameters.
pub(super) struct Stated {
    statement: Statement,
    parameters: Vec<AttributeValue>,
}

/// What a statement reaches.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Reached {
    pub(super) leading: Option<Vec<AttributeValue>>,
    pub(super) attributes: BTreeSet<String>,
    /// Whether a `SELECT` goes through all of the table.
    scans: Option<bool>,
    /// What of items a `SELECT` asks for.
    select: Option<&'static str>,
    /// What a write gives back.
    returns: Option<&'static str>,
}

/// Returns what each statement of a call asks leave for; `None` for one that is wrong.
pub(super) fn of(operation: &str, body: &[u8]) -> Result<Vec<Option<Ask>>, Refused> {
    let request: ExecuteIn = json::parse(body)?;
    let (statements, enclosing) = match operation {
        "ExecuteStatement" => {
            let only = StatementIn {
                statement: request.statement,
                parameters: request.parameters,
                on_failure: request.on_failure,
            };
            (vec![only], None)
        }
        "BatchExecuteStatement" => (request.statements.unwrap_or_default(), None),
        _ => (request.transaction.unwrap_or_default(), Some(operation)),
    };
    let ask = |one: StatementIn| {
        let stated = stated(one.statement, one.parameters)?;
        let statement = &stated.statement;
        let table = statement.table().to_owned();
        let action = match statement.kind() {
            StatementKind::Select | StatementKind::Exists => "PartiQLSelect",
            StatementKind::Insert => "PartiQLInsert",
            StatementKind::Update => "PartiQLUpdate",
            StatementKind::Delete => "PartiQLDelete",
        };
        Some(Ask {
            service: "dynamodb",
            action: action.to_owned(),
            on: match statement.index() {
                Some(index) => On::Index(table, index.to_owned()),
                None => On::Table(table),
            },
            call: CallIn::default(),
            facts: Facts::of_statement(one.on_failure, enclosing),
            stated: Some(stated),
        })
    };
    Ok(statements.into_iter().map(ask).collect())
}

fn stated(text: Option<String>, parameters: Option<Vec<ValueIn>>) -> Option<Stated> {
    let statement = statement::parse(&text.unwrap_or_default()).ok()?;
    let parameters = parameters.unwrap_or_default().into_iter();
    Some(Stated {
        statement,
        parameters: parameters
            .map(ValueIn::check)
            .collect::<Result<_, _>>()
            .ok()?,
    })
}

impl Stated {
    /// Returns what the statement reaches; nothing where it has no plan and so is not run.
    pub(super) fn reached(&self, open: &OpenTable) -> Reached {
        let Ok(plan) = partiql::planned(open, &self.statement, &self.parameters) else {
            return Reached::default();
        };
        let index = partiql::index_key(open, &self.statement);
        let own = open
            .def
            .schema
            .attributes()
            .chain(index.iter().flat_map(KeySchema::attributes));
        let mut reached = Reached {
            attributes: own
                .map(|key| key.name.clone())
                .filter(|name| !name.is_empty())
                .collect(),
            ..Reached::default()
        };
        reached.visit(plan);
        reached
    }
}

impl Reached {
    fn visit(&mut self, plan: Plan) {
        match plan {
            Plan::Select(select) => {
                self.scans = Some(matches!(select.reads, Reads::All));
                self.leading = match select.reads {
                    Reads::Key(key) => Some(vec![key.partition.to_attribute()]),
                    Reads::Keys(keys) => Some(
                        keys.into_iter()
                            .map(|key| key.partition.to_attribute())
                            .collect(),
                    ),
                    Reads::Ranges { ranges, .. } => Some(
                        ranges
                            .into_iter()
                            .map(|range| range.partition.to_attribute())
                            .collect(),
                    ),
                    Reads::All => None,
                };
                self.condition(select.filter.as_ref());
                self.select = Some("ALL_ATTRIBUTES");
                if let List::Paths(paths) = &select.list {
                    let names = paths.iter().map(|one| one.path.name().to_owned());
                    self.attributes.extend(names);
                    self.select = Some("SPECIFIC_ATTRIBUTES");
                }
            }
            Plan::Insert(insert) => {
                self.leading = Some(vec![insert.key.partition.to_attribute()]);
                self.attributes.extend(insert.item.as_map().keys().cloned());
                self.condition(Some(&insert.condition));
            }
            Plan::Update(update) => {
                self.leading = Some(vec![update.key.partition.to_attribute()]);
                let attributes = &mut self.attributes;
                update.changes.for_each_path(&mut |path: &Path| {
                    attributes.insert(path.name().to_owned());
                });
                self.condition(Some(&update.condition));
                self.returns = update.returning.map(|returning| match returning {
                    Returning::AllNew => "ALL_NEW",
                    Returning::AllOld => "ALL_OLD",
                    Returning::ModifiedNew => "UPDATED_NEW",
                    Returning::ModifiedOld => "UPDATED_OLD",
                });
            }
            Plan::Delete(delete) => {
                self.leading = Some(vec![delete.key.partition.to_attribute()]);
                self.condition(delete.condition.as_ref());
                self.returns = delete.returns_old.then_some("ALL_OLD");
            }
            Plan::Check(check) => {
                self.leading = Some(vec![check.key.partition.to_attribute()]);
                self.condition(Some(&check.condition));
            }
        }
    }

    /// Tells a context what is reached beside keys and attributes.
    pub(super) fn tell(&self, context: &mut Context<'_>) {
        if let Some(scans) = self.scans {
            context.set(keys::FULL_TABLE_SCAN, scans);
        }
        if let Some(select) = self.select {
            context.set(keys::SELECT, select);
        }
        if let Some(returns) = self.returns {
            context.set(keys::RETURN_VALUES, returns);
        }
    }

    fn condition(&mut self, condition: Option<&Condition>) {
        let attributes = &mut self.attributes;
        if let Some(condition) = condition {
            condition.for_each_path(&mut |path: &Path| {
                attributes.insert(path.name().to_owned());
            });
        }
    }
}
