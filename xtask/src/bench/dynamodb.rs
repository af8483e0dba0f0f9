//! GetItem and durable PutItem beside DynamoDB Local on disk.
//!
//! Both answer the same bytes from the same generator: 64 connections, items of 1 KB. Ours
//! flushes each write to disk before it answers; the peer does what it does by default.

mod ceiling;
mod part;
mod peers;
mod restart;
mod signed;
mod stall;
mod whole;
mod work;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::bench::load::{self, Ask, Load};
use crate::bench::region::{self, Binary, DATE, REGION};
use crate::bench::report::{Figure, Goal};
use crate::bench::{folder, http, runtime};
pub(crate) use ceiling::serve as serve_ceiling;
pub(crate) use part::Part;
use peers::Peer;
pub(super) use whole::whole;

pub(super) fn measure(binary: &Binary) -> Result<Vec<Figure>> {
    let ours = {
        let folder = folder("dynamodb")?;
        let region = region::alone(binary, &folder)?;
        rates(region.ports.api()).context("ours")?
    };
    let mut gets =
        Figure::new("GetItem 1 KB, 64 connections", ours.gets, "/s").goal(Goal::TimesPeer(2.0));
    let mut puts = Figure::new("PutItem 1 KB durable, 64 connections", ours.puts, "/s")
        .goal(Goal::TimesPeer(10.0));
    let peer = Peer::DynamoDbLocalDisk;
    let theirs = peer.start().and_then(|server| rates(server.address));
    match theirs {
        Ok(theirs) => {
            gets = gets.beside(peer.name(), theirs.gets);
            puts = puts.beside(peer.name(), theirs.puts);
        }
        Err(error) => eprintln!("no {}: {error:#}", peer.name()),
    }
    Ok(vec![gets, puts])
}

/// What was measured of one server, requests per second.
struct Rates {
    gets: f64,
    puts: f64,
}

fn rates(address: SocketAddr) -> Result<Rates> {
    runtime()?.block_on(make_table(address))?;
    let puts = Calls {
        head: Head::new("PutItem", (REGION, &address.to_string())),
        // Puts first, over all keys: the gets that follow find what they ask for.
        body: |at, out: &mut Vec<u8>| {
            out.extend_from_slice(put_body(&format!("k{}", at % KEYS)).as_bytes());
        },
        is_done: is_written,
    };
    let puts = load::run(address, Load::USUAL, &puts, || Ok(())).context("PutItem")?;
    let written = puts.requests.clamp(1, KEYS);
    let gets = Calls {
        head: Head::new("GetItem", (REGION, &address.to_string())),
        body: move |at: u64, out: &mut Vec<u8>| {
            // A large odd step visits the keys in an order without a pattern.
            let key = at.wrapping_mul(7_919) % written;
            _ = write!(out, "{}", get_body(&format!("k{key}")));
        },
        is_done: is_found,
    };
    let gets = load::run(address, Load::USUAL, &gets, || Ok(())).context("GetItem")?;
    Ok(Rates {
        gets: gets.rate,
        puts: puts.rate,
    })
}

/// Makes the table and waits until it is active.
pub(super) async fn make_table(address: SocketAddr) -> Result<()> {
    let table = r#"{"TableName":"bench","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#;
    call(address, "CreateTable", table).await?;
    wait_until_active(address).await
}

