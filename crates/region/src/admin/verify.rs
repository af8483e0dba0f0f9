//! The call that compares a table with its replicas elsewhere, and names what differs.
//!
//! It changes nothing: `replica::comparing` compares, and each region answers for its own items.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use base::region::{RegionId, RegionName};
use item::key::{Key, KeySchema};
use replica::comparing::{Behind, CompareError, Compared};
use replica_core::inquiry::Held;
use replica_core::vector::VersionVector;
use store::port::Store;

use super::{Admin, answer, no_table};
use crate::limits::{DIFFERENCES_SHOWN, VERIFY_PATIENCE};

/// What the comparisons with all other replicas came to, by region.
type All = BTreeMap<RegionName, Result<Compared, CompareError>>;

/// What each region has of one key.
type Versions = BTreeMap<RegionName, Option<Held>>;

impl<S: Store> Admin<S> {
    /// Compares a table with all its other replicas, and answers with what that came to.
    pub(super) async fn verify(&self, table: &str) -> Response<Bytes> {
        let Some((id, schema)) = self.table(table) else {
            return no_table(table);
        };
        let control = &self.sources.control;
        let (own, tables) = (&control.project().region, control.tables());
        let is_other = |region: &RegionId| {
            let def = tables.table(id);
            *region != own.id() && def.is_some_and(|def| def.replicas.contains(region))
        };
        let regions = control.project().regions.iter();
        let others = regions.filter(|region| is_other(&region.name.id()));
        let others: BTreeSet<RegionName> = others.map(|region| region.name.clone()).collect();
        let began = Instant::now();
        let all = self.sources.comparer.compare(id, &others, VERIFY_PATIENCE);
        let all = all.await;
        let took = began.elapsed();
        let differences = differences(own, &all);
        let as_of = all.values().flatten().map(|compared| &compared.as_of);
        let as_of = as_of.cloned().reduce(|mut all, one| {
            all.meet(&one);
            all
        });
        let (items, bytes) = tables.size(id);
        let shown = differences.iter().take(DIFFERENCES_SHOWN);
        let shown: Vec<Value> = shown
            .map(|(key, versions)| self.show_difference((key, versions), &schema))
            .collect();
        let compared: Vec<Value> = all.iter().map(|one| self.show_compared(one)).collect();
        let told = json!({
            "table": table,
            "region": own.as_str(),
            "verdict": verdict(&all),
            "as_of": self.positions(&as_of.unwrap_or_else(|| tables.applied())),
            "items": items,
            "bytes": bytes,
            "took_ms": base::units::as_millis_f64(took),
            "compared": compared,
            "differing": differences.len(),
            "complete": all.values().flatten().all(|compared| compared.left == 0),
            "differences": shown,
        });
        answer(StatusCode::OK, &told)
    }

    fn show_compared(&self, one: (&RegionName, &Result<Compared, CompareError>)) -> Value {
        let (region, compared) = one;
        match compared {
            Ok(compared) => json!({
                "region": region.as_str(),
                "outcome": outcome(compared),
                "problem": self.problem(compared),
                "as_of": self.positions(&compared.as_of),
                "differing": compared.differences.len(),
            }),
            Err(error) => json!({
                "region": region.as_str(),
                "outcome": "not-compared",
                "problem": error.to_string(),
            }),
        }
    }

    /// Says why a comparison is not whole.
    fn problem(&self, compared: &Compared) -> Option<String> {
        if let Some(Behind {
            is_ours,
            origin,
            has,
            needs,
        }) = &compared.behind
        {
            let (who, other) = if *is_ours {
                ("the region that was asked", "it")
            } else {
                ("it", "the region that was asked")
            };
            let origin = self.name_of(*origin);
            return Some(format!(
                "{who} has the writes of {origin} up to position {has}, and {other} up to {needs}"
            ));
        }
        let left = (compared.left > 0).then(|| {
            format!(
                "{} of 65536 parts differ and were not looked at",
                compared.left
            )
        });
        let moving = (compared.unjudged > 0)
            .then(|| format!("{} keys were written too often to tell", compared.unjudged));
        left.or(moving)
    }

    fn show_difference(&self, one: (&Bytes, &Versions), schema: &KeySchema) -> Value {
        let (encoded, versions) = one;
        let key = encoded.get(2..).and_then(|key| Key::decode(key).ok());
        let key = key.and_then(|key| api_dynamodb::show::key(&key, schema));
        let key = key.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
        let version = |(region, held): (&RegionName, &Option<Held>)| {
            let held = held.map(|held| {
                json!({
                    "region": self.name_of(held.version.origin),
                    "stamp_micros": held.version.hlc.0,
                    "deleted": held.sum.is_none(),
                    "hash": held.sum.map(|sum| format!("{:032x}", sum.0)),
                })
            });
            (region.to_string(), held.unwrap_or(Value::Null))
        };
        let versions: Map<String, Value> = versions.iter().map(version).collect();
        json!({ "key": key, "versions": versions })
    }

    fn positions(&self, vector: &VersionVector) -> Value {
        let position = |(origin, seq): (RegionId, replica_core::vector::Seq)| {
            (self.name_of(origin), Value::from(seq.0))
        };
        vector.iter().map(position).collect::<Map<_, _>>().into()
    }
}

/// Returns what each region that was compared has of the keys that differ anywhere. One that was
/// not found to differ has what this region has.
fn differences(own: &RegionName, all: &All) -> BTreeMap<Bytes, Versions> {
    let compared = || {
        all.iter()
            .filter_map(|(name, one)| Some((name, one.as_ref().ok()?)))
    };
    let mut found: BTreeMap<Bytes, Versions> = BTreeMap::new();
    for (region, one) in compared() {
        for difference in &one.differences {
            let versions = found.entry(difference.key.clone()).or_default();
            versions.insert(own.clone(), difference.ours);
            versions.insert(region.clone(), difference.theirs);
        }
    }
    for versions in found.values_mut() {
        let ours = versions.get(own).copied().flatten();
        // Where one is behind, or was not looked at to its end, nothing can be said of it.
        for (region, _) in compared().filter(|(_, one)| one.behind.is_none() && one.left == 0) {
            versions.entry(region.clone()).or_insert(ours);
        }
    }
    found
}

fn outcome(compared: &Compared) -> &'static str {
    if compared.is_same() {
        "same"
    } else if !compared.differences.is_empty() {
        "differs"
    } else if compared.behind.is_some() {
        "behind"
    } else {
        "unsettled"
    }
}

/// Says what all of it comes to: one region that differs is enough, and all must be the same.
fn verdict(all: &All) -> &'static str {
    let mut compared = all.values().flatten();
    if compared.any(|compared| !compared.differences.is_empty()) {
        "differs"
    } else if all
        .values()
        .all(|one| one.as_ref().is_ok_and(Compared::is_same))
    {
        "converged"
    } else {
        "unknown"
    }
}

#[cfg(test)]
mod tests;
