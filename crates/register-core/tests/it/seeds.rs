//! Seeds of the world: all of the real register's hold, and each planted mistake is found.
//!
//! A seed that fails is printed; `one(seed, planted)` replays it.

use register_core::planted::Planted;

use crate::world;

/// Seeds of every run. 600: many times the 52 within which each planted mistake was found.
const SEEDS: u64 = 600;

/// A mistake has to be found within so many seeds.
const FOUND_WITHIN: u64 = 3_000;

fn one(seed: u64, planted: Planted) -> Result<world::Counts, String> {
    world::run(seed, planted).map_err(|what| format!("seed {seed}, {planted:?}: {what}"))
}

#[test]
fn registers_are_linearizable_and_survive_the_loss_of_a_region() {
    let mut all = world::Counts::default();
    for seed in 0..SEEDS {
        all.add(&one(seed, Planted::Nothing).expect("no oracle complains"));
    }
    // A world in which nothing happens would find nothing.
    assert!(all.happened(), "{all:?}");
}

#[test]
fn two_runs_of_a_seed_are_the_same() {
    for seed in 0..20 {
        assert_eq!(one(seed, Planted::Nothing), one(seed, Planted::Nothing));
    }
}

#[test]
fn every_planted_mistake_is_found() {
    let mut missed = Vec::new();
    for planted in Planted::ALL {
        let found = (0..FOUND_WITHIN).find(|seed| one(*seed, planted).is_err());
        match found {
            Some(seed) => eprintln!("{planted:?}: seed {seed}"),
            None => missed.push(planted),
        }
    }
    assert_eq!(missed, [], "no seed below {FOUND_WITHIN} finds them");
}
