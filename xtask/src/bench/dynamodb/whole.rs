//! `cargo xtask bench dynamodb`: every kind of request, on every server, from one generator.
//!
//! ```text
//! server × items × connections × work → rate, delays, processor time a request
//! ```
//!
//! Peers are left out of tables of a million items: the slowest would fill one for an hour.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::bench::dynamodb::ceiling;
use crate::bench::dynamodb::part::Part;
use crate::bench::dynamodb::peers::{Peer, Server};
use crate::bench::dynamodb::work::{self, LINE_ITEMS_MAX, Work};
use crate::bench::dynamodb::{request, restart, stall};
use crate::bench::load::{self, Load, Outcome};
use crate::bench::region::{self, Binary, REGION};
use crate::bench::report::{Figure, Goal, Report, Row};
use crate::bench::{folder, http};

/// Runs the benchmark, or a part of it. What cannot run says why and leaves the others.
pub(crate) fn whole(binary: &Binary, part: Part) -> Report {
    let mut found = Found {
        part,
        ..Found::default()
    };
    let mut held = [None, None];
    if found.part.has_server(OURS) {
        for (held, items) in held.iter_mut().zip([FEW, MANY]) {
            if found.part.has_items(items) {
                match ours(binary, &mut found, items) {
                    Ok(measured) => *held = Some(measured),
                    Err(error) => found.note(&format!("{OURS}, {items} items"), Err(error)),
                }
            }
        }
        found.load(stall::NAME, || stall::measure(binary));
        found.load(restart::NAME, || restart::measure(binary));
    }
    if found.part.has_server("ceiling") && found.part.has_items(FEW) {
        let done =
            ceiling::start().and_then(|server| found.measure(&server, &[Work::Put, Work::Get]));
        found.note("the ceiling", done);
    }
    for peer in Peer::ALL {
        if found.part.has_server(peer.name()) && found.part.has_items(FEW) {
            eprintln!("── {}", peer.name());
            let done = found.peer(peer);
            found.note(peer.name(), done);
        }
    }
    found.times();
    if let [Some(few), Some(many)] = &held {
        found.growth(few, many);
    }
    if found.part.is_whole() {
        found.signature(binary);
    }
    found.report
}

/// What is known of our own server after a run, beside its rates.
struct Held {
    resident_mib: f64,
    disk_bytes: f64,
}

/// Measures our server with so many items.
fn ours(binary: &Binary, found: &mut Found, items: u64) -> Result<Held> {
    eprintln!("── ours, {items} items");
    let folder = folder("dynamodb")?;
    let region = region::alone(binary, &folder)?;
    let server = Server {
        name: OURS,
        address: region.ports.api(),
        process: region.process,
        started: region.started,
        folder: Some(folder),
    };
    work::fill(server.address, items)?;
    let held = Held {
        resident_mib: server.process.resident_mib()?,
        disk_bytes: disk_bytes(server.folder.as_deref().context("a folder")?)?,
    };
    found.works(&server, &Work::ALL, items);
    if items == FEW {
        found.footprint(&server)?;
    }
    Ok(held)
}

/// Rows by server, work, connections and items, and what they come to.
#[derive(Default)]
struct Found {
    part: Part,
    report: Report,
    rates: BTreeMap<(&'static str, String, u64, u64), (f64, f64)>,
}

impl Found {
    fn note(&mut self, name: &str, done: Result<()>) {
        if let Err(error) = done {
            self.report.failures.push(format!("{name}: {error:#}"));
        }
    }

    /// Measures what is no operation by itself, where that is asked for.
    fn load(&mut self, name: &str, measure: impl FnOnce() -> Result<Vec<Figure>>) {
        if self.part.has_extra(name) {
            eprintln!("── {name}");
            let done = measure().map(|figures| self.report.figures.extend(figures));
            self.note(name, done);
        }
    }

