//! Tests of what is asked: every key, and no key twice in one request.

use std::collections::BTreeSet;

use super::{Work, distinct};
use crate::bench::dynamodb::whole::{FEW, MANY};

#[test]
fn as_many_requests_as_items_visit_each_item_once() {
    let body = |at| {
        let mut out = Vec::new();
        Work::Get.body(at, FEW, &mut out);
        out
    };
    let visited: BTreeSet<Vec<u8>> = (0..FEW).map(body).collect();
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

#[test]
fn an_answer_with_less_than_was_asked_for_is_none() {
    assert!(Work::Get.is_done(br#"{"Item":{"id":{"S":"k1"}}}"#));
    assert!(!Work::Get.is_done(b"{}"));
    assert!(Work::Put.is_done(b"2\r\n{}\r\n0\r\n\r\n"));
    assert!(Work::BatchWrite.is_done(br#"{"UnprocessedItems":{}}"#));
    assert!(!Work::BatchWrite.is_done(br#"{"UnprocessedItems":{"bench":[]}}"#));
    assert!(!Work::Query.is_done(br#"{"Items":[],"Count":0,"ScannedCount":0}"#));
}
