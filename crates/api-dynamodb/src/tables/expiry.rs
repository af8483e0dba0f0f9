//! Time to live: which attribute tells when items expire.
//!
//! It deletes nothing: the region does, within seconds. That a table's setting may be changed once
//! an hour on AWS does not hold here: nothing has to settle first. Source: DynamoDB API reference,
//! `UpdateTimeToLive`; developer guide, "Using time to live (TTL)".

use api_protocol::fault::Fault;
use api_protocol::json;
use control::tables::indexes::Expiry;
use serde_json::json as json_value;
use store::port::Store;
use table::def::IndexId;

use super::table_failed;
use crate::facade::{Answer, DynamoDb};
use crate::fault;
use crate::wire::shape;

shape! {
    /// The members of `UpdateTimeToLive`.
    UpdateExpiryIn {
        table: "TableName" as String,
        specification: "TimeToLiveSpecification" as SpecificationIn,
    }
}

shape! {
    /// Whether items expire, and by which attribute.
    SpecificationIn {
        enabled: "Enabled" as bool,
        attribute: "AttributeName" as String,
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `DescribeTimeToLive`.
    pub(crate) fn describe_time_to_live(&self, body: &[u8]) -> Answer {
        let (_, open) = self.named(body)?;
        let expiry = open.view.expiry.as_ref();
        let told = match expiry.filter(|expiry| expiry.enabled) {
            None => json_value!({ "TimeToLiveStatus": "DISABLED" }),
            Some(expiry) => {
                let id = IndexId(expiry.expiry_index);
                let state = self.control.tables().index_state(open.def.id, id);
                let status = if state.is_some_and(|state| state.is_ready) {
                    "ENABLED"
                } else {
                    "ENABLING"
                };
                json_value!({ "TimeToLiveStatus": status, "AttributeName": expiry.attribute })
            }
        };
        Ok(json_value!({ "TimeToLiveDescription": told })
            .to_string()
            .into_bytes())
    }

    /// Answers `UpdateTimeToLive`.
    pub(crate) async fn update_time_to_live(&self, body: &[u8]) -> Answer {
        let request: UpdateExpiryIn = json::parse(body)?;
        let name = request.table.unwrap_or_default();
        let given = request.specification.unwrap_or_default();
        let enabled = given.enabled.unwrap_or(false);
        let attribute = given.attribute.unwrap_or_default();
        let open = self
            .find(&name)
            .ok_or_else(|| fault::no_table_named(&name))?;
        check(open.view.expiry.as_ref(), enabled, &attribute)?;
        let expiry = Expiry {
            table: open.view.table.id,
            expiry_index: self.control.index_number(),
            attribute,
            enabled,
            changed: self.control.clock().wall().as_micros(),
        };
        let changed = self.control.set_expiry(&open.view, &expiry).await;
        changed.map_err(|error| table_failed(&error, &name))?;
        let told = json_value!({ "Enabled": enabled, "AttributeName": expiry.attribute });
        Ok(json_value!({ "TimeToLiveSpecification": told })
            .to_string()
            .into_bytes())
    }
}

/// Checks that a request changes what is, and by the attribute that it is.
fn check(known: Option<&Expiry>, enabled: bool, attribute: &str) -> Result<(), Fault> {
    let known = known.filter(|known| known.enabled);
    match (known, enabled) {
        (Some(known), _) if known.attribute != attribute => Err(fault::validation(format!(
            "TimeToLive is active on a different AttributeName: current AttributeName is {}",
            known.attribute
        ))),
        (Some(_), true) => Err(fault::validation("TimeToLive is already enabled")),
        (None, false) => Err(fault::validation("TimeToLive is already disabled")),
        (Some(_), false) | (None, true) => Ok(()),
    }
}
