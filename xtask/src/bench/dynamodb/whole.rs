//! `cargo xtask bench dynamodb`: every kind of request, on every server, from one generator.
//!
//! ```text
//! server × items × connections × work → rate, delays, processor time a request
//! ```
//!
//! Peers are left out of tables of a million items: the slowest would fill one for an hour.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::bench::dynamodb::ceiling;
use crate::bench::dynamodb::part::Part;
use crate::bench::dynamodb::peers::{Peer, Server};
use crate::bench::dynamodb::signed::{self, Signed};
use crate::bench::dynamodb::work::{self, Work};
use crate::bench::dynamodb::{restart, stall};
use crate::bench::load::{self, Ask, Load, Outcome};
use crate::bench::region::{self, Binary, Unusual};
use crate::bench::report::{Figure, Goal, Report, Row};
use crate::bench::{folder, http, runtime, start};

/// Runs the benchmark, or a part of it. What cannot run says why and leaves the others.
pub(crate) fn whole(binary: &Binary, part: Part) -> Report {
    let mut found = Found {
        part,
        ..Found::default()
    };
    let mut held = [None, None];
    if found.part.has_server(OURS) || found.part.has_server(SIGNED) {
        for (held, items) in held.iter_mut().zip([FEW, MANY]) {
            if found.part.has_items(items) {
                match ours(binary, &mut found, items) {
                    Ok(measured) => *held = Some(measured),
                    Err(error) => found.note(&format!("{OURS}, {items} items"), Err(error)),
                }
            }
        }
        if found.part.has_server(OURS) && found.part.has_items(MANY) {
            let done = roomy(binary, &mut found);
            found.note(ROOMY, done);
        }
        found.load(start::NAME, || start::measure(binary, start::AIMED));
        found.load(stall::NAME, || stall::measure(binary));
        found.load(restart::NAME, || restart::measure(binary));
    }
    if found.part.has_server("ceiling") && found.part.has_items(FEW) {
        let done = ceiling::start().and_then(|server| {
            let puts = Work::Put.asked(server.address, FEW);
            load::fill(server.address, 16, FEW, &puts)?;
            found.works(&server, &[Work::Put, Work::Get], FEW);
            found.footprint(&server)
        });
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
    found.signature();
    found.report
}

/// What is known of our own server after a run, beside its rates.
struct Held {
    resident_mib: f64,
    disk_bytes: f64,
}

/// Measures our server with so many items: with signatures that nobody checks, as the peers are,
/// and then, where there are few, with real ones.
fn ours(binary: &Binary, found: &mut Found, items: u64) -> Result<Held> {
    eprintln!("── ours, {items} items");
    let folder = folder("dynamodb")?;
    let region = region::alone(binary, &folder)?;
    let server = Server {
        name: OURS,
        address: region.ports.api(),
        process: region.process,
        started: region.started,
        folder: Some(folder.clone()),
    };
    work::fill(server.address, items)?;
    server.process.settle()?;
    let disk_bytes = disk_bytes(&folder)?;
    if found.part.has_server(OURS) {
        found.works(&server, &Work::ALL, items);
    }
    // After the reads, which have filled the cache.
    let held = Held {
        resident_mib: server.process.resident_mib()?,
        disk_bytes,
    };
    if items != FEW {
        return Ok(held);
    }
    found.footprint(&server)?;
    drop(server);
    if found.part.has_server(SIGNED) {
        eprintln!("── {SIGNED}");
        let credentials = signed::credentials(&folder)?;
        let signed = Unusual {
            credentials: Some(&credentials),
            ..Unusual::default()
        };
        let region = region::alone_with(binary, &folder, signed)?;
        let server = Server {
            name: SIGNED,
            address: region.ports.api(),
            process: region.process,
            started: region.started,
            folder: None,
        };
        found.works(&server, &Work::ALL, items);
    }
    Ok(held)
}

/// Measures our server with many items, all of which its cache holds: what it costs that they are
/// many, without what it costs that memory is short.
fn roomy(binary: &Binary, found: &mut Found) -> Result<()> {
    eprintln!("── {ROOMY}, {MANY} items");
    let folder = folder("dynamodb")?;
    let unusual = Unusual {
        cache_mib: Some(ROOMY_MIB),
        ..Unusual::default()
    };
    let region = region::alone_with(binary, &folder, unusual)?;
    let server = Server {
        name: ROOMY,
        address: region.ports.api(),
        process: region.process,
        started: region.started,
        folder: None,
    };
    work::fill(server.address, MANY)?;
    server.process.settle()?;
    // So that the cache has them: every item, and as good as every partition.
    for (work, requests) in [(Work::Get, MANY), (Work::Query, MANY / 4)] {
        load::fill(
            server.address,
            16,
            requests,
            &work.asked(server.address, MANY),
        )?;
    }
    for work in Work::ALL {
        if found.part.has_work(work) {
            found.one(&server, work, 16, MANY)?;
        }
    }
    Ok(())
}

/// Rows by server, work, connections and items, and what they come to.
#[derive(Default)]
struct Found {
    part: Part,
    report: Report,
    measured: BTreeMap<(&'static str, String, u64, u64), Measured>,
    /// Writes of 128 connections that shared a flush, on average.
    group: Option<f64>,
}

/// What figures are made of.
#[derive(Clone, Copy)]
struct Measured {
    rate: f64,
    /// Milliseconds below which 99 percent of the answers came.
    late: f64,
    cpu_us: f64,
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
        work::fill(server.address, FEW)?;
        server.process.settle()?;
        let works = Work::ALL.into_iter();
        let works: Vec<Work> = works
            .filter(|work| peer.transacts() || !matches!(work, Work::Transact(_)))
            .collect();
        self.works(&server, &works, FEW);
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
            let name = format!("{}: disk an item, after the load", server.name);
            let bytes = disk_bytes(folder)? / TABLES / count(FEW);
            self.report.figures.push(Figure::new(name, bytes, "bytes"));
        }
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
        let counted = server.name == OURS && (work, connections) == (Work::Put, 128);
        let before = counted.then(|| commits(server.address)).transpose()?;
        let (outcome, cpu_us) = if server.name == SIGNED {
            run(
                server,
                connections,
                &Signed::new(work, server.address, items)?,
            )?
        } else {
            run(server, connections, &work.asked(server.address, items))?
        };
        if let Some((batches, groups)) = before {
            let after = commits(server.address)?;
            self.group = Some((after.0 - batches) / (after.1 - groups).max(1.0));
        }
        let row = Row {
            work: format!("{}, {connections} connections, {items} items", work.name()),
            server: server.name,
            rate: outcome.rate,
            millis: outcome.millis,
            cpu_us,
        };
        eprintln!("{}: {:.0}/s, {cpu_us:.1} µs", row.work, row.rate);
        self.report.rows.push(row);
        let key = (server.name, work.name(), connections, items);
        let measured = Measured {
            rate: outcome.rate,
            late: outcome.millis[1],
            cpu_us,
        };
        self.measured.insert(key, measured);
        Ok(())
    }

    fn measured(
        &self,
        server: &'static str,
        work: Work,
        (connections, items): (u64, u64),
    ) -> Option<Measured> {
        let key = (server, work.name(), connections, items);
        self.measured.get(&key).copied()
    }

    fn rate(&self, server: &'static str, work: Work, connections: u64) -> Option<f64> {
        let measured = self.measured(server, work, (connections, FEW));
        measured.map(|measured| measured.rate)
    }

    /// What verifying a signature costs: the same requests with real ones, and with none checked.
    fn signature(&mut self) {
        let cpu_us = |server| self.measured(server, Work::Get, (16, FEW));
        if let (Some(signed), Some(plain)) = (cpu_us(SIGNED), cpu_us(OURS)) {
            let us = signed.cpu_us - plain.cpu_us;
            let figure = Figure::new("a signature verified", us, "µs");
            self.report.figures.push(figure.goal(Goal::AtMost(15.0)));
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
        if self.part.has_server("ceiling")
            && let Some((rate, group)) = rate.zip(self.group)
        {
            let done = self.put_ceiling(rate, group, self.rate(CEILING, Work::Put, 128));
            self.note("appends", done);
        }
        for work in [Work::Get, Work::Put] {
            if let Some(measured) = self.measured(OURS, work, (16, FEW)) {
                let name = format!("{}, 16 connections, p99", work.name());
                let figure = Figure::new(name, measured.late, "ms").goal(Goal::AtMost(3.0));
                self.report.figures.push(figure);
            }
        }
    }

    /// Sets writes beside HTTP without a disk, and a disk without HTTP: appends that share a flush
    /// among as many as the writes did.
    fn put_ceiling(&mut self, rate: f64, group: f64, http: Option<f64>) -> Result<()> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "as many as there are connections, at most"
        )]
        let appends = ceiling::appends(group.round() as usize)?;
        let figure = Figure::new("PutItem, 128 connections, beside a ceiling", rate, "/s")
            .goal(Goal::TimesPeer(0.5));
        self.report.figures.push(match http {
            Some(http) => figure.beside("the lower ceiling", http.min(appends)),
            None => figure,
        });
        let group = Figure::new("PutItem, 128 connections, writes a flush", group, "");
        let appends = Figure::new("appends, as many a flush", appends, "/s");
        // Who groups badly lowers that ceiling; this one stays where it is.
        let most = ceiling::appends(128)?;
        let most = Figure::new(
            "PutItem, 128 connections, beside 128 appends a flush",
            rate,
            "/s",
        )
        .beside("appends", most);
        self.report.figures.extend([group, appends, most]);
        Ok(())
    }

    /// Sets large tables beside small ones.
    fn growth(&mut self, few: &Held, many: &Held) {
        let disk = |name, held: &Held, items| {
            Figure::new(name, held.disk_bytes / TABLES / count(items), "bytes")
        };
        let beyond = many.resident_mib - CACHE_MIB;
        let beyond = Figure::new("memory beyond the cache, 10^6 items", beyond, "MiB");
        self.report.figures.extend([
            disk("disk an item, 10^4", few, FEW),
            disk("disk an item, 10^6", many, MANY),
            beyond.goal(Goal::AtMost(150.0)),
        ]);
        for work in Work::ALL {
            let Some(few) = self.measured(OURS, work, (16, FEW)) else {
                continue;
            };
            // log(10^6) / log(10^4) where all are in memory; the step to the disk is told beside.
            for (server, goal) in [(ROOMY, Some(1.5)), (OURS, None)] {
                let Some(many) = self.measured(server, work, (16, MANY)) else {
                    continue;
                };
                let name = format!("{}, {server}, cost at 10^6 by 10^4 items", work.name());
                let figure = Figure::new(name, many.cpu_us / few.cpu_us, "×");
                self.report.figures.push(match goal {
                    Some(most) => figure.goal(Goal::AtMost(most)),
                    None => figure,
                });
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few million items")]
const fn count(items: u64) -> f64 {
    items as f64
}

/// Runs one load; returns what it found and the server's processor time a request.
fn run(server: &Server, connections: u64, ask: &impl Ask) -> Result<(Outcome, f64)> {
    let load = Load {
        connections,
        warm_up: Duration::from_secs(2),
        measured: Duration::from_secs(3),
    };
    let mut marks = Vec::new();
    let outcome = load::run(server.address, load, ask, || {
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

/// Returns how many batches a region has committed, and in how many groups.
fn commits(address: SocketAddr) -> Result<(f64, f64)> {
    let request = http::request("GET", "/_hither/status", &[("host", "localhost")], "");
    let response = runtime()?.block_on(http::once(address, &request))?;
    let status: serde_json::Value = serde_json::from_slice(&response.body)?;
    let of = |name: &str| status["commits"][name].as_f64().context("a count");
    Ok((of("batches")?, of("groups")?))
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

/// Ours with a cache that holds all of both large tables.
const ROOMY: &str = "ours, all cached";
const ROOMY_MIB: u64 = 4096;

/// Ours with real signatures, which it checks.
const SIGNED: &str = "signed, disk";

/// Tables that are filled with as many items each.
const TABLES: f64 = 2.0;

const CEILING: &str = "HTTP and a hash map";

/// Items of a small table, and of a large one.
pub(super) const FEW: u64 = 10_000;
pub(super) const MANY: u64 = 1_000_000;

/// Connections at a time.
pub(super) const CONNECTIONS: [u64; 3] = [1, 16, 128];

/// The block cache that a region has unless told otherwise, in MiB.
const CACHE_MIB: f64 = 64.0;
