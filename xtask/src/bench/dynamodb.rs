//! GetItem and durable PutItem beside DynamoDB Local on disk.
//!
//! Both answer the same bytes from the same generator: 64 connections, items of 1 KB. Ours
//! flushes each write to disk before it answers; the peer does what it does by default.

mod ceiling;
mod part;
mod peers;
mod restart;
mod stall;
mod whole;
mod work;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::bench::load::{self, Load};
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
    let host = address.to_string();
    let put = request("PutItem", (REGION, &host));
    // Puts first, over all keys: the gets that follow find what they ask for.
    let puts = load::run(
        address,
        Load::USUAL,
        move |at| put(&put_body(&format!("k{}", at % KEYS))),
        || Ok(()),
    );
    let puts = puts.context("PutItem")?;
    let written = puts.requests.clamp(1, KEYS);
    let get = request("GetItem", (REGION, &host));
    let gets = load::run(
        address,
        Load::USUAL,
        move |at| {
            // A large odd step visits the keys in an order without a pattern.
            let key = at.wrapping_mul(7_919) % written;
            get(&get_body(&format!("k{key}")))
        },
        || Ok(()),
    );
    let gets = gets.context("GetItem")?;
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
    let request = request(operation, (REGION, &address.to_string()));
    let response = http::once(address, &request(body)).await?;
    let text = String::from_utf8_lossy(&response.body).into_owned();
    anyhow::ensure!(
        response.status == 200,
        "{operation}: {} {text}",
        response.status
    );
    Ok(text)
}

/// Returns what makes requests of one operation from bodies.
///
/// They name `region` in their signature: another one would be asked in its place.
pub(super) fn request(
    operation: &str,
    (region, host): (&str, &str),
) -> impl Fn(&str) -> Vec<u8> + Clone + Send + use<> {
    let target = format!("DynamoDB_20120810.{operation}");
    let authorization = region::authorization(region, "dynamodb");
    let host = host.to_owned();
    move |body| {
        let headers = [
            ("host", &*host),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", &*target),
            ("x-amz-date", DATE),
            ("authorization", &*authorization),
        ];
        http::request("POST", "/", &headers, body)
    }
}

/// Items in the table. 20,000, some 20 MB.
const KEYS: u64 = 20_000;

/// The attribute that makes an item 1 KB.
const PAYLOAD_BYTES: usize = 1_000;
