//! Policies as they are kept with a replica, and as whoever asks them has them.
//!
//! One that is there and cannot be read is closed, whatever is wrong with it: it may have denied.
//! It is kept as it is, for a build that can read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use clock::time::WallTime;
use control::settings;
use iam::kind::Kind;
use iam::policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The policy of a replica, or of one of its streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The document, in the form that it is shown in.
    pub(crate) document: String,
    /// When it was put, in milliseconds since 1970, which numbers it.
    pub(super) revision: i64,
    /// What a newer build keeps.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A policy that is there, whether or not it can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Stored {
    Read(Kept),
    Unread(Value),
}

/// The policies of a replica's streams.
#[derive(Debug, Default)]
pub(crate) struct StreamPolicies {
    by_label: BTreeMap<String, Arc<Policy>>,
    /// The one of every stream, where it cannot be read which have one.
    closed: Option<Arc<Policy>>,
}

impl Kept {
    /// Returns a policy that is put where there was none.
    pub(super) fn first(document: String, now: WallTime) -> Self {
        Self {
            document,
            revision: now.as_micros() / 1000,
            rest: Map::new(),
        }
    }
}

impl StreamPolicies {
    /// Reads those of a table's streams, each for itself.
    pub(crate) fn new(table: &str, kept: &Value) -> Self {
        let labels = match kept {
            Value::Null => return Self::default(),
            Value::Object(labels) => labels,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                let closed = Some(Arc::new(Policy::closed(table)));
                return Self {
                    closed,
                    ..Self::default()
                };
            }
        };
        let compile = |(label, kept): (&String, &Value)| {
            let policy = compiled(&format!("{table}/stream/{label}"), kept);
            (label.clone(), Arc::new(policy))
        };
        Self {
            by_label: labels.iter().map(compile).collect(),
            closed: None,
        }
    }

    /// Returns the one of a stream.
    pub(crate) fn of(&self, label: &str) -> Option<Arc<Policy>> {
        self.by_label.get(label).or(self.closed.as_ref()).cloned()
    }

    /// Returns whether no stream has one.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_label.is_empty() && self.closed.is_none()
    }
}

/// Returns the policy of a table in the settings of its replica.
pub(crate) fn of_table(table: &str, settings: &Value) -> Option<Policy> {
    let kept = settings::member(settings, "policy");
    (!kept.is_null()).then(|| compiled(table, kept))
}

/// Returns the policies of a table's streams in the settings of its replica.
pub(crate) fn of_streams(table: &str, settings: &Value) -> StreamPolicies {
    StreamPolicies::new(table, settings::member(settings, settings::STREAM_POLICIES))
}

fn compiled(name: &str, kept: &Value) -> Policy {
    match Kept::deserialize(kept) {
        Ok(kept) => Policy::stored(name, &kept.document, Kind::Resource),
        Err(error) => {
            tracing::error!(name, %error, "a policy cannot be read: it denies everything");
            Policy::closed(name)
        }
    }
}
