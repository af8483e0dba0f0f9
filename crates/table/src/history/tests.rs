//! Tests of histories and of going back in time, against a model that remembers every moment.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use base::name::TableId;
use base::region::RegionId;
use bytes::Bytes;
use clock::hlc::Hlc;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::value::{AttributeValue, Item};
use store::memory::MemStore;
use store::port::Durability;

use super::{Cause, Event, Place, Portion};
use crate::def::{HistoryDef, Images, TableDef};
use crate::read::Scan;
use crate::rewind::{BackupId, RewindError, Source};
use crate::tables::{Options, Tables};
use crate::write::{Effect, Write};

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const CARTS: TableId = TableId(1 << 20);
const SCRATCH: TableId = TableId(2 << 20);
const START: i64 = 1_000_000_000;

/// Everything that a history can have.
const ALL: HistoryDef = HistoryDef {
    stream: Some(Images {
        old: true,
        new: true,
    }),
    rewinds: true,
};

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

/// Numbers that look random, the same for each seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

type Contents = BTreeMap<String, Bytes>;

struct Region {
    id: RegionId,
    store: MemStore,
    clock: Arc<TestClock>,
    tables: Tables<MemStore>,
    carts: Arc<TableDef>,
}

fn def(id: TableId, replicas: &[RegionId], history: HistoryDef) -> TableDef {
    let partition = KeyAttribute {
        name: "id".to_owned(),
        kind: KeyKind::S,
    };
    TableDef {
        id,
        schema: KeySchema {
            partition,
            sort: None,
        },
        replicas: replicas.iter().copied().collect(),
        filling: false,
        resolver: crate::def::Resolver::Item,
        indexes: Vec::new(),
        expiry: None,
        history,
    }
}

impl Region {
    async fn open(id: RegionId, store: MemStore, def: TableDef, wall: i64) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(wall)));
        let options = Options {
            region: id,
            members: BTreeSet::from([A, B]),
            clock: clock.clone(),
            entropy: Arc::new(Counter::default()),
            durability: Durability::Disk,
        };
        let tables = Tables::open(store.clone(), options).await.expect("opened");
        let carts = tables.define(def);
        Self {
            id,
            store,
            clock,
            tables,
            carts,
        }
    }

    async fn both(id: RegionId) -> Self {
        Self::open(id, MemStore::new(), def(CARTS, &[A, B], ALL), START).await
    }

    /// Cuts the power; the wall clock comes back `later`, or earlier where that is negative.
    async fn crash(&self, later: i64) -> Self {
        let wall = self.clock.0.load(Ordering::Relaxed) + later;
        let def = TableDef::clone(&self.carts);
        Self::open(self.id, self.store.crash(), def, wall).await
    }

    async fn set(&self, changes: &[(&str, Option<u64>)]) {
        let write = |(id, value): &(&str, Option<u64>)| {
            let effect = match value {
                Some(value) => Effect::Put(item(id, *value)),
                None => Effect::Delete,
            };
            Write {
                table: Arc::clone(&self.carts),
                key: Key {
                    partition: (*id).into(),
                    sort: None,
                },
                decide: Box::new(move |_| Ok(effect)),
            }
        };
        let writes = changes.iter().map(write).collect();
        self.tables.transact(writes).await.expect("written");
    }

    async fn pull(&self, from: &Self) {
        let after = self.tables.applied().at(from.id);
        let page = from.tables.read_log(from.id, after, 1 << 20).await;
        let page = page.expect("a page");
        let applied = self.tables.apply(from.id, after, page.to, page.records);
        applied.await.expect("applied");
    }

    async fn contents(&self, table: &Arc<TableDef>) -> Contents {
        let scan = Scan {
            table: Arc::clone(table),
            segment: (0, 1),
            after: None,
            limit: None,
        };
        let page = self.tables.scan(&scan).await.expect("read");
        let id = |image: &Bytes| {
            let item = item::codec::decode(image).expect("an item");
            item.get("id")
                .and_then(AttributeValue::as_s)
                .map(str::to_owned)
        };
        let row = |row: crate::read::Row| (id(&row.image).expect("a key"), row.image);
        page.rows.into_iter().map(row).collect()
    }

    /// Reads the whole history in small portions.
    async fn events(&self) -> Vec<Event> {
        let portion = Portion {
            events_max: 7,
            bytes_max: 1 << 20,
        };
        let (mut events, mut after) = (Vec::new(), Place::default());
        loop {
            let end = Hlc(i64::MAX);
            let page = self.tables.read_history(CARTS, after, end, portion).await;
            let page = page.expect("read");
            events.extend(page.events);
            after = events.last().map_or(after, |event| event.place);
            if !page.more {
                return events;
            }
        }
    }

    async fn restored(&self, from: Source) -> Result<Contents, RewindError> {
        let scratch = self
            .tables
            .define(def(SCRATCH, &[self.id], HistoryDef::default()));
        let measure = self.tables.restore(from, &scratch).await?;
        let contents = self.contents(&scratch).await;
        assert_eq!(measure.items, i64::try_from(contents.len()).unwrap());
        Ok(contents)
    }
}

