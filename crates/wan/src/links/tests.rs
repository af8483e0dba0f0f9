//! Tests of the table of round trips and of cuts as state.

use std::time::Duration;

use super::{Links, LinksError};

#[test]
fn the_public_table_is_whole() {
    let links = Links::public().expect("it is well-formed");
    let places = links.places();
    let (cities, regions): (Vec<&String>, Vec<&String>) =
        places.iter().partition(|place| place.starts_with("c-"));
    assert_eq!((regions.len(), cities.len()), (8, 17));
    for region in &regions {
        for place in &places {
            assert!(links.delay(place, region).is_some(), "{place} to {region}");
            assert_eq!(links.delay(place, region), links.delay(region, place));
        }
    }
}

#[test]
fn clients_in_a_regions_own_city_have_its_row() {
    let links = Links::public().expect("it is well-formed");
    for (city, region) in [
        ("c-tokyo", "ap-northeast-1"),
        ("c-singapore", "ap-southeast-1"),
        ("c-sao-paulo", "sa-east-1"),
    ] {
        assert_eq!(links.delay(city, region), Some(Duration::from_millis(1)));
        assert_eq!(
            links.delay(city, "eu-west-1"),
            links.delay(region, "eu-west-1")
        );
    }
}

#[test]
fn tables_that_are_none() {
    let why = |table| match Links::parse(table) {
        Err(LinksError::Table(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why("x = 1"), "there is no [rtt_ms]");
    assert_eq!(why("[rtt_ms]\na = 1"), "\"a\" is no pair");
    assert_eq!(why("[rtt_ms]\n\"a b\" = -1"), "\"a b\" needs 0 to 60000 ms");
    assert_eq!(
        why("[rtt_ms]\n\"a b\" = \"1\""),
        "\"a b\" needs 0 to 60000 ms"
    );
    assert_eq!(
        why("[rtt_ms]\n\"a b\" = nan"),
        "\"a b\" needs 0 to 60000 ms"
    );
}

#[test]
fn pairs_without_a_figure_are_apart_or_without_delay() {
    let table = Links::parse("[rtt_ms]\n\"a b\" = 10").expect("a table");
    assert_eq!(table.delay("a", "c"), None);
    assert_eq!(table.delay("a", "a"), Some(Duration::ZERO));
    let none = Links::none().expect("a thread");
    assert_eq!(none.delay("a", "c"), Some(Duration::ZERO));
    none.set_rtt("a", "c", Duration::from_millis(10));
    assert_eq!(none.delay("c", "a"), Some(Duration::from_millis(5)));
}

#[test]
fn cuts_have_directions() {
    let links = Links::parse("[rtt_ms]\n\"a b\" = 10\n\"a c\" = 20").expect("a table");
    assert_eq!(links.delay("a", "b"), Some(Duration::from_millis(5)));
    assert_eq!(links.delay("b", "c"), None, "no link");
    links.cut_oneway("a", "b");
    assert!(links.is_cut("a", "b") && !links.is_cut("b", "a"));
    links.heal("b", "a");
    assert!(!links.is_cut("a", "b"));
    links.isolate("a");
    assert!(links.is_cut("b", "a") && links.is_cut("a", "c"));
    links.heal_all();
    assert!(!links.is_cut("b", "a") && !links.is_cut("a", "c"));
}
