//! Tests of the conflict log's pages and of what is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::region::RegionId;
use clock::hlc::Hlc;
use clock::wall::System;
use item::codec;
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::value::{AttributeValue, Item};
use replica_core::merge::Stamp;
use replica_core::vector::Seq;
use store::memory::MemStore;
use store::port::Durability;

use super::restore::{Over, RestoreError};
use super::retention::{Keep, Seen};
use super::*;
use crate::def::TableDef;
use crate::tables::Options;

const CARTS: TableId = TableId(1 << 20);
const ORDERS: TableId = TableId(1 << 21);
const A: RegionId = RegionId(1);

async fn tables() -> Tables<MemStore> {
    let options = Options {
        region: A,
        members: BTreeSet::from([A]),
        clock: Arc::new(System),
        entropy: Arc::new(System),
        durability: Durability::Disk,
    };
    let opened = Tables::open(MemStore::new(), options).await;
    opened.expect("opened")
}

fn stored(stamp: i64, image: &str) -> Stored {
    let version = Version {
        hlc: Hlc(stamp),
        origin: A,
    };
    Stored {
        stamp: Stamp {
            version,
            seq: Seq(1),
        },
        image: Some(Bytes::copy_from_slice(image.as_bytes())),
        merged: None,
        recorded: Hlc(stamp),
    }
}

/// Writes a race of each stamp.
async fn race(tables: &Tables<MemStore>, table: TableId, stamps: impl Iterator<Item = i64>) {
    let mut batch = Batch::default();
    for at in stamps {
        let key = Key {
            partition: format!("item {at}").as_str().into(),
            sort: None,
        };
        let suffix = layout::item_suffix(&key);
        let image = "x".repeat(1_000);
        stage(
            &mut batch,
            table,
            &suffix,
            &stored(at, &image),
            &stored(at - 1, ""),
        );
    }
    let races = staged(&batch);
    let written = tables.commit(batch, Durability::Disk).await;
    written.expect("written");
    tables.lock().note_races(races);
}

async fn stamps(tables: &Tables<MemStore>, table: TableId) -> Vec<i64> {
    let all = tables.conflicts(table, usize::MAX).await.expect("read");
    all.iter().map(|conflict| conflict.winner.hlc.0).collect()
}

const ALL: Keep = Keep {
    since: Hlc(0),
    entries: usize::MAX,
    bytes: usize::MAX,
};

#[tokio::test]
async fn pages_follow_one_another_to_the_end() {
    let tables = tables().await;
    race(&tables, CARTS, 1..=7).await;
    race(&tables, ORDERS, 1..=2).await;
    let (mut seen, mut start, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = tables.conflicts_page(CARTS, start.as_deref(), 3).await;
        let page = page.expect("read");
        assert!(page.conflicts.len() <= 3);
        seen.extend(page.conflicts.iter().map(|conflict| conflict.winner.hlc.0));
        pages += 1;
        start = page.next;
        if start.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), ((1..=7).collect(), 3));
    let past = tables.conflicts_page(CARTS, Some(&[0xff; 40]), 3).await;
    assert_eq!(past.expect("read").conflicts, []);
}

#[tokio::test]
async fn races_are_forgotten_when_they_are_old() {
    let tables = tables().await;
    race(&tables, CARTS, 1..=2_000).await;
    race(&tables, ORDERS, 1_500..=1_501).await;
    let mut seen = Seen::default();
    for since in [0, 1, 1_001, 1_001, 1_501] {
        let keep = Keep {
            since: Hlc(since),
            ..ALL
        };
        tables.trim_conflicts(&keep, &mut seen).await.expect("read");
        let first = since.max(1);
        assert!(stamps(&tables, CARTS).await.into_iter().eq(first..=2_000));
        let first = since.max(1_500);
        assert!(stamps(&tables, ORDERS).await.into_iter().eq(first..=1_501));
    }
}

#[tokio::test]
async fn the_newest_races_of_each_table_are_kept() {
    let tables = tables().await;
    race(&tables, CARTS, 1..=1_000).await;
    race(&tables, ORDERS, 1..=20).await;
    let mut seen = Seen::default();
    let keep = Keep { entries: 30, ..ALL };
    tables.trim_conflicts(&keep, &mut seen).await.expect("read");
    assert!(stamps(&tables, CARTS).await.into_iter().eq(971..=1_000));
    assert!(stamps(&tables, ORDERS).await.into_iter().eq(1..=20));
    race(&tables, CARTS, 2_000..=2_009).await;
    tables.trim_conflicts(&keep, &mut seen).await.expect("read");
    assert!(
        stamps(&tables, CARTS)
            .await
            .into_iter()
            .eq((981..=1_000).chain(2_000..=2_009))
    );
    tables.trim_conflicts(&keep, &mut seen).await.expect("read");
    // What other regions tell late lies between those that are known.
    race(&tables, CARTS, 1_500..=1_519).await;
    tables.trim_conflicts(&keep, &mut seen).await.expect("read");
    assert!(
        stamps(&tables, CARTS)
            .await
            .into_iter()
            .eq((1_500..=1_519).chain(2_000..=2_009))
    );
    let keep = Keep {
        bytes: 11_000,
        ..ALL
    };
    let mut seen = Seen::default();
    tables.trim_conflicts(&keep, &mut seen).await.expect("read");
    assert!(stamps(&tables, CARTS).await.into_iter().eq(2_000..=2_009));
}

