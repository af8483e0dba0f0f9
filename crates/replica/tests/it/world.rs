//! A few regions in one process, each pair joined by two relays.
//!
//! Each region has its own memory store, tables and links.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::port::Clock;
use clock::time::{Moment, WallTime};
use clock::wall::System;
use item::codec;
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::value::{AttributeValue, Item};
use net::dial::Dialer;
use replica::joining::invitations::Welcome;
use replica::links::{Config, Links};
use replica::status::{Failure, PeerStatus};
use replica_core::link::copies::{Fill, Fills, Holders};
use store::memory::MemStore;
use store::port::{Batch, Durability, Order, Range, Space, Store};
use table::def::{HistoryDef, TableDef};
use table::tables::{Options, Tables};
use table::write::{Effect, Write};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::certificates::certified;
use crate::relay::Relay;

pub(crate) const CARTS: TableId = TableId(1 << 20);

/// Waits, but not for ever.
pub(crate) async fn patiently<T>(what: impl Future<Output = T>) -> T {
    let patience = Duration::from_mins(1);
    tokio::time::timeout(patience, what)
        .await
        .expect("it comes within a minute")
}

/// Regions that run.
pub(crate) struct World {
    pub(crate) regions: Vec<Region>,
    names: Vec<RegionName>,
    relays: BTreeMap<(usize, usize), Relay>,
    pub(crate) addresses: Vec<SocketAddr>,
}

/// One region that runs.
pub(crate) struct Region {
    pub(crate) store: Disk,
    pub(crate) tables: Tables<MemStore>,
    pub(crate) links: Links<MemStore>,
    name: RegionName,
    clock: Arc<Skewed>,
    fills: watch::Sender<Arc<Fills>>,
    filled: tokio::sync::Mutex<mpsc::Receiver<(TableId, Fill)>>,
}

/// The machine's clock, with a wall time that can be wrong.
#[derive(Default)]
struct Skewed(AtomicI64);

impl Clock for Skewed {
    fn now(&self) -> Moment {
        System.now()
    }

    fn wall(&self) -> WallTime {
        let skew = self.0.load(Ordering::Relaxed);
        WallTime::from_micros(System.wall().as_micros() + skew)
    }
}

/// A store that a region can be started from again.
pub(crate) struct Disk(MemStore);

impl Disk {
    /// Returns a store with the same rows, as a backup would have them.
    pub(crate) fn copy(&self) -> MemStore {
        let copy = MemStore::new();
        for space in Space::ALL {
            let range = Range {
                space,
                from: std::ops::Bound::Unbounded,
                to: std::ops::Bound::Unbounded,
                order: Order::Ascending,
                rows_max: usize::MAX,
                bytes_max: usize::MAX,
            };
            let rows = futures_util::FutureExt::now_or_never(self.0.range(range));
            let mut batch = Batch::default();
            for (key, value) in rows.expect("memory does not wait").expect("read").rows {
                batch.put(space, key.to_vec(), value);
            }
            copy.submit(batch, Durability::Disk, Box::new(|_| ()));
        }
        copy
    }
}

impl World {
    pub(crate) async fn start(count: usize) -> Self {
        Self::start_with(count, |_, _| ()).await
    }

    /// Starts regions whose configuration `change` may change.
    pub(crate) async fn start_with(count: usize, change: impl Fn(usize, &mut Config)) -> Self {
        let names = ["us-east-1", "eu-west-1", "ap-northeast-1"]
            .iter()
            .take(count);
        let names: Vec<_> = names
            .map(|name| RegionName::parse(name).expect("a region name"))
            .collect();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listeners: Vec<_> = names
            .iter()
            .map(|_| net::listen::tcp(any).expect("a free port"))
            .collect();
        let addresses: Vec<_> = listeners
            .iter()
            .map(|listener| listener.local_addr().expect("bound"))
            .collect();
        let mut relays = BTreeMap::new();
        for from in 0..count {
            for to in (0..count).filter(|to| *to != from) {
                relays.insert((from, to), Relay::start(addresses[to]));
            }
        }
        let mut world = Self {
            regions: Vec::new(),
            names,
            relays,
            addresses,
        };
        for (at, listener) in listeners.into_iter().enumerate() {
            let region = world.open(at, MemStore::new(), listener, &change).await;
            world.regions.push(region);
        }
        world
    }

    pub(crate) fn relay(&self, from: usize, to: usize) -> &Relay {
        &self.relays[&(from, to)]
    }

    pub(crate) fn break_links(&self, one: usize, other: usize) {
        self.relay(one, other).stop();
        self.relay(other, one).stop();
    }

