//! Indexes against a naive model: whatever is written, defined and crashed meanwhile, an index
//! holds what its definition says of the items that are there, and counts it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use base::name::TableId;
use base::region::RegionId;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::codec;
use item::key::{Key, KeyAttribute, KeyKind, KeySchema, KeyValue, encode_sort};
use item::number::Number;
use item::size::item_size;
use item::value::{AttributeValue, Item};
use replica_core::frame::copy::CopyItem;
use store::memory::MemStore;
use store::port::{Batch, Durability, Order, Range, Space, Store};
use tokio::task::JoinSet;

use super::fact::Fact;
use super::read::{IndexQuery, IndexScan, Place};
use crate::def::{ExpiryDef, HistoryDef, IndexDef, IndexId, TableDef};
use crate::layout::meta;
use crate::limits::STEP_ROWS;
use crate::read::Scan;
use crate::tables::{Options, Tables};
use crate::write::{Effect, Write};

const HERE: RegionId = RegionId(1);
const THERE: RegionId = RegionId(2);
const ORDERS: TableId = TableId(1 << 20);

struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment::from_micros(1)
    }

    fn wall(&self) -> WallTime {
        WallTime::from_micros(1)
    }
}

impl Entropy for Still {
    fn random(&self) -> u64 {
        7
    }
}

/// A seeded sequence of choices.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn attribute(name: &str, kind: KeyKind) -> KeyAttribute {
    let name = name.to_owned();
    KeyAttribute { name, kind }
}

fn schema() -> KeySchema {
    KeySchema {
        partition: attribute("customer", KeyKind::S),
        sort: Some(attribute("order", KeyKind::N)),
    }
}

/// Four indexes of different shapes, of which a definition takes some.
fn index(number: u64) -> IndexDef {
    let (s, n) = (KeyKind::S, KeyKind::N);
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let (partition, sort, names) = match number % 4 {
        0 => (vec![("state", s)], vec![("total", n)], None),
        1 => (vec![("customer", s)], vec![("total", n)], names(&[])),
        2 => (
            vec![("state", s), ("city", s)],
            vec![("total", n), ("note", s)],
            names(&["extra"]),
        ),
        _ => (vec![("total", n)], vec![], names(&["note"])),
    };
    let own = |keys: Vec<(&str, KeyKind)>| {
        let keys = keys.into_iter().map(|(name, kind)| attribute(name, kind));
        keys.collect()
    };
    let id = IndexId(IndexId::FIRST + number);
    IndexDef::new(id, &schema(), own(partition), own(sort), names)
}

fn def(indexes: Vec<IndexDef>) -> TableDef {
    TableDef {
        id: ORDERS,
        schema: schema(),
        replicas: BTreeSet::from([HERE]),
        filling: false,
        resolver: crate::def::Resolver::Item,
        history: HistoryDef::default(),
        indexes,
        expiry: Some(ExpiryDef {
            id: IndexId(IndexId::FIRST - 1),
            attribute: "total".to_owned(),
        }),
    }
}

async fn open(store: &MemStore) -> Tables<MemStore> {
    let options = Options {
        region: HERE,
        members: BTreeSet::from([HERE, THERE]),
        clock: Arc::new(Still),
        entropy: Arc::new(Still),
        durability: Durability::Disk,
    };
    Tables::open(store.clone(), options).await.expect("opened")
}

fn key(number: u64) -> Key {
    Key {
        partition: KeyValue::from(format!("c{}", number % 5).as_str()),
        sort: Some(KeyValue::from(i64::try_from(number).expect("small"))),
    }
}

/// An item whose other attributes come and go, and change their types.
fn item(dice: &mut Dice, number: u64) -> Item {
    let mut item = key(number).to_item(&schema());
    let mut set = |name: &str, value: AttributeValue| {
        item.insert(name.to_owned(), value);
    };
    for name in ["state", "city", "note", "extra"] {
        match dice.roll(5) {
            0 => {}
            1 => set(name, AttributeValue::Bool(true)),
            2 => set(name, AttributeValue::S(String::new())),
            other => set(name, AttributeValue::S(format!("v{other}"))),
        }
    }
    match dice.roll(6) {
        0 => {}
        1 => set("total", AttributeValue::S("many".to_owned())),
        _ => {
            let total = i64::try_from(dice.roll(9)).expect("small") - 2;
            set("total", AttributeValue::N(Number::from(total)));
        }
    }
    item
}

async fn write(tables: Tables<MemStore>, number: u64, item: Option<Item>) -> bool {
    let write = Write {
        table: tables.table(ORDERS).expect("defined"),
        key: key(number),
        decide: Box::new(|_| Ok(item.map_or(Effect::Delete, Effect::Put))),
    };
    tables.write(write).await.is_ok()
}