/// Makes a race of an item, which the winner's version is then of.
async fn lost(tables: &Tables<MemStore>, def: &TableDef, images: [Option<&Item>; 2]) -> RaceId {
    let key = key();
    let suffix = layout::item_suffix(&key);
    let [winner, loser] = [(20, images[0]), (10, images[1])].map(|(at, image)| Stored {
        image: image.map(|item| codec::encode(item).into()),
        ..stored(at, "")
    });
    let mut batch = Batch::default();
    stage(&mut batch, def.id, &suffix, &winner, &loser);
    let item = layout::item_key(def.id, &suffix);
    batch.put(Space::Items, item, winner.encode());
    tables
        .commit(batch, Durability::Disk)
        .await
        .expect("written");
    let races = tables.conflicts(def.id, 1).await.expect("read");
    races.first().expect("a race").id()
}

fn key() -> Key {
    Key {
        partition: "a".into(),
        sort: None,
    }
}

fn item(of: &str) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let attributes = [("id".to_owned(), text("a")), ("of".to_owned(), text(of))];
    Item::from(BTreeMap::from(attributes))
}

fn def() -> TableDef {
    let schema = KeySchema {
        partition: KeyAttribute {
            name: "id".to_owned(),
            kind: KeyKind::S,
        },
        sort: None,
    };
    TableDef {
        id: CARTS,
        schema,
        ..TableDef::system(TableId(1), [A])
    }
}

async fn image(tables: &Tables<MemStore>, def: &TableDef) -> Option<Item> {
    let row = tables.get(def, &key()).await.expect("read")?;
    Some(codec::decode(&row.image).expect("an item"))
}

#[tokio::test]
async fn a_lost_write_is_written_again_once() {
    let tables = tables().await;
    let def = tables.define(def());
    let id = lost(&tables, &def, [Some(&item("winner")), Some(&item("loser"))]).await;
    assert_eq!(id.to_string().parse(), Ok(id));
    let restore = |over| tables.restore_loser(Arc::clone(&def), id, over);
    restore(Over::Winner).await.expect("restored");
    assert_eq!(image(&tables, &def).await, Some(item("loser")));
    let race = tables.conflict(CARTS, id).await.expect("read");
    let race = race.expect("still there");
    assert!(race.restored.is_some() && race.winner_image.is_some());
    let is_winners = tables.is_winners(&def, &race).await.expect("read");
    assert_eq!(is_winners, Some(false));
    // What was written since is not written over, unless that is asked for.
    let again = restore(Over::Winner)
        .await
        .expect_err("it was written since");
    assert!(matches!(again, RestoreError::Changed(_)), "{again}");
    restore(Over::Anything).await.expect("restored");
    let other = RaceId::of(race.winner, race.winner, b"");
    let none = tables
        .restore_loser(Arc::clone(&def), other, Over::Anything)
        .await;
    assert!(matches!(none, Err(RestoreError::NoRace(_))));
}

#[tokio::test]
async fn a_lost_delete_deletes_and_a_delete_that_won_is_undone() {
    let tables = tables().await;
    let def = tables.define(def());
    let id = lost(&tables, &def, [Some(&item("winner")), None]).await;
    let restored = tables.restore_loser(Arc::clone(&def), id, Over::Winner);
    restored.await.expect("restored");
    assert_eq!(image(&tables, &def).await, None);
    let none = Keep { entries: 0, ..ALL };
    let mut seen = Seen::default();
    tables.trim_conflicts(&none, &mut seen).await.expect("read");
    let id = lost(&tables, &def, [None, Some(&item("loser"))]).await;
    let restored = tables.restore_loser(Arc::clone(&def), id, Over::Winner);
    restored.await.expect("restored");
    assert_eq!(image(&tables, &def).await, Some(item("loser")));
}

#[tokio::test]
async fn a_delete_that_won_and_is_forgotten_is_undone_only_where_that_is_asked_for() {
    let tables = tables().await;
    let def = tables.define(def());
    let id = lost(&tables, &def, [None, Some(&item("loser"))]).await;
    // All regions have the delete. Whoever wrote the item since and deleted it again left no trace.
    let mut batch = Batch::default();
    let suffix = layout::item_suffix(&key());
    batch.delete(Space::Items, layout::item_key(def.id, &suffix));
    let gone = tables.commit(batch, Durability::Disk).await;
    gone.expect("written");
    let race = tables.conflict(CARTS, id).await.expect("read");
    let race = race.expect("still there");
    assert_eq!(tables.is_winners(&def, &race).await.expect("read"), None);
    let restored = tables.restore_loser(Arc::clone(&def), id, Over::Winner);
    let refused = restored.await.expect_err("nobody can tell");
    assert!(matches!(refused, RestoreError::Forgotten(_)), "{refused}");
    assert_eq!(image(&tables, &def).await, None);
    let restored = tables.restore_loser(Arc::clone(&def), id, Over::Anything);
    restored.await.expect("restored");
    assert_eq!(image(&tables, &def).await, Some(item("loser")));
}