fn item(id: &str, value: u64) -> Item {
    let mut item = Item::new();
    item.insert("id".to_owned(), AttributeValue::S(id.to_owned()));
    item.insert("value".to_owned(), AttributeValue::S(value.to_string()));
    item
}

/// Writes, merges, crashes and clock jumps in two regions; the first is watched.
async fn a_life(seed: u64) -> (Region, BTreeMap<Hlc, Contents>) {
    let mut chance = Chance(seed * 0x9e37_79b9 + 1);
    let (mut a, b) = (Region::both(A).await, Region::both(B).await);
    let mut model = BTreeMap::new();
    let ids: Vec<String> = (0..8).map(|number| format!("item-{number}")).collect();
    for step in 0..120 {
        let one = |chance: &mut Chance| {
            let id = usize::try_from(chance.below(8)).unwrap();
            let value = (chance.below(4) > 0).then_some(chance.below(3));
            (ids[id].as_str(), value)
        };
        match chance.below(12) {
            0..=4 => a.set(&[one(&mut chance)]).await,
            5 | 6 => b.set(&[one(&mut chance)]).await,
            7 => {
                let (first, second) = (one(&mut chance), one(&mut chance));
                if first.0 != second.0 {
                    a.set(&[first, second]).await;
                }
            }
            8 | 9 => a.pull(&b).await,
            10 => b.pull(&a).await,
            _ => {
                let back = i64::try_from(chance.below(200_000)).unwrap();
                a = a.crash(100_000 - back).await;
            }
        }
        let later = i64::try_from(chance.below(3_000)).unwrap();
        a.clock.0.fetch_add(later, Ordering::Relaxed);
        b.clock.0.fetch_add(later, Ordering::Relaxed);
        if step % 3 == 0 {
            let at = a.tables.instant().await.expect("an instant");
            model.insert(at, a.contents(&a.carts).await);
        }
    }
    (a, model)
}

#[tokio::test]
async fn a_history_replayed_from_nothing_gives_exactly_the_items() {
    for seed in 1..40 {
        let (a, _) = a_life(seed).await;
        let mut replayed = BTreeMap::new();
        let mut last = Place::default();
        for event in a.events().await {
            assert!(last < event.place, "seed {seed}: places go up");
            last = event.place;
            let key = event.key().expect("a key").partition;
            let id = key.to_attribute().as_s().expect("a text").to_owned();
            assert_eq!(event.old, replayed.get(&id).cloned(), "seed {seed}");
            assert_eq!(
                (event.was, event.is),
                (event.old.is_some(), event.new.is_some())
            );
            assert_ne!(
                event.old, event.new,
                "seed {seed}: a change changes something"
            );
            match event.new {
                Some(new) => replayed.insert(id, new),
                None => replayed.remove(&id),
            };
        }
        assert_eq!(replayed, a.contents(&a.carts).await, "seed {seed}");
    }
}

#[tokio::test]
async fn a_table_restored_to_a_moment_is_as_it_was_then() {
    for seed in 1..20 {
        let (a, model) = a_life(seed).await;
        for (at, contents) in &model {
            let restored = a.restored(Source::Table(CARTS, *at)).await;
            assert_eq!(restored.expect("restored"), *contents, "seed {seed} {at:?}");
        }
    }
}

