//! Tests of copies: what is asked, in which order, and how they survive cuts.

use std::collections::BTreeMap;

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::time::Moment;

use super::{Arrived, Copies, Fill, Fills, Given, Holders, Portion};
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
    Fill {
        made,
        sources,
        holders: Holders::Primary,
    }
}

fn page(after: Option<&'static [u8]>, next: Option<&'static [u8]>) -> CopyPage {
    CopyPage {
        table: CARTS,
        after: after.map(Bytes::from_static),
        items: vec![],
        next: next.map(Bytes::from_static),
    }
}

/// Takes a page in and merges it. Returns what has been given in full then.
fn merge(copies: &mut Copies, page: CopyPage) -> Option<Portion> {
    let table = page.table;
    let Arrived { ticket, .. } = copies.page(page).expect("asked for");
    let (given, what) = copies.merged(at(0), ticket, true)?;
    assert_eq!(given, table);
    match what {
        Given::Portion(portion) => Some(portion),
        Given::Missing(_) => None,
    }
}

fn progress(copies: &Copies) -> u8 {
    *copies.progress().values().next().expect("one table")
}

#[test]
fn a_lost_replica_takes_all_from_each_source() {
    let fill = Fill {
        holders: Holders::Each,
        ..fill(MADE, &[A, B])
    };
    for source in [A, B] {
        let portion = fill.portion_of(source).expect("a source");
        assert_eq!(portion.items, CopyItems::All);
    }
}

#[test]
fn pages_are_asked_one_after_the_other_until_the_last() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A, B]));
    let request = copies.ask(at(0)).expect("due");
    assert_eq!((request.after, request.items), (None, CopyItems::All));
    assert_eq!(copies.ask(at(0)), None, "one page of a table at a time");
    let Arrived { ticket, .. } = copies
        .page(page(None, Some(b"\x80\x00k")))
        .expect("asked for");
    assert_eq!(copies.ask(at(0)), None, "nothing before it is merged");
    assert_eq!(copies.merged(at(0), ticket, true), None);
    assert_eq!(progress(&copies), 50);
    let request = copies.ask(at(0)).expect("due");
    assert_eq!(request.after.as_deref(), Some(&b"\x80\x00k"[..]));
    let given = merge(&mut copies, page(Some(b"\x80\x00k"), None));
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
    assert_eq!(copies.progress().len(), 0);
}

#[test]
fn a_cut_goes_on_after_the_last_merged_page() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]));
    copies.ask(at(0));
    merge(&mut copies, page(None, Some(b"k1")));
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
    let Arrived { ticket, .. } = copies.page(page(None, Some(b"k1"))).expect("asked for");
    assert_eq!(copies.merged(at(300), ticket, false), None);
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
    merge(&mut copies, page(None, Some(b"k1")));
    copies.ask(at(0));
    let again = BTreeMap::from([(CARTS, fill(MADE + 1, &[A]))]);
    copies.fill(A, &again);
    assert_eq!(copies.ask(at(0)), None, "the page of before is on its way");
    assert!(copies.page(page(Some(b"k1"), None)).is_none());
    assert_eq!(copies.ask(at(0)).expect("due").after, None);
    let given = merge(&mut copies, page(None, None));
    assert_eq!(given, Some(portion(MADE + 1, CopyItems::All)));
}

#[test]
fn what_stands_for_missing_records_does_not_wait_for_what_fills() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[B, A]));
    copies.replace_missing(&BTreeMap::from([(CARTS, CopyItems::All)]));
    assert_eq!(copies.ask(at(0)).expect("due").items, CopyItems::All);
    assert_eq!(copies.ask(at(0)), None, "one page of a table at a time");
    assert_eq!(merge(&mut copies, page(None, None)), None);
    assert!(copies.has_replaced());
    assert_eq!(copies.ask(at(0)).expect("due").items, CopyItems::OwnOnly);
    let given = merge(&mut copies, page(None, None));
    assert_eq!(given, Some(portion(MADE, CopyItems::OwnOnly)));
}

#[test]
fn what_fills_is_not_taken_for_missing_records() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]));
    copies.ask(at(0));
    merge(&mut copies, page(None, None));
    copies.replace_missing(&BTreeMap::from([(CARTS, CopyItems::All)]));
    assert!(!copies.has_replaced(), "the copy began too early");
    copies.ask(at(0));
    copies.later(at(0), CARTS);
    copies.fill(A, &Fills::new());
    assert_eq!(copies.poll_timeout(), Some(at(200)));
    copies.ask(at(200));
    merge(&mut copies, page(None, None));
    assert!(copies.has_replaced());
}

#[test]
fn a_page_on_its_way_holds_the_other_copy_of_its_table_back() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]));
    copies.ask(at(0));
    copies.later(at(0), CARTS);
    copies.replace_missing(&BTreeMap::from([(CARTS, CopyItems::All)]));
    copies.ask(at(0)).expect("due");
    assert_eq!(copies.poll_timeout(), None, "time alone makes no room");
    assert_eq!(copies.ask(at(200)), None);
    merge(&mut copies, page(None, None));
    copies.ask(at(200)).expect("due");
}

#[test]
fn a_page_of_an_earlier_replica_that_is_merged_late_does_not_fill_the_next() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]));
    copies.ask(at(0));
    let Arrived { ticket: early, .. } = copies.page(page(None, None)).expect("asked for");
    copies.fill(A, &BTreeMap::from([(CARTS, fill(MADE + 1, &[A]))]));
    copies.ask(at(0)).expect("due");
    let Arrived { ticket, .. } = copies.page(page(None, Some(b"k1"))).expect("asked for");
    assert_eq!(copies.merged(at(0), early, true), None);
    assert_eq!(copies.ask(at(0)), None, "its own page is not merged");
    copies.merged(at(0), ticket, true);
    let request = copies.ask(at(0)).expect("due");
    assert_eq!(request.after.as_deref(), Some(&b"k1"[..]));
}

#[test]
fn pages_that_nobody_waits_for_take_room_at_the_source() {
    let mut copies = Copies::default();
    let tables = |from: u64| (from..from + 4).map(|number| (TableId(number), fill(MADE, &[A])));
    copies.fill(A, &tables(1 << 20).collect());
    while copies.ask(at(0)).is_some() {}
    copies.fill(A, &tables(1 << 21).collect());
    assert_eq!(
        copies.ask(at(0)),
        None,
        "the source holds as many as it may"
    );
    copies.later(at(0), TableId(1 << 20));
    assert!(copies.ask(at(0)).is_some());
}
