//! Tests of parts: what is named is measured, and nothing else.

use crate::bench::dynamodb::part::Part;
use crate::bench::dynamodb::stall;
use crate::bench::dynamodb::work::Work;

#[test]
fn nothing_named_is_the_whole() {
    let part = Part::parse("").expect("a part");
    assert!(part.is_whole());
    assert!(part.has_server("ours, disk"));
    assert!(part.has_work(Work::Query));
    assert!(part.has_extra(stall::NAME));
}

#[test]
fn what_is_named_leaves_out_the_others() {
    let text = "ours,dynoxide,GetItem,items=10000,connections=16";
    let part = Part::parse(text).expect("a part");
    assert!(part.has_server("ours, disk") && part.has_server("dynoxide, memory"));
    assert!(!part.has_server("dynalite, memory"));
    assert!(part.has_work(Work::Get) && !part.has_work(Work::Put));
    assert!(part.has_items(10_000) && !part.has_items(1_000_000));
    assert!(part.has_connections(16) && !part.has_connections(1));
    assert!(!part.has_extra(stall::NAME));
}

#[test]
fn extra_work_alone_fills_no_other_table() {
    let part = Part::parse("stall").expect("a part");
    assert!(part.has_extra(stall::NAME) && !part.has_items(10_000));
}

#[test]
fn what_names_nothing_is_refused() {
    for text in ["other", "items=7", "connections=many", "items=10000,x=1"] {
        assert!(Part::parse(text).is_err(), "{text}");
    }
}
