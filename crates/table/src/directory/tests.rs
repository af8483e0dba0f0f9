//! Tests of data directories: what they keep of themselves and of others.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::key::{Key, KeyAttribute, KeyKind, KeySchema};
use item::value::{AttributeValue, Item};
use replica_core::frame::copy::CopyItems;
use replica_core::link::Owed;
use replica_core::link::send::CopyRead;
use replica_core::record::Record;
use replica_core::vector::{Seq, VersionVector};
use store::memory::MemStore;
use store::port::{Durability, Order, Range, Space, Store};

use crate::def::{HistoryDef, TableDef};
use crate::layout;
use crate::log::LogError;
use crate::remote::ApplyError;
use crate::tables::{OpenError, Options, Tables};
use crate::write::{Effect, Write, WriteError};

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const C: RegionId = RegionId(3);
const CARTS: TableId = TableId(1 << 20);

/// A clock, and chance, that are told what to say.
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> Moment {
        Moment::from_micros(1)
    }

    fn wall(&self) -> WallTime {
        WallTime::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl Entropy for Told {
    fn random(&self) -> u64 {
        7
    }
}

async fn open(store: &MemStore, now: i64) -> Tables<MemStore> {
    let tables = try_open(store, now).await.expect("opened");
    define(&tables, false);
    tables
}

fn define(tables: &Tables<MemStore>, filling: bool) {
    tables.define(TableDef {
        id: CARTS,
        schema: KeySchema {
            partition: KeyAttribute {
                name: "cart".into(),
                kind: KeyKind::S,
            },
            sort: None,
        },
        replicas: BTreeSet::from([A, B]),
        filling,
        resolver: crate::def::Resolver::Item,
        history: HistoryDef::default(),
        indexes: Vec::new(),
        expiry: None,
    });
}

async fn try_open(store: &MemStore, now: i64) -> Result<Tables<MemStore>, OpenError> {
    let told = Arc::new(Told(AtomicI64::new(now)));
    let options = Options {
        region: A,
        members: BTreeSet::from([A, B, C]),
        clock: told.clone(),
        entropy: told,
        durability: Durability::Disk,
    };
    Tables::open(store.clone(), options).await
}

async fn put(tables: &Tables<MemStore>, cart: &str) -> Result<Seq, WriteError> {
    let item = Item::from_iter([("cart".to_owned(), AttributeValue::S(cart.to_owned()))]);
    let write = Write {
        table: tables.table(CARTS).expect("defined"),
        key: Key {
            partition: cart.into(),
            sort: None,
        },
        decide: Box::new(move |_| Ok(Effect::Put(item))),
    };
    Ok(tables.write(write).await?.position)
}

/// Returns the highest stamp that a peer holds which has all of our log.
fn last(tables: &Tables<MemStore>) -> Hlc {
    tables.local().lasts[&A]
}

#[tokio::test]
async fn a_peers_directory_is_known_after_a_restart() {
    let store = MemStore::new();
    let tables = open(&store, 1_000).await;
    assert_eq!((tables.met(B), tables.is_welcomed_by(B)), (None, false));
    tables.meet(B, 5).await.expect("kept");
    tables.note_welcome(B);
    let again = open(&store.crash(), 2_000).await;
    assert_eq!((again.met(B), again.is_welcomed_by(B)), (Some(5), true));
    assert!(!again.is_welcomed_by(RegionId(3)), "it has not said so");
}

/// Returns whether a peer is given what this region wrote itself.
async fn gives_its_own(tables: &Tables<MemStore>) -> bool {
    let page = (CopyItems::OwnOnly, 1_000);
    let read = tables.copy_for(B, CARTS, None, page).await;
    matches!(read.expect("read"), CopyRead::Page { .. })
}

#[tokio::test]
async fn what_a_lost_directory_wrote_is_given_again_once_it_has_come_back() {
    let tables = open(&MemStore::new(), 1_000).await;
    define(&tables, true);
    assert!(gives_its_own(&tables).await, "nothing was lost");
    tables.begin_log_above(Seq(90)).await.expect("moved");
    assert!(!gives_its_own(&tables).await, "not decided yet");
    tables.claim(CARTS, 900).await.expect("claimed");
    assert!(!gives_its_own(&tables).await, "of the lost directory");
    define(&tables, false);
    assert!(!gives_its_own(&tables).await, "another region has more");
    let none = Owed::new();
    tables.skip(B, Seq(0), none).await.expect("skipped");
    assert!(gives_its_own(&tables).await, "it is filled");
    tables.claim(CARTS, 1_100).await.expect("claimed");
    define(&tables, true);
    assert!(gives_its_own(&tables).await, "a replica made since");
}

#[tokio::test]
async fn a_log_that_begins_above_another_gives_no_position_of_it() {
    let store = MemStore::new();
    let tables = open(&store, 1_000).await;
    assert_eq!(put(&tables, "ann").await.expect("written"), Seq(1));
    tables.begin_log_above(Seq(90)).await.expect("moved");
    let begins = Seq(1 << 40);
    assert_eq!(put(&tables, "bob").await.expect("written"), begins.next());
    let again = open(&store.crash(), 2_000).await;
    assert_eq!(again.directory().begins, begins);
    assert_eq!(again.replaced(), Some(WallTime::from_micros(1_000)));
    let head = put(&again, "eve").await.expect("written");
    assert_eq!(head, begins.next().next());
    let gone = again.read_log(A, Seq(90), 1_000).await;
    let Err(LogError::Trimmed { first, .. }) = gone else {
        panic!("gone, not {gone:?}");
    };
    assert_eq!(first, begins.next());
    let page = again.read_log(A, begins, 1_000).await.expect("read");
    assert_eq!((page.records.len(), page.to), (2, head));
}

#[tokio::test]
async fn what_copies_stand_for_counts_as_applied_and_vouches_for_no_stamp() {
    let store = MemStore::new();
    let tables = open(&store, 1_000).await;
    tables.skip(B, Seq(40), Owed::new()).await.expect("skipped");
    tables
        .skip(B, Seq(30), Owed::new())
        .await
        .expect("nothing to do");
    let again = open(&store.crash(), 2_000).await;
    assert_eq!(
        (again.applied().at(B), again.durable().at(B)),
        (Seq(40), Seq(40))
    );
    assert_eq!(again.local().lasts[&B], Hlc(0));
    let gone = again.read_log(B, Seq(12), 1_000).await;
    assert!(gone.is_err(), "a relay lacks it");
    let own = again.skip(A, Seq(40), Owed::new()).await;
    assert!(matches!(own, Err(ApplyError::NoPeer(A))));
}

/// Returns how many records of a log are stored.
async fn kept(store: &MemStore, origin: RegionId) -> usize {
    let log = Range {
        space: Space::Log,
        from: Bound::Included(layout::log_key(origin, Seq(0))),
        to: Bound::Included(layout::log_key(origin, Seq(u64::MAX))),
        order: Order::Ascending,
        rows_max: usize::MAX,
        bytes_max: usize::MAX,
    };
    store.range(log).await.expect("read").rows.len()
}

#[tokio::test]
async fn what_stands_before_a_gap_in_a_log_is_trimmed_as_all_of_it() {
    let store = MemStore::new();
    let tables = open(&store, 1_000).await;
    put(&tables, "ann").await.expect("written");
    let record = |seq: Seq, hlc| Record {
        origin: B,
        seq,
        hlc: Hlc(hlc),
        seen: VersionVector::default(),
        changes: vec![],
    };
    let records = vec![record(Seq(1), 200), record(Seq(2), 202)];
    let applied = tables.apply(B, Seq(0), Seq(2), records).await;
    applied.expect("applied");
    tables.skip(B, Seq(40), Owed::new()).await.expect("skipped");
    tables.begin_log_above(Seq(90)).await.expect("moved");
    let own = put(&tables, "bob").await.expect("written");
    let late = vec![record(Seq(41), 400)];
    let applied = tables.apply(B, Seq(40), Seq(41), late).await;
    applied.expect("applied");
    assert_eq!((kept(&store, A).await, kept(&store, B).await), (2, 3));
    let floor = tables.durable();
    tables.trim_log(&floor).await.expect("trimmed");
    assert_eq!((kept(&store, A).await, kept(&store, B).await), (0, 0));
    for origin in [A, B] {
        let end = floor.at(origin);
        let gone = tables.read_log(origin, Seq(1), 1_000).await;
        let Err(LogError::Trimmed { first, .. }) = gone else {
            panic!("gone, not {gone:?}");
        };
        assert_eq!(first, end.next());
    }
    assert_eq!(floor.at(A), own);
}

#[tokio::test]
async fn an_older_copy_never_gave_the_stamps_that_were_lost() {
    let store = MemStore::new();
    let tables = open(&store, 1_000).await;
    put(&tables, "ann").await.expect("written");
    let backup = store.crash();
    // The region went on for a while, which the backup does not know.
    let lost = Hlc(5_000);
    let restored = open(&backup, 9_000).await;
    let gave = |tables: &Tables<MemStore>, stamp| {
        let pauses = tables.local().pauses;
        !pauses.iter().any(|pause| pause.holds(stamp))
    };
    assert!(gave(&restored, last(&restored)), "from before the backup");
    assert!(!gave(&restored, lost));
    // It writes over the lost positions, and starts again: that changes nothing.
    put(&restored, "bob").await.expect("written");
    let first = last(&restored);
    let again = open(&backup.crash(), 12_000).await;
    put(&again, "eve").await.expect("written");
    assert!(gave(&again, first) && gave(&again, last(&again)));
    assert!(!gave(&again, lost));
}

#[tokio::test]
async fn restarts_without_writes_between_them_are_one_pause() {
    let store = MemStore::new();
    put(&open(&store, 1_000).await, "ann")
        .await
        .expect("written");
    for restart in 2..200 {
        open(&store, restart * 1_000).await;
    }
    assert_eq!(open(&store, 900_000).await.local().pauses.len(), 2);
}

#[tokio::test]
async fn nothing_is_acknowledged_once_writes_are_stopped() {
    let store = MemStore::new();
    let tables = open(&store, 1_000).await;
    let noted = tables.stop_writes("older than the others").await;
    noted.expect("on disk");
    let refused = put(&tables, "ann").await.expect_err("stopped");
    assert!(
        refused.to_string().contains("older than the others"),
        "{refused}"
    );
    let again = try_open(&store.crash(), 2_000).await;
    let refused = again
        .err()
        .expect("the next process does not begin to acknowledge");
    assert!(
        refused.to_string().contains("older than the others"),
        "{refused}"
    );
}

fn share(tables: &Tables<MemStore>, replicas: &[RegionId]) {
    let def = tables.table(CARTS).expect("defined");
    tables.define(TableDef {
        replicas: replicas.iter().copied().collect(),
        ..TableDef::clone(&def)
    });
}

#[tokio::test]
async fn what_a_removed_replica_owed_is_owed_by_all_others() {
    let store = MemStore::new();
    let tables = open(&store, 1_000).await;
    share(&tables, &[A, B, C]);
    let owed = Owed::from([(CARTS, CopyItems::OwnOnly)]);
    tables.skip(B, Seq(40), owed).await.expect("skipped");
    share(&tables, &[A, C]);
    let by_c = Owed::from([(CARTS, CopyItems::All)]);
    let debts = |tables: &Tables<MemStore>| {
        let mut owed = tables.local().owed;
        owed.retain(|_, owed| !owed.is_empty());
        owed
    };
    assert_eq!(debts(&tables), [(C, by_c.clone())].into());
    assert_eq!(tables.stable(), Hlc(0), "deletes are not forgotten");
    let paid = tables.repay(C, CARTS, CopyItems::All).await;
    paid.expect("paid");
    assert_eq!(debts(&tables), [].into());
    tables.skip(C, Seq(9), by_c).await.expect("skipped");
    share(&tables, &[A]);
    assert_eq!(debts(&tables), [].into(), "nobody else has any of it");
}

#[tokio::test]
async fn a_debt_of_a_region_that_left_before_it_was_noted_is_the_others() {
    let tables = open(&MemStore::new(), 1_000).await;
    share(&tables, &[A, C]);
    let owed = Owed::from([(CARTS, CopyItems::OwnOnly)]);
    tables.skip(B, Seq(40), owed).await.expect("skipped");
    let found = tables.local().owed;
    assert_eq!(found[&C], Owed::from([(CARTS, CopyItems::All)]));
    assert_eq!(found[&B], Owed::new());
}

#[tokio::test]
async fn peers_are_told_no_position_of_which_something_is_owed() {
    let store = MemStore::new();
    let tables = open(&store, 1_000).await;
    let record = Record {
        origin: B,
        seq: Seq(1),
        hlc: Hlc(200),
        seen: VersionVector::default(),
        changes: vec![],
    };
    let applied = tables.apply(B, Seq(0), Seq(1), vec![record]).await;
    applied.expect("applied");
    let owed = Owed::from([(CARTS, CopyItems::OwnOnly)]);
    tables.skip(B, Seq(40), owed).await.expect("skipped");
    let told = |tables: &Tables<MemStore>| {
        let local = tables.local();
        let told = |positions| local.told(positions).at(B);
        (told(&local.applied), told(&local.durable))
    };
    assert_eq!(tables.applied().at(B), Seq(40), "its log goes on");
    assert_eq!(told(&tables), (Seq(1), Seq(1)));
    let store = store.crash();
    let again = open(&store, 2_000).await;
    assert_eq!(told(&again), (Seq(1), Seq(1)));
    let paid = again.repay(B, CARTS, CopyItems::OwnOnly).await;
    paid.expect("paid");
    assert_eq!(told(&again), (Seq(40), Seq(40)));
    let later = open(&store.crash(), 3_000).await;
    assert_eq!(told(&later), (Seq(40), Seq(40)));
}
