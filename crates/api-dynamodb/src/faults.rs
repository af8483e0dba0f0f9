//! Faults on purpose: what a table's tags `hither:fault:…` let its data calls suffer.
//!
//! Calls on tables without such tags never come here, and none do where faults are ignored. Which
//! calls are hit follows from the tag `hither:fault:seed` and from how many were made, so a test
//! that fails can be repeated.
//! Source: DynamoDB developer guide, "Error handling with DynamoDB".

pub(crate) mod lag;
pub mod set;

use std::collections::BTreeMap;
use std::time::Duration;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use partiql::statement::{self, StatementKind};
use serde_json::{Map, Value, json as json_value};
use store::port::Store;

use crate::facade::{Answer, DynamoDb};
use crate::fault;
use crate::limits::FAULT_LATENCY_MAX;
use crate::operations::Served;
use crate::throttle::TABLE_EXCEEDED;
use crate::transactions::cancelled;

/// The faults of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Knobs {
    throttle: Chance,
    unprocessed: Chance,
    conflict: Chance,
    latency: Duration,
    lag: Duration,
    seed: u64,
}

/// How often something happens, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chance(u32);

/// A tag that sets no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KnobProblem {
    /// It is no chance.
    #[error("the tag {0} takes a number from 0 to 1, such as 0.1")]
    Chance(String),
    /// It is no time.
    #[error("the tag {0} takes milliseconds up to a minute, such as 50ms")]
    Time(String),
    /// It is no seed.
    #[error("the tag {0} takes a whole number from 0")]
    Seed(String),
    /// There is no such fault.
    #[error(
        "the tag {0} is not known; there are hither:fault:throttle, hither:fault:unprocessed, \
         hither:fault:transaction-conflict, hither:fault:latency, hither:fault:index-lag and \
         hither:fault:seed"
    )]
    Unknown(String),
}

/// How many chances were taken of a table, since its seed was set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rolls {
    seed: u64,
    count: u64,
}

impl Knobs {
    /// Reads the faults that a table's tags ask for; `None` where they ask for none.
    pub(crate) fn of(tags: &BTreeMap<String, String>) -> Result<Option<Self>, KnobProblem> {
        let mut knobs = None;
        for (tag, value) in tags {
            let Some(name) = tag.strip_prefix(PREFIX) else {
                continue;
            };
            let knobs: &mut Self = knobs.get_or_insert_default();
            let chance = || Chance::parse(value).ok_or_else(|| KnobProblem::Chance(tag.clone()));
            let time = || time(value).ok_or_else(|| KnobProblem::Time(tag.clone()));
            match name {
                "throttle" => knobs.throttle = chance()?,
                "unprocessed" => knobs.unprocessed = chance()?,
                "transaction-conflict" => knobs.conflict = chance()?,
                "latency" => knobs.latency = time()?,
                "index-lag" => knobs.lag = time()?,
                "seed" => {
                    let seed = value.parse();
                    knobs.seed = seed.map_err(|_| KnobProblem::Seed(tag.clone()))?;
                }
                _ => return Err(KnobProblem::Unknown(tag.clone())),
            }
        }
        Ok(knobs)
    }
}

impl Knobs {
    /// Returns how late global secondary indexes are.
    pub(crate) fn lag(&self) -> Option<Duration> {
        Some(self.lag).filter(|lag| !lag.is_zero())
    }
}

fn time(text: &str) -> Option<Duration> {
    let time = text.strip_suffix("ms")?.parse().ok();
    let time = time.map(Duration::from_millis);
    time.filter(|time| *time <= FAULT_LATENCY_MAX)
}

impl Chance {
    fn parse(text: &str) -> Option<Self> {
        let chance: f64 = text.parse().ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between 0 and a million"
        )]
        (0.0..=1.0)
            .contains(&chance)
            .then(|| Self((chance * 1e6).round() as u32))
    }
}

