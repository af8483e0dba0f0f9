//! The facts that are checked in are those of the pinned models.

use super::{FACTS, facts};
use crate::root;

#[test]
fn the_facts_are_those_of_the_pinned_model() {
    let checked_in = std::fs::read_to_string(root().join(FACTS)).expect("the facts are there");
    let pinned = facts().expect("the pinned models can be read");
    let differs = checked_in
        .lines()
        .zip(pinned.lines())
        .find(|(ours, theirs)| ours != theirs);
    assert_eq!(differs, None, "run `cargo xtask model`");
    assert_eq!(checked_in.lines().count(), pinned.lines().count());
}
