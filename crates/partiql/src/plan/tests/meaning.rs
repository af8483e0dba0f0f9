//! What a plan reads and keeps is what its `WHERE` says, and literals are the values they show.

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use expr::condition::Condition;
use expr::key_condition::SortRange;
use item::key::{Key, KeySchema};
use item::number::Number;
use item::value::{AttributeValue, Item};
use proptest::prelude::*;

use super::{Keys, Plan, Reads, Select, plan, schema, shown, shown_value};
use crate::plan::{self, Direction};
use crate::statement;

fn items() -> Vec<Item> {
    let mut items = Vec::new();
    for (at, partition) in ["a", "b", "c"].into_iter().enumerate() {
        for sort in 0..5_i64 {
            let mut item = Item::new();
            item.insert("pk", partition);
            item.insert("sk", sort);
            if sort != 3 {
                item.insert("n", (sort * 7 + i64::try_from(at).unwrap()) % 4);
            }
            items.push(item);
        }
    }
    items
}

fn keeps(filter: Option<&Condition>, item: &Item) -> bool {
    filter.is_none_or(|filter| filter.evaluate(Some(item)))
}

/// Runs a read over items: their keys in the order in which they come.
fn run(select: &Select, keys: &KeySchema, items: &[Item]) -> Vec<Key> {
    let mut all: Vec<_> = items
        .iter()
        .map(|item| (keys.key_of(item).unwrap(), item))
        .collect();
    all.sort_by(|one, two| one.0.cmp(&two.0));
    let mut read: Vec<(Key, &Item)> = Vec::new();
    match &select.reads {
        Reads::All => read = all,
        Reads::Key(key) => read.extend(all.into_iter().filter(|one| one.0 == *key)),
        Reads::Keys(keys) => {
            for key in keys {
                read.extend(all.iter().filter(|one| one.0 == *key).cloned());
            }
        }
        Reads::Ranges { ranges, direction } => {
            for range in ranges {
                let holds = |sort: &SortRange, key: &Key| {
                    key.sort.as_ref().is_some_and(|one| sort.contains(one))
                };
                let within = all.iter().filter(|(key, _)| {
                    key.partition == range.partition
                        && range.sort.as_ref().is_none_or(|sort| holds(sort, key))
                });
                let mut within: Vec<_> = within.cloned().collect();
                if *direction == Direction::Descending {
                    within.reverse();
                }
                read.extend(within);
            }
        }
    }
    read.into_iter()
        .filter(|(_, item)| keeps(select.filter.as_ref(), item))
        .map(|(key, _)| key)
        .collect()
}

fn select(text: &str, keys: &KeySchema) -> Option<Select> {
    let statement = statement::parse(text).unwrap();
    let keys = Keys {
        table: keys,
        index: None,
    };
    match plan::of(&statement, keys, &[]) {
        Ok(Plan::Select(select)) => Some(select),
        // An error: too many partitions, or bounds the wrong way round.
        Ok(_) | Err(_) => None,
    }
}

fn test() -> impl Strategy<Value = String> {
    let comparator = || prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]);
    let partition = || prop::sample::select(vec!["'a'", "'b'", "'c'", "'d'"]);
    prop_oneof![
        3 => partition().prop_map(|value| format!("pk = {value}")),
        1 => partition().prop_map(|value| format!("{value} = pk")),
        1 => (comparator(), partition()).prop_map(|(is, value)| format!("pk {is} {value}")),
        2 => prop::collection::vec(partition(), 1..4)
            .prop_map(|values| format!("pk IN [{}]", values.join(", "))),
        3 => (comparator(), 0..6_i64).prop_map(|(is, value)| format!("sk {is} {value}")),
        1 => (comparator(), 0..6_i64).prop_map(|(is, value)| format!("{value} {is} sk")),
        1 => (0..3_i64, 0..3_i64).prop_map(|(from, more)| {
            format!("sk BETWEEN {from} AND {}", from + more)
        }),
        1 => prop::collection::vec(0..6_i64, 1..4).prop_map(|values| {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            format!("sk IN ({})", values.join(", "))
        }),
        2 => (comparator(), 0..4_i64).prop_map(|(is, value)| format!("n {is} {value}")),
        1 => Just("n IS MISSING".to_owned()),
        1 => Just("n = sk".to_owned()),
    ]
}

fn tests() -> impl Strategy<Value = String> {
    test().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("{one} AND {two}")),
            2 => (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("({one} OR {two})")),
            1 => inner.prop_map(|one| format!("NOT ({one})")),
        ]
    })
}