    pub(crate) fn heal_links(&self, one: usize, other: usize) {
        self.relay(one, other).pass();
        self.relay(other, one).pass();
    }

    /// Ends a region's process and starts it again on what was on its disk.
    pub(crate) async fn restart(&mut self, at: usize) {
        let store = self.regions[at].store.0.crash();
        self.restart_from(at, store).await;
    }

    /// Ends a region's process and starts it on an empty disk.
    pub(crate) async fn replace(&mut self, at: usize) {
        self.restart_from(at, MemStore::new()).await;
    }

    pub(crate) async fn restart_from(&mut self, at: usize, store: MemStore) {
        let old = self.regions.remove(at);
        old.links.drain(Duration::ZERO).await;
        let listener = net::listen::tcp(self.addresses[at]).expect("its own port is free again");
        let region = self.open(at, store, listener, &|_, _| ()).await;
        self.regions.insert(at, region);
    }

    pub(crate) fn assert_converged(&self) {
        let digests = self
            .regions
            .iter()
            .map(|region| region.tables.digest(CARTS).0);
        let digests: Vec<_> = digests.collect();
        assert!(
            digests.iter().all(|digest| *digest == digests[0]),
            "{digests:?}"
        );
    }

    /// Waits until every region has applied every other's log, and none owes another anything.
    pub(crate) async fn until_converged(&self) {
        for region in &self.regions {
            for other in &self.regions {
                region.until_applied(other).await;
            }
        }
        for region in &self.regions {
            region.until_repaid().await;
        }
        self.assert_converged();
    }

    async fn open(
        &self,
        at: usize,
        store: MemStore,
        listener: TcpListener,
        change: &impl Fn(usize, &mut Config),
    ) -> Region {
        let clock = Arc::new(Skewed::default());
        let members: Vec<_> = self.names.iter().map(RegionName::id).collect();
        let options = Options {
            region: members[at],
            members: members.iter().copied().collect(),
            clock: clock.clone(),
            entropy: Arc::new(System),
            durability: Durability::Disk,
        };
        let tables = Tables::open(store.clone(), options).await.expect("opened");
        let others = (0..self.names.len()).filter(|other| *other != at);
        let peers = others
            .clone()
            .map(|other| (self.names[other].clone(), self.addresses[other]));
        let via = others.map(|other| (self.addresses[other], self.relay(at, other).address));
        let (fills, fill_receiver) = watch::channel(Arc::default());
        let (filled, filled_receiver) = mpsc::channel(8);
        let mut config = Config {
            project: "shop".to_owned(),
            region: self.names[at].clone(),
            tls: certified(&self.names[at]),
            welcome: Welcome {
                project: "shop".to_owned(),
                key: [1; 32],
            },
            listener,
            peers: peers.collect(),
            dialer: Dialer::new(via.collect()),
            clock: clock.clone(),
            entropy: Arc::new(System),
            fills: fill_receiver,
            filled,
        };
        change(at, &mut config);
        let region = Region {
            store: Disk(store),
            links: Links::start(tables.clone(), config),
            tables,
            name: self.names[at].clone(),
            clock,
            fills,
            filled: tokio::sync::Mutex::new(filled_receiver),
        };
        region.define(&members, false);
        region.tables.adopt(CARTS, 1).await.expect("adopted");
        region
    }
}

impl Region {
    pub(crate) fn id(&self) -> RegionId {
        self.name.id()
    }

    pub(crate) const fn name(&self) -> &RegionName {
        &self.name
    }

    /// Sets the region's wall clock ahead by so much.
    pub(crate) fn skew(&self, ahead: Duration) {
        let micros = i64::try_from(ahead.as_micros()).expect("small");
        self.clock.0.store(micros, Ordering::Relaxed);
    }

    /// Makes the table known with these replicas.
    pub(crate) fn define(&self, replicas: &[RegionId], filling: bool) {
        let text = |name: &str| KeyAttribute {
            name: name.to_owned(),
            kind: KeyKind::S,
        };
        self.tables.define(TableDef {
            id: CARTS,
            schema: KeySchema {
                partition: text("customer"),
                sort: Some(text("sku")),
            },
            replicas: replicas.iter().copied().collect(),
            filling,
            history: HistoryDef::default(),
            indexes: Vec::new(),
            expiry: None,
            resolver: table::def::Resolver::Item,
        });
    }

    /// Fills the replica of the table that was made at 1 from other regions, or nothing.
    pub(crate) fn fill(&self, sources: &[RegionId]) {
        let (made, sources) = (1, sources.to_vec());
        let fill = (!sources.is_empty()).then_some((
            CARTS,
            Fill {
                made,
                sources,
                holders: Holders::Primary,
            },
        ));
        self.fills
            .send_replace(Arc::new(fill.into_iter().collect()));
    }

