//! Tests of the conflict log's pages and of what is forgotten.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::region::RegionId;
use clock::hlc::Hlc;
use clock::wall::System;
use item::key::Key;
use replica_core::merge::Stamp;
use replica_core::vector::Seq;
use store::memory::MemStore;
use store::port::Durability;

use super::retention::{Keep, Seen};
use super::*;
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
