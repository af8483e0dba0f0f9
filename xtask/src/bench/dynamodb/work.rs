//! What is asked of every server: the same bytes, of the same items, in the same order.
//!
//! Items are 1 KB. Keys are visited without a pattern, by a large odd step.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::LazyLock;

use anyhow::{Context, Result};

use crate::bench::dynamodb::{call, request};
use crate::bench::load;
use crate::bench::region::REGION;
use crate::bench::runtime;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Get,
    Put,
    Update,
    Query,
    Transact(u64),
    BatchWrite,
    BatchGet,
}

impl Work {
    pub(super) const ALL: [Self; 8] = [
        Self::Get,
        Self::Put,
        Self::Update,
        Self::Query,
        Self::Transact(2),
        Self::Transact(4),
        Self::BatchWrite,
        Self::BatchGet,
    ];

    pub(super) fn name(self) -> String {
        match self {
            Self::Get => "GetItem".to_owned(),
            Self::Put => "PutItem".to_owned(),
            Self::Update => "UpdateItem with a condition".to_owned(),
            Self::Query => "Query of 10".to_owned(),
            Self::Transact(items) => format!("TransactWriteItems of {items}"),
            Self::BatchWrite => "BatchWriteItem of 25".to_owned(),
            Self::BatchGet => "BatchGetItem of 10".to_owned(),
        }
    }

    pub(super) const fn operation(self) -> &'static str {
        match self {
            Self::Get => "GetItem",
            Self::Put => "PutItem",
            Self::Update => "UpdateItem",
            Self::Query => "Query",
            Self::Transact(_) => "TransactWriteItems",
            Self::BatchWrite => "BatchWriteItem",
            Self::BatchGet => "BatchGetItem",
        }
    }

    /// Writes the body of request number `at` over a table of so many items.
    pub(super) fn body(self, at: u64, items: u64) -> String {
        let key = at.wrapping_mul(STEP) % items;
        match self {
            Self::Get => format!(r#"{{"TableName":"bench",{}}}"#, key_of(key)),
            Self::Put => format!(r#"{{"TableName":"bench",{}}}"#, item(key)),
            Self::Update => format!(r#"{{"TableName":"bench",{},{UPDATE}}}"#, key_of(key)),
            Self::Query => format!(
                r#"{{"TableName":"lines","KeyConditionExpression":"id = :id",
                    "ExpressionAttributeValues":{{":id":{{"S":"k{}"}}}}}}"#,
                key % LINE_ITEMS_MAX / LINES * LINES
            ),
            Self::Transact(parts) => {
                let mut text = r#"{"TransactItems":["#.to_owned();
                for part in 0..parts {
                    let comma = if part == 0 { "" } else { "," };
                    let item = item(distinct(at, part, items));
                    _ = write!(text, r#"{comma}{{"Put":{{"TableName":"bench",{item}}}}}"#);
                }
                text + "]}"
            }
            Self::BatchWrite => {
                let keys = (0..25).map(|part| distinct(at, part, items));
                batch_put("bench", keys.map(item))
            }
            Self::BatchGet => {
                let mut text = r#"{"RequestItems":{"bench":{"Keys":["#.to_owned();
                for part in 0..10 {
                    let comma = if part == 0 { "" } else { "," };
                    let at = distinct(at, part, items);
                    _ = write!(text, r#"{comma}{{"id":{{"S":"k{at}"}}}}"#);
                }
                text + "]}}}"
            }
        }
    }
}

/// Makes the tables and fills them: one with so many items, one with a tenth of them for queries.
pub(super) fn fill(address: SocketAddr, items: u64) -> Result<()> {
    runtime()?.block_on(make_tables(address))?;
    let host = address.to_string();
    let put = request("BatchWriteItem", (REGION, &host));
    let batches = items.div_ceil(25);
    let next = move |at: u64| {
        let keys = (at * 25..(at + 1) * 25).take_while(|key| *key < items);
        put(&batch_put("bench", keys.map(item)))
    };
    load::fill(address, 16, batches, next).context("fill a table")?;
    let put = request("BatchWriteItem", (REGION, &host));
    let next = move |at: u64| {
        let keys = (at * 25..(at + 1) * 25).take_while(|key| *key < items);
        put(&batch_put("lines", keys.map(line)))
    };
    let batches = items.min(LINE_ITEMS_MAX).div_ceil(25);
    load::fill(address, 16, batches, next).context("fill a table of lines")
}

async fn make_tables(address: SocketAddr) -> Result<()> {
    let table = |name: &str, more_attributes: &str, more_keys: &str| {
        format!(
            r#"{{"TableName":"{name}","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[
                {{"AttributeName":"id","AttributeType":"S"}}{more_attributes}],
                "KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}{more_keys}]}}"#
        )
    };
    let number = r#",{"AttributeName":"line","AttributeType":"N"}"#;
    let sort = r#",{"AttributeName":"line","KeyType":"RANGE"}"#;
    call(address, "CreateTable", &table("bench", "", "")).await?;
    call(address, "CreateTable", &table("lines", number, sort)).await?;
    super::wait_until_active(address).await
}

/// Returns a key that differs from those of the other parts of one request.
fn distinct(at: u64, part: u64, items: u64) -> u64 {
    // Parts lie in ranges of their own.
    let range = (items / 32).max(1);
    part * range + at.wrapping_mul(STEP) % range
}

fn batch_put(table: &str, items: impl Iterator<Item = String>) -> String {
    let mut text = format!(r#"{{"RequestItems":{{"{table}":["#);
    for (part, item) in items.enumerate() {
        let comma = if part == 0 { "" } else { "," };
        _ = write!(text, r#"{comma}{{"PutRequest":{{{item}}}}}"#);
    }
    text + "]}}"
}

fn key_of(key: u64) -> String {
    format!(r#""Key":{{"id":{{"S":"k{key}"}}}}"#)
}

fn item(key: u64) -> String {
    format!(
        r#""Item":{{"id":{{"S":"k{key}"}},"payload":{{"S":"{}"}}}}"#,
        *PAYLOAD
    )
}

/// Writes one of the ten lines of a partition.
fn line(key: u64) -> String {
    let (partition, line) = (key / LINES * LINES, key % LINES);
    format!(
        r#""Item":{{"id":{{"S":"k{partition}"}},"line":{{"N":"{line}"}},
            "payload":{{"S":"{}"}}}}"#,
        *PAYLOAD
    )
}

/// Items of a partition that is queried.
const LINES: u64 = 10;

/// Most items of the table that is queried: as many as a small run has, also in a large one.
pub(super) const LINE_ITEMS_MAX: u64 = 10_000;

/// A prime that divides no number of items.
const STEP: u64 = 7_919;

/// A counter that is made or raised where the item is there.
const UPDATE: &str = r##""UpdateExpression":"SET #n = if_not_exists(#n, :zero) + :one",
    "ConditionExpression":"attribute_exists(id)","ExpressionAttributeNames":{"#n":"count"},
    "ExpressionAttributeValues":{":zero":{"N":"0"},":one":{"N":"1"}}"##;

/// The attribute that makes an item 1 KB: text without runs that a codec would fold.
static PAYLOAD: LazyLock<String> = LazyLock::new(|| {
    let mut state = 1_u64;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let letter = u8::try_from(state >> 59).unwrap_or(0);
        char::from(b'A' + letter % 26)
    };
    (0..1_000).map(next).collect()
});

#[cfg(test)]
mod tests;