async fn items(tables: &Tables<MemStore>) -> Vec<Item> {
    let mut scan = Scan {
        table: tables.table(ORDERS).expect("defined"),
        segment: (0, 1),
        after: None,
        limit: None,
    };
    let mut items = Vec::new();
    loop {
        let page = tables.scan(&scan).await.expect("read");
        let rows = page.rows.iter();
        items.extend(rows.map(|row| codec::decode(&row.image).expect("an item")));
        match page.last {
            Some(last) => scan.after = Some(last),
            None => return items,
        }
    }
}

/// What an item's entry is by the definition: its place, and what it holds.
fn expected(index: &IndexDef, item: &Item) -> Option<(Place, Item)> {
    let value = |key: &KeyAttribute| {
        let value = KeyValue::from_attribute(item.get(&key.name)?)?;
        let is_empty = matches!(&value, KeyValue::S(text) if text.is_empty());
        (value.kind() == key.kind && !is_empty).then_some(value)
    };
    let all = |keys: &[KeyAttribute]| keys.iter().map(value).collect::<Option<Vec<_>>>();
    let place = Place {
        partition: all(&index.partition)?,
        sort: all(&index.sort)?,
        key: schema().key_of(item).expect("a key"),
    };
    let held = item.iter().filter(|(name, _)| index.holds(name));
    let held = held.map(|(name, value)| (name.clone(), value.clone()));
    Some((place, held.collect()))
}

fn place_of(index: &IndexDef, held: &Item) -> Place {
    expected(index, held).expect("an entry holds its keys").0
}

/// Checks each index of the definition against the items, and what the store holds of others.
async fn check(tables: &Tables<MemStore>, store: &MemStore) {
    let def = tables.table(ORDERS).expect("defined");
    let items = items(tables).await;
    let bytes = items.iter().map(|item| item_size(item) as u64).sum();
    assert_eq!(
        tables.size(ORDERS),
        (items.len() as u64, bytes),
        "the table's size"
    );
    let mut total = 0;
    for index in &def.indexes {
        let mut places: BTreeMap<Vec<KeyValue>, Vec<(Place, Item)>> = BTreeMap::new();
        let entries: Vec<_> = items
            .iter()
            .filter_map(|item| expected(index, item))
            .collect();
        let bytes = entries.iter().map(|(_, held)| item_size(held) as u64).sum();
        let state = tables.index_state(ORDERS, index.id).expect("known");
        assert!(state.is_ready, "nothing is left to be built");
        assert_eq!(
            (state.items, state.bytes),
            (entries.len() as u64, bytes),
            "{index:?}"
        );
        total += entries.len();
        for (place, held) in entries {
            places
                .entry(place.partition.clone())
                .or_default()
                .push((place, held));
        }
        let mut scanned = scan_all(tables, index.id, 1).await;
        let mut halves = scan_all(tables, index.id, 2).await;
        let mut all: Vec<Item> = places
            .values()
            .flatten()
            .map(|(_, held)| held.clone())
            .collect();
        for items in [&mut scanned, &mut halves, &mut all] {
            items.sort_by_key(|item| format!("{item:?}"));
        }
        assert_eq!(scanned, all, "{index:?}");
        assert_eq!(halves, all, "in two segments");
        for (partition, entries) in places {
            check_partition(tables, index, partition, entries).await;
        }
    }
    let expiring = items.iter().filter(|item| {
        let total = item.get("total").and_then(AttributeValue::as_n);
        total
            .and_then(Number::to_i64)
            .is_some_and(|total| total >= 0)
    });
    let range = Range {
        space: Space::Indexes,
        from: Bound::Unbounded,
        to: Bound::Unbounded,
        order: Order::Ascending,
        rows_max: usize::MAX,
        bytes_max: usize::MAX,
    };
    let rows = store.range(range).await.expect("read").rows.len();
    assert_eq!(
        rows,
        total + expiring.count(),
        "no entry of anything else is left"
    );
}

async fn scan_all(tables: &Tables<MemStore>, id: IndexId, segments: u32) -> Vec<Item> {
    let table = tables.table(ORDERS).expect("defined");
    let index = table.index(id).expect("an index").clone();
    let mut found = Vec::new();
    for segment in 0..segments {
        let mut scan = IndexScan {
            table: Arc::clone(&table),
            index: id,
            segment: (segment, segments),
            after: None,
            limit: Some(100),
        };
        loop {
            let page = tables.scan_index(&scan).await.expect("read");
            let held = page
                .images
                .iter()
                .map(|image| codec::decode(image).expect("an item"));
            found.extend(held);
            match found.last().filter(|_| page.more) {
                Some(last) => scan.after = Some(place_of(&index, last)),
                None => break,
            }
        }
    }
    found
}

