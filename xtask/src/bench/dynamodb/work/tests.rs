//! Tests of what is asked: every key, and no key twice in one request.

use std::collections::BTreeSet;

use super::{Work, distinct};
use crate::bench::dynamodb::whole::{FEW, MANY};

#[test]
fn as_many_requests_as_items_visit_each_item_once() {
    let visited: BTreeSet<String> = (0..FEW).map(|at| Work::Get.body(at, FEW)).collect();
    assert_eq!(visited.len() as u64, FEW);
}

#[test]
fn the_parts_of_a_request_differ() {
    for items in [FEW, MANY] {
        let keys: BTreeSet<u64> = (0..25).map(|part| distinct(7, part, items)).collect();
        assert_eq!(keys.len(), 25);
        assert!(keys.iter().all(|key| *key < items));
    }
}
