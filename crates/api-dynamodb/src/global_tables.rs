//! Global tables of version 2017.11.29, of which there are none any more: AWS's own answers.
//!
//! Those of version 2019.11.21 are made by UpdateTable. Source: DynamoDB developer guide, "Global
//! tables version 2017.11.29 (Legacy)".

use api_protocol::fault::Fault;
use api_protocol::json;
use serde_json::Value;
use store::port::Store;

use crate::facade::{Answer, DynamoDb};
use crate::fault;
use crate::wire::shape;

shape! {
    /// The members of the calls on one global table: each ignores what is not its own.
    GlobalIn {
        name: "GlobalTableName" as String,
        changes: "ReplicaUpdates" as Vec<ChangeIn>,
    }
}

shape! {
    /// A change of one replica, of which only the kind is read.
    ChangeIn { create: "Create" as Value, }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `CreateGlobalTable`: no more of them are made.
    pub(crate) fn create_global_table() -> Answer {
        Err(fault::invalid_parameter(NO_MORE).into())
    }

    /// Answers `UpdateGlobalTable`: one that there is not gets no replica, and loses none.
    pub(crate) fn update_global_table(body: &[u8]) -> Answer {
        let request: GlobalIn = json::parse(body)?;
        let changes = request.changes.unwrap_or_default();
        if changes.is_empty() {
            let message = "At least one replica update is required";
            return Err(fault::invalid_parameter(message).into());
        }
        if changes.iter().any(|change| change.create.is_some()) {
            return Self::create_global_table();
        }
        Err(not_found(request.name).into())
    }

    /// Answers `DescribeGlobalTable`.
    pub(crate) fn describe_global_table(body: &[u8]) -> Answer {
        let request: GlobalIn = json::parse(body)?;
        let mut fault = not_found(request.name);
        fault.message = format!("Global table not found: {}", fault.message);
        Err(fault.into())
    }

    /// Answers the calls on the settings of a global table of that version.
    pub(crate) fn no_global_table(body: &[u8]) -> Answer {
        let request: GlobalIn = json::parse(body)?;
        Err(not_found(request.name).into())
    }

    /// Answers `ListGlobalTables`: there are none.
    pub(crate) fn list_global_tables() -> Vec<u8> {
        b"{\"GlobalTables\":[]}".to_vec()
    }
}

fn not_found(name: Option<String>) -> Fault {
    let name = name.unwrap_or_default();
    let message = format!("Global table with name: '{name}' does not exist.");
    Fault::caller("GlobalTableNotFoundException", message)
}

const NO_MORE: &str = "DynamoDB global tables version 2017.11.29 is not supported. We recommend \
                       using DynamoDB global tables version 2019.11.21, instead of version \
                       2017.11.29 (Legacy).";
