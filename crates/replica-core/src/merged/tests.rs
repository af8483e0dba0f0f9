//! The laws of joining, over random states; what writes make of items; what is kept beside them.

use proptest::prelude::*;

use super::change::{Change, Touch};
use super::*;
use clock::hlc::Hlc;

fn stamp(hlc: i64, origin: u16) -> Stamp {
    Stamp {
        version: Version {
            hlc: Hlc(hlc),
            origin: RegionId(origin),
        },
        seq: Seq(hlc.unsigned_abs()),
    }
}

fn key() -> Item {
    [("id", "one")].into_iter().collect()
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::from(number)
}

fn texts(texts: &[&str]) -> AttributeValue {
    AttributeValue::Ss(texts.iter().map(|&text| text.to_owned()).collect())
}

fn put(attributes: &[(&str, AttributeValue)]) -> Change {
    let mut item = key();
    for (name, value) in attributes {
        item.insert(*name, value.clone());
    }
    Change::Put(item)
}

fn update(name: &str, touch: Touch) -> Change {
    Change::Update(vec![(name.to_owned(), touch)])
}

fn set(name: &str, value: impl Into<AttributeValue>) -> Change {
    update(name, Touch::Set(Some(value.into())))
}

fn add(by: i64) -> Change {
    update("n", Touch::Add(number(by).as_n().expect("a number")))
}

/// One region's copy, and all that it wrote.
#[derive(Clone, Default)]
struct Copy(State);

impl Copy {
    fn write(&mut self, change: &Change, at: Stamp) -> State {
        let delta = self.0.delta(change, at, &key());
        self.0.join(&delta);
        delta
    }

    fn shows(&self, name: &str) -> Option<AttributeValue> {
        self.0.view()?.get(name).cloned()
    }
}

/// Two regions that have the same item write it at the same time, and then hear of each other.
#[track_caller]
fn race(first: &Change, one: &Change, other: &Change) -> Option<Item> {
    let mut copies = [Copy::default(), Copy::default()];
    let begun = copies[0].write(first, stamp(10, 1));
    copies[1].0.join(&begun);
    let (one, other) = (
        copies[0].write(one, stamp(20, 1)),
        copies[1].write(other, stamp(22, 2)),
    );
    copies[0].0.join(&other);
    copies[1].0.join(&one);
    assert_eq!(copies[0].0, copies[1].0);
    copies[0].0.view()
}

#[test]
fn changes_of_different_attributes_both_stay() {
    let item = race(&put(&[("a", number(1))]), &set("b", 2), &set("c", 3));
    let item = item.expect("an item");
    let values = ["a", "b", "c"].map(|name| item.get(name).and_then(AttributeValue::as_n));
    assert_eq!(values, [1, 2, 3].map(|one| number(one).as_n()));
}

#[test]
fn additions_count_against_a_set_and_each_other() {
    let start = put(&[("n", number(5))]);
    let count = |one: &Change, other: &Change| race(&start, one, other)?.get("n").cloned();
    assert_eq!(count(&add(1), &add(2)), Some(number(8)));
    assert_eq!(count(&add(1), &set("n", 100)), Some(number(101)));
    assert_eq!(count(&set("n", 100), &add(1)), Some(number(101)));
    assert_eq!(count(&set("n", 100), &set("n", 200)), Some(number(200)));
}

#[test]
fn an_addition_makes_an_item_again_that_was_removed_meanwhile() {
    let start = put(&[("n", number(5)), ("a", number(1))]);
    let item = race(&start, &Change::Delete, &add(2)).expect("an item");
    assert_eq!(item.get("n"), Some(&number(2)));
    assert_eq!(item.get("a"), None);
    assert_eq!(item.get("id"), Some(&"one".into()));
    assert_eq!(race(&start, &add(2), &Change::Delete), None);
}

#[test]
fn elements_stay_that_were_added_while_others_were_taken_out() {
    let start = put(&[("s", texts(&["a", "b"]))]);
    let left = |one: &Change, other: &Change| race(&start, one, other)?.get("s").cloned();
    let include = |text: &str| update("s", Touch::Include(texts(&[text])));
    let exclude = |text: &str| update("s", Touch::Exclude(texts(&[text])));
    assert_eq!(left(&exclude("a"), &include("c")), Some(texts(&["b", "c"])));
    assert_eq!(left(&exclude("a"), &include("a")), Some(texts(&["a", "b"])));
    assert_eq!(left(&exclude("a"), &exclude("b")), None);
    assert_eq!(
        left(&set("s", texts(&["x"])), &include("c")),
        Some(texts(&["c", "x"]))
    );
    assert_eq!(
        left(&include("c"), &set("s", texts(&["x"]))),
        Some(texts(&["c", "x"]))
    );
}

#[test]
fn a_region_that_adds_after_a_removal_counts_from_nothing() {
    let mut copy = Copy::default();
    for (hlc, change) in [
        (10, add(5)),
        (12, Change::Delete),
        (14, add(2)),
        (16, add(1)),
    ] {
        copy.write(&change, stamp(hlc, 1));
    }
    assert_eq!(copy.shows("n"), Some(number(3)));
}

#[test]
fn a_count_that_is_too_long_becomes_the_value() {
    let mut copy = Copy::default();
    let touch = |text: &str| {
        let number = item::number::Number::parse(text).expect("a number");
        update("n", Touch::Add(number))
    };
    copy.write(&touch("1e40"), stamp(10, 1));
    copy.write(&touch("1e-1"), stamp(12, 1));
    let shown = copy.shows("n").and_then(|shown| shown.as_n());
    assert_eq!(shown, item::number::Number::parse("1e40").ok());
}

