//! What HTTP and the disk allow: the two ceilings that a database cannot pass.
//!
//! The first is the same HTTP stack that answers from a hash map; the second appends to a file
//! and flushes it in batches. Neither is a database: nothing is checked, nothing is found again.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;

use crate::bench::dynamodb::peers::Server;
use crate::bench::folder;
use crate::bench::process::{Process, accepts, free_port};
use crate::run::Verdict;

/// Starts the HTTP ceiling in a process of its own, with what `filled` puts into it.
pub(super) fn start() -> Result<Server> {
    let port = free_port(std::net::Ipv4Addr::LOCALHOST.into())?;
    let address = SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port));
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench-ceiling", &address.to_string()]);
    let log = folder("ceiling")?.join("log.txt");
    let began = Instant::now();
    let mut process = Process::start(&mut command, &log)?;
    process.wait_for(Duration::from_secs(10), || accepts(address))?;
    Ok(Server {
        name: "HTTP and a hash map",
        address,
        process,
        started: began.elapsed(),
        folder: None,
    })
}

/// `cargo xtask bench-ceiling ADDRESS`: serves items from a hash map until it is ended.
pub(crate) fn serve(address: &str) -> Result<Verdict> {
    let address: SocketAddr = address.parse().context("read the address to serve at")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let items = Items::default();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let items = Arc::clone(&items);
            tokio::spawn(async move {
                let service = service_fn(|request| answer(&items, request));
                let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                // The load closes its connections as it ends.
                drop(served.await);
            });
        }
    })
}

type Items = Arc<RwLock<HashMap<String, Bytes>>>;

/// As much of a request as is looked at.
#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(rename = "Key", borrow)]
    key: Option<Id<'a>>,
    #[serde(rename = "Item", borrow)]
    item: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize)]
struct Text<'a> {
    #[serde(rename = "S")]
    text: &'a str,
}

async fn answer(
    items: &Items,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let text = found(items, &body).unwrap_or_else(|| Bytes::from_static(b"{}"));
    let response = Response::builder()
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-crc32", crc32fast::hash(&text))
        .header("x-amzn-requestid", REQUEST_ID)
        .body(Full::new(text));
    Ok(response.expect("its headers are constant or digits"))
}

/// Puts an item, or finds one and writes it as an answer.
fn found(items: &Items, body: &[u8]) -> Option<Bytes> {
    let asked: Asked<'_> = serde_json::from_slice(body).ok()?;
    if let Some(item) = asked.item {
        let Id { id } = serde_json::from_str(item.get()).ok()?;
        let text = Bytes::from(format!(r#"{{"Item":{}}}"#, item.get()));
        let mut items = items.write().unwrap_or_else(PoisonError::into_inner);
        items.insert(id.text.to_owned(), text);
        return None;
    }
    let items = items.read().unwrap_or_else(PoisonError::into_inner);
    items.get(asked.key?.id.text).cloned()
}

/// Appends records of an item's size to a file and flushes each batch; returns records a second.
pub(super) fn appends(batch: usize) -> Result<f64> {
    let mut file = File::create(folder("appends")?.join("log")).context("make a log")?;
    let records = vec![b'x'; RECORD_BYTES * batch];
    let began = Instant::now();
    let mut count = 0_u32;
    while began.elapsed() < Duration::from_secs(3) {
        file.write_all(&records)?;
        file.sync_data()?;
        count += u32::try_from(batch)?;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// An item of 1 KB with its key and header.
const RECORD_BYTES: usize = 1_100;

/// As long as a request id is.
const REQUEST_ID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
