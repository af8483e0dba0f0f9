//! Items that merge, over three regions' stores and logs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base::name::TableId;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::number::Number;
use item::value::AttributeValue;
use store::memory::MemStore;
use store::port::{Durability, Space};

use super::*;
use crate::conflict::Conflict;
use crate::def::HistoryDef;
use crate::tables::Options;
use crate::write::{Current, Write};

const REGIONS: [RegionId; 3] = [RegionId(1), RegionId(2), RegionId(3)];
const CARTS: TableId = TableId(1 << 20);

#[derive(Default)]
struct Time(AtomicI64);

impl Clock for Time {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.load(Ordering::Relaxed).unsigned_abs())
    }

    fn wall(&self) -> WallTime {
        WallTime::from_micros(self.0.load(Ordering::Relaxed))
    }
}

struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn random(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

struct Region {
    id: RegionId,
    tables: Tables<MemStore>,
    carts: Arc<TableDef>,
    clock: Arc<Time>,
}

async fn regions(resolver: Resolver) -> Vec<Region> {
    let mut regions = Vec::new();
    for id in REGIONS {
        let clock = Arc::new(Time(AtomicI64::new(1_000_000)));
        let options = Options {
            region: id,
            members: BTreeSet::from(REGIONS),
            clock: clock.clone(),
            entropy: Arc::new(Seeded(AtomicU64::new(id.0.into()))),
            durability: Durability::Disk,
        };
        let tables = Tables::open(MemStore::new(), options)
            .await
            .expect("opened");
        let carts = tables.define(TableDef {
            id: CARTS,
            schema: KeySchema {
                partition: KeyAttribute {
                    name: "id".into(),
                    kind: KeyKind::S,
                },
                sort: None,
            },
            replicas: REGIONS.into_iter().collect(),
            filling: false,
            history: HistoryDef::default(),
            indexes: Vec::new(),
            expiry: None,
            resolver,
        });
        regions.push(Region {
            id,
            tables,
            carts,
            clock,
        });
    }
    regions
}

fn number(value: &AttributeValue) -> Option<i64> {
    value.as_n().and_then(Number::to_i64)
}

fn texts(text: &str) -> AttributeValue {
    AttributeValue::Ss([text.to_owned()].into())
}

impl Region {
    async fn write(&self, decide: impl FnOnce(Item) -> Effect + Send + Sync + 'static) {
        self.clock.0.fetch_add(10, Ordering::Relaxed);
        let write = Write {
            table: self.carts.clone(),
            key: Key {
                partition: "one".into(),
                sort: None,
            },
            decide: Box::new(move |current: &Current| {
                let mut item = current.item()?.unwrap_or_default();
                item.insert("id", "one");
                Ok(decide(item))
            }),
        };
        self.tables.write(write).await.expect("written");
    }

    async fn set(&self, name: &'static str, value: i64) {
        self.write(move |mut item| {
            item.insert(name, value);
            Effect::Update(item, vec![(name.to_owned(), Touched::Set)])
        })
        .await;
    }

    async fn add(&self, by: i64) {
        self.write(move |mut item| {
            let sum = item.get("n").and_then(number).unwrap_or(0) + by;
            item.insert("n", sum);
            Effect::Update(item, vec![("n".to_owned(), Touched::Add(by.into()))])
        })
        .await;
    }

    async fn item(&self) -> Option<Item> {
        let key = Key {
            partition: "one".into(),
            sort: None,
        };
        let row = self.tables.get(&self.carts, &key).await.expect("read")?;
        Some(codec::decode(&row.image).expect("an item"))
    }

    async fn shows(&self, name: &str) -> Option<i64> {
        self.item().await?.get(name).and_then(number)
    }

    /// Applies everything that another region has written.
    async fn pull(&self, from: &Self) {
        let after = self.tables.applied().at(from.id);
        let page = from.tables.read_log(from.id, after, 1 << 20).await;
        let page = page.expect("a page");
        let applied = self.tables.apply(from.id, after, page.to, page.records);
        applied.await.expect("applied");
    }

    async fn races(&self) -> Vec<Conflict> {
        self.tables.conflicts(CARTS, 100).await.expect("read")
    }
}

async fn meet(regions: &[Region]) {
    for at in regions {
        for from in regions.iter().filter(|from| from.id != at.id) {
            at.pull(from).await;
        }
    }
    let items = regions[0].item().await;
    for region in regions {
        assert_eq!(region.item().await, items);
        let digests = (
            region.tables.digest(CARTS).0,
            regions[0].tables.digest(CARTS).0,
        );
        assert_eq!(digests.0, digests.1);
    }
}

#[tokio::test]
async fn changes_of_different_attributes_both_stay_and_only_lost_ones_are_told() {
    for resolver in [Resolver::Attributes, Resolver::Counters] {
        let all = regions(resolver).await;
        all[0].set("a", 1).await;
        meet(&all).await;
        all[0].set("b", 2).await;
        all[1].set("c", 3).await;
        meet(&all).await;
        for region in &all {
            let shown = (
                region.shows("a").await,
                region.shows("b").await,
                region.shows("c").await,
            );
            assert_eq!(shown, (Some(1), Some(2), Some(3)));
            assert_eq!(region.races().await, vec![]);
        }
        all[0].set("a", 4).await;
        all[1].clock.0.fetch_add(100, Ordering::Relaxed);
        all[1].set("a", 5).await;
        all[1].set("b", 6).await;
        meet(&all).await;
        for region in &all {
            assert_eq!(region.shows("a").await, Some(5));
            let races = region.races().await;
            assert_eq!(races.len(), 1, "{races:?}");
            let lost = races[0].loser_image.as_deref().map(codec::decode);
            let lost = lost.expect("an image").expect("an item");
            assert_eq!(lost.get("a").and_then(number), Some(4));
            assert_eq!(
                (races[0].winner.origin, races[0].loser.origin),
                (REGIONS[1], REGIONS[0])
            );
        }
    }
}

#[tokio::test]
async fn attributes_count_nothing_and_counters_count_all() {
    // The value was set by who had added 3 to it, and has not seen 1 and 2 being added.
    for (resolver, sum) in [(Resolver::Attributes, 100), (Resolver::Counters, 103)] {
        let all = regions(resolver).await;
        all[0].set("n", 0).await;
        meet(&all).await;
        for (region, by) in all.iter().zip([1, 2, 3]) {
            region.add(by).await;
        }
        all[2].clock.0.fetch_add(100, Ordering::Relaxed);
        all[2].set("n", 100).await;
        all[0].add(0).await;
        meet(&all).await;
        assert_eq!(all[1].shows("n").await, Some(sum));
    }
}

#[tokio::test]
async fn sets_keep_what_was_added_while_others_took_out() {
    let all = regions(Resolver::Counters).await;
    all[0]
        .write(|mut item| {
            item.insert(
                "s",
                AttributeValue::Ss(["a", "b"].map(str::to_owned).into()),
            );
            Effect::Put(item)
        })
        .await;
    meet(&all).await;
    let touch = |item: Item, how| Effect::Update(item, vec![("s".to_owned(), how)]);
    all[0]
        .write(move |item| touch(item, Touched::Exclude(texts("a"))))
        .await;
    all[1]
        .write(move |item| touch(item, Touched::Include(texts("c"))))
        .await;
    meet(&all).await;
    let left = all[2].item().await.and_then(|item| item.get("s").cloned());
    assert_eq!(
        left,
        Some(AttributeValue::Ss(["b", "c"].map(str::to_owned).into()))
    );
}

#[tokio::test]
async fn an_item_that_is_written_whole_is_stored_as_in_every_other_table() {
    let (merging, plain) = (
        regions(Resolver::Counters).await,
        regions(Resolver::Item).await,
    );
    let mut stored = Vec::new();
    for all in [&merging, &plain] {
        let put = |mut item: Item| {
            item.insert("a", 1);
            Effect::Put(item)
        };
        all[0].write(put).await;
        all[0].write(put).await;
        let prefix = CARTS.0.to_be_bytes();
        let mut pages =
            crate::pages::Pages::with_prefix(&all[0].tables.inner.store, Space::Items, &prefix);
        let rows = pages.next().await.expect("read").expect("a page");
        let log = all[0]
            .tables
            .read_log(REGIONS[0], Seq(0), 1 << 20)
            .await
            .expect("read");
        let log: Vec<Vec<u8>> = log.records.iter().map(Record::encode).collect();
        stored.push((rows, log));
    }
    assert_eq!(stored[0], stored[1]);
}

#[tokio::test]
async fn a_copy_brings_what_is_merged_along() {
    let all = regions(Resolver::Counters).await;
    all[0].set("n", 5).await;
    all[1].add(2).await;
    all[0].pull(&all[1]).await;
    all[0].add(1).await;
    let page = all[0].tables.copy_page(CARTS, None, 1 << 20, None).await;
    let items = page.expect("read").items;
    for _ in 0..2 {
        all[2]
            .tables
            .merge_copy(CARTS, items.clone())
            .await
            .expect("merged");
    }
    all[2].add(10).await;
    meet(&all).await;
    assert_eq!(all[1].shows("n").await, Some(18));
}

#[tokio::test]
async fn removals_go_when_told_and_counting_begins_anew() {
    let all = regions(Resolver::Counters).await;
    all[0].add(5).await;
    meet(&all).await;
    all[1].write(|_| Effect::Delete).await;
    meet(&all).await;
    assert_eq!(all[0].item().await, None);
    all[0]
        .tables
        .collect_tombstones(Hlc(i64::MAX))
        .await
        .expect("collected");
    all[0].add(2).await;
    all[2].add(3).await;
    meet(&all).await;
    assert_eq!(all[1].shows("n").await, Some(5));
}

#[tokio::test]
async fn what_is_beside_an_item_is_bounded() {
    let all = regions(Resolver::Attributes).await;
    for from in 0..40 {
        all[0]
            .write(move |item| {
                let names = (from * 100..from * 100 + 100).map(|at| format!("name-{at:08}"));
                Effect::Update(item, names.map(|name| (name, Touched::Set)).collect())
            })
            .await;
    }
    let stored = all[0]
        .tables
        .copy_page(CARTS, None, 1 << 20, None)
        .await
        .expect("read");
    let beside = stored.items[0].merged.as_ref().map_or(0, Bytes::len);
    assert!(beside <= MERGED_BYTES, "{beside}");
    meet(&all).await;
}
