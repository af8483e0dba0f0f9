//! What is asked of every server: the same bytes, of the same items, in the same order.
//!
//! Items are 1 KB. Keys are visited without a pattern, by a large odd step.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::LazyLock;

use anyhow::{Context, Result};

use crate::bench::dynamodb::{
    Calls, Head, at_an_end, call, is_found, is_processed, is_written, wait_until_active,
};
use crate::bench::load::{self, Ask};
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

    /// Returns what asks a server for this, over tables of so many items.
    pub(super) fn asked(self, address: SocketAddr, items: u64) -> Asked {
        let host = address.to_string();
        Asked {
            head: Head::new(self.operation(), (REGION, &host)),
            work: self,
            items,
        }
    }

    /// Appends the body of request number `at` over tables of so many items.
    pub(super) fn body(self, at: u64, items: u64, out: &mut Vec<u8>) {
        let key = at.wrapping_mul(STEP) % items;
        // Writing to memory does not fail.
        _ = match self {
            Self::Get => write!(out, r#"{{"TableName":"bench",{}}}"#, KeyOf(key)),
            Self::Put => write!(out, r#"{{"TableName":"bench",{}}}"#, Item(key)),
            Self::Update => write!(out, r#"{{"TableName":"bench",{},{UPDATE}}}"#, KeyOf(key)),
            Self::Query => write!(
                out,
                r#"{{"TableName":"lines","KeyConditionExpression":"id = :id",
                    "ExpressionAttributeValues":{{":id":{{"S":"k{}"}}}}}}"#,
                key / LINES * LINES
            ),
            Self::Transact(parts) => {
                let part = |part, out: &mut Vec<u8>| {
                    let item = Item(distinct(at, part, items));
                    write!(out, r#"{{"Put":{{"TableName":"bench",{item}}}}}"#)
                };
                out.extend_from_slice(br#"{"TransactItems":["#);
                list(out, 0..parts, part).and_then(|()| out.write_all(b"]}"))
            }
            Self::BatchWrite => {
                let keys = (0..25).map(|part| distinct(at, part, items));
                batch_put(out, "bench", keys.map(Item))
            }
            Self::BatchGet => {
                let key = |part, out: &mut Vec<u8>| {
                    let at = distinct(at, part, items);
                    write!(out, r#"{{"id":{{"S":"k{at}"}}}}"#)
                };
                out.extend_from_slice(br#"{"RequestItems":{"bench":{"Keys":["#);
                list(out, 0..10, key).and_then(|()| out.write_all(b"]}}}"))
            }
        };
    }

    /// Returns whether an answer has all that was asked for.
    pub(super) fn is_done(self, body: &[u8]) -> bool {
        match self {
            Self::Get => is_found(body),
            Self::Put | Self::Update | Self::Transact(_) => is_written(body),
            Self::Query => at_an_end(body, r#""Count":10"#),
            Self::BatchWrite => is_processed(body),
            Self::BatchGet => {
                10 * PAYLOAD_BYTES < body.len() && at_an_end(body, r#""UnprocessedKeys":{}"#)
            }
        }
    }
}

/// Work asked of one server.
#[derive(Clone)]
pub(super) struct Asked {
    head: Head,
    work: Work,
    items: u64,
}

impl Ask for Asked {
    fn write(&self, at: u64, out: &mut Vec<u8>) {
        self.head
            .write(out, |out| self.work.body(at, self.items, out));
    }

    fn is_done(&self, body: &[u8]) -> bool {
        self.work.is_done(body)
    }
}

/// Makes the tables and fills them: both with so many items, one in partitions of ten.
pub(super) fn fill(address: SocketAddr, items: u64) -> Result<()> {
    runtime()?.block_on(make_tables(address))?;
    let head = Head::new("BatchWriteItem", (REGION, &address.to_string()));
    let some = move |at: u64| (at * 25..(at + 1) * 25).take_while(move |key| *key < items);
    let single = Calls {
        head: head.clone(),
        body: move |at, out: &mut Vec<u8>| drop(batch_put(out, "bench", some(at).map(Item))),
        is_done: is_processed,
    };
    let lines = Calls {
        head,
        body: move |at, out: &mut Vec<u8>| drop(batch_put(out, "lines", some(at).map(Line))),
        is_done: is_processed,
    };
    let batches = items.div_ceil(25);
    load::fill(address, 16, batches, &single).context("fill a table")?;
    load::fill(address, 16, batches, &lines).context("fill a table of lines")
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
    wait_until_active(address).await
}

/// Returns a key that differs from those of the other parts of one request.
fn distinct(at: u64, part: u64, items: u64) -> u64 {
    // Parts lie in ranges of their own.
    let range = (items / 32).max(1);
    part * range + at.wrapping_mul(STEP) % range
}

fn batch_put(
    out: &mut Vec<u8>,
    table: &str,
    items: impl Iterator<Item = impl Display>,
) -> io::Result<()> {
    write!(out, r#"{{"RequestItems":{{"{table}":["#)?;
    let put = |item, out: &mut Vec<u8>| write!(out, r#"{{"PutRequest":{{{item}}}}}"#);
    list(out, items, put)?;
    out.write_all(b"]}}")
}

/// Writes the parts of a list, with commas between them.
fn list<P>(
    out: &mut Vec<u8>,
    parts: impl Iterator<Item = P>,
    mut write: impl FnMut(P, &mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    for (at, part) in parts.enumerate() {
        if at != 0 {
            out.push(b',');
        }
        write(part, out)?;
    }
    Ok(())
}

/// The key of an item, as a member.
struct KeyOf(u64);

impl Display for KeyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(key) = self;
        write!(f, r#""Key":{{"id":{{"S":"k{key}"}}}}"#)
    }
}

/// An item, as a member.
struct Item(u64);

impl Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(key) = self;
        let payload = payload(*key);
        write!(
            f,
            r#""Item":{{"id":{{"S":"k{key}"}},"payload":{{"S":"{payload}"}}}}"#
        )
    }
}

/// One of the ten lines of a partition, as a member.
struct Line(u64);

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (partition, line) = (self.0 / LINES * LINES, self.0 % LINES);
        write!(
            f,
            r#""Item":{{"id":{{"S":"k{partition}"}},"line":{{"N":"{line}"}},
                "payload":{{"S":"{}"}}}}"#,
            payload(self.0)
        )
    }
}

/// Items of a partition that is queried.
const LINES: u64 = 10;

/// A prime that divides no number of items.
const STEP: u64 = 7_919;

/// A counter that is made or raised where the item is there.
const UPDATE: &str = r##""UpdateExpression":"SET #n = if_not_exists(#n, :zero) + :one",
    "ConditionExpression":"attribute_exists(id)","ExpressionAttributeNames":{"#n":"count"},
    "ExpressionAttributeValues":{":zero":{"N":"0"},":one":{"N":"1"}}"##;

/// Returns the attribute that makes an item 1 KB: no two of neighbours are alike, so that a codec
/// folds no more of them than of real ones.
fn payload(key: u64) -> &'static str {
    let at = usize::try_from(key.wrapping_mul(STEP)).unwrap_or(0) % (TEXT_BYTES - PAYLOAD_BYTES);
    &TEXT[at..at + PAYLOAD_BYTES]
}

/// What payloads are cut from: letters without a pattern.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut state = 1_u64;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let letter = u8::try_from(state >> 59).unwrap_or(0);
        char::from(b'A' + letter % 26)
    };
    (0..TEXT_BYTES).map(next).collect()
});

const TEXT_BYTES: usize = 1 << 20;

const PAYLOAD_BYTES: usize = 1_000;

#[cfg(test)]
mod tests;
