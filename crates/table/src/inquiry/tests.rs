//! Tests of what is answered of a table.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::name::TableId;
use base::region::RegionId;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::value::{AttributeValue, Item};
use replica_core::digest::Digest;
use replica_core::inquiry::{Answer, Asked, FANOUT, Listed, Unable};
use store::memory::MemStore;

use crate::def::{HistoryDef, Resolver, TableDef};
use crate::layout;
use crate::tables::{Options, Tables};
use crate::write::{Effect, Write};

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const C: RegionId = RegionId(3);
const CARTS: TableId = TableId(1 << 20);

#[derive(Default)]
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        let micros = self.0.fetch_add(1, Ordering::Relaxed);
        WallTime::from_micros(i64::try_from(micros).expect("small"))
    }
}

impl Entropy for Ticks {
    fn random(&self) -> u64 {
        7
    }
}

async fn open() -> Tables<MemStore> {
    let options = Options {
        region: A,
        members: BTreeSet::from([A, B, C]),
        clock: Arc::new(Ticks::default()),
        entropy: Arc::new(Ticks::default()),
        durability: store::port::Durability::Disk,
    };
    let tables = Tables::open(MemStore::new(), options).await.expect("open");
    define(&tables, &[A, B], false);
    tables
}

fn define(tables: &Tables<MemStore>, replicas: &[RegionId], filling: bool) {
    tables.define(TableDef {
        id: CARTS,
        schema: KeySchema {
            partition: KeyAttribute {
                name: "id".to_owned(),
                kind: KeyKind::S,
            },
            sort: None,
        },
        replicas: replicas.iter().copied().collect(),
        filling,
        resolver: Resolver::Item,
        history: HistoryDef::default(),
        indexes: Vec::new(),
        expiry: None,
    });
}

fn key(id: &str) -> Key {
    Key {
        partition: id.into(),
        sort: None,
    }
}

async fn write(tables: &Tables<MemStore>, id: &str, effect: Effect) {
    let write = Write {
        table: tables.table(CARTS).expect("defined"),
        key: key(id),
        decide: Box::new(move |_: &_| Ok(effect)),
    };
    tables.write(write).await.expect("written");
}

fn item(id: &str) -> Effect {
    Effect::Put(Item::from_iter([(
        "id".to_owned(),
        AttributeValue::S(id.to_owned()),
    )]))
}

async fn sums(tables: &Tables<MemStore>, what: Asked) -> Vec<Digest> {
    match tables.inquire(B, CARTS, &what).await {
        Answer::Sums(standing, sums) => {
            assert_eq!(standing.applied, standing.touched, "nothing is written");
            sums
        }
        other @ (Answer::Listed(..) | Answer::Unable(_)) => panic!("{other:?}"),
    }
}

async fn list(tables: &Tables<MemStore>, id: &str) -> Listed {
    let bucket = layout::bucket(&layout::item_suffix(&key(id)));
    let what = Asked::List {
        bucket,
        behind: None,
        to: None,
    };
    match tables.inquire(B, CARTS, &what).await {
        Answer::Listed(_, listed) => listed,
        other @ (Answer::Sums(..) | Answer::Unable(_)) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn sums_of_groups_buckets_and_entries_are_of_the_same_items() {
    let tables = open().await;
    for id in 0..300 {
        let id = id.to_string();
        write(&tables, &id, item(&id)).await;
    }
    write(&tables, "7", Effect::Delete).await;
    let groups = sums(&tables, Asked::Groups).await;
    assert_eq!(groups.len(), FANOUT);
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let buckets = sums(&tables, Asked::Buckets(all)).await;
    let (per_group, rest) = buckets.as_chunks::<FANOUT>();
    assert!(rest.is_empty());
    for (group, buckets) in groups.iter().zip(per_group) {
        assert_eq!(*group, super::sum(buckets));
    }
    let whole = super::sum(&groups);
    assert_eq!(whole, tables.digest(CARTS).0);
    let mut listed = Digest::default();
    let mut buckets = BTreeSet::new();
    for id in 0..300 {
        let id = id.to_string();
        if buckets.insert(layout::bucket(&layout::item_suffix(&key(&id)))) {
            let found = list(&tables, &id).await;
            assert!(!found.more);
            let sums = found.entries.iter().filter_map(|entry| entry.held.sum);
            sums.for_each(|sum| listed.merge(sum));
        }
    }
    assert_eq!(listed, whole);
    let deleted = list(&tables, "7").await.entries;
    let suffix = layout::item_suffix(&key("7"));
    let seven = deleted.iter().find(|entry| entry.key == suffix);
    assert_eq!(seven.expect("its tombstone").held.sum, None);
}

#[tokio::test]
async fn a_range_is_behind_one_key_and_up_to_another_and_in_its_bucket() {
    let tables = open().await;
    write(&tables, "a", item("a")).await;
    let suffix = layout::item_suffix(&key("a"));
    let bucket = layout::bucket(&suffix);
    let ask = async |bucket, behind, to| {
        let what = Asked::List { bucket, behind, to };
        match tables.inquire(B, CARTS, &what).await {
            Answer::Listed(_, listed) => Ok(listed.entries.len()),
            Answer::Unable(unable) => Err(unable),
            other @ Answer::Sums(..) => panic!("{other:?}"),
        }
    };
    assert_eq!(ask(bucket, None, Some(suffix.clone())).await, Ok(1));
    assert_eq!(ask(bucket, Some(suffix.clone()), None).await, Ok(0));
    assert_eq!(ask(bucket ^ 1, None, None).await, Ok(0));
    assert!(ask(bucket ^ 1, None, Some(suffix)).await.is_err());
}

#[tokio::test]
async fn what_is_not_whole_here_is_not_compared() {
    let tables = open().await;
    let unable = async |peer| match tables.inquire(peer, CARTS, &Asked::Groups).await {
        Answer::Unable(unable) => Some(unable),
        Answer::Sums(..) | Answer::Listed(..) => None,
    };
    assert_eq!(unable(B).await, None);
    assert!(matches!(unable(C).await, Some(Unable::Failed(_))));
    define(&tables, &[A, B], true);
    assert_eq!(unable(B).await, Some(Unable::Filling));
    define(&tables, &[B, C], false);
    assert_eq!(unable(B).await, Some(Unable::NoReplica));
    let unknown = tables.inquire(B, TableId(9 << 20), &Asked::Groups).await;
    assert_eq!(unknown, Answer::Unable(Unable::NoReplica));
}