#[tokio::test]
async fn a_backup_is_as_of_its_moment_whatever_is_written_meanwhile() {
    for seed in 1..10 {
        let (a, model) = a_life(seed).await;
        let (at, contents) = model.iter().nth(7).expect("a moment");
        let backup = BackupId(seed);
        a.set(&[("left-over", Some(1))]).await;
        let now = a.tables.instant().await.expect("an instant");
        // What an earlier attempt left there is gone.
        a.tables.back_up(CARTS, now, backup).await.expect("copied");
        let measure = a.tables.back_up(CARTS, *at, backup).await.expect("copied");
        assert_eq!(measure.items, i64::try_from(contents.len()).unwrap());
        let restored = a.restored(Source::Backup(backup)).await;
        assert_eq!(restored.expect("restored"), *contents);
        assert_eq!(a.tables.backups().await.expect("read"), [backup]);
        a.tables.drop_backup(backup).await.expect("dropped");
        assert_eq!(a.tables.backups().await.expect("read"), []);
    }
}

#[tokio::test]
async fn a_transaction_is_one_moment() {
    let a = Region::both(A).await;
    a.set(&[("1", Some(1)), ("2", Some(1)), ("3", Some(1))])
        .await;
    a.set(&[("1", None), ("2", Some(2))]).await;
    let events = a.events().await;
    let moments: Vec<_> = events.iter().map(|event| event.place.at).collect();
    assert_eq!(moments[0], moments[2]);
    assert!(moments[2] < moments[3]);
    assert_eq!(moments[3], moments[4]);
    let versions = events.iter().map(|event| event.version.hlc);
    assert_eq!(
        versions.collect::<Vec<_>>(),
        moments,
        "a write's version is its moment"
    );
}

#[tokio::test]
async fn events_go_on_above_what_was_recorded_where_the_clock_comes_back_early() {
    // With one replica no log keeps the clock's last stamp.
    let alone = def(CARTS, &[A], ALL);
    let a = Region::open(A, MemStore::new(), alone, START).await;
    a.set(&[("1", Some(1))]).await;
    let before = a.events().await[0].place;
    let a = a.crash(-500_000_000).await;
    a.set(&[("2", Some(2))]).await;
    assert!(before < a.events().await[1].place);
    let passed = a.tables.instant().await.expect("an instant");
    let a = a.crash(-900_000_000).await;
    a.set(&[("3", Some(3))]).await;
    assert!(passed < a.events().await[2].place.at);
    assert!(a.tables.has_passed(passed).await.expect("read"));
    assert!(!a.tables.has_passed(Hlc(START)).await.expect("read") || Hlc(START) < passed);
}

#[tokio::test]
async fn nothing_is_recorded_at_a_moment_that_has_passed() {
    let a = Region::both(A).await;
    let end = Hlc(START + 10);
    assert!(!a.tables.has_passed(end).await.expect("read"));
    a.clock.0.fetch_add(20, Ordering::Relaxed);
    assert!(a.tables.has_passed(end).await.expect("read"));
    let a = a.crash(-1_000_000).await;
    a.set(&[("1", Some(1))]).await;
    assert!(end <= a.events().await[0].place.at);
}

#[tokio::test]
async fn what_a_crash_could_take_back_is_not_told() {
    let (a, b) = (Region::both(A).await, Region::both(B).await);
    b.set(&[("1", Some(1))]).await;
    a.store.hold();
    let mut pull = pin!(a.pull(&b));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pull.as_mut().poll(&mut context).is_pending());
    while a.store.step(1) > 0 {}
    assert!(pull.as_mut().poll(&mut context).is_ready());
    // It can be read here, and is not on disk.
    let mut events = pin!(a.events());
    assert!(events.as_mut().poll(&mut context).is_pending());
    a.store.persist();
    let Poll::Ready(events) = events.as_mut().poll(&mut context) else {
        panic!("it is on disk")
    };
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].cause, Cause::Applied);
    assert_eq!(events[0].version.origin, B);
}

