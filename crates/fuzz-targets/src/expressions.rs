//! Expressions of every clause: parsed, then evaluated over one item.
//!
//! It knows no request. Source: DynamoDB developer guide, "Expressions".

use std::collections::BTreeMap;
use std::sync::LazyLock;

use expr::placeholders::Placeholders;
use expr::{parse, projection::Projection};
use item::codec;
use item::key::{KeyAttribute, KeyKind, KeySchema};
use item::value::{AttributeValue, Item};

/// Takes a clause in the first byte, and its text after it.
pub fn run(data: &[u8]) {
    let Some((clause, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let mut placeholders = PLACEHOLDERS.clone();
    match clause {
        b'c' => condition(text, &mut placeholders),
        b'k' => key_condition(text, &mut placeholders),
        b'p' => {
            if let Ok(projection) = parse::projection(text, &mut placeholders) {
                check_part(&projection);
            }
        }
        b'u' => update(text, &mut placeholders),
        _ => return,
    }
    let _ = placeholders.check_all_used();
}

fn condition(text: &str, placeholders: &mut Placeholders) {
    let Ok(condition) = parse::condition(text, placeholders) else {
        return;
    };
    condition.for_each_path(&mut |path| {
        let _ = (path.to_string(), path.get(&ITEM));
    });
    let _ = (condition.evaluate(None), condition.evaluate(Some(&ITEM)));
}

fn key_condition(text: &str, placeholders: &mut Placeholders) {
    let Ok(condition) = parse::key_condition(text, placeholders) else {
        return;
    };
    for (partition, sort) in [("a", Some("b")), ("a", None), ("b", Some("a"))] {
        let attribute = |name: &str| KeyAttribute {
            name: name.to_owned(),
            kind: KeyKind::S,
        };
        let schema = KeySchema {
            partition: attribute(partition),
            sort: sort.map(attribute),
        };
        let range = condition.bind(&schema).ok().and_then(|range| range.sort);
        if let Some(range) = range {
            let (from, to) = range.bytes();
            assert!(to.is_none_or(|to| from <= to), "{text:?} runs forwards");
        }
    }
}

fn update(text: &str, placeholders: &mut Placeholders) {
    let Ok(update) = parse::update(text, placeholders) else {
        return;
    };
    check_part(&update.touched());
    for before in [&*ITEM, &Item::new()] {
        let Ok(after) = update.apply(before) else {
            continue;
        };
        if item::size::check(&after).is_ok() {
            assert_eq!(codec::decode(&codec::encode(&after)).as_ref(), Ok(&after));
        }
        let _ = update.touched().apply(&after);
    }
}

/// Checks that a projection leaves attributes out and makes none up.
fn check_part(projection: &Projection) {
    let part = projection.apply(&ITEM);
    for (name, value) in &part {
        let whole = ITEM.get(name);
        assert!(
            whole.is_some_and(|whole| whole.kind() == value.kind()),
            "{name} is one of the item's"
        );
    }
}

static ITEM: LazyLock<Item> = LazyLock::new(|| {
    let list = |items: Vec<AttributeValue>| AttributeValue::L(items);
    let map: BTreeMap<String, AttributeValue> = [
        ("a".to_owned(), list(vec![1.into(), "two".into()])),
        ("b".to_owned(), AttributeValue::Null),
    ]
    .into();
    let mut item: Item = [("a", "text"), ("b", "b")].into_iter().collect();
    item.insert("c", AttributeValue::M(map));
    item.insert("d", list(vec![list(vec![true.into()]), 7.into()]));
    item.insert("n", 5);
    item.insert(
        "s",
        AttributeValue::Ss(["x".to_owned(), "y".to_owned()].into()),
    );
    item
});

static PLACEHOLDERS: LazyLock<Placeholders> = LazyLock::new(|| {
    let names = ["a", "b", "c", "d", "n", "s"].map(|name| (format!("#{name}"), name.to_owned()));
    let texts = ["x".to_owned(), "z".to_owned()];
    let values: [(&str, AttributeValue); 7] = [
        (":a", "text".into()),
        (":b", true.into()),
        (":l", AttributeValue::L(vec!["two".into(), 1.into()])),
        (":m", AttributeValue::M([("a".to_owned(), 1.into())].into())),
        (":n", 5.into()),
        (":s", AttributeValue::Ss(texts.into())),
        (":z", AttributeValue::Null),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value));
    Placeholders::new(Some(names.into()), Some(values.into())).expect("they are well formed")
});
