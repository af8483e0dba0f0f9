//! Tests of the distance between words.

use super::{distance, fix, nearest};

#[test]
fn distances() {
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(distance("kitten", "sitting"), 3);
    assert_eq!(distance("haelth", "health"), 1, "neighbours swapped");
    assert_eq!(distance("same", "same"), 0);
}

#[test]
fn picks_the_nearest_and_nothing_far() {
    let words = ["partition_key", "sort_key", "stream"];
    assert_eq!(nearest("partitionkey", &words), Some("partition_key"));
    assert_eq!(nearest("Sort_Key", &words), Some("sort_key"));
    assert_eq!(nearest("colour", &words), None);
    assert_eq!(
        nearest("part", &words),
        Some("partition_key"),
        "a beginning"
    );
    assert_eq!(fix("colour", &["a", "b"], "keys"), "keys: `a`, `b`");
    assert_eq!(
        fix("x1", &[], "functions"),
        "there are no functions in this file"
    );
}