/// Checks a partition in both directions, page by page, and one range of it.
async fn check_partition(
    tables: &Tables<MemStore>,
    index: &IndexDef,
    partition: Vec<KeyValue>,
    mut entries: Vec<(Place, Item)>,
) {
    entries.sort_by(|(one, _), (two, _)| one.sort.cmp(&two.sort));
    let sorts = |entries: &[(Place, Item)]| -> Vec<Vec<KeyValue>> {
        entries
            .iter()
            .map(|(place, _)| place.sort.clone())
            .collect()
    };
    let mut query = IndexQuery {
        table: tables.table(ORDERS).expect("defined"),
        index: index.id,
        partition,
        from: Bound::Unbounded,
        to: Bound::Unbounded,
        order: Order::Ascending,
        after: None,
        limit: Some(3),
    };
    for order in [Order::Ascending, Order::Descending] {
        query.order = order;
        query.after = None;
        let mut found = Vec::new();
        loop {
            let page = tables.query_index(&query).await.expect("read");
            for image in &page.images {
                let held = codec::decode(image).expect("an item");
                found.push((place_of(index, &held), held));
            }
            match found.last().filter(|_| page.more) {
                Some((place, _)) => query.after = Some(place.clone()),
                None => break,
            }
        }
        if order == Order::Descending {
            found.reverse();
        }
        assert_eq!(sorts(&found), sorts(&entries), "{index:?}");
    }
    if !index.sort.is_empty() {
        query.order = Order::Ascending;
        query.after = None;
        query.limit = None;
        check_bounds(tables, query, &entries).await;
    }
}

/// Checks what bounds of the first sort attribute, a number, leave of a partition.
async fn check_bounds(tables: &Tables<MemStore>, mut query: IndexQuery, entries: &[(Place, Item)]) {
    let bound = encode_sort(&KeyValue::from(1));
    for (from, to, keeps) in [
        (
            Bound::Included(bound.clone()),
            Bound::Unbounded,
            [false, true, true],
        ),
        (
            Bound::Excluded(bound.clone()),
            Bound::Unbounded,
            [false, false, true],
        ),
        (
            Bound::Unbounded,
            Bound::Included(bound.clone()),
            [true, true, false],
        ),
        (
            Bound::Unbounded,
            Bound::Excluded(bound.clone()),
            [true, false, false],
        ),
    ] {
        (query.from, query.to) = (from, to);
        let page = tables.query_index(&query).await.expect("read");
        let one = KeyValue::from(1);
        let keeps = |entry: &&(Place, Item)| match entry.0.sort[0].cmp(&one) {
            std::cmp::Ordering::Less => keeps[0],
            std::cmp::Ordering::Equal => keeps[1],
            std::cmp::Ordering::Greater => keeps[2],
        };
        let count = entries.iter().filter(keeps).count();
        assert_eq!(page.images.len(), count, "{:?}..{:?}", query.from, query.to);
    }
}

/// Runs one seed: writes, redefinitions, a builder and crashes, all at once on a held store.
async fn run(seed: u64) {
    let mut dice = Dice(seed);
    let items = (STEP_ROWS as u64) * 5 / 2;
    let mut store = MemStore::new();
    let mut tables = open(&store).await;
    tables.define(def(vec![index(0)]));
    for number in 0..items {
        let item = item(&mut dice, number);
        assert!(write(tables.clone(), number, Some(item)).await);
    }
    store.hold();
    let mut tasks = JoinSet::new();
    let mut wanted = vec![index(0)];
    let mut made = 4;
    for _ in 0..600 {
        match dice.roll(40) {
            0 => {
                if wanted.len() > 2 || dice.roll(3) == 0 {
                    let gone = dice.roll(wanted.len().max(1) as u64);
                    if !wanted.is_empty() {
                        wanted.remove(usize::try_from(gone).expect("small"));
                    }
                } else {
                    wanted.push(index(made));
                    made += 1;
                }
                tables.define(def(wanted.clone()));
            }
            1 | 2 => {
                let tables = tables.clone();
                tasks.spawn(async move { drop(tables.settle_indexes().await) });
            }
            3 if dice.roll(6) == 0 => {
                store = store.crash();
                tables = reopen(&store).await;
                tables.define(def(wanted.clone()));
            }
            4 => store.persist(),
            5..=20 => {
                store.step(usize::try_from(dice.roll(6)).expect("small"));
            }
            _ => {
                let number = dice.roll(items + 50);
                let item = (dice.roll(4) > 0).then(|| item(&mut dice, number));
                let tables = tables.clone();
                tasks.spawn(async move {
                    write(tables, number, item).await;
                });
            }
        }
        tokio::task::yield_now().await;
    }
    stepping(&store, async { while tasks.join_next().await.is_some() {} }).await;
    settle(&tables, &store).await;
    check(&tables, &store).await;
    // What is in memory is what is on disk.
    store.persist();
    let store = store.crash();
    let tables = reopen(&store).await;
    tables.define(def(wanted));
    settle(&tables, &store).await;
    check(&tables, &store).await;
}

