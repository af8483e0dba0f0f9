//! Merged items over many short histories, and planted mistakes that must be found.

use sim::merging::{Collection, Mistake, Report, run};

use crate::number;

/// Histories in each test. A second or two; `HITHER_HISTORIES` asks for more.
const HISTORIES: u64 = 4_000;

fn runs(collection: Collection, mistake: Mistake) -> impl Iterator<Item = (u64, Report)> {
    let histories = number("HITHER_HISTORIES").unwrap_or(HISTORIES);
    (0..histories).map(move |seed| (seed, run(seed, collection, mistake)))
}

#[track_caller]
fn right(collection: Collection) -> Report {
    let mut all = Report::default();
    for (seed, report) in runs(collection, Mistake::Nothing) {
        let Report {
            violation,
            writes,
            heard,
            collected,
            contended,
        } = report;
        assert_eq!(violation, None, "history {seed}, {collection:?}");
        all.writes += writes;
        all.heard += heard;
        all.collected += collected;
        all.contended += contended;
    }
    assert!(all.writes * 2 < all.heard, "{all:?}");
    assert!(1_000 < all.contended, "{all:?}");
    all
}

fn wrong(collection: Collection, mistake: Mistake) -> String {
    let found = runs(collection, mistake).find_map(|(_, report)| report.violation);
    found.expect("the mistake went unnoticed")
}

#[test]
fn merged_items_converge_and_lose_no_addition() {
    right(Collection::Never);
}

#[test]
fn merged_items_converge_where_removals_are_dropped_below_the_frontier_twice() {
    let all = right(Collection::Twice);
    assert!(1_000 < all.collected, "{all:?}");
}

#[test]
fn dropping_merged_removals_on_acknowledgement_is_found() {
    let found = wrong(Collection::Acknowledged, Mistake::Nothing);
    assert!(found.contains(" differs: "), "{found}");
}

#[test]
fn setting_that_drops_additions_is_found() {
    let found = wrong(Collection::Never, Mistake::SetDropsAdditions);
    assert!(found.contains("a number is"), "{found}");
}
