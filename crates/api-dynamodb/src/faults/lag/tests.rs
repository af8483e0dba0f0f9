//! Tests of late indexes: what of the past is kept, and what is answered of it.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clock::time::Moment;
use control::testing::{self, Node};
use serde_json::json;
use store::memory::MemStore;
use tokio::runtime::{Builder, Runtime};

use super::{Lag, Pasts};
use crate::facade::DynamoDb;
use crate::limits::LAG_PASTS_MAX;

fn at(millis: u64) -> Moment {
    Moment::from_micros(millis * 1_000)
}

fn lag(millis: u64, since: u64) -> Lag {
    let time = Duration::from_millis(millis);
    let since = at(since);
    Lag { time, since }
}

#[test]
fn a_read_looks_at_the_newest_that_is_old_enough() {
    let second = Duration::from_secs(1);
    let mut pasts = Pasts::default();
    assert_eq!(pasts.of(at(0), lag(1_000, 0)), None);
    for millis in (0..=3_000).step_by(100) {
        pasts.keep(at(millis), millis, second);
    }
    let of = |lag| pasts.of(at(3_050), lag).map(|past| **past);
    assert_eq!(of(lag(1_000, 0)), Some(2_000));
    assert_eq!(of(lag(100, 0)), Some(2_900));
    assert_eq!(of(lag(9_000, 0)), Some(2_000), "the eldest that is left");
    assert_eq!(of(lag(9_000, 2_450)), Some(2_500), "none from before that");
    assert_eq!(of(lag(100, 2_450)), Some(2_900));
    assert_eq!(of(lag(100, 3_010)), None);
    assert_eq!(pasts.taken.len(), 11);
}

#[test]
fn there_are_never_more_than_so_many() {
    let mut pasts = Pasts::default();
    for millis in 0..1_000 {
        pasts.keep(at(millis), millis, Duration::from_mins(1));
    }
    assert_eq!(pasts.taken.len(), LAG_PASTS_MAX);
}

/// A region with the table `late`.
struct World {
    runtime: Runtime,
    facade: DynamoDb<MemStore>,
}

impl World {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let facade = runtime.block_on(async {
            let node = Node::open("us-east-1").await;
            let schema = testing::schema("pk");
            let made = node
                .control
                .create_table("late", &schema, json!({}), json!({}));
            made.await.expect("made");
            DynamoDb::new(node.control)
        });
        Self { runtime, facade }
    }

    fn set(&self, faults: &[(&str, &str)]) {
        let faults = faults.iter();
        let faults = faults.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let faults: BTreeMap<String, String> = faults.collect();
        let set = self.facade.set_faults("late", &faults);
        self.runtime.block_on(set).expect("set");
    }
}

#[test]
fn nothing_is_kept_for_a_tag_that_went_meanwhile() {
    let world = World::open();
    world.set(&[("index-lag", "1000ms")]);
    assert!(world.facade.keep_past().is_some());
    let mut held = world.facade.pasts.lock().expect("whole");
    assert_eq!(held.taken.len(), 1);
    let (begins, begun) = mpsc::channel();
    let facade = &world.facade;
    thread::scope(|scope| {
        let keeping = scope.spawn(move || {
            begins.send(()).expect("heard");
            facade.keep_past()
        });
        begun.recv().expect("begun");
        world.set(&[]);
        held.taken.clear();
        drop(held);
        assert_eq!(keeping.join().expect("kept"), None);
    });
    assert!(facade.pasts.lock().expect("whole").taken.is_empty());
}

#[test]
fn calls_look_for_the_past_only_while_an_index_is_late() {
    let world = World::open();
    world.set(&[("throttle", "1")]);
    assert_eq!(world.facade.knobs_by_name().len(), 1);
    let held = world.facade.pasts.lock().expect("whole");
    // It would wait for this lock forever.
    world.facade.begin_past();
    drop(held);
    world.set(&[("throttle", "1"), ("index-lag", "1000ms")]);
    world.facade.begin_past();
    world.facade.begin_past();
    let held = world.facade.pasts.lock().expect("whole");
    assert_eq!(held.taken.len(), 1, "the first call keeps it");
}