impl Rolls {
    /// Takes a chance.
    fn hits(&mut self, seed: u64, chance: Chance) -> bool {
        if chance == Chance(0) {
            return false;
        }
        if self.seed != seed {
            *self = Self { seed, count: 0 };
        }
        self.count += 1;
        // SplitMix64: every bit of the count changes every bit of the number.
        let mut bits = seed.wrapping_add(self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % 1_000_000 < u64::from(chance.0)
    }
}

/// What kind of call it is, and the table of each of its items, as it names them.
struct Asked {
    tables: Vec<String>,
    kind: AskedKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AskedKind {
    Read,
    Write,
    /// A batch, by the member that lists a table's items inside its own, if there is one.
    Batch {
        list: Option<&'static str>,
        unprocessed: &'static str,
    },
    Transaction,
    /// Its statements are answered apart.
    Statements,
}

impl<S: Store> DynamoDb<S> {
    /// Serves a call while there are tables with faults.
    pub(crate) async fn serve_faulty(
        &self,
        knobs: &BTreeMap<String, Knobs>,
        operation: Served,
        caller: &Caller,
        body: &[u8],
    ) -> Answer {
        self.begin_past();
        let mut request: Value = json::parse(body)?;
        let Some(asked) = Asked::of(operation, &request) else {
            return self.serve(operation, caller, body).await;
        };
        let named = |given: &String| {
            let name = self.plain_name(given)?;
            Some((name.to_owned(), knobs.get(name)?))
        };
        let tables: BTreeMap<String, &Knobs> = asked.tables.iter().filter_map(named).collect();
        let latency = tables.values().map(|knobs| knobs.latency).max();
        if let Some(latency) = latency.filter(|latency| !latency.is_zero()) {
            tokio::time::sleep(latency).await;
        }
        if asked.kind != AskedKind::Statements {
            let mut throttled = tables.iter();
            if throttled.any(|(name, knobs)| self.hits(name, knobs, knobs.throttle)) {
                return Err(throttled_on_purpose().into());
            }
        }
        match asked.kind {
            AskedKind::Write => {
                let mut writes = tables.iter();
                if writes.any(|(name, knobs)| self.hits(name, knobs, knobs.conflict)) {
                    let fault = Fault::caller("TransactionConflictException", CONFLICT);
                    return Err(fault.with_retry().into());
                }
            }
            AskedKind::Transaction => {
                let conflicts = asked.tables.iter().map(|given| {
                    named(given)
                        .is_some_and(|(name, knobs)| self.hits(&name, knobs, knobs.conflict))
                });
                let conflicts: Vec<bool> = conflicts.collect();
                if conflicts.contains(&true) {
                    return Err(conflicted(&conflicts).into());
                }
            }
            AskedKind::Batch { list, unprocessed } => {
                let drops = |given: &String| {
                    named(given)
                        .is_some_and(|(name, knobs)| self.hits(&name, knobs, knobs.unprocessed))
                };
                let left = split(&mut request, list, drops);
                if !left.is_empty() {
                    let body = request.to_string().into_bytes();
                    let answer = self.serve(operation, caller, &body).await?;
                    return merge(&answer, unprocessed, list, left);
                }
            }
            AskedKind::Statements => {
                let hits = asked.tables.iter().map(|given| {
                    named(given)
                        .is_some_and(|(name, knobs)| self.hits(&name, knobs, knobs.throttle))
                });
                let hits: Vec<bool> = hits.collect();
                return self.batch_execute_statement(caller, body, &hits).await;
            }
            AskedKind::Read => {}
        }
        self.serve(operation, caller, body).await
    }

    fn hits(&self, name: &str, knobs: &Knobs, chance: Chance) -> bool {
        let mut rolls = self.rolls();
        rolls
            .entry(name.to_owned())
            .or_default()
            .hits(knobs.seed, chance)
    }
}

impl Asked {
    /// Returns what a call asks for; `None` for one that reads and writes no items.
    fn of(operation: Served, request: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let each = |member: &str, table: &dyn Fn(&Value) -> Option<String>| {
            let all = request[member].as_array().into_iter().flatten();
            all.map(|one| table(one).unwrap_or_default()).collect()
        };
        let statement = |one: &Value| {
            let parsed = statement::parse(one["Statement"].as_str()?).ok()?;
            Some(parsed.table().to_owned())
        };
        let action = |one: &Value| text(&one.as_object()?.values().next()?["TableName"]);
        let batch = || {
            let tables = request["RequestItems"].as_object();
            tables.map(|tables| tables.keys().cloned().collect())
        };
        let own = || text(&request["TableName"]).map(|table| vec![table]);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "few of the many touch items"
        )]
        let (tables, kind) = match operation {
            Served::GetItem | Served::Query | Served::Scan => (own()?, AskedKind::Read),
            Served::PutItem | Served::UpdateItem | Served::DeleteItem => (own()?, AskedKind::Write),
            Served::ExecuteStatement => {
                let parsed = statement::parse(request["Statement"].as_str()?).ok()?;
                let kind = match parsed.kind() {
                    StatementKind::Select | StatementKind::Exists => AskedKind::Read,
                    StatementKind::Insert | StatementKind::Update | StatementKind::Delete => {
                        AskedKind::Write
                    }
                };
                (vec![parsed.table().to_owned()], kind)
            }
            Served::BatchGetItem => {
                let (list, unprocessed) = (Some("Keys"), "UnprocessedKeys");
                (batch()?, AskedKind::Batch { list, unprocessed })
            }
            Served::BatchWriteItem => {
                let (list, unprocessed) = (None, "UnprocessedItems");
                (batch()?, AskedKind::Batch { list, unprocessed })
            }
            Served::TransactGetItems | Served::TransactWriteItems => {
                (each("TransactItems", &action), AskedKind::Transaction)
            }
            Served::ExecuteTransaction => (
                each("TransactStatements", &statement),
                AskedKind::Transaction,
            ),
            Served::BatchExecuteStatement => {
                (each("Statements", &statement), AskedKind::Statements)
            }
            _ => return None,
        };
        Some(Self { tables, kind })
    }
}