#[tokio::test]
async fn a_table_keeps_what_its_definition_asks_for_and_no_more() {
    let keeps = |old, new, rewinds| HistoryDef {
        stream: Some(Images { old, new }),
        rewinds,
    };
    let cases = [
        (HistoryDef::default(), None),
        (keeps(false, false, false), Some((false, false))),
        (keeps(true, false, false), Some((true, false))),
        (keeps(false, true, false), Some((false, true))),
        (keeps(false, false, true), Some((true, false))),
    ];
    for (history, expected) in cases {
        let table = def(CARTS, &[A, B], history);
        let a = Region::open(A, MemStore::new(), table, START).await;
        a.set(&[("1", Some(1))]).await;
        a.set(&[("1", Some(2))]).await;
        a.set(&[("1", Some(2))]).await;
        let events = a.events().await;
        let last = events
            .last()
            .map(|event| (event.old.is_some(), event.new.is_some()));
        assert_eq!(last, expected);
        assert_eq!(events.len(), if expected.is_some() { 2 } else { 0 });
    }
}

#[tokio::test]
async fn a_trimmed_history_goes_back_no_further() {
    let a = Region::both(A).await;
    let mut moments = Vec::new();
    for value in 0..600 {
        a.set(&[("1", Some(value))]).await;
        moments.push(a.tables.instant().await.expect("an instant"));
    }
    // A table of which everything is kept has the lowest floor that there is.
    for floor in [Hlc(0), Hlc(-1), Hlc(i64::MIN), Hlc(1)] {
        a.tables.trim_history(&|_| floor).await.expect("trimmed");
        assert_eq!(a.events().await.len(), 600, "{floor:?}");
    }
    let floor = moments[299];
    a.tables.trim_history(&|_| floor).await.expect("trimmed");
    assert_eq!(a.events().await.len(), 300);
    let early = a.restored(Source::Table(CARTS, moments[298])).await;
    assert!(matches!(early, Err(RewindError::Unknown(CARTS))));
    let late = a.restored(Source::Table(CARTS, moments[299])).await;
    assert_eq!(
        late.expect("restored")["1"],
        item::codec::encode(&item("1", 299))
    );
    // The edge survives a restart, and an end of the history makes it begin anew.
    let a = a.crash(0).await;
    assert_eq!(a.tables.unbroken(CARTS), Some(floor));
    a.tables.define(def(CARTS, &[A, B], HistoryDef::default()));
    assert_eq!(a.tables.unbroken(CARTS), None);
    a.tables.define(def(CARTS, &[A, B], ALL));
    assert!(moments.last().copied() < a.tables.unbroken(CARTS));
}

#[tokio::test]
async fn a_moment_that_has_not_come_cannot_be_gone_back_to() {
    let a = Region::both(A).await;
    let ahead = Source::Table(CARTS, Hlc(START + 1_000_000));
    assert!(matches!(a.restored(ahead).await, Err(RewindError::Future)));
}

#[tokio::test]
async fn a_change_costs_what_is_kept_of_it() {
    use store::port::{Order, Range, Space, Store};

    let keeps = |stream, rewinds| HistoryDef { stream, rewinds };
    let images = |old, new| Some(Images { old, new });
    // A change of an item of 1 KiB in a table of two regions: bytes of item, log and history.
    let cases = [
        (keeps(None, false), 0),
        (keeps(images(false, false), false), 41),
        (keeps(None, true), 1_072),
        (keeps(images(true, true), true), 2_099),
    ];
    for (history, expected) in cases {
        let table = def(CARTS, &[A, B], history);
        let a = Region::open(A, MemStore::new(), table, START).await;
        for value in ["x", "y"] {
            let mut item = item("1", 1);
            let filler = AttributeValue::S(value.repeat(1_024 - 24));
            item.insert("filler".to_owned(), filler);
            let write = Write {
                table: Arc::clone(&a.carts),
                key: Key {
                    partition: "1".into(),
                    sort: None,
                },
                decide: Box::new(move |_| Ok(Effect::Put(item))),
            };
            a.tables.write(write).await.expect("written");
        }
        let mut sizes = Vec::new();
        for space in [Space::Items, Space::Log, Space::History] {
            let range = Range {
                space,
                from: std::ops::Bound::Unbounded,
                to: std::ops::Bound::Unbounded,
                order: Order::Descending,
                rows_max: 1,
                bytes_max: usize::MAX,
            };
            let rows = a.store.range(range).await.expect("read").rows;
            let size = |(key, value): &(Bytes, Bytes)| key.len() + value.len();
            sizes.push(rows.first().map_or(0, size));
        }
        assert_eq!(sizes, [1_061, 1_094, expected], "{history:?}");
    }
}
