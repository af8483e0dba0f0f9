//! Tests of copies: what is asked, in which order, and how they survive cuts.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::time::Moment;

use super::{Copies, Fill, Fills, Portion};
use crate::frame::copy::{CopyItems, CopyPage};
use crate::limits::COPIES_MAX;

const A: RegionId = RegionId(1);
const B: RegionId = RegionId(2);
const CARTS: TableId = TableId(1 << 20);

fn at(millis: u64) -> Moment {
    Moment::from_micros(millis * 1_000)
}

fn carts_from(sources: &[RegionId]) -> Fills {
    BTreeMap::from([(CARTS, fill(MADE, sources))])
}

const MADE: i64 = 7;

const fn portion(made: i64, items: CopyItems) -> Portion {
    Portion { made, items }
}

fn fill(made: i64, sources: &[RegionId]) -> Fill {
    let sources = sources.to_vec();
    Fill { made, sources }
}

fn page(after: Option<&'static [u8]>, next: Option<&'static [u8]>) -> CopyPage {
    CopyPage {
        table: CARTS,
        after: after.map(Bytes::from_static),
        items: vec![],
        next: next.map(Bytes::from_static),
    }
}

fn progress(copies: &Copies) -> u8 {
    copies.progress().next().expect("one table").1
}

#[test]
fn pages_are_asked_one_after_the_other_until_the_last() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A, B]));
    let request = copies.ask(at(0)).expect("due");
    assert_eq!((request.after, request.items), (None, CopyItems::All));
    assert_eq!(copies.ask(at(0)), None, "one page of a table at a time");
    assert!(copies.page(page(None, Some(b"\x80\x00k"))).is_some());
    assert_eq!(copies.ask(at(0)), None, "nothing before it is merged");
    assert_eq!(copies.merged(at(0), CARTS, true), None);
    assert_eq!(progress(&copies), 50);
    let request = copies.ask(at(0)).expect("due");
    assert_eq!(request.after.as_deref(), Some(&b"\x80\x00k"[..]));
    copies.page(page(Some(b"\x80\x00k"), None));
    let given = copies.merged(at(0), CARTS, true);
    assert_eq!(given, Some(portion(MADE, CopyItems::All)));
    assert_eq!(copies.ask(at(0)), None);
    assert_eq!(progress(&copies), 100);
}

#[test]
fn other_sources_give_only_what_they_wrote() {
    let mut copies = Copies::default();
    copies.fill(B, &carts_from(&[A, B]));
    assert_eq!(copies.ask(at(0)).expect("due").items, CopyItems::OwnOnly);
    copies.fill(B, &carts_from(&[B]));
    copies.later(at(0), CARTS);
    assert_eq!(copies.ask(at(0)).expect("due").items, CopyItems::All);
    copies.fill(B, &carts_from(&[A]));
    assert_eq!(copies.progress().count(), 0);
}

#[test]
fn a_cut_goes_on_after_the_last_merged_page() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]));
    copies.ask(at(0));
    copies.page(page(None, Some(b"k1")));
    copies.merged(at(0), CARTS, true);
    copies.ask(at(0));
    copies.down();
    assert!(
        copies.page(page(Some(b"k1"), None)).is_none(),
        "nobody waits for it"
    );
    let request = copies.ask(at(0)).expect("asked again");
    assert_eq!(request.after.as_deref(), Some(&b"k1"[..]));
    assert!(
        copies.page(page(None, None)).is_none(),
        "a page of another position"
    );
}

#[test]
fn a_page_that_was_not_ready_or_not_merged_is_asked_again_after_a_while() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]));
    copies.ask(at(0));
    copies.later(at(10), CARTS);
    assert_eq!(copies.ask(at(209)), None);
    assert_eq!(copies.poll_timeout(), Some(at(210)));
    assert!(copies.ask(at(210)).is_some());
    copies.page(page(None, Some(b"k1")));
    assert_eq!(copies.merged(at(300), CARTS, false), None);
    assert_eq!(copies.ask(at(300)), None);
    assert_eq!(copies.ask(at(500)).expect("again").after, None);
}

#[test]
fn few_tables_are_copied_at_a_time() {
    let mut copies = Copies::default();
    let tables = (0..10).map(|number| (TableId((1 << 20) + number), fill(MADE, &[A])));
    copies.fill(A, &tables.collect());
    let asked = std::iter::from_fn(|| copies.ask(at(0))).count();
    assert_eq!(asked, COPIES_MAX);
    copies.later(at(0), TableId(1 << 20));
    assert!(copies.ask(at(0)).is_some(), "another table takes its place");
    assert_eq!(copies.poll_timeout(), None, "time alone makes no room");
}

#[test]
fn a_replica_that_is_made_anew_is_filled_anew() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]));
    copies.ask(at(0));
    copies.page(page(None, Some(b"k1")));
    copies.merged(at(0), CARTS, true);
    copies.ask(at(0));
    let again = BTreeMap::from([(CARTS, fill(MADE + 1, &[A]))]);
    copies.fill(A, &again);
    assert_eq!(copies.ask(at(0)), None, "the page of before is on its way");
    assert!(copies.page(page(Some(b"k1"), None)).is_none());
    assert_eq!(copies.ask(at(0)).expect("due").after, None);
    copies.page(page(None, None));
    let given = copies.merged(at(0), CARTS, true);
    assert_eq!(given, Some(portion(MADE + 1, CopyItems::All)));
}

#[test]
fn what_stands_for_missing_records_comes_after_what_fills() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[B, A]));
    copies.replace_missing(CopyItems::All, &BTreeSet::from([CARTS]));
    assert_eq!(copies.ask(at(0)).expect("due").items, CopyItems::OwnOnly);
    copies.page(page(None, None));
    let given = copies.merged(at(0), CARTS, true);
    assert_eq!(given, Some(portion(MADE, CopyItems::OwnOnly)));
    assert!(!copies.has_replaced(), "the copy began too early");
    copies.fill(A, &Fills::new());
    assert_eq!(copies.ask(at(0)).expect("due").items, CopyItems::All);
    copies.page(page(None, None));
    assert_eq!(copies.merged(at(0), CARTS, true), None);
    assert!(copies.has_replaced());
}
