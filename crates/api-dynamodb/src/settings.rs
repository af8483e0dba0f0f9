//! What this facade keeps with a table and with each of its replicas.
//!
//! It is stored as JSON in control's resources: a member that is missing reads as its default,
//! and a member that a newer build added is kept by whoever does not know it.

use std::collections::BTreeMap;

use control::settings;
use control::tables::{Replica, Table};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::limits::STREAM_SECS;
use crate::policies::kept::Stored;
use crate::tables::provisioned::Turns;
use crate::tables::throughput;

/// Units to read and to write, a second.
pub(crate) type Units = (u64, u64);

/// The most units that are served by use, to read and to write; `None` is no bound.
pub(crate) type Most = (Option<i64>, Option<i64>);

/// Settings that all replicas of a table share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Shared {
    /// `PROVISIONED` or `PAY_PER_REQUEST`.
    pub(crate) billing: Option<String>,
    /// Units of a provisioned table: read, write.
    pub(crate) throughput: Option<Units>,
    /// When these last changed.
    pub(crate) turns: Turns,
    /// The most that is served by use.
    pub(crate) on_demand: Option<Most>,
    /// What was asked to be served at once.
    pub(crate) warm: Option<Units>,
    /// When it last became billed by use, in microseconds since 1970.
    pub(crate) on_demand_since: Option<i64>,
    /// What its stream records hold, while it has a stream.
    pub(crate) stream: Option<String>,
    /// The label of its last stream, kept when the stream ends.
    pub(crate) stream_label: Option<String>,
    /// When its last stream began, in microseconds since 1970.
    pub(crate) stream_since: Option<i64>,
    /// How long a shard of its last stream is, in seconds, where that is not the usual length.
    pub(crate) stream_roll: Option<u32>,
    /// Streams that have ended, as long as they can be read.
    pub(crate) past_streams: Vec<StreamFacts>,
    /// `STANDARD` or `STANDARD_INFREQUENT_ACCESS`.
    pub(crate) class: Option<String>,
    /// Whether it is said to be encrypted by a key of KMS.
    pub(crate) kms: bool,
    /// How it was asked to synchronise its settings, which is told while it is in one region.
    pub(crate) settings_mode: Option<String>,
    /// What becomes of writes that raced, unless the later one stays whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resolver: Option<String>,
    /// What a newer build keeps.
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// What is known of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StreamFacts {
    /// Its label.
    pub(crate) label: String,
    /// What its records hold.
    pub(crate) view: String,
    /// When it began, in microseconds since 1970.
    pub(crate) since: i64,
    /// When it ended.
    pub(crate) until: Option<i64>,
    /// How long its shards are, in seconds, where that is not the usual length.
    pub(crate) roll_secs: Option<u32>,
}

/// Settings of one replica.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Own {
    /// Its tags.
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether it must not be deleted.
    pub(crate) protected: bool,
    /// Whether it may be taken out of its global table, where that is done.
    pub(crate) leaves: bool,
    /// Its policy.
    pub(crate) policy: Option<Stored>,
    /// The policies of its streams, by their labels.
    pub(crate) stream_policies: BTreeMap<String, Stored>,
    /// Whether it can be restored to a moment of its past. Control reads it too.
    pub(crate) rewinds: bool,
    /// For how many days back it can.
    pub(crate) rewind_days: Option<i64>,
    /// The key of KMS by which it is said to be encrypted, where that is not DynamoDB's own.
    pub(crate) kms_key: Option<String>,
    /// Its table class, where that is not the one of the others.
    pub(crate) class: Option<String>,
    /// How much this replica serves to readers, where that is not what the others do.
    pub(crate) reads: Reads,
    /// The same of its indexes, by name.
    pub(crate) index_reads: BTreeMap<String, Reads>,
    /// What a newer build keeps.
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// How much one replica serves to readers a second, where that is not what the others do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Reads {
    /// Units, where it is provisioned.
    pub(crate) provisioned: Option<u64>,
    /// The most units, where it is billed by use.
    pub(crate) on_demand: Option<i64>,
}