    /// Waits until a table is told to be filled.
    pub(crate) async fn until_filled(&self) -> Option<(TableId, i64)> {
        let (table, fill) = patiently(self.filled.lock().await.recv()).await?;
        Some((table, fill.made))
    }

    pub(crate) async fn put(&self, customer: &str, sku: &str, quantity: &str) {
        let write = self.puts(customer, sku, quantity);
        self.tables.write(write).await.expect("written");
    }

    pub(crate) async fn delete(&self, customer: &str, sku: &str) {
        let write = self.writes(customer, sku, Effect::Delete);
        self.tables.write(write).await.expect("written");
    }

    pub(crate) async fn quantity(&self, customer: &str, sku: &str) -> Option<String> {
        let table = self.table();
        let row = self.tables.get(&table, &key(customer, sku)).await;
        let item = codec::decode(&row.expect("read")?.image).expect("an item");
        let quantity = item.get("quantity").and_then(AttributeValue::as_s);
        quantity.map(str::to_owned)
    }

    pub(crate) async fn conflicts(&self) -> usize {
        let conflicts = self.tables.conflicts(CARTS, 100).await;
        conflicts.expect("read").len()
    }

    /// Waits until this region has applied all that `other` has written by then.
    pub(crate) async fn until_applied(&self, other: &Self) {
        let mut progress = self.tables.progress();
        let head = other.tables.horizon().0;
        let applied = || head <= self.tables.applied().at(other.id());
        patiently(async {
            while !applied() {
                progress.changed().await.expect("the tables are open");
            }
        })
        .await;
    }

    /// Waits until no region owes this one anything.
    pub(crate) async fn until_repaid(&self) {
        let mut progress = self.tables.progress();
        let owes = || {
            let mut owed = self.tables.local().owed.into_values();
            owed.any(|owed| !owed.is_empty())
        };
        patiently(async {
            while owes() {
                progress.changed().await.expect("the tables are open");
            }
        })
        .await;
    }

    /// Returns what the links of this region tell of `other`.
    pub(crate) fn status(&self, other: &Self) -> PeerStatus {
        let status = self.links.status();
        let status = status.borrow();
        status.peers[&other.name].clone()
    }

    /// Waits until this region must not serve on, and returns why.
    pub(crate) async fn until_failed(&self) -> Failure {
        let mut status = self.links.status();
        let failed = patiently(status.wait_for(|status| status.failure.is_some())).await;
        let failure = failed.expect("the links run").failure.clone();
        failure.expect("it was waited for")
    }

    /// Waits until what the links of this region tell of `other` is as it should be.
    pub(crate) async fn until(&self, other: &Self, is: impl Fn(&PeerStatus) -> bool) -> PeerStatus {
        let mut status = self.links.status();
        let name = &other.name;
        let found = patiently(status.wait_for(|status| is(&status.peers[name]))).await;
        found.expect("the links run").peers[name].clone()
    }

    /// Waits until neither tombstones nor records of `origin` are kept. Nobody tells of sweeps.
    pub(crate) async fn until_swept(&self, origin: RegionId) {
        let rows = async |space| {
            let range = Range {
                space,
                from: std::ops::Bound::Unbounded,
                to: std::ops::Bound::Unbounded,
                order: Order::Ascending,
                rows_max: 10,
                bytes_max: 1_000,
            };
            self.store.0.range(range).await.expect("read").rows
        };
        assert!(
            self.tables.applied().at(origin).0 > 0,
            "there was something to sweep"
        );
        patiently(async {
            while !(rows(Space::Tombstones).await.is_empty() && rows(Space::Log).await.is_empty()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// Returns whether a write is acknowledged.
    pub(crate) async fn takes_writes(&self) -> bool {
        self.tables
            .write(self.puts("eve", "tea", "1"))
            .await
            .is_ok()
    }

    fn puts(&self, customer: &str, sku: &str, quantity: &str) -> Write {
        let mut item = Item::new();
        for (name, value) in [("customer", customer), ("sku", sku), ("quantity", quantity)] {
            item.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
        }
        self.writes(customer, sku, Effect::Put(item))
    }

    fn writes(&self, customer: &str, sku: &str, effect: Effect) -> Write {
        Write {
            table: self.table(),
            key: key(customer, sku),
            decide: Box::new(move |_| Ok(effect)),
        }
    }

    fn table(&self) -> Arc<TableDef> {
        self.tables.table(CARTS).expect("defined")
    }
}

fn key(customer: &str, sku: &str) -> Key {
    Key {
        partition: customer.into(),
        sort: Some(sku.into()),
    }
}
