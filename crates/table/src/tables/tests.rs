//! Tests of tables: one region's promises, then two regions' merge.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::codec;
use item::key::{Key, KeyAttribute, KeyKind, KeySchema, KeyValue};
use item::value::{AttributeValue, Item};
use replica_core::frame::copy::CopyItems;
use replica_core::link::copies::{Arrived, Kept, Portion};
use replica_core::vector::Seq;
use store::memory::MemStore;
use store::port::{Batch, Durability, Order, Space, Store as _};

use super::{Options, Tables};
use crate::conflict::Conflict;
use crate::def::{HistoryDef, TableDef};
use crate::layout::{self, Stored};
use crate::notes::Note;
use crate::read::{Query, Scan};
use crate::write::{Current, Effect, Refusal, Write, WriteError, Written};

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const C: RegionId = RegionId(3);
const CARTS: TableId = TableId(1 << 20);

/// A clock that moves when told.
#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.load(Ordering::Relaxed).unsigned_abs())
    }

    fn wall(&self) -> WallTime {
        WallTime::from_micros(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn random(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

struct Region {
    tables: Tables<MemStore>,
    carts: Arc<TableDef>,
    clock: Arc<TestClock>,
}

async fn open(store: MemStore, region: RegionId, replicas: &[RegionId]) -> Region {
    open_with(store, region, replicas, Durability::Disk).await
}

async fn open_with(
    store: MemStore,
    region: RegionId,
    replicas: &[RegionId],
    durability: Durability,
) -> Region {
    let clock = Arc::new(TestClock::default());
    clock.0.store(1_000_000, Ordering::Relaxed);
    let options = Options {
        region,
        members: BTreeSet::from([A, B, C]),
        clock: clock.clone(),
        entropy: Arc::new(Counter::default()),
        durability,
    };
    let tables = Tables::open(store, options).await.expect("opened");
    let text = |name: &str| KeyAttribute {
        name: name.into(),
        kind: KeyKind::S,
    };
    let carts = tables.define(TableDef {
        id: CARTS,
        schema: KeySchema {
            partition: text("customer"),
            sort: Some(text("sku")),
        },
        replicas: replicas.iter().copied().collect(),
        filling: false,
        resolver: crate::def::Resolver::Item,
        history: HistoryDef::default(),
        indexes: Vec::new(),
        expiry: None,
    });
    Region {
        tables,
        carts,
        clock,
    }
}

async fn region(id: RegionId) -> Region {
    open(MemStore::new(), id, &[A, B, C]).await
}

fn key(customer: &str, sku: &str) -> Key {
    Key {
        partition: customer.into(),
        sort: Some(sku.into()),
    }
}

fn item(customer: &str, sku: &str, quantity: &str) -> Item {
    let mut item = Item::new();
    for (name, value) in [("customer", customer), ("sku", sku), ("quantity", quantity)] {
        item.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
    }
    item
}

impl Region {
    async fn put(&self, customer: &str, sku: &str, quantity: &str) -> Written {
        let item = item(customer, sku, quantity);
        let decide = Box::new(move |_: &_| Ok(Effect::Put(item)));
        let write = Write {
            table: self.carts.clone(),
            key: key(customer, sku),
            decide,
        };
        self.tables.write(write).await.expect("written")
    }

    async fn delete(&self, customer: &str, sku: &str) {
        let decide = Box::new(|_: &_| Ok(Effect::Delete));
        let write = Write {
            table: self.carts.clone(),
            key: key(customer, sku),
            decide,
        };
        self.tables.write(write).await.expect("written");
    }

    async fn quantity(&self, customer: &str, sku: &str) -> Option<String> {
        let row = self
            .tables
            .get(&self.carts, &key(customer, sku))
            .await
            .expect("read")?;
        let item = codec::decode(&row.image).expect("an item");
        item.get("quantity")
            .and_then(AttributeValue::as_s)
            .map(str::to_owned)
    }

    /// Applies everything that `from` has of `origin`'s log.
    async fn pull(&self, from: &Self, origin: RegionId) {
        let after = self.tables.applied().at(origin);
        let page = from
            .tables
            .read_log(origin, after, 1 << 20)
            .await
            .expect("a page");
        self.tables
            .apply(origin, after, page.to, page.records)
            .await
            .expect("applied");
    }

    async fn conflicts(&self) -> Vec<Conflict> {
        self.tables.conflicts(CARTS, 100).await.expect("read")
    }

    fn later(&self, micros: i64) {
        self.clock.0.fetch_add(micros, Ordering::Relaxed);
    }

    fn assert_same(&self, other: &Self) {
        assert_eq!(self.tables.digest(CARTS).0, other.tables.digest(CARTS).0);
    }
}

#[tokio::test]
async fn what_is_written_is_read_and_a_refused_write_changes_nothing() {
    let a = region(A).await;
    assert_eq!(a.put("ann", "tea", "1").await.old, None);
    assert!(a.put("ann", "tea", "2").await.old.is_some());
    assert_eq!(a.quantity("ann", "tea").await.as_deref(), Some("2"));

    let decide = Box::new(|current: &Current| {
        if current.exists() {
            Err(Refusal::ConditionFailed)
        } else {
            Ok(Effect::Delete)
        }
    });
    let write = Write {
        table: a.carts.clone(),
        key: key("ann", "tea"),
        decide,
    };
    let error = a.tables.write(write).await.expect_err("refused");
    let WriteError::Refused(refused) = error else {
        panic!("{error}")
    };
    let refused = refused[0].as_ref().expect("the one item");
    assert_eq!(refused.refusal, Refusal::ConditionFailed);
    assert!(refused.current.is_some());
    assert_eq!(a.tables.applied().at(A), Seq(2));
    a.delete("ann", "tea").await;
    a.delete("ann", "tea").await;
    assert_eq!(a.quantity("ann", "tea").await, None);
    assert_eq!(
        a.tables.applied().at(A),
        Seq(3),
        "deleting nothing writes nothing"
    );
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing_and_one_record() {
    let a = region(A).await;
    a.put("ann", "tea", "1").await;
    let write = |sku: &'static str, refuse: bool| Write {
        table: a.carts.clone(),
        key: key("ann", sku),
        decide: Box::new(move |_: &_| {
            if refuse {
                return Err(Refusal::ConditionFailed);
            }
            Ok(Effect::Put(item("ann", sku, "9")))
        }),
    };
    let refused = a
        .tables
        .transact(vec![write("tea", false), write("jam", true)])
        .await;
    let Err(WriteError::Refused(reasons)) = refused else {
        panic!("refused")
    };
    assert!(reasons[0].is_none() && reasons[1].is_some());
    assert_eq!(a.quantity("ann", "tea").await.as_deref(), Some("1"));
    let twice = a
        .tables
        .transact(vec![write("tea", false), write("tea", false)])
        .await;
    assert!(matches!(twice, Err(WriteError::SameItem)));

    a.tables
        .transact(vec![write("tea", false), write("jam", false)])
        .await
        .expect("done");
    let page = a.tables.read_log(A, Seq(1), 1 << 20).await.expect("a page");
    assert_eq!(page.records.len(), 1);
    assert_eq!(page.records[0].changes.len(), 2);
}

#[tokio::test]
async fn what_no_peer_would_take_is_not_written() {
    let a = region(A).await;
    let large = "x".repeat(390_000);
    let write = |number: usize| {
        let (sku, large) = (format!("{number}"), large.clone());
        Write {
            table: a.carts.clone(),
            key: key("ann", &sku),
            decide: Box::new(move |_: &_| Ok(Effect::Put(item("ann", &sku, &large)))),
        }
    };
    let many = a.tables.transact((0..100).map(write).collect()).await;
    assert!(matches!(many, Err(WriteError::TooMany)), "39 MB");
    let long = Write {
        key: key("ann", &"x".repeat(9_000)),
        ..write(0)
    };
    let refused = a.tables.transact(vec![write(1), long]).await;
    let Err(WriteError::Refused(reasons)) = refused else {
        panic!("refused")
    };
    assert!(reasons[0].is_none() && reasons[1].is_some());
    assert_eq!(a.tables.applied().at(A), Seq(0));
    let within = a.tables.transact((0..70).map(write).collect()).await;
    within.expect("27 MB");
    let page = a.tables.read_log(A, Seq(0), 1 << 20).await.expect("a page");
    assert_eq!(page.records.len(), 1);
}

#[tokio::test]
async fn queries_follow_sort_order_bounds_limits_and_skip_deleted_items() {
    let a = region(A).await;
    for sku in ["a", "b", "c", "d", "e"] {
        a.put("ann", sku, sku).await;
        a.put("bob", sku, sku).await;
    }
    a.delete("ann", "c").await;
    let base = Query {
        table: a.carts.clone(),
        partition: "ann".into(),
        from: Bound::Unbounded,
        to: Bound::Unbounded,
        order: Order::Ascending,
        after: None,
        limit: None,
    };
    let read = async |query: Query| {
        let page = a.tables.query(&query).await.expect("read");
        let sku = |row: &crate::read::Row| {
            let item = codec::decode(&row.image).expect("an item");
            item.get("sku")
                .and_then(AttributeValue::as_s)
                .unwrap_or_default()
                .to_owned()
        };
        (page.rows.iter().map(sku).collect::<String>(), page.last)
    };
    assert_eq!(read(base.clone()).await, ("abde".into(), None));
    let descending = Query {
        order: Order::Descending,
        ..base.clone()
    };
    assert_eq!(read(descending.clone()).await.0, "edba");
    let first = read(Query {
        limit: Some(2),
        ..base.clone()
    })
    .await;
    assert_eq!(first, ("ab".into(), Some(key("ann", "b"))));
    assert_eq!(
        read(Query {
            after: first.1.clone(),
            ..base.clone()
        })
        .await
        .0,
        "de"
    );
    assert_eq!(
        read(Query {
            after: first.1,
            ..descending
        })
        .await
        .0,
        "a"
    );
    let sort = |text: &str| item::key::encode_sort(&KeyValue::from(text));
    let between = Query {
        from: Bound::Included(sort("b")),
        to: Bound::Included(sort("d")),
        ..base.clone()
    };
    assert_eq!(read(between).await.0, "bd");
    let open = Query {
        from: Bound::Excluded(sort("a")),
        to: Bound::Excluded(sort("e")),
        ..base
    };
    assert_eq!(read(open).await.0, "bd");
}

#[tokio::test]
async fn segments_of_a_scan_cover_each_item_once() {
    let a = region(A).await;
    for number in 0..50 {
        a.put(&format!("customer-{number}"), "tea", "1").await;
    }
    for segments in [1, 3, 64, 100_000] {
        let mut found = BTreeSet::new();
        for segment in 0..segments.min(64) {
            let segment = (segment * (segments / segments.min(64)), segments);
            let mut after = None;
            loop {
                let table = a.carts.clone();
                let scan = Scan {
                    table,
                    segment,
                    after,
                    limit: Some(7),
                };
                let page = a.tables.scan(&scan).await.expect("read");
                for row in page.rows {
                    assert!(found.insert(row.image), "an item came twice");
                }
                after = page.last;
                if after.is_none() {
                    break;
                }
            }
        }
        if segments <= 64 {
            assert_eq!(found.len(), 50);
        }
    }
}

#[tokio::test]
async fn a_change_reaches_the_other_region_and_a_later_one_replaces_it_silently() {
    let (a, b) = (region(A).await, region(B).await);
    a.put("ann", "tea", "1").await;
    b.pull(&a, A).await;
    assert_eq!(b.quantity("ann", "tea").await.as_deref(), Some("1"));
    b.put("ann", "tea", "2").await;
    a.pull(&b, B).await;
    assert_eq!(a.quantity("ann", "tea").await.as_deref(), Some("2"));
    a.delete("ann", "tea").await;
    b.pull(&a, A).await;
    assert_eq!(b.quantity("ann", "tea").await, None);
    assert_eq!((a.conflicts().await, b.conflicts().await), (vec![], vec![]));
    a.assert_same(&b);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_no_fault_of_its_writer() {
    let a = region(A).await;
    a.put("ann", "tea", "1").await;
    let at = layout::item_key(CARTS, &layout::item_suffix(&key("ann", "tea")));
    let space = Space::Items;
    let stored = a.tables.inner.store.get(space, &at).await.expect("read");
    let mut stored = Stored::decode(stored.expect("an item")).expect("whole");
    stored.image = Some(Bytes::from_static(b"\xff"));
    let mut batch = Batch::default();
    batch.put(space, at, stored.encode());
    let written = a.tables.commit(batch, Durability::Disk).await;
    written.expect("written");
    let write = |decide| Write {
        table: a.carts.clone(),
        key: key("ann", "tea"),
        decide,
    };
    let reads = write(Box::new(|current: &Current| {
        current.item()?;
        Ok(Effect::Keep)
    }));
    let refused = a.tables.write(reads).await;
    assert!(
        matches!(refused, Err(WriteError::Damaged(_))),
        "{refused:?}"
    );
    // Who does not look at it may replace it.
    a.put("ann", "tea", "2").await;
    assert_eq!(a.quantity("ann", "tea").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_race_has_one_winner_everywhere_and_the_loser_is_kept() {
    let (a, b) = (region(A).await, region(B).await);
    a.put("ann", "tea", "from a").await;
    b.later(10);
    b.put("ann", "tea", "from b").await;
    a.pull(&b, B).await;
    b.pull(&a, A).await;
    for region in [&a, &b] {
        assert_eq!(
            region.quantity("ann", "tea").await.as_deref(),
            Some("from b")
        );
        let conflicts = region.conflicts().await;
        assert_eq!(conflicts.len(), 1);
        assert_eq!(
            (conflicts[0].winner.origin, conflicts[0].loser.origin),
            (B, A)
        );
        let lost = conflicts[0].loser_image.as_deref().expect("an image");
        assert_eq!(
            codec::decode(lost).expect("an item"),
            item("ann", "tea", "from a")
        );
    }
    a.assert_same(&b);
}

#[tokio::test]
async fn a_change_that_arrives_after_its_successor_is_no_conflict() {
    let (a, b, c) = (region(A).await, region(B).await, region(C).await);
    a.put("ann", "tea", "first").await;
    b.pull(&a, A).await;
    b.put("ann", "tea", "second").await;
    c.pull(&b, B).await;
    c.pull(&a, A).await;
    assert_eq!(c.quantity("ann", "tea").await.as_deref(), Some("second"));
    assert_eq!(c.conflicts().await, vec![]);
}

#[tokio::test]
async fn records_come_once_in_order_or_not_at_all() {
    let (a, b) = (region(A).await, region(B).await);
    for number in 0..3 {
        a.put("ann", "tea", &number.to_string()).await;
    }
    let page = a.tables.read_log(A, Seq(0), 1 << 20).await.expect("a page");
    let tail = page.records[2..].to_vec();
    let gap = b.tables.apply(A, Seq(2), Seq(3), tail).await;
    assert!(matches!(gap, Err(crate::remote::ApplyError::Gap { .. })));
    b.tables
        .apply(A, Seq(0), Seq(3), page.records.clone())
        .await
        .expect("applied");
    b.tables
        .apply(A, Seq(0), Seq(3), page.records.clone())
        .await
        .expect("skipped");
    assert_eq!(b.tables.applied().at(A), Seq(3));
    let own = b.tables.apply(B, Seq(0), Seq(1), vec![]).await;
    assert!(matches!(own, Err(crate::remote::ApplyError::NoPeer(B))));
    let mut future = page.records[0].clone();
    future.seq = Seq(4);
    future.hlc.0 += 60_000_000;
    let far = b.tables.apply(A, Seq(3), Seq(4), vec![future]).await;
    assert!(matches!(
        far,
        Err(crate::remote::ApplyError::TooFarAhead(_))
    ));
    assert_eq!(b.tables.applied().at(A), Seq(3));
    a.assert_same(&b);
}

#[tokio::test]
async fn a_write_in_the_same_microsecond_is_stamped_after_what_it_saw() {
    let (a, b) = (region(A).await, region(B).await);
    b.later(400_000);
    b.put("ann", "tea", "ahead").await;
    a.pull(&b, B).await;
    a.put("ann", "tea", "after").await;
    b.pull(&a, A).await;
    assert_eq!(b.quantity("ann", "tea").await.as_deref(), Some("after"));
    assert_eq!(b.conflicts().await, vec![]);
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash_and_positions_go_on() {
    let store = MemStore::new();
    let a = open(store.clone(), A, &[A, B, C]).await;
    a.put("ann", "tea", "1").await;
    a.put("ann", "jam", "1").await;
    let digest = a.tables.digest(CARTS).0;
    let again = open(store.crash(), A, &[A, B, C]).await;
    assert_eq!(again.tables.incarnation(), a.tables.incarnation());
    assert_eq!(again.tables.applied().at(A), Seq(2));
    assert_eq!(again.tables.digest(CARTS).0, digest);
    assert_eq!(again.put("ann", "tea", "2").await.position, Seq(3));
}

#[tokio::test]
async fn another_regions_directory_is_refused() {
    let store = MemStore::new();
    open(store.clone(), A, &[A]).await;
    let options = Options {
        region: B,
        members: BTreeSet::from([A, B]),
        clock: Arc::new(TestClock::default()),
        entropy: Arc::new(Counter::default()),
        durability: Durability::Disk,
    };
    let refused = Tables::open(store, options).await;
    assert!(matches!(
        refused,
        Err(super::OpenError::OtherRegion { asked: B, found: A })
    ));
}

#[tokio::test]
async fn a_table_with_one_replica_writes_no_log_and_no_tombstones() {
    let a = open(MemStore::new(), A, &[A]).await;
    a.put("ann", "tea", "1").await;
    a.delete("ann", "tea").await;
    assert_eq!(a.tables.applied().at(A), Seq(0));
    let page = a
        .tables
        .copy_page(CARTS, None, 1 << 20, None)
        .await
        .expect("a page");
    assert_eq!(page.items, vec![]);
    assert_eq!(
        a.tables.digest(CARTS).0,
        replica_core::digest::Digest::default()
    );
}

#[tokio::test]
async fn a_write_by_an_old_definition_is_logged_once_the_table_is_global() {
    let a = open(MemStore::new(), A, &[A]).await;
    assert_eq!(a.put("ann", "tea", "1").await.position, Seq(0));
    let global = TableDef {
        replicas: [A, B].into(),
        ..TableDef::clone(&a.carts)
    };
    a.tables.define(global);
    assert_eq!(a.put("ann", "tea", "2").await.position, Seq(1));
}

#[tokio::test]
async fn a_replica_is_filled_from_copies_whatever_the_log_brings_meanwhile() {
    let (a, b) = (region(A).await, region(B).await);
    for number in 0..600 {
        a.put("ann", &format!("{number:04}"), "1").await;
    }
    a.delete("ann", "0007").await;
    b.later(5_000);
    b.put("ann", "0003", "newer").await;
    let mut after = None;
    loop {
        let page = a
            .tables
            .copy_page(CARTS, after.as_deref(), 4_096, None)
            .await
            .expect("read");
        b.tables
            .merge_copy(CARTS, page.items)
            .await
            .expect("merged");
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(b.quantity("ann", "0003").await.as_deref(), Some("newer"));
    a.pull(&b, B).await;
    a.assert_same(&b);
    let only = a
        .tables
        .copy_page(CARTS, None, 1 << 20, Some(B))
        .await
        .expect("read");
    assert_eq!(only.items.len(), 1);
}

#[tokio::test]
async fn tombstones_go_when_told_and_a_newer_item_stays() {
    let a = region(A).await;
    a.put("ann", "tea", "1").await;
    a.delete("ann", "tea").await;
    a.put("ann", "jam", "1").await;
    a.delete("ann", "jam").await;
    a.put("ann", "jam", "2").await;
    let limit = clock::hlc::Hlc(i64::MAX);
    a.tables.collect_tombstones(limit).await.expect("collected");
    let page = a
        .tables
        .copy_page(CARTS, None, 1 << 20, None)
        .await
        .expect("a page");
    assert_eq!(page.items.len(), 1);
    assert_eq!(a.quantity("ann", "jam").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_log_is_trimmed_only_where_it_no_longer_tells_races_apart() {
    let (a, b, c) = (region(A).await, region(B).await, region(C).await);
    a.put("ann", "tea", "1").await;
    b.pull(&a, A).await;
    b.put("ann", "tea", "2").await;
    c.pull(&b, B).await;
    let floor = [(B, Seq(1))].into_iter().collect();
    c.tables.trim_log(&floor).await.expect("trimmed");
    let kept = c.tables.read_log(B, Seq(0), 1 << 20).await.expect("a page");
    assert_eq!(
        kept.records.len(),
        1,
        "its write had seen a record that is not here yet"
    );
    c.pull(&a, A).await;
    c.tables.trim_log(&floor).await.expect("trimmed");
    let gone = c.tables.read_log(B, Seq(0), 1 << 20).await;
    assert!(matches!(
        gone,
        Err(crate::log::LogError::Trimmed { first: Seq(2), .. })
    ));
}

#[tokio::test]
async fn the_stable_stamp_waits_for_the_slowest_origin() {
    let (a, b) = (region(A).await, region(B).await);
    a.put("ann", "tea", "1").await;
    assert_eq!(b.tables.stable().0, 0);
    b.pull(&a, A).await;
    for (region, origin) in [(&a, A), (&region(C).await, C)] {
        let (head, hlc) = region.tables.horizon();
        b.tables.note_horizon(origin, head, hlc);
    }
    b.tables.horizon();
    assert!(b.tables.stable().0 >= 999_999);
    a.put("ann", "tea", "2").await;
    a.later(1_000_000);
    let (head, hlc) = a.tables.horizon();
    b.tables.note_horizon(A, head, hlc);
    assert!(
        b.tables.stable() < hlc,
        "a promise counts once its head is here"
    );
}

/// Returns the same store, which completes nothing by itself from here on.
fn held(store: &MemStore) -> MemStore {
    store.hold();
    store.clone()
}

/// Waits for `work`, whose batches the held store completes without flushing them.
async fn stepping<T>(store: &MemStore, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::task::yield_now() => {
                store.step(1);
            }
        }
    }
}

#[tokio::test]
async fn a_promise_holds_after_a_restart_with_the_clock_set_back() {
    let store = MemStore::new();
    let a = open(store.clone(), A, &[A, B, C]).await;
    a.later(60_000_000);
    let (_, promised) = a.tables.horizon();
    assert_eq!(promised.0, 60_999_999);
    let again = open(store.crash(), A, &[A, B, C]).await;
    again.put("ann", "tea", "1").await;
    let page = again
        .tables
        .read_log(A, Seq(0), 1 << 20)
        .await
        .expect("a page");
    assert!(
        promised < page.records[0].hlc,
        "others may have dropped tombstones below the promise"
    );
}

#[tokio::test]
async fn a_promise_is_given_once_it_is_on_disk() {
    let store = MemStore::new();
    let first = open(store.clone(), A, &[A, B, C]).await;
    let (_, before) = first.tables.horizon();
    let store = held(&store);
    let a = open(store.clone(), A, &[A, B, C]).await;
    a.later(60_000_000);
    assert_eq!(a.tables.horizon().1, before);
    store.step(9);
    assert_eq!(a.tables.horizon().1, before, "it is written, not flushed");
    store.persist();
    assert_eq!(a.tables.horizon().1.0, 60_999_999);
}

#[tokio::test]
async fn a_region_alone_writes_no_promises() {
    let store = MemStore::new();
    let options = Options {
        region: A,
        members: BTreeSet::from([A]),
        clock: Arc::new(TestClock::default()),
        entropy: Arc::new(Counter::default()),
        durability: Durability::Disk,
    };
    let tables = Tables::open(store.clone(), options).await.expect("opened");
    store.hold();
    tables.horizon();
    assert_eq!(store.waiting(), 0, "an idle region's disk is left alone");
}

#[tokio::test]
async fn a_position_keeps_the_highest_stamp_before_it() {
    let a = region(A).await;
    a.later(400_000);
    a.put("ann", "tea", "1").await;
    let page = a.tables.read_log(A, Seq(0), 1 << 20).await.expect("a page");
    let stamp = page.records[0].hlc;
    let made = MemStore::new();
    open(made.clone(), B, &[A, B, C]).await;
    let store = held(&made);
    let b = open(store.clone(), B, &[A, B, C]).await;
    let records = b.tables.apply(A, Seq(0), Seq(1), page.records);
    stepping(&store, records).await.expect("applied");
    let nothing = b.tables.apply(A, Seq(1), Seq(2), vec![]);
    stepping(&store, nothing).await.expect("applied");
    store.persist();
    let again = open(held(&store.crash()), B, &[A, B, C]).await;
    assert_eq!(again.tables.applied().at(A), Seq(2));
    assert!(stamp <= again.tables.lock().clock.last());
}

#[tokio::test]
async fn a_digest_is_as_of_what_it_counts() {
    let made = MemStore::new();
    open(made.clone(), A, &[A, B, C]).await;
    let store = held(&made);
    let a = open(store.clone(), A, &[A, B, C]).await;
    let empty = a.tables.digest(CARTS);
    {
        let mut put = std::pin::pin!(a.put("ann", "tea", "1"));
        tokio::select! {
            biased;
            _ = &mut put => panic!("the store is held"),
            () = tokio::task::yield_now() => {}
        }
        let (sum, as_of) = a.tables.digest(CARTS);
        assert_ne!(sum, empty.0);
        assert_eq!(
            as_of.at(A),
            Seq(1),
            "it counts what is on its way to the disk"
        );
        stepping(&store, put).await;
    }
    assert_eq!(a.tables.digest(CARTS).1, a.tables.applied());
}

#[tokio::test]
async fn a_long_log_is_trimmed_in_one_go() {
    let a = region(A).await;
    for number in 0..600 {
        a.put("ann", &number.to_string(), "1").await;
    }
    let floor = [(A, Seq(600))].into_iter().collect();
    a.tables.trim_log(&floor).await.expect("trimmed");
    let gone = a.tables.read_log(A, Seq(599), 1 << 20).await;
    assert!(matches!(
        gone,
        Err(crate::log::LogError::Trimmed {
            first: Seq(601),
            ..
        })
    ));
}

#[tokio::test]
async fn tombstones_stay_while_any_region_is_being_filled() {
    let a = region(A).await;
    a.put("ann", "tea", "1").await;
    a.delete("ann", "tea").await;
    let limit = clock::hlc::Hlc(i64::MAX);
    let tombstones = async || {
        let page = a.tables.copy_page(CARTS, None, 1 << 20, None).await;
        page.expect("read").items.len()
    };
    a.tables.note_filling(BTreeSet::from([CARTS]));
    a.tables.collect_tombstones(limit).await.expect("collected");
    assert_eq!(
        tombstones().await,
        1,
        "a page with the item may be on its way"
    );
    a.tables.note_filling(BTreeSet::new());
    a.tables.collect_tombstones(limit).await.expect("collected");
    assert_eq!(tombstones().await, 0);
}

#[tokio::test]
async fn a_listing_of_races_is_bounded_in_bytes() {
    let (a, b) = (region(A).await, region(B).await);
    let large = "x".repeat(300_000);
    for number in 0..20 {
        let sku = number.to_string();
        a.put("ann", &sku, &large).await;
        b.put("ann", &sku, &large).await;
    }
    a.pull(&b, B).await;
    let listed = a.conflicts().await.len();
    assert!((1..=8).contains(&listed), "{listed} of 600 KB each");
}

#[tokio::test]
async fn a_key_that_is_none_hides_no_other_change() {
    let (a, b) = (region(A).await, region(B).await);
    a.put("ann", "tea", "1").await;
    let page = a.tables.read_log(A, Seq(0), 1 << 20).await.expect("a page");
    let mut record = page.records[0].clone();
    record.changes[0].table = TableId(5);
    let mut bad = record.changes[0].clone();
    bad.key = Bytes::from_static(b"\0");
    record.changes.push(bad);
    b.tables
        .apply(A, Seq(0), Seq(1), vec![record])
        .await
        .expect("applied");
    let changes = b.tables.take_system_changes();
    assert_eq!(changes, [(TableId(5), key("ann", "tea"))]);
}

#[tokio::test]
async fn a_table_that_is_gone_leaves_nothing_and_ignores_late_changes() {
    let (a, b) = (region(A).await, region(B).await);
    for number in 0..300 {
        a.put("ann", &number.to_string(), "1").await;
    }
    a.tables.adopt(CARTS, 7).await.expect("adopted");
    b.tables.forget(CARTS);
    b.pull(&a, A).await;
    a.tables.forget(CARTS);
    a.tables.erase(CARTS).await.expect("erased");
    for region in [&a, &b] {
        assert_eq!(rows(region).await, 0);
        let nothing = replica_core::digest::Digest::default();
        assert_eq!(region.tables.digest(CARTS).0, nothing);
        assert!(region.tables.claimed().await.expect("read").is_empty());
    }
}

async fn rows(region: &Region) -> usize {
    let page = region.tables.copy_page(CARTS, None, 1 << 20, None).await;
    page.expect("read").items.len()
}

#[tokio::test]
async fn a_replica_made_anew_keeps_nothing_of_the_one_before() {
    let store = MemStore::new();
    let a = open(store.clone(), A, &[A, B, C]).await;
    a.put("ann", "tea", "1").await;
    a.tables.adopt(CARTS, 7).await.expect("adopted");
    a.tables.claim(CARTS, 7).await.expect("it is its own");
    assert_eq!(rows(&a).await, 1);
    let again = open(store.crash(), A, &[A, B, C]).await;
    let claimed = again.tables.claimed().await.expect("read");
    assert_eq!(claimed.into_iter().collect::<Vec<_>>(), [(CARTS, 7)]);
    again.tables.claim(CARTS, 8).await.expect("claimed");
    assert_eq!(rows(&again).await, 0);
    let nothing = replica_core::digest::Digest::default();
    assert_eq!(again.tables.digest(CARTS).0, nothing);
    again.put("ann", "tea", "2").await;
    again.tables.claim(CARTS, 8).await.expect("it is its own");
    assert_eq!(rows(&again).await, 1);
}

#[tokio::test]
async fn a_page_for_a_replica_that_is_no_more_is_left_out() {
    let (a, b) = (region(A).await, region(B).await);
    a.put("ann", "tea", "1").await;
    let merges = async |made: Option<i64>| {
        let page = a.tables.copy_page(CARTS, None, 1 << 20, None).await;
        let (ticket, items) = (1, page.expect("read").items);
        let which = CopyItems::All;
        let arrived = Arrived {
            ticket,
            portion: made.map(|made| Portion { made, items: which }),
            items,
            next: None,
        };
        let merged = b
            .tables
            .merge_page(A, CARTS, arrived)
            .await
            .expect("merged");
        (merged, rows(&b).await)
    };
    assert_eq!(merges(Some(7)).await, (false, 0), "nobody has claimed it");
    b.tables.claim(CARTS, 8).await.expect("claimed");
    assert_eq!(merges(Some(7)).await, (false, 0), "it is another one's");
    assert_eq!(merges(Some(8)).await, (true, 1));
    b.tables.claim(CARTS, 9).await.expect("claimed");
    assert_eq!(merges(None).await, (true, 1), "it stands for the log");
    b.tables.erase(CARTS).await.expect("left alone");
    assert_eq!(rows(&b).await, 1, "it is a replica again");
}

#[tokio::test]
async fn how_far_a_replica_is_filled_is_kept_with_its_pages() {
    let (a, b) = (region(A).await, region(B).await);
    for name in ["ann", "bob", "eve"] {
        a.put(name, "tea", "1").await;
    }
    b.tables.claim(CARTS, 8).await.expect("claimed");
    let portion = Portion {
        made: 8,
        items: CopyItems::All,
    };
    let mut after: Option<Bytes> = None;
    for left in [true, true, false] {
        let page = a.tables.copy_page(CARTS, after.as_deref(), 1, None).await;
        let page = page.expect("read");
        assert_eq!((page.items.len(), page.next.is_some()), (1, left));
        let arrived = Arrived {
            ticket: 1,
            portion: Some(portion),
            items: page.items,
            next: page.next.clone(),
        };
        let merged = b.tables.merge_page(A, CARTS, arrived).await;
        assert!(merged.expect("merged"));
        after = page.next;
        let kept = b.tables.kept(A).await.expect("read");
        let after = after.clone();
        assert_eq!(kept[&CARTS], Kept { portion, after });
        assert_eq!(b.tables.kept(B).await.expect("read"), BTreeMap::new());
    }
    assert_eq!(rows(&b).await, 3);
    assert_eq!(b.tables.digest(CARTS).0, a.tables.digest(CARTS).0);
    b.tables.claim(CARTS, 9).await.expect("claimed");
    let kept = b.tables.kept(A).await.expect("read");
    assert_eq!((rows(&b).await, kept), (0, BTreeMap::new()));
}

/// Opens a region that acknowledges before the disk, over a store that completes nothing by itself.
async fn open_early(store: &MemStore) -> Region {
    store.hold();
    let opened = open_with(store.clone(), A, &[A, B], Durability::Buffered);
    let step = async {
        loop {
            store.step(9);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        region = opened => region,
        () = step => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn what_is_acknowledged_before_the_disk_goes_to_nobody_until_it_is_there() {
    let store = MemStore::new();
    let a = open_early(&store).await;
    tokio::join!(a.put("ann", "tea", "1"), async { store.step(9) });
    let told = |region: &Region| {
        let local = region.tables.local();
        (local.applied.at(A), local.durable.at(A))
    };
    assert_eq!(a.tables.applied().at(A), Seq(1), "it can be read");
    assert_eq!(told(&a), (Seq(0), Seq(0)));
    let page = a.tables.read_log(A, Seq(0), 1 << 20).await.expect("a page");
    assert_eq!((page.records.len(), page.to), (0, Seq(0)));
    let mut copy = std::pin::pin!(a.tables.copy_page(CARTS, None, 1 << 20, None));
    for _ in 0..9 {
        store.step(9);
        let given = tokio::select! {
            biased;
            _ = &mut copy => true,
            () = tokio::task::yield_now() => false,
        };
        assert!(!given, "a copy of it is given to nobody");
    }
    store.persist();
    assert_eq!(copy.await.expect("a page").items.len(), 1);
    assert_eq!(told(&a), (Seq(1), Seq(1)));
    let page = a.tables.read_log(A, Seq(0), 1 << 20).await.expect("a page");
    assert_eq!((page.records.len(), page.to), (1, Seq(1)));
}

#[tokio::test]
async fn a_crash_takes_the_last_acknowledged_writes_and_their_positions_are_given_again() {
    let store = MemStore::new();
    let a = open_early(&store).await;
    tokio::join!(a.put("ann", "tea", "1"), async { store.step(9) });
    store.persist();
    tokio::join!(a.put("ann", "cup", "1"), async { store.step(9) });
    let left = store.crash();
    let a = open_early(&left).await;
    assert_eq!(a.tables.applied().at(A), Seq(1));
    tokio::join!(a.put("ann", "pot", "1"), async { left.step(9) });
    left.persist();
    let page = a.tables.read_log(A, Seq(0), 1 << 20).await.expect("a page");
    let keys = page.records.iter().map(|record| &record.changes[0].key);
    let keys: Vec<String> = keys.map(|key| format!("{key:?}")).collect();
    assert_eq!(keys.len(), 2);
    assert!(
        keys[0].contains("tea") && keys[1].contains("pot"),
        "{keys:?}"
    );
}

#[tokio::test]
async fn a_note_reaches_the_disk_with_its_transaction_or_not_at_all() {
    let store = MemStore::new();
    let region = open(store.clone(), A, &[A, B, C]).await;
    let note = |name: &str| Note {
        name: name.as_bytes().to_vec(),
        fact: Bytes::from_static(b"fact"),
    };
    let write = |effect: Result<Effect, Refusal>| Write {
        table: region.carts.clone(),
        key: key("anna", "pen"),
        decide: Box::new(move |_: &_| effect),
    };
    let put = Effect::Put(item("anna", "pen", "1"));
    for (name, effect) in [("t/put", put), ("t/kept", Effect::Keep)] {
        let writes = vec![write(Ok(effect))];
        let written = region
            .tables
            .transact_noted(writes, note(name), Box::new(Vec::new));
        written.await.expect("written");
    }
    let forgotten = || Box::new(|| vec![b"t/kept".to_vec()]);
    let refused = vec![write(Err(Refusal::ConditionFailed))];
    let refused = region
        .tables
        .transact_noted(refused, note("t/refused"), forgotten());
    assert!(refused.await.is_err());
    // Handed in, and the power goes before it is on disk: neither item nor note is there.
    store.hold();
    let lost = Effect::Put(item("anna", "pen", "2"));
    let lost = region
        .tables
        .transact_noted(vec![write(Ok(lost))], note("t/lost"), forgotten());
    tokio::select! {
        biased;
        _ = lost => panic!("nothing is on disk"),
        () = tokio::task::yield_now() => {}
    }
    let store = store.crash();
    let region = open(store.clone(), A, &[A, B, C]).await;
    assert_eq!(region.quantity("anna", "pen").await.as_deref(), Some("1"));
    let found = region.tables.notes(b"t/").await.expect("read");
    assert_eq!(found, [note("t/kept"), note("t/put")]);
    // What opening hands in is no matter here.
    store.step(store.waiting());
    // In one batch with the note that comes.
    let mut written = Box::pin(region.tables.transact_noted(
        vec![write(Ok(Effect::Keep))],
        note("t/more"),
        forgotten(),
    ));
    tokio::select! {
        biased;
        _ = &mut written => panic!("nothing is on disk"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(store.step(2), 1);
    written.await.expect("written");
    let found = region.tables.notes(b"t/").await.expect("read");
    assert_eq!(found, [note("t/more"), note("t/put")]);
    assert!(region.tables.notes(b"u").await.expect("read").is_empty());
}
