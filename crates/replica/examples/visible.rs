//! Measures how long after its acknowledgement a write in one region is visible in another.
//!
//! Two regions in one process, over loopback, on memory stores: what remains is the links' own
//! time. Arguments: writes per second (500), seconds (10).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::name::TableId;
use base::region::RegionName;
use clock::port::Clock;
use clock::time::Moment;
use clock::wall::System;
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::value::{AttributeValue, Item};
use net::authority::{Authority, Leaf};
use net::dial::Dialer;
use net::tasks::Tasks;
use net::tls::mutual::{Mutual, mutual};
use replica::greeting;
use replica::joining::invitations::Welcome;
use replica::links::{Config, Links};
use replica_core::vector::Seq;
use store::memory::MemStore;
use store::port::{Durability, Store};
use table::def::{HistoryDef, TableDef};
use table::tables::{Options, Tables};
use table::write::{Effect, Write};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| {
        let argument = arguments.next();
        argument.map_or(default, |text| text.parse().expect("a number"))
    };
    let (rate, seconds) = (number(500), number(10));
    measure(rate, seconds, MemStore::new(), MemStore::new()).await;
}

/// Writes `rate` items of 1 KB a second in one region and watches them arrive in the other.
async fn measure<S: Store>(rate: u64, seconds: u64, from: S, to: S) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listen = || net::listen::tcp(any).expect("a free port");
    let (near, far) = (listen(), listen());
    let addresses = [&near, &far].map(|listener| listener.local_addr().expect("bound"));
    let (a, a_links) = open(0, from, near, addresses).await;
    let (b, b_links) = open(1, to, far, addresses).await;
    let mut status = a_links.status();
    let up = status.wait_for(|status| status.peers.values().all(|peer| peer.sending.line.is_up()));
    drop(up.await.expect("links run"));

    let (acked, mut acks) = mpsc::channel::<(Seq, Moment, Moment)>(100_000);
    let tasks = Tasks::new();
    let table = a.table(CARTS).expect("defined");
    let mut beat = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate).unwrap_or(1));
    let origin = a.region();
    let mut progress = b.progress();
    let (seen, visible) = watch::channel(Vec::new());
    let watched = b.clone();
    tasks.spawn(async move {
        while progress.changed().await.is_ok() {
            let (now, applied) = (System.now(), watched.applied().at(origin));
            seen.send_modify(|seen: &mut Vec<(Seq, Moment)>| seen.push((applied, now)));
        }
    });
    for number in 0..rate * seconds {
        beat.tick().await;
        let (tables, table, acked) = (a.clone(), Arc::clone(&table), acked.clone());
        tasks.spawn(async move {
            let started = System.now();
            let written = tables.write(write(table, number)).await.expect("written");
            let done = (written.position, started, System.now());
            acked.send(done).await.expect("somebody counts");
        });
    }
    drop(acked);
    let (mut writes, mut delays) = (Vec::new(), Vec::new());
    while let Some((seq, started, done)) = acks.recv().await {
        writes.push((done - started).as_micros());
        let mut visible = visible.clone();
        let seen = visible.wait_for(|seen| seen.last().is_some_and(|(applied, _)| seq <= *applied));
        let seen = seen.await.expect("watched");
        let at = seen.partition_point(|(applied, _)| *applied < seq);
        delays.push((seen[at].1 - done).as_micros());
    }
    print("write acknowledged", writes);
    print("visible after ack ", delays);
    let told = b_links.status().borrow().peers.values().next().cloned();
    eprintln!("status: {:?}", told.expect("one peer").receiving.latencies);
}

async fn open<S: Store>(
    at: usize,
    store: S,
    listener: TcpListener,
    addresses: [SocketAddr; 2],
) -> (Tables<S>, Links<S>) {
    let names = ["us-east-1", "eu-west-1"];
    let names = names.map(|name| RegionName::parse(name).expect("a region name"));
    let members = names.each_ref().map(RegionName::id);
    let system = Arc::new(System);
    let options = Options {
        region: members[at],
        members: members.into(),
        clock: system.clone(),
        entropy: system.clone(),
        durability: Durability::Disk,
    };
    let tables = Tables::open(store, options).await.expect("opened");
    let text = |name: &str| KeyAttribute {
        name: name.to_owned(),
        kind: KeyKind::S,
    };
    tables.define(TableDef {
        id: CARTS,
        schema: KeySchema {
            partition: text("customer"),
            sort: Some(text("sku")),
        },
        replicas: members.into(),
        filling: false,
        resolver: table::def::Resolver::Item,
        history: HistoryDef::default(),
        indexes: Vec::new(),
        expiry: None,
    });
    let config = Config {
        project: "visible".to_owned(),
        region: names[at].clone(),
        tls: certified(&names[at]),
        welcome: Welcome {
            project: "visible".to_owned(),
            key: [1; 32],
        },
        listener,
        peers: vec![(names[1 - at].clone(), addresses[1 - at])],
        dialer: Dialer::default(),
        clock: system.clone(),
        entropy: system,
        fills: watch::channel(Arc::default()).1,
        filled: mpsc::channel(1).0,
    };
    (tables.clone(), Links::start(tables, config))
}

fn write(table: Arc<TableDef>, number: u64) -> Write {
    let customer = format!("customer-{}", number % 1_000);
    let sku = format!("sku-{number}");
    let mut item = Item::new();
    for (name, value) in [
        ("customer", customer.clone()),
        ("sku", sku.clone()),
        ("note", "x".repeat(1_000)),
    ] {
        item.insert(name.to_owned(), AttributeValue::S(value));
    }
    let key = Key {
        partition: customer.as_str().into(),
        sort: Some(sku.as_str().into()),
    };
    let decide = Box::new(move |_: &_| Ok(Effect::Put(item)));
    Write { table, key, decide }
}

fn print(what: &str, mut micros: Vec<u128>) {
    micros.sort_unstable();
    let at = |per_cent: usize| micros[(micros.len() - 1) * per_cent / 100];
    let (count, p50, p99, max) = (micros.len(), at(50), at(99), at(100));
    eprintln!("{what}: {count} writes, p50 {p50} µs, p99 {p99} µs, max {max} µs");
}

const CARTS: TableId = TableId(1 << 20);

fn certified(region: &RegionName) -> watch::Receiver<Arc<Mutual>> {
    let authority = Authority::from_seed("visible", &[1; 32]).expect("made");
    let leaf = Leaf {
        subject: region.to_string(),
        names: vec![greeting::certificate_name(region)],
        validity: None,
    };
    let own = authority.issue(&leaf).expect("signed");
    let clock = Arc::new(System);
    let made = mutual(own, authority.certificate(), &greeting::PROTOCOLS, clock);
    watch::channel(Arc::new(made.expect("configured"))).1
}
