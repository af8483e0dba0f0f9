//! Tests of fault knobs: which tags set them, and that a seed repeats them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Chance, Knobs, Rolls};

fn knobs(tag: &str, value: &str) -> Result<Option<Knobs>, String> {
    let tags = BTreeMap::from([(tag.to_owned(), value.to_owned())]);
    Knobs::of(&tags).map_err(|problem| problem.to_string())
}

#[test]
fn tags_set_faults_and_wrong_ones_are_refused_by_name() {
    assert_eq!(knobs("team", "blue"), Ok(None));
    let latency = knobs("hither:fault:latency", "50ms").map(|knobs| knobs.map(|one| one.latency));
    assert_eq!(latency, Ok(Some(Duration::from_millis(50))));
    let lag = knobs("hither:fault:index-lag", "2ms").map(|knobs| knobs.and_then(|one| one.lag()));
    assert_eq!(lag, Ok(Some(Duration::from_millis(2))));
    let chance = knobs("hither:fault:throttle", "0.1").map(|knobs| knobs.map(|one| one.throttle));
    assert_eq!(chance, Ok(Some(Chance(100_000))));
    for (name, value) in [
        ("throttle", "1.1"),
        ("throttle", "NaN"),
        ("unprocessed", "-1"),
        ("transaction-conflict", "often"),
        ("latency", "50"),
        ("latency", "60001ms"),
        ("seed", "-1"),
        ("index-lag", "1s"),
        ("index-lag", "60001ms"),
        ("nonsense", "1"),
    ] {
        let tag = format!("hither:fault:{name}");
        let refused = knobs(&tag, value).expect_err("the value is wrong");
        assert!(refused.starts_with(&format!("the tag {tag} ")), "{refused}");
    }
}

#[test]
fn a_seed_repeats_what_is_hit_and_about_as_often_as_it_says() {
    let hit = |seed: u64| {
        let mut rolls = Rolls::default();
        let hits = (0..10_000).map(|_| rolls.hits(seed, Chance(100_000)));
        hits.collect::<Vec<_>>()
    };
    assert_eq!(hit(7), hit(7));
    assert_ne!(hit(7), hit(8));
    let count = hit(7).into_iter().filter(|hit| *hit).count();
    assert!(
        (800..1200).contains(&count),
        "{count} of 10,000 at one in ten"
    );
}