/// Opens the tables of a held store, which may have to write first.
async fn reopen(store: &MemStore) -> Tables<MemStore> {
    stepping(store, open(store)).await
}

async fn settle(tables: &Tables<MemStore>, store: &MemStore) {
    let settled = stepping(store, tables.settle_indexes()).await;
    settled.expect("settled");
}

async fn stepping<T>(store: &MemStore, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::task::yield_now() => drop(store.step(1)),
        }
    }
}

#[tokio::test]
async fn an_index_is_what_its_definition_says_of_the_items() {
    for seed in 0..40 {
        run(seed).await;
    }
}

#[tokio::test]
async fn items_that_came_before_their_table_was_known_are_indexed() {
    let store = MemStore::new();
    let tables = open(&store).await;
    let mut dice = Dice(3);
    let source = open(&MemStore::new()).await;
    source.define(def(Vec::new()));
    for number in 0..20 {
        write(source.clone(), number, Some(item(&mut dice, number))).await;
    }
    let copied = source.copy_page(ORDERS, None, usize::MAX, None).await;
    let (mut first, second): (Vec<CopyItem>, Vec<CopyItem>) = {
        let mut items = copied.expect("read").items;
        let second = items.split_off(10);
        (items, second)
    };
    // Known with an index first, then not known, then known again.
    tables.define(def(vec![index(0)]));
    tables
        .merge_copy(ORDERS, std::mem::take(&mut first))
        .await
        .expect("merged");
    let store = store.crash();
    let tables = open(&store).await;
    tables.merge_copy(ORDERS, second).await.expect("merged");
    let store = store.crash();
    let tables = open(&store).await;
    tables.define(def(vec![index(0), index(1)]));
    tables.settle_indexes().await.expect("settled");
    assert_eq!(items(&tables).await.len(), 20);
    check(&tables, &store).await;
}

#[tokio::test]
async fn an_index_whose_definition_is_not_known_waits_for_it() {
    let store = MemStore::new();
    let mut dice = Dice(6);
    let tables = open(&store).await;
    tables.define(def(vec![index(0)]));
    for number in 0..30 {
        write(tables.clone(), number, Some(item(&mut dice, number))).await;
    }
    // As a crash leaves it in the middle of its build.
    let mut batch = Batch::default();
    let begun = Fact::to_build().encode();
    batch.put(Space::Meta, meta::index(ORDERS, index(0).id), begun);
    let written = tables.commit(batch, Durability::Disk).await;
    written.expect("written");
    let store = store.crash();
    let tables = open(&store).await;
    tokio::select! {
        settled = tables.settle_indexes() => settled.expect("settled"),
        () = yields(1_000) => panic!("it builds what it cannot build"),
    }
    tables.define(def(vec![index(0)]));
    tokio::select! {
        () = tables.indexes_due() => {}
        () = yields(1_000) => panic!("nobody says that it can be built"),
    }
    tables.settle_indexes().await.expect("settled");
    check(&tables, &store).await;
}

async fn yields(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_table_that_is_gone_leaves_no_entries() {
    let store = MemStore::new();
    let tables = open(&store).await;
    let mut dice = Dice(5);
    tables.define(def(vec![index(0), index(2)]));
    for number in 0..30 {
        write(tables.clone(), number, Some(item(&mut dice, number))).await;
    }
    tables.forget(ORDERS);
    tables.erase(ORDERS).await.expect("erased");
    tables.settle_indexes().await.expect("settled");
    for space in [Space::Indexes, Space::Items] {
        let range = Range {
            space,
            from: Bound::Unbounded,
            to: Bound::Unbounded,
            order: Order::Ascending,
            rows_max: 9,
            bytes_max: usize::MAX,
        };
        let rows = store.range(range).await.expect("read").rows;
        assert_eq!(rows, Vec::new());
    }
    assert_eq!(tables.index_state(ORDERS, index(0).id), None);
    tables.define(def(vec![index(0)]));
    write(tables.clone(), 1, Some(item(&mut dice, 1))).await;
    tables.settle_indexes().await.expect("settled");
    check(&tables, &store).await;
}

#[tokio::test]
async fn an_index_of_an_empty_table_is_ready_at_once() {
    let tables = open(&MemStore::new()).await;
    tables.define(def(vec![index(0)]));
    let state = tables.index_state(ORDERS, index(0).id).expect("known");
    assert!(state.is_ready);
}