    fn peer(&mut self, peer: Peer) -> Result<()> {
        let server = peer.start()?;
        let works = Work::ALL.into_iter();
        let works: Vec<Work> = works
            .filter(|work| peer.transacts() || !matches!(work, Work::Transact(_)))
            .collect();
        self.measure(&server, &works)?;
        self.footprint(&server)
    }

    /// Tells what a server takes beside its rates: memory, disk and the time of its start.
    fn footprint(&mut self, server: &Server) -> Result<()> {
        let resident = server.process.resident_mib()?;
        let name = format!("{}: memory after the load", server.name);
        self.report.figures.push(Figure::new(name, resident, "MiB"));
        let name = format!("{}: start", server.name);
        let started = server.started.as_secs_f64() * 1e3;
        self.report.figures.push(Figure::new(name, started, "ms"));
        if let Some(folder) = &server.folder {
            let name = format!("{}: disk after the load", server.name);
            let mib = disk_bytes(folder)? / 1_048_576.0;
            self.report.figures.push(Figure::new(name, mib, "MiB"));
        }
        Ok(())
    }

    /// Fills a server and measures some kinds of work.
    fn measure(&mut self, server: &Server, works: &[Work]) -> Result<()> {
        match works {
            [Work::Put, Work::Get] => {
                let host = server.address.to_string();
                let put = request("PutItem", (REGION, &host));
                let next = move |at| put(&Work::Put.body(at, FEW));
                load::fill(server.address, 16, FEW, next)?;
            }
            _ => work::fill(server.address, FEW)?,
        }
        self.works(server, works, FEW);
        Ok(())
    }

    fn works(&mut self, server: &Server, works: &[Work], items: u64) {
        for work in works {
            for connections in CONNECTIONS {
                if !self.part.has_work(*work) || !self.part.has_connections(connections) {
                    continue;
                }
                let done = self.one(server, *work, connections, items);
                if let Err(error) = done {
                    let name = work.name();
                    let text = format!("{}, {name}, {connections}: {error:#}", server.name);
                    self.report.failures.push(text);
                }
            }
        }
    }

    fn one(&mut self, server: &Server, work: Work, connections: u64, items: u64) -> Result<()> {
        let host = server.address.to_string();
        let ask = request(work.operation(), (REGION, &host));
        let next = move |at| ask(&work.body(at, items));
        let (outcome, cpu_us) = run(server, connections, next)?;
        let row = Row {
            work: format!("{}, {connections} connections, {items} items", work.name()),
            server: server.name,
            rate: outcome.rate,
            millis: outcome.millis,
            cpu_us,
        };
        eprintln!("{}: {:.0}/s", row.work, row.rate);
        self.report.rows.push(row);
        let key = (server.name, work.name(), connections, items);
        self.rates.insert(key, (outcome.rate, outcome.millis[1]));
        Ok(())
    }

    fn rate(&self, server: &'static str, work: Work, connections: u64) -> Option<f64> {
        let key = (server, work.name(), connections, FEW);
        self.rates.get(&key).map(|(rate, _)| *rate)
    }

    /// What verifying a signature costs: the same requests, signed, where that is asked for.
    fn signature(&mut self, binary: &Binary) {
        match signature(binary) {
            Ok(us) => {
                let figure = Figure::new("a signature verified", us, "µs");
                self.report.figures.push(figure.goal(Goal::AtMost(15.0)));
            }
            Err(error) => self.report.failures.push(format!("signatures: {error:#}")),
        }
    }

