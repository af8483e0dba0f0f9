//! What this facade keeps with a table and with each of its replicas.
//!
//! It is stored as JSON in control's resources: a member that is missing reads as its default,
//! and a member that a newer build added is kept by whoever does not know it.

use std::collections::BTreeMap;

use control::tables::{Replica, Table};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::policies::Kept;

/// Settings that all replicas of a table share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Shared {
    /// `PROVISIONED` or `PAY_PER_REQUEST`.
    pub(crate) billing: Option<String>,
    /// Units of a provisioned table: read, write.
    pub(crate) throughput: Option<(u64, u64)>,
    /// When it last became billed by use, in microseconds since 1970.
    pub(crate) on_demand_since: Option<i64>,
    /// What its stream records hold, while it has a stream.
    pub(crate) stream: Option<String>,
    /// The label of its last stream, kept when the stream ends.
    pub(crate) stream_label: Option<String>,
    /// `STANDARD` or `STANDARD_INFREQUENT_ACCESS`.
    pub(crate) class: Option<String>,
    /// What a newer build keeps.
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// Settings of one replica.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Own {
    /// Its tags.
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether it must not be deleted.
    pub(crate) protected: bool,
    /// Its policy.
    pub(crate) policy: Option<Kept>,
    /// What a newer build keeps.
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl Shared {
    /// Reads a table's settings; what cannot be read is left at its default.
    pub(crate) fn of(table: &Table) -> Self {
        Self::deserialize(&table.settings).unwrap_or_default()
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("settings are plain data with text keys")
    }
}

impl Own {
    /// Reads a replica's settings; what cannot be read is left at its default.
    pub(crate) fn of(replica: &Replica) -> Self {
        Self::deserialize(&replica.settings).unwrap_or_default()
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("settings are plain data with text keys")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Shared;

    #[test]
    fn members_of_a_newer_build_survive_a_rewrite() {
        let stored = json!({"billing": "PROVISIONED", "invented": {"later": 1}});
        let shared: Shared = serde_json::from_value(stored).unwrap();
        let rewritten = shared.to_value();
        assert_eq!(rewritten["invented"], json!({"later": 1}));
        assert_eq!(rewritten["billing"], json!("PROVISIONED"));
    }
}
