//! Calls on tables: their definitions, replicas, tags, and what is told about them.
//!
//! What a table cannot have here is refused by name, never accepted and forgotten: vector indexes,
//! strong consistency across regions.

use std::collections::BTreeMap;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use control::control::{ControlError, Position};
use control::resource::Change;
use control::tables::replicas::ReplicaDraft;
use control::tables::{Replica, ReplicaStatus, Table, TableError, Turn};
use serde_json::json as json_value;
use store::port::Store;

use crate::catalog::OpenTable;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::limits::{
    ACCOUNT_UNITS_MAX, LIST_TABLES_MAX, TABLE_READ_UNITS_MAX, TABLE_WRITE_UNITS_MAX,
};
use crate::settings::{Own, Shared};
use crate::wire::shape;

mod create;
mod describe;
pub(crate) mod encryption;
mod expiry;
pub(crate) mod going;
mod index_updates;
pub(crate) mod indexes;
pub(crate) mod provisioned;
mod replica_updates;
mod strong;
pub(crate) mod tags;
pub(crate) mod throughput;
mod update;

pub(crate) use create::{CreateIn, ThroughputIn, bill, refuse, serve};
pub(crate) use describe::{Status, table_id};
pub(crate) use encryption::{Encryption, EncryptionIn};
pub(crate) use indexes::{IndexIn, IndexSettings, index_shape};

shape! {
    /// The members of calls that name a table and nothing else.
    NamedIn { table: "TableName" as String, }
}

shape! {
    /// The members of `ListTables`.
    ListIn {
        after: "ExclusiveStartTableName" as String,
        limit: "Limit" as i64,
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `DescribeTable`.
    pub(crate) fn describe_table(&self, caller: &Caller, body: &[u8]) -> Answer {
        let (_, open) = self.named(body)?;
        let description = self.description(caller, &open, None);
        Ok(json_value!({ "Table": description })
            .to_string()
            .into_bytes())
    }

    /// Answers `DeleteTable`: of a global table, it deletes this region's replica.
    pub(crate) async fn delete_table(&self, caller: &Caller, body: &[u8]) -> Answer {
        let (name, open) = self.named(body)?;
        let own = self
            .own_replica(&open)
            .ok_or_else(|| fault::no_table_named(&name))?;
        if Own::of(own).protected {
            return Err(fault::validation(PROTECTED).into());
        }
        if self.is_building(&open) {
            let message = "Cannot delete table while indexes are being created, updated, or \
                           deleted.";
            return Err(in_use(message).into());
        }
        if open.def.filling {
            return Err(in_use(&format!("Table is being created: {name}")).into());
        }
        if leaves_none_whole(&open, &[&own.region]) {
            return Err(fault::validation(SOURCE).into());
        }
        let copied = self.control.copied_from();
        if copied.iter().any(|(table, _)| *table == open.def.id) {
            let what = format!("Table is being backed up or restored from: {name}");
            return Err(in_use(&what).into());
        }
        let mut description = self.description(caller, &open, Some(Status::Deleting));
        // Of a table that goes the service does not tell what it was made of.
        if let Some(members) = description.as_object_mut() {
            for name in DEFINING {
                members.remove(name);
            }
        }
        let region = &self.control.project().region;
        let deleted = self.control.delete_replica(&open.view, region).await;
        deleted.map_err(|error| table_failed(&error, &name))?;
        Ok(json_value!({ "TableDescription": description })
            .to_string()
            .into_bytes())
    }

    /// Answers `ListTables`.
    pub(crate) fn list_tables(&self, body: &[u8]) -> Answer {
        let request: ListIn = json::parse(body)?;
        let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(LIST_TABLES_MAX);
        let tables = self.tables_by_name();
        let after = request.after.unwrap_or_default();
        let mut names = tables.keys().skip_while(|name| **name <= after);
        let page: Vec<&String> = names.by_ref().take(limit).collect();
        let mut answer = json_value!({ "TableNames": page });
        if names.next().is_some()
            && let (Some(last), Some(members)) = (page.last(), answer.as_object_mut())
        {
            members.insert("LastEvaluatedTableName".to_owned(), last.as_str().into());
        }
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `DescribeLimits` with the quotas of a fresh account.
    pub(crate) fn describe_limits() -> Vec<u8> {
        let answer = json_value!({
            "AccountMaxReadCapacityUnits": ACCOUNT_UNITS_MAX,
            "AccountMaxWriteCapacityUnits": ACCOUNT_UNITS_MAX,
            "TableMaxReadCapacityUnits": TABLE_READ_UNITS_MAX,
            "TableMaxWriteCapacityUnits": TABLE_WRITE_UNITS_MAX,
        });
        answer.to_string().into_bytes()
    }

    /// Answers `DescribeEndpoints` with this region's own endpoint.
    pub(crate) fn describe_endpoints(&self) -> Vec<u8> {
        let address = self.control.project().own().api.to_string();
        let endpoint = json_value!({ "Address": address, "CachePeriodInMinutes": 1440 });
        json_value!({ "Endpoints": [endpoint] })
            .to_string()
            .into_bytes()
    }

    /// Returns the table that a control call names.
    fn named(&self, body: &[u8]) -> Result<(String, std::sync::Arc<OpenTable>), Refused> {
        let request: NamedIn = json::parse(body)?;
        let given = request.table.unwrap_or_default();
        let open = self
            .find(&given)
            .ok_or_else(|| fault::no_table_named(&given))?;
        Ok((given, open))
    }

    /// Returns this region's replica of a table.
    pub(crate) fn own_replica<'t>(&self, open: &'t OpenTable) -> Option<&'t Replica> {
        open.view
            .replicas
            .get(self.control.project().region.as_str())
    }

    /// Changes a table's shared settings and this region's replica's own, if nobody else does.
    pub(crate) async fn change_settings(
        &self,
        open: &OpenTable,
        shared: Option<&Shared>,
        own: Option<&Own>,
    ) -> Result<(), Refused> {
        let turn = self.control.turn().await;
        self.change_together(&turn, open, (shared, own), Vec::new(), &[])
            .await?;
        Ok(())
    }

    /// Changes settings, together with other changes and with which replicas there are: all of
    /// that happens, or none. Returns where that stands in the log, if anything changed.
    async fn change_together(
        &self,
        turn: &Turn<'_>,
        open: &OpenTable,
        (shared, own): (Option<&Shared>, Option<&Own>),
        mut changes: Vec<Change>,
        replicas: &[ReplicaDraft],
    ) -> Result<Option<Position>, Refused> {
        if let Some(shared) = shared {
            let table = Table {
                settings: shared.over(&open.view.table.settings),
                ..open.view.table.clone()
            };
            changes.push(Change::replace(&open.view.table, &table));
        }
        if let (Some(own), Some(replica)) = (own, self.own_replica(open)) {
            let changed = Replica {
                settings: own.over(&replica.settings),
                ..replica.clone()
            };
            changes.push(Change::replace(replica, &changed));
        }
        if changes.is_empty() && replicas.is_empty() {
            return Ok(None);
        }
        let control = &self.control;
        let changed = control.change_table(turn, &open.view, changes, replicas);
        let changed = changed.await;
        let position = changed.map_err(|error| table_failed(&error, &open.view.table.name))?;
        Ok(Some(position))
    }
}