#[test]
fn what_nobody_contends_for_has_nothing_beside_it() {
    let mut copy = Copy::default();
    copy.write(&put(&[("a", number(1))]), stamp(10, 1));
    let view = copy.0.view();
    assert_eq!(copy.0.beside(view.as_ref()), None);
    copy.write(&set("a", 2), stamp(12, 1));
    let view = copy.0.view();
    let beside = copy.0.beside(view.as_ref()).expect("a stamp of its own");
    assert!(beside.len() < 96, "{}", beside.len());
}

fn a_touch() -> impl Strategy<Value = Touch> {
    let elements =
        || proptest::sample::subsequence(vec!["a", "b", "c"], 1..3).prop_map(|all| texts(&all));
    prop_oneof![
        (0_i64..9).prop_map(|value| Touch::Set(Some(number(value)))),
        elements().prop_map(|value| Touch::Set(Some(value))),
        Just(Touch::Set(None)),
        Just(Touch::Set(Some("text".into()))),
        (-9_i64..9).prop_map(|by| Touch::Add(number(by).as_n().expect("a number"))),
        elements().prop_map(Touch::Include),
        elements().prop_map(Touch::Exclude),
    ]
}

fn a_change() -> impl Strategy<Value = Change> {
    let name = || proptest::sample::select(vec!["n", "m"]);
    prop_oneof![
        6 => (name(), a_touch()).prop_map(|(name, touch)| update(name, touch)),
        1 => (name(), 0_i64..9).prop_map(|(name, value)| put(&[(name, number(value))])),
        1 => Just(Change::Delete),
    ]
}

/// What three regions wrote, each step a region's write or its hearing of another's.
fn a_history() -> impl Strategy<Value = Vec<(u16, Option<Change>)>> {
    let step = (0_u16..3, proptest::option::weighted(0.6, a_change()));
    proptest::collection::vec(step, 1..24)
}

/// Plays a history; returns every delta, those of each region in order, and the regions' states.
fn play(history: &[(u16, Option<Change>)]) -> (Vec<State>, Vec<State>) {
    let mut copies = vec![Copy::default(); 3];
    let (mut deltas, mut from) = (Vec::new(), Vec::<u16>::new());
    let mut heard = [[0_usize; 3]; 3];
    for (step, (at, change)) in history.iter().enumerate() {
        let own = usize::from(*at);
        let hlc = i64::try_from(step).expect("few") * 2 + 2;
        if let Some(change) = change {
            deltas.push(copies[own].write(change, stamp(hlc, *at)));
            from.push(*at);
        } else {
            let other = (own + 1 + step % 2) % 3;
            let told = from
                .iter()
                .zip(&deltas)
                .filter(|(from, _)| usize::from(**from) == other);
            for (_, delta) in told.skip(heard[own][other]).take(2) {
                copies[own].0.join(delta);
                heard[own][other] += 1;
            }
        }
    }
    (deltas, copies.into_iter().map(|copy| copy.0).collect())
}

fn joined<'a>(states: impl IntoIterator<Item = &'a State>) -> State {
    let mut all = State::default();
    states.into_iter().for_each(|state| all.join(state));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_order_and_any_repetition_comes_to_the_same(
        history in a_history(), order in any::<u64>(), again in any::<prop::sample::Index>(),
    ) {
        let (mut deltas, copies) = play(&history);
        let all = joined(&deltas);
        let mut mixed = copies;
        mixed.extend(deltas.clone());
        prop_assert_eq!(&joined(&mixed), &all);
        let mut rest = order;
        for at in (1..deltas.len()).rev() {
            let to = usize::try_from(rest % (at as u64 + 1)).expect("small");
            deltas.swap(at, to);
            rest = rest.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        if !deltas.is_empty() {
            deltas.push(deltas[again.index(deltas.len())].clone());
        }
        prop_assert_eq!(&joined(&deltas), &all);
    }

    #[test]
    fn joining_is_associative_and_keeps_what_it_has(history in a_history(), cut in any::<prop::sample::Index>()) {
        let (deltas, copies) = play(&history);
        let at = cut.index(deltas.len() + 1);
        let (one, two) = (joined(&deltas[..at]), joined(&deltas[at..]));
        let mut left = one.clone();
        left.join(&two);
        left.join(&copies[0]);
        let mut right = two.clone();
        right.join(&copies[0]);
        let mut first = one;
        first.join(&right);
        prop_assert_eq!(&first, &left);
        let mut twice = left.clone();
        twice.join(&left);
        prop_assert_eq!(&twice, &left);
    }

    #[test]
    fn what_is_kept_beside_an_image_gives_the_state_back(history in a_history()) {
        let (deltas, copies) = play(&history);
        for state in copies.iter().chain(&deltas).filter(|state| state.stamp != NEVER) {
            let image = state.view();
            let beside = state.beside(image.as_ref());
            let is_plain = beside.is_none();
            let mut read = codec::decode(state.stamp, image.clone(), beside).expect("read");
            if is_plain {
                read.key.clone_from(&state.key);
                read.settle();
            } else if image.is_none() {
                read.key.clone_from(&state.key);
            }
            prop_assert_eq!(&read, state);
        }
    }

    #[test]
    fn foreign_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        drop(codec::decode(stamp(2, 1), None, Some(bytes.into())));
    }
}
