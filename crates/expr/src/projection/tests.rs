//! Tests of projections.

use std::collections::BTreeMap;

use item::value::{AttributeValue, Item};

use super::Projection;
use crate::parse;
use crate::path::Path;
use crate::placeholders::Placeholders;

fn map(entries: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> AttributeValue {
    let own = |(name, value): (&str, AttributeValue)| (name.to_owned(), value);
    AttributeValue::M(entries.into_iter().map(own).collect::<BTreeMap<_, _>>())
}

fn list<V: Into<AttributeValue>>(elements: impl IntoIterator<Item = V>) -> AttributeValue {
    AttributeValue::L(elements.into_iter().map(Into::into).collect())
}

fn item() -> Item {
    Item::from_iter([
        ("a", 1.into()),
        ("l", list([10, 11, 12, 13])),
        (
            "m",
            map([
                ("x", 1.into()),
                ("y", map([("z", 2.into())])),
                ("l", list(["p", "q"])),
            ]),
        ),
    ])
}

#[track_caller]
fn check(text: &str, expected: impl IntoIterator<Item = (&'static str, AttributeValue)>) {
    let projection = parse::projection(text, &mut Placeholders::default()).unwrap();
    assert_eq!(
        projection.apply(&item()),
        expected.into_iter().collect(),
        "{text}"
    );
}

#[test]
fn what_is_asked_for_keeps_its_place() {
    check("a", [("a", 1.into())]);
    check("a, gone", [("a", 1.into())]);
    check("l[2], l[0]", [("l", list([10, 12]))]);
    check(
        "m.x, m.y.z",
        [("m", map([("x", 1.into()), ("y", map([("z", 2.into())]))]))],
    );
    check("m.l[1]", [("m", map([("l", list(["q"]))]))]);
}

#[test]
fn what_leads_nowhere_leaves_nothing() {
    check("gone", []);
    check("m.gone", []);
    check("m.y.gone, l[9]", []);
    check("a.x", []);
    check("a[0]", []);
    check("l.x, m[0]", []);
}

#[test]
fn paths_that_clash_give_the_wider_one() {
    let paths = ["m", "l"].map(Path::attribute);
    let inner = parse::projection("m.x, l[1]", &mut Placeholders::default()).unwrap();
    assert!(inner.touches("m"));
    let wide = Projection::of_paths(&paths);
    assert_eq!(wide, Projection::of_attributes(["l", "m", "m"]));
    assert_eq!(wide.apply(&item()).len(), 2);
}
