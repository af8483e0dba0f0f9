//! Tests of copies: what is asked, in which order, and how they survive cuts.

use std::collections::BTreeMap;

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::time::Moment;

use super::{Copies, Fill, Fills, Given, Holders, Kept, Portion, Word};
use crate::frame::copy::{CopyItems, CopyPage, CopyRequest};
use crate::limits::{COPIES_MAX, COPY_WINDOW};

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

/// Nothing is on disk of what is filled.
const NONE: BTreeMap<TableId, Kept> = BTreeMap::new();

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

/// Makes a page of what is asked for.
fn page(
    asked: &CopyRequest,
    after: Option<&'static [u8]>,
    next: Option<&'static [u8]>,
) -> CopyPage {
    CopyPage {
        table: asked.table,
        round: asked.round,
        after: after.map(Bytes::from_static),
        items: vec![],
        next: next.map(Bytes::from_static),
    }
}

/// Takes a page in. Returns the ticket of what is to be merged then.
fn take(copies: &mut Copies, page: CopyPage) -> Option<u64> {
    assert!(copies.page(page), "within the window");
    copies.merge().map(|(_, arrived)| arrived.ticket)
}

/// Takes a page in and merges it. Returns what has been given in full then.
fn merge(copies: &mut Copies, page: CopyPage) -> Option<Portion> {
    let ticket = take(copies, page).expect("asked for");
    let (_, what) = copies.merged(at(0), ticket, true)?;
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
fn a_window_of_pages_comes_and_is_merged_in_its_order() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A, B]), &NONE);
    let asked = copies.ask(at(0)).expect("due");
    assert_eq!((asked.after.clone(), asked.items), (None, CopyItems::All));
    assert_eq!(copies.ask(at(0)), None, "one copy of a table at a time");
    let first = take(&mut copies, page(&asked, None, Some(b"\x80\x00k"))).expect("asked for");
    let second = page(&asked, Some(b"\x80\x00k"), None);
    assert_eq!(take(&mut copies, second), None, "the first is being merged");
    assert_eq!(copies.merged(at(0), first, true), None);
    assert_eq!(progress(&copies), 50);
    let taken = CopyRequest {
        after: Some(Bytes::from_static(b"\x80\x00k")),
        ..asked
    };
    assert_eq!(copies.word(), Some(Word::Taken(taken)));
    let (table, arrived) = copies.merge().expect("the second");
    assert_eq!(
        (arrived.portion, arrived.next),
        (Some(portion(MADE, CopyItems::All)), None)
    );
    let given = copies.merged(at(0), arrived.ticket, true);
    let all = Given::Portion(portion(MADE, CopyItems::All));
    assert_eq!(given, Some((table, all)));
    assert_eq!((copies.ask(at(0)), copies.word()), (None, None));
    assert_eq!(progress(&copies), 100);
}

#[test]
fn more_pages_than_the_window_are_not_taken() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]), &NONE);
    let asked = copies.ask(at(0)).expect("due");
    let page = |after: u8| CopyPage {
        table: CARTS,
        round: asked.round,
        after: (after > 0).then(|| Bytes::copy_from_slice(&[after])),
        items: vec![],
        next: Some(Bytes::copy_from_slice(&[after + 1])),
    };
    let taken = (0..100)
        .take_while(|after| copies.page(page(*after)))
        .count();
    assert_eq!(taken, COPY_WINDOW);
}