/// Values that literals can say: no bytes, no empty sets, no empty names.
fn value() -> impl Strategy<Value = AttributeValue> {
    let number = || {
        (any::<i64>(), -20..20_i32)
            .prop_map(|(digits, power)| Number::parse(&format!("{digits}e{power}")).unwrap())
    };
    let leaf = prop_oneof![
        "[a-c'\"?é ]{0,5}".prop_map(AttributeValue::S),
        number().prop_map(AttributeValue::N),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
        prop::collection::btree_set("[a-c']{0,2}", 1..4).prop_map(AttributeValue::Ss),
        prop::collection::btree_set(number(), 1..4).prop_map(AttributeValue::Ns),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::btree_map("[a-c'.]{1,3}", inner, 0..4).prop_map(AttributeValue::M),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_plan_keeps_what_its_condition_says(tests in tests(), order in 0..3_usize) {
        let order = ["", " ORDER BY pk DESC", " ORDER BY sk DESC, pk"][order];
        let items = items();
        let keys = schema("pk", Some(("sk", item::key::KeyKind::N)));
        // Where no attribute is of the key, the condition is the filter of everything.
        let other = schema("other", None);
        let naive = select(&format!("SELECT * FROM Tables WHERE {tests}"), &other);
        let planned = select(&format!("SELECT * FROM Tables WHERE {tests}{order}"), &keys);
        if let (Some(naive), Some(planned)) = (naive, planned) {
            prop_assert_eq!(&naive.reads, &Reads::All);
            let wanted: BTreeSet<Key> = items
                .iter()
                .filter(|item| keeps(naive.filter.as_ref(), item))
                .map(|item| keys.key_of(item).unwrap())
                .collect();
            let read = run(&planned, &keys, &items);
            let found: BTreeSet<Key> = read.iter().cloned().collect();
            prop_assert_eq!(found.len(), read.len(), "each item once: {:?}", planned.reads);
            prop_assert_eq!(found, wanted, "{:?}", planned);
            if order.is_empty() {
                prop_assert!(read.is_sorted(), "{:?}", read);
            }
        }
    }

    #[test]
    fn a_literal_is_the_value_that_it_shows(value in value()) {
        let text = format!("INSERT INTO One VALUE {{'pk':'a','v':{}}}", shown_value(&value));
        let Ok(Plan::Insert(insert)) = plan(&text, &[]) else {
            panic!("{text}: {:?}", plan(&text, &[]));
        };
        prop_assert_eq!(insert.item.get("v"), Some(&value));
    }

    #[test]
    fn no_mutated_statement_breaks_anything(
        text in prop::sample::select(SEEDS.to_vec()),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, piece()), 1..6),
    ) {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, how, piece) in cuts {
            let at = at.index(characters.len().max(1)).min(characters.len());
            let piece = piece.chars();
            match how {
                0 => drop(characters.splice(at..at, piece)),
                1 => drop(characters.splice(at..characters.len().min(at + 3), piece)),
                2 => characters.truncate(at),
                _ => {
                    let copied: Vec<char> = characters.iter().skip(at).take(12).copied().collect();
                    drop(characters.splice(at..at, copied));
                }
            }
        }
        let text: String = characters.into_iter().collect();
        let parameters = [AttributeValue::from("a"), AttributeValue::from(1)];
        for parameters in [&parameters[..], &parameters[..1], &[]] {
            if let Ok(plan) = plan(&text, parameters) {
                prop_assert!(!shown(&plan).is_empty());
            }
        }
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "'",
        "\"",
        "`",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<<",
        ">>",
        "?",
        ",",
        ".",
        ":",
        ";",
        "-",
        "--",
        "/*",
        "*",
        "=",
        "1e9",
        "1.5",
        "NOT ",
        " AND ",
        " OR ",
        " IN ",
        " IS ",
        " BETWEEN ",
        "NULL",
        "MISSING",
        "size(",
        "é",
        "\n",
        "sk",
        "pk",
        "99999999999999999999",
    ])
}

const SEEDS: [&str; 8] = [
    "SELECT m.k, l[0] FROM \"Two\" WHERE pk = ? AND sk BETWEEN 1 AND 2 OR size(t) > 3 ORDER BY sk",
    "SELECT * FROM Two.gxx WHERE g IN ['a', 'b'] AND h >= 5 AND NOT begins_with(t, 'x')",
    "INSERT INTO Two VALUE {'pk': ?, 'sk': 1, 'm': {'x': [1, null, true]}, 's': <<'a', 'b'>>}",
    "UPDATE Two SET n = n + 1, l = list_append(l, [1]) REMOVE m.k WHERE pk = 'a' AND sk = 1",
    "UPDATE Two SET s = set_add(s, <<1>>) WHERE pk = 'a' AND sk = 1 RETURNING ALL OLD *",
    "DELETE FROM Two WHERE pk = 'a' AND sk = ? AND n IS NOT MISSING RETURNING ALL OLD *",
    "EXISTS(SELECT * FROM Two WHERE pk = 'a' AND sk = 1 AND (n = 1 OR n IS NULL))",
    "SELECT sk FROM Two WHERE (pk = 'a' AND sk = 1) OR (pk = 'b' AND sk IN (1, 2))",
];

/// What nests is refused, or fits a stack far smaller than any thread's.
#[test]
fn no_nesting_needs_a_deep_stack() {
    let checked = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(|| {
            let nestings = [
                ("(", ")"),
                ("[", "]"),
                ("<<", ">>"),
                ("{'a':", "}"),
                ("size(", ")"),
                ("NOT ", ""),
                ("NOT (", ")"),
                ("- ", ""),
                ("1=1+1*(", ")"),
                ("a IN (", ")"),
                ("a OR b AND NOT c=1||1+1*[", "]"),
                ("1+", ""),
                ("a=", ""),
                ("a AND ", ""),
                ("a OR ", ""),
                ("x.", ""),
                ("x[", "]"),
                ("if_not_exists(a,", ")"),
            ];
            for (open, close) in nestings {
                for depth in [1, 31, 32, 33, 60, 64, 65, 300, 301, 4000] {
                    let nested = [open.repeat(depth), "1".to_owned(), close.repeat(depth)].concat();
                    for text in [
                        format!("SELECT * FROM One WHERE a = {nested}"),
                        format!("SELECT * FROM One WHERE {nested}"),
                        format!("SELECT {nested} FROM One"),
                        format!("INSERT INTO One VALUE {{'pk': 'a', 'v': {nested}}}"),
                        format!("UPDATE One SET v = {nested} WHERE pk = 'a'"),
                        format!("SELECT * FROM One WHERE pk = 'a' ORDER BY {nested}"),
                    ] {
                        let _ = plan(&text, &[]);
                    }
                }
            }
        })
        .unwrap();
    assert!(checked.join().is_ok());
    assert!(catch_unwind(|| plan("SELECT", &[])).is_ok());
}