    /// Sets our rates beside those of the peers and ceilings that were asked for.
    fn times(&mut self) {
        let times = [
            (Work::Get, 16, CEILING, 0.5),
            (Work::Get, 16, Peer::DynamoDbLocalMemory.name(), 4.0),
            (Work::Get, 16, Peer::DynoxideMemory.name(), 1.8),
            (Work::Query, 16, Peer::DynamoDbLocalMemory.name(), 4.0),
            (Work::Query, 16, Peer::DynoxideMemory.name(), 2.0),
            (Work::Put, 16, Peer::DynamoDbLocalDisk.name(), 30.0),
            (Work::Transact(2), 16, Peer::DynoxideMemory.name(), 2.0),
        ];
        for (work, connections, peer, least) in times {
            let asked = if peer == CEILING { "ceiling" } else { peer };
            let Some(rate) = self.rate(OURS, work, connections) else {
                continue;
            };
            if !self.part.has_server(asked) {
                continue;
            }
            let name = format!("{}, {connections} connections, beside {peer}", work.name());
            let figure = Figure::new(name, rate, "/s").goal(Goal::TimesPeer(least));
            // Without its peer, which was asked for, the goal is told as not met.
            self.report
                .figures
                .push(match self.rate(peer, work, connections) {
                    Some(theirs) => figure.beside(peer, theirs),
                    None => figure,
                });
        }
        let rate = self.rate(OURS, Work::Put, 128);
        if let Some(rate) = rate.filter(|_| self.part.has_server("ceiling")) {
            let done = self.put_ceiling(rate, self.rate(CEILING, Work::Put, 128));
            self.note("appends", done);
        }
        for work in [Work::Get, Work::Put] {
            if let Some((_, late)) = self.rates.get(&(OURS, work.name(), 16, FEW)) {
                let name = format!("{}, 16 connections, p99", work.name());
                let figure = Figure::new(name, *late, "ms").goal(Goal::AtMost(3.0));
                self.report.figures.push(figure);
            }
        }
    }

    fn put_ceiling(&mut self, rate: f64, http: Option<f64>) -> Result<()> {
        let appends = ceiling::appends(128)?;
        let figure = Figure::new("PutItem, 128 connections, beside a ceiling", rate, "/s")
            .goal(Goal::TimesPeer(0.5));
        self.report.figures.push(match http {
            Some(http) => figure.beside("the lower ceiling", http.min(appends)),
            None => figure,
        });
        let appends = Figure::new("appends in batches of 128", appends, "/s");
        self.report.figures.push(appends);
        Ok(())
    }

