//! TransactWriteItems and TransactGetItems: all or nothing, within this region.
//!
//! A transaction reads and writes while it holds all its items, so it never conflicts: it waits.
//! It replicates as one record. Source: DynamoDB developer guide, "Managing complex workflows".

use std::collections::BTreeMap;
use std::sync::Arc;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use expr::update::Update;
use item::key::Key;
use item::size::item_size;
use item::value::Item;
use store::port::Store;
use table::def::TableDef;
use table::write::Write;

use crate::choices::ReturnOnFailure;
use crate::expressions::Expressions;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::indexes::{self, Writing};
use crate::items::{self, Intent};
use crate::part::Part;
use crate::tokens::Token;
use crate::wire::shape;
use crate::wire::value::{ItemIn, ValueIn};

pub(crate) mod cancelled;
pub(crate) mod run;

use cancelled::{OnFailure, all_fit};
use run::{Action, Get, Told};

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

/// Which action it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ActionKind {
    Check,
    Put,
    Delete,
    Update,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `TransactWriteItems`.
    pub(crate) async fn transact_write_items(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: TransactWriteIn = json::parse(body)?;
        let capacity = items::returned_capacity(request.capacity.as_deref());
        let metrics = items::returned_metrics(request.metrics.as_deref());
        let actions = request.actions.unwrap_or_default();
        let steps = actions.into_iter().enumerate().map(|action| {
            let (kind, action) = ActionsIn::only(action)?;
            self.action(kind, action)
        });
        let actions = all_fit(steps.collect::<Result<Vec<_>, Refused>>()?)?;
        let token = match request.token {
            Some(token) => Some(Token::of(caller.account, &token, body)?),
            None => None,
        };
        let told = Told {
            always: None,
            capacity,
            metrics,
        };
        self.transact_once(actions, told, token).await
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
        let fitting = fit(&open.def, kind, item, parsed.update);
        Ok(fitting.map(|(key, intent)| Action {
            given,
            write: Write {
                table: Arc::clone(&open.def),
                key,
                decide: indexes::checked(&open, writing, items::decide(intent, parsed.condition)),
            },
            open,
            on_failure: OnFailure::Condition(on_failure.unwrap_or(ReturnOnFailure::None)),
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
        self.transact_reads(all_fit(steps)?, capacity).await
    }

    /// Checks a read; inside, whether its key fits the table, which cancels the transaction.
    fn read(&self, get: GetIn) -> Result<Result<Get, Fault>, Refused> {
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
            let part = Part::from(projection);
            Get {
                given,
                open,
                write,
                part,
            }
        }))
    }
}

/// Returns the key and the intent of an action whose item fits the table.
fn fit(
    def: &TableDef,
    kind: ActionKind,
    item: Item,
    update: Option<Update>,
) -> Result<(Key, Intent), Fault> {
    let schema = &def.schema;
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
            Intent::Update {
                update,
                key: item,
                resolver: def.resolver,
            }
        }
    };
    Ok((key, intent))
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