/// Takes items out of a batch, and returns them in its form. One item is always left in it, so
/// that who sends the rest again comes to an end.
fn split(
    request: &mut Value,
    list: Option<&str>,
    mut drops: impl FnMut(&String) -> bool,
) -> Map<String, Value> {
    let mut left = Map::new();
    let Some(tables) = request["RequestItems"].as_object_mut() else {
        return left;
    };
    let mut kept_any = false;
    for (name, entry) in &mut *tables {
        let mut rest = entry.clone();
        let Some(items) = items_of(entry, list) else {
            continue;
        };
        let (dropped, kept) = std::mem::take(items).into_iter().partition(|_| {
            let is_dropped = kept_any && drops(name);
            kept_any = true;
            is_dropped
        });
        *items = kept;
        let dropped: Vec<Value> = dropped;
        if let Some(items) = items_of(&mut rest, list).filter(|_| !dropped.is_empty()) {
            *items = dropped;
            left.insert(name.clone(), rest);
        }
    }
    tables.retain(|_, entry| items_of(entry, list).is_some_and(|items| !items.is_empty()));
    left
}

/// Adds what was taken out of a batch to what its answer says is unprocessed.
fn merge(answer: &[u8], unprocessed: &str, list: Option<&str>, left: Map<String, Value>) -> Answer {
    let mut answer: Value = json::parse(answer)?;
    if let Some(known) = answer[unprocessed].as_object_mut() {
        for (name, mut entry) in left {
            let added = items_of(&mut entry, list).map(std::mem::take);
            match known.get_mut(&name).and_then(|known| items_of(known, list)) {
                Some(items) => items.extend(added.into_iter().flatten()),
                None => {
                    if let (Some(items), Some(added)) = (items_of(&mut entry, list), added) {
                        *items = added;
                    }
                    known.insert(name, entry);
                }
            }
        }
    }
    Ok(answer.to_string().into_bytes())
}

fn items_of<'v>(entry: &'v mut Value, list: Option<&str>) -> Option<&'v mut Vec<Value>> {
    match list {
        Some(list) => entry.get_mut(list)?.as_array_mut(),
        None => entry.as_array_mut(),
    }
}

pub(crate) fn throttled_on_purpose() -> Fault {
    Fault::caller("ProvisionedThroughputExceededException", TABLE_EXCEEDED).with_retry()
}

fn conflicted(conflicts: &[bool]) -> Fault {
    let code = |conflict: &bool| {
        if *conflict {
            "TransactionConflict"
        } else {
            "None"
        }
    };
    let codes: Vec<&str> = conflicts.iter().map(code).collect();
    let reasons = conflicts.iter().map(|conflict| {
        if *conflict {
            json_value!({ "Code": "TransactionConflict", "Message": CONFLICT })
        } else {
            json_value!({ "Code": "None" })
        }
    });
    cancelled::fault_of(&codes, reasons.collect())
}

impl From<KnobProblem> for Fault {
    fn from(problem: KnobProblem) -> Self {
        fault::validation(problem.to_string())
    }
}

/// What the tags begin with.
const PREFIX: &str = "hither:fault:";
const CONFLICT: &str = "Transaction is ongoing for the item";

#[cfg(test)]
mod tests;