#[test]
fn a_restart_goes_on_after_what_was_kept() {
    let kept = |after: Option<&'static [u8]>| Kept {
        portion: portion(MADE, CopyItems::All),
        after: after.map(Bytes::from_static),
    };
    let start = |after| {
        let mut copies = Copies::default();
        let kept = BTreeMap::from([(CARTS, kept(after))]);
        copies.fill(A, &carts_from(&[A]), &kept);
        copies
    };
    let asked = start(Some(b"k7")).ask(at(0)).expect("due");
    assert_eq!(asked.after.as_deref(), Some(&b"k7"[..]));
    let mut whole = start(None);
    assert_eq!(whole.ask(at(0)), None);
    assert_eq!(
        whole.given().next(),
        Some((CARTS, portion(MADE, CopyItems::All)))
    );
    let mut other = start(Some(b"k7"));
    let anew = BTreeMap::from([(CARTS, fill(MADE + 1, &[A]))]);
    let stale = BTreeMap::from([(CARTS, kept(Some(b"k7")))]);
    other.fill(A, &anew, &stale);
    assert_eq!(other.ask(at(0)).expect("due").after, None, "made anew");
    other.replace_missing(&BTreeMap::from([(CARTS, CopyItems::All)]));
    let missing = other.ask(at(0)).expect("due");
    assert_eq!(missing.after, None, "the log stands elsewhere by now");
}

#[test]
fn other_sources_give_only_what_they_wrote() {
    let mut copies = Copies::default();
    copies.fill(B, &carts_from(&[A, B]), &NONE);
    assert_eq!(copies.ask(at(0)).expect("due").items, CopyItems::OwnOnly);
    copies.fill(B, &carts_from(&[B]), &NONE);
    copies.later(at(0), CARTS);
    assert_eq!(copies.ask(at(0)).expect("due").items, CopyItems::All);
    copies.fill(B, &carts_from(&[A]), &NONE);
    assert_eq!(copies.progress().len(), 0);
}

#[test]
fn a_cut_goes_on_after_the_last_merged_page() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]), &NONE);
    let asked = copies.ask(at(0)).expect("due");
    merge(&mut copies, page(&asked, None, Some(b"k1")));
    let late = take(&mut copies, page(&asked, Some(b"k1"), Some(b"k2"))).expect("asked for");
    assert_eq!(take(&mut copies, page(&asked, Some(b"k2"), None)), None);
    copies.down();
    assert_eq!(copies.ask(at(0)), None, "a page is still being merged");
    assert_eq!(copies.merged(at(0), late, true), None);
    assert_eq!(copies.word(), None, "nobody hears it");
    assert_eq!(copies.merge(), None, "what came behind it was left out");
    let again = copies.ask(at(0)).expect("asked again");
    assert_eq!(again.after.as_deref(), Some(&b"k2"[..]));
    let stale = page(&asked, Some(b"k2"), None);
    assert_eq!(take(&mut copies, stale), None, "of an earlier round");
    let other = page(&again, None, None);
    assert_eq!(take(&mut copies, other), None, "of another position");
}

#[test]
fn a_page_that_was_not_ready_or_not_merged_is_asked_again_after_a_while() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]), &NONE);
    copies.ask(at(0));
    copies.later(at(10), CARTS);
    assert_eq!(copies.ask(at(209)), None);
    assert_eq!(copies.poll_timeout(), Some(at(210)));
    let asked = copies.ask(at(210)).expect("due");
    while copies.word().is_some() {}
    let ticket = take(&mut copies, page(&asked, None, Some(b"k1"))).expect("asked for");
    assert!(copies.page(page(&asked, Some(b"k1"), None)), "behind it");
    assert_eq!(copies.merged(at(300), ticket, false), None);
    assert_eq!(copies.word(), Some(Word::Stop(CARTS)));
    assert_eq!((copies.merge(), copies.ask(at(300))), (None, None));
    assert_eq!(copies.ask(at(500)).expect("again").after, None);
}

#[test]
fn a_source_that_has_no_more_is_asked_after_a_while_though_a_page_was_being_merged() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]), &NONE);
    let asked = copies.ask(at(0)).expect("due");
    let ticket = take(&mut copies, page(&asked, None, Some(b"k1"))).expect("asked for");
    copies.later(at(10), CARTS);
    assert_eq!(copies.merged(at(20), ticket, true), None);
    assert_eq!(
        copies.ask(at(209)),
        None,
        "it has just said that it has none"
    );
    assert_eq!(copies.poll_timeout(), Some(at(210)));
    let again = copies.ask(at(210)).expect("due");
    assert_eq!(again.after.as_deref(), Some(&b"k1"[..]));
}