/// Returns whether replicas would be left of which none is whole, without those of `regions`.
fn leaves_none_whole(open: &OpenTable, regions: &[&str]) -> bool {
    let replicas = open.view.replicas.values();
    let mut others = replicas
        .filter(|replica| !regions.contains(&replica.region.as_str()))
        .peekable();
    others.peek().is_some() && others.all(|replica| replica.status == ReplicaStatus::Creating)
}

/// Returns the types of attributes by name.
fn defined(definitions: &[create::DefinitionIn]) -> BTreeMap<&str, &str> {
    let definitions = definitions.iter();
    definitions
        .filter_map(|one| Some((one.name.as_deref()?, one.kind.as_deref()?)))
        .collect()
}

fn in_use(what: &str) -> Fault {
    let message = format!("Attempt to change a resource which is still in use: {what}");
    Fault::caller("ResourceInUseException", message)
}

pub(crate) fn table_failed(error: &TableError, name: &str) -> Fault {
    match error {
        TableError::Exists(name) => Fault::caller(
            "ResourceInUseException",
            format!("Table already exists: {name}"),
        ),
        TableError::NotFound(_) => fault::no_table_named(name),
        TableError::NameTaken { .. } => fault::validation(format!(
            "Failed to create a the new replica of table with name: ‘{name}’ because one or more \
             replicas already existed as tables."
        )),
        TableError::Control(error) => control_failed(error, name),
    }
}

pub(crate) fn control_failed(error: &ControlError, name: &str) -> Fault {
    match error {
        // Somebody changed it between our reading and our writing.
        ControlError::Unexpected(_) => {
            in_use(&format!("Table is being updated: {name}")).with_retry()
        }
        ControlError::Invalid { reason, .. } => fault::validation(reason.as_str()),
        ControlError::TooMany
        | ControlError::Bad(_)
        | ControlError::Write(_)
        | ControlError::Read(_) => fault::ours(error),
    }
}

/// What a description tells of how a table was made.
const DEFINING: [&str; 5] = [
    "AttributeDefinitions",
    "CreationDateTime",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
];

const SOURCE: &str = "Replica cannot be deleted because it has acted as a source region for new \
                      replica(s) being added to the table in the last 24 hours.";

const PROTECTED: &str = "Resource cannot be deleted as it is currently protected against deletion. \
                         Disable deletion protection first.";
