//! What calls on whole tables ask leave for beside their own action: to make and remove replicas
//! in their regions, to fill a table that is restored, to tag and to set a policy.
//!
//! It looks up no table. Source: service authorization reference, "Actions, resources, and
//! condition keys for Amazon DynamoDB" (operations); DynamoDB developer guide, "DynamoDB global
//! tables security" and "Using IAM with DynamoDB backup and restore"; DynamoDB API reference,
//! `UpdateTable`.

use api_protocol::json;

use super::asks::{self, Ask, Facts, On, TagIn};
use crate::fault::Refused;
use crate::wire::shape;

shape! {
    /// The members that ask for more.
    BesideIn {
        table: "TableName" as String,
        target: "TargetTableName" as String,
        policy: "ResourcePolicy" as String,
        tags: "Tags" as Vec<TagIn>,
        replicas: "ReplicaUpdates" as Vec<ReplicaIn>,
    }
}

shape! {
    /// A change of one replica.
    ReplicaIn {
        create: "Create" as RegionIn,
        delete: "Delete" as RegionIn,
        disassociate: "Disassociate" as RegionIn,
    }
}

shape! {
    /// The region of a replica.
    RegionIn { region: "RegionName" as String, }
}

/// Returns what a request asks leave for on top of its own action.
///
/// Errors: what is wrong with a request that cannot be read.
pub(super) fn of(operation: &str, body: &[u8]) -> Result<Vec<Ask>, Refused> {
    let request = || json::parse::<BesideIn>(body);
    Ok(match operation {
        "CreateTable" => made(request()?),
        "UpdateTable" => replicated(request()?),
        "RestoreTableFromBackup" | "RestoreTableToPointInTime" => {
            let target = request()?.target.map(On::of_table);
            target.map(|on| each(&FILLS, &on)).unwrap_or_default()
        }
        _ => Vec::new(),
    })
}

fn made(request: BesideIn) -> Vec<Ask> {
    let Some(on) = request.table.map(On::of_table) else {
        return Vec::new();
    };
    let puts = request.policy.is_some();
    let puts = puts.then(|| Ask::plain("dynamodb", "PutResourcePolicy", on.clone()));
    let tags = asks::tags_in(request.tags);
    let tagged = (!tags.is_empty()).then(|| Ask {
        facts: Facts::of_tags(tags),
        ..Ask::plain("dynamodb", "TagResource", on)
    });
    puts.into_iter().chain(tagged).collect()
}

fn replicated(request: BesideIn) -> Vec<Ask> {
    let Some(table) = request.table else {
        return Vec::new();
    };
    let there = |place: RegionIn| Some(On::Replica(table.clone(), place.region?));
    let mut asks = Vec::new();
    for change in request.replicas.unwrap_or_default() {
        if let Some(on) = change.create.and_then(there) {
            asks.extend(each(&MAKES_REPLICA, &on));
            asks.extend(each(&FILLS, &on));
        }
        if let Some(on) = change.delete.and_then(there) {
            asks.extend(each(&REMOVES_REPLICA, &on));
        }
        if change.disassociate.is_some() {
            let on = On::of_table(table.clone());
            asks.push(Ask::plain("dynamodb", "DisassociateTableReplica", on));
        }
    }
    asks
}

fn each(actions: &[&str], on: &On) -> Vec<Ask> {
    let ask = |action: &&str| Ask::plain("dynamodb", action, on.clone());
    actions.iter().map(ask).collect()
}

const MAKES_REPLICA: [&str; 2] = ["CreateTable", "CreateTableReplica"];

const REMOVES_REPLICA: [&str; 2] = ["DeleteTable", "DeleteTableReplica"];

/// What a table is filled by, from another region or from what was kept of another table.
const FILLS: [&str; 7] = [
    "Query",
    "Scan",
    "UpdateItem",
    "PutItem",
    "GetItem",
    "DeleteItem",
    "BatchWriteItem",
];