#[test]
fn few_tables_are_copied_at_a_time() {
    let mut copies = Copies::default();
    let tables = (0..10).map(|number| (TableId((1 << 20) + number), fill(MADE, &[A])));
    copies.fill(A, &tables.collect(), &NONE);
    let asked = std::iter::from_fn(|| copies.ask(at(0))).count();
    assert_eq!(asked, COPIES_MAX);
    copies.later(at(0), TableId(1 << 20));
    assert!(copies.ask(at(0)).is_some(), "another table takes its place");
    assert_eq!(copies.poll_timeout(), None, "time alone makes no room");
}

#[test]
fn a_replica_that_is_made_anew_is_filled_anew() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]), &NONE);
    let before = copies.ask(at(0)).expect("due");
    merge(&mut copies, page(&before, None, Some(b"k1")));
    while copies.word().is_some() {}
    let again = BTreeMap::from([(CARTS, fill(MADE + 1, &[A]))]);
    copies.fill(A, &again, &NONE);
    assert_eq!(copies.word(), Some(Word::Stop(CARTS)));
    let asked = copies.ask(at(0)).expect("due");
    assert_eq!(asked.after, None);
    let stale = page(&before, Some(b"k1"), None);
    assert_eq!(take(&mut copies, stale), None, "of the one before");
    let given = merge(&mut copies, page(&asked, None, None));
    assert_eq!(given, Some(portion(MADE + 1, CopyItems::All)));
}

#[test]
fn what_stands_for_missing_records_does_not_wait_for_what_fills() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[B, A]), &NONE);
    let fills = copies.ask(at(0)).expect("due");
    assert_eq!(fills.items, CopyItems::OwnOnly);
    copies.replace_missing(&BTreeMap::from([(CARTS, CopyItems::All)]));
    assert_eq!(copies.word(), Some(Word::Stop(CARTS)));
    let asked = copies.ask(at(0)).expect("due");
    assert_eq!(asked.items, CopyItems::All);
    assert_eq!(copies.ask(at(0)), None, "one copy of a table at a time");
    assert_eq!(merge(&mut copies, page(&asked, None, None)), None);
    assert!(copies.has_replaced());
    let asked = copies.ask(at(0)).expect("due");
    assert_eq!(asked.items, CopyItems::OwnOnly);
    let given = merge(&mut copies, page(&asked, None, None));
    assert_eq!(given, Some(portion(MADE, CopyItems::OwnOnly)));
}

#[test]
fn what_fills_is_not_taken_for_missing_records() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]), &NONE);
    let asked = copies.ask(at(0)).expect("due");
    merge(&mut copies, page(&asked, None, None));
    copies.replace_missing(&BTreeMap::from([(CARTS, CopyItems::All)]));
    assert!(!copies.has_replaced(), "the copy began too early");
    copies.ask(at(0));
    copies.later(at(0), CARTS);
    copies.fill(A, &Fills::new(), &NONE);
    assert_eq!(copies.poll_timeout(), Some(at(200)));
    let asked = copies.ask(at(200)).expect("due");
    merge(&mut copies, page(&asked, None, None));
    assert!(copies.has_replaced());
}

#[test]
fn a_page_of_an_earlier_replica_that_is_merged_late_does_not_fill_the_next() {
    let mut copies = Copies::default();
    copies.fill(A, &carts_from(&[A]), &NONE);
    let asked = copies.ask(at(0)).expect("due");
    let early = take(&mut copies, page(&asked, None, None)).expect("asked for");
    copies.fill(A, &BTreeMap::from([(CARTS, fill(MADE + 1, &[A]))]), &NONE);
    let asked = copies.ask(at(0)).expect("due");
    let ticket = take(&mut copies, page(&asked, None, Some(b"k1"))).expect("asked for");
    assert_eq!(copies.merged(at(0), early, true), None);
    assert_eq!(copies.given().next(), None, "its own page is not merged");
    copies.merged(at(0), ticket, true);
    copies.down();
    let request = copies.ask(at(0)).expect("due");
    assert_eq!(request.after.as_deref(), Some(&b"k1"[..]));
}