impl Reads {
    /// Returns what of it counts by how the table is billed.
    pub(crate) fn billed(self, shared: &Shared) -> Self {
        let is_on_demand = shared.is_on_demand();
        Self {
            provisioned: self.provisioned.filter(|_| !is_on_demand),
            on_demand: self.on_demand.filter(|_| is_on_demand),
        }
    }
}

impl Shared {
    /// Reads a table's settings; a member that cannot be read is told, and has its default.
    pub(crate) fn of(table: &Table) -> Self {
        settings::read(&table.name, &table.settings)
    }

    /// Returns them as they are kept in place of others.
    pub(crate) fn over(&self, was: &Value) -> Value {
        settings::write(self, was)
    }

    /// Returns whether the table is billed by use.
    pub(crate) fn is_on_demand(&self) -> bool {
        self.billing.as_deref() == Some("PAY_PER_REQUEST")
    }

    /// Returns the table class, which is the usual one where none was given.
    pub(crate) fn class_of(&self) -> &str {
        self.class.as_deref().unwrap_or("STANDARD")
    }

    /// Returns what the table serves at once, by what was asked for and by how it is billed.
    pub(crate) fn warm_of(&self) -> Units {
        throughput::warm(self.warm, self.throughput, self)
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("settings are plain data with text keys")
    }

    /// Returns the stream that the table has; `made` is when the table was.
    pub(crate) fn running_stream(&self, made: i64) -> Option<StreamFacts> {
        Some(StreamFacts {
            label: self.stream_label.clone()?,
            view: self.stream.clone()?,
            since: self.stream_since.unwrap_or(made),
            until: None,
            roll_secs: self.stream_roll,
        })
    }

    /// Returns whether a label is that of the table's stream, or of one that can be read yet.
    pub(crate) fn has_stream(&self, label: &str) -> bool {
        let mut past = self.past_streams.iter();
        (self.stream.is_some() && self.stream_label.as_deref() == Some(label))
            || past.any(|stream| stream.label == label)
    }

    /// Ends the stream that the table has; those that can no longer be read are forgotten.
    pub(crate) fn end_stream(&mut self, made: i64, now: i64) {
        let ended = self.running_stream(made).map(|stream| StreamFacts {
            until: Some(now),
            ..stream
        });
        self.past_streams.extend(ended);
        let floor = now - STREAM_SECS * 1_000_000;
        self.past_streams
            .retain(|stream| stream.until > Some(floor));
        self.stream = None;
    }
}

impl Own {
    /// Reads a replica's settings; a member that cannot be read is told, and has its default.
    pub(crate) fn of(replica: &Replica) -> Self {
        settings::read(&format_args!("{:016x}", replica.table), &replica.settings)
    }

    /// Returns them as they are kept in place of others.
    pub(crate) fn over(&self, was: &Value) -> Value {
        settings::write(self, was)
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("settings are plain data with text keys")
    }
}

#[cfg(test)]
mod tests {
    use control::tables::{Replica, ReplicaStatus};
    use serde_json::json;

    use super::{Own, Shared};

    #[test]
    fn a_member_that_cannot_be_read_resets_no_other() {
        let replica = Replica {
            table: 1,
            region: "us-east-1".to_owned(),
            status: ReplicaStatus::Active,
            created: 0,
            settings: json!({"tags": [1], "protected": true, "rewind_days": 7, "invented": 1}),
            restore: None,
            imported: None,
            salvaged: None,
        };
        let own = Own::of(&replica);
        assert_eq!((own.protected, own.rewind_days), (true, Some(7)));
        assert!(own.tags.is_empty() && own.rest.contains_key("invented"));
    }

    #[test]
    fn members_of_a_newer_build_survive_a_rewrite() {
        let stored = json!({"billing": "PROVISIONED", "invented": {"later": 1}});
        let shared: Shared = serde_json::from_value(stored).unwrap();
        let rewritten = shared.to_value();
        assert_eq!(rewritten["invented"], json!({"later": 1}));
        assert_eq!(rewritten["billing"], json!("PROVISIONED"));
    }
}