/// Waits until the table is there and active, for ten seconds at most.
pub(super) async fn wait_until_active(address: SocketAddr) -> Result<()> {
    for _ in 0..200 {
        let described = call(address, "DescribeTable", r#"{"TableName":"bench"}"#).await;
        if described.is_ok_and(|text| text.contains(r#""TableStatus":"ACTIVE""#)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the table is not active at {address}")
}

/// Writes the body of a PutItem of 1 KB.
pub(super) fn put_body(id: &str) -> String {
    let payload = "x".repeat(PAYLOAD_BYTES);
    format!(
        r#"{{"TableName":"bench","Item":{{"id":{{"S":"{id}"}},"payload":{{"S":"{payload}"}}}}}}"#
    )
}

/// Writes the body of a GetItem.
pub(super) fn get_body(id: &str) -> String {
    format!(r#"{{"TableName":"bench","Key":{{"id":{{"S":"{id}"}}}}}}"#)
}

/// Calls one operation; any status but 200 is an error.
pub(super) async fn call(address: SocketAddr, operation: &str, body: &str) -> Result<String> {
    let head = Head::new(operation, (REGION, &address.to_string()));
    let response = http::once(address, &head.with(body)).await?;
    let text = String::from_utf8_lossy(&response.body).into_owned();
    anyhow::ensure!(
        response.status == 200,
        "{operation}: {} {text}",
        response.status
    );
    Ok(text)
}

/// The head of calls of one operation, up to the length of their bodies.
#[derive(Clone)]
pub(super) struct Head(Arc<str>);

impl Head {
    /// Makes the head of unsigned calls.
    ///
    /// They name `region` in their signature: another one would be asked in its place.
    pub(super) fn new(operation: &str, (region, host): (&str, &str)) -> Self {
        let target = format!("DynamoDB_20120810.{operation}");
        let authorization = region::authorization(region, "dynamodb");
        let headers = [
            ("host", host),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", &*target),
            ("x-amz-date", DATE),
            ("authorization", &*authorization),
        ];
        Self(http::head("POST", "/", &headers).into())
    }

    /// Writes a call with a body.
    pub(super) fn with(&self, body: &str) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, |out| out.extend_from_slice(body.as_bytes()));
        out
    }

    /// Writes a call with the body that `body` appends.
    fn write(&self, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        out.extend_from_slice(self.0.as_bytes());
        let length = out.len();
        // The length is known after the body: its place is kept by blanks, which may stand there.
        out.extend_from_slice(b"        \r\n\r\n");
        let begins = out.len();
        body(out);
        let bytes = out.len() - begins;
        _ = write!(&mut out[length..length + 8], "{bytes:8}");
    }
}

/// Calls of one operation, whose bodies are made by a function.
#[derive(Clone)]
pub(super) struct Calls<F> {
    pub(super) head: Head,
    pub(super) body: F,
    pub(super) is_done: fn(&[u8]) -> bool,
}

impl<F: Fn(u64, &mut Vec<u8>) + Clone + Send + Sync + 'static> Ask for Calls<F> {
    fn write(&self, at: u64, out: &mut Vec<u8>) {
        self.head.write(out, |out| (self.body)(at, out));
    }

    fn is_done(&self, body: &[u8]) -> bool {
        (self.is_done)(body)
    }
}

/// Returns whether an answer holds an item.
pub(super) fn is_found(body: &[u8]) -> bool {
    at_an_end(body, r#"{"Item""#)
}

/// Returns whether an answer says that all was written, and nothing else.
pub(super) fn is_written(body: &[u8]) -> bool {
    body.len() < ENDS && at_an_end(body, "{}")
}

/// Returns whether a batch was written without a rest.
pub(super) fn is_processed(body: &[u8]) -> bool {
    at_an_end(body, r#""UnprocessedItems":{}"#)
}

/// Returns whether a text stands where an answer begins or ends: looking through all of it would
/// cost as much as asking.
pub(super) fn at_an_end(body: &[u8], text: &str) -> bool {
    let holds = |part: &[u8]| part.windows(text.len()).any(|one| one == text.as_bytes());
    let ends = body.len().saturating_sub(ENDS);
    holds(body.get(..ENDS).unwrap_or(body)) || holds(&body[ends..])
}

/// How much of an answer is looked at, at either end.
const ENDS: usize = 64;

/// Items in the table. 20,000, some 20 MB.
const KEYS: u64 = 20_000;

/// The attribute that makes an item 1 KB.
const PAYLOAD_BYTES: usize = 1_000;
