//! Tests of whole links: two or three regions' cores over a network in memory.
//!
//! Frames travel as sealed bytes. Connections are cut at every step, lose what was under way, or
//! fall silent; regions lose what was not on disk.

mod babble;

mod filling;

mod world;

use proptest::prelude::*;
use replica_core::planted::Planted;

use world::{Random, World};

#[test]
fn a_write_is_everywhere_after_one_frame_each_way() {
    let mut world = World::new(3);
    world.write(0, 5);
    world.settle();
    assert_eq!(world.differences(), Vec::<String>::new());
    assert_eq!(world.applied(1, 0), 5);
}

#[test]
fn a_cut_at_any_step_loses_nothing_and_repeats_nothing() {
    let steps = |cut_at: Option<usize>| {
        let mut world = World::new(2);
        let mut random = Random(7);
        for step in 0.. {
            if step % 10 == 0 && step < 60 {
                world.write(0, 3);
                world.write(1, 2);
            }
            if Some(step) == cut_at {
                world.cut(0, 1);
                world.cut(1, 0);
            }
            if !world.step(&mut random) && 60 <= step {
                world.settle();
                assert_eq!(
                    world.differences(),
                    Vec::<String>::new(),
                    "cut at {cut_at:?}"
                );
                assert_eq!(
                    world.violations(),
                    Vec::<String>::new(),
                    "cut at {cut_at:?}"
                );
                return step;
            }
        }
        unreachable!("the steps end");
    };
    let whole = steps(None);
    for cut_at in 0..whole {
        steps(Some(cut_at));
    }
}

#[test]
fn what_reached_one_survivor_of_a_dead_region_reaches_all() {
    let (survivors, missed) = dead_region(Planted::Nothing);
    assert_eq!(survivors, [8, 8]);
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn a_relay_that_is_forgotten_shows() {
    let (survivors, _) = dead_region(Planted::RelayForgotten);
    assert_eq!(survivors, [8, 0]);
}

/// Region 0 reaches only region 1 with its last writes, and dies. Returns what the two others
/// have of it, and what broke.
fn dead_region(planted: Planted) -> ([u64; 2], Vec<String>) {
    let mut world = World::planted(3, planted);
    world.settle();
    world.cut(0, 2);
    world.forbid(0, 2);
    world.write(0, 8);
    world.deliver_all();
    world.persist(1);
    world.kill(0);
    world.pass(5_000);
    (
        [world.applied(1, 0), world.applied(2, 0)],
        world.violations(),
    )
}

#[test]
fn a_link_that_fell_silent_is_made_again() {
    let mut world = World::new(2);
    world.settle();
    world.silence(0, 1);
    world.write(0, 4);
    world.pass(2_900);
    assert_eq!(world.applied(1, 0), 0);
    world.pass(1_500);
    assert_eq!(world.applied(1, 0), 4);
}

#[test]
fn without_a_deadline_a_silent_link_stays_so() {
    let mut world = World::planted(2, Planted::MissingDeadline);
    world.settle();
    world.silence(0, 1);
    world.write(0, 4);
    world.pass(60_000);
    assert_eq!(world.applied(1, 0), 0);
}

#[test]
fn a_record_skipped_where_a_connection_starts_shows() {
    let mut world = World::planted(2, Planted::ResumeTooFar);
    world.write(0, 3);
    world.settle();
    assert_ne!(world.violations(), Vec::<String>::new());
}

#[test]
fn a_backlog_larger_than_the_window_arrives_whole() {
    let mut world = World::new(2);
    world.cut(0, 1);
    world.write_large(0, 30, 1 << 20);
    world.settle();
    assert_eq!(world.applied(1, 0), 30);
    assert_eq!(world.violations(), Vec::<String>::new());
}

#[test]
fn a_clock_too_far_ahead_parks_the_link_until_it_is_right_again() {
    let mut world = World::new(2);
    world.settle();
    world.run_ahead(0, true);
    world.write(0, 4);
    world.write(1, 4);
    world.pass(3_000);
    assert_eq!((world.applied(1, 0), world.applied(0, 1)), (0, 4));
    world.run_ahead(0, false);
    world.pass(1_500);
    assert_eq!(world.applied(1, 0), 4);
}

#[test]
fn one_seed_is_one_history() {
    let history = || {
        let mut world = World::new(3);
        world.chaos(&mut Random(42), 400);
        world.settle();
        world.trace().clone()
    };
    assert_eq!(history(), history());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_chaos_all_regions_have_all_records(seed: u64) {
        let mut world = World::new(3);
        world.chaos(&mut Random(seed), 500);
        world.settle();
        prop_assert_eq!(world.violations(), Vec::<String>::new());
        prop_assert_eq!(world.differences(), Vec::<String>::new());
    }
}

proptest! {
    #[test]
    fn no_peer_can_make_a_link_panic(frames in babble::frames()) {
        babble::listen(frames);
    }
}
