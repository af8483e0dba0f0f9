//! Expiry in one region, and in two at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::number::Number;
use item::value::{AttributeValue, Item};
use store::memory::MemStore;
use store::port::{Batch, Durability, Space, Store};

use super::Expired;
use crate::def::{ExpiryDef, HistoryDef, Images, IndexId, TableDef};
use crate::history::{Cause, Place, Portion};
use crate::layout;
use crate::limits::{EXPIRY_GRACE_SECS, EXPIRY_ITEMS, EXPIRY_SECS_MAX};
use crate::planted::Planted;
use crate::tables::{Options, Tables};
use crate::write::{Effect, Write};

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const SESSIONS: TableId = TableId(1 << 20);
/// A time of which five years ago is a time too.
const START: i64 = 1_000_000_000;

struct World(AtomicI64);

impl Clock for World {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.load(Ordering::Relaxed).unsigned_abs())
    }

    fn wall(&self) -> WallTime {
        WallTime::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl Entropy for World {
    fn random(&self) -> u64 {
        1
    }
}

struct Region {
    tables: Tables<MemStore>,
    store: MemStore,
    world: Arc<World>,
}

fn def(replicas: &[RegionId]) -> TableDef {
    TableDef {
        id: SESSIONS,
        schema: KeySchema {
            partition: KeyAttribute {
                name: "id".to_owned(),
                kind: KeyKind::S,
            },
            sort: None,
        },
        replicas: replicas.iter().copied().collect(),
        filling: false,
        resolver: crate::def::Resolver::Item,
        history: HistoryDef {
            stream: Some(Images::default()),
            rewinds: false,
        },
        indexes: Vec::new(),
        expiry: Some(ExpiryDef {
            id: IndexId(IndexId::FIRST),
            attribute: "until".to_owned(),
        }),
    }
}

impl Region {
    async fn open(store: MemStore, region: RegionId, replicas: &[RegionId]) -> Self {
        let world = Arc::new(World(AtomicI64::new(START * 1_000_000)));
        let options = Options {
            region,
            members: BTreeSet::from([A, B]),
            clock: world.clone(),
            entropy: world.clone(),
            durability: Durability::Disk,
        };
        let tables = Tables::open(store.clone(), options).await.expect("opened");
        tables.define(def(replicas));
        Self {
            tables,
            store,
            world,
        }
    }

    async fn put(&self, id: &str, until: AttributeValue) {
        let key = Key {
            partition: id.into(),
            sort: None,
        };
        let table = self.tables.table(SESSIONS).expect("defined");
        let mut item: Item = key.to_item(&table.schema);
        item.insert("until".to_owned(), until);
        let decide = Box::new(move |_: &_| Ok(Effect::Put(item)));
        let write = Write { table, key, decide };
        self.tables.write(write).await.expect("written");
    }

    async fn has(&self, id: &str) -> bool {
        let key = Key {
            partition: id.into(),
            sort: None,
        };
        let table = self.tables.table(SESSIONS).expect("defined");
        self.tables.get(&table, &key).await.expect("read").is_some()
    }

    async fn expire(&self) -> Expired {
        let now = self.world.wall();
        self.tables.expire(now).await.expect("swept")
    }

    fn wait(&self, seconds: u64) {
        let micros = i64::try_from(seconds * 1_000_000).expect("some seconds");
        self.world.0.fetch_add(micros, Ordering::Relaxed);
    }

    async fn pull(&self, from: &Self, origin: RegionId) {
        let after = self.tables.applied().at(origin);
        let page = from
            .tables
            .read_log(origin, after, 1 << 20)
            .await
            .expect("a page");
        let applied = self
            .tables
            .apply(origin, after, page.to, page.records)
            .await;
        applied.expect("applied");
    }

    fn assert_same(&self, other: &Self) {
        assert_eq!(
            self.tables.digest(SESSIONS).0,
            other.tables.digest(SESSIONS).0
        );
    }

    async fn causes(&self) -> Vec<Cause> {
        let portion = Portion {
            events_max: 100,
            bytes_max: 1 << 20,
        };
        let page = self
            .tables
            .read_history(SESSIONS, Place::default(), Hlc(i64::MAX), portion)
            .await;
        page.expect("read")
            .events
            .iter()
            .map(|event| event.cause)
            .collect()
    }
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(Number::from(number))
}

#[tokio::test]
async fn an_item_goes_once_its_time_has_passed_and_not_before() {
    let region = Region::open(MemStore::new(), A, &[A]).await;
    let years = i64::try_from(EXPIRY_SECS_MAX).expect("some years");
    region.put("soon", number(START + 10)).await;
    region.put("later", number(START + 60)).await;
    region.put("ages ago", number(START - years - 1)).await;
    region
        .put("text", AttributeValue::S((START + 1).to_string()))
        .await;
    region
        .put(
            "fraction",
            AttributeValue::N(Number::parse("1000000001.5").expect("a number")),
        )
        .await;
    region.wait(10);
    assert_eq!(
        region.expire().await,
        Expired::default(),
        "at that second it is still there"
    );
    region.wait(1);
    let one = Expired {
        items: 1,
        ..Expired::default()
    };
    assert_eq!(region.expire().await, one);
    assert!(!region.has("soon").await);
    for id in ["later", "ages ago", "text", "fraction"] {
        assert!(region.has(id).await, "{id}");
    }
    region.put("later", number(START + 600)).await;
    region.wait(100);
    assert_eq!(
        region.expire().await,
        Expired::default(),
        "its time was put off"
    );
    assert_eq!(region.tables.size(SESSIONS).0, 4);
    assert_eq!(
        region
            .causes()
            .await
            .iter()
            .filter(|one| **one == Cause::Expiry)
            .count(),
        1
    );
}

#[tokio::test]
async fn a_sweep_is_bounded_and_says_whether_there_is_more() {
    let region = Region::open(MemStore::new(), A, &[A]).await;
    let count = EXPIRY_ITEMS + 3;
    for at in 0..count {
        region.put(&format!("{at}"), number(START)).await;
    }
    region.wait(1);
    let first = region.expire().await;
    assert_eq!((first.items, first.more), (EXPIRY_ITEMS, true));
    let second = region.expire().await;
    assert_eq!((second.items, second.more), (3, false));
}

#[tokio::test]
async fn a_write_that_the_expiry_had_not_seen_wins_wherever_they_meet() {
    let (a, b) = (
        Region::open(MemStore::new(), A, &[A, B]).await,
        Region::open(MemStore::new(), B, &[A, B]).await,
    );
    a.put("session", number(START)).await;
    b.pull(&a, A).await;
    // Its end is put off in one region while the other lets it expire, later.
    b.put("session", number(START + 600)).await;
    a.wait(60);
    assert_eq!(a.expire().await.items, 1);
    b.wait(60);
    a.pull(&b, B).await;
    b.pull(&a, A).await;
    for region in [&a, &b] {
        assert!(region.has("session").await);
        let races = region.tables.conflicts(SESSIONS, 9).await.expect("read");
        assert_eq!(races, Vec::new(), "no write was lost");
    }
    a.assert_same(&b);
    assert_eq!(
        a.causes().await,
        [Cause::Write, Cause::Expiry, Cause::Applied]
    );
    assert_eq!(b.causes().await, [Cause::Applied, Cause::Write]);
}

#[tokio::test]
async fn a_write_of_the_very_same_stamp_wins_over_the_end_of_what_it_beats() {
    let (a, b) = (
        Region::open(MemStore::new(), A, &[A, B]).await,
        Region::open(MemStore::new(), B, &[A, B]).await,
    );
    // Both clocks stand still: the higher region's write is the later one.
    a.put("session", number(START)).await;
    b.put("session", number(START + 600)).await;
    a.wait(60);
    assert_eq!(a.expire().await.items, 1);
    b.wait(60);
    b.pull(&a, A).await;
    a.pull(&b, B).await;
    assert!(a.has("session").await && b.has("session").await);
    a.assert_same(&b);
}

#[tokio::test]
async fn whoever_ends_an_item_gives_the_end_to_a_replica_that_is_filled() {
    let (a, b) = (
        Region::open(MemStore::new(), A, &[A, B]).await,
        Region::open(MemStore::new(), B, &[A, B]).await,
    );
    b.put("session", number(START)).await;
    a.pull(&b, B).await;
    a.wait(EXPIRY_GRACE_SECS + 1);
    assert_eq!(a.expire().await.items, 1);
    let page = a.tables.copy_page(SESSIONS, None, 1 << 20, Some(A)).await;
    let [tombstone] = &page.expect("read").items[..] else {
        panic!("the tombstone, which has the version of B's write");
    };
    assert_eq!(
        (&tombstone.image, tombstone.stamp.version.origin),
        (&None, B)
    );
    // A region that gets the end before what it ends is without the item all the same.
    let again = Region::open(MemStore::new(), B, &[A, B]).await;
    again.wait(EXPIRY_GRACE_SECS + 1);
    again.pull(&a, A).await;
    assert!(!again.has("session").await);
}

#[tokio::test]
async fn two_regions_that_delete_one_item_agree() {
    let (a, b) = (
        Region::open(MemStore::new(), A, &[A, B]).await,
        Region::open(MemStore::new(), B, &[A, B]).await,
    );
    a.put("session", number(START)).await;
    b.pull(&a, A).await;
    for region in [&a, &b] {
        region.wait(1);
    }
    assert_eq!(
        b.expire().await.items,
        0,
        "it is left to the region that wrote it"
    );
    for region in [&a, &b] {
        region.wait(EXPIRY_GRACE_SECS);
    }
    assert_eq!((a.expire().await.items, b.expire().await.items), (1, 1));
    a.pull(&b, B).await;
    b.pull(&a, A).await;
    a.assert_same(&b);
    for region in [&a, &b] {
        assert!(!region.has("session").await);
        assert!(
            region
                .tables
                .conflicts(SESSIONS, 9)
                .await
                .expect("read")
                .is_empty()
        );
    }
    // Both have one tombstone, the same, and it survives a restart.
    let copy = async |region: &Region| {
        let page = region.tables.copy_page(SESSIONS, None, 1 << 20, None).await;
        page.expect("read").items
    };
    let tombstones = copy(&a).await;
    assert_eq!(tombstones, copy(&b).await);
    assert_eq!(tombstones.len(), 1);
    let again = Region::open(a.store.crash(), A, &[A, B]).await;
    assert_eq!(copy(&again).await, tombstones);
}

#[tokio::test]
async fn a_tombstone_is_collected_by_when_it_was_recorded() {
    let a = Region::open(MemStore::new(), A, &[A, B]).await;
    a.put("session", number(START)).await;
    a.wait(60);
    a.expire().await;
    let at = |seconds: i64| Hlc((START + seconds) * 1_000_000);
    for (limit, is_kept) in [(30, true), (90, false)] {
        a.tables
            .collect_tombstones(at(limit))
            .await
            .expect("collected");
        let is_empty = a.tables.is_empty(SESSIONS).await.expect("read");
        assert_eq!(
            !is_empty, is_kept,
            "a region may lack it until its record is everywhere"
        );
    }
}

#[tokio::test]
async fn the_planted_mistake_is_one() {
    let (a, b) = (
        Region::open(MemStore::new(), A, &[A, B]).await,
        Region::open(MemStore::new(), B, &[A, B]).await,
    );
    a.tables.lock().planted = Planted::TtlStampedNow;
    a.put("session", number(START)).await;
    b.pull(&a, A).await;
    b.put("session", number(START + 600)).await;
    a.wait(60);
    b.wait(60);
    a.expire().await;
    a.pull(&b, B).await;
    assert!(!a.has("session").await, "the write is lost");
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_told_and_holds_up_no_other() {
    let region = Region::open(MemStore::new(), A, &[A]).await;
    for id in ["one", "two", "three"] {
        region.put(id, number(START + 1)).await;
    }
    let key = Key {
        partition: "two".into(),
        sort: None,
    };
    let key = layout::item_key(SESSIONS, &layout::item_suffix(&key));
    let mut batch = Batch::default();
    batch.put(Space::Items, key, vec![0xff]);
    let done = Box::new(|result: Result<(), _>| result.expect("written"));
    region.store.submit(batch, Durability::Disk, done);
    region.wait(2);
    let expired = region.expire().await;
    assert_eq!((expired.items, expired.damaged.len()), (2, 1));
    assert_eq!(expired.damaged[0].table, SESSIONS);
    assert!(!region.has("one").await && !region.has("three").await);
    assert_eq!(
        region.expire().await.damaged,
        expired.damaged,
        "the same one"
    );
}

#[tokio::test]
async fn an_entry_that_names_no_item_is_told_and_holds_up_no_item() {
    let region = Region::open(MemStore::new(), A, &[A]).await;
    region.put("one", number(START + 1)).await;
    let def = region.tables.table(SESSIONS).expect("the table");
    let expiry = def.expiry.as_ref().expect("its expiry").id;
    // Before the item's entry, as a page is read.
    let mut key = layout::index_prefix(SESSIONS, expiry);
    key.extend_from_slice(&u64::try_from(START).unwrap().to_be_bytes());
    let mut batch = Batch::default();
    batch.put(Space::Indexes, key, Vec::new());
    let done = Box::new(|result: Result<(), _>| result.expect("written"));
    region.store.submit(batch, Durability::Disk, done);
    region.wait(2);
    let expired = region.expire().await;
    assert_eq!((expired.items, expired.damaged.len()), (1, 1));
    assert!(!region.has("one").await);
}