    /// Sets a large table beside a small one.
    fn growth(&mut self, few: &Held, many: &Held) {
        #[expect(clippy::cast_precision_loss, reason = "a few million items")]
        let (fewer, more_items) = ((FEW + FEW) as f64, (MANY + LINE_ITEMS_MAX) as f64);
        let disk = |name, bytes| Figure::new(name, bytes, "bytes");
        let beyond = many.resident_mib - CACHE_MIB;
        let beyond = Figure::new("memory beyond the cache, 10^6 items", beyond, "MiB");
        self.report.figures.extend([
            disk("disk an item, 10^4", few.disk_bytes / fewer),
            disk("disk an item, 10^6", many.disk_bytes / more_items),
            beyond.goal(Goal::AtMost(150.0)),
        ]);
        for work in [Work::Get, Work::Put, Work::Query] {
            let rate = |items| self.rates.get(&(OURS, work.name(), 16, items));
            if let (Some((few, _)), Some((many, _))) = (rate(FEW), rate(MANY)) {
                // log(10^6) / log(10^4)
                let name = format!("{}, cost at 10^6 items by that at 10^4", work.name());
                let figure = Figure::new(name, few / many, "×").goal(Goal::AtMost(1.5));
                self.report.figures.push(figure);
            }
        }
    }
}

/// Runs one load; returns what it found and the server's processor time a request.
fn run(
    server: &Server,
    connections: u64,
    next: impl Fn(u64) -> Vec<u8> + Clone + Send + 'static,
) -> Result<(Outcome, f64)> {
    let load = Load {
        connections,
        warm_up: Duration::from_millis(500),
        measured: Duration::from_secs(2),
    };
    let mut marks = Vec::new();
    let outcome = load::run(server.address, load, next, || {
        marks.push(server.process.cpu()?);
        Ok(())
    })?;
    let cpu = match marks.as_slice() {
        [from, to] => to.saturating_sub(*from),
        _ => Duration::ZERO,
    };
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
    let cpu_us = cpu.as_secs_f64() * 1e6 / outcome.requests.max(1) as f64;
    Ok((outcome, cpu_us))
}

/// Measures the processor time of GetItem with real signatures less that without.
fn signature(binary: &Binary) -> Result<f64> {
    let folder = folder("signed")?;
    let credentials = folder.join("credentials");
    let text = format!("[default]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n");
    std::fs::write(&credentials, text).context("write credentials")?;
    let signed = region::alone_with(binary, &folder, Some(&credentials))?;
    let server = |region: region::Alone| Server {
        name: OURS,
        address: region.ports.api(),
        process: region.process,
        started: Duration::ZERO,
        folder: None,
    };
    let signed = server(signed);
    let requests = signed_requests(&signed.address.to_string())?;
    let pick = move |at: u64| {
        let at = usize::try_from(at).unwrap_or(0) % requests.len();
        requests[at].clone()
    };
    let (_, with) = run(&signed, 16, pick)?;
    drop(signed);
    let plain = server(region::alone(binary, &super::super::folder("dynamodb")?)?);
    let ask = request("ListTables", (REGION, &plain.address.to_string()));
    let (_, without) = run(&plain, 16, move |_| ask(LISTED))?;
    Ok(with - without)
}

/// Signs requests ahead of the load, so that only checking them is measured.
fn signed_requests(host: &str) -> Result<Vec<Vec<u8>>> {
    let identity = Credentials::new(KEY, SECRET, None, None, "bench").into();
    let target = "DynamoDB_20120810.ListTables";
    let plain = [
        ("host", host),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", target),
    ];
    let now = std::time::SystemTime::now();
    (0..SIGNED)
        .map(|at| {
            let settings = SigningSettings::default();
            // Apart by a second each, so that no two signatures are the same.
            let time = now - Duration::from_secs(at % 120);
            let params = v4::SigningParams::builder()
                .identity(&identity)
                .region(REGION)
                .name("dynamodb")
                .time(time)
                .settings(settings)
                .build()?
                .into();
            let url = format!("http://{host}/");
            let body = SignableBody::Bytes(LISTED.as_bytes());
            let signable = SignableRequest::new("POST", url, plain.into_iter(), body)?;
            let (instructions, _) = sign(signable, &params)?.into_parts();
            let (added, _) = instructions.into_parts();
            let added: Vec<(String, String)> = added
                .into_iter()
                .map(|header| (header.name().to_owned(), header.value().to_owned()))
                .collect();
            let all = plain.into_iter();
            let all = all.chain(added.iter().map(|(name, value)| (&**name, &**value)));
            let headers: Vec<(&str, &str)> = all.collect();
            Ok(http::request("POST", "/", &headers, LISTED))
        })
        .collect()
}

/// Returns the bytes of all files below a folder.
fn disk_bytes(folder: &std::path::Path) -> Result<f64> {
    let mut sum = 0.0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            sum += disk_bytes(&entry.path())?;
        } else {
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 bytes")]
            let bytes = metadata.len() as f64;
            sum += bytes;
        }
    }
    Ok(sum)
}

const OURS: &str = "ours, disk";

const CEILING: &str = "HTTP and a hash map";

/// Items of a small table, and of a large one.
pub(super) const FEW: u64 = 10_000;
pub(super) const MANY: u64 = 1_000_000;

/// Connections at a time.
pub(super) const CONNECTIONS: [u64; 3] = [1, 16, 128];

/// The block cache that a region has unless told otherwise, in MiB.
const CACHE_MIB: f64 = 64.0;

/// Requests that are signed ahead, and sent in turn.
const SIGNED: u64 = 1_200;

/// The body of the signed requests.
const LISTED: &str = "{}";

const KEY: &str = "AKIABENCHBENCHBENCH0";
const SECRET: &str = "bench/secret/bench/secret/bench/secret00";
